"""Run all: every protocol on what it takes, one set of features, refusals told at the end; options; broken audio."""

import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np
import pytest
import toy_corpus
from toy_corpus import corpus

from ser_trainer.benchmark import plan, protocol, study
from ser_trainer.benchmark.cache import contents
from ser_trainer.benchmark.cache.extract import extract
from ser_trainer.benchmark.corpora import CorpusError, CorpusRows
from ser_trainer.benchmark.lines import Source
from ser_trainer.benchmark.machine import Machine
from ser_trainer.benchmark.opened import opened
from ser_trainer.benchmark.plan import Planned
from ser_trainer.benchmark.processes import alone, gathered
from ser_trainer.benchmark.protocol import Cell, ProtocolError, Setting
from ser_trainer.benchmark.results.line import Results
from ser_trainer.benchmark.tasks import make_task

SPECTRUM = f"{Path(toy_corpus.__file__)}:spectrum"
QUICK = Setting(epochs=2)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def cheap(monkeypatch):
    """Leave SERAB out, whose forests take as long as all other protocols together."""
    names = tuple(name for name in protocol.names() if name != "serab")
    monkeypatch.setattr(protocol, "names", lambda: names)


def broken(toy: CorpusRows, *ids: str) -> CorpusRows:
    """Return a corpus some of whose audio cannot be decoded."""
    rows = toy.rows.to_dict()
    sounds = [
        {"bytes": b"no audio", "path": f"{one}.flac"} if one in ids else sound
        for one, sound in zip(rows["id"], rows["audio"], strict=True)
    ]
    table = datasets.Dataset.from_dict({**rows, "audio": sounds}, features=toy.rows.features)
    return replace(toy, rows=table)


def test_each_protocol_runs_on_what_it_takes_and_the_others_say_why_not(tmp_path, cheap, monkeypatch):
    toys = [corpus("a"), corpus("b"), corpus("c", emotions=("anger", "happiness"))]
    encoded = []
    monkeypatch.setattr(study, "extract", lambda *args, **told: encoded.append(args[2]) or extract(*args, **told))
    setting = replace(QUICK, extra={"mode": "separate", "target_prior": "uniform"})
    refusals = study.run_all([SPECTRUM], toys, Results(tmp_path / "out"), setting, Machine())
    assert sorted(encoded) == ["a", "b", "c"]  # once, for all protocols
    lines = Results(tmp_path / "out").lines()
    ran = {name: {line.corpus for line in lines if line.protocol == name} for name in protocol.names()}
    assert ran["emobox-cross"] == {"a>b", "b>a"}
    assert ran["emobox-intra"] == {"a", "b", "c"}
    assert {"a", "a>b", "c>a"} <= ran["serevals"]
    assert not ran["generalize"]
    told = {(one.protocol, one.what): one for one in refusals}
    assert "has no neutral, sadness" in told["emobox-cross", "c"].why
    assert "add --fine-tune" in told["generalize", "a b c"].why
    assert "holds none" in told["exhubert", "a b c"].why
    assert not any(one.failed for one in refusals)
    encoded.clear()
    assert study.run_all([SPECTRUM], toys, Results(tmp_path / "out"), setting, Machine()) == refusals
    assert not encoded  # all of it is finished


def test_corpora_that_are_refused_are_found_one_by_one(monkeypatch):
    toys = [corpus("a", configs={}), corpus("b"), corpus("c", configs={}), corpus("d", configs={})]
    monkeypatch.setattr(protocol, "names", lambda: ("emobox-intra",))
    planned = plan.of_every(toys, QUICK)
    assert [one.cell.name for one in planned.cells] == ["emobox-intra b"]
    assert {one.what for one in planned.refusals} == {"a", "c", "d"}
    assert all(f"Corpus {one.what}: EmoBox needs folds" in one.why for one in planned.refusals)


def test_a_protocol_without_the_variant_is_refused_by_itself(cheap):
    planned = plan.of_every([corpus("a"), corpus("b")], replace(QUICK, variant="published"))
    assert {one.protocol for one in planned.cells} == {"emobox-cross", "emobox-intra", "serevals"}
    assert {one.why for one in planned.refusals} == {"It has no variant published."}


