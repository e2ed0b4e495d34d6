"""Balanced sets: as many utterances of every speaker in every class, of those on which a model agrees with raters."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from loading_scripts.errors import SerbenchError, near


class BalancedError(SerbenchError, ValueError):
    """A table from which no balanced set of this size can be drawn."""


@dataclass(frozen=True)
class Balanced:
    """A balanced set.

    Args:
        keys: the drawn keys, by speaker, class and key; |S| |C| q of them.
        speakers: S, sorted.
        classes: C, sorted.
        per_cell: q, utterances of each speaker in each class.
        dropped: step -> rows that it left out, in the order of the steps; they sum to all rows that were not drawn.
    """

    keys: tuple[str, ...]
    speakers: tuple[str, ...]
    classes: tuple[str, ...]
    per_cell: int
    dropped: dict[str, int]


def balanced(
    rows: Iterable[Sequence[Any]],
    per_cell: int,
    classes: Sequence[str],
    seed: int,
    *,
    speakers: Sequence[str] | None = None,
    equal_genders: Mapping[str, str | None] | None = None,
) -> Balanced:
    """Draw a balanced set, as EmoBox's cross-corpus test sets are made (arXiv:2406.07162, Table 3).

    The paper keeps what a fine-tuned emotion2vec labels as the raters did, restricts it to four classes and some
    speakers, and picks the same number in every cell of speaker and class; how it picks is not said. Here the q keys
    of a cell with the smallest SHA-256 of (seed, speaker, class, key) are drawn, so neither the order of the rows nor
    what other cells hold changes them.

    Args:
        rows: (key, speaker, class), and where a model is to agree (key, speaker, class, predicted class); a fifth
            column, such as the model's score, is not looked at. Speaker None is unknown, such rows are left out.
        per_cell: q, at least 1.
        classes: names of the classes to keep.
        seed: seed of the draw.
        speakers: the speakers to keep; None for all who have q agreed rows in every class.
        equal_genders: speaker -> gender, to keep as many speakers of each gender: those of the largest are drawn.

    Raises:
        BalancedError: a cell of a given speaker with too few rows; no speaker who fills all cells; a key that comes
            twice; a speaker of unknown gender.
    """
    wanted = tuple(sorted(set(classes)))
    if per_cell < 1 or not wanted:
        raise BalancedError(
            f"Balanced set: needs one utterance per cell or more, and classes; {per_cell} and {list(classes)} given."
        )
    cells, dropped = _cells(rows, wanted)
    kept = _speakers(cells, per_cell, wanted, speakers)
    if equal_genders is not None:
        kept = _equal(kept, equal_genders, seed)
    keys: list[str] = []
    for speaker in kept:
        for name in wanted:
            held = cells[speaker, name]
            keys += sorted(sorted(held, key=partial(_rank, seed, speaker, name))[:per_cell])
    filling = sum(len(cells[cell]) for cell in cells if cell[0] in kept)
    dropped["speaker not kept"] = sum(map(len, cells.values())) - filling
    dropped["not drawn"] = filling - len(keys)
    return Balanced(tuple(keys), kept, wanted, per_cell, dropped)


def _cells(
    rows: Iterable[Sequence[Any]], classes: Sequence[str]
) -> tuple[defaultdict[tuple[str, str], list[str]], dict[str, int]]:
    """Return (speaker, class) -> keys on which the model agrees, and how many rows each filter dropped."""
    dropped = {"model disagrees": 0, "other class": 0, "unknown speaker": 0}
    cells: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for key, speaker, name, *predicted in rows:
        seen[key] += 1
        if predicted and predicted[0] != name:
            dropped["model disagrees"] += 1
        elif name not in classes:
            dropped["other class"] += 1
        elif speaker is None:
            dropped["unknown speaker"] += 1
        else:
            cells[speaker, name].append(key)
    twice = sorted(key for key, times in seen.items() if times > 1)
    if twice:
        raise BalancedError(f"Balanced set: every key must come once; {len(twice)} come twice, first {twice[0]!r}.")
    return cells, dropped


def _speakers(
    cells: Mapping[tuple[str, str], Sequence[str]],
    per_cell: int,
    classes: Sequence[str],
    asked: Sequence[str] | None,
) -> tuple[str, ...]:
    """Return the speakers whose cells are all large enough, sorted."""
    known = {speaker for speaker, _ in cells}
    held = {(speaker, name): len(cells.get((speaker, name), ())) for speaker in asked or known for name in classes}
    short = {cell: count for cell, count in held.items() if count < per_cell}
    if asked is None:
        full = sorted(known - {speaker for speaker, _ in short})
        if full:
            return tuple(full)
    elif not short:
        return tuple(sorted(set(asked)))
    where = [f"{speaker}, {name}: {short[speaker, name]}" for speaker, name in sorted(short)]
    hints = "".join(near(one, known) for one in sorted(set(asked or ()) - known)[:1])
    what = "no speaker has so many" if asked is None else "too few"
    raise BalancedError(
        f"Balanced set: needs {per_cell} agreed utterances in every cell of speaker and class; {what}: "
        + ("; ".join(where[:10]) or "the table has no rows left")
        + (f" and {len(where) - 10} more cells" if len(where) > 10 else "")
        + f". Draw fewer per cell, or leave these speakers out.{hints}"
    )


def _equal(speakers: Sequence[str], genders: Mapping[str, str | None], seed: int) -> tuple[str, ...]:
    """Return as many speakers of each gender; those of the larger one are drawn."""
    by_gender: defaultdict[str, list[str]] = defaultdict(list)
    for one in speakers:
        gender = genders.get(one)
        if gender is None:
            raise BalancedError(
                f"Balanced set, speaker {one!r}: needs a gender for equal numbers of each; it is unknown. Add it, or "
                "leave the speaker out."
            )
        by_gender[gender].append(one)
    if len(by_gender) < 2:
        raise BalancedError(
            f"Balanced set: equal numbers of each gender need speakers of two; all {len(speakers)} are "
            f"{next(iter(by_gender))}."
        )
    least = min(map(len, by_gender.values()))
    drawn = (sorted(held, key=partial(_rank, seed))[:least] for held in by_gender.values())
    return tuple(sorted(one for held in drawn for one in held))


def _rank(seed: int, *names: str) -> bytes:
    return hashlib.sha256(json.dumps([seed, *names]).encode()).digest()
