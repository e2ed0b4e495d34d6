"""Changed copies, overlapping cuts and halves of one passage are found; two takes of one sentence are not."""

import json
import os
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample_poly
from typer.testing import CliRunner

from loading_scripts import audio, registry
from loading_scripts.audit import Finding, Kind, Severity, examine, remember
from loading_scripts.audit.fingerprint import peaks
from loading_scripts.audit.matching import matches
from loading_scripts.corpora import demo
from loading_scripts.partitions import speaker_folds
from loading_scripts.utterance import Gender, Utterance
from ser_trainer import cli

RATE = 16_000
COPIES = {Kind.NEAR_COPY, Kind.OVERLAPPING_CUTS, Kind.CONSECUTIVE_CUTS}


@pytest.fixture(scope="session")
def speech() -> dict[str, np.ndarray]:
    """Return both takes of every sentence in four emotions by two voices: float32 (frames,) at 16 kHz."""
    names = product(("s01", "s02"), ("anger", "fear", "neutral", "sadness"), demo.SENTENCES, demo.TAKES)
    return {"_".join(name): audio.as_float(demo.utter(*name)) for name in names}


@pytest.fixture(scope="session")
def prints(speech) -> list[np.ndarray]:
    return [peaks(samples, RATE) for samples in speech.values()]


def mp3(samples: np.ndarray) -> tuple[np.ndarray, int]:
    from io import BytesIO

    file = BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", bitrate_mode="CONSTANT", compression_level=0.5)
    file.seek(0)
    coded, rate = soundfile.read(file, dtype="float32")
    assert rate == RATE
    assert not np.array_equal(coded[: len(samples)], samples[: len(coded)])
    return coded, RATE


def narrow(samples: np.ndarray) -> tuple[np.ndarray, int]:
    return resample_poly(resample_poly(samples, 1, 2), 2, 1), RATE