def test_a_cell_that_fails_stops_no_other_and_is_run_again(tmp_path, monkeypatch):
    toys = [corpus("a"), corpus("b")]
    monkeypatch.setattr(protocol, "names", lambda: ("emobox-intra",))
    module = protocol.load("emobox-intra")
    cells = module.cells

    def failing(corpora, setting):
        def run(encoded):
            raise CorpusError("Corpus a: is not what it seemed.")
            yield

        first, *others = cells(corpora, setting)
        return [replace(first, run=run), *others]

    monkeypatch.setattr(module, "cells", failing)
    (refusal,) = study.run_all([SPECTRUM], toys, Results(tmp_path / "out"), QUICK, Machine())
    assert (refusal.what, refusal.failed) == ("emobox-intra a", True)
    assert {line.corpus for line in Results(tmp_path / "out").lines()} == {"b"}
    monkeypatch.setattr(module, "cells", cells)
    assert study.run_all([SPECTRUM], toys, Results(tmp_path / "out"), QUICK, Machine()) == []
    assert {line.corpus for line in Results(tmp_path / "out").lines()} == {"a", "b"}


def test_results_of_something_else_stop_their_protocol_alone(tmp_path, monkeypatch):
    toys = [corpus("a"), corpus("b")]
    monkeypatch.setattr(protocol, "names", lambda: ("emobox-cross", "emobox-intra"))
    study.run("emobox-cross", [SPECTRUM], toys, Results(tmp_path / "out"), QUICK, Machine())
    other = replace(QUICK, epochs=3)
    refusals = study.run_all([SPECTRUM], toys, Results(tmp_path / "out"), other, Machine())
    assert {one.protocol for one in refusals if "--again" in one.why} == {"emobox-cross"}
    assert any(line.protocol == "emobox-intra" for line in Results(tmp_path / "out").lines())


# --- options ---


def test_each_protocol_gets_the_options_that_it_has(monkeypatch):
    monkeypatch.setattr(protocol.load("serab"), "OPTIONS", {"scale": "how vectors are scaled"}, raising=False)
    monkeypatch.setattr(protocol.load("emobox-intra"), "OPTIONS", {"longest": "seconds"}, raising=False)
    of = protocol.options_of(("serab", "emobox-intra", "emobox-cross"), {"scale": "x", "longest": "3"})
    assert of == {"serab": {"scale": "x"}, "emobox-intra": {"longest": "3"}, "emobox-cross": {}}
    with pytest.raises(ProtocolError, match=r"no option 'scal'. Did you mean 'scale'\? Options: scale \(how vectors"):
        protocol.options_of(("serab",), {"scal": "x"})
    with pytest.raises(ProtocolError, match="emobox-cross has no option 'scale'. It has none."):
        study.check("emobox-cross", [SPECTRUM], replace(QUICK, extra={"scale": "x"}))
    with pytest.raises(ProtocolError, match="of emobox-intra"):
        study.check(plan.EVERY, [SPECTRUM], replace(QUICK, extra={"nothing": "x"}))


@pytest.mark.parametrize("name", protocol.names())
def test_options_of_a_protocol_are_each_explained_in_a_line(name):
    for option, meaning in getattr(protocol.load(name), "OPTIONS", {}).items():
        assert option.isidentifier()
        assert meaning.strip()
        assert "\n" not in meaning


# --- audio that cannot be decoded ---


def test_unreadable_utterances_are_dropped_and_counted(tmp_path, caplog):
    toy = broken(corpus(), "toy-s1-anger-0", "toy-s5-sadness-1")
    with caplog.at_level(logging.WARNING):
        study.run("emobox-intra", [SPECTRUM], [toy], Results(tmp_path / "out"), QUICK, Machine())
    assert "2 of 40 utterances cannot be decoded" in caplog.text
    assert "serbench audit toy" in caplog.text
    lines = Results(tmp_path / "out").lines()
    assert [line.dropped for line in lines] == [{"unreadable": 2}] * 2
    assert [line.n for line in lines] == [7, 7]
    assert lines[0].seconds["dropped"] > 0


