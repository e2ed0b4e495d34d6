"""Figures from confusion matrices: recall, precision, F1 and their means, for one matrix or for thousands at once.

With C[i, j] the number of utterances whose reference is class i and whose prediction is class j, N their
total, n_i the support of class i (row sum) and m_i its number of predictions (column sum):

    recall_i = C[i, i] / n_i        precision_i = C[i, i] / m_i        F1_i = 2 C[i, i] / (n_i + m_i)

As soon as a class is missing from a test fold, "UA" depends on the classes that the mean runs over; that choice is
an argument here, and results name it.

References:
    B. Schuller, S. Steidl, A. Batliner: The INTERSPEECH 2009 Emotion Challenge. Interspeech 2009.
    Z. Ma et al.: EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark.
    arXiv:2406.07162 (its UA, WA and macro F1 are scikit-learn's).
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from .columns import array, declared, excluded, listed, near, shown

Absent = Literal["present", "union", "declared", "raise"]

CONVENTIONS = {
    None: ("present", "union"),
    "present": ("present", "present"),
    "union": ("union", "union"),
    "declared": ("declared", "declared"),
    "raise": ("declared", "declared"),
}
"""Value of `absent` -> the classes that the mean of the recalls and the mean of the F1 values run over."""

MEANS = ("ua", "wa", "f1", "uar", "micro_f1", "weighted_f1")
"""What `means` gives."""


def means(matrices: np.ndarray, counted: np.ndarray, absent: Absent | None = None) -> dict[str, np.ndarray]:
    """Take the means of confusion matrices.

    Args:
        matrices: Counts, shape (..., K, K); rows are references, columns predictions. Rows of classes that do not
            count are zero.
        counted: True for the classes that count, shape (K,). A prediction of another class is an error.
        absent: The convention, as for `ser_metrics.scores`.

    Returns:
        Each of `MEANS`, as fractions, shape (...).
    """
    support = matrices.sum(axis=-1)[..., counted]
    predicted = matrices.sum(axis=-2)[..., counted]
    hits = np.diagonal(matrices, axis1=-2, axis2=-1)[..., counted]
    over = {"present": support > 0, "union": support + predicted > 0, "declared": np.full_like(support, True, bool)}
    recall_over, f1_over = (over[name] for name in CONVENTIONS[absent])
    recall, f1 = (np.nan_to_num(value) for value in (ratio(hits, support), ratio(2 * hits, support + predicted)))
    total = support.sum(axis=-1)
    ua = (recall * recall_over).sum(axis=-1) / recall_over.sum(axis=-1)
    return {
        "ua": ua,
        "wa": hits.sum(axis=-1) / total,
        "f1": (f1 * f1_over).sum(axis=-1) / f1_over.sum(axis=-1),
        "uar": ua,
        "micro_f1": 2 * hits.sum(axis=-1) / (total + predicted.sum(axis=-1)),
        "weighted_f1": (f1 * support).sum(axis=-1) / total,
    }


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)


def from_confusion(
    matrix: Any,
    labels: Sequence[int] | Sequence[str] | None = None,
    absent: Absent | None = None,
    per_class: bool = False,
    confusion_matrix: bool = False,
    *,
    micro_f1: bool = False,
    weighted_f1: bool = False,
    exclude: int | str | Sequence[int] | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Score a confusion matrix, such as a result that was stored.

    Args:
        matrix: Counts of shape (K, K); rows are references, columns predictions.
        labels: The classes of its rows; without it they are numbered.
        absent: As for `ser_metrics.scores`; so are all that follow.
        per_class: Add the rates of every class.
        confusion_matrix: Add the matrix and its labels.
        micro_f1: Add it.
        weighted_f1: Add it.
        exclude: Classes that do not count.

    Returns:
        What `ser_metrics.scores` returns for the predictions and references that it counts.

    Raises:
        ValueError: It is no square matrix of counts, or has no reference that counts.

    Examples:
        >>> result = from_confusion([[3, 1], [0, 0]], labels=["anger", "happiness"])
        >>> result["ua"], result["classes_absent"]
        (0.75, ['happiness'])
        >>> from_confusion([[3, 1], [2, 2]], exclude=1)["n"]
        4
    """
    counts = array(matrix, "matrix")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or not counts.size:
        raise ValueError(f"matrix: shape {counts.shape} is not (K, K). Pass one row and one column per class.")
    if counts.dtype.kind not in "iu" or (counts < 0).any():
        raise ValueError(f"matrix: {shown(matrix)} does not hold counts. Pass integers from 0, not shares.")
    classes = list(range(len(counts))) if labels is None else declared(labels)
    if len(classes) != len(counts):
        raise ValueError(f"matrix: shape {counts.shape} does not go with {len(classes)} labels. Pass one per row.")
    check_convention(absent, labels)
    counted = None if exclude is None else excluded(exclude, classes, known=True)
    return summary(counts, classes, absent, per_class, confusion_matrix, micro_f1, weighted_f1, counted)


