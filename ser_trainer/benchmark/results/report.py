"""Report: results as one page, with leaderboards, published numbers, confusion, layers and provenance."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from model_cards.report_page import CorpusResults, HeatMap, Matrix, ProtocolResults, ReportPage, render_report_page
from model_cards.report_pictures import COLORS
from model_cards.table import Table, percent

from . import beside, layouts
from .leaderboards import SYSTEM, Systems, across, leaderboard, shared_options, where
from .outcomes import METRICS, Outcome, System, outcomes
from .provenance import span_of, systems_table, tests_table
from .stored import Stored, collector_at_rest
from .tables import Marks, by_protocol, corpus_table, folds, how_to_read

BEST = 20
"""Systems in the table of a corpus, at most; the leaderboard has all."""

DRAWN = 3
"""Encoders whose confusion is shown for a corpus, at most."""


def write_report(stored: Sequence[Stored], path: Path) -> None:
    """Write one page about results.

    Args:
        stored: lines with their predictions, `stored.read` gives them.
        path: HTML file to write; it is replaced as a whole.

    Raises:
        ResultsError: the predictions are missing that an interval needs.
    """
    with collector_at_rest():
        write_page(report_page(stored), path)


def write_page(page: ReportPage, path: Path) -> None:
    """Write a page to a file, which is replaced as a whole."""
    text = render_report_page(page)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def report_page(stored: Sequence[Stored]) -> ReportPage:
    """Return what the page about all encoders says; published numbers stand beside the encoders that have a row."""
    return page_of(outcomes(stored), whole=with_row)


def with_row(systems: Systems) -> list[System]:
    """Return the systems that a published row stands for: those on the last layer of its encoder."""
    return [one for one in systems if one.layer == "last" and beside.row_of(one.protocol, one.encoder)]


def page_of(
    found: Sequence[Outcome],
    *,
    whole: Callable[[Systems], Sequence[System]],
    title: str = "Benchmark of speech emotion recognition",
    about: Sequence[Table] | None = None,
    links: Mapping[str, str] | None = None,
    home: str | None = None,
) -> ReportPage:
    """Return a page about outcomes.

    Args:
        found: the outcomes.
        whole: which systems of a protocol have their tables beside the published numbers.
        title: heading of the page.
        about: tables that stand first; None: the encoders across the protocols, where there are several of these.
        links: see `ReportPage`.
        home: see `ReportPage`.

    Raises:
        ResultsError: the predictions are missing that an interval needs.
    """
    marks = Marks()
    grouped = by_protocol(found)
    protocols = [_protocol(", ".join(key), systems, marks, whole(systems)) for key, systems in grouped.items()]
    lines = [line for one in found for line in one.lines]
    encoders, corpora = {one.system.encoder for one in found}, {one.corpus for one in found}
    summary = [
        f"{len(lines)} results of {'1 encoder' if len(encoders) == 1 else f'{len(encoders)} encoders'} on "
        f"{len(corpora)} corpora or pairs of corpora, {span_of(lines)}. Every value is computed from stored confusion "
        "matrices and predictions.",
        "Scores in percent. UA: unweighted accuracy, the mean of the recalls; WA: weighted accuracy, the share of "
        "right decisions; F1: macro F1. A value over several folds is the mean over them.",
    ]
    if links and home is None:
        summary.append("Published numbers stand beside ours on the page of each encoder, with what it has seen.")
    if about is None:
        about = [across(grouped)] if len(grouped) > 1 else []
    return ReportPage(
        title=title,
        summary=summary,
        links=links or {},
        home=home,
        about=about,
        legend=marks.legend(),
        protocols=protocols,
        provenance=[tests_table(lines), systems_table(found)],
    )


def _protocol(name: str, systems: Systems, marks: Marks, whole: Sequence[System]) -> ProtocolResults:
    by_corpus: dict[str, list[Outcome]] = {}
    found = [one for each in systems.values() for one in each]
    for one in found:
        by_corpus.setdefault(one.corpus, []).append(one)
    shared = shared_options(systems)
    heat_maps: list[HeatMap] = []
    published = layouts.of_protocol(found)
    for system in whole:
        each = systems[system]
        heat_maps += layouts.heat_maps(each)
        published += [*layouts.of_system(each), corpus_table(each, marks), *layouts.cell_by_cell(each)]
    return ProtocolResults(
        name=name,
        leaderboard=leaderboard(name, systems, marks),
        notes=how_to_read(found[0].system.protocol),
        heat_maps=heat_maps,
        published=published,
        corpora=[_corpus(corpus, each, marks, shared) for corpus, each in by_corpus.items()],
    )


def _corpus(corpus: str, found: Sequence[Outcome], marks: Marks, shared: Collection[str]) -> CorpusResults:
    headline = found[0].system.headline
    best = sorted(found, key=lambda one: -one.mean[headline])
    rows = [
        [
            *where(one.system, shared), folds(one), str(one.n),
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


def _curves(best: Iterable[Outcome], headline: str) -> dict[str, list[tuple[int, float]]]:
    """Return scores over layers of the systems that were run on several numbered ones, best first."""
    curves: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for one in best:
        if one.system.layer.isdigit():
            key = (one.system.encoder, one.system.revision, one.system.head, ", ".join(one.system.options))
            curves.setdefault(key, []).append((int(one.system.layer), 100 * one.mean[headline]))
    several = {key: curve for key, curve in curves.items() if len(curve) > 1}
    return {_named(key, several): curve for key, curve in list(several.items())[: len(COLORS)]}


def _weights(best: Iterable[Outcome]) -> dict[str, list[tuple[int, float]]]:
    """Return the weights of layers that heads learned, means over folds and seeds, best first."""
    learned: dict[tuple[str, ...], list[tuple[int, float]]] = {}
    for one in best:
        each = [line.hyperparameters["layer_weights"] for line in one.lines if "layer_weights" in line.hyperparameters]
        if each:
            key = (one.system.encoder, one.system.revision, one.system.head, ", ".join(one.system.options))
            means = [100 * sum(values) / len(values) for values in zip(*each, strict=True)]
            learned[key] = list(enumerate(means))
    return {_named(key, learned): curve for key, curve in list(learned.items())[: len(COLORS)]}


def _named(key: tuple[str, ...], others: Iterable[tuple[str, ...]]) -> str:
    """Name a curve by its encoder, and by all else where that is not enough."""
    alone = sum(other[0] == key[0] for other in others) == 1
    return key[0] if alone else ", ".join(filter(None, key))
