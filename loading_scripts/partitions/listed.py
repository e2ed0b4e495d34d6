"""Splits from packaged lists: utterance id -> split, exactly as published."""

import csv
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..utterance import Utterance

LISTS = Path(__file__).parent / "lists"


@cache
def read_list(corpus: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return the source of `lists/<corpus>.csv.xz`, and utterance id -> {config: split}.

    The first line of a list is a comment that states its source; an empty cell means "in no split".
    """
    with lzma.open(LISTS / f"{corpus}.csv.xz", "rt", encoding="utf-8", newline="") as file:
        source = file.readline().removeprefix("#").strip()
        return source, {row.pop("id"): row for row in csv.DictReader(file)}


@dataclass(frozen=True)
class Listed:
    """The split that a packaged list gives to each id.

    Args:
        corpus: name of the list.
        config: column of the list.
        splits: split names, in order.
    """

    corpus: str
    config: str
    splits: tuple[str, ...]

    @property
    def rule(self) -> str:
        """The list and its source."""
        return f"list of ids, column {self.config} of {self.corpus}.csv.xz ({read_list(self.corpus)[0]})"

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the listed split of every utterance, None for ids that are not listed or in no split."""
        _, listed = read_list(self.corpus)
        return [listed.get(one.id, {}).get(self.config) or None for one in utterances]


def listed_folds(corpus: str, folds: int, splits: tuple[str, ...] = ("train", "test")) -> dict[str, Listed]:
    """Return fold1..foldN of the packaged list of `corpus`.

    The number of folds and the split names stand in the record, so that listing configs opens no list.
    """
    return {f"fold{k}": Listed(corpus, f"fold{k}", splits) for k in range(1, folds + 1)}


def balanced(corpus: str) -> dict[str, Listed]:
    """Return `balanced`: EmoBox's test set of 240 utterances for models that were trained on another corpus.

    It has no train split. It overlaps the training sets of the folds.
    """
    return {"balanced": Listed(corpus, "balanced", ("test",))}
