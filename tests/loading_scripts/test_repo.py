"""The built door: a folder that stock `datasets` loads in a process that never imports us."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
from conftest import REPOSITORY, published
from datasets import load_dataset
from huggingface_hub import DatasetCard

from loading_scripts import registry, repo
from loading_scripts.errors import AudioError, DiskFullError, RawTreeError, UnknownNameError

# Rates and channels as raw trees have them; every utterance differs, so that a swapped row is seen.
_KINDS = [(16_000, 1), (44_100, 1), (48_000, 2), (8_000, 1)]

# Rows as unmodified `datasets` gives them; audio is decoded by soundfile alone.
_STOCK = """
import io, json, sys, datasets, soundfile
assert not any(name.startswith(("loading_scripts", "ser_")) for name in sys.modules)
rows = {}
for split, part in datasets.load_dataset("serbench/urdu", sys.argv[1]).items():
    part = part.cast_column("audio", datasets.Audio(decode=False))
    for row in part:
        samples, rate = soundfile.read(io.BytesIO(row["audio"].pop("bytes")), dtype="int16")
        row["audio"] = [rate, samples.tolist()]
        rows.setdefault(split, []).append(row)
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    """Return a raw tree of URDU with 40 different sounds, some of them stereo or at other rates."""
    root = tmp_path_factory.mktemp("urdu")
    generator = np.random.default_rng(7)
    for number, line in enumerate(published("urdu")[::5]):
        rate, channels = _KINDS[number % len(_KINDS)]
        path = root / line["path"]
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, generator.uniform(-0.5, 0.5, (rate // 10 + number, channels)), rate, subtype="PCM_16")
    return root


@pytest.fixture(scope="module")
def built(speech, tmp_path_factory) -> Path:
    return repo.build(registry.load("urdu"), speech, tmp_path_factory.mktemp("here") / "serbench" / "urdu")


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize("config", ["all", "fold1"])
def test_both_doors_give_the_same_rows(config, speech, built, run_python):
    stock = run_python(f"import sys; sys.argv.append({config!r})\n{_STOCK}", cwd=built.parent.parent, importable=False)
    rows = json.loads(stock.stdout or pytest.fail(stock.stderr))
    ours = load_dataset("serbench/urdu", config, data_dir=str(speech))
    assert list(rows) == list(ours)
    for split, part in ours.items():
        theirs = rows[split]
        assert [row["id"] for row in theirs] == part["id"][:]
        for row, other in zip(part, theirs, strict=True):
            array, stored = row.pop("audio")["array"], other.pop("audio")
            assert row == other
            assert stored[0] == 16_000
            assert np.array_equal(np.array(stored[1], np.int16), np.rint(array * 32768).astype(np.int16))


def test_audio_is_stored_once_and_the_card_says_what_is_in_the_folder(built):
    shards = sorted((built / "data").glob("*.parquet"))
    assert sum(pq.read_metadata(path).num_rows for path in shards) == 40
    card = DatasetCard.load(built / "README.md")
    configs = {one["config_name"]: one for one in card.data.configs}
    assert configs["all"]["default"] is True
    named = {path for part in configs["fold1"]["data_files"] for path in part["path"]}
    assert named == {f"data/{path.name}" for path in shards}
    assert "98.0" not in card.text  # that is the full corpus; here the share is measured on 40 files
    assert "| `A` | Angry | anger | anger | high_negative |" in card.text
    assert str(built) not in (built / "README.md").read_text(encoding="utf-8")
    assert not any(str(built.parent).encode() in content for content in contents(built).values())


def test_the_same_bytes_again_also_with_workers(speech, built, tmp_path):
    for workers in (1, 2):
        assert contents(repo.build(registry.load("urdu"), speech, tmp_path / "urdu", workers)) == contents(built)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".urdu.lock", "urdu"]


def test_a_killed_build_leaves_nothing_half_written_and_continues(speech, built, tmp_path):
    """SIGKILL while the second shard is being written; the first one is not made again."""
    code = (
        "import time; from pathlib import Path; from loading_scripts import audio, registry, repo\n"
        "repo.ROWS_PER_GROUP = 2; encode = audio.flac\n"
        "audio.flac = lambda *a: (time.sleep(0.1), encode(*a))[1]\n"
        f"repo.build(registry.load('urdu'), Path({str(speech)!r}), Path({str(tmp_path / 'urdu')!r}))"
    )
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    child = subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".urdu.*.part/data/000-*.parquet")) and time.monotonic() < deadline:
        assert child.poll() is None, "the build ended before its first shard was seen"
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.wait()
    first = next(tmp_path.glob(".urdu.*.part/data/000-*.parquet"))
    assert not (tmp_path / "urdu").exists()
    kept = first.stat().st_ino
    finished = repo.build(registry.load("urdu"), speech, tmp_path / "urdu")
    assert (finished / "data" / first.name).stat().st_ino == kept
    # row groups of the first shard were cut to two rows above; the rest is as in an undisturbed build
    assert {name for name in contents(finished) if "/001-" in name} == {
        name for name in contents(built) if "/001-" in name
    }
    assert not list(tmp_path.glob(".urdu.*.part"))


# A build of many small shards, slow enough to be killed in the middle of any of them.
_SLOW_BUILD = """
import sys, time
from pathlib import Path
from loading_scripts import audio, registry, repo
repo.ROWS_PER_SHARD, repo.ROWS_PER_GROUP = 3, 2
encode = audio.flac
audio.flac = lambda *samples: (time.sleep(0.03), encode(*samples))[1]
print("ready", flush=True)
repo.build(registry.load("urdu"), Path(sys.argv[1]), Path(sys.argv[2]))
"""


