"""Expresso: dialogues are cut by speaker and where the official split changes."""

from collections import defaultdict
from math import inf

import pytest

from loading_scripts import listing, registry
from loading_scripts.errors import CorpusMismatchError, RawTreeError

expresso = registry.load("expresso")

# Lines of the publisher's splits and VAD segments (textlesslib@ba33d669): file -> split -> range.
PUBLISHED = {
    "ex01-ex02_default_007": {"validation": (0, 60.0), "train": (60.0, inf)},
    "ex01-ex02_default_008": {"test": (0, 60.0), "train": (60.0, inf)},
    "ex01-ex02_default_001": {"train": (0, inf)},
    "ex01-ex02_enunciated_001": {"validation": (0, 50.27), "test": (50.27, 100.54), "train": (100.54, inf)},
    "ex03-ex01_desire_004": {"validation": (0, 60.0), "test": (60.0, 120.0), "train": (120.0, inf)},
    "ex03-ex02_laughing_001": {"validation": (0, 27.25), "test": (27.25, 54.5), "train": (54.5, inf)},
    "ex04-ex01_animaldir-animal_004": {"test": (0, 59.16), "train": (59.16, inf)},
    "ex04-ex02_sad-sympathetic_001": {"train": (0, inf)},
    "ex04_narration_longform_00001": {"validation": (0, 13.87), "test": (13.87, 27.74), "train": (27.74, inf)},
    "ex01_confused_00348": {"train": (0, inf)},
    "ex01_confused_00349": {"validation": (0, inf)},
    "ex01_confused_00366": {"test": (0, inf)},
    "ex04_default_emphasis_00181": {"validation": (0, inf)},
    "ex04_default_emphasis_00182": {"test": (0, inf)},
    "ex03_default_essentials_00033": {"train": (0, inf)},
    "ex02_whisper_00380": {"test": (0, inf)},
}

DEFAULT = "audio_48khz/conversational/ex01-ex02/default/ex01-ex02_default_"


@pytest.mark.parametrize("stem", PUBLISHED)
def test_parts_of_a_file_are_those_of_the_published_splits(stem):
    start, ranges = 0, {}
    for split, end in expresso.parts(stem):
        ranges[split] = (start, end)
        start = end
    assert ranges == PUBLISHED[stem]


def dialogue(tones, root, lines):
    tones(root, [f"{DEFAULT}007.wav"])
    (root / "VAD_segments.txt").write_text("".join(f"ex01-ex02_default_007/{line}\n" for line in lines))
    return root


def test_a_segment_is_cut_where_the_split_changes_and_short_pieces_are_left_out(tones, tmp_path):
    lines = ["channel1\t(37.63, 76.02) (80.0, 80.49)", "channel2\t(59.6, 70.0) (80.0, 80.5)"]
    found = listing.utterances(expresso, dialogue(tones, tmp_path / "x", lines))
    spans = defaultdict(list)
    for one in found:
        spans[one.speaker, one.channel].append((one.start, one.end))
        assert one.id.endswith(f"-channel{one.channel + 1}@{round(1000 * one.start)}-{round(1000 * one.end)}")
    assert {who: sorted(parts) for who, parts in spans.items()} == {
        ("ex01", 0): [(37.63, 60.0), (60.0, 76.02)],
        ("ex02", 1): [(60.0, 70.0), (80.0, 80.5)],
    }
    official = listing.split(expresso, "official", found)
    assert [one.end for one in official["validation"]] == [60.0]
    assert sorted(one.start for one in official["train"]) == [60.0, 60.0, 80.0]


def test_a_dialogue_is_on_one_side_of_serevals(tones, tmp_path):
    times = " ".join(f"({k}.0, {k}.9)" for k in range(200))
    found = listing.utterances(expresso, dialogue(tones, tmp_path / "x", [f"channel1\t{times}", f"channel2\t{times}"]))
    assert len(found) == 400
    assert sorted(map(len, listing.split(expresso, "serevals", found).values())) == [0, 400]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["channel1\t(1.0, 2.0)"], "each channel of a dialogue; 'ex01-ex02_default_007/channel2' has none"),
        (["channel1 (1.0, 2.0)"], r"VAD_segments.txt, line 1: .* found 'ex01-ex02_default_007/channel1 \(1.0, 2.0\)'"),
        (["channel1\t(1.0; 2.0)"], "VAD_segments.txt, line 1"),
    ],
)
def test_a_table_of_segments_with_gaps_is_refused(lines, message, tones, tmp_path):
    with pytest.raises(CorpusMismatchError, match=message):
        list(expresso.find(dialogue(tones, tmp_path / "x", lines)))


def test_dialogues_without_the_table_of_segments_are_refused_and_read_speech_is_not(tones, tmp_path):
    root = tones(tmp_path / "x", ["audio_48khz/read/ex01/happy/base/ex01_happy_00001.wav"])
    assert [one.native for one in expresso.find(root)] == ["happy"]
    tones(root, [f"{DEFAULT}007.wav"])
    with pytest.raises(RawTreeError, match=r"cut by .*VAD_segments\.txt, which does not exist"):
        list(expresso.find(root))