# change -> (what it does, where the copy starts in the original, in seconds; None: after 15 % of it)
CHANGES = {
    "gain": (lambda samples: (0.25 * samples, RATE), 0.0),
    "MP3": (mp3, 0.0),
    "44.1 kHz": (lambda samples: (resample_poly(samples, 441, 160), 44_100), 0.0),
    "by way of 8 kHz": (narrow, 0.0),
    "0.3 s of silence before": (lambda samples: (np.pad(samples, (4_800, 0)), RATE), -0.3),
    "first 0.3 s cut off": (lambda samples: (samples[4_800:], RATE), 0.3),
    "middle 70 %": (lambda samples: (samples[int(0.15 * len(samples)) : int(0.85 * len(samples))], RATE), None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_changed_copy_is_found_and_nothing_else(change, speech, prints):
    """Hits: 16 of 16. False alarms: none in 3,144 pairs, of which 32 are two takes of one sentence by one voice."""
    alter, offset = CHANGES[change]
    originals = list(speech.values())
    copies = [(number, *alter(originals[number])) for number in range(0, len(originals), 4)]
    everything = prints + [peaks(samples, rate) for _, samples, rate in copies]
    seconds = [len(samples) / RATE for samples in originals] + [len(samples) / rate for _, samples, rate in copies]
    found = {(one.first, one.second): one for one in matches(everything, seconds)}
    assert set(found) == {(number, len(originals) + at) for at, (number, *_) in enumerate(copies)}
    for (number, _), one in found.items():
        expected = 0.15 * seconds[number] if offset is None else offset
        assert abs(one.offset - expected) < (0.03 if change == "MP3" else 0.004)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, RATE // 2), frames=st.integers(RATE // 2, RATE), level=st.floats(0.01, 1.5))
def test_any_cut_at_any_level_is_found_where_it_lies(start, frames, level):
    samples = audio.as_float(demo.utter("s03", "anger", "a", "1"))
    cut = level * samples[start : start + frames]
    prints = [peaks(samples, RATE), peaks(cut.astype(np.float32), RATE)]
    (found,) = matches(prints, [len(samples) / RATE, len(cut) / RATE])
    assert abs(found.offset - start / RATE) < 0.004
    assert found.shared == pytest.approx(len(cut) / RATE, abs=0.004)


@settings(max_examples=25, deadline=None)
@given(seeds=st.lists(st.integers(0, 1000), min_size=2, max_size=4, unique=True), hum=st.floats(0, 0.3))
def test_noise_over_one_hum_is_no_copy(seeds, hum):
    tone = hum * np.sin(np.arange(RATE) * 2 * np.pi * 300 / RATE)
    noises = [(0.05 * np.random.default_rng(seed).standard_normal(RATE) + tone).astype(np.float32) for seed in seeds]
    assert list(matches([peaks(noise, RATE) for noise in noises], [1.0] * len(noises))) == []


@pytest.mark.parametrize("frames", [0, 1, 511, 639])
def test_recordings_of_hardly_a_frame_have_no_peaks(frames):
    assert peaks(np.random.default_rng(0).standard_normal(frames).astype(np.float32), 8_000).shape == (0, 2)


def test_nothing_to_compare():
    assert list(matches([], [])) == []
    assert list(matches([np.zeros((0, 2), np.float32)] * 3, [1.0] * 3)) == []


# A corpus of whatever files a test writes: speaker_emotion_number.wav.
SPEAKERS = {"a": Gender.FEMALE, "b": Gender.MALE}
RECORD = replace(
    registry.load("urdu").CORPUS, emotions={"A": "anger", "N": "neutral"}, classes={}, speakers=SPEAKERS,
    partitions=speaker_folds({1: ("a",), 2: ("b",)}), errata=(),
)  # fmt: skip
GRAMMAR = re.compile(r"(?P<speaker>\w)_(?P<emotion>\w)_(?P<number>\d+)\.\w+")


def corpus(name: str = "planted") -> SimpleNamespace:
    def find(root):
        for path in sorted(root.iterdir()):
            parts = GRAMMAR.fullmatch(path.name)
            yield Utterance(
                id=f"{name}-{path.stem}", path=path.name, native=parts["emotion"], speaker=parts["speaker"],
                gender=SPEAKERS[parts["speaker"]], language="de",
            )  # fmt: skip

    return SimpleNamespace(CORPUS=replace(RECORD, id=name), find=find)


def write(root: Path, **recordings: np.ndarray) -> Path:
    root.mkdir(exist_ok=True)
    for name, samples in recordings.items():
        soundfile.write(root / f"{name}.wav", samples, RATE, subtype="PCM_16")
    return root


def copies_in(*trees: tuple[SimpleNamespace, Path]) -> list[Finding]:
    return [one for one in examine(trees).findings if one.kind in COPIES]


@pytest.fixture
def passage(speech) -> np.ndarray:
    """Return 3 s and more of one voice without a pause."""
    said = [samples[np.abs(samples) > 0.001] for name, samples in speech.items() if name.startswith("s01_anger")]
    return np.concatenate(said)[: 4 * RATE]


def test_a_near_copy_across_splits_is_an_error(speech, tmp_path):
    one = speech["s01_anger_a_1"]
    root = write(tmp_path / "raw", a_A_1=one, b_A_2=0.3 * one, a_N_1=speech["s01_anger_a_2"])
    (found,) = copies_in((corpus(), root))
    assert (found.kind, found.severity) == (Kind.NEAR_COPY, Severity.ERROR)
    assert [place.path for place in found.places] == ["a_A_1.wav", "b_A_2.wav"]
    assert found.offset == pytest.approx(0, abs=0.002)
    assert found.score > 0.9
    assert f"score {found.score:.2f}" in found.detail
    assert "; speakers a and b; in test and train of planted fold1, fold2" in found.detail


def test_a_near_copy_within_a_split_is_a_warning(speech, tmp_path):
    one = speech["s01_anger_a_1"]
    (found,) = copies_in((corpus(), write(tmp_path / "raw", a_A_1=one, a_A_2=0.3 * one)))
    assert (found.kind, found.severity) == (Kind.NEAR_COPY, Severity.WARNING)


def test_a_near_copy_with_another_label_is_an_error(speech, tmp_path):
    one = speech["s01_anger_a_1"]
    (found,) = copies_in((corpus(), write(tmp_path / "raw", a_A_1=one, a_N_2=0.3 * one)))
    assert (found.kind, found.severity) == (Kind.NEAR_COPY, Severity.ERROR)
    assert found.detail.endswith("; labels anger and neutral")


def test_copies_across_corpora_are_compared_too(speech, tmp_path):
    one = speech["s01_anger_a_1"]
    here = write(tmp_path / "here", a_A_1=one)
    there = write(tmp_path / "there", a_A_1=np.pad(0.5 * one, (4_800, 0)))
    (found,) = copies_in((corpus("here"), here), (corpus("there"), there))
    assert (found.kind, found.severity, found.corpora) == (Kind.NEAR_COPY, Severity.ERROR, ("here", "there"))
    assert "across here and there" in found.detail
    assert found.offset == pytest.approx(-0.3, abs=0.002)


def test_exact_copies_stay_a_finding_of_their_own_and_are_named_with_the_changed_one(speech, tmp_path):
    one = speech["s01_anger_a_1"]
    root = write(tmp_path / "raw", a_A_1=one, a_A_2=one, a_A_3=0.3 * one)
    findings = [found for found in examine([(corpus(), root)]).findings if found.kind in COPIES | {Kind.IDENTICAL_FILE}]
    assert {(found.kind, tuple(place.path[4] for place in found.places)) for found in findings} == {
        (Kind.IDENTICAL_FILE, ("1", "2")),
        (Kind.NEAR_COPY, ("1", "2", "3")),
    }


def test_overlapping_cuts_are_neighbors_wherever_their_names_stand(passage, tmp_path):
    first, second = passage[: 2 * RATE], passage[int(1.5 * RATE) : int(3.5 * RATE)]
    (found,) = copies_in((corpus(), write(tmp_path / "raw", a_A_1=first, a_N_7=second)))
    assert (found.kind, found.severity) == (Kind.OVERLAPPING_CUTS, Severity.NOTE)
    assert found.offset == pytest.approx(1.5, abs=0.002)
    assert "0.50 s in common of 2.00 and 2.00 s" in found.detail


@pytest.mark.parametrize("repeated", [0, 1])
def test_consecutive_cuts_are_neighbors_where_name_and_waveform_tell(repeated, passage, tmp_path):
    halves = {"a_A_9": passage[:RATE], "a_A_10": passage[RATE - repeated : 2 * RATE]}
    (found,) = copies_in((corpus(), write(tmp_path / "raw", **halves)))
    assert (found.kind, found.severity, found.offset) == (Kind.CONSECUTIVE_CUTS, Severity.NOTE, 1.0)
    assert [place.path for place in found.places] == ["a_A_9.wav", "a_A_10.wav"]
    assert "waveform runs on" in found.detail


@pytest.mark.parametrize(
    "recordings",
    [
        {"a_A_1": slice(0, RATE), "b_A_2": slice(RATE, 2 * RATE)},  # two speakers
        {"a_A_1": slice(0, RATE), "a_N_2": slice(RATE, 2 * RATE)},  # two labels
        {"a_A_1": slice(0, RATE), "a_A_2": slice(RATE + 1_000, 2 * RATE)},  # a gap
        {"a_A_2": slice(0, RATE), "a_A_1": slice(RATE, 2 * RATE)},  # the other order
    ],
)
def test_other_cuts_are_no_neighbors(recordings, passage, tmp_path):
    root = write(tmp_path / "raw", **{name: passage[part] for name, part in recordings.items()})
    assert copies_in((corpus(), root)) == []


def test_cuts_in_silence_are_no_neighbors(tmp_path):
    noises = {f"a_A_{n}": 0.01 * np.random.default_rng(n).standard_normal(RATE) for n in range(8)}
    assert copies_in((corpus(), write(tmp_path / "raw", **noises))) == []


def test_segments_of_one_file_are_told_by_their_times(passage, tmp_path):
    write(tmp_path, long=passage)

    def segments(root):
        for number, start in enumerate((0.0, 0.5, 1.0)):
            yield Utterance(
                id=f"planted-{number}", path="long.wav", native="A", speaker="a", gender=Gender.FEMALE, language="de",
                start=start, end=start + 2.0,
            )  # fmt: skip

    assert copies_in((SimpleNamespace(CORPUS=corpus().CORPUS, find=segments), tmp_path)) == []


def test_worker_processes_find_the_same(speech, tmp_path, monkeypatch):
    one = speech["s01_anger_a_1"]
    root = write(tmp_path / "raw", a_A_1=one, b_A_2=0.3 * one)
    alone = examine([(corpus(), root)])
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))  # nothing is remembered there
    assert examine([(corpus(), root)], num_proc=2) == alone
    assert any(path.is_file() for path in remember.folder().rglob("*"))


