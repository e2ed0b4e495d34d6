"""Contents: which audio changed is known, and nothing is decoded twice."""

import hashlib
import os
import zlib

import datasets
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from toy_encoder import speech, table

from loading_scripts import audio
from loading_scripts.errors import AudioError
from ser_trainer.benchmark.cache import contents
from ser_trainer.benchmark.cache.batches import batches, shards


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def decoded(monkeypatch):
    """Return a list that grows by one whenever audio is decoded."""
    seen, load = [], audio.load
    monkeypatch.setattr(audio, "load", lambda source: (seen.append(source), load(source))[1])
    return seen


@pytest.fixture
def files(tmp_path):
    """Return rows that hold paths, as a raw tree gives them."""
    places = {}
    for one, samples in speech(6).items():
        places[one] = tmp_path / f"{one}.wav"
        soundfile.write(places[one], samples, 16_000, subtype="PCM_16")
    held = {"id": list(places), "audio": [{"path": str(one), "bytes": None} for one in places.values()]}
    return places, datasets.Dataset.from_dict(held).cast_column("audio", datasets.Audio(decode=False))


def test_the_checksum_is_that_of_the_samples_whatever_holds_them(files):
    _, rows = files
    sounds = speech(6)
    found = contents.check(rows, "paths")
    assert found.crc32 == {one: zlib.crc32(samples.astype("<i2").tobytes()) for one, samples in sounds.items()}
    assert found.samples == {one: len(samples) for one, samples in sounds.items()}
    assert contents.check(table(sounds), "embedded", threads=2) == found


def test_the_hash_is_that_of_the_sorted_lines():
    lines = "a\t00000001\nb\tffffffff\n"
    assert contents.Contents({"b": 0xFFFFFFFF, "a": 1}, {}).hash == hashlib.sha256(lines.encode()).hexdigest()[:16]


@pytest.mark.parametrize("embedded", [False, True])
def test_a_second_look_decodes_nothing(files, decoded, embedded):
    rows = table(speech(6)) if embedded else files[1]
    first = contents.check(rows, "twice")
    assert len(decoded) == 6
    assert contents.check(rows, "twice", threads=2) == first
    assert len(decoded) == 6
    contents.forget("twice")
    contents.check(rows, "twice")
    assert len(decoded) == 12


def test_a_changed_file_is_decoded_again_and_named(files, decoded):
    places, rows = files
    before = contents.check(rows, "changed")
    changed = speech(6)["u003"].copy()
    changed[7] += 1
    soundfile.write(places["u003"], changed, 16_000, subtype="PCM_16")
    os.utime(places["u005"])  # as a copy would: another time, the same samples
    after = contents.check(rows, "changed")
    assert len(decoded) == 8
    assert after.hash != before.hash
    assert after.differences(before) == "1 utterance has other audio (u003)"


def test_a_damaged_memory_is_made_anew(files, decoded, tmp_path):
    first = contents.check(files[1], "damaged")
    (tmp_path / "cache" / "contents" / "damaged.json").write_text('{"f12')
    assert contents.check(files[1], "damaged") == first
    assert len(decoded) == 12


def test_an_unreadable_file_is_marked_and_looked_at_again(files, decoded, caplog):
    places, rows = files
    before = contents.check(rows, "broken")
    whole = places["u004"].read_bytes()
    places["u004"].write_bytes(b"no audio")
    found = contents.check(rows, "broken")
    assert found.unreadable == {"u004"}
    assert (found.crc32["u004"], found.samples["u004"]) == (contents.UNREADABLE, 0)
    assert found.hash != before.hash
    assert contents.check(rows, "broken") == found
    (told,) = caplog.messages  # once
    assert "Corpus broken: 1 of 6 utterances cannot be decoded" in told
    assert "u004.wav" in told
    assert "serbench audit broken" in told
    places["u004"].write_bytes(whole)
    decoded.clear()
    assert contents.check(rows, "broken") == before
    assert len(decoded) == 1


def test_a_corpus_of_which_nothing_can_be_decoded_is_refused(files):
    places, rows = files
    for place in places.values():
        place.unlink()
    with pytest.raises(AudioError, match=r"Corpus gone: none of its 6 utterances .*u000\.wav: does not exist"):
        contents.check(rows, "gone")


def test_ids_are_needed_once():
    rows = table(speech(3))
    with pytest.raises(contents.ContentsError, match="Corpus twins.*'u000' occurs twice"):
        contents.check(datasets.concatenate_datasets([rows, rows]), "twins")
    with pytest.raises(contents.ContentsError, match="there are none"):
        contents.check(rows.select([]), "empty")


lengths = st.dictionaries(st.text("abc", min_size=1, max_size=4), st.integers(1, 160_000), min_size=1, max_size=30)


@given(lengths, st.floats(0.1, 30))
def test_the_plan_has_everyone_once_and_depends_on_the_corpus_alone(samples, seconds):
    plan = shards(samples, seconds)
    flat = [one for shard in plan for one in shard]
    assert sorted(flat) == sorted(samples)
    assert plan == shards(dict(reversed(samples.items())), seconds)
    assert all(len(shard) == 1 or sum(map(samples.get, shard)) <= seconds * 16_000 for shard in plan)


@given(lengths, st.floats(0.1, 30), st.data())
def test_an_interrupted_shard_goes_on_with_the_same_batches(samples, seconds, data):
    (shard,) = shards(samples, 1e9)
    whole = batches(shard, samples, seconds)
    assert [one for batch in whole for one in batch] == shard
    assert all(len(one) == 1 or len(one) * samples[one[0]] <= seconds * 16_000 for one in whole)
    done = data.draw(st.integers(0, len(whole)))
    rest = shard[sum(map(len, whole[:done])) :]
    assert batches(rest, samples, seconds) == whole[done:]


def test_a_small_corpus_has_work_for_many_and_a_large_one_shards_of_ten_minutes():
    small, large = ({f"{k}": 40_000 for k in range(count)} for count in (400, 40_000))
    assert 40 <= len(shards(small)) <= 64
    assert {round(len(shard) * 2.5) for shard in shards(large)[:-1]} == {600}
    assert np.ptp([len(shard) for shard in shards(small)[:-1]]) == 0
