"""A published cell run again, its verdict, and the trace that others check."""

import gzip
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import lines
import pytest
import toy_corpus
from conftest import published as listed
from toy_corpus import corpus
from typer.testing import CliRunner

from ser_trainer import cli
from ser_trainer.benchmark.machine import Machine
from ser_trainer.benchmark.protocol import ProtocolError, Setting
from ser_trainer.benchmark.results import beside, trace
from ser_trainer.benchmark.results.beside import Cell
from ser_trainer.benchmark.results.line import LINES, Results
from ser_trainer.benchmark.results.reproduce import Published, comparison, find, narrowed, prepared, rerun
from ser_trainer.benchmark.results.stored import read
from ser_trainer.encoders.opening import open_encoder

SPECTRUM = f"{Path(toy_corpus.__file__)}:spectrum"
SPEAKERS = [f"s{number}" for number in range(1, 9)]
FOLDS = {"fold1": SPEAKERS[:4], "fold2": SPEAKERS[4:]}


def toys(seconds=0.25):
    """Return a corpus of eight speakers, half of them tested by each fold."""
    one = corpus(speakers=SPEAKERS, seconds=seconds)
    parts = {
        fold: {
            "train": tuple(who for who in one.ids if one.facts[who]["speaker"] not in tested),
            "test": tuple(who for who in one.ids if one.facts[who]["speaker"] in tested),
        }
        for fold, tested in FOLDS.items()
    }
    return [replace(one, configs=("all", *parts), splits=parts)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Return a cell that no paper printed, as run on the toy corpus: cell, results, trace file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        values = tuple(Cell("emobox-intra", "Spectra", "toy", name, 90.0) for name in ("ua", "wa", "f1"))
        cell = Published("emobox-intra", "toy", open_encoder(SPECTRUM).name, "Spectra", values)
        results = Results(tmp_path_factory.mktemp("results"))
        study, planned = prepare(cell, toys(), results)
        made = trace.made_of(study, planned, toys())
        stored = rerun(cell, study, planned, results)
        yield cell, results, trace.write(cell, stored, None, made, results)


def prepare(cell, corpora, results):
    return prepared(cell, SPECTRUM, corpora, results, Setting(epochs=10), Machine())


@pytest.fixture
def copied(ran, tmp_path, monkeypatch):
    """Return trace and results as another machine has them, which may be changed."""
    cell, results, place = ran
    monkeypatch.setattr(trace, "find", lambda _: cell)
    shutil.copytree(results.folder, tmp_path / "results")
    return tmp_path / "results" / place.relative_to(results.folder), Results(tmp_path / "results")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("emobox-intra/ravdess/wavlm-base", "emobox-intra/ravdess/wavlm_base"),
        ("emobox-intra/CREMA-D/WavLM base", "emobox-intra/cremad/wavlm_base"),
        ("emobox-intra/urdu/microsoft/wavlm-base", "emobox-intra/urdu/wavlm_base"),
        ("emobox-cross/RAVDESS>savee/data2vec 2.0 large", "emobox-cross/ravdess>savee/data2vec2_large"),
        ("serab/emodb/BYOL-S/CvT, 2048", "serab/emodb/byols_cvt_large_2048"),
        ("serab/shemo/byols_cvt_large_2048", "serab/shemo/byols_cvt_large_2048"),
    ],
)
def test_a_cell_is_found_by_the_names_of_papers(address, found):
    assert find(address).address == found


