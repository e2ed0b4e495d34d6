"""Targets: the label column that a classifier learns, and the rows that have a label there."""

import logging
from collections.abc import Mapping

import numpy as np
from datasets import Audio, ClassLabel, Dataset, concatenate_datasets

from loading_scripts.errors import SerbenchError, UnknownNameError, near

logger = logging.getLogger(__name__)

LABELS = "labels"
"""Name of the label column that the collator reads, as transformers' models call it."""


class TargetError(SerbenchError, ValueError):
    """Rows have no usable labels for the target that was asked for."""


def available(rows: Dataset) -> list[str]:
    """Return the label columns of `rows` in which at least one row has a label."""
    names = [name for name, feature in rows.features.items() if isinstance(feature, ClassLabel)]
    table = rows.select_columns(names).with_format("arrow")[:] if names else None
    return [name for name in names if table[name].null_count < len(table)]


def labelled(rows: Dataset, target: str, name: str = "data set") -> Dataset:
    """Return the rows that have a label in column `target`, ready for `SerCollator`.

    Args:
        rows: rows of serbench's schema; needs `id`, `audio` and the target.
        target: label column: ``emotion``, ``unified8`` or ``arousal_valence``.
        name: what messages call the rows, for example ``serbench/urdu:fold1, train``.

    Returns:
        Columns `id`, `audio` (undecoded) and `labels`, in the order of `rows`. Rows without a label are left out, and
        their number is logged.

    Raises:
        UnknownNameError: there is no such label column.
        TargetError: no row has a label, or a label is outside the classes of the column.
    """
    offered = available(rows)
    remedy = f"Targets with labels here: {', '.join(offered) or 'none'}."
    feature = rows.features.get(target)
    if not isinstance(feature, ClassLabel):
        raise UnknownNameError(f"{name}: target {target!r} is no label column.{near(target, offered)} {remedy}")
    column = rows.select_columns([target]).with_format("arrow")[:][target]
    present = np.flatnonzero(column.is_valid().to_numpy())
    if not len(present):
        raise TargetError(f"{name}: a target needs labels; none of {len(rows)} rows has {target!r}. {remedy}")
    values = column.drop_null().to_numpy()
    outside = (values < 0) | (values >= feature.num_classes)  # Arrow tables and casts accept any integer
    if outside.any():
        row = rows.select_columns(["id"])[int(present[outside.argmax()])]
        raise TargetError(
            f"{name}: labels of {target!r} are 0 to {feature.num_classes - 1} ({', '.join(feature.names)}); row "
            f"{row['id']!r} has {values[outside][0]}. Correct the map that made the column and build it again."
        )
    if len(present) < len(rows):
        dropped = len(rows) - len(present)
        logger.warning("%s: %d of %d rows have no %r and are left out.", name, dropped, len(rows), target)
        rows = rows.select(present)
    rows = rows.select_columns(["id", "audio", target]).rename_column(target, LABELS)
    return rows.cast_column("audio", Audio(decode=False))


def class_names(rows: Dataset) -> list[str]:
    """Return the classes of rows from `labelled`, in the order of their indices."""
    return list(rows.features[LABELS].names)


def pooled(corpora: Mapping[str, Dataset]) -> Dataset:
    """Return the rows of several corpora one after the other.

    Args:
        corpora: name for messages -> rows from `labelled`.

    Raises:
        TargetError: their classes differ.
    """
    first, *others = corpora
    for other in others:
        if class_names(corpora[other]) != class_names(corpora[first]):
            raise TargetError(
                f"{other}: one model needs one set of classes; {first} has {', '.join(class_names(corpora[first]))}, "
                f"this one {', '.join(class_names(corpora[other]))}. Use --target unified8 or arousal_valence."
            )
    return concatenate_datasets(list(corpora.values()))
