import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_metrics import dimensional_scores
from ser_trainer.finetune.losses import Concordance, CrossEntropy, balanced_weights, concordance, log_prior

COUNTS = st.lists(st.integers(0, 500), min_size=2, max_size=8).filter(lambda counts: sum(n > 0 for n in counts) > 1)


@given(COUNTS)
def test_balanced_weights_give_every_class_that_occurs_the_same_total(counts):
    totals = balanced_weights(counts) * counts

    present = np.array(counts) > 0
    assert np.allclose(totals[present], totals[present][0])
    assert totals.sum() == pytest.approx(sum(counts))


@given(COUNTS, st.floats(0.1, 3))
def test_a_prior_is_the_log_of_the_frequencies_up_to_a_shift(counts, tau):
    adjustment = log_prior(counts, tau)

    present = np.array(counts) > 0
    frequencies = np.array(counts)[present] / sum(counts)
    np.testing.assert_allclose(np.exp(adjustment[present] / tau) / frequencies, 1 / frequencies.max())
    assert (adjustment[~present] == 0).all()


def test_weighted_sums_over_batches_add_up_to_the_mean_of_one_batch():
    logits, labels = torch.randn(12, 3, generator=torch.manual_seed(0)), torch.arange(12) % 3
    loss = CrossEntropy(weights=np.array([0.5, 1.0, 4.0]), smoothing=0.1)

    parts = [(loss(logits[part], labels[part], True), loss.weight(labels[part])) for part in torch.arange(12).split(5)]

    expected = torch.nn.functional.cross_entropy(
        logits, labels, weight=torch.tensor([0.5, 1.0, 4.0]), label_smoothing=0.1
    )
    torch.testing.assert_close(sum(one for one, _ in parts) / sum(weight for _, weight in parts), expected)


def test_the_prior_enters_the_loss_of_training_alone():
    logits, labels = torch.zeros(2, 2), torch.tensor([0, 1])
    loss = CrossEntropy(adjustment=np.log([0.9, 0.1]))

    # equal logits and the prior: the probabilities are the prior
    assert loss(logits, labels, True).item() == pytest.approx(-np.log(0.9) - np.log(0.1), rel=1e-5)
    assert loss(logits, labels, False).item() == pytest.approx(2 * np.log(2), rel=1e-5)


def test_the_best_scores_under_the_adjusted_loss_are_those_of_balanced_classes():
    """Fit logits of two overlapping classes, 9 : 1: with the prior in the loss they call x = 0 undecided."""
    x = torch.cat([torch.linspace(-2, 1, 900), torch.linspace(-1, 2, 100)])
    labels = torch.cat([torch.zeros(900), torch.ones(100)]).long()
    crossings = {}
    for name, adjustment in {"plain": None, "adjusted": log_prior([900, 100], 1.0)}.items():
        loss, parameters = CrossEntropy(adjustment=adjustment), torch.zeros(2, requires_grad=True)
        optimizer = torch.optim.LBFGS([parameters], max_iter=100)

        def closure(loss=loss, parameters=parameters, optimizer=optimizer):
            optimizer.zero_grad()
            logits = torch.stack([torch.zeros_like(x), parameters[0] * x + parameters[1]], dim=1)
            value = loss(logits, labels, True) / len(x)
            value.backward()
            return value

        optimizer.step(closure)
        slope, offset = parameters.detach()
        crossings[name] = float(-offset / slope)

    assert abs(crossings["adjusted"]) < 0.1 < 0.3 < crossings["plain"]


@given(st.integers(2, 30), st.integers(0, 1000))
def test_the_concordance_of_a_batch_is_that_of_the_scores(size, seed):
    x, y = np.random.default_rng(seed).normal(3, 1, (2, size)).astype(np.float32)

    found = concordance(torch.from_numpy(x), torch.from_numpy(y)).item()

    assert found == pytest.approx(dimensional_scores(x[:, None], y[:, None], ["arousal"])["ccc"], abs=1e-4)


def test_gaps_in_the_ratings_are_left_out():
    outputs = torch.tensor([[1.0, 5.0], [2.0, 9.0], [3.0, 1.0]], requires_grad=True)
    ratings = torch.tensor([[1.0, float("nan")], [2.0, float("nan")], [float("nan"), 4.0]])

    loss = Concordance()(outputs, ratings, True)
    loss.backward()

    assert loss.item() == pytest.approx(0, abs=1e-5)  # the one dimension with two ratings is right
    assert outputs.grad.isfinite().all()
    assert not outputs.grad[:, 1].any()


def test_a_batch_without_two_ratings_teaches_nothing_and_breaks_nothing():
    outputs = torch.ones(1, 2, requires_grad=True)

    Concordance()(outputs, torch.tensor([[1.0, float("nan")]]), True).backward()

    assert not outputs.grad.any()
