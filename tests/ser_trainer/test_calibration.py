import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from transformers import AutoConfig, AutoModelForAudioClassification, HubertForSequenceClassification

from ser_trainer.calibration import (
    LEAST_ROWS,
    RANGE,
    TEMPERATURE,
    CalibrationError,
    calibrated,
    fit_temperature,
    temperature_of,
)
from ser_trainer.models import expand, tiny_hubert_config


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    return float(-np.log(calibrated(logits, temperature)[np.arange(len(labels)), labels]).mean())


def random_rows(seed: int, rows: int, classes: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a model whose probabilities are right at `temperature`, and labels drawn from them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (rows, classes))
    draws = rng.random((rows, 1)) > calibrated(logits, temperature).cumsum(axis=1)
    return logits, draws.sum(axis=1).clip(max=classes - 1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_labels_is_found(temperature):
    assert fit_temperature(*random_rows(0, 20_000, 4, temperature)) == pytest.approx(temperature, rel=0.05)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(LEAST_ROWS, 60), classes=st.integers(2, 6))
def test_no_other_temperature_has_a_higher_likelihood(seed, rows, classes):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(0, 3, (rows, classes)), rng.integers(0, classes, rows)
    labels[:2] = 0, 1

    best = nll(logits, labels, fit_temperature(logits, labels))

    assert all(best <= nll(logits, labels, other) + 1e-9 for other in np.geomspace(*RANGE, 40))


@given(factor=st.floats(0.3, 3))
def test_logits_that_are_stretched_have_a_temperature_that_is_stretched(factor):
    logits, labels = random_rows(1, 300, 3, 1.5)
    assert fit_temperature(factor * logits, labels) == pytest.approx(factor * fit_temperature(logits, labels), rel=1e-6)


@given(logits=arrays(np.float32, (5, 3), elements=st.floats(-50, 50, width=32)), temperature=st.floats(*RANGE))
def test_probabilities_sum_to_one_and_keep_the_order_of_the_logits(logits, temperature):
    found = calibrated(logits, temperature)

    assert found.sum(axis=1) == pytest.approx(np.ones(5))
    by_logit = np.take_along_axis(found, logits.argsort(axis=1), axis=1)
    assert (np.diff(by_logit, axis=1) >= 0).all()


def test_logits_as_large_as_they_come_do_not_overflow():
    assert calibrated(np.array([1e4, -1e4]), RANGE[0]).tolist() == [1, 0]
    labels = np.arange(20) % 2
    assert fit_temperature(1e30 * np.eye(2)[labels], labels) == RANGE[0]


def test_without_an_optimum_the_temperature_is_an_end_of_the_range():
    labels = np.arange(30) % 3
    right = np.eye(3)[labels]
    assert fit_temperature(right, labels) == RANGE[0]
    assert fit_temperature(-right, labels) == RANGE[1]
    assert fit_temperature(np.zeros((30, 3)), labels) == 1.0


GOOD, LABELS = np.random.default_rng(0).normal(size=(LEAST_ROWS, 3)), np.arange(LEAST_ROWS) % 3


def holed(row: int, value: float) -> np.ndarray:
    """Return logits of which one is no number."""
    logits = GOOD.copy()
    logits[row, 1] = value
    return logits


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (holed(4, -np.inf), LABELS, r"must be finite; those of row 4 are"),
        (holed(2, np.nan), LABELS, r"must be finite; those of row 2 are"),
        (GOOD[:-1], LABELS[:-1], r"needs 10 rows or more; there are 9"),
        (GOOD, np.full(LEAST_ROWS, 2), r"two classes or more; all 10 are of class 2"),
        (GOOD, LABELS + 1, r"integers from 0 to 2; they are int64 from 1 to 3"),
        (GOOD, LABELS - 1, r"integers from 0 to 2; they are int64 from -1 to 1"),
        (GOOD, LABELS / 1.0, r"integers from 0 to 2; they are float64"),
        (GOOD, LABELS[:-1], r"they are \(10, 3\) and \(9,\)"),
        (GOOD[:, :1], LABELS * 0, r"2 or more classes"),
    ],
)
def test_what_says_nothing_about_a_temperature_is_refused(logits, labels, message):
    with pytest.raises(CalibrationError, match=message):
        fit_temperature(logits, labels)


@pytest.mark.parametrize("expanded", [False, True])
def test_the_temperature_is_saved_and_loaded_with_the_model(tmp_path, expanded):
    torch.manual_seed(0)
    model = HubertForSequenceClassification(tiny_hubert_config({0: "anger", 1: "sadness"}))
    model = expand(model) if expanded else model
    assert temperature_of(model.config) is None
    setattr(model.config, TEMPERATURE, 1.75)

    model.save_pretrained(tmp_path)

    assert temperature_of(AutoConfig.from_pretrained(tmp_path)) == 1.75
    assert temperature_of(AutoModelForAudioClassification.from_pretrained(tmp_path).config) == 1.75


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), float("inf"), "1.5", True])
def test_a_temperature_that_is_none_is_refused(bad):
    config = tiny_hubert_config({0: "anger", 1: "sadness"})
    setattr(config, TEMPERATURE, bad)
    with pytest.raises(CalibrationError, match=r"finite number above 0; it is .* in the model's config\.json"):
        temperature_of(config)
