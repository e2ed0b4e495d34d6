"""Read columns of classes, of groups and of labels, and say what is wrong with them.

Nothing is cast to a class: ids are integers, names are strings, everything else is refused with its position, its
value and a remedy.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np


def pair(predictions: Any, references: Any) -> tuple[np.ndarray | list[str], np.ndarray | list[str]]:
    """Check that both sides are columns of class ids or of class names, not empty and of one length.

    Args:
        predictions: One class id or class name per utterance: a list, a one-dimensional array or tensor, a column
            of a data set.
        references: The true classes, in the same order.

    Returns:
        Each side as an array of integers of shape (N,) if it holds ids, as a list of strings if it holds names.

    Raises:
        ValueError: An entry is neither id nor name, or the sides differ in length; whether the classes exist is
            not asked here.

    Examples:
        >>> pair([1, 0], ["sad", "joy"])
        (array([1, 0]), ['sad', 'joy'])
    """
    predicted, actual = column(predictions, "predictions"), column(references, "references")
    same_length(predicted, actual, "predictions")
    return predicted, actual


def same_length(values: Any, references: Any, side: str) -> None:
    """Refuse a column `side` that has another length than the references."""
    if len(values) != len(references):
        longer = side if len(values) > len(references) else "references"
        raise ValueError(
            f"{side} has {len(values)} entries and references {len(references)}: {longer}"
            f"[{min(len(values), len(references))}] has no partner. Pass the same utterances on both sides."
        )


def column(values: Any, side: str) -> np.ndarray | list[str]:
    """Read a column of integer ids or of names.

    Args:
        values: A list, tuple or iterator, a one-dimensional array or tensor, a column of a data set.
        side: What the column is, for the refusals.

    Returns:
        The ids as an array of integers of shape (N,), or the names as a list.

    Raises:
        ValueError: It is no sequence, empty, or an entry is neither id nor name.
    """
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable):
        raise ValueError(f"{side}: {shown(values)} is no sequence. Pass one class per utterance, in order.")
    if hasattr(values, "to_pylist"):  # pyarrow, whose own conversion to numpy would turn nulls into floats
        values = values.to_pylist()
    elif hasattr(values, "__array__") and not isinstance(values, np.ma.MaskedArray):
        values = array(values, side)
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
        return np.fromiter(values, dtype=np.int64, count=len(values))
    except OverflowError:
        at = next(i for i, value in enumerate(values) if not -(2**63) <= value < 2**63)
        raise ValueError(f"{side}[{at}]: {values[at]} is no class id: it exceeds 64 bits.") from None


def array(values: Any, side: str) -> np.ndarray:
    """Read an array or tensor, or a nested list of numbers, without casting its numbers."""
    try:
        return np.asarray(values)
    except (TypeError, RuntimeError, ValueError) as error:  # on an accelerator, with a gradient, of ragged rows
        raise ValueError(f"{side}: no array can be read from {shown(values)}: {error}") from error


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
            rule, remedy = f"does not go with {side}[0], {shown(values[0])}", "Pass ids only, or names only"
        else:
            continue
        raise ValueError(f"{side}[{at}]: {shown(value)} {rule}. {remedy}.")


def declared(labels: Any) -> list[int] | list[str]:
    """Check the declared classes: ids or names, each once."""
    read = column(labels, "labels")
    classes = read if isinstance(read, list) else read.tolist()
    for at, name in enumerate(classes):
        if not isinstance(name, str) and name < 0:
            raise ValueError(f"labels[{at}]: {name} is no class id: ids count from 0.")
        if name in classes[:at]:
            raise ValueError(f"labels[{at}]: {name!r} is declared twice. Declare each class once.")
    return classes


def occurring(*sides: tuple[np.ndarray | list[str], str]) -> list[int]:
    """Find the ids that may occur where no classes are declared: all up to the highest, or those that do.

    Args:
        sides: The columns, each with what it is.

    Returns:
        Ids, ascending.

    Raises:
        ValueError: A column holds names, or a negative id.
    """
    top = 0
    for values, side in sides:
        if isinstance(values, list):
            raise ValueError(f"{side}[0]: {shown(values[0])} is a name. Declare the class names: labels=[...].")
        highest = _highest(values)
        if highest > np.iinfo(values.dtype).max:
            at = int(np.argmax(values < 0))
            raise ValueError(f"{side}[{at}]: {values[at]} is no class id: ids count from 0. Drop such utterances.")
        top = max(top, highest)
    if top < 64:  # counting a million ids is an order of magnitude faster than sorting them
        return list(range(top + 1))
    return np.unique(np.concatenate([np.unique(values) for values, _ in sides])).tolist()


def positions(values: np.ndarray | list[str], classes: list[int] | list[str], side: str) -> np.ndarray:
    """Turn ids or names into positions in `classes`, integers of shape (N,); refuse the first unknown one."""
    named = isinstance(classes[0], str)
    if isinstance(values, list):
        place = {name: i for i, name in enumerate(classes)}
        try:
            return np.fromiter(map(place.__getitem__, values), dtype=np.intp, count=len(values))
        except KeyError:
            at = next(i for i, name in enumerate(values) if name not in place)
    elif named or classes == list(range(len(classes))):
        if _highest(values) < len(classes):
            return values
        at = int(np.argmax((values < 0) | (values >= len(classes))))
    else:
        order = np.argsort(classes)
        ascending = np.asarray(classes)[order]
        nearest = np.searchsorted(ascending, values).clip(max=len(classes) - 1)
        unknown = ascending[nearest] != values
        if not unknown.any():
            return order[nearest]
        at = int(np.argmax(unknown))
    value = values[at] if isinstance(values, list) else int(values[at])
    allowed = listed(classes)
    if named and not isinstance(value, str):
        allowed = f"ids 0 to {len(classes) - 1} of {allowed}"
    elif isinstance(value, str) and not named:
        allowed = f"{allowed}, which are integers"
    raise ValueError(
        f"{side}[{at}]: {shown(value)} is no declared class.{near(value, classes)} "
        f"labels declares {allowed}. Correct it, declare the class, or drop such utterances on both sides."
    )


def excluded(exclude: Any, classes: list[int] | list[str], known: bool) -> np.ndarray:
    """Mark the classes that count; those in `exclude` do not.

    Args:
        exclude: A class, or a sequence of classes: names, or ids (with declared names, positions); None for none.
        classes: The K classes.
        known: Whether they were declared: only then can an unknown one be told from one that does not occur.

    Returns:
        True for the classes that count, shape (K,).

    Raises:
        ValueError: A class to exclude is not declared, or none would be left.
    """
    counted = np.full(len(classes), True)
    if exclude is None or (isinstance(exclude, Sequence) and not exclude):
        return counted
    alone = isinstance(exclude, str | int | np.integer) and not isinstance(exclude, bool)
    out = column([exclude] if alone else exclude, "exclude")
    if known:
        counted[positions(out, classes, "exclude")] = False
    else:
        occurring((out, "exclude"))  # refuses names and negative ids
        counted[np.isin(classes, out)] = False
    if not counted.any():
        raise ValueError(f"exclude: all {listed(classes)} are excluded, so nothing is left to score.")
    return counted


def groups_of(groups: Any, references: Any) -> tuple[list[int] | list[str], np.ndarray]:
    """Read the group of every utterance, such as its speaker.

    Args:
        groups: One id or name per utterance.
        references: The references, for their number.

    Returns:
        The G groups, ascending, and the position of each utterance's group, integers of shape (N,).

    Raises:
        ValueError: An entry is neither integer nor string, or there are not as many as references.
    """
    read = column(groups, "groups")
    same_length(read, references, "groups")
    if isinstance(read, list):
        names = sorted(set(read))
        return names, positions(read, names, "groups")
    ids, place = np.unique(read, return_inverse=True)
    return ids.tolist(), place


def _highest(values: np.ndarray) -> int:
    """Return the highest id, in one pass that finds negative ids as well: read as unsigned they are the highest."""
    return int(values.view(values.dtype.str.replace("i", "u")).max())


def shown(value: Any) -> str:
    """Show a value in a message, cut to 60 characters, with its type."""
    return f"{value!r:.60} ({type(value).__name__})"


def listed(classes: Sequence) -> str:
    """List classes in a message, the first twelve of them."""
    more = f", ... ({len(classes)} in all)" if len(classes) > 12 else ""
    return f"classes {', '.join(map(repr, classes[:12]))}{more}"


def near(value: Any, known: Sequence) -> str:
    """Return `` Did you mean 'x'?`` for the known name closest to `value`, or an empty string."""
    by_folded = {name.casefold(): name for name in known if isinstance(name, str)}
    close = difflib.get_close_matches(str(value).casefold(), by_folded, n=1)
    return f" Did you mean {by_folded[close[0]]!r}?" if close else ""
