"""The audit finds every planted defect, and nothing in a clean tree."""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from conftest import published
from typer.testing import CliRunner

from loading_scripts import raw, registry
from loading_scripts.audit import Finding, Kind, Severity, examine
from loading_scripts.corpus import Erratum
from loading_scripts.partitions import speaker_folds
from loading_scripts.utterance import Gender, Utterance
from ser_trainer import cli

RATE = 16_000
SPEAKERS = {"a": Gender.FEMALE, "b": Gender.MALE, "c": Gender.FEMALE, "d": Gender.MALE}
SENTENCES = {"1": "What is it?", "2": "That is it.", "3": "what is it"}
GRAMMAR = re.compile(r"(?P<speaker>\w)/(?P<emotion>\w)_(?P<sentence>\d)\.wav")

# Four speakers say three sentences, two of them the same words, in two emotions.
PATHS = [f"{speaker}/{emotion}_{sentence}.wav" for speaker in SPEAKERS for emotion in "AN" for sentence in SENTENCES]

RECORD = replace(
    registry.load("urdu").CORPUS,
    id="planted",
    emotions={"A": "anger", "N": "neutral"},
    classes={},
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("a",), 2: ("b",)}),
    utterances=len(PATHS),
    errata=(Erratum("a/A_1.wav is famous."),),
)


def find(root):
    for path, name in raw.match(root, GRAMMAR, "*"):
        yield Utterance(
            id=f"planted-{path.removesuffix('.wav').replace('/', '-')}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="de",
            transcript=SENTENCES.get(name["sentence"]),
        )


PLANTED = SimpleNamespace(CORPUS=RECORD, find=find)


def tone(number: int, seconds: float = 0.5) -> np.ndarray:
    """Return samples (frames,) in which no two numbers are alike, and no sample is at full scale."""
    return 0.3 * np.sin(np.arange(int(seconds * RATE)) * (0.05 + number / 100))


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_16")


@pytest.fixture
def clean(tmp_path) -> Path:
    for number, path in enumerate(PATHS):
        write(tmp_path / "planted" / path, tone(number))
    return tmp_path / "planted"


def found_in(root: Path, module=PLANTED) -> list[Finding]:
    return list(examine([(module, root)]).findings)


def test_nothing_is_found_in_a_clean_tree(clean):
    assert found_in(clean) == []


def padded(root: Path) -> None:
    """A copy with silence before and after, in another speaker's folder and format."""
    samples, _ = soundfile.read(root / PATHS[0], dtype="int16")
    (root / PATHS[6]).unlink()
    silence = np.zeros(800, np.int16)
    soundfile.write(root / PATHS[6], np.concatenate([silence, samples, silence]), RATE, subtype="PCM_24")


def clipped(share: float):
    def plant(root: Path) -> None:
        samples = tone(77)
        samples[: int(share * len(samples))] = 1.0
        write(root / PATHS[2], samples)

    return plant


def several(root: Path) -> None:
    write(root / PATHS[2], np.stack([tone(77), tone(78)], axis=1))


