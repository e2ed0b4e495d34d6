"""Targets: what a model learns, classes or ratings, and the rows that have it."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Audio, ClassLabel, Dataset, Features, List, Value, concatenate_datasets
from datasets.table import InMemoryTable, concat_tables

from loading_scripts.errors import SerbenchError, UnknownNameError, near
from ser_metrics.dimensional import DIMENSIONS

logger = logging.getLogger(__name__)

LABELS = "labels"
"""Name of the label column that the collator reads, as transformers' models call it."""

CORPUS = "corpus"
"""Name of the column that says which corpus a row comes from, where several are pooled."""

# What the batches, the scores by group and the intervals need; a user's own data set may lack them.
_KEPT = ("duration", "speaker", "gender", "language")


class TargetError(SerbenchError, ValueError):
    """Rows have no usable labels for the target that was asked for."""


def available(rows: Dataset) -> list[str]:
    """Return the label columns of `rows`, and its ratings, in which at least one row has a value."""
    names = [name for name, feature in rows.features.items() if isinstance(feature, ClassLabel) or name in DIMENSIONS]
    table = rows.select_columns(names).with_format("arrow")[:] if names else None
    return [name for name in names if table[name].null_count < len(table)]


def targeted(rows: Dataset, target: Sequence[str], name: str, exclude: Sequence[str] = ()) -> Dataset:
    """Return the rows for a target as the command line gives it: one label column, or dimensions of ratings.

    Raises:
        TargetError, UnknownNameError: as in `labelled` and `rated`, or both kinds are mixed.
    """
    if all(one in DIMENSIONS for one in target):
        if exclude:
            raise TargetError(f"{name}: --exclude names classes; the target {' '.join(target)} has none. Leave it out.")
        return rated(rows, target, name)
    if len(target) > 1:
        raise TargetError(
            f"{name}: a target is one label column, or one or more of {', '.join(DIMENSIONS)}; not {' '.join(target)}."
        )
    return labelled(rows, target[0], name, exclude)


def labelled(rows: Dataset, target: str, name: str = "data set", exclude: Sequence[str] = ()) -> Dataset:
    """Return the rows that have a label in column `target`, ready for `SerCollator`.

    Args:
        rows: rows of serbench's schema; needs `id`, `audio` and the target.
        target: label column: ``emotion``, ``unified8`` or ``arousal_valence``.
        name: what messages call the rows, for example ``serbench/urdu:fold1, train``.
        exclude: classes to leave out; the others keep their order.

    Returns:
        Columns `id`, `audio` (undecoded), `labels` and, where `rows` has them, `duration`, `speaker`, `gender` and
        `language`, in the order of `rows`. Rows without a label are left out, and their number is logged.

    Raises:
        UnknownNameError: there is no such label column, or no such class to leave out.
        TargetError: no row has a label, or a label is outside the classes of the column.
    """
    feature = rows.features.get(target)
    if not isinstance(feature, ClassLabel):
        raise UnknownNameError(
            f"{name}: target {target!r} is no label column.{near(target, available(rows))} {_offer(rows)}"
        )
    for one in exclude:
        if one not in feature.names:
            raise UnknownNameError(
                f"{name}: --exclude names classes of {target!r}; {one!r} is none.{near(one, feature.names)} "
                f"Classes: {', '.join(feature.names)}."
            )
    column = rows.select_columns([target]).with_format("arrow")[:][target]
    present = np.flatnonzero(column.is_valid().to_numpy())
    if not len(present):
        raise TargetError(f"{name}: a target needs labels; none of {len(rows)} rows has {target!r}. {_offer(rows)}")
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
    names = [one for one in feature.names if one not in exclude]
    place = np.array([names.index(one) if one in names else -1 for one in feature.names])
    kept = place[values] >= 0
    if not kept.any():
        raise TargetError(
            f"{name}: without {', '.join(exclude)} no row is left of {len(present)}. Exclude fewer classes."
        )
    labels = pa.array(place[values][kept], pa.int64())
    return _ready(rows.select(present[kept]), labels, ClassLabel(names=names))


