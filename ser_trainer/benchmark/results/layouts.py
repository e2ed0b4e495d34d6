"""Layouts: the tables and heat maps of papers that show more than one value of a corpus, ours beside theirs."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from model_cards.report_page import HeatMap
from model_cards.table import NOTHING, Table, percent

from ..papers import generalize_table
from ..papers.serevals_matrix import Matrix, difference_table, matrix_table, names_of, published, reduced
from . import beside
from .averages import SEREVALS
from .outcomes import Outcome, pair, shortened


def of_system(found: Sequence[Outcome]) -> list[Table]:
    """Return what a paper shows of one system: EmoBox' and SER Evals' matrices of corpora; nothing for others."""
    protocol = found[0].system.protocol
    if protocol == "emobox-cross":
        return _pairs(found)
    return _serevals(found) if protocol == "serevals" else []


def of_protocol(found: Sequence[Outcome]) -> list[Table]:
    """Return what a paper shows of several systems at once: Generalize's and ExHuBERT's tables; nothing for others.

    Args:
        found: outcomes of one protocol and variant.
    """
    protocol = found[0].system.protocol
    if protocol == "generalize":
        return _generalize(found)
    if protocol == "exhubert":
        from ..papers import exhubert_tables  # needs `datasets`, two seconds

        return exhubert_tables.tables(line for one in found for line in one.lines)
    return []


def heat_maps(found: Sequence[Outcome]) -> list[HeatMap]:
    """Return SER Evals' matrix of one system, and the published one of its encoder, else the median of the published.

    Cells that the paper does not have stay empty in the second. Nothing for other protocols.
    """
    system = found[0].system
    if system.protocol != "serevals":
        return []
    ours = _matrix(found)
    row = beside.row_of(system.protocol, system.encoder)
    if row:
        theirs, whose = published()[row], f"{row} as published"
    else:
        every = list(published().values())
        theirs = {key: median(cells[key] for cells in every) for key in every[0]}
        whose = "median of the nine published encoders"
    names = names_of(ours)
    return [
        HeatMap(
            title=f"{whom}: macro F1, %, rows train, columns test",
            rows=names,
            columns=names,
            values=[[_times_100(cells.get((train, test))) for test in names] for train in names],
        )
        for whom, cells in ((f"{system.encoder}, ours", ours), (whose, theirs))
        if any(train in names and test in names for train, test in cells)
    ]


def cell_by_cell(found: Sequence[Outcome]) -> list[Table]:
    """Return every cell of SER Evals' matrix of one system beside those of the nine published encoders."""
    if found[0].system.protocol != "serevals":
        return []
    ours, rows = _matrix(found), published()
    shown = [
        [
            " > ".join(dict.fromkeys(key)),
            percent(value),
            *(percent(cells.get(key)) for cells in rows.values()),
        ]
        for key, value in ours.items()
    ]
    return [
        Table(
            title=f"{found[0].system.title}: cell by cell beside the nine published encoders, macro F1, %",
            header=["train > test", "ours", *rows],
            rows=shown,
        )
    ]


def _pairs(found: Sequence[Outcome]) -> list[Table]:
    """Return EmoBox' accuracies on pairs of corpora, once with rows that train, once with columns."""
    reached = {pair(one.corpus): percent(one.mean["wa"]) for one in found}
    names = sorted({corpus for both in reached for corpus in both})
    by_row = [[train, *(reached.get((train, test), NOTHING) for test in names)] for train in names]
    by_column = [[test, *(reached.get((train, test), NOTHING) for train in names)] for test in names]
    title = found[0].system.title
    return [
        Table(title=f"{title}: rows train, columns test", header=["WA, %", *names], rows=by_row),
        Table(title=f"{title}: columns train, rows test", header=["WA, %", *names], rows=by_column),
    ]


def _serevals(found: Sequence[Outcome]) -> list[Table]:
    """Return the matrix, what it differs from that of the same encoder by, and its averages among the published."""
    system, ours = found[0].system, _matrix(found)
    row = beside.row_of(system.protocol, system.encoder)
    shown = [
        matrix_table(reduced(ours), system.title),
        difference_table(ours, row) if row else None,
        _serevals_averages(system.encoder, ours),
    ]
    return [one for one in shown if one is not None]


def _serevals_averages(encoder: str, ours: Matrix) -> Table | None:
    """Return the averages over those of our cells that are published, ours among the nine; None if too few are."""
    rows = published()
    common = next(iter(rows.values())).keys() & ours.keys()
    sides = {f"{encoder}, ours": ours} | dict(rows)
    told = {name: reduced({key: cells[key] for key in common}).averages for name, cells in sides.items()}
    if not all(told.values()):
        return None
    columns = {name: SEREVALS.get(name, name) for name in ("weighted", "id_mean", "id_std", "ood_mean", "ood_std")}
    columns |= {"id_std": "sd of it", "ood_std": "sd of the means over rows"}
    ranked = sorted(told, key=lambda name: -told[name]["weighted"])
    return Table(
        title="SER Evals, Table 3: averages over the same cells, macro F1, %",
        header=["encoder", *columns.values()],
        rows=[[name, *(percent(told[name][one]) for one in columns)] for name in ranked],
        notes=[f"Over the {len(common)} cells that ours and the published matrices share, of their 95."],
    )


def _generalize(found: Sequence[Outcome]) -> list[Table]:
    """Return Table 3 for each encoder, pool of corpora and choice of options."""
    columns = ("emotions", "mode", "sampling", "corpora")
    runs: dict[tuple[str, ...], list[Outcome]] = {}
    for one in found:
        own = [option for option in one.system.options if option.partition("=")[0] not in columns]
        runs.setdefault((one.system.encoder, one.system.revision, *own), []).append(one)
    shown = []
    for (encoder, _, *own), each in runs.items():
        pools = {one: dict(one.lines[0].options).get("corpora") for one in each}
        combined = list(dict.fromkeys(filter(None, pools.values())))
        for pool in combined or [None]:  # models of one corpus stand beside each pool
            lines = [line for one in each if pools[one] in (None, pool) for line in one.lines]
            title = ", ".join([encoder, *map(shortened, own), *([f"pool {pool}"] if len(combined) > 1 else [])])
            shown += [replace(one, title=f"{title}: {one.title}") for one in generalize_table.tables(lines)]
    return shown


def _matrix(found: Sequence[Outcome]) -> Matrix:
    cells = {pair(one.corpus): one.mean["f1"] for one in found}
    return {(train, test or train): value for (train, test), value in cells.items()}


def _times_100(fraction: float | None) -> float | None:
    return None if fraction is None else 100 * fraction
