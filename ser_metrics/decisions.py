"""Class decisions from the scores that a model gives to every class: argmax, top 2 and calibration."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .columns import array, near, shown

ScoresAre = Literal["probabilities", "logits"]

BINS = 10
"""Bins of the calibration error; its value depends on them."""

KINDS = ("probabilities", "logits")
"""What scores may be."""


@dataclass(frozen=True)
class Decisions:
    """What the scores of N utterances say.

    Attributes:
        first: Position of the class with the highest score among those allowed, ties to the lower, shape (N,).
        second: Position of the next, shape (N,); the same as `first` where one class alone is allowed.
        confidence: Probability of `first`, shape (N,), from probabilities over the classes allowed.
        scores_are: What the scores were taken for.
    """

    first: np.ndarray
    second: np.ndarray
    confidence: np.ndarray
    scores_are: ScoresAre


def decide(
    prediction_scores: Any, allowed: np.ndarray, scores_are: ScoresAre | None = None, needed: np.ndarray | None = None
) -> Decisions:
    """Decide for the highest score among the classes allowed.

    A row that lies in [0, 1] and sums to 1 (to 0.01, for half precision) looks like probabilities. If all rows do,
    the scores are probabilities; if fewer than half do and some score lies outside [0, 1], they are logits, as which
    log-probabilities pass too. All else could be either, or answers to independent yes-no questions, and is refused
    unless `scores_are` says what it is.

    Args:
        prediction_scores: Scores of shape (N, K), one column per class.
        allowed: True for the classes that may be decided for, shape (K,).
        scores_are: "probabilities" or "logits"; None tells them apart by the rule above.
        needed: True for the utterances that must be decided, shape (N,); None for all.

    Returns:
        The decisions.

    Raises:
        ValueError: The shape is wrong, a score is missing or infinite (minus infinity is a logit), the scores are
            not what they are said to be, or a row rules out every class.

    Examples:
        >>> decide([[2.0, 1.0, 0.0]], np.array([True, True, True])).scores_are
        'logits'
        >>> told = decide([[0.5, 0.3, 0.2]], np.array([False, True, True]))
        >>> told.first.tolist(), told.confidence.round(3).tolist(), told.scores_are
        ([1], [0.6], 'probabilities')
    """
    scores = read(prediction_scores, len(allowed))
    kind = _told_apart(scores, scores_are)
    columns = np.flatnonzero(allowed)
    open_scores = scores[:, columns]
    highest = open_scores.max(axis=1)
    nothing = np.isneginf(highest) if kind == "logits" else highest == 0
    if needed is not None:
        nothing &= needed
    if nothing.any():
        at = int(np.argmax(nothing))
        raise ValueError(f"prediction_scores[{at}]: {shown(scores[at].tolist())} rules out every class that counts.")
    with np.errstate(divide="ignore", invalid="ignore"):  # of rows that need not be decided
        if kind == "logits":
            confidence = 1 / np.exp(open_scores - highest[:, None]).sum(axis=1)
        else:
            confidence = highest if allowed.all() else highest / open_scores.sum(axis=1)
    order = np.argsort(-open_scores, axis=1, kind="stable")[:, :2]
    return Decisions(columns[order[:, 0]], columns[order[:, -1]], confidence, kind)


def read(prediction_scores: Any, classes: int | None = None) -> np.ndarray:
    """Read scores of shape (N, K) as floating-point numbers; refuse another K than the number of `classes`."""
    scores = array(prediction_scores, "prediction_scores")
    if scores.ndim != 2 or not scores.size:
        raise ValueError(f"prediction_scores: shape {scores.shape} is not (utterances, classes). Pass one row each.")
    if classes is not None and scores.shape[1] != classes:
        raise ValueError(
            f"prediction_scores: shape {scores.shape} is not (utterances, {classes}): one column per class is "
            "needed. Take out what is no class, or declare the classes of the columns with labels=[...]."
        )
    if scores.dtype.kind not in "fiu":
        raise ValueError(
            f"prediction_scores: {shown(prediction_scores)} holds no numbers. Pass logits or probabilities."
        )
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float32 if scores.dtype == np.float16 else np.float64)
    wrong = np.isnan(scores) | np.isposinf(scores)
    if wrong.any():
        at, class_at = (int(i) for i in np.argwhere(wrong)[0])
        raise ValueError(
            f"prediction_scores[{at}][{class_at}]: {float(scores[at, class_at])} is no score. "
            "Find out why the model gave it; drop such utterances on both sides only if you report how many."
        )
    return scores


def _told_apart(scores: np.ndarray, scores_are: ScoresAre | None) -> ScoresAre:
    outside = ((scores < 0) | (scores > 1)).any(axis=1)
    unlike = outside | (np.abs(scores.sum(axis=1) - 1) > 0.01)
    if scores_are == "logits" or (scores_are is None and outside.any() and 2 * unlike.sum() > len(scores)):
        return "logits"
    if scores_are not in (None, "probabilities"):
        raise ValueError(f"scores_are={scores_are!r}: say 'probabilities' or 'logits'.{near(scores_are, KINDS)}")
    if not unlike.any():
        return "probabilities"
    at = int(np.argmax(unlike))
    raise ValueError(
        f"prediction_scores[{at}]: {shown(scores[at].tolist())} lies outside [0, 1] or does not sum to 1"
        + (
            ", so these are no probabilities. Pass a softmax, or scores_are='logits'."
            if scores_are
            else ", but other rows do. Mend it, or say what they all are: scores_are='logits'."
            if outside.any()
            else ": probabilities would, and logits would hardly all lie in [0, 1]. "
            "Say what they are: scores_are='logits'; or pass a softmax over the classes."
        )
    )


def calibration_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    r"""Return the expected calibration error.

    .. math:: \text{ECE} = \sum_m \frac{|B_m|}{N} |\text{mean}_{B_m} a - \text{mean}_{B_m} c|

    over the bins of confidence ((m - 1) / M, m / M].

    Args:
        confidence: Probability c of each decision, shape (N,).
        right: Whether it was right (a), shape (N,).
        bins: Their number M.

    Returns:
        A fraction.

    References:
        C. Guo, G. Pleiss, Y. Sun, K. Weinberger: On Calibration of Modern Neural Networks. ICML 2017.

    Examples:
        >>> calibration_error(np.array([0.9, 0.8, 0.8]), np.array([True, True, False])).__round__(3)
        0.233
    """
    edges = (np.arange(1, bins) / bins).astype(confidence.dtype)
    gaps = np.bincount(np.searchsorted(edges, confidence), weights=right - confidence.astype(float), minlength=bins)
    return float(np.abs(gaps).sum() / len(confidence))