def rated(rows: Dataset, dimensions: Sequence[str], name: str = "data set") -> Dataset:
    """Return the rows that have at least one of the ratings, ready for `SerCollator`.

    Args:
        rows: rows of serbench's schema.
        dimensions: columns among arousal, valence and dominance.
        name: what messages call the rows.

    Returns:
        As `labelled`; `labels` are lists of D floats on the scale of the corpus, NaN where a row lacks a dimension.

    Raises:
        TargetError: a dimension has no ratings, or is not a column.
    """
    for one in dimensions:
        if one not in available(rows):
            raise TargetError(f"{name}: no row has ratings of {one!r}. {_offer(rows)}")
    table = rows.select_columns(list(dimensions)).with_format("arrow")[:]
    ratings = np.stack([table[one].to_numpy().astype(np.float32) for one in dimensions], axis=1)
    present = np.flatnonzero(np.isfinite(ratings).any(axis=1))
    if len(present) < len(rows):
        logger.warning("%s: %d of %d rows have no ratings and are left out.", name, len(rows) - len(present), len(rows))
    labels = pa.array(ratings[present].tolist(), pa.list_(pa.float32(), len(dimensions)))
    return _ready(rows.select(present), labels, List(Value("float32"), length=len(dimensions)))


def _ready(rows: Dataset, labels: pa.Array, feature: ClassLabel | List) -> Dataset:
    columns = ["id", "audio", *(name for name in _KEPT if name in rows.column_names)]
    rows = rows.select_columns(columns).cast_column("audio", Audio(decode=False))
    return _with_column(rows, LABELS, labels, feature)


def _with_column(rows: Dataset, name: str, values: pa.Array, feature: Any) -> Dataset:
    """Return `rows` with one more column, as `add_column` does, but without a copy of the audio of selected rows."""
    if rows._indices is not None:
        place = np.zeros(len(rows.data), dtype=np.int64)
        place[rows._indices.column(0).to_numpy()] = np.arange(len(rows))
        values = values.take(pa.array(place))  # rows that are not selected get any value: nobody reads it
    column = InMemoryTable.from_pydict({name: values}, schema=Features({name: feature}).arrow_schema)
    info = rows.info.copy()
    info.features = Features({**rows.features, name: feature})
    return Dataset(concat_tables([rows.data, column], axis=1), info, rows.split, rows._indices)


def _offer(rows: Dataset) -> str:
    return f"Targets with labels here: {', '.join(available(rows)) or 'none'}."


def is_rated(rows: Dataset) -> bool:
    """Return whether the labels of prepared rows are ratings."""
    return not isinstance(rows.features[LABELS], ClassLabel)


def class_names(rows: Dataset) -> list[str]:
    """Return the classes of rows from `labelled`, in the order of their indices."""
    return list(rows.features[LABELS].names)


def label_array(rows: Dataset) -> np.ndarray:
    """Return the labels of prepared rows: int64 (n,), or float32 (n, D)."""
    return np.array(rows.select_columns([LABELS])[LABELS][:], dtype=np.float32 if is_rated(rows) else np.int64)


def class_counts(rows: Dataset) -> np.ndarray:
    """Return how many rows each class has, (K,)."""
    return np.bincount(label_array(rows), minlength=len(class_names(rows)))


def pooled(corpora: Mapping[str, Dataset]) -> Dataset:
    """Return the rows of several corpora one after the other, with a column `corpus` that names theirs.

    Args:
        corpora: name -> rows from `labelled` or `rated`.

    Raises:
        TargetError: their classes or dimensions differ.
    """
    first, *others = corpora
    for other in others:
        if corpora[other].features[LABELS] != corpora[first].features[LABELS]:
            raise TargetError(
                f"{other}: one model needs one set of classes; {first} has {_told(corpora[first])}, "
                f"this one {_told(corpora[other])}. Use --target unified8 or arousal_valence."
            )
    shared = [name for name in corpora[first].column_names if all(name in one.column_names for one in corpora.values())]
    return concatenate_datasets(
        [
            _with_column(rows.select_columns(shared), CORPUS, pa.array([name] * len(rows)), Value("string"))
            for name, rows in corpora.items()
        ]
    )


def _told(rows: Dataset) -> str:
    return f"{rows.features[LABELS].length} ratings" if is_rated(rows) else ", ".join(class_names(rows))
