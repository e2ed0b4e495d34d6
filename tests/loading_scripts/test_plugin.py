"""The plugin door: load_dataset("serbench/x", ...) in a process that imports us."""

import pickle

import datasets
import numpy as np
import pytest
import soundfile
from conftest import published
from datasets import load_dataset  # bound before our import, as users do
from datasets.exceptions import DatasetGenerationError

import loading_scripts
from loading_scripts import plugin, registry, rows
from loading_scripts.errors import RawTreeError, UnknownNameError


@pytest.fixture(scope="module")
def loaded(urdu):
    return load_dataset("serbench/urdu", "fold1", data_dir=str(urdu))


def test_a_fold_has_the_published_splits_labels_and_schema(loaded):
    lines = {line["id"]: line for line in published("urdu")}
    for split, part in loaded.items():
        assert set(part["id"]) == {name for name, line in lines.items() if line["fold1"] == split}
        assert part.features == rows.features(registry.load("urdu").CORPUS)
        for row in part.select_columns(["id", "emotion", "native", "canonical", "speaker", "gender", "language"]):
            assert row["native"] == lines[row["id"]]["emotion"]
            assert part.features["emotion"].int2str(row["emotion"])[0] == row["native"]
            assert row["canonical"][0].upper() == row["native"]
            assert row["speaker"] == lines[row["id"]]["speaker"]
            assert (row["gender"], row["language"]) == ("female" if row["speaker"][1] == "F" else "male", "ur")


def test_audio_is_a_path_that_decodes(loaded):
    raw = loaded.cast_column("audio", datasets.Audio(decode=False))
    assert raw["test"][0]["audio"]["bytes"] is None
    row = loaded["train"][0]
    assert row["audio"]["sampling_rate"] == 16_000
    assert row["duration"] == np.float32(len(row["audio"]["array"]) / 16_000)


@pytest.mark.parametrize("how", ["streaming", "workers", "slice", "own cache", "again"])
def test_the_ways_people_load(how, urdu, loaded, tmp_path):
    names = loaded["test"]["id"][:]
    load = {
        "streaming": lambda: load_dataset("serbench/urdu", "fold1", data_dir=str(urdu), streaming=True)["test"],
        "workers": lambda: load_dataset("serbench/urdu", "fold1", data_dir=str(urdu), num_proc=2, cache_dir=tmp_path)[
            "test"
        ],
        "slice": lambda: load_dataset("serbench/urdu", "fold1", data_dir=str(urdu), split="test[:100%]"),
        "own cache": lambda: load_dataset(
            "serbench/urdu", "fold1", data_dir=str(urdu), split="test", cache_dir=tmp_path
        ),
        "again": lambda: load_dataset("serbench/urdu", "fold1", data_dir=urdu, split="test"),
    }[how]()
    assert [row["id"] for row in load.select_columns(["id"])] == names


def test_what_inspect_answers_without_raw_data():
    names = datasets.get_dataset_config_names("serbench/ravdess")
    assert names[:7] == ["all", *(f"fold{k}" for k in range(1, 7))]
    assert tuple(names) == registry.load("ravdess").CORPUS.config_names()
    assert datasets.get_dataset_split_names("serbench/ravdess", "fold6") == ["train", "test"]
    assert datasets.get_dataset_default_config_name("serbench/emodb") == "all"
    builder = datasets.load_dataset_builder("serbench/emodb", "fold2")
    assert builder.info.features["emotion"].names[0] == "Angry"
    assert pickle.loads(pickle.dumps(builder)).config.name == "fold2"


def test_the_environment_names_the_raw_folder(urdu, tmp_path, monkeypatch):
    (tmp_path / "Urdu").symlink_to(urdu)  # the corpus' own name in another case
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path))
    assert len(load_dataset("serbench/urdu", split="train")) == len(published("urdu"))


def test_a_changed_file_is_noticed(tones, tmp_path):
    root = tones(tmp_path / "urdu", [line["path"] for line in published("urdu")[:3]])
    before = load_dataset("serbench/urdu", "all", data_dir=str(root), split="train")
    path = root / published("urdu")[0]["path"]
    path.unlink()
    soundfile.write(path, np.zeros(1600), 16_000)
    after = load_dataset("serbench/urdu", "all", data_dir=str(root), split="train")
    assert sorted(before["duration"]) == pytest.approx([0.2, 0.2, 0.2])
    assert sorted(after["duration"]) == pytest.approx([0.1, 0.2, 0.2])


def test_a_moved_tree_is_read_from_its_new_place(tones, tmp_path):
    root = tones(tmp_path / "old" / "urdu", [line["path"] for line in published("urdu")[:2]])
    load_dataset("serbench/urdu", "all", data_dir=str(root), split="train")
    moved = root.rename(tmp_path / "urdu")  # names, sizes and times stay
    again = load_dataset("serbench/urdu", "all", data_dir=str(moved), split="train")
    assert [len(row["audio"]["array"]) for row in again] == [3200, 3200]


def test_wrong_names_get_near_names(urdu):
    with pytest.raises(UnknownNameError, match="'urdi'.*Did you mean 'urdu'"):
        load_dataset("serbench/urdi", "fold1")
    with pytest.raises(UnknownNameError, match=r"config 'fold_1' does not exist.*Did you mean 'fold1'"):
        load_dataset("serbench/urdu", "fold_1", data_dir=str(urdu))


def test_a_missing_folder_is_refused_at_once_and_says_how_to_get_the_corpus():
    with pytest.raises(RawTreeError, match=r"(?s)EmoDB.*emodb.bilderbar.info.*wav/.*load_dataset"):
        load_dataset("serbench/emodb", "fold1")
    with pytest.raises(RawTreeError, match="does not exist"):
        load_dataset("serbench/urdu", "fold1", data_dir="data")
    with pytest.raises(RawTreeError, match="EmoDB"):
        next(iter(load_dataset("serbench/emodb", "fold1", streaming=True)["train"]))


def test_broken_audio_is_counted_and_named(tones, tmp_path):
    paths = [line["path"] for line in published("urdu")[:4]]
    root = tones(tmp_path / "urdu", paths)
    for path in paths[:2]:
        (root / path).unlink()
        (root / path).write_bytes(b"RIFF")
    with pytest.raises(DatasetGenerationError, match=rf"(?s)2 of 4 files.*{paths[0].rsplit('/')[-1]}"):
        load_dataset("serbench/urdu", "all", data_dir=str(root))


def test_data_dir_inside_a_built_folder_is_refused(tmp_path, monkeypatch):
    (tmp_path / "serbench" / "urdu" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RawTreeError, match="without data_dir"):
        load_dataset("serbench/urdu", "fold1", data_dir="serbench/urdu/data")


def test_other_data_sets_are_left_alone(tmp_path):
    (tmp_path / "table.csv").write_text("a\n1\n")
    assert load_dataset("csv", data_files=str(tmp_path / "table.csv"), split="train")["a"][:] == [1]


def test_the_hook_goes_in_once_and_comes_out():
    hooked = datasets.load.dataset_module_factory
    plugin.install()
    assert datasets.load.dataset_module_factory is hooked
    try:
        plugin.uninstall()
        assert datasets.load.dataset_module_factory is hooked.serbench
        assert datasets.inspect.dataset_module_factory is hooked.serbench
    finally:
        plugin.install()
    assert loading_scripts.plugin is plugin