def test_what_both_corpora_of_a_line_lost_is_added_up(tmp_path):
    toys = [corpus(name) for name in "ab"]
    for toy in toys:  # a tenth of it is of a class that the protocol leaves out
        facts = {one: told | ({"canonical": "calm"} if "s2-neutral" in one else {}) for one, told in toy.facts.items()}
        toy.__dict__["facts"] = facts
    study.run("emobox-cross", [SPECTRUM], toys, Results(tmp_path / "out"), QUICK, Machine())
    line = Results(tmp_path / "out").lines()[0]
    assert line.dropped == {"no label": 2}  # of the corpus that trains; the other lends its test set alone
    lost = sum(toys[0].facts[one]["duration"] for one in toys[0].ids if "s2-neutral" in one)
    assert line.seconds["dropped"] == pytest.approx(lost, abs=0.001)
    task, test = (replace(make_task(toy, "fold1"), dropped={"over 30 s": toy.ids[:n]}) for n, toy in enumerate(toys, 1))
    encoder, none = opened(SPECTRUM, "cpu"), Planned("p", QUICK, Cell("c", (), (), 1.0, lambda _: iter(())))
    held = {toy.id: contents.check(toy.rows, toy.id) for toy in toys}
    told = {"layer": "last", "head": "h", "seed": 0, "hyperparameters": {}, "selection": ""}
    line, _ = Source(encoder, none, held, {}).line(task, np.zeros(8, int), test, **told)
    assert line.dropped == {"over 30 s": 3}


# --- several processes ---


def test_a_training_does_not_see_the_other_processes(monkeypatch):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with alone():
        assert "RANK" not in os.environ
    with alone(really=False):
        assert os.environ["RANK"] == "1"
    assert (os.environ["RANK"], os.environ["WORLD_SIZE"]) == ("1", "2")
    assert gathered(["mine"]) == [["mine"]]  # nobody said where to meet


def test_what_fine_tunes_is_the_first_process_alone():
    def planned(name, tunes):
        return Planned("p", QUICK, Cell(name, (), (), 1.0, lambda _: iter(()), tunes=tunes))

    cells = [planned(name, name.startswith("t")) for name in ("a", "t1", "b", "t2", "c")]
    shares = [[one.cell.name for one in study._dealt(cells, this, 2)] for this in range(2)]
    assert shares == [["a", "c", "t1", "t2"], ["b"]]


LAUNCHED = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from toy_corpus import corpus
from ser_trainer.benchmark import protocol, study
from ser_trainer.benchmark.machine import Machine
from ser_trainer.benchmark.protocol import Setting
from ser_trainer.benchmark.results.line import Results
from ser_trainer.benchmark.cache.sharing import rank

protocol.names = lambda: ("emobox-intra",)
toys = [corpus(name, each=1) for name in "abcd"]
module = protocol.load("emobox-intra")
cells = module.cells

def failing(corpora, setting):
    from dataclasses import replace
    from ser_trainer.benchmark.corpora import CorpusError
    def run(encoded):
        raise CorpusError("Corpus b: is not what it seemed.")
        yield
    return [replace(one, run=run) if one.name.endswith(" b") else one for one in cells(corpora, setting)]

module.cells = failing
results = Results(Path({folder!r}))
for _ in range(2):  # they meet again
    refusals = study.run_all([{encoder!r}], toys, results, Setting(epochs=2), Machine())
Path({folder!r}, f"told-{{rank()[0]}}").write_text(
    " ".join([*sorted({{line.corpus for line in results.lines()}}), *(one.what for one in refusals)])
)
"""


def test_processes_of_torchrun_share_a_study_and_each_knows_what_failed(tmp_path):
    script, out = tmp_path / "launched.py", tmp_path / "out"
    script.write_text(LAUNCHED.format(tests=str(Path(__file__).parent), folder=str(out), encoder=SPECTRUM))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(script)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(launcher, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [(out / f"told-{one}").read_text() for one in range(2)] == ["a c d emobox-intra b"] * 2