def test_what_was_measured_is_not_decoded_again(speech, tmp_path, monkeypatch):
    root = write(tmp_path / "raw", **{f"a_A_{n}": samples for n, samples in enumerate(list(speech.values())[:6])})
    before = examine([(corpus(), root)])
    decoded = []
    read = audio.read
    monkeypatch.setattr(audio, "read", lambda path, *span: decoded.append(Path(path).name) or read(path, *span))
    assert examine([(corpus(), root)]) == before
    assert decoded == []
    write(root, a_A_3=0.5 * speech["s02_fear_a_1"])  # another file, another time
    examine([(corpus(), root)])
    assert decoded == ["a_A_3.wav"]


def test_a_killed_audit_goes_on_where_it_was_and_a_torn_measurement_is_made_again(speech, tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    root = write(tmp_path / "raw", **{f"a_A_{n}": samples for n, samples in enumerate(list(speech.values())[:4])})
    read, decoded = audio.read, []

    def killed(path, *span):
        if len(decoded) == 2:
            raise KeyboardInterrupt
        decoded.append(path)
        return read(path, *span)

    monkeypatch.setattr(audio, "read", killed)
    with pytest.raises(KeyboardInterrupt):
        examine([(corpus(), root)])
    kept = [path for path in remember.folder().rglob("*") if path.is_file()]
    assert len(kept) == 2
    kept[0].write_bytes(kept[0].read_bytes()[:-1])
    monkeypatch.setattr(audio, "read", lambda path, *span: decoded.append(path) or read(path, *span))
    assert len(examine([(corpus(), root)]).corpora[0].heard) == 4
    assert len(decoded) == 5  # two before, two after, the torn one again
    assert not list(remember.folder().rglob("*.part"))


def test_text_json_and_page_show_offset_and_score(speech, tmp_path, monkeypatch):
    one = speech["s01_anger_a_1"]
    root = write(tmp_path / "planted", a_A_1=one, b_A_2=np.pad(0.5 * one, (4_800, 0)))
    monkeypatch.setattr(registry, "load", corpus)
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path))

    def run(*options):
        return CliRunner().invoke(cli.app, ["audit", "planted", *options])

    shown = run("--html", str(tmp_path / "audit.html"))
    assert shown.exit_code == 0, shown.output
    text = re.search(r"score (0\.\d\d|1\.00) \(\d+ peaks\), offset (-0\.\d{3}) s", shown.output)
    (found,) = (one for one in json.loads(run("--json").stdout)["findings"] if one["kind"] == "near_copy")
    assert (f"{found['score']:.2f}", f"{found['offset']:.3f}") == text.groups()
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert text[0] in page
    assert "The most alike: <code>a_A_1.wav</code> above <code>b_A_2.wav</code>" in page
    assert str(root) not in page


