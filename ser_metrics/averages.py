"""One figure from many: averages over folds and over corpora, as each paper takes them.

Every function takes values in one unit, fractions or percent, and returns that unit.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .columns import near
from .rates import Absent, from_confusion


def over_folds(
    matrices: Iterable[Any],
    labels: Sequence[int] | Sequence[str] | None = None,
    absent: Absent | None = None,
) -> dict[str, dict[str, float]]:
    """Average over folds in both ways that papers use without saying which.

    Args:
        matrices: The confusion matrix of each fold, shape (K, K), classes in one order.
        labels: Their classes.
        absent: The convention for absent classes, as for `ser_metrics.scores`.

    Returns:
        ``fold_mean``: the mean of the folds' ``ua``, ``wa``, ``f1`` (EmoBox, Generalize); ``pooled``: the scores of
        the sum of the matrices, all folds as one test set. They differ as soon as folds differ in size, in their
        classes, or (F1) in their predictions.

    Raises:
        ValueError: There is no fold, or the folds have different classes.

    Examples:
        >>> folds = over_folds([[[3, 1], [0, 1]], [[1, 0], [2, 2]]])
        >>> round(folds["fold_mean"]["ua"], 4), round(folds["pooled"]["ua"], 4)
        (0.8125, 0.7)
    """
    folds = [np.asarray(matrix) for matrix in matrices]
    if not folds:
        raise ValueError("matrices: no fold, so nothing to average.")
    for at, matrix in enumerate(folds):
        if matrix.shape != folds[0].shape:
            raise ValueError(
                f"matrices[{at}]: shape {matrix.shape} is not that of matrices[0], {folds[0].shape}. "
                "Count all folds over the same declared labels."
            )
    each = [from_confusion(matrix, labels, absent) for matrix in folds]
    pooled = from_confusion(sum(folds), labels, absent)
    return {
        "fold_mean": {name: float(np.mean([fold[name] for fold in each])) for name in ("ua", "wa", "f1")},
        "pooled": {name: pooled[name] for name in ("ua", "wa", "f1")},
    }


def serab(accuracies: Mapping[str, float], sizes: Mapping[str, int]) -> dict[str, float]:
    """Average over tasks as SERAB does.

    Args:
        accuracies: Task -> test accuracy a_t.
        sizes: Task -> number n_t of test utterances.

    Returns:
        ``um``, the mean of a_t; ``wm``, the sum of n_t a_t over the sum of n_t; ``gm``, the geometric mean of a_t,
        which is 0 if one of them is.

    Raises:
        ValueError: The tasks of both differ, or a value is negative.

    References:
        N. Scheidwasser-Clow et al.: SERAB: A multi-lingual benchmark for speech emotion recognition. ICASSP 2022,
        arXiv:2110.03414.

    Examples:
        >>> {name: round(value, 2) for name, value in serab({"AES": 40.0, "CAF": 90.0}, {"AES": 1, "CAF": 3}).items()}
        {'um': 65.0, 'wm': 77.5, 'gm': 60.0}
    """
    for task in [*accuracies, *sizes]:
        if task not in accuracies or task not in sizes:
            side, known = ("accuracies", accuracies) if task not in accuracies else ("sizes", sizes)
            raise ValueError(f"{side}: no task {task!r}.{near(task, list(known))} Give each task both.")
    values = np.array([accuracies[task] for task in accuracies], dtype=float)
    weights = np.array([sizes[task] for task in accuracies], dtype=float)
    if not len(values) or (values < 0).any() or (weights <= 0).any():
        raise ValueError("accuracies and sizes: need one task at least, accuracies from 0 and sizes above 0.")
    return {
        "um": float(values.mean()),
        "wm": float(values @ weights / weights.sum()),
        "gm": float(math.prod(values) ** (1 / len(values))),
    }


def emobox_cross(accuracies: Mapping[tuple[str, str], float]) -> float:
    """Average over pairs of corpora, equation (1) of EmoBox.

    Args:
        accuracies: (training corpus, test corpus) -> accuracy, for every ordered pair of different corpora. Pairs of
            a corpus with itself are passed over. Which of both comes first does not matter.

    Returns:
        The mean over the n (n - 1) pairs.

    Raises:
        ValueError: A pair is missing.

    References:
        Z. Ma et al.: EmoBox. arXiv:2406.07162.

    Examples:
        >>> emobox_cross({("a", "b"): 0.5, ("b", "a"): 0.25, ("a", "a"): 1.0})
        0.375
    """
    corpora = sorted({corpus for pair in accuracies for corpus in pair})
    return _mean_over_pairs(accuracies, corpora)


def serevals(
    scores: Mapping[tuple[str, str], float], eligible: Iterable[str], penalty: float = 1.0
) -> dict[str, float]:
    """Reduce a matrix of scores as SER Evals does.

    Args:
        scores: (training corpus, test corpus) -> macro F1. All cells with the same corpus twice are in domain; those
            of different eligible corpora are out of domain; others are passed over.
        eligible: The corpora that are tested on each other.
        penalty: The weight lambda of the standard deviations.

    Returns:
        ``id_mean`` and ``id_std`` over the cells in domain; ``ood_mean`` and ``ood_std`` over the rows of the
        eligible corpora, each row the mean over its other eligible corpora (standard deviations with the divisor
        n - 1); ``weighted``, (ID mean + OOD mean) / 2 - lambda (ID std + OOD std) / 2.

    Raises:
        ValueError: Fewer than two cells in domain or eligible corpora, or a cell of an eligible pair is missing.

    References:
        M. Osman, D. Kaplan, T. Nadeem: SER Evals. Interspeech 2024, arXiv:2408.07851.

    Examples:
        >>> cells = {("a", "a"): 0.8, ("b", "b"): 0.6, ("a", "b"): 0.3, ("b", "a"): 0.2}
        >>> {name: round(value, 3) for name, value in serevals(cells, ["a", "b"]).items()}
        {'id_mean': 0.7, 'id_std': 0.141, 'ood_mean': 0.25, 'ood_std': 0.071, 'weighted': 0.369}
    """
    diagonal = [value for (train, test), value in scores.items() if train == test]
    corpora = list(eligible)
    if min(len(diagonal), len(corpora)) < 2:
        raise ValueError(
            f"scores: {len(diagonal)} cells in domain and {len(corpora)} eligible corpora: a standard deviation "
            "needs two of each."
        )
    _mean_over_pairs(scores, corpora)  # refuses a missing cell
    rows = [np.mean([scores[train, test] for test in corpora if test != train]) for train in corpora]
    means, deviations = ([float(fold(x)) for x in (diagonal, rows)] for fold in (np.mean, lambda x: np.std(x, ddof=1)))
    return {
        "id_mean": means[0],
        "id_std": deviations[0],
        "ood_mean": means[1],
        "ood_std": deviations[1],
        "weighted": sum(means) / 2 - penalty * sum(deviations) / 2,
    }


def _mean_over_pairs(values: Mapping[tuple[str, str], float], corpora: list[str]) -> float:
    pairs = [(train, test) for train in corpora for test in corpora if train != test]
    if not pairs:
        raise ValueError("needs the values of two corpora at least, each trained on one and tested on the other.")
    for pair in pairs:
        if pair not in values:
            raise ValueError(f"no value for training on {pair[0]!r} and testing on {pair[1]!r}. Complete the matrix.")
    return float(np.mean([values[pair] for pair in pairs]))
