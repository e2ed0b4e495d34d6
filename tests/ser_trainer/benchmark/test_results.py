import json
import multiprocessing
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lines import of as line_of

from ser_trainer.benchmark.results.line import LINES, Prediction, Results, ResultsError

CLASSES = ("anger", "sadness")
ROWS = [Prediction(f"u{at}", f"s{at % 3}", CLASSES[at % 2], CLASSES[at % 3 == 0]) for at in range(12)]


def plain(lines):
    """Return lines as JSON knows them, which tells no tuple from a list."""
    return json.loads(json.dumps([asdict(line) for line in lines]))


def test_a_line_comes_back_with_its_predictions(tmp_path):
    results = Results(tmp_path / "results")
    line = line_of(ROWS, CLASSES)
    results.add(line, ROWS)

    assert plain(results.lines()) == plain([line])
    assert results.predictions(line) == ROWS
    told = json.loads((results.folder / LINES).read_text())
    assert told["id"] == line.id
    assert told["scores"]["wa"] == pytest.approx(sum(row.reference == row.prediction for row in ROWS) / 12)


def test_a_later_line_of_the_same_experiment_replaces_the_earlier_one(tmp_path):
    results = Results(tmp_path)
    first, other = line_of(ROWS, CLASSES), line_of(ROWS, CLASSES, seed=1)
    again = replace(first, date="2030-01-01T00:00:00+00:00")
    for line in (first, other, again):
        results.add(line, ROWS)
    assert plain(results.lines()) == plain([again, other])


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=1, max_value=400))
def test_a_line_that_was_cut_off_is_forgotten_and_mended(cut, tmp_path_factory):
    results = Results(tmp_path_factory.mktemp("cut"))
    whole, torn, later = (line_of(ROWS, CLASSES, seed=seed) for seed in range(3))
    for line in (whole, torn):
        results.add(line, ROWS)
    file = results.folder / LINES
    held = file.read_bytes()
    second = held.index(b"\n") + 1
    file.write_bytes(held[: max(second, len(held) - cut)])

    assert plain(results.lines()) == plain([whole])
    results.add(later, ROWS)
    assert plain(results.lines()) == plain([whole, later])


def test_a_line_in_the_middle_that_is_none_is_named(tmp_path):
    results = Results(tmp_path)
    results.add(line_of(ROWS, CLASSES), ROWS)
    with (tmp_path / LINES).open("a") as file:
        file.write("not a line\n")
    with pytest.raises(ResultsError, match="line 2: must be JSON"):
        results.lines()


def test_a_line_of_another_version_of_serbench_names_the_fields(tmp_path):
    told = asdict(line_of(ROWS, CLASSES))
    del told["split"]
    (tmp_path / LINES).write_text(json.dumps(told) + "\n")
    with pytest.raises(ResultsError, match="these differ: split"):
        Results(tmp_path).lines()


def test_predictions_that_do_not_give_the_matrix_are_refused(tmp_path):
    with pytest.raises(ResultsError, match="must give its confusion matrix"):
        Results(tmp_path).add(line_of(ROWS, CLASSES), ROWS[:-1])
    assert not Results(tmp_path).lines()


def test_missing_predictions_are_named(tmp_path):
    results = Results(tmp_path)
    line = line_of(ROWS, CLASSES)
    results.add(line, ROWS)
    results.predictions_file(line).unlink()
    with pytest.raises(ResultsError, match="its predictions lie in"):
        results.predictions(line)


def add(folder, seeds):
    for seed in seeds:
        Results(folder).add(line_of(ROWS, CLASSES, seed=seed), ROWS)


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=add, args=(tmp_path, range(at, 30, 3))) for at in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert sorted(line.seed for line in Results(tmp_path).lines()) == list(range(30))