def test_every_published_cell_of_the_first_three_protocols_has_an_address():
    for name in ("serab", "emobox-intra", "emobox-cross"):
        printed = {(one.encoder_row, one.corpus) for one in beside.cells(name)}
        for row, where in printed:
            if where not in beside.SERAB_AVERAGES:
                assert find(f"{name}/{where}/{row}").values == tuple(
                    one for one in beside.cells(name) if (one.encoder_row, one.corpus) == (row, where)
                )


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("emobox-intra/ravdess", "is named by PROTOCOL/CORPUS/ENCODER"),
        ("emobox/ravdess/wavlm-base", "Did you mean 'emobox-intra' or 'emobox-cross'"),
        ("emobox-intra/ravdes/wavlm-base", "Did you mean 'ravdess'.*aesdd, ased"),
        ("emobox-intra/ravdess/wavelm-base", "Did you mean 'wavlm_base'.*whisper_large_v3"),
        ("emobox-intra/ravdess/opensmile", "emobox_table4 has no encoder 'opensmile'"),
        ("serab/UM/opensmile", "serab_table3 has no corpus 'UM'"),
        ("emobox-cross/ravdess/wavlm-base", "it has iemocap>meld"),
    ],
)
def test_what_no_paper_printed_is_refused_with_what_there_is(address, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        find(address)


def test_theirs_and_ours_stand_side_by_side_with_a_verdict(ran):
    cell, results, place = ran
    table = comparison(cell, read([results.folder]), {"toy": 64})
    assert [row[0] for row in table.rows] == ["UA", "WA", "F1"]
    score, theirs, ours, gap, *_, drawn = table.rows[0]
    assert (score, theirs, drawn) == ("UA", "90", "8 speakers")
    assert float(gap) == pytest.approx(float(ours) - 90, abs=0.05)
    assert (
        table.notes[-1] == f"Verdict on UA: cannot be told: epochs=10 is not the protocol's; ours is {gap} points off."
    )
    assert json.loads(place.read_text())["told"] == table.text()


@pytest.mark.parametrize(
    ("speakers", "printed", "verdict"),
    [
        (8, 70.0, r"agrees: the published 70 lies within our 95 % interval, [\d.]+ to [\d.]+ \(8 speakers\)\."),
        (8, 20.0, r"differs by \+\d+\.\d points: the published 20 lies outside"),
        (4, 20.0, r"cannot be told: too few speakers \(4; an interval over speakers takes 6\); ours is \+\d"),
        (None, 20.0, r"cannot be told: speakers are unknown; .*\(utterances\), which says nothing of new speakers"),
        (None, 70.0, r"agrees: .*\(utterances\); speakers are unknown\."),
    ],
    ids=["inside", "outside", "few", "unknown", "unknown_inside"],
)
def test_a_verdict_is_as_sure_as_its_interval(tmp_path, speakers, printed, verdict):
    lines.stored(tmp_path, lines.made(speakers=speakers, each=6))
    cell = Published("serab", "emodb", "opensmile", "openSMILE", (Cell("serab", "openSMILE", "emodb", "wa", printed),))
    assert re.match(f"Verdict on WA: {verdict}", comparison(cell, read([tmp_path]), {}).notes[-1])


def test_a_part_of_a_corpus_gets_no_verdict(tmp_path):
    lines.stored(tmp_path, lines.made())
    cell = Published("serab", "emodb", "opensmile", "openSMILE", (Cell("serab", "openSMILE", "emodb", "wa", 70.0),))
    assert comparison(cell, read([tmp_path]), {"emodb": 535}).notes[-1].startswith("Verdict on WA: agrees")
    told = comparison(cell, read([tmp_path]), {"emodb": 534}).notes[-1]
    assert told.startswith("Verdict on WA: cannot be told: 534 of 535 utterances of emodb were there; ours is ")


def test_one_fold_is_run_without_a_verdict(ran, tmp_path, monkeypatch):
    cell, whole, _ = ran
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    results = Results(tmp_path / "one")
    stored = rerun(cell, *prepare(cell, narrowed(cell, toys(), 2), results), results)
    assert [one.line.config for one in stored] == ["fold2"]
    (same,) = [line for line in whole.lines() if line.config == "fold2"]
    assert stored[0].line.confusion_matrix == same.confusion_matrix  # a fold alone is the fold among all
    assert "no verdict" in comparison(cell, stored, {}, 2).notes[-1]
    with pytest.raises(ProtocolError, match="toy has fold1, fold2"):
        narrowed(cell, toys(), 3)
    with pytest.raises(ProtocolError, match="serab has no folds"):
        narrowed(find("serab/emodb/opensmile"), toys(), 1)


def test_another_machine_rebuilds_what_was_printed(copied):
    place, results = copied
    checked = trace.check(place, results)
    assert checked.faults == ()
    assert checked.text == json.loads(place.read_text())["told"]


def test_a_tampered_prediction_is_found(copied):
    place, results = copied
    line = results.lines()[1]
    file = results.predictions_file(line)
    rows = gzip.decompress(file.read_bytes()).decode().splitlines()
    one, speaker, reference, said = rows[1].split(",")
    rows[1] = ",".join([one, speaker, reference, next(name for name in line.classes if name != said)])
    file.write_bytes(gzip.compress("\n".join([*rows, ""]).encode(), mtime=1))
    (fault,) = trace.check(place, results).faults
    assert file.name in fault
    assert "changed after the trace was written" in fault


def test_a_missing_file_is_named(copied):
    place, results = copied
    file = results.predictions_file(results.lines()[0])
    file.unlink()
    assert file.name in trace.check(place, results).faults[0]
    (results.folder / LINES).unlink()
    assert LINES in trace.check(place, results).faults[0]
    place.unlink()
    (fault,) = trace.check(place, results).faults
    assert place.name in fault


def rewritten(place, **changes):
    """Write a trace anew, with a digest that is right, as a forger would."""
    held = json.loads(place.read_text()) | changes
    place.write_text(json.dumps(held | {"digest": trace.digest(held)}))


def test_a_tampered_trace_is_found(copied):
    place, results = copied
    place.write_text(place.read_text().replace("90.0", "91.0", 1))
    assert "was changed after it was written" in trace.check(place, results).faults[0]


@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("told", lambda _: "agrees", "tells something else than its predictions give"),
        ("published", lambda held: held | {"row": "WavLM base"}, "printed is"),
        ("lines", lambda held: [held[0] | {"split": "0" * 16}, held[1]], "is not the line of the trace"),
        ("lines", lambda held: held[:1], "tells something else"),
        ("predictions", lambda _: {}, "is none that serbench writes"),
        ("format", lambda _: 0, "must be of format 1"),
    ],
)
def test_a_forged_trace_with_a_digest_of_its_own_is_found(copied, name, change, fault):
    place, results = copied
    rewritten(place, **{name: change(json.loads(place.read_text())[name])})
    assert fault in trace.check(place, results).faults[0]


