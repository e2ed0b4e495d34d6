"""The page of a benchmark: one HTML file with everything inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from .heat_map import heat_map
from .report_pictures import draw_layers, shade
from .table import Table

PAIRS = 20
"""Pairs of corpora that are listed one below the other, at most; the twelve of EmoBox are."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A confusion matrix.

    Args:
        title: whose it is.
        classes: names of its K classes.
        counts: (K, K) utterances, rows are references and columns predictions.
    """

    title: str
    classes: Sequence[str]
    counts: Sequence[Sequence[int]]

    @property
    def rows(self) -> list[tuple[str, list[tuple[int, str]], str]]:
        """Class, counts with their color, recall in percent of each row."""
        found = []
        for at, (name, row) in enumerate(zip(self.classes, self.counts, strict=True)):
            total = sum(row)
            cells = [(count, shade(count / total if total else 0.0)) for count in row]
            found.append((name, cells, f"{100 * row[at] / total:.1f}" if total else "-"))
        return found


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """A matrix of scores, drawn in colors; its arguments are those of `heat_map.heat_map`."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]


@dataclass(frozen=True, kw_only=True)
class CorpusResults:
    """What was reached on one corpus.

    Args:
        name: the corpus, or ``train>test``.
        table: its systems, best first.
        matrices: confusion matrices of the best.
        curves: name -> (layer, percent): scores over layers; empty without any.
        weights: name -> (layer, percent): learned weights of layers; empty without any.
        unit: what the curves are.
    """

    name: str
    table: Table
    matrices: Sequence[Matrix]
    curves: Mapping[str, Sequence[tuple[int, float]]]
    weights: Mapping[str, Sequence[tuple[int, float]]]
    unit: str


@dataclass(frozen=True, kw_only=True)
class ProtocolResults:
    """What was reached in one variant of a protocol.

    Args:
        name: protocol and variant.
        leaderboard: a row for each system.
        notes: how to read the tables that follow.
        heat_maps: matrices of corpora, ours and published.
        published: tables with the published numbers beside ours.
        corpora: corpus by corpus.
    """

    name: str
    leaderboard: Table
    notes: Sequence[str]
    heat_maps: Sequence[HeatMap]
    published: Sequence[Table]
    corpora: Sequence[CorpusResults]

    @property
    def folded(self) -> list[CorpusResults]:
        """Pairs of corpora, where there are too many to be listed one below the other; else none."""
        pairs = [one for one in self.corpora if ">" in one.name]
        return pairs if len(pairs) > PAIRS else []


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """The page, or one of several.

    Args:
        title: its heading.
        summary: what there is, in sentences.
        links: encoder -> file of its page, from this one; empty where the page is the only one.
        home: file of the page about all encoders; None on that page itself.
        about: tables that stand first.
        legend: what marks mean.
        protocols: protocol by protocol.
        provenance: tables of where the numbers come from.
    """

    title: str
    summary: Sequence[str]
    links: Mapping[str, str]
    home: str | None
    about: Sequence[Table]
    legend: Sequence[str]
    protocols: Sequence[ProtocolResults]
    provenance: Sequence[Table]


def render_report_page(page: ReportPage) -> str:
    """Return the page as HTML that needs no other file and no network; it links to those that it names."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["layers"] = draw_layers
    environment.filters["heat"] = lambda one: heat_map(one.rows, one.columns, one.values, title=one.title)
    return environment.get_template("report.html.j2").render(page=page)
