"""Extract: every utterance once, whatever is killed and however many work; the same bytes in every case."""

import multiprocessing
import resource
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_encoder import ToyEncoder, extract_toy, logged, opener, speech, table

from loading_scripts.errors import DiskFullError
from ser_trainer.benchmark.cache import sharing
from ser_trainer.benchmark.cache.batches import batches, shards
from ser_trainer.benchmark.cache.contents import ContentsError
from ser_trainer.benchmark.cache.extract import extract, plan
from ser_trainer.benchmark.cache.header import FILE
from ser_trainer.benchmark.cache.shards import Shard
from ser_trainer.benchmark.cache.sharing import Share
from ser_trainer.encoders.encoder import Clip, EncoderError

SOUNDS = speech(40)
ROWS = table(SOUNDS)
SHARD, BATCH = 4.0, 1.5
CHOICE = {"shard_seconds": SHARD, "batch_seconds": BATCH}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def stored(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all shards."""
    return {file.name: file.read_bytes() for file in sorted(folder.glob("shard-*")) if file.suffix in (".bin", ".json")}


@pytest.fixture(scope="module")
def header():
    """Return the header that an extraction begins with."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERBENCH_CACHE", folder)
        yield plan(ROWS, ToyEncoder(), "toy", shard_seconds=SHARD).folder / FILE


@pytest.fixture(scope="module")
def whole(header, tmp_path_factory):
    """Return the bytes of an extraction that nothing interrupted."""
    folder = Path(shutil.copy(header, tmp_path_factory.mktemp("whole"))).parent
    list(Share(folder, ROWS, ToyEncoder(), BATCH).run())
    return stored(folder)


def largest_batch() -> int:
    """Return how many utterances a batch has at most."""
    lengths = {one: len(samples) for one, samples in SOUNDS.items()}
    return max(len(batch) for shard in shards(lengths, SHARD) for batch in batches(shard, lengths, BATCH))


# In one process, so that many histories can be tried: a share that is closed stops as one does that is interrupted.
@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=30))
def test_any_partition_of_the_work_gives_the_same_bytes(whole, header, history):
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "_POLL", 0.0)
        folder = Path(shutil.copy(header, place)).parent
        encoders, running, interrupted = [ToyEncoder() for _ in range(4)], {}, 0
        for number, stop in [*history, (0, True), (1, True), (2, True)]:
            if number not in running:
                running[number] = Share(folder, ROWS, encoders[number], BATCH, 1, number, 3).run()
            if stop:
                running.pop(number).close()
                interrupted += 1
            else:
                next(running[number], None)
        list(Share(folder, ROWS, encoders[-1], BATCH).run())
        assert stored(folder) == whole
        counts = Counter(one for encoder in encoders for one in encoder.encoded)
        assert counts.keys() == SOUNDS.keys()
        assert sum(counts.values()) - len(SOUNDS) <= interrupted * largest_batch()


def test_who_waits_for_a_shard_takes_it_over_when_its_holder_goes(whole, header, tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "_POLL", 0.0)
    folder = Path(shutil.copy(header, tmp_path)).parent
    first, second = ToyEncoder(), ToyEncoder()
    holder, waiter = (Share(folder, ROWS, encoder, BATCH).run() for encoder in (first, second))
    next(holder)
    steps = [next(waiter) for _ in range(60)]
    assert steps[-1].utterances == 0 and stored(folder) != whole
    holder.close()
    list(waiter)
    assert stored(folder) == whole
    assert len(first.encoded) + len(second.encoded) <= len(SOUNDS) + 2 * largest_batch()


def test_a_killed_process_is_taken_over_and_nothing_is_lost(whole, cache, tmp_path):
    log = tmp_path / "log"
    child = multiprocessing.get_context("spawn").Process(
        target=extract_toy, args=(ROWS, {"log": log, "die_after": 23}, CHOICE)
    )
    child.start()
    child.join(60)
    assert child.exitcode == -9
    assert len(logged(log)) == 23
    done = []
    features = extract(ROWS, ToyEncoder(log=log), "toy", **CHOICE, progress=lambda *told: done.append(told))
    assert stored(features.folder) == whole
    counts = Counter(one for _, one in logged(log))
    assert counts.keys() == SOUNDS.keys()
    repeated = sum(counts.values()) - len(SOUNDS)
    assert repeated <= 2 * largest_batch()  # the batch at hand, and the one that was being written
    assert 0 < done[0][0] < 23 and done[-1][0] == 40
    assert done[-1][1] == pytest.approx(sum(map(len, SOUNDS.values())) / 16_000)


