"""Published figures beside ours: the cells of the papers' tables by protocol, encoder and corpus."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from statistics import median

from ser_metrics.published import SEREVALS_CHECKPOINTS, table

from ...encoders import registry
from ..papers import serevals_corpora

TABLES = {
    "serab": "serab_table3",
    "emobox-intra": "emobox_table4",
    "emobox-cross": "emobox_table5",
    "serevals": "serevals_table3",
}
"""Protocol -> the published table of its results, and the key of `EncoderRecord.rows`. SER Evals' cells are those of
the matrices behind its table. Tables of Generalize and ExHuBERT have a layout of their own, see `layouts`."""

SERAB_TASKS = {
    "AES": "aesdd",
    "CAF": "cafe",
    "CRE": "cremad",
    "EMB": "emodb",
    "EMV": "emovo",
    "IEM": "iemocap",
    "RAV": "ravdess",
    "SAV": "savee",
    "SHE": "shemo",
}
"""SERAB's code of a task -> our corpus."""

SERAB_AVERAGES = ("UM", "WM", "GM")
"""Averages over the nine tasks that SERAB prints: plain, weighted with test sizes, geometric."""

CAPTION, HEADINGS = "caption", "headings"
"""Readings of EmoBox' Table 5: by its caption columns train, by the headings of the benchmark page rows do."""

NOTES = {
    "serab": "The published accuracies are each the best of five classifiers by accuracy on the test set.",
    "emobox-intra": "A published cell is no single run (most are no multiple of 1/n), and how it was selected is not "
    "said: compare ranks and differences of some points.",
    "emobox-cross": "Paper and benchmark page contradict each other about which corpus of a published cell trained; "
    "both readings are shown, and the mean of equation (1) is the same either way.",
    "serevals": "The published heads knew the true class priors of every test corpus, and a class that their training "
    "corpus lacks outweighs all others: cells that MESD trained are those of one constant answer.",
    "generalize": "No code of the paper was found; printed columns that contradict others are marked.",
    "exhubert": "The published splits and the map to six classes are not known.",
}
"""What to know before comparing with a cell; more stands in the README of `ser_metrics.published`."""


@dataclass(frozen=True)
class Cell:
    """A published value.

    Args:
        protocol: one of `TABLES`.
        encoder_row: what the table calls the encoder.
        corpus: id of our record; ``train>test`` for pairs; one of `SERAB_AVERAGES`.
        metric: ua, wa (accuracy) or f1.
        percent: as printed.
        reading: for emobox-cross `CAPTION` or `HEADINGS`, else empty.
    """

    protocol: str
    encoder_row: str
    corpus: str
    metric: str
    percent: float
    reading: str = ""


@dataclass(frozen=True)
class Context:
    """How the published encoders do on one corpus.

    Args:
        best: the highest value, percent.
        best_row: the encoder that has it.
        median: the median over encoders, percent.
        encoders: how many there are.
    """

    best: float
    best_row: str
    median: float
    encoders: int


@cache
def cells(protocol: str) -> tuple[Cell, ...]:
    """Return every published value of a protocol, empty where no paper printed its results.

    >>> [cell.percent for cell in cells("serab") if cell.encoder_row == "openSMILE" and cell.corpus == "emodb"]
    [90.5]
    """
    readers = {"serab": _serab, "emobox-intra": _emobox_intra, "emobox-cross": _emobox_cross, "serevals": _serevals}
    return tuple(readers[protocol]()) if protocol in readers else ()


@cache
def values(protocol: str, encoder_row: str) -> dict[tuple[str, str, str], float]:
    """Return (corpus, metric, reading) -> percent of one row."""
    found = (cell for cell in cells(protocol) if cell.encoder_row == encoder_row)
    return {(cell.corpus, cell.metric, cell.reading): cell.percent for cell in found}


@cache
def row_of(protocol: str, encoder: str) -> str | None:
    """Return what the published table of a protocol calls an encoder; None if it has no row there, or no record."""
    if encoder not in registry.ids() or protocol not in TABLES:
        return None
    return registry.load(encoder).rows.get(TABLES[protocol])


@cache
def context(protocol: str, corpus: str, metric: str, reading: str = "") -> Context | None:
    """Return how the published encoders do on a corpus; None if none was tested there."""
    wanted = (protocol, corpus, metric, reading)
    found = [one for one in cells(protocol) if (one.protocol, one.corpus, one.metric, one.reading) == wanted]
    if not found:
        return None
    best = max(found, key=lambda one: one.percent)
    return Context(best.percent, best.encoder_row, median(one.percent for one in found), len(found))


def corpus_id(name: str) -> str:
    """Return the id of the corpus that a paper calls so: letters and digits without case and accents.

    >>> corpus_id("CREMA-D"), corpus_id("Oréau")
    ('cremad', 'oreau')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "".join(filter(str.isalnum, plain)).casefold()


def _serab() -> Iterator[Cell]:
    columns = SERAB_TASKS | {name: name for name in SERAB_AVERAGES}
    for row in table(TABLES["serab"]):
        for column, corpus in columns.items():
            yield Cell("serab", row["model"], corpus, "wa", float(row[column]))


def _emobox_intra() -> Iterator[Cell]:
    for row in table(TABLES["emobox-intra"]):
        for metric in ("ua", "wa", "f1"):
            yield Cell("emobox-intra", row["model"], corpus_id(row["corpus"]), metric, float(row[metric]))


def _emobox_cross() -> Iterator[Cell]:
    for row in table(TABLES["emobox-cross"]):
        for reading, suffix in ((CAPTION, "caption"), (HEADINGS, "site_heading")):
            pair = ">".join(corpus_id(row[f"{side}_if_{suffix}"]) for side in ("train", "test"))
            yield Cell("emobox-cross", row["model"], pair, "wa", float(row["acc"]), reading)


def _serevals() -> Iterator[Cell]:
    rows = {checkpoint: row for row, checkpoint in SEREVALS_CHECKPOINTS.items()}
    for cell in table("serevals_matrix_macro_f1"):
        if cell["model"] in rows:
            both = dict.fromkeys(serevals_corpora.corpus_id(cell[side]) for side in ("train", "test"))
            yield Cell("serevals", rows[cell["model"]], ">".join(both), "f1", 100 * float(cell["macro_f1"]))
