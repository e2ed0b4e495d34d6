"""Features: read as they were encoded, mapped into memory, refused when they are not those that are wanted."""

from dataclasses import replace

import numpy as np
import pytest
from filelock import FileLock
from toy_encoder import ToyEncoder, speech, table

from ser_trainer.benchmark.cache.cached import cached, remove
from ser_trainer.benchmark.cache.extract import extract
from ser_trainer.benchmark.cache.features import Features
from ser_trainer.benchmark.cache.header import FILE, FeaturesError
from ser_trainer.benchmark.cache.shards import Shard
from ser_trainer.encoders.encoder import Clip

SOUNDS = speech(20)


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def features():
    """Return the features of twenty utterances in shards of two seconds."""
    return extract(table(SOUNDS), ToyEncoder(), "toy", shard_seconds=2)


def expected(one, **options):
    return ToyEncoder(**options).features(Clip(one, SOUNDS[one]))


def test_every_utterance_has_the_features_of_its_own(features):
    assert sorted(features.ids) == sorted(SOUNDS) and len(features) == 20
    for one in SOUNDS:
        np.testing.assert_array_equal(features[one], expected(one).astype(np.float16).astype(np.float32))
        assert features[one].dtype == np.float32
        assert features.lengths[one] == len(expected(one))
    assert "u000" in features and "nobody" not in features
    assert (features.layers, features.width, features.identity) == ("last", 8, ToyEncoder().identity)


def test_packed_and_means_follow_the_order_that_is_asked_for(features):
    ids = ["u007", "u001", "u019", "u007"]
    packed = features.packed(ids)
    assert packed.values.dtype == np.float16 and packed.ids == tuple(ids)
    for k, one in enumerate(ids):
        np.testing.assert_array_equal(packed.values[packed.offsets[k] : packed.offsets[k + 1]], features[one])
    means = features.means(ids)
    assert means.dtype == np.float32
    np.testing.assert_array_equal(means, [features[one].mean(0, dtype=np.float64).astype(np.float32) for one in ids])
    assert features.packed([]).values.shape == (0, 8) and features.means([]).shape == (0, 8)


def test_they_are_mapped_and_cannot_be_written(features):
    whole = extract(table(SOUNDS), ToyEncoder(), "toy", storage="float32")
    values = whole["u003"]
    assert isinstance(values, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        values[0, 0] = 1
    np.testing.assert_array_equal(values, expected("u003"))
    assert whole.folder != features.folder


def test_what_float16_cannot_hold_is_kept_in_float32_and_changes_no_other():
    found = extract(table(SOUNDS), ToyEncoder(huge=("u004",)), "toy")
    np.testing.assert_array_equal(found["u004"], expected("u004", huge=("u004",)))
    assert found["u004"][0, 0] == 1e6
    np.testing.assert_array_equal(found["u005"], expected("u005").astype(np.float16))
    assert found.packed(["u004", "u005"]).values.dtype == np.float32
    assert found.packed(["u005", "u006"]).values.dtype == np.float16


def test_layer_means_and_vectors_are_float32():
    layers = extract(table(SOUNDS), ToyEncoder(), "toy", layers="all")
    np.testing.assert_array_equal(layers["u002"], ToyEncoder().features(Clip("u002", SOUNDS["u002"]), "all"))
    assert layers["u002"].shape == (3, 8)
    vectors = extract(table(SOUNDS), ToyEncoder(vector=True, revision="2"), "toy")
    assert vectors.packed(["u002"]).values.dtype == np.float32
    np.testing.assert_array_equal(vectors.means(["u002"]), expected("u002", vector=True, revision="2"))


def test_another_revision_or_corpus_is_refused_and_the_difference_named(features):
    Features.open(features.folder, {"encoder": "toy", "revision": "1"}, features.content)
    with pytest.raises(FeaturesError, match="encoder: revision was '1', is '2'.*serbench extract toy --encoder toy"):
        Features.open(features.folder, {"encoder": "toy", "revision": "2"})
    with pytest.raises(FeaturesError, match="encoder: library was None, is '5'"):
        Features.open(features.folder, {"encoder": "toy", "revision": "1", "library": "5"})
    then = features.header.contents
    now = replace(then, crc32=dict(then.crc32) | {"u003": 1, "new": 2})
    with pytest.raises(FeaturesError, match=r"1 utterance has other audio \(u003\); 1 is new \(new\)"):
        Features.open(features.folder, content=now)
    with pytest.raises(FeaturesError, match="content was [0-9a-f]{16}, is fedcba9876543210"):
        Features.open(features.folder, content="fedcba9876543210")


def test_unknown_and_missing_are_named(features):
    with pytest.raises(FeaturesError, match="'nobody' is no utterance of the corpus"):
        features.packed(["u001", "nobody"])
    Shard(features.folder, 1).index.unlink()
    with pytest.raises(FeaturesError, match="shard 2 of 12 is not there yet.*serbench extract toy"):
        Features.open(features.folder)
    (features.folder / FILE).write_text("{")
    with pytest.raises(FeaturesError, match="cannot be read"):
        Features.open(features.folder)


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "index"])
def test_a_damaged_shard_is_refused_where_it_is_read(features, damage):
    shard = Shard(features.folder, 0)
    data = bytearray(shard.data.read_bytes())
    data[len(data) // 2] ^= 1
    {
        "flip": lambda: shard.data.write_bytes(data),
        "cut": lambda: shard.data.write_bytes(data[:-1]),
        "gone": shard.data.unlink,
        "index": lambda: shard.index.write_text(shard.index.read_text()[:-5]),
    }[damage]()
    with pytest.raises(FeaturesError, match="are damaged; shard-00000.*serbench extract toy --encoder toy"):
        Features.open(features.folder).means(features.header.shards[0])
    last = features.header.shards[-1]
    if damage != "index":
        assert Features.open(features.folder).means(last).shape == (len(last), 8)  # the others are still good


def test_the_cache_is_listed_and_emptied(features):
    extract(table(speech(4)), ToyEncoder(name="other/toy"), "small")
    Shard(features.folder, 1).index.unlink()
    assert [(one.corpus, one.encoder, one.utterances, one.complete) for one in cached()] == [
        ("small", "other/toy", 4, True),
        ("toy", "toy", 20, False),
    ]
    (part,) = cached(incomplete=True)
    assert part.done < 20 and part.bytes >= sum(shard.stat().st_size for shard in part.folder.glob("*.bin"))
    with (
        FileLock(Shard(features.folder, 2).lock),
        pytest.raises(FeaturesError, match="Features of toy by toy.*a running process writes them"),
    ):
        remove(cached())
    assert len(cached()) == 2
    assert remove(cached(encoder="toy")) == part.bytes
    assert [one.corpus for one in cached()] == ["small"]
    assert not features.folder.parent.parent.exists()


def test_a_lost_header_is_listed_and_made_again(features):
    (features.folder / FILE).write_text("")
    (lost,) = cached()
    assert (lost.corpus, lost.encoder, lost.complete) == ("toy", "toy", False)
    encoder = ToyEncoder()
    extract(table(SOUNDS), encoder, "toy", shard_seconds=2)
    assert encoder.encoded == [] and cached()[0].complete