def test_two_processes_share_the_work(whole, tmp_path):
    log = tmp_path / "log"
    features = extract(ROWS, opener(log=log, company=True), "toy", **CHOICE, num_proc=2)
    assert stored(features.folder) == whole
    assert sorted(one for _, one in logged(log)) == sorted(SOUNDS)
    assert len({process for process, _ in logged(log)}) == 2
    assert multiprocessing.active_children() == []


def test_several_processes_need_what_opens_the_encoder():
    with pytest.raises(EncoderError, match="2 processes each open their own"):
        extract(ROWS, ToyEncoder(), "toy", num_proc=2)


def test_a_second_run_encodes_nothing():
    extract(ROWS, ToyEncoder(), "toy", **CHOICE)
    encoder, done = ToyEncoder(), []
    extract(ROWS, encoder, "toy", progress=lambda *told: done.append(told))
    assert encoder.encoded == []
    assert done == [(40, pytest.approx(sum(map(len, SOUNDS.values())) / 16_000))]


@pytest.mark.parametrize("damage", ["flip", "cut", "gone", "index"])
def test_a_damaged_shard_is_reported_and_made_again_alone(whole, caplog, damage):
    folder = extract(ROWS, ToyEncoder(), "toy", **CHOICE).folder
    shard = Shard(folder, 2)
    data = bytearray(shard.data.read_bytes())
    data[100] ^= 4
    {
        "flip": lambda: shard.data.write_bytes(data),
        "cut": lambda: shard.data.write_bytes(data[:-1]),
        "gone": shard.data.unlink,
        "index": lambda: shard.index.write_text("{"),
    }[damage]()
    encoder = ToyEncoder()
    features = extract(ROWS, encoder, "toy", **CHOICE)
    assert stored(folder) == whole
    assert sorted(encoder.encoded) == sorted(features.header.shards[2])
    assert "Features of toy by toy: shard-00002" in caplog.text and "are encoded again" in caplog.text


@pytest.mark.parametrize("tear", ["journal", "data"])
def test_what_a_killed_process_wrote_by_half_is_not_believed(whole, tear):
    header = plan(ROWS, ToyEncoder(), "toy", shard_seconds=SHARD)
    run = Share(header.folder, ROWS, ToyEncoder(), BATCH).run()
    for _ in range(3):
        next(run)
    run.close()
    (shard,) = (one for one in (Shard(header.folder, k) for k in range(9)) if one.journal.exists())
    torn = shard.journal if tear == "journal" else shard.data
    torn.write_bytes(torn.read_bytes()[:-7] + b"\0" * (tear == "data"))
    assert stored(extract(ROWS, ToyEncoder(), "toy", **CHOICE).folder) == whole


def test_a_shard_that_only_lacks_its_index_is_not_encoded_again(whole):
    folder = extract(ROWS, ToyEncoder(), "toy", **CHOICE).folder
    Shard(folder, 1).index.rename(Shard(folder, 1).journal)  # killed after the last batch
    encoder = ToyEncoder()
    assert stored(extract(ROWS, encoder, "toy", **CHOICE).folder) == whole
    assert encoder.encoded == []


def test_changed_audio_has_other_features_and_the_utterance_is_named(caplog):
    first = extract(ROWS, ToyEncoder(), "toy")
    changed = {one: samples.copy() for one, samples in SOUNDS.items()}
    changed["u011"][5] += 1
    second = extract(table(changed), ToyEncoder(), "toy")
    assert second.folder != first.folder
    assert "Features of toy by toy of" in caplog.text and "1 utterance has other audio (u011)" in caplog.text
    assert not np.array_equal(first["u011"], second["u011"])


def test_another_revision_has_other_features_and_is_named(caplog):
    first = extract(ROWS, ToyEncoder(), "toy")
    second = extract(ROWS, ToyEncoder(revision="2"), "toy")
    assert second.folder != first.folder
    assert "encoder: revision was '1', is '2'" in caplog.text


def test_audio_that_changes_while_it_is_encoded_is_noticed(monkeypatch):
    header = plan(ROWS, ToyEncoder(), "toy")
    changed = {one: samples[::-1] for one, samples in SOUNDS.items()}
    with pytest.raises(ContentsError, match=r"Corpus toy, utterance u\d+: its audio changed since it was checked"):
        list(Share(header.folder, table(changed), ToyEncoder(), BATCH).run())


