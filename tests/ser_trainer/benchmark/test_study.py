import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import toy_corpus
from toy_corpus import corpus

from ser_trainer.benchmark import protocol, study
from ser_trainer.benchmark.cache.extract import extract
from ser_trainer.benchmark.corpora import CorpusError
from ser_trainer.benchmark.heads.classifiers import CLASSIFIERS
from ser_trainer.benchmark.protocol import ProtocolError, Setting
from ser_trainer.benchmark.protocols import emobox_cross, serab
from ser_trainer.benchmark.results.line import Results, ResultsError
from ser_trainer.benchmark.study import Machine
from ser_trainer.benchmark.tasks import make_task

SPECTRUM = f"{Path(toy_corpus.__file__)}:spectrum"
QUICK = Setting(epochs=3)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))


def run(name, corpora, folder, setting=QUICK, **told):
    results = Results(folder)
    study.run(name, [SPECTRUM], corpora, results, setting, Machine(), **told)
    return results


def plain(lines):
    """Return lines as they are stored, without their dates."""
    return [json.loads(json.dumps(asdict(line) | {"date": ""})) for line in lines]


def test_serab_gives_a_line_for_each_corpus_and_says_what_it_is(tmp_path):
    (line,) = run("serab", [corpus()], tmp_path).lines()
    assert (line.config, line.head, line.layer) == ("serab_rule", serab.HEAD, "last")
    assert line.sizes == {"train": 24, "validation": 8, "test": 8}
    assert line.scores["wa"] > 0.7  # pitches tell the emotions
    assert line.hyperparameters["classifier"] in CLASSIFIERS
    told = " ".join(line.flags)  # what could not run is said, never skipped in silence
    assert {point["classifier"] for point in line.grid} | {name for name in CLASSIFIERS if f"{name}:" in told} == set(
        CLASSIFIERS
    )
    assert not any("test" in point for point in line.grid)  # what selects on validation does not look at the test set
    assert line.flags[0].startswith("not one of SERAB's nine tasks")
    assert (line.exposure, line.options) == ("unknown", {"speaker_norm": False, "scaler": "train"})
    assert line.seconds["used"] == pytest.approx(sum(one["duration"] for one in corpus().facts.values()), abs=0.01)


def test_serab_as_published_normalises_and_selects_on_the_test_set(tmp_path):
    (line,) = run("serab", [corpus()], tmp_path, Setting(variant="published")).lines()
    assert line.options == {"speaker_norm": True, "scaler": "none"}
    assert any("transductive" in flag for flag in line.flags)
    assert any("selected by test accuracy" in flag for flag in line.flags)
    assert len(line.grid) >= 4
    assert line.scores["wa"] == max(point["test"] for point in line.grid)


def test_serab_as_published_takes_the_number_of_an_utterance_in_shemo_for_its_speaker():
    toy = corpus("shemo", each=3)
    task = make_task(toy, "fold1")
    numbers = serab.normalization_groups(task, toy.ids, Setting(variant="published"))
    assert numbers == [one[-2:] for one in toy.ids]
    assert serab.normalization_groups(task, toy.ids, Setting()) == task.speakers(toy.ids)


@pytest.mark.parametrize(
    ("groups", "cuts"), [(10, (6, 2, 2)), (29, (17, 6, 6)), (5, (3, 1, 1))], ids=["ten", "urdu", "five"]
)
def test_serab_splits_speakers_as_its_code_does(groups, cuts):
    toy = corpus(speakers=[f"s{number:02}" for number in range(groups)], each=1, emotions=("anger", "sadness"))
    parts = serab.by_rule(toy)
    speakers = {name: {toy.facts[one]["speaker"] for one in ids} for name, ids in parts.items()}
    assert tuple(map(len, speakers.values())) == cuts
    expected = sorted({one["speaker"] for one in toy.facts.values()})
    np.random.RandomState(0).shuffle(expected)
    assert speakers["train"] == set(expected[: cuts[0]])
    assert speakers["test"] == set(expected[-cuts[2] :])


def test_serab_needs_three_speakers():
    with pytest.raises(CorpusError, match="needs at least 3; 2 are known"):
        serab.by_rule(corpus(speakers=("a", "b", None)))


