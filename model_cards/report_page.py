"""The page of a benchmark: one HTML file with everything inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from .report_pictures import draw_layers, shade
from .table import Table


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
        published: tables with the published numbers beside ours, a table for each system.
        corpora: corpus by corpus.
    """

    name: str
    leaderboard: Table
    notes: Sequence[str]
    published: Sequence[Table]
    corpora: Sequence[CorpusResults]


@dataclass(frozen=True, kw_only=True)
class ReportPage:
    """The page.

    Args:
        summary: what there is, in sentences.
        legend: what marks mean.
        protocols: protocol by protocol.
        provenance: tables of where the numbers come from.
    """

    summary: Sequence[str]
    legend: Sequence[str]
    protocols: Sequence[ProtocolResults]
    provenance: Sequence[Table]


def render_report_page(page: ReportPage) -> str:
    """Return the page as HTML that needs no other file and no network."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["layers"] = draw_layers
    return environment.get_template("report.html.j2").render(page=page)
