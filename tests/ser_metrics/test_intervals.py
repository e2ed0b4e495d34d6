"""The bootstrap: what it draws, what it refuses, and how often its intervals hold the true value."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ser_metrics import scores
from ser_metrics.intervals import DRAWS, by_class, by_group, t_quantile, widening


@pytest.mark.parametrize("freedom", [*range(1, 40), 99, 100, 999, 1000, 1001, 5000, 10**6])
def test_t_quantile_equals_scipy(freedom):
    for probability in (0.5, 0.75, 0.9, 0.95, 0.975, 0.995, 0.9995):
        expected = stats.t.ppf(probability, freedom)
        assert t_quantile(probability, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_widening_by_hand():
    assert widening(6, 0.95) == pytest.approx(np.sqrt(6 / 5) * 2.570582 / 1.959964, abs=1e-6)
    assert widening(10**6, 0.95) == pytest.approx(1, abs=1e-5)


def test_drawing_matrices_is_drawing_utterances():
    """Means and variances of every cell, against drawing utterances one by one."""
    generator = np.random.default_rng(0)
    matrix = np.array([[6, 2, 0], [1, 8, 3], [0, 0, 0]])
    drawn = np.concatenate(list(by_class(matrix, np.random.default_rng(1))))
    assert drawn.shape == (DRAWS, 3, 3)
    assert (drawn.sum(axis=2) == matrix.sum(axis=1)).all()  # supports are fixed
    rows = [np.repeat(np.arange(3), row) for row in matrix[:2]]
    plain = np.array(
        [[np.bincount(generator.choice(row, len(row)), minlength=3) for row in rows] for _ in range(DRAWS)]
    )
    assert drawn[:, :2].mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.25)
    assert drawn[:, :2].var(axis=0) == pytest.approx(plain.var(axis=0), abs=0.4)

    tables = generator.integers(0, 5, (7, 3, 3))
    drawn = np.concatenate(list(by_group(tables, np.random.default_rng(1))))
    plain = np.array([tables[generator.integers(0, 7, 7)].sum(axis=0) for _ in range(DRAWS)])
    assert drawn.mean(axis=0) == pytest.approx(plain.mean(axis=0), abs=0.6)
    assert drawn.std(axis=0) == pytest.approx(plain.std(axis=0), rel=0.1)


def study(speakers: int, generator: np.random.Generator, utterances: int = 48, classes: int = 4) -> tuple:
    """Simulate a test set: speakers differ in how well they are recognized, and somewhat by class.

    Returns:
        Predictions, references and speakers; the expected recall is 0.675 for every class.
    """
    skill = generator.uniform(0.45, 0.90, (speakers, 1)) + generator.uniform(-0.1, 0.1, (speakers, classes))
    speaker = np.repeat(np.arange(speakers), utterances)
    references = np.tile(np.arange(utterances) % classes, speakers)
    right = generator.random(len(speaker)) < skill[speaker, references]
    wrong = (references + generator.integers(1, classes, len(speaker))) % classes
    return np.where(right, references, wrong), references, speaker


def test_coverage():
    """A small version of tests/bench/coverage.py; the bounds leave four standard errors."""
    generator = np.random.default_rng(7)
    studies = 200
    for speakers, least in ((6, 0.90), (12, 0.93)):
        ours = by_utterance = 0
        for seed in range(studies):
            predictions, references, speaker = study(speakers, generator)
            for groups in (None, speaker):
                low, high = scores(predictions, references, groups=groups, confidence=0.95, seed=seed)["confidence"][
                    "ua"
                ]
                if groups is None:
                    by_utterance += low <= 0.675 <= high
                else:
                    ours += low <= 0.675 <= high
        assert ours / studies >= least - 4 * np.sqrt(least * (1 - least) / studies)
        assert by_utterance / studies < 0.75  # utterances alone promise far too much


def test_level_and_seed():
    predictions, references, speaker = study(8, np.random.default_rng(3))
    one, same, other, narrow = (
        scores(predictions, references, groups=speaker, confidence=level, seed=seed)["confidence"]
        for level, seed in ((0.95, 1), (0.95, 1), (0.95, 2), (0.8, 1))
    )
    assert one == same != other
    assert one["ua"] == pytest.approx(other["ua"], abs=0.02)
    assert one["ua"][0] < narrow["ua"][0] < narrow["ua"][1] < one["ua"][1]
    assert (one["by"], one["groups"], one["draws"] + one["dropped"]) == ("groups", 8, DRAWS)
    state = np.random.get_state()[1].tolist()
    scores(predictions, references, confidence=0.95)
    assert np.random.get_state()[1].tolist() == state  # numpy's shared generator is left alone


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(6, 12), st.sampled_from([None, "present", "declared"]))
def test_laws(seed, speakers, absent):
    generator = np.random.default_rng(seed)
    predictions, references, speaker = study(speakers, generator, utterances=8)
    options = {"labels": range(5), "absent": absent, "micro_f1": True, "weighted_f1": True, "confidence": 0.9}
    for groups in (None, speaker):
        result = scores(predictions, references, groups=groups, **options)
        told = result["confidence"]
        for name in ("ua", "wa", "f1", "uar", "micro_f1", "weighted_f1"):
            low, high = told[name]
            assert 0 <= low <= high <= 1
        assert told["ua"] == told["uar"]
        assert told["wa"] == told["micro_f1"]
        assert told["wa"][0] <= result["wa"] <= told["wa"][1]
    order = generator.permutation(len(speaker))
    renamed = [f"s{i:02}" for i in speaker[order]]
    shuffled = scores(predictions[order], references[order], groups=renamed, **options)["confidence"]
    assert all(shuffled[name] == pytest.approx(told[name]) for name in told if name != "by")


def test_draws_without_a_class_are_dropped_and_counted():
    """Class 1 occurs with one speaker of six, who is missing from (5/6)^6 = 33.5 % of the draws."""
    references = np.zeros(60, dtype=int)
    references[:5] = 1
    speaker = np.repeat(np.arange(6), 10)
    told = scores(references, references, groups=speaker, confidence=0.95)["confidence"]
    assert told["dropped"] / DRAWS == pytest.approx((5 / 6) ** 6, abs=0.05)
    assert told["draws"] == DRAWS - told["dropped"]
    assert told["ua"] == [1.0, 1.0]


def test_groups_that_hold_nothing_are_no_groups():
    references, groups = [0, 1, 2] * 6, [*range(5)] * 3 + [5] * 3
    references[-3:] = [2, 2, 2]
    with pytest.raises(ValueError, match="5 groups are too few"):
        scores(references, references, groups=groups, exclude=2, confidence=0.95)


def test_many_groups_are_drawn_in_batches():
    generator = np.random.default_rng(0)
    references = generator.integers(0, 3, 20_000)
    predictions = np.where(generator.random(20_000) < 0.7, references, 0)
    groups = np.arange(20_000) // 4
    low, high = scores(predictions, references, groups=groups, confidence=0.95)["confidence"]["ua"]
    alone = scores(predictions, references, confidence=0.95)["confidence"]["ua"]  # groups differ by chance only
    assert [low, high] == pytest.approx(alone, abs=0.004)