def test_emobox_gives_a_line_for_each_fold_and_seed(tmp_path):
    setting = replace(QUICK, seeds=(0, 1), epochs=12)
    lines = run("emobox-intra", [corpus()], tmp_path, setting).lines()
    assert [(line.config, line.seed) for line in lines] == [("fold1", 0), ("fold1", 1), ("fold2", 0), ("fold2", 1)]
    first = lines[0]
    assert len(first.grid) == 4
    assert max(point["validation"] for point in first.grid) == next(
        point["validation"]
        for point in first.grid
        if {name: point[name] for name in first.hyperparameters} == first.hyperparameters
    )
    assert first.options == {"epochs": 12}
    assert "validation drawn from train by serbench's rule" in first.flags
    assert np.mean([line.scores["wa"] for line in lines]) > 0.5


def test_all_layers_give_curves_and_a_learned_sum(tmp_path):
    lines = run("emobox-intra", [corpus()], tmp_path, replace(QUICK, layers="all")).lines()
    assert {(line.head, line.layer) for line in lines} == {("linear", "0"), ("weighted", "weighted")}
    weighted = next(line for line in lines if line.head == "weighted")
    assert sum(weighted.hyperparameters["layer_weights"]) == pytest.approx(1.0, abs=1e-3)


def test_emobox_across_corpora_tests_each_on_each_other(tmp_path):
    toys = [corpus("a"), corpus("b", seconds=0.3), corpus("c", speakers=("x", None), each=3)]
    lines = run("emobox-cross", toys, tmp_path).lines()
    assert [line.corpus for line in lines] == ["a>b", "a>c", "b>a", "b>c", "c>a", "c>b"]
    assert [line.n for line in lines[:2]] == [40, 24]  # two each of five speakers; three each of everybody
    assert all(len(set(np.sum(line.confusion_matrix, axis=1))) == 1 for line in lines)  # balanced
    assert lines[0].classes == list(emobox_cross.ORDER)


def test_emobox_across_corpora_needs_two_corpora_with_its_classes():
    cells = protocol.load("emobox-cross").cells
    with pytest.raises(ProtocolError, match="two corpora or more; given toy"):
        cells([corpus()], QUICK)
    with pytest.raises(CorpusError, match="it has no sadness"):
        cells([corpus(), corpus("other", emotions=("anger", "happiness", "neutral"))], QUICK)


def test_a_study_that_was_stopped_goes_on_and_ends_as_if_it_never_was(tmp_path, monkeypatch):
    toys = [corpus("a"), corpus("b")]
    whole = run("emobox-intra", toys, tmp_path / "whole")
    train, calls = study.Results.add, []

    def stop_at_third(self, *args):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        train(self, *args)

    monkeypatch.setattr(study.Results, "add", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        run("emobox-intra", toys, tmp_path / "cut")
    monkeypatch.undo()
    assert len(Results(tmp_path / "cut").lines()) == 2
    assert plain(run("emobox-intra", toys, tmp_path / "cut").lines()) == plain(whole.lines())


def test_what_is_finished_is_not_run_again(tmp_path, monkeypatch):
    toy = corpus()
    results = run("emobox-intra", [toy], tmp_path)
    before = results.lines()
    encoded = []
    monkeypatch.setattr(study, "extract", lambda *args, **told: encoded.append(1) or extract(*args, **told))
    run("emobox-intra", [toy], tmp_path)
    assert not encoded
    run("emobox-intra", [toy], tmp_path, again=True)
    assert encoded
    assert plain(results.lines()) == plain(before)


def test_results_of_other_audio_or_options_are_refused(tmp_path):
    run("emobox-intra", [corpus()], tmp_path)
    with pytest.raises(ResultsError, match=r"options was {'epochs': 3}, is {'epochs': 4}.*--again"):
        run("emobox-intra", [corpus()], tmp_path, replace(QUICK, epochs=4))
    with pytest.raises(ResultsError, match="audio of the corpus was [0-9a-f]{16}, is [0-9a-f]{16}"):
        run("emobox-intra", [corpus(seconds=0.3)], tmp_path)


def test_a_variant_that_a_protocol_lacks_is_refused(tmp_path):
    with pytest.raises(ProtocolError, match="variants are strict, published; found 'loose'"):
        run("serab", [corpus()], tmp_path, Setting(variant="loose"))


def test_an_unknown_protocol_names_near_ones():
    with pytest.raises(ValueError, match="Did you mean 'emobox-intra'"):
        protocol.load("emobox-intro")
