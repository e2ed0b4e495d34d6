"""Tables for the terminal: what was reached, beside what was published."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from loading_scripts import registry as corpora
from model_cards.table import NOTHING, Table, percent
from ser_metrics.intervals import MIN_GROUPS
from ser_metrics.published import SERAB_SIZES

from . import beside, layouts
from .averages import Average, average, over_corpora
from .beside import NOTES, SERAB_AVERAGES, SERAB_TASKS
from .outcomes import LEVEL, METRICS, Interval, Outcome, System, interval, outcomes
from .stored import Stored

SHOWN = {"serab": ("wa", "ua"), "emobox-cross": ("wa",), "serevals": ("f1", "ua")}
"""Protocol -> scores in its table; all of `METRICS` for others."""

EXPOSURES = {
    "seen": ("*", "the encoder was trained on this corpus, see `serbench encoders`"),
    "unknown": ("?", "whether the encoder was trained on this corpus is not known"),
}
"""Exposure -> its mark and what the mark means; no mark: not seen."""


class Marks:
    """Marks of exposure and of flags, numbered as they come, and their legend."""

    def __init__(self) -> None:
        self._exposures: set[str] = set()
        self._flags: dict[str, dict[str, None]] = {}

    def of(self, outcome: Outcome) -> str:
        """Return the marks of an outcome: ``*``, ``?`` and the numbers of its flags, ``*[1,2]`` for example.

        Flags that say the same up to a colon have one number.
        """
        mark = EXPOSURES[outcome.exposure][0] if outcome.exposure in EXPOSURES else ""
        if mark:
            self._exposures.add(outcome.exposure)
        flags = outcome.flags
        if not flags:
            return mark
        for flag in flags:
            self._flags.setdefault(flag.partition(":")[0], {})[flag] = None
        kinds = list(self._flags)
        numbers = sorted({kinds.index(flag.partition(":")[0]) + 1 for flag in flags})
        return f"{mark}[{','.join(map(str, numbers))}]"

    def legend(self) -> list[str]:
        """Return what the marks mean that were used, a line each."""
        told = [f"{mark}  {meaning}" for name, (mark, meaning) in EXPOSURES.items() if name in self._exposures]
        for number, (kind, flags) in enumerate(self._flags.items(), 1):
            details = [flag.partition(":")[2].strip() for flag in flags]
            shown = "; ".join(filter(None, details[:3])) + (
                f"; and {len(details) - 3} more" if len(details) > 3 else ""
            )
            told.append(f"[{number}]  {kind}" + (f": {shown}" if shown else ""))
        return told


def tables(stored: Iterable[Stored]) -> list[Table]:
    """Return the tables of each protocol: for each system its matrix of corpora, if any, and its corpora; then layouts.

    Args:
        stored: lines with their predictions, `stored.read` gives them.

    Raises:
        ResultsError: the predictions of a line are missing.
    """
    found = []
    for by_system in by_protocol(outcomes(stored)).values():
        for system, each in by_system.items():
            marks = Marks()
            table = corpus_table(each, marks)
            notes = [*how_to_read(system.protocol), *table.notes, *marks.legend()]
            found += [*layouts.of_system(each), replace(table, notes=notes)]
        found += layouts.of_protocol([one for each in by_system.values() for one in each])
    return found


def by_protocol(found: Iterable[Outcome]) -> dict[tuple[str, str], dict[System, list[Outcome]]]:
    """Return (protocol, variant) -> system -> outcomes, each in the order in which they come."""
    held: dict[tuple[str, str], dict[System, list[Outcome]]] = {}
    for one in found:
        held.setdefault((one.system.protocol, one.system.variant), {}).setdefault(one.system, []).append(one)
    return held


def corpus_table(found: Sequence[Outcome], marks: Marks) -> Table:
    """Return the table of one system: a row for each corpus, then averages; ours, published, difference, interval.

    Where the encoder has no published row, the best and the median published value of each corpus stand there.

    Args:
        found: outcomes of the system.
        marks: numbers the flags; the caller shows its legend.

    Raises:
        ResultsError: the predictions of a line are missing.
    """
    system = found[0].system
    row = beside.row_of(system.protocol, system.encoder)
    columns = [(metric, readings(system.protocol, metric)) for metric in SHOWN.get(system.protocol, METRICS)]
    header = ["train>test" if any(">" in one.corpus for one in found) else "corpus", "folds", "n"]
    for metric, each in columns:
        header.append(metric.upper())
        for reading in each:
            header += [reading or "published", "diff"] if row else [f"best {reading}".rstrip(), "median"]
    header += [f"{system.headline.upper()} pooled", f"{100 * LEVEL:g} %", "drawn", "marks"]
    rows = []
    for one in found:
        cells = [one.corpus, folds(one), str(one.n)]
        for metric, each in columns:
            cells.append(percent(one.mean[metric]))
            for reading in each:
                cells += _beside(system.protocol, row, one, metric, reading)
        told = interval(one, system.headline)
        rows.append([*cells, percent(one.pooled[system.headline]), span(told), told.by, marks.of(one)])
    for one in over_corpora(found):
        cells = [f"{one.name}, {one.over}", "", ""]
        for metric, each in columns:
            cells.append(percent(one.values[metric]) if metric in one.values else NOTHING)
            for reading in each:
                told = published_average(found, row, one, metric, reading) if row else None
                cells += [NOTHING] * 2 if told is None else [f"{told:.1f}", difference(one.values[metric], told)]
        rows.append([*cells, NOTHING, NOTHING, "", ""])
    return Table(title=system.title, header=header, rows=rows, notes=_published_by(system, row))


def how_to_read(protocol: str) -> list[str]:
    """Return what holds for all tables of a protocol."""
    told = [
        f"All in percent; UA, WA, F1: mean over folds; pooled: all folds as one test set, with its {100 * LEVEL:g} % "
        "interval.",
        f"drawn: speakers where {MIN_GROUPS} or more are known, else utterances, which says nothing of new speakers.",
    ]
    return [*told, NOTES[protocol]] if protocol in NOTES else told


def folds(outcome: Outcome) -> str:
    """Return how many configs have a result, ``2/5`` where folds are missing; ``x3`` for three seeds."""
    number = str(len(outcome.configs))
    if all(name.startswith("fold") for name in outcome.configs) and _folds_of(outcome.corpus) > len(outcome.configs):
        number += f"/{_folds_of(outcome.corpus)}"
    return number + (f" x{outcome.seeds}" if outcome.seeds > 1 else "")


@cache
def _folds_of(corpus: str) -> int:
    """Return how many folds the record of a corpus has; 0 where there is no record."""
    if corpus not in corpora.ids():
        return 0
    return sum(name.removeprefix("fold").isdigit() for name in corpora.load(corpus).CORPUS.config_names())


def span(told: Interval) -> str:
    """Return an interval in percent."""
    return f"{percent(told.low)} to {percent(told.high)}"


def difference(fraction: float, published: float) -> str:
    """Return ours minus published in points; `published` is percent."""
    return f"{100 * fraction - published:+.1f}"


def readings(protocol: str, metric: str) -> tuple[str, ...]:
    """Return the readings of the published values of a score, one empty one where there is one; none where no value."""
    return tuple(dict.fromkeys(cell.reading for cell in beside.cells(protocol) if cell.metric == metric))


def published_average(found: Sequence[Outcome], row: str, wanted: Average, metric: str, reading: str) -> float | None:
    """Return a published average over the same corpora in percent: as printed if it was, else from its cells.

    Args:
        found: our outcomes.
        row: the published encoder.
        wanted: our average.
        metric: the score.
        reading: the reading of the table.

    Returns:
        None if a cell is missing.
    """
    protocol = found[0].system.protocol
    printed = beside.values(protocol, row)
    if wanted.name in SERAB_AVERAGES and set(SERAB_TASKS.values()) <= {one.corpus for one in found}:
        return printed.get((wanted.name, metric, reading))
    corpora_there = [one.corpus for one in found if protocol != "serab" or one.corpus in SERAB_TASKS.values()]
    if any((corpus, metric, reading) not in printed for corpus in corpora_there):
        return None
    reached = {corpus: {metric: printed[corpus, metric, reading]} for corpus in corpora_there}
    sizes = {SERAB_TASKS[task]: number for task, number in SERAB_SIZES.items()}
    each = {one.name: one for one in average(protocol, reached, sizes)}
    return each[wanted.name].values[metric]


def _beside(protocol: str, row: str | None, one: Outcome, metric: str, reading: str) -> list[str]:
    """Return published value and difference, or best and median of the published encoders."""
    if row:
        printed = beside.values(protocol, row).get((one.corpus, metric, reading))
        return [NOTHING] * 2 if printed is None else [f"{printed:.1f}", difference(one.mean[metric], printed)]
    known = beside.context(protocol, one.corpus, metric, reading)
    return [NOTHING] * 2 if known is None else [f"{known.best:.1f}", f"{known.median:.1f}"]


def _published_by(system: System, row: str | None) -> list[str]:
    """Say whose published values stand beside ours."""
    if not beside.cells(system.protocol):
        return []
    if row:
        return [f"published: {row} in {beside.TABLES[system.protocol]}; diff: ours - published, in points."]
    return [f"{system.encoder} has no published row: best and median are those of the published encoders."]
