"""Report: results as one page, with leaderboards, published numbers, confusion, layers and provenance."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from model_cards.report_page import CorpusResults, Matrix, ProtocolResults, ReportPage, render_report_page
from model_cards.report_pictures import COLORS
from model_cards.table import Table

from . import beside
from .averages import over_corpora
from .outcomes import METRICS, Outcome, System, outcomes
from .results import Line
from .stored import Stored, collector_at_rest
from .tables import NOTHING, Marks, corpus_table, folds, how_to_read, matrices, percent

BEST = 20
"""Systems in the table of a corpus, at most; the leaderboard has all."""

DRAWN = 3
"""Encoders whose confusion is shown for a corpus, at most."""

SYSTEM = ("encoder", "layer", "head")
"""Columns that name a system."""


def write_report(stored: Sequence[Stored], path: Path) -> None:
    """Write the page about results.

    Args:
        stored: lines with their predictions, `stored.read` gives them.
        path: HTML file to write; it is replaced as a whole.

    Raises:
        ResultsError: the predictions are missing that an interval needs.
    """
    with collector_at_rest():
        text = render_report_page(report_page(stored))
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def report_page(stored: Sequence[Stored]) -> ReportPage:
    """Return what the page says about results."""
    marks = Marks()
    found = outcomes(stored)
    by_protocol: dict[tuple[str, str], list[Outcome]] = {}
    for one in found:
        by_protocol.setdefault((one.system.protocol, one.system.variant), []).append(one)
    protocols = [_protocol(f"{protocol}, {variant}", each, marks) for (protocol, variant), each in by_protocol.items()]
    lines = [line for one in found for line in one.lines]
    systems, corpora = {one.system for one in found}, {one.corpus for one in found}
    summary = [
        f"{len(lines)} results of {len({one.encoder for one in systems})} encoders on {len(corpora)} corpora or pairs "
        f"of corpora, {_span(lines)}. Every value is computed from stored confusion matrices and predictions.",
        "Scores in percent. UA: unweighted accuracy, the mean of the recalls; WA: weighted accuracy, the share of "
        "right decisions; F1: macro F1. A value over several folds is the mean over them.",
    ]
    return ReportPage(
        summary=summary, legend=marks.legend(), protocols=protocols, provenance=[_corpora(lines), _systems(found)]
    )


def _protocol(name: str, found: Sequence[Outcome], marks: Marks) -> ProtocolResults:
    by_system: dict[System, list[Outcome]] = {}
    by_corpus: dict[str, list[Outcome]] = {}
    for one in found:
        by_system.setdefault(one.system, []).append(one)
        by_corpus.setdefault(one.corpus, []).append(one)
    published = []
    for system, each in by_system.items():
        if system.layer == "last" and beside.row_of(system.protocol, system.encoder):
            published += [*(matrices(each) if system.protocol == "emobox-cross" else ()), corpus_table(each, marks)]
    return ProtocolResults(
        name=name,
        leaderboard=_leaderboard(name, by_system, list(by_corpus), marks),
        notes=how_to_read(found[0].system.protocol),
        published=published,
        corpora=[_corpus(corpus, each, marks) for corpus, each in by_corpus.items()],
    )


def _leaderboard(
    name: str, by_system: Mapping[System, Sequence[Outcome]], corpora: Sequence[str], marks: Marks
) -> Table:
    """Return a row for each system: averages, then the headline of each corpus with its marks."""
    headline = next(iter(by_system)).headline
    averages = {system: over_corpora(each) for system, each in by_system.items()}
    names = list(
        dict.fromkeys((one.name, metric) for each in averages.values() for one in each for metric in one.values)
    )
    names.sort(key=lambda one: one[1] != headline)  # what the protocol reports first comes first; a stable sort
    ranked = []
    for system, each in by_system.items():
        values = {(one.name, metric): value for one in averages[system] for metric, value in one.values.items()}
        reached = {one.corpus: f"{percent(one.mean[headline])} {marks.of(one)}".rstrip() for one in each}
        cells = [*_where(system), f"{len(each)}/{len(corpora)}"]
        cells += [percent(values[key]) if key in values else NOTHING for key in names]
        rank = (-len(each), *(-values[key] if key in values else 1.0 for key in names[:1]))
        ranked.append((rank, [*cells, *(reached.get(corpus, NOTHING) for corpus in corpora)]))
    header = [*SYSTEM, "corpora"]
    header += [metric.upper() if name == "mean" else name for name, metric in names]
    notes = [
        f"{headline.upper()} of each corpus. A mean runs over the corpora that a system was tested on: compare rows "
        "that have the same ones. Systems on more corpora stand first."
    ]
    return Table(
        title=f"{name}: all systems",
        header=[*header, *corpora],
        rows=[row for _, row in sorted(ranked, key=lambda one: one[0])],
        notes=notes,
    )


def _corpus(corpus: str, found: Sequence[Outcome], marks: Marks) -> CorpusResults:
    headline = found[0].system.headline
    best = sorted(found, key=lambda one: -one.mean[headline])
    rows = [
        [
            *_where(one.system), folds(one), str(one.n),
            *(percent(one.mean[metric]) for metric in METRICS), percent(one.pooled[headline]), marks.of(one),
        ]
        for one in best[:BEST]
    ]  # fmt: skip
    header = [*SYSTEM, "folds", "n", *(metric.upper() for metric in METRICS)]
    of_each = {one.system.encoder: one for one in reversed(best)}  # the best of each encoder
    drawn = sorted(of_each.values(), key=best.index)[:DRAWN]
    left_out = [f"The best {BEST} of {len(best)} systems; the leaderboard has all."] if len(best) > BEST else []
    return CorpusResults(
        name=corpus,
        table=Table(
            title=f"{corpus}: systems by {headline.upper()}",
            header=[*header, f"{headline.upper()} pooled", "marks"],
            rows=rows,
            notes=left_out,
        ),
        matrices=[Matrix(title=str(one.system), classes=one.classes, counts=one.matrix.tolist()) for one in drawn],
        curves=_curves(best, headline),
        weights=_weights(best),
        unit=f"{headline.upper()}, %",
    )


def _where(system: System) -> list[str]:
    """Return the cells of `SYSTEM`."""
    return [system.encoder, system.layer, ", ".join(filter(None, (system.head, system.options)))]


def _curves(best: Iterable[Outcome], headline: str) -> dict[str, list[tuple[int, float]]]:
    """Return scores over layers of the systems that were run on several numbered ones, best first."""
    curves: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for one in best:
        if one.system.layer.isdigit():
            key = (one.system.encoder, one.system.revision, one.system.head, one.system.options)
            curves.setdefault(key, []).append((int(one.system.layer), 100 * one.mean[headline]))
    several = {key: curve for key, curve in curves.items() if len(curve) > 1}
    return {_named(key, several): curve for key, curve in list(several.items())[: len(COLORS)]}


def _weights(best: Iterable[Outcome]) -> dict[str, list[tuple[int, float]]]:
    """Return the weights of layers that heads learned, means over folds and seeds, best first."""
    learned: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for one in best:
        each = [line.hyperparameters["layer_weights"] for line in one.lines if "layer_weights" in line.hyperparameters]
        if each:
            key = (one.system.encoder, one.system.revision, one.system.head, one.system.options)
            means = [100 * sum(values) / len(values) for values in zip(*each, strict=True)]
            learned[key] = list(enumerate(means))
    return {_named(key, learned): curve for key, curve in list(learned.items())[: len(COLORS)]}


def _named(key: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> str:
    """Name a curve by its encoder, and by all else where that is not enough."""
    alone = sum(other[0] == key[0] for other in others) == 1
    return key[0] if alone else ", ".join(filter(None, key))


def _corpora(lines: Sequence[Line]) -> Table:
    """Return the test sets: sizes, hashes, shared speakers."""
    tests = {(line.protocol, line.variant, line.corpus, line.config, line.content, line.split): line for line in lines}
    rows = []
    for (*place, content, split), line in tests.items():
        sizes = " / ".join(map(str, line.sizes.values()))
        shared = "unknown" if line.shared_speakers is None else percent(line.shared_speakers)
        lost = ", ".join(f"{number} {why}" for why, number in line.dropped.items())
        rows.append((*place, sizes, f"{line.seconds['used'] / 3600:.2f}", lost, shared, content, split))
    counted: dict[tuple[str, ...], int] = {}
    for row in rows:
        counted[row[:4]] = counted.get(row[:4], 0) + 1
    twice = [" ".join(place) for place, number in counted.items() if number > 1]
    header = ["protocol", "variant", "corpus", "config", "sizes", "hours", "left out", "shared, %", "content", "split"]
    notes = [
        "sizes: train / validation / test; shared: test utterances whose speaker trains; content: hash of the audio; "
        "split: hash of the ids of each split.",
        *([f"Not all results are about the same test set: {', '.join(twice)}."] if twice else []),
    ]
    return Table(title="Test sets", header=header, rows=rows, notes=notes)


def _systems(found: Sequence[Outcome]) -> Table:
    """Return the systems: revisions, feature hashes, versions, dates, how heads were selected."""
    about: dict[System, list[Line]] = {}
    for one in found:
        about.setdefault(one.system, []).extend(one.lines)
    rows = []
    for system, lines in about.items():
        features = dict.fromkeys(line.features for line in lines)
        versions = dict.fromkeys(tuple(line.versions.items()) for line in lines)
        told = "; or ".join(", ".join(f"{name} {one}" for name, one in each) for each in versions)
        selection = "; or ".join(dict.fromkeys(line.selection for line in lines))
        where = [f"{system.protocol}, {system.variant}", str(system), system.revision, ", ".join(features)]
        rows.append([*where, selection, told, _span(lines)])
    header = ["protocol", "system", "revision", "features", "selection", "versions", "dates"]
    return Table(title="Systems", header=header, rows=rows)


def _span(lines: Sequence[Line]) -> str:
    """Return the first and the last day of lines."""
    days = {line.date[:10] for line in lines}
    return " to ".join(dict.fromkeys((min(days), max(days))))
