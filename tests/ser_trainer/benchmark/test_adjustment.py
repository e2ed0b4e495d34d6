import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ser_metrics.published import SEREVALS_CHECKPOINTS, table
from ser_metrics.rates import from_confusion
from ser_trainer.benchmark.papers.adjustment import AdjustmentError, adjusted, em, smoothed, with_epsilon
from ser_trainer.benchmark.papers.label_maps.serevals import CLASSES
from ser_trainer.benchmark.papers.serevals_corpora import ELIGIBLE, corpus_id, published_counts
from ser_trainer.benchmark.papers.serevals_tasks import OTHER

LOGITS = arrays(float, st.tuples(st.integers(1, 6), st.just(4)), elements=st.floats(-20, 20))
COUNTS = arrays(np.int64, 4, elements=st.integers(1, 10_000))
PRIORS = COUNTS.map(lambda counts: counts / counts.sum())


@given(LOGITS, PRIORS)
def test_equal_priors_change_nothing(logits, prior):
    np.testing.assert_allclose(adjusted(logits, prior, prior), logits, atol=1e-9)


@given(LOGITS, PRIORS, PRIORS)
def test_the_scale_of_a_prior_moves_all_classes_alike(logits, source, target):
    moved = adjusted(logits, 3 * source, target / 7) - adjusted(logits, source, target)
    np.testing.assert_allclose(moved, moved[0, 0], atol=1e-9)


@given(LOGITS, PRIORS)
def test_posteriors_become_those_of_the_target(logits, target):
    """Bayes: with likelihoods exp(z) / source, the posterior of the target is their product with its prior."""
    source = np.array([0.4, 0.3, 0.2, 0.1])
    found = np.exp(adjusted(logits, source, target))
    expected = np.exp(logits) / source * target
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@given(LOGITS)
def test_a_class_of_prior_zero_is_never_answered(logits):
    some = np.array([0.5, 0.5, 0.0, 0.0])
    for source, target in ((some, np.full(4, 0.25)), (np.full(4, 0.25), some)):
        found = adjusted(logits, source, target)
        assert np.isneginf(found[:, 2:]).all() and np.isfinite(found[:, :2]).all()


def test_smoothed_counts_are_a_prior_of_the_classes_that_occur():
    np.testing.assert_allclose(smoothed(np.array([3, 0, 1])), [4 / 6, 0, 2 / 6])


@pytest.mark.parametrize("target", [one for one in ELIGIBLE if one != "mesd"])
def test_epsilon_makes_the_published_cells_of_mesd_a_constant_answer(target):
    """The eight published cells, for all nine encoders, are those of whoever always says surprise, which MESD lacks."""
    counts = {name: np.array([published_counts()[name][one] for one in CLASSES]) for name in ("mesd", target)}
    answers = np.array([name != OTHER for name in CLASSES])
    kept = np.where(answers, counts[target], 0)
    truth = np.repeat(np.arange(len(CLASSES)), kept)
    logits = np.random.default_rng(0).standard_normal((len(truth), len(CLASSES)))
    logits[np.arange(len(truth)), truth] += 3  # a head that is often right
    found = adjusted(logits, with_epsilon(counts["mesd"]), with_epsilon(counts[target]) * answers).argmax(axis=1)
    assert {CLASSES[one] for one in found} == {"surprise"}
    matrix = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    np.add.at(matrix, (truth, found), 1)
    score = from_confusion(matrix, list(CLASSES))["f1"]
    cells = [
        float(row["macro_f1"])
        for row in table("serevals_matrix_macro_f1")
        if row["model"] in SEREVALS_CHECKPOINTS.values()
        and (corpus_id(row["train"]), corpus_id(row["test"])) == ("mesd", target)
    ]
    assert len(cells) == 9
    np.testing.assert_allclose(cells, score, atol=5.1e-6)  # five digits are printed
    masked = adjusted(logits, smoothed(counts["mesd"] * answers), smoothed(kept)).argmax(axis=1)
    assert "surprise" not in {CLASSES[one] for one in masked} and len(set(masked)) > 1


def shifted(prior, n=4000, seed=0):
    """Return labels drawn from a prior, and logits whose posteriors are right for a uniform prior."""
    draw = np.random.default_rng(seed)
    labels = draw.choice(len(prior), n, p=prior)
    means = 2 * np.eye(len(prior))
    points = means[labels] + draw.standard_normal((n, len(prior)))
    return labels, points @ means.T  # of equal variances and lengths: log likelihoods but for a constant


def test_em_finds_a_prior_that_has_shifted_and_gains_by_it():
    prior = np.array([0.7, 0.15, 0.1, 0.05])
    labels, logits = shifted(prior)
    uniform = np.full(4, 0.25)
    found = em(logits, uniform)
    assert found.converged and found.steps < 100
    np.testing.assert_allclose(found.prior, prior, atol=0.03)
    right = np.mean(adjusted(logits, uniform, found.prior).argmax(axis=1) == labels)
    assert right > np.mean(logits.argmax(axis=1) == labels) + 0.02


@given(LOGITS, PRIORS)
def test_em_gives_a_prior_and_its_likelihood_never_falls(logits, source):
    posterior = np.exp(logits - logits.max(axis=1, keepdims=True))

    def likelihood(prior):
        return np.log(posterior @ (prior / source)).sum()

    values = [likelihood(source)]
    for limit in (1, 2, 5, 20):
        found = em(logits, source, limit=limit)
        assert found.prior.sum() == pytest.approx(1) and (found.prior >= 0).all()
        values.append(likelihood(found.prior))
    assert (np.diff(values) >= -1e-6).all()


def test_em_leaves_out_what_the_source_lacks():
    _, logits = shifted(np.array([0.4, 0.3, 0.2, 0.1]))
    assert em(logits, np.array([0.5, 0.5, 0.0, 0.0])).prior[2:].tolist() == [0, 0]


def test_em_says_when_it_has_not_converged():
    _, logits = shifted(np.array([0.7, 0.15, 0.1, 0.05]))
    found = em(logits, np.full(4, 0.25), limit=2)
    assert not found.converged and found.steps == 2 and found.change > 1e-6


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (lambda: smoothed(np.zeros(3)), "one is above 0"),
        (lambda: with_epsilon(np.array([2, -1])), "0 or more"),
        (lambda: adjusted(np.zeros((2, 3)), np.ones(2), np.ones(3)), "Prior of the source"),
        (lambda: adjusted(np.zeros((2, 3)), np.ones(3), np.array([1, np.nan, 1])), "Prior of the target"),
        (lambda: adjusted(np.zeros((1, 2)), np.array([1, 0]), np.array([0, 1])), "none has.*uniform"),
        (lambda: em(np.zeros((0, 3)), np.ones(3)), "given 0 utterances"),
        (lambda: em(np.zeros((1, 3)), np.zeros(3)), "0 classes"),
    ],
)
def test_priors_that_cannot_be_are_refused(what, message):
    with pytest.raises(AdjustmentError, match=message):
        what()
