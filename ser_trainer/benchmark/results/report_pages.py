"""Report pages: an index and a page for each encoder, all its protocols, its record and what it has seen."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from model_cards.report_page import ReportPage
from model_cards.table import Table

from ...encoders import registry
from ...encoders.table import details
from .leaderboards import Systems, across, first
from .outcomes import Outcome, System, outcomes, pair
from .report import page_of, write_page
from .stored import Stored, collector_at_rest
from .tables import by_protocol

INDEX = "index.html"
"""File of the page about all encoders."""


def write_pages(stored: Sequence[Stored], folder: Path) -> list[Path]:
    """Write a page for each encoder, then the index; return their files, the index first.

    Args:
        stored: lines with their predictions, `stored.read` gives them.
        folder: where to; it is made. Its other files stay as they are.

    Raises:
        ResultsError: the predictions are missing that an interval needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with collector_at_rest():
        shown = pages(stored)
        for name, page in reversed(shown.items()):  # the index links to pages that are there
            write_page(page, folder / name)
    return [folder / name for name in shown]


def pages(stored: Sequence[Stored]) -> dict[str, ReportPage]:
    """Return file -> page, the index first."""
    found = outcomes(stored)
    links = file_names(dict.fromkeys(one.system.encoder for one in found))
    shown = {INDEX: page_of(found, whole=lambda _: (), about=[across(by_protocol(found))], links=links)}
    for encoder, file in links.items():
        mine = [one for one in found if one.system.encoder == encoder]
        about = [*_record(encoder), _exposures(encoder, mine)]
        shown[file] = page_of(mine, whole=_on_last_layer, title=encoder, about=about, links=links, home=INDEX)
    return shown


def file_names(encoders: Iterable[str]) -> dict[str, str]:
    """Return encoder -> file of its page: its name where that can be a file's, else one that is like it.

    >>> file_names(["wavlm_base", "org/model"])
    {'wavlm_base': 'wavlm_base.html', 'org/model': 'org-model-c87c0c64.html'}
    """
    found: dict[str, str] = {}
    taken = {INDEX.removesuffix(".html")}
    for one in encoders:
        plain = re.sub(r"[^a-z0-9._]+", "-", one.casefold()).strip("-.")[:60]
        if plain != one or plain in taken:
            plain = f"{plain or 'encoder'}-{hashlib.sha256(one.encode()).hexdigest()[:8]}"
        taken.add(plain)
        found[one] = f"{plain}.html"
    return found


def _on_last_layer(systems: Systems) -> list[System]:
    """Return the systems on the last layer, which papers report; the first of the leaderboard where there is none."""
    return [one for one in systems if one.layer == "last"] or [first(systems)]


def _record(encoder: str) -> list[Table]:
    """Return what is known of an encoder, nothing without a record."""
    if encoder not in registry.ids():
        return []
    header, rows = details(registry.load(encoder))
    return [Table(title="The encoder", header=["fact", header[1]], rows=[[str(cell) for cell in row] for row in rows])]


def _exposures(encoder: str, found: Sequence[Outcome]) -> Table:
    """Return which of the corpora that tested it the encoder had seen, and where that is written."""
    record = registry.load(encoder) if encoder in registry.ids() else None
    sources = {one.corpus: f"{one.how}; {one.source}" for one in record.seen} if record else {}
    told: dict[str, set[str]] = {}
    for one in found:
        train, test = pair(one.corpus)
        told.setdefault(one.exposure, set()).add(test or train)
    rows = [["seen", corpus, sources.get(corpus, "said by its lines")] for corpus in sorted(told.get("seen", ()))]
    why = "its record does not say" if record else "no record; its card, if it was fine-tuned here, does not say"
    for word, where in (("unknown", why), ("not seen", "not among what it was trained on")):
        if word in told:
            rows.append([word, ", ".join(sorted(told[word])), where])
    return Table(title="Whether it had seen what tested it", header=["exposure", "corpora", "source"], rows=rows)