@pytest.mark.slow
def test_the_whole_demo_corpus_has_no_copy_and_no_cut(tmp_path):
    """156,520 pairs, of which 280 are two takes of one sentence in one emotion by one voice."""
    demo.make(tmp_path)
    assert copies_in((registry.load("demo"), tmp_path)) == []


OVERLAPS_OF_URDU = {
    # of the record: A/SM2 2-3, H/SM6 8-9, S/SM24 2-3, 4-5, 8-9, 14-15, S/SM25 8-9
    ("SM2_F2_A024", "SM2_F3_A025"), ("SM6_F8_H070", "SM6_F9_H071"), ("SM24_F2_S014", "SM24_F3_S015"),
    ("SM24_F4_S016", "SM24_F5_S017"), ("SM24_F8_S020", "SM24_F9_S021"), ("SM24_F14_S026", "SM24_F15_S027"),
    ("SM25_F8_S058", "SM25_F9_S059"),
    # not of the record; waveforms correlate by 0.99 and more
    ("SF1_F3_H03", "SF4_F3_H019"), ("SF1_F4_H04", "SF4_F3_H019"), ("SF1_F4_H04", "SF4_F4_H020"),
    ("SF6_F10_H034", "SF6_F5_H029"),
}  # fmt: skip


@pytest.mark.real
def test_real_speech_has_these_overlaps_and_passages_and_no_others():
    """SERBENCH_URDU=... SERBENCH_TUREVDB=... pytest -m real; the repositories of the corpora, at 44.1 kHz."""
    trees = [(registry.load(name), Path(os.environ[f"SERBENCH_{name.upper()}"])) for name in ("urdu", "turevdb")]
    found = {kind: [one for one in examine(trees).findings if one.kind is kind] for kind in COPIES}
    stems = {kind: {tuple(Path(place.path).stem for place in one.places) for one in found[kind]} for kind in COPIES}
    assert stems[Kind.NEAR_COPY] | stems[Kind.OVERLAPPING_CUTS] == OVERLAPS_OF_URDU
    takes = [tuple(int(re.search(r"_F(\d+)_", name)[1]) for name in pair) for pair in stems[Kind.CONSECUTIVE_CUTS]]
    assert len(takes) == 182  # of 200