def test_a_run_elsewhere_says_first_what_differs(ran, tmp_path, monkeypatch):
    cell, results, place = ran
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    then = trace.read(place)
    assert trace.differences(then, cell, trace.made_of(*prepare(cell, toys(), results), toys())) == []
    (fewer,) = toys(seconds=0.3)
    fold = fewer.splits["fold1"]
    fewer.splits["fold1"] = {"train": fold["train"][1:], "test": fold["test"]}
    made = trace.made_of(*prepare(cell, [fewer], results), [fewer])
    told = trace.differences(then | {"made_of": then["made_of"] | {"encoder, numpy": "1.0"}}, cell, made)
    assert [one.partition(":")[0] for one in told] == ["audio of toy", "split fold1 of toy", "encoder, numpy"]
    with pytest.raises(trace.TraceError, match="must be of serab/emodb/opensmile"):
        trace.differences(then, find("serab/emodb/opensmile"), made)


def test_lines_of_another_run_are_compared_one_by_one(ran):
    _, results, place = ran
    first, second = stored = read([results.folder])
    then = trace.read(place)
    assert trace.outcome_differences(then, stored) == []
    other = replace(first, line=replace(first.line, split="0" * 16, versions={"numpy": "1.0"}))
    new = replace(second, line=replace(second.line, seed=5))
    assert trace.outcome_differences(then, [other, new]) == [
        f"{first.line.id}: other split, versions",
        f"{new.line.id}: is not in the trace",
    ]


def test_the_command_reproduces_urdu_with_weights_of_ones_own_and_checks_it(tones, tmp_path, monkeypatch):
    import torch
    from transformers import Wav2Vec2FeatureExtractor, WavLMConfig, WavLMModel

    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = WavLMModel(WavLMConfig(**small, conv_dim=(8,) * 7, num_conv_pos_embedding_groups=4))
    for one in (model, Wav2Vec2FeatureExtractor(do_normalize=False)):
        one.save_pretrained(tmp_path / "weights")
    raw = tones(tmp_path / "raw", [line["path"] for line in listed("urdu")])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    asked = ["reproduce", "emobox-intra/urdu/wavlm-base", "--raw", str(raw), "--weights", "weights", "--epochs", "2"]
    done = CliRunner().invoke(cli.app, [*asked, "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert "WavLM base in emobox_table4" in done.output
    (place,) = Path("results/traces").glob("*.json")
    checked = CliRunner().invoke(cli.app, ["reproduce", "--check", str(place), "results"])
    assert checked.exit_code == 0, checked.output
    told = json.loads(place.read_text())["told"]
    assert told in done.output
    assert told in checked.output
    next(Path("results/predictions").iterdir()).unlink()
    checked = CliRunner().invoke(cli.app, ["reproduce", "--check", str(place), "results"])
    assert checked.exit_code == 1
    assert "are missing" in checked.output