def test_clips_that_fail_are_named_and_stop_no_other(caplog):
    bad = {"refused": ("u001", "u002"), "nan": ("u003",)}
    features = extract(ROWS, ToyEncoder(**bad), "toy", **CHOICE)
    assert features.failed == {
        "u001": "utterance u001: too short",
        "u002": "utterance u002: too short",
        "u003": "1 of {} values are NaN or infinite".format(features.header.contents.samples["u003"] // 320 * 8 + 8),
    }
    assert len(features) == 37 and "u003" not in features
    assert "u001 has none: utterance u001: too short" in caplog.text
    with pytest.raises(ValueError, match="utterance 'u003' has none .*NaN"):
        features.means(["u003"])


def test_an_encoder_that_fails_everywhere_is_an_error():
    with pytest.raises(EncoderError, match="failed on all 40 utterances of toy; on u.*NaN or infinite.*Remove"):
        extract(ROWS, ToyEncoder(nan=tuple(SOUNDS)), "toy")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda found: [one.astype(np.float64) for one in found], r"must be float32 \(frames, 8\); they are float64"),
        (lambda found: [one[:, :5] for one in found], r"utterance u\d+: features must be .*\(\d+, 5\)"),
        (lambda found: found[:-1], r"it gave \d+ for \d+ clips"),
    ],
)
def test_what_is_no_feature_is_refused(wrong, message):
    encoder = ToyEncoder()
    give = encoder.encode
    encoder.encode = lambda clips, layers: wrong(give(clips, layers))
    with pytest.raises(EncoderError, match=message):
        extract(ROWS, encoder, "toy")


class OutOfMemoryError(RuntimeError):
    """As torch's is called."""


def test_a_batch_that_does_not_fit_is_encoded_in_parts(whole):
    encoder = ToyEncoder()
    give = encoder.encode

    def small(clips, layers):
        if len(clips) > 1:
            raise OutOfMemoryError
        return give(clips, layers)

    encoder.encode = small
    assert stored(extract(ROWS, encoder, "toy", **CHOICE).folder) == whole


def test_a_full_disk_keeps_what_was_encoded(whole):
    header = plan(ROWS, ToyEncoder(), "toy", shard_seconds=SHARD)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(len(data) for name, data in whole.items() if name.endswith(".bin"))
    encoder = ToyEncoder()
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest - 100, before[1]))  # writing fails in the middle of a batch
    try:
        with pytest.raises(DiskFullError, match=r"Features of toy by toy: the disk.*is kept.*serbench cache"):
            extract(ROWS, encoder, "toy", **CHOICE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    again = ToyEncoder()
    assert stored(extract(ROWS, again, "toy", **CHOICE).folder) == whole
    assert header.folder.exists() and len(encoder.encoded) + len(again.encoded) <= 40 + 2 * largest_batch()


def test_ranks_begin_at_different_shards_and_each_gets_all(whole, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "3")
    encoder = ToyEncoder()
    features = extract(ROWS, encoder, "toy", **CHOICE)
    assert set(encoder.encoded[: len(features.header.shards[1])]) == set(features.header.shards[1])
    assert stored(features.folder) == whole


class Hubert:
    """A HuBERT with random weights, one clip at a time."""

    name, revision, depth, frame_rate, width = "tiny", "random", 1, 25.0, 64

    def __init__(self):
        import torch
        from transformers import HubertModel

        from ser_trainer.models.tiny import tiny_hubert_config

        torch.manual_seed(0)
        self._torch, self._model = torch, HubertModel(tiny_hubert_config({0: "anger"})).eval()
        self.identity = {"encoder": "tiny"}

    def encode(self, clips, layers="last"):
        with self._torch.inference_mode():
            waves = [self._torch.from_numpy(one.wave)[None] for one in clips]
            return [self._model(one).last_hidden_state[0].numpy() for one in waves]


def test_a_real_encoder_gives_what_it_gives_alone():
    rows, encoder = ROWS.select(range(8)), Hubert()
    found = extract(rows, encoder, "toy", storage="float32", batch_seconds=2)
    for one in rows["id"]:
        np.testing.assert_array_equal(found[one], encoder.encode([Clip(one, SOUNDS[one])])[0])


def test_torch_is_not_needed(run_python, tmp_path):
    code = "import sys; from ser_trainer.benchmark.cache import cached, extract; assert 'torch' not in sys.modules"
    assert run_python(code, tmp_path).returncode == 0
