"""SER Evals' matrices: macro F1 of heads that one corpus trained and another tests, ours beside the published."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from model_cards.table import Table
from ser_metrics import averages

from ..results import beside
from ..results.line import Line
from ..results.outcomes import pair
from .serevals_corpora import ELIGIBLE

Matrix = Mapping[tuple[str, str], float]
"""(training corpus, test corpus) -> macro F1, a fraction; the same corpus twice: in domain."""

NOTHING = "-"


@dataclass(frozen=True)
class Reduced:
    """A matrix and its averages, fractions.

    Args:
        cells: the matrix.
        eligible: the corpora that averages out of domain run over: those of the paper's nine that are there, else all
            that are tested on another; empty where fewer than two are, or a pair of them is missing.
        rows: training corpus -> mean over the other eligible ones (the paper's Figure 2).
        columns: test corpus -> the same (Figure 3).
        averages: id_mean, id_std, ood_mean, ood_std and weighted, as `ser_metrics.averages.serevals` gives them; empty
            where `eligible` is, or fewer than two corpora were tested in domain.
    """

    cells: Matrix
    eligible: tuple[str, ...]
    rows: Mapping[str, float]
    columns: Mapping[str, float]
    averages: Mapping[str, float]

    @property
    def over(self) -> str:
        """What the averages run over, in words."""
        inside = sum(train == test for train, test in self.cells)
        named = f"{len(self.eligible)} of the paper's 9 corpora"
        if not set(self.eligible) <= set(ELIGIBLE):
            named = f"{', '.join(self.eligible)}, which are not the paper's nine"
        return f"{inside} corpora in domain; out of domain {named}"


def reduce(lines: Iterable[Line]) -> Reduced:
    """Return the matrix of one system, each cell the mean over its seeds, and its averages.

    Args:
        lines: of one encoder, variant and layer.
    """
    values: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        train, test = pair(line.corpus)
        values.setdefault((train, test or train), []).append(line.scores["f1"])
    return reduced({key: float(np.mean(each)) for key, each in values.items()})


def reduced(cells: Matrix) -> Reduced:
    """Return the averages of a matrix; see `Reduced`."""
    tested = dict.fromkeys(corpus for both in cells if both[0] != both[1] for corpus in both)
    eligible = tuple(corpus for corpus in ELIGIBLE if corpus in tested)
    if len(eligible) < 2:
        eligible = tuple(tested)
    if any((train, test) not in cells for train in eligible for test in eligible if train != test):
        eligible = ()
    rows = {one: float(np.mean([cells[one, other] for other in eligible if other != one])) for one in eligible}
    columns = {one: float(np.mean([cells[other, one] for other in eligible if other != one])) for one in eligible}
    inside = sum(train == test for train, test in cells)
    means = averages.serevals(cells, eligible) if eligible and inside > 1 else {}
    return Reduced(cells, eligible, rows, columns, means)


@cache
def published() -> Mapping[str, Matrix]:
    """Return the nine published matrices: row of Table 3 -> 95 cells."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for cell in beside.cells("serevals"):
        train, test = pair(cell.corpus)
        found.setdefault(cell.encoder_row, {})[train, test or train] = cell.percent / 100
    return found


def matrix_table(found: Reduced, title: str) -> Table:
    """Return a matrix in percent: rows train, columns test, means of rows and columns, averages as notes."""
    names = names_of(found.cells)
    rows = [
        [train, *(_percent(found.cells.get((train, test))) for test in names), _percent(found.rows.get(train))]
        for train in names
    ]
    rows.append(["mean", *(_percent(found.columns.get(test)) for test in names), ""])
    told = [f"{name.replace('_', ' ')} {_percent(value)}" for name, value in found.averages.items()]
    notes = ["Means leave the diagonal out." if found.rows else "No means: a pair of corpora is missing."]
    notes += [f"{', '.join(told)}; {found.over}."] if told else []
    return Table(
        title=f"{title}: macro F1, %, rows train, columns test",
        header=["train", *names, "mean"],
        rows=rows,
        notes=notes,
    )


def difference_table(cells: Matrix, row: str) -> Table | None:
    """Return our cells minus those of a published encoder in points; None where they have no cell in common.

    Args:
        cells: ours.
        row: the encoder, a row of Table 3.
    """
    theirs = published()[row]
    common = {key: cells[key] - theirs[key] for key in cells if key in theirs}
    if not common:
        return None
    names = names_of(common)
    rows = [
        [train, *(f"{100 * common[train, test]:+.1f}" if (train, test) in common else NOTHING for test in names)]
        for train in names
    ]
    return Table(
        title=f"Ours - {row} as published: macro F1, points, rows train, columns test",
        header=["train", *names],
        rows=rows,
        notes=[f"{len(common)} of our {len(cells)} cells are published."],
    )


def names_of(cells: Iterable[tuple[str, str]]) -> list[str]:
    """Return the corpora of cells: the paper's nine first, which fill a block."""
    found = {corpus for both in cells for corpus in both}
    return [one for one in ELIGIBLE if one in found] + sorted(found - set(ELIGIBLE))


def _percent(fraction: float | None) -> str:
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"
