"""Emozionalmente: its own split, and what is said of tables that do not fit."""

import csv
import shutil

import pytest
from annotated.emozionalmente import plant
from conftest import published

from loading_scripts import listing, registry
from loading_scripts.errors import CorpusMismatchError, RawTreeError

EMOZIONALMENTE = registry.load("emozionalmente")


@pytest.fixture
def root(tones, tmp_path):
    plant(tmp_path / "emozionalmente", published("emozionalmente")[:30], tones)
    return tmp_path / "emozionalmente"


def test_the_split_of_version_1_1_is_official(root):
    lines = published("emozionalmente")[:30]
    told = {"train": lines[:20], "dev": lines[20:26], "test": lines[26:]}
    (root / "metadata" / "split").mkdir()
    for name, part in told.items():
        with (root / "metadata" / "split" / f"{name}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file_name", "emotion_expressed"])
            writer.writerows([line["path"].rpartition("/")[2], line["emotion"]] for line in part)
    parts = listing.split(EMOZIONALMENTE, "official", listing.utterances(EMOZIONALMENTE, root))
    listed = {name: {line["id"] for line in part} for name, part in told.items()}
    assert {name: {one.id for one in part} for name, part in parts.items()} == {
        "train": listed["train"],
        "validation": listed["dev"],
        "test": listed["test"],
    }


def test_version_1_has_no_official_split(root):
    parts = listing.split(EMOZIONALMENTE, "official", listing.utterances(EMOZIONALMENTE, root))
    assert parts == {"train": [], "validation": [], "test": []}


@pytest.mark.parametrize("name", ["samples", "users"])
def test_a_missing_table_is_named(root, name):
    (root / "metadata" / f"{name}.csv").unlink()
    with pytest.raises(RawTreeError, match=rf"{name}\.csv, which does not exist\. Copy it"):
        listing.utterances(EMOZIONALMENTE, root)


def test_a_table_in_another_case_is_read(root):
    shutil.move(root / "metadata" / "samples.csv", root / "metadata" / "Samples.CSV")
    assert len(listing.utterances(EMOZIONALMENTE, root)) == 30


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("emotion_expressed", "emotion", r"emotion_expressed not found among \['file_name'"),
        ("neutrality", "calmness", r"samples\.csv has 'calmness' for \d{13}\.wav"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(root, old, new, told):
    table = root / "metadata" / "samples.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(CorpusMismatchError, match=told):
        listing.utterances(EMOZIONALMENTE, root)
