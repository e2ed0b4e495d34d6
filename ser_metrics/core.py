"""Scores of speech emotion recognition, from class decisions or from the scores that lead to them."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .columns import column, declared, excluded, groups_of, occurring, pair, positions, same_length
from .decisions import BINS, ScoresAre, calibration_error, decide, read
from .intervals import confidence_intervals
from .rates import MEANS, Absent, check_convention, means, summary

_CHUNK = 2**15  # utterances whose cells stay in the second-level cache between two passes, 256 KiB


def scores(
    predictions: Iterable[int] | Iterable[str] | None = None,
    references: Iterable[int] | Iterable[str] | None = None,
    labels: Sequence[int] | Sequence[str] | None = None,
    absent: Absent | None = None,
    per_class: bool = False,
    confusion_matrix: bool = False,
    *,
    micro_f1: bool = False,
    weighted_f1: bool = False,
    exclude: int | str | Sequence[int] | Sequence[str] | None = None,
    prediction_scores: Any = None,
    scores_are: ScoresAre | None = None,
    groups: Iterable[int] | Iterable[str] | None = None,
    per_group: bool = False,
    confidence: float | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    r"""Score class decisions: UA, WA, macro F1 and UAR, as fractions in [0, 1].

    .. math::
        \text{WA} = \frac{1}{N} \sum_i C_{ii} \qquad
        \text{UA} = \text{UAR} = \frac{1}{|P|} \sum_{i \in P} \text{recall}_i \qquad
        \text{F1} = \frac{1}{|Q|} \sum_{i \in Q} \text{F1}_i

    P holds the classes of the references, Q those of the references or the predictions: the means of
    scikit-learn's ``balanced_accuracy_score`` and ``f1_score(average="macro")``, and of EmoBox. `absent` puts
    both means over one set of classes instead; there a rate whose denominator is zero counts as 0:

    ============  ============================================================================
    ``None``      recall over P, F1 over Q
    "present"     both over P
    "union"       both over Q
    "declared"    both over all of `labels`
    "raise"       refuse to score when a class of `labels` has no reference, else as "declared"
    ============  ============================================================================

    Args:
        predictions: One class id or class name per utterance: a list, a one-dimensional array or tensor, a
            column of a data set. Ids are integers; nothing is cast to a class. Or None, with `prediction_scores`.
        references: The true classes, in the same order.
        labels: The declared classes. Names: ids are then positions in this list, and `predictions` and
            `references` may hold names or ids. Ids: `predictions` and `references` hold these ids. Without
            it the classes are the ids that occur, or the numbers of the columns of `prediction_scores`.
        absent: What to do about absent classes, see above.
        per_class: Add ``"per_class"``: class -> ``{"recall", "precision", "f1", "support"}``; a rate whose
            denominator is zero is None.
        confusion_matrix: Add ``"confusion_matrix"`` (rows are references, columns predictions) and
            ``"labels"``, the classes in the order of its rows.
        micro_f1: Add ``"micro_f1"``, 2 hits / (references + predictions): WA, unless classes are excluded.
        weighted_f1: Add ``"weighted_f1"``, the mean of the F1 values with the supports as weights.
        exclude: Classes that do not count, such as "other": utterances with such a reference are left out,
            `prediction_scores` cannot decide for them, and a prediction of them is wrong. No mean runs over them.
        prediction_scores: Instead of `predictions`, logits or probabilities of shape (N, K), one column per class:
            decided by the highest, ties to the lower position. Adds ``"top2"`` (share of utterances whose reference
            is among the two highest), ``"ece"`` (calibration error), ``"ece_bins"`` and ``"scores_are"``.
        scores_are: "logits" or "probabilities"; without it `decisions.decide` tells them apart by a stated rule,
            refuses the doubtful case, and the result names what they were taken for.
        groups: Whom each utterance belongs to, such as its speaker: an integer or a name per utterance.
        per_group: Add ``"per_group"``: group -> its ``ua``, ``wa``, ``f1``, ``n``.
        confidence: Add ``"confidence"``: intervals of the scores at this level, such as 0.95, by the bootstrap.
            With `groups`, groups are drawn: the noise of speakers. Without, utterances within their class: the noise
            of utterances, which says nothing about new speakers. See `intervals.interval`.
        seed: Of the generator of the draws.

    Returns:
        A dict that JSON can hold: ``ua``, ``wa``, ``f1``, ``uar`` (floats), ``n`` (utterances), ``absent``
        (the convention, in words for the default), ``classes_present`` and ``classes_absent`` (classes with and
        without a reference); with `exclude`, ``classes_excluded`` and ``n_excluded``; and what was asked for.

    Raises:
        ValueError: An input breaks a rule; the message names the first offending position, its value and
            the remedy.

    Examples:
        >>> result = scores([0, 0, 0, 1], [0, 0, 0, 0])
        >>> result["wa"], result["ua"], round(result["f1"], 3)
        (0.75, 0.75, 0.429)
        >>> emotions = ["anger", "happiness", "neutral", "sadness"]
        >>> result = scores([0, 0, 0, 1], ["anger"] * 4, labels=emotions, absent="declared")
        >>> result["ua"], result["absent"], result["classes_absent"]
        (0.1875, 'declared', ['happiness', 'neutral', 'sadness'])
        >>> scores([1, 0], [1, 0], per_class=True)["per_class"][1]
        {'recall': 1.0, 'precision': 1.0, 'f1': 1.0, 'support': 1}
        >>> told = scores(references=[0, 1], prediction_scores=[[0.9, 0.1], [0.6, 0.4]])
        >>> told["wa"], told["top2"], told["ece"], told["scores_are"]
        (0.5, 1.0, 0.35, 'probabilities')
        >>> speakers = sorted("abcdef" * 4)  # the last of them is never recognized
        >>> told = scores([0, 1] * 10 + [1, 0] * 2, [0, 1] * 12, groups=speakers, confidence=0.95)["confidence"]
        >>> told["by"], told["groups"], [round(end, 1) for end in told["wa"]]
        ('groups', 6, [0.4, 1.0])
    """
    check_convention(absent, labels)
    decisions = None
    if prediction_scores is None:
        if scores_are is not None:
            raise ValueError(f"scores_are={scores_are!r} speaks of prediction_scores, which are not given.")
        predicted, actual, classes = _decided(predictions, references, labels)
        counted = excluded(exclude, classes, known=labels is not None)
    else:
        if predictions is not None:
            raise ValueError("predictions and prediction_scores: both decide. Pass one of them.")
        table, actual, classes = _scored(prediction_scores, references, labels)
        counted = excluded(exclude, classes, known=True)
        decisions = decide(table, counted, scores_are, needed=counted[actual])
        predicted = decisions.first

    if groups is None:
        if per_group:
            raise ValueError("per_group=True speaks of groups: pass one per utterance, groups=[...].")
        tables = _count(predicted, actual, len(classes))[None]
    else:
        names, place = groups_of(groups, actual)
        tables = _count(predicted, actual, len(classes), place, len(names))
    if labels is None and decisions is None:
        seen = _seen(tables.sum(axis=0))
        tables, classes, counted = tables[:, seen][:, :, seen], [classes[i] for i in seen], counted[seen]

    result = summary(
        tables.sum(axis=0), classes, absent, per_class, confusion_matrix, micro_f1, weighted_f1,
        None if exclude is None else counted,
    )  # fmt: skip
    left = tables * counted[:, None]
    if decisions is not None:
        used = counted[actual]
        right = decisions.first == actual
        result["top2"] = float((right | (decisions.second == actual))[used].mean())
        result["ece"] = calibration_error(decisions.confidence[used], right[used])
        result |= {"ece_bins": BINS, "scores_are": decisions.scores_are}
    if per_group:
        result["per_group"] = {}
        for name, matrix in zip(names, left, strict=True):
            if n := int(matrix.sum()):
                values = means(matrix, counted, absent)
                result["per_group"][name] = {key: float(values[key]) for key in ("ua", "wa", "f1")} | {"n": n}
    if confidence is not None:
        result["confidence"] = confidence_intervals(
            left[0] if groups is None else left,
            lambda matrices: means(matrices, counted, absent),
            [name for name in MEANS if name in result],
            confidence,
            seed,
            grouped=groups is not None,
        )
    return result


def confusion(
    predictions: Iterable[int] | Iterable[str],
    references: Iterable[int] | Iterable[str],
    labels: Sequence[int] | Sequence[str] | None = None,
) -> tuple[np.ndarray, list[int] | list[str]]:
    """Count how often class i was predicted as j, in one pass over the flat index ``i * K + j``.

    Args:
        predictions: As for `scores`.
        references: As for `scores`.
        labels: As for `scores`; fixes the order of rows and columns.

    Returns:
        The counts, int64 of shape (K, K), rows are references and columns predictions; and the K classes:
        `labels`, or the ids that occur, ascending.

    Raises:
        ValueError: As for `scores`.

    Examples:
        >>> matrix, classes = confusion([0, 2, 2], [0, 0, 2])
        >>> matrix.tolist(), classes
        ([[1, 1], [0, 1]], [0, 2])
        >>> confusion(["sad", "joy"], [0, 1], labels=["joy", "sad"])[0].tolist()
        [[0, 1], [1, 0]]
    """
    predicted, actual, classes = _decided(predictions, references, labels)
    matrix = _count(predicted, actual, len(classes))
    if labels is None:
        seen = _seen(matrix)
        matrix, classes = matrix[np.ix_(seen, seen)], [classes[i] for i in seen]
    return matrix, classes


def _decided(predictions: Any, references: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, list[int] | list[str]]:
    """Return both sides as positions in the classes, and the classes: those declared, or ids that may occur."""
    predicted, actual = pair(predictions, references)
    if labels is not None:
        classes = declared(labels)
    else:
        classes = occurring((predicted, "predictions"), (actual, "references"))
        if classes == list(range(len(classes))):  # they are their own positions
            return predicted, actual, classes
    actual = positions(actual, classes, "references")
    return positions(predicted, classes, "predictions"), actual, classes


def _scored(prediction_scores: Any, references: Any, labels: Any) -> tuple[np.ndarray, np.ndarray, list]:
    """Return the scores, the positions of the references, and the classes of the columns."""
    actual, classes = column(references, "references"), None if labels is None else declared(labels)
    table = read(prediction_scores, None if classes is None else len(classes))
    same_length(table, actual, "prediction_scores")
    if classes is None:
        classes = list(range(table.shape[1]))
    return table, positions(actual, classes, "references"), classes


def _count(
    predicted: np.ndarray, actual: np.ndarray, size: int, place: np.ndarray | None = None, groups: int = 1
) -> np.ndarray:
    """Count pairs of positions: shape (K, K), or (G, K, K) where `place` tells the group of each."""
    cells = groups * size * size
    counts = np.zeros(cells, dtype=np.int64)
    step = max(_CHUNK, cells)
    buffer = np.empty(min(step, len(actual)), dtype=np.int64)
    for start in range(0, len(actual), step):
        part = slice(start, start + step)
        flat = buffer[: len(actual[part])]
        np.multiply(actual[part], size, out=flat, dtype=np.int64)
        np.add(flat, predicted[part], out=flat, dtype=np.int64)
        if place is not None:
            flat += place[part] * (size * size)
        counts += np.bincount(flat, minlength=cells)
    return counts.reshape(size, size) if place is None else counts.reshape(groups, size, size)


def _seen(matrix: np.ndarray) -> np.ndarray:
    """Return the positions of the classes that occur."""
    return np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
