"""Logit adjustment: decisions for a corpus whose classes are distributed differently from those that trained a head.

The decision is argmax over c of z_c - log source(c) + log target(c) (Menon et al., Long-tail learning via logit
adjustment, ICLR 2021, post-hoc form with a target prior, tau = 1). A class whose prior is zero is masked: a class that
the source lacks could not be learnt, one that the target lacks is no answer; log 0 is never taken.
"""

from dataclasses import dataclass

import numpy as np

from loading_scripts.errors import SerbenchError

EPSILON = 1e-12
"""What SER Evals adds to priors (spaghettiSystems/serval fe66005)."""

LIMIT, TOLERANCE = 10_000, 1e-6
"""Steps of EM at most, and the change of a prior below which it has converged."""


class AdjustmentError(SerbenchError, ValueError):
    """Logits cannot be adjusted with these priors."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A prior that EM found.

    Args:
        prior: share of each class (K,).
        steps: steps that were taken.
        change: largest change of a share in the last one.
        converged: whether that is below the tolerance.
    """

    prior: np.ndarray
    steps: int
    change: float
    converged: bool


def smoothed(counts: np.ndarray) -> np.ndarray:
    """Return (n_c + 1) / (N + K) of the K classes that occur (additive smoothing), 0 for those that do not.

    Args:
        counts: utterances of each class.

    Raises:
        AdjustmentError: there is no utterance, or a count is negative.
    """
    counts = _counted(counts)
    there = counts > 0
    return np.where(there, counts + 1, 0) / (counts.sum() + there.sum())


def with_epsilon(counts: np.ndarray, epsilon: float = EPSILON) -> np.ndarray:
    """Return n_c / N + epsilon, as published. A class that the source lacks gains -log epsilon, 27.6, over all others.

    Args:
        counts: utterances of each class.
        epsilon: see `EPSILON`.

    Raises:
        AdjustmentError: there is no utterance, or a count is negative.
    """
    counts = _counted(counts)
    return counts / counts.sum() + epsilon


def adjusted(logits: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return z - log source + log target; minus infinity where one of the priors is zero.

    Args:
        logits: (n, K).
        source: prior of the classes where the head was trained (K,); need not sum to one.
        target: the same where it is applied.

    Raises:
        AdjustmentError: the shapes differ, a prior is negative or no number, or no class is left.
    """
    source, target = _prior("source", source, logits), _prior("target", target, logits)
    left = (source > 0) & (target > 0)
    if not left.any():
        raise AdjustmentError(
            "Priors: at least one class must have a prior above 0 in source and target; none has. Leave the pair out, "
            "or assume the uniform target prior."
        )
    shift = np.log(np.where(left, target, 1.0)) - np.log(np.where(left, source, 1.0))
    return np.where(left, logits + shift, -np.inf)


def em(logits: np.ndarray, source: np.ndarray, limit: int = LIMIT, tolerance: float = TOLERANCE) -> Estimate:
    """Estimate the prior of a target corpus from logits alone, without labels.

    Each step weighs the posteriors of every utterance with the ratio of the priors, normalizes them, and takes their
    mean as the new prior (Saerens, Latinne and Decaestecker, Neural Computation 14(1), 2002). That maximizes the
    likelihood of the target if the head's posteriors are right and only the prior has changed; neither is quite true
    across corpora.

    Args:
        logits: of all utterances of the target (n, K).
        source: prior of the classes where the head was trained (K,); classes of prior 0 stay at 0.
        limit: steps at most.
        tolerance: see `Estimate.converged`.

    Raises:
        AdjustmentError: there is no utterance, or the source prior is negative, no number, or zero throughout.
    """
    source = _prior("source", source, logits)
    left = source > 0
    if not left.any() or not len(logits):
        raise AdjustmentError(
            f"EM: needs an utterance and a class with a source prior above 0; given {len(logits)} utterances and "
            f"{left.sum()} classes. Assume the uniform target prior."
        )
    kept = np.asarray(logits, dtype=float)[:, left]
    likelihood = np.exp(kept - kept.max(axis=1, keepdims=True)) / source[left]
    prior, change, steps = source[left] / source[left].sum(), np.inf, 0
    while change >= tolerance and steps < limit:
        posterior = likelihood * prior
        posterior /= posterior.sum(axis=1, keepdims=True)
        before, prior = prior, posterior.mean(axis=0)
        change, steps = float(np.abs(prior - before).max()), steps + 1
    whole = np.zeros(len(source))
    whole[left] = prior
    return Estimate(whole, steps, change, change < tolerance)


def _counted(counts: np.ndarray) -> np.ndarray:
    counts = np.asarray(counts, dtype=float)
    if not counts.sum() > 0 or (counts < 0).any():
        raise AdjustmentError(
            f"Class counts: are 0 or more, and one is above 0; got {counts.tolist()}. Count the labeled utterances."
        )
    return counts


def _prior(name: str, prior: np.ndarray, logits: np.ndarray) -> np.ndarray:
    prior = np.asarray(prior, dtype=float)
    if np.ndim(logits) != 2 or prior.shape != (np.shape(logits)[1],) or not (prior >= 0).all():
        raise AdjustmentError(
            f"Prior of the {name}: has a share of 0 or more for each class of logits {np.shape(logits)}; got "
            f"{prior.tolist()}. Count its classes in the order of the head's."
        )
    return prior