def summary(
    counts: np.ndarray,
    classes: list[int] | list[str],
    absent: Absent | None,
    per_class: bool,
    confusion_matrix: bool,
    micro_f1: bool,
    weighted_f1: bool,
    counted: np.ndarray | None,
) -> dict[str, Any]:
    """Put together the result of `from_confusion`; `counted` is None where nothing was to be excluded."""
    excluding, counted = counted is not None, np.full(len(classes), True) if counted is None else counted
    left = counts * counted[:, None]
    support, predicted, hits = left.sum(axis=1), left.sum(axis=0), np.diagonal(left)
    present = [classes[i] for i in np.flatnonzero(support)]
    missing = [classes[i] for i in np.flatnonzero(counted & (support == 0))]
    if not present:
        raise ValueError(f"references: none of {listed(missing)}, so nothing to score. Check how they were selected.")
    if absent == "raise" and missing:
        raise ValueError(
            f"references: no utterance of the declared {listed(missing)}, which absent='raise' "
            "forbids. Complete the test set, shorten labels, or choose another convention."
        )
    over_recall, over_f1 = CONVENTIONS[absent]
    values = means(left, counted, absent)
    requested = ["ua", "wa", "f1", "uar"] + ["micro_f1"] * micro_f1 + ["weighted_f1"] * weighted_f1
    result: dict[str, Any] = {name: float(values[name]) for name in requested}
    result |= {
        "n": int(support.sum()),
        "absent": absent or f"recall over {over_recall}, f1 over {over_f1}",
        "classes_present": present,
        "classes_absent": missing,
    }
    if excluding:
        result["classes_excluded"] = [classes[i] for i in np.flatnonzero(~counted)]
        result["n_excluded"] = int(counts.sum() - left.sum())
    if per_class:
        rates = {
            "recall": ratio(hits, support),
            "precision": ratio(hits, predicted),
            "f1": ratio(2 * hits, support + predicted),
        }
        result["per_class"] = {
            classes[i]: {rate: None if np.isnan(value[i]) else float(value[i]) for rate, value in rates.items()}
            | {"support": int(support[i])}
            for i in np.flatnonzero(counted)
        }
    if confusion_matrix:
        result["confusion_matrix"] = left.tolist()
        result["labels"] = classes
    return result


def check_convention(absent: Any, labels: Any) -> None:
    """Refuse a value of `absent` that is none, or that needs declared classes where none are."""
    if absent not in tuple(CONVENTIONS):
        known = [name for name in CONVENTIONS if name]
        raise ValueError(f"absent={absent!r} is no convention.{near(absent, known)} Use None or one of {known}.")
    if labels is None and absent in ("declared", "raise"):
        raise ValueError(f"absent={absent!r} speaks of the declared classes: declare them with labels=[...].")
