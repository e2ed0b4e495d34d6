"""Own splits: the columns split and fold of a user's table as configs."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import SheetError, near

if TYPE_CHECKING:
    from .utterance import Utterance

MOST_FOLDS = 100
"""Values of a fold column; more are a column of something else. Each fold is a config of its own."""

_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    "test": "test",
}


@dataclass(frozen=True)
class OwnSplit:
    """The split that a table gives to each utterance.

    Args:
        splits: split names, in order.
        rule: what decides, in one sentence.
        value_of: utterance id -> value of the column; ids without one are in no split.
        split_of: value -> split.
    """

    splits: tuple[str, ...]
    rule: str
    value_of: Mapping[str, str]
    split_of: Mapping[str, str]

    def assign(self, utterances: Sequence["Utterance"]) -> list[str | None]:
        """Return the split of every utterance, or None."""
        values = (self.value_of.get(one.id) for one in utterances)
        return [None if value is None else self.split_of[value] for value in values]


def official(table: str, value_of: Mapping[str, str]) -> dict[str, OwnSplit]:
    """Return `official`, from the filled cells of a column of split names; other rows are in no split.

    Raises:
        SheetError: a value is no split name, or train or test is empty.
    """
    counts = Counter(value_of.values())
    split_of = {value: _SPLITS.get(value.casefold(), "") for value in counts}
    unknown = [value for value, split in split_of.items() if not split]
    if unknown:
        shown = ", ".join(f"{value!r} ({counts[value]} rows).{near(value, _SPLITS)}" for value in unknown[:5])
        raise SheetError(
            f"{table}: split is train, validation (dev) or test, or empty for neither; {len(unknown)} other values: "
            f"{shown} Correct them."
        )
    sizes = Counter(split_of[value] for value in value_of.values())
    if not sizes["train"] or not sizes["test"]:
        raise SheetError(
            f"{table}: split has rows in train and in test; found {dict(sizes)}. Name the parts so, or remove the "
            "column: every corpus has the config all, and from three speakers on speaker1, speaker2, ..."
        )
    splits = tuple(split for split in ("train", "validation", "test") if sizes[split])
    return {"official": OwnSplit(splits, "column split of its owner's table", value_of, split_of)}


def folds(table: str, value_of: Mapping[str, str]) -> dict[str, OwnSplit]:
    """Return fold1..foldN, from the filled cells of a column with N values; other rows are in no split.

    Fold k tests the rows with the k-th value and trains on those with any other; values are in the order of their
    numbers (2 before 10), so that fold k tests value k where the values are 1..N.

    Raises:
        SheetError: the column holds split names, one value, or more than `MOST_FOLDS`.
    """
    value_of = {name: _whole(value) for name, value in value_of.items()}
    values = sorted(set(value_of.values()), key=_by_number)
    if any(value.casefold() in _SPLITS for value in values):
        raise SheetError(
            f"{table}: fold says in which fold a row is tested, as 1, 2, ...; found {values[:5]}. If these are "
            "names of splits, call the column split."
        )
    if not 1 < len(values) <= MOST_FOLDS:
        raise SheetError(
            f"{table}: fold has 2 to {MOST_FOLDS} values, else a fold has nothing to train on, or too little to test; "
            f"found {len(values)}: {values[:5]}. Correct or remove the column."
        )
    return {
        f"fold{k}": OwnSplit(
            splits=("train", "test"),
            rule=f"column fold of its owner's table: {tested} tests, all others train",
            value_of=value_of,
            split_of={value: "test" if value == tested else "train" for value in values},
        )
        for k, tested in enumerate(values, start=1)
    }


def _whole(value: str) -> str:
    """Return 2 for 2.0: a column of numbers with empty cells becomes one of floats in pandas."""
    return re.sub(r"(?<=\d)\.0+$", "", value)


def _by_number(value: str) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"\d+|\D+", value.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts], value