def slow_build(speech: Path, out: Path) -> subprocess.Popen:
    """Start the slow build and return when its imports are done."""
    child = subprocess.Popen(
        [sys.executable, "-c", _SLOW_BUILD, str(speech), str(out)],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout.readline() == b"ready\n"
    return child


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_kills_at_random_moments_end_in_the_same_bytes(kills, speech, tmp_path):
    undisturbed = slow_build(speech, tmp_path / "undisturbed" / "urdu")
    assert undisturbed.wait() == 0
    random = np.random.default_rng(kills)
    done = 0
    while done < kills:
        child = slow_build(speech, tmp_path / "killed" / "urdu")
        try:
            child.wait(timeout=random.uniform(0.05, 0.4))
        except subprocess.TimeoutExpired:
            child.kill()
            done += 1
        child.wait()
    child = slow_build(speech, tmp_path / "killed" / "urdu")
    assert child.wait() == 0
    assert contents(tmp_path / "killed" / "urdu") == contents(tmp_path / "undisturbed" / "urdu")
    assert {path.name for path in (tmp_path / "killed").iterdir()} == {"urdu", ".urdu.lock"}


def test_two_builds_at_once_end_in_the_same_bytes(speech, tmp_path):
    children = [slow_build(speech, tmp_path / "urdu") for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    alone = slow_build(speech, tmp_path / "alone" / "urdu")
    assert alone.wait() == 0
    assert contents(tmp_path / "urdu") == contents(tmp_path / "alone" / "urdu")


def test_a_partial_corpus_leaves_out_configs_with_an_empty_split(tones, tmp_path, caplog):
    lines = [line for line in published("urdu") if line["fold1"] == "train"][:5]
    folder = repo.build(
        registry.load("urdu"), tones(tmp_path / "raw", [line["path"] for line in lines]), tmp_path / "urdu"
    )
    # whole in five utterances: `all`, and a split by the hash of each
    configs = [one["config_name"] for one in DatasetCard.load(folder / "README.md").data.configs]
    assert configs == ["all", "serevals"]
    assert "fold1 is left out" in caplog.text
    assert "5 of 400 utterances found; 395 are missing" in caplog.text


def test_a_build_offers_the_configs_that_were_asked_for(speech, tmp_path):
    folder = repo.build(registry.load("urdu"), speech, tmp_path / "urdu", configs=["fold1"])
    assert [one["config_name"] for one in DatasetCard.load(folder / "README.md").data.configs] == ["all", "fold1"]
    with pytest.raises(UnknownNameError, match=r"config 'flod1' does not exist.*Did you mean 'fold1'"):
        repo.build(registry.load("urdu"), speech, tmp_path / "urdu", configs=["flod1"])


def test_the_card_names_the_classes_that_a_split_lacks(tones, tmp_path):
    lines = published("urdu")
    happy = [line["path"] for line in lines if line["emotion"] == "H" and line["fold1"] == "train"]
    others = [line["path"] for line in lines if line["emotion"] != "H"]
    folder = repo.build(registry.load("urdu"), tones(tmp_path / "raw", happy + others), tmp_path / "urdu")
    assert "- `fold1`: test has no happiness\n" in (folder / "README.md").read_text(encoding="utf-8")


def test_broken_audio_stops_the_build_and_is_named(tones, tmp_path):
    root = tones(tmp_path / "raw", [line["path"] for line in published("urdu")[:3]])
    bad = root / published("urdu")[1]["path"]
    bad.unlink()
    bad.write_bytes(b"")
    with pytest.raises(AudioError, match=bad.name):
        repo.build(registry.load("urdu"), root, tmp_path / "urdu")
    assert not (tmp_path / "urdu").exists()


def test_broken_audio_is_left_out_on_demand_and_listed_in_the_card(tones, tmp_path):
    root = tones(tmp_path / "raw", [line["path"] for line in published("urdu")[:5]])
    bad = root / published("urdu")[1]["path"]
    bad.unlink()
    bad.write_bytes(b"")
    folder = repo.build(registry.load("urdu"), root, tmp_path / "urdu", skip_broken=True)
    assert load_dataset(str(folder), "all", split="train", cache_dir=tmp_path / "cache").num_rows == 4
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert (
        f"1 files of the raw corpus could not be read when this folder was built:\n\n- `{published('urdu')[1]['path']}`"
        in text
    )


def test_a_full_disk_keeps_what_is_finished(speech, tmp_path, monkeypatch):
    encoded, calls = repo.encoded_table, []

    def fill_the_disk(*arguments):
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return encoded(*arguments)

    monkeypatch.setattr(repo, "encoded_table", fill_the_disk)
    with pytest.raises(DiskFullError, match="finished shards are kept"):
        repo.build(registry.load("urdu"), speech, tmp_path / "urdu")
    kept = [path.name for path in tmp_path.glob(".urdu.*.part/data/*.parquet")]
    assert len(kept) == 1
    assert not (tmp_path / "urdu").exists()
    assert (repo.build(registry.load("urdu"), speech, tmp_path / "urdu") / "data" / kept[0]).exists()


def test_a_build_needs_a_raw_folder():
    with pytest.raises(RawTreeError, match="--raw"):
        repo.build(registry.load("emodb"), None)


def test_long_atoms_are_cut_into_shards(speech, built, tmp_path, monkeypatch):
    monkeypatch.setattr(repo, "ROWS_PER_SHARD", 9)
    folder = repo.build(registry.load("urdu"), speech, tmp_path / "urdu")
    rows = [pq.read_metadata(path).num_rows for path in (folder / "data").glob("*.parquet")]
    assert max(rows) <= 9
    assert sum(rows) == 40
    read = lambda where: load_dataset(str(where), "fold1", cache_dir=tmp_path).remove_columns("audio")["test"][:]  # noqa: E731
    assert read(folder) == read(built)
