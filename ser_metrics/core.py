"""Scores of speech emotion recognition from class decisions, with numpy alone.

With C[i, j] the number of utterances whose reference is class i and whose prediction is class j, N their
total, n_i the support of class i (row sum) and m_i its number of predictions (column sum):

    recall_i = C[i, i] / n_i        precision_i = C[i, i] / m_i        F1_i = 2 C[i, i] / (n_i + m_i)

As soon as a class is missing from a test fold, "UA" depends on the classes that the mean runs over; `scores`
therefore takes that choice as an argument and names it in its result.

References:
    B. Schuller, S. Steidl, A. Batliner: The INTERSPEECH 2009 Emotion Challenge. Interspeech 2009.
    Z. Ma et al.: EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark.
    arXiv:2406.07162 (its UA, WA and macro F1 are scikit-learn's).
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any, Literal

import numpy as np

Absent = Literal["present", "union", "declared", "raise"]

CONVENTIONS = {
    None: ("present", "union"),
    "present": ("present", "present"),
    "union": ("union", "union"),
    "declared": ("declared", "declared"),
    "raise": ("declared", "declared"),
}
"""Value of `absent` -> the classes that the mean of the recalls and the mean of the F1 values run over."""


def scores(
    predictions: Iterable[int] | Iterable[str],
    references: Iterable[int] | Iterable[str],
    labels: Sequence[int] | Sequence[str] | None = None,
    absent: Absent | None = None,
    per_class: bool = False,
    confusion_matrix: bool = False,
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
            column of a data set. Ids are integers; nothing is cast to a class.
        references: The true classes, in the same order.
        labels: The declared classes. Names: ids are then positions in this list, and `predictions` and
            `references` may hold names or ids. Ids: `predictions` and `references` hold these ids. Without
            it the classes are the ids that occur.
        absent: What to do about absent classes, see above.
        per_class: Add ``"per_class"``: class -> ``{"recall", "precision", "f1", "support"}``; a rate whose
            denominator is zero is None.
        confusion_matrix: Add ``"confusion_matrix"`` (rows are references, columns predictions) and
            ``"labels"``, the classes in the order of its rows.

    Returns:
        A dict that JSON can hold: ``ua``, ``wa``, ``f1``, ``uar`` (floats), ``n`` (utterances), ``absent``
        (the convention, in words for the default) and ``classes_absent`` (classes without a reference).

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
    """
    if absent not in tuple(CONVENTIONS):
        known = [name for name in CONVENTIONS if name]
        raise ValueError(f"absent={absent!r} is no convention.{_near(absent, known)} Use None or one of {known}.")
    if labels is None and absent in ("declared", "raise"):
        raise ValueError(f"absent={absent!r} speaks of the declared classes: declare them with labels=[...].")

    matrix, classes = confusion(predictions, references, labels)
    hits, support, predicted = np.diagonal(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    classes_absent = [name for name, count in zip(classes, support, strict=True) if count == 0]
    if absent == "raise" and classes_absent:
        raise ValueError(
            f"references: no utterance of the declared {_classes(classes_absent)}, which absent='raise' "
            "forbids. Complete the test set, shorten labels, or choose another convention."
        )

    over = {"present": support > 0, "union": support + predicted > 0, "declared": np.full(len(classes), True)}
    recall_over, f1_over = CONVENTIONS[absent]
    recall, f1 = _ratio(hits, support), _ratio(2 * hits, support + predicted)
    ua = float(np.nan_to_num(recall)[over[recall_over]].mean())
    result: dict[str, Any] = {
        "ua": ua,
        "wa": float(hits.sum() / support.sum()),
        "f1": float(np.nan_to_num(f1)[over[f1_over]].mean()),
        "uar": ua,
        "n": int(support.sum()),
        "absent": absent or f"recall over {recall_over}, f1 over {f1_over}",
        "classes_absent": classes_absent,
    }
    if per_class:
        rates = {"recall": recall, "precision": _ratio(hits, predicted), "f1": f1}
        result["per_class"] = {
            name: {rate: None if np.isnan(value[i]) else float(value[i]) for rate, value in rates.items()}
            | {"support": int(support[i])}
            for i, name in enumerate(classes)
        }
    if confusion_matrix:
        result["confusion_matrix"] = matrix.tolist()
        result["labels"] = classes
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
    predicted, actual = pair(predictions, references)
    classes = _occurring(predicted, actual) if labels is None else _declared(labels)
    size = len(classes)
    cells = np.multiply(_positions(actual, classes, "references"), size, dtype=np.int64)
    np.add(cells, _positions(predicted, classes, "predictions"), out=cells, dtype=np.int64)
    matrix = np.bincount(cells, minlength=size * size).reshape(size, size)
    if labels is None:
        seen = np.flatnonzero(matrix.sum(axis=0) + matrix.sum(axis=1))
        matrix, classes = matrix[np.ix_(seen, seen)], [classes[i] for i in seen]
    return matrix, classes


def pair(predictions: Any, references: Any) -> tuple[np.ndarray | list[str], np.ndarray | list[str]]:
    """Check that both sides are columns of class ids or of class names, not empty and of one length.

    Args:
        predictions: As for `scores`.
        references: As for `scores`.

    Returns:
        Each side as an array of integers of shape (N,) if it holds ids, as a list of strings if it holds names.

    Raises:
        ValueError: As for `scores`; whether the classes exist is not asked here.

    Examples:
        >>> pair([1, 0], ["sad", "joy"])
        (array([1, 0]), ['sad', 'joy'])
    """
    predicted, actual = _column(predictions, "predictions"), _column(references, "references")
    if len(predicted) != len(actual):
        longer = "predictions" if len(predicted) > len(actual) else "references"
        raise ValueError(
            f"predictions has {len(predicted)} entries and references {len(actual)}: {longer}"
            f"[{min(len(predicted), len(actual))}] has no partner. Pass the same utterances on both sides."
        )
    return predicted, actual


def _column(values: Any, side: str) -> np.ndarray | list[str]:
    """Read one side as an array of integer ids or a list of names; `side` names it in the refusals."""
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
        raise ValueError(f"{side}: {_show(values)} is no sequence. Pass one class per utterance, in order.")
    if hasattr(values, "to_pylist"):  # pyarrow, whose own conversion to numpy would turn nulls into floats
        values = values.to_pylist()
    elif hasattr(values, "__array__") and not isinstance(values, np.ma.MaskedArray):
        try:
            values = np.asarray(values)
        except (TypeError, RuntimeError) as error:  # a tensor on an accelerator, or one that has a gradient
            raise ValueError(f"{side}: no array can be read from {_show(values)}: {error}") from error
        if values.ndim != 1:
            raise ValueError(
                f"{side}: an array of shape {values.shape} is not one class per utterance. "
                f"Flatten it, or take the argmax of scores: {side}.argmax(axis=-1)."
            )
        if values.dtype.kind in "iu" and values.dtype != np.uint64 and len(values):
            return values
    values = values.tolist() if isinstance(values, np.ndarray) else list(values)
    if not values:
        raise ValueError(f"{side}: no entry, so nothing to score. Check how the test split was selected.")
    if set(map(type, values)) not in ({int}, {str}):
        values = [value.item() if getattr(value, "ndim", None) == 0 else value for value in values]
        _check_entries(values, side)
    if isinstance(values[0], str):
        return values
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        at = next(i for i, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise ValueError(f"{side}[{at}]: {values[at]} is no class id: it exceeds 64 bits.") from None


def _check_entries(values: list, side: str) -> None:
    """Refuse the first entry that is neither id nor name, or not of the kind of the first entry."""
    for at, value in enumerate(values):
        rule = "is no class id or name"
        if isinstance(value, bool):
            remedy = "True and False are not taken as 1 and 0: convert them with int()"
        elif value is None:
            remedy = "Drop utterances without a class on both sides"
        elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
            remedy = "Pass one id or name per utterance, the argmax of a row of scores"
        elif not isinstance(value, int | str):
            remedy = "Ids are integers: take the argmax of scores, drop missing values, convert with int()"
        elif isinstance(value, str) is not isinstance(values[0], str):
            rule, remedy = f"does not go with {side}[0], {_show(values[0])}", "Pass ids only, or names only"
        else:
            continue
        raise ValueError(f"{side}[{at}]: {_show(value)} {rule}. {remedy}.")


def _declared(labels: Any) -> list[int] | list[str]:
    """Check the declared classes: ids or names, each once."""
    column = _column(labels, "labels")
    classes = column if isinstance(column, list) else column.tolist()
    for at, name in enumerate(classes):
        if not isinstance(name, str) and name < 0:
            raise ValueError(f"labels[{at}]: {name} is no class id: ids count from 0.")
        if name in classes[:at]:
            raise ValueError(f"labels[{at}]: {name!r} is declared twice. Declare each class once.")
    return classes


def _occurring(predicted: np.ndarray | list[str], actual: np.ndarray | list[str]) -> list[int]:
    """Find the ids that may occur where no classes are declared: all up to the highest, or those that do."""
    for column, side in ((predicted, "predictions"), (actual, "references")):
        if isinstance(column, list):
            raise ValueError(f"{side}[0]: {_show(column[0])} is a name. Declare the class names: labels=[...].")
        if _highest(column) > np.iinfo(column.dtype).max:
            at = int(np.argmax(column < 0))
            raise ValueError(f"{side}[{at}]: {column[at]} is no class id: ids count from 0. Drop such utterances.")
    top = max(_highest(predicted), _highest(actual))
    if top < 1024:  # counting a million ids is an order of magnitude faster than sorting them
        return list(range(top + 1))
    return np.union1d(predicted, actual).tolist()


def _positions(column: np.ndarray | list[str], classes: list[int] | list[str], side: str) -> np.ndarray:
    """Turn ids or names into positions in `classes`, integers of shape (N,); refuse the first unknown one."""
    named = isinstance(classes[0], str)
    if isinstance(column, list):
        place = {name: i for i, name in enumerate(classes)}
        positions = np.array([place.get(name, -1) for name in column])
        unknown = positions < 0
    elif named or classes == list(range(len(classes))):
        positions = column
        if _highest(column) < len(classes):
            return positions
        unknown = (column < 0) | (column >= len(classes))
    else:
        order = np.argsort(classes)
        ascending = np.asarray(classes)[order]
        nearest = np.searchsorted(ascending, column).clip(max=len(classes) - 1)
        positions = order[nearest]
        unknown = ascending[nearest] != column
    if not unknown.any():
        return positions
    at = int(np.argmax(unknown))
    value = column[at] if isinstance(column, list) else int(column[at])
    allowed = _classes(classes)
    if named and not isinstance(value, str):
        allowed = f"ids 0 to {len(classes) - 1} of {allowed}"
    elif isinstance(value, str) and not named:
        allowed = f"{allowed}, which are integers"
    raise ValueError(
        f"{side}[{at}]: {_show(value)} is no declared class.{_near(value, classes)} "
        f"labels declares {allowed}. Correct it, declare the class, or drop such utterances on both sides."
    )


def _highest(column: np.ndarray) -> int:
    """Return the highest id, in one pass that finds negative ids as well: read as unsigned they are the highest."""
    return int(column.view(column.dtype.str.replace("i", "u")).max())


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, with NaN where the whole is zero."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def _show(value: Any) -> str:
    return f"{value!r:.60} ({type(value).__name__})"


def _classes(classes: Sequence) -> str:
    more = f", ... ({len(classes)} in all)" if len(classes) > 12 else ""
    return f"classes {', '.join(map(repr, classes[:12]))}{more}"


def _near(value: Any, known: Sequence) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to `value`, or an empty string."""
    by_folded = {name.casefold(): name for name in known if isinstance(name, str)}
    close = difflib.get_close_matches(str(value).casefold(), by_folded, n=1)
    return f" Did you mean {by_folded[close[0]]!r}?" if close else ""