# Kind -> (what spoils the clean tree, places it must name, words of the detail, severity)
CASES = {
    Kind.UNREADABLE: (
        lambda root: (root / PATHS[5]).write_bytes(b"RIFF"), [PATHS[5]], "must be audio", "error",
    ),
    Kind.UNKNOWN_SPEAKER: (
        lambda root: (root / "d").rename(root / "D"), [p.replace("d/", "D/") for p in PATHS[18:]], "Did you mean 'd'",
        "error",
    ),
    Kind.UNKNOWN_LABEL: (
        lambda root: (root / PATHS[0]).rename(root / "a/B_1.wav"), ["a/B_1.wav"], "code 'B'", "error",
    ),
    Kind.IDENTICAL_FILE: (
        lambda root: shutil.copy(root / PATHS[0], root / PATHS[6]), [PATHS[0], PATHS[6]],
        "2 utterances; in test and train of planted fold1, fold2", "error",
    ),
    Kind.IDENTICAL_AUDIO: (padded, [PATHS[0], PATHS[6]], "in test and train of planted fold1, fold2", "error"),
    Kind.LABEL_CONFLICT: (
        lambda root: shutil.copy(root / PATHS[0], root / PATHS[3]), [PATHS[0], PATHS[3]],
        "identical samples: planted-a-A_1 is anger, planted-a-N_1 is neutral", "error",
    ),
    Kind.MISSING: (lambda root: (root / PATHS[4]).unlink(), [None], "23 of 24 utterances found", "warning"),
    Kind.SURPLUS: (lambda root: write(root / "a/A_9.wav", tone(99)), [None], "25 of 24 utterances", "warning"),
    Kind.UNKNOWN_NAME: (
        lambda root: write(root / "a/copy of A_1.WAV", tone(99)), ["a/copy of A_1.WAV"], "no utterance", "warning",
    ),
    Kind.SILENT: (lambda root: write(root / PATHS[7], 0.002 * tone(7)), [PATHS[7]], "loudest sample 0.0006", "warning"),
    Kind.TOO_SHORT: (
        lambda root: write(root / PATHS[7], tone(7, seconds=0.24)), [PATHS[7]], "0.240 s; expected at least 0.250 s",
        "warning",
    ),
    Kind.CLIPPED: (clipped(0.002), [PATHS[2]], "0.200%", "warning"),
    Kind.FULL_SCALE: (clipped(0.0005), [PATHS[2]], "0.050%", "note"),
    Kind.DC_OFFSET: (lambda root: write(root / PATHS[2], tone(2) - 0.02), [PATHS[2]], "mean -0.0", "note"),
    Kind.CHANNELS: (several, [PATHS[2]], "2 channels in 1 of 24", "note"),
    Kind.RATE: (
        lambda root: write(root / PATHS[2], tone(2), 22_050), [PATHS[2]], "22050 Hz in 1 of 24 utterances; 16000 Hz in",
        "note",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_planted_defect_is_found_and_named(kind, clean):
    plant, paths, detail, severity = CASES[kind]
    plant(clean)
    (finding,) = (one for one in found_in(clean) if one.kind == kind)
    assert [place.path for place in finding.places] == paths
    assert all(place.corpus == "planted" for place in finding.places)
    assert detail in finding.detail
    assert str(clean) not in finding.detail
    assert finding.severity == severity


def test_two_files_with_one_id(clean):
    twice = SimpleNamespace(CORPUS=RECORD, find=lambda root: (replace(one, id="planted-x") for one in find(root)))
    (finding,) = (one for one in found_in(clean, twice) if one.kind == Kind.DUPLICATE_ID)
    assert (len(finding.places), finding.detail) == (24, "24 times planted-x")


def test_every_kind_has_a_test():
    in_test_near_copies = {Kind.NEAR_COPY, Kind.OVERLAPPING_CUTS, Kind.CONSECUTIVE_CUTS}
    assert set(Kind) == set(CASES) | {Kind.DUPLICATE_ID, Kind.SPEAKER_OVERLAP} | in_test_near_copies


def test_shares_of_test_utterances_in_train(clean):
    """Speaker a of 6 utterances is cut in two; SENTENCES 1 and 3 are the same words."""
    halves = Leaky({"planted-a-A_1": "test", "planted-a-A_2": "test", "planted-d-N_2": "test"})
    record = replace(RECORD, partitions={"leaky": halves})
    audit = examine([(SimpleNamespace(CORPUS=record, find=find), clean)])
    shares = next(one for one in audit.corpora[0].overlaps if one.config == "leaky")
    # train: all others of a, and A_3 and N_3 of b, which say the words of 1 and 3
    assert (shares.test, shares.speaker, shares.sentence, shares.both) == (3, 2 / 3, 1 / 3, 1 / 3)
    (finding,) = (one for one in audit.findings if one.kind == Kind.SPEAKER_OVERLAP)
    assert [place.id for place in finding.places] == ["planted-a-A_1", "planted-a-A_2"]
    assert finding.detail == "leaky: 2 of 3 test utterances (66.7%), 1 speakers"


class Leaky:
    splits = ("train", "test")
    rule = "made up"

    def __init__(self, tested):
        self.tested = tested

    def assign(self, utterances):
        train = {"planted-a-A_3", "planted-a-N_1", "planted-b-A_3", "planted-b-N_3"}
        return ["train" if one.id in train else self.tested.get(one.id) for one in utterances]


@pytest.mark.parametrize(("column", "known"), [("speaker", (None, 1.0, None)), ("transcript", (1.0, None, None))])
def test_an_unknown_speaker_or_sentence_leaves_the_share_unknown(column, known, clean):
    nobody = SimpleNamespace(
        CORPUS=replace(RECORD, partitions={"leaky": Leaky({"planted-a-A_1": "test"})}),
        find=lambda root: (replace(one, **{column: None} if one.id.endswith("b-A_3") else {}) for one in find(root)),
    )
    (shares,) = (one for one in examine([(nobody, clean)]).corpora[0].overlaps if one.config == "leaky")
    assert (shares.speaker, shares.sentence, shares.both) == known


# (start, end, emotion, speaker) of two segments in one file of 4 s, and whether they contradict each other
SEGMENTS = [
    ((0.0, 2.0, "A", "a"), (0.5, 2.5, "N", "a"), True),
    ((0.0, 2.0, "A", "a"), (0.5, 2.5, "N", None), True),
    ((0.0, 4.0, "A", "a"), (1.0, 1.5, "N", "a"), True),
    ((0.0, 2.0, "A", "a"), (1.5, 3.5, "N", "a"), False),  # a quarter: padding
    ((0.0, 2.0, "A", "a"), (0.5, 2.5, "A", "a"), False),  # one label
    ((0.0, 2.0, "A", "a"), (0.5, 2.5, "N", "b"), False),  # two people
    ((0.0, 2.0, "A", "a"), (0.0, 2.0, "N", "a"), True),  # the same samples
    ((0.0, 2.0, "A", "a"), (2.0, 4.0, "N", "a"), False),
]


@pytest.mark.parametrize(("first", "second", "contradict"), SEGMENTS)
def test_overlapping_segments_with_different_labels(first, second, contradict, tmp_path):
    generator = np.random.default_rng(5)
    write(tmp_path / "long.wav", generator.uniform(-0.3, 0.3, 4 * RATE))

    def segments(root):
        for number, (start, end, emotion, speaker) in enumerate([first, second]):
            yield Utterance(
                id=f"planted-{number}", path="long.wav", native=emotion, speaker=speaker, gender=Gender.UNKNOWN,
                language="de", start=start, end=end,
            )  # fmt: skip

    module = SimpleNamespace(CORPUS=replace(RECORD, utterances=2), find=segments)
    conflicts = [one for one in found_in(tmp_path, module) if one.kind == Kind.LABEL_CONFLICT]
    assert len(conflicts) == contradict
    for one in conflicts:
        assert [place.id for place in one.places] == ["planted-0", "planted-1"]


def test_silent_files_are_no_copies_of_each_other(clean):
    for number, path in enumerate(PATHS[:3]):
        write(clean / path, np.zeros(RATE // 2 + number))
    assert {one.kind for one in found_in(clean)} == {Kind.SILENT}


def test_a_whole_corpus_in_stereo_at_another_rate_has_one_finding(clean):
    for number, path in enumerate(PATHS):
        write(clean / path, np.stack([tone(number), tone(number)], axis=1), 44_100)
    (finding,) = found_in(clean)
    assert (finding.kind, len(finding.places)) == (Kind.CHANNELS, 24)


def test_copies_across_corpora_are_found_in_both(clean, tmp_path):
    other = SimpleNamespace(CORPUS=replace(RECORD, id="other", partitions={}, utterances=1, emotions={"A": "fear"}))
    other.find = lambda root: (replace(one, id="other-1") for one in find(root))
    write(tmp_path / "other" / "a" / "A_1.wav", tone(0))
    findings = {one.kind: one for one in examine([(PLANTED, clean), (other, tmp_path / "other")]).findings}
    assert set(findings) == {Kind.IDENTICAL_FILE, Kind.LABEL_CONFLICT}
    assert findings[Kind.IDENTICAL_FILE].corpora == ("planted", "other")
    assert findings[Kind.IDENTICAL_FILE].severity is Severity.ERROR
    assert "across other and planted" in findings[Kind.IDENTICAL_FILE].detail
    assert "other-1 is fear" in findings[Kind.LABEL_CONFLICT].detail


def test_worker_processes_find_the_same(clean):
    padded(clean)
    clipped(0.002)(clean)
    assert examine([(PLANTED, clean)], num_proc=2) == examine([(PLANTED, clean)])


@pytest.fixture
def command(clean, monkeypatch):
    """Return a function that runs `serbench` with the planted corpus in the registry and in $SERBENCH_DATA."""
    load = registry.load
    monkeypatch.setattr(registry, "load", lambda name: PLANTED if name == "planted" else load(name))
    monkeypatch.setenv("SERBENCH_DATA", str(clean.parent))
    return lambda *arguments: CliRunner().invoke(cli.app, ["audit", *map(str, arguments)])


def test_the_command_prints_a_clean_bill(command):
    shown = command("planted", "--strict")
    assert shown.exit_code == 0, shown.output
    assert "planted\tfold1\t6\t0.0%\t100.0%\t0.0%" in shown.output
    assert "planted\ta/A_1.wav is famous." in shown.output
    assert "24 of 24 utterances of planted: errors 0, warnings 0, notes 0" in shown.output


def test_the_command_prints_findings_and_is_strict_on_demand(command, clean):
    shutil.copy(clean / PATHS[0], clean / PATHS[6])
    clipped(0.002)(clean)
    shown = command("planted")
    assert shown.exit_code == 0, shown.output
    assert "error\tidentical_file\tplanted\t2\t" in shown.output
    assert "a/A_3.wav: 0.200% of the samples at full scale" in shown.output
    assert "24 of 24 utterances of planted: errors 1, warnings 1, notes 0" in shown.output
    assert command("planted", "--strict").exit_code == 1


def test_the_command_prints_every_place_as_json(command, clean):
    write(clean / PATHS[7], tone(7, seconds=0.24))
    printed = json.loads(command("planted", "--json").stdout)
    (finding,) = printed["findings"]
    assert (finding["kind"], finding["severity"], finding["corpora"]) == ("too_short", "warning", ["planted"])
    assert finding["places"] == [{"corpus": "planted", "id": "planted-b-A_2", "path": "b/A_2.wav"}]
    (corpus,) = printed["corpora"]
    assert (corpus["id"], corpus["utterances"], corpus["decoded"]) == ("planted", 24, 24)
    assert corpus["overlaps"][0] == {"config": "fold1", "test": 6, "speaker": 0.0, "sentence": 1.0, "both": 0.0}


def test_the_page_shows_findings_beside_known_defects_and_needs_no_other_file(command, clean, tmp_path):
    clipped(0.002)(clean)
    (clean / "a" / "<b>&.wav").write_bytes(b"")
    shown = command("planted", "--html", tmp_path / "audit.html")
    assert shown.exit_code == 0, shown.output
    page = (tmp_path / "audit.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 3  # overlaps, levels, the clipped recording
    assert not re.findall(r"(?:src|href)=\"(?!data:)", page)
    assert "0.200% of the samples at full scale" in page
    assert "a/A_1.wav is famous." in page
    assert "a/&lt;b&gt;&amp;.wav" in page
    assert str(clean) not in page
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_tree_without_a_single_good_file_has_a_page_too(command, clean, tmp_path):
    for path in PATHS:
        (clean / path).write_bytes(b"")
    shown = command("planted", "--html", tmp_path / "audit.html")
    assert shown.exit_code == 0, shown.output
    assert "0 of 24 utterances of planted: errors 24" in shown.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["planted", "planted"], "each corpus is audited once"),
        (["planted", "urdu", "--raw", "."], "found it 1 times"),
        (["planted", "--html", "nowhere/audit.html"], "nowhere does not exist"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(command, arguments, message):
    shown = command(*arguments)
    assert shown.exit_code == 2
    assert message in " ".join(shown.output.replace("│", "").split())


def test_help_has_examples(command):
    shown = command("--help")
    assert "Example: serbench audit urdu turevdb --strict" in " ".join(shown.output.split())


def test_a_partial_copy_is_compared_with_the_packaged_list(urdu):
    findings = found_in(urdu, registry.load("urdu"))
    (missing,) = (one for one in findings if one.kind == Kind.MISSING)
    here = len(published("urdu"))
    assert missing.detail == f"{here} of 400 utterances found; {400 - here} of 400 ids of the packaged list are missing"
    assert len(missing.places) == 400 - here
    assert {place.id for place in missing.places}.isdisjoint(line["id"] for line in published("urdu"))
    (same,) = (one for one in findings if one.kind == Kind.IDENTICAL_FILE)  # the tree is one tone, hard-linked
    assert len(same.places) == here
    assert "in test and train of urdu fold1" in same.detail


@pytest.mark.real
def test_the_known_defects_of_urdu_are_found():
    """The figures of the corpus' record; needs $SERBENCH_URDU, the repository of the corpus at 44.1 kHz."""
    audit = examine([(registry.load("urdu"), Path(os.environ["SERBENCH_URDU"]))])
    found = {kind: [one for one in audit.findings if one.kind == kind] for kind in Kind}
    assert [one.places[0].path for one in found[Kind.TOO_SHORT]] == ["Angry/SM1_F8_A08.wav"]
    assert len(found[Kind.CLIPPED]) == 18
    assert found[Kind.CLIPPED][0].places[0].path == "Sad/SM6_F4_S0100.wav"
    assert len(found[Kind.CLIPPED]) + len(found[Kind.FULL_SCALE]) == 69
    assert len(found[Kind.DC_OFFSET]) == 156
    assert {one.config: one.speaker for one in audit.corpora[0].overlaps}["fold1"] == 0.98
    assert {kind for kind, ones in found.items() if ones} == {
        Kind.TOO_SHORT, Kind.CLIPPED, Kind.FULL_SCALE, Kind.DC_OFFSET, Kind.SPEAKER_OVERLAP, Kind.NEAR_COPY,
        Kind.OVERLAPPING_CUTS, Kind.CONSECUTIVE_CUTS,
    }  # fmt: skip
