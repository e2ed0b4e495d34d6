"""Table 3 of Generalize: our accuracies beside the printed ones, and which of these are not to be trusted."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from model_cards.table import Table
from ser_metrics.published import NOTES, table

from ..results.beside import corpus_id
from ..results.line import Line

PUBLISHED = "generalize_table3"

COLUMNS = {
    ("4", "combined", "under"): "e4_comb_downsample",
    ("4", "combined", "none"): "e4_comb_original",
    ("4", "combined", "smote"): "e4_comb_smote",
    ("4", "combined", "adasyn"): "e4_comb_adasyn",
    ("4", "separate", "none"): "e4_separate",
    ("5", "combined", "under"): "e5_comb_downsample",
    ("5", "combined", "none"): "e5_comb_original",
    ("5", "combined", "smote"): "e5_comb_smote",
    ("5", "combined", "adasyn"): "e5_comb_adasyn",
    ("5", "separate", "none"): "e5_separate",
    ("n", "separate", "none"): "n_separate",
}
"""(emotions, mode, sampling) -> column of the published table."""

DOUBTFUL = {column: NOTES[PUBLISHED, column] for column in ("e4_comb_original", "e5_comb_adasyn")} | {
    "e5_comb_smote": f"{NOTES[PUBLISHED, 'e5_comb_adasyn'].replace('SMOTE', 'ADASYN')}; which is the copy is not known"
}
"""Published column -> why it is not to be compared with."""

MEAN = "mean"


@dataclass(frozen=True)
class Cell:
    """One cell of the table.

    Args:
        corpus: id of our record; `MEAN` for the mean over corpora.
        column: see `COLUMNS`.
        ours: accuracy in percent, the mean over folds and seeds; None where there is no line. The mean is over the
            corpora that have one.
        printed: as printed, percent; None where the paper has no such corpus.
        doubt: why the printed value is not to be trusted; empty where nothing speaks against it.
    """

    corpus: str
    column: str
    ours: float | None
    printed: float | None
    doubt: str = ""


@cache
def printed() -> dict[tuple[str, str], float]:
    """Return (corpus, column) -> printed accuracy in percent."""
    found = {}
    for row in table(PUBLISHED):
        corpus = MEAN if row["dataset"] == "Mean" else corpus_id(row["dataset"])
        found |= {(corpus, column): float(row[column]) for column in COLUMNS.values()}
    return found


def table3(lines: Iterable[Line]) -> list[Cell]:
    """Return our cells beside the printed ones: corpora in the order of the paper, then others, then the mean.

    Args:
        lines: of protocol generalize, one encoder and one set of options; others are passed over.
    """
    reached: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        key = tuple(line.options.get(name, "") for name in ("emotions", "mode", "sampling"))
        if line.protocol == "generalize" and key in COLUMNS:
            reached.setdefault((line.corpus, COLUMNS[key]), []).append(100 * line.scores["wa"])
    known = printed()
    corpora = list(dict.fromkeys(corpus for corpus, _ in (*known, *reached) if corpus != MEAN))
    ours = {key: float(np.mean(each)) for key, each in reached.items()}
    for column in COLUMNS.values():
        each = [ours[corpus, column] for corpus in corpora if (corpus, column) in ours]
        if each:
            ours[MEAN, column] = float(np.mean(each))
    return [
        Cell(corpus, column, ours.get((corpus, column)), known.get((corpus, column)), DOUBTFUL.get(column, ""))
        for corpus in (*corpora, MEAN)
        for column in COLUMNS.values()
    ]


def tables(lines: Sequence[Line]) -> list[Table]:
    """Return Table 3 of one system in parts: a table for each setting of emotions that has a line of ours."""
    cells = table3(lines)
    found = []
    for emotions in ("4", "5", "n"):
        columns = [column for (setting, *_), column in COLUMNS.items() if setting == emotions]
        mine = {(one.corpus, one.column): one for one in cells if one.column in columns}
        if all(one.ours is None for one in mine.values()):
            continue
        doubted = [column for column in columns if column in DOUBTFUL]
        header = ["corpus"]
        for column in columns:
            mark = f" [{doubted.index(column) + 1}]" if column in doubted else ""
            header += [column.partition("_")[2].replace("comb_", ""), f"printed{mark}"]
        rows = [
            [corpus, *(_shown(value) for column in columns for value in _pair(mine[corpus, column]))]
            for corpus in dict.fromkeys(corpus for corpus, _ in mine)
        ]
        number = len({one.corpus for one in mine.values() if one.ours is not None} - {MEAN})
        found.append(
            Table(
                title=f"Generalize, Table 3, {'native classes' if emotions == 'n' else f'{emotions} emotions'}: WA, %",
                header=header,
                rows=rows,
                notes=[
                    f"ours: mean over folds and seeds; its mean is over {number} corpora, the printed one over 11.",
                    *(f"[{at}] not comparable: {DOUBTFUL[column]}." for at, column in enumerate(doubted, 1)),
                ],
            )
        )
    return found


def _pair(cell: Cell) -> tuple[float | None, float | None]:
    return cell.ours, cell.printed


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
