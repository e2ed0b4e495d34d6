"""BAUM-1: the two workbooks, their different codes, and what does not agree in them."""

import pytest
from annotated.baum1 import workbook

from loading_scripts import listing
from loading_scripts.corpora import baum1
from loading_scripts.errors import CorpusMismatchError, RawTreeError

ACTED, SPONTANEOUS = "BAUM1a_MP4_all", "BAUM1s_MP4 - All"


def natives(root) -> dict[str, str]:
    return {one.id.rpartition("-")[2]: one.native for one in baum1.find(root)}


def test_one_code_means_something_else_in_each_part(tones, tmp_path):
    tones(tmp_path, [f"{ACTED}/s001/S001_001.mp4", f"{SPONTANEOUS}/s001/S001_005.mp4"])
    workbook(tmp_path / "Annotations_BAUM1a.xlsx", [[1, 1, "S001_001", "Surpise", 8]])
    workbook(tmp_path / "Annotations_BAUM1s.xlsx", [[1, 1, "S001_005", "happiness", 8]])
    assert natives(tmp_path) == {"S001_001": "surprise", "S001_005": "happiness"}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_workbook_saved_as_text_will_do(tones, tmp_path, separator):
    tones(tmp_path, [f"{SPONTANEOUS}/s008/S008_027.mp4"])
    lines = [["No", "Subject", "", "Clip", "Emotion", "Code"], ["1", "8", "", '"S008_027"', "Contepmt", "5"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    (tmp_path / "annotations_baum1S.csv").write_text(text, encoding="utf-8-sig", newline="")
    assert natives(tmp_path) == {"S008_027": "contempt"}


@pytest.mark.parametrize(
    ("word", "code"), [("Concentrating", 5), ("Contempt", 4), ("Anger", 14), ("Anger", ""), ("Anger", "x"), ("", 1)]
)
def test_word_and_code_that_do_not_agree_are_refused(tones, tmp_path, word, code):
    tones(tmp_path, [f"{SPONTANEOUS}/s001/S001_005.mp4"])
    workbook(tmp_path / "Annotations_BAUM1s.xlsx", [[1, 1, "S001_005", word, code]])
    with pytest.raises(CorpusMismatchError, match=r"BAUM1s\.xlsx, clip S001_005: .*5 contempt.*Correct the table"):
        natives(tmp_path)


def test_a_missing_or_broken_workbook_is_named(tones, tmp_path):
    tones(tmp_path, [f"{ACTED}/s001/S001_001.mp4"])
    with pytest.raises(RawTreeError, match=r"Annotations_BAUM1a\.xlsx, which does not exist"):
        natives(tmp_path)
    (tmp_path / "Annotations_BAUM1a.xlsx").write_bytes(b"PK")
    with pytest.raises(RawTreeError, match="must be an Excel workbook"):
        natives(tmp_path)


def test_the_72_clips_without_a_label_are_no_unknown_names(tones, tmp_path):
    clips = baum1.UNLABELED.split()
    assert len(clips) == len(set(clips)) == 72
    tones(tmp_path, [f"{SPONTANEOUS}/s{clip[1:4]}/{clip}.mp4" for clip in ["S004_014", *clips]])
    workbook(tmp_path / "Annotations_BAUM1s.xlsx", [[1, 4, "S004_014", "Contempt", 5]])
    found = list(baum1.find(tmp_path))
    assert len(found) == 1
    assert listing.unknown_names(baum1.CORPUS, found, tmp_path) == []


def test_the_erratum_names_the_contradictory_clip_as_find_does(tones, tmp_path):
    tones(tmp_path, ["BAUM1s_MP4_all/s015/S015_007.mp4"])
    workbook(tmp_path / "Annotations_BAUM1s.xlsx", [[1, 15, "S015_007", "Happiness", 9]])
    (one,) = baum1.find(tmp_path)
    assert one.native == "happiness"
    assert [one.id] == [name for erratum in baum1.CORPUS.errata for name in erratum.drop]
