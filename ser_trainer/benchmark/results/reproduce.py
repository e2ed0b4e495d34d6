"""Reproduce: one published cell run again; theirs, ours, the difference, an interval and a verdict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from loading_scripts import registry as records
from loading_scripts.errors import UnknownNameError, near
from model_cards.table import Table, percent
from ser_metrics.intervals import MIN_GROUPS

from ...encoders import registry
from ..corpora import CorpusRows
from ..machine import Machine
from ..plan import Plan, of_protocol
from ..protocol import ProtocolError, Setting
from ..study import Study, planned_studies
from . import beside
from .line import Results
from .outcomes import LEVEL, Interval, Outcome, interval, outcomes
from .stored import Stored
from .tables import difference, how_to_read, span

FOLDED = "emobox-intra"
"""The protocol whose cells are means over folds."""

PAIRED = ("emobox-cross", "serevals")
"""Protocols that run on two corpora or more: cells of pairs alone are run again."""


@dataclass(frozen=True)
class Published:
    """What a paper printed of one encoder on one corpus, or pair of corpora.

    Args:
        protocol: a key of `beside.TABLES`.
        corpus: id of our record; ``train>test`` across corpora.
        encoder: id of our record.
        row: what the table calls the encoder.
        values: its scores there; across corpora one for each reading of the table.
    """

    protocol: str
    corpus: str
    encoder: str
    row: str
    values: tuple[beside.Cell, ...]

    @property
    def address(self) -> str:
        """What names it: protocol/corpus/encoder."""
        return f"{self.protocol}/{self.corpus}/{self.encoder}"

    @property
    def table(self) -> str:
        """The published table, a name for `ser_metrics.published.table`."""
        return beside.TABLES[self.protocol]

    @property
    def corpora(self) -> list[str]:
        """The corpora that it needs."""
        return self.corpus.split(">")

    def plan(self, corpora: Sequence[CorpusRows], setting: Setting) -> Plan:
        """Return the plan of a study that runs this cell and no other.

        Raises:
            ProtocolError, CorpusError: the protocol cannot be run on these corpora.
        """
        every = of_protocol(self.protocol, corpora, setting).cells
        return Plan([one for one in every if any(corpus == self.corpus for corpus, *_ in one.cell.lines)])


def find(address: str) -> Published:
    """Return the published cell that an address names.

    Corpora and encoders are found by their letters and digits, so that names of papers do too.

    >>> find("emobox-intra/CREMA-D/WavLM base").address
    'emobox-intra/cremad/wavlm_base'

    Args:
        address: protocol/corpus/encoder; across corpora the corpus is ``train>test``.

    Raises:
        UnknownNameError: no paper printed such a cell; the message lists what there is.
    """
    name, _, rest = address.partition("/")
    corpus, _, word = rest.partition("/")
    if not word:
        raise UnknownNameError(
            f"Cell {address!r}: is named by PROTOCOL/CORPUS/ENCODER, as emobox-intra/ravdess/wavlm-base or "
            f"'emobox-cross/ravdess>savee/wavlm-base'. Protocols with published cells: {', '.join(beside.TABLES)}."
        )
    if name not in beside.TABLES:
        raise UnknownNameError(
            f"Cell {address!r}: protocol {name!r} has no published cells here.{near(name, beside.TABLES)} Protocols: "
            f"{', '.join(beside.TABLES)}."
        )
    printed = [
        cell
        for cell in beside.cells(name)
        if cell.corpus not in beside.SERAB_AVERAGES and (name not in PAIRED or ">" in cell.corpus)
    ]
    corpora = sorted({cell.corpus for cell in printed})
    wanted = ">".join(map(beside.corpus_id, corpus.split(">")))
    if wanted not in corpora:
        raise UnknownNameError(
            f"Cell {address!r}: {beside.TABLES[name]} has no corpus {corpus!r}.{near(wanted, corpora)} It has "
            f"{', '.join(corpora)}."
        )
    encoder, row = _encoder(address, name, word)
    values = tuple(cell for cell in printed if cell.corpus == wanted and cell.encoder_row == row)
    if not values:
        there = sorted({cell.corpus for cell in printed if cell.encoder_row == row})
        raise UnknownNameError(f"Cell {address!r}: {row} has no value there. It has {', '.join(there)}.")
    return Published(name, wanted, encoder, row, values)


def narrowed(published: Published, corpora: Sequence[CorpusRows], fold: int | None) -> list[CorpusRows]:
    """Return the corpora of a cell; with one fold alone if one is asked for.

    Raises:
        ProtocolError: the protocol has no folds, or the corpus not this one.
    """
    if fold is None:
        return list(corpora)
    if published.protocol != FOLDED:
        raise ProtocolError(f"--fold {fold}: is for {FOLDED}; {published.protocol} has no folds. Leave it out.")
    (corpus,) = corpora
    name = f"fold{fold}"
    if name not in corpus.folds():
        raise ProtocolError(f"--fold {fold}: corpus {corpus.id} has {', '.join(corpus.folds())}. Choose one of them.")
    return [replace(corpus, configs=("all", name))]


def prepared(
    published: Published,
    word: str,
    corpora: Sequence[CorpusRows],
    results: Results,
    setting: Setting,
    machine: Machine,
) -> tuple[Study, Plan]:
    """Return the study of a cell, with its encoder opened, and its plan.

    Args:
        published: the cell.
        word: what `open_encoder` takes.
        corpora: the corpora, see `narrowed`.
        results: gets the lines.
        setting: of the study.
        machine: where it runs.

    Raises:
        ProtocolError, CorpusError: the protocol cannot be run on these corpora.
    """
    make = partial(published.plan, corpora)
    return next(planned_studies(make, [word], results, setting, machine))


def rerun(published: Published, study: Study, planned: Plan, results: Results, again: bool = False) -> list[Stored]:
    """Run what a cell is made of, and return its lines; what is finished is not run again.

    Args:
        published: the cell.
        study: see `prepared`.
        planned: see `prepared`.
        results: those of the study.
        again: whether finished lines are run again.

    Raises:
        ResultsError: `results` holds a line of the same name that was made of something else.
    """
    study.run(planned.cells, again)
    wanted = {one for each in planned.cells for one in each.ids(study.encoder.name)}
    return [Stored(line, results) for line in results.lines() if line.id in wanted and line.corpus == published.corpus]


def comparison(
    published: Published, stored: Sequence[Stored], utterances: Mapping[str, int], fold: int | None = None
) -> Table:
    """Return theirs and ours as a table, with what a reader must know; its last notes are the verdicts.

    Everything of ours is computed from the stored predictions and confusion matrices.

    Args:
        published: the cell.
        stored: its lines.
        utterances: corpus -> how many utterances of it were there; a part of a corpus gets no verdict.
        fold: the only fold that was run, None for all; one fold gets no verdict.

    Raises:
        ResultsError: the predictions of a line are missing.
    """
    (outcome,) = outcomes(stored)
    unlike = _unlike(outcome, utterances)
    rows, verdicts = [], []
    for cell in published.values:
        told = interval(outcome, cell.metric)
        name = f"{cell.metric.upper()} {cell.reading}".rstrip()
        ours, pooled = outcome.mean[cell.metric], outcome.pooled[cell.metric]
        gap = difference(ours, cell.percent)
        rows.append([name, _printed(cell), percent(ours), gap, percent(pooled), span(told), told.by])
        if cell.metric == outcome.system.headline:
            said = f"cannot be told: {unlike}; ours is {gap} points off." if unlike else _verdict(cell, outcome, told)
            verdicts.append(f"Verdict on {name}: {said}")
    if fold is not None:
        verdicts = [f"fold{fold} alone: no verdict, as the published value is of all folds."]
    return Table(
        title=f"{published.address}, {outcome.system.variant}: {published.row} in {published.table}",
        header=["score", "published", "ours", "difference", "pooled", f"{100 * LEVEL:g} %", "drawn"],
        rows=rows,
        notes=[
            f"{_counted(len(outcome.configs), 'config')}, {_counted(outcome.seeds, 'seed')}, {outcome.n} test "
            f"utterances; encoder {outcome.system.encoder} {outcome.system.revision}, which has "
            f"{_EXPOSURES[outcome.exposure]} this corpus"
            + "".join(f"; {option}" for option in outcome.system.options)
            + ".",
            *how_to_read(published.protocol),
            *(f"Note: {flag}." for flag in outcome.flags),
            *verdicts,
        ],
    )


_EXPOSURES = {"seen": "seen", "not seen": "not seen", "unknown": "perhaps seen"}


def _verdict(cell: beside.Cell, outcome: Outcome, told: Interval) -> str:
    """Return whether a published value and ours agree, in a sentence.

    An interval over utterances is narrower than one over speakers: what lies within the one lies within the other, what
    lies outside may not.
    """
    theirs, where = f"the published {_printed(cell)}", f"our {100 * LEVEL:g} % interval, {span(told)} ({told.by})"
    gap = f"{difference(outcome.mean[cell.metric], cell.percent)} points"
    by_utterance = told.by == "utterances"
    if 100 * told.low <= cell.percent <= 100 * told.high:
        return f"agrees: {theirs} lies within {where}" + (f"; {_why(outcome)}." if by_utterance else ".")
    if by_utterance:
        return (
            f"cannot be told: {_why(outcome)}; ours is {gap} off, and {theirs} outside {where}, which says nothing of "
            "new speakers."
        )
    return f"differs by {gap}: {theirs} lies outside {where}."


def _unlike(outcome: Outcome, utterances: Mapping[str, int]) -> str:
    """Return in what ours was no run of the published experiment, empty if it was one."""
    told = [
        f"{number} of {records.load(corpus).CORPUS.utterances} utterances of {corpus} were there"
        for corpus, number in utterances.items()
        if corpus in records.ids() and number < records.load(corpus).CORPUS.utterances
    ]
    return ", ".join(
        told + [f"{one} is not the protocol's" for one in outcome.system.options if one.startswith("epochs=")]
    )


def _why(outcome: Outcome) -> str:
    """Return why an interval was drawn by utterance."""
    speakers = {row.speaker for one in outcome.stored for row in one.predictions()}
    if None in speakers:
        return "speakers are unknown"
    if len(speakers) < MIN_GROUPS:
        return f"too few speakers ({len(speakers)}; an interval over speakers takes {MIN_GROUPS})"
    return "no draw of speakers has every class"


def _encoder(address: str, name: str, word: str) -> tuple[str, str]:
    """Return id and published row of the encoder that a word means."""
    rows = {one: row for one in registry.ids() if (row := beside.row_of(name, one))}
    known = {_plain(called): one for one, row in rows.items() for called in (one, row, registry.load(one).name)}
    found = known.get(_plain(word)) or known.get(_plain(word.rpartition("/")[2]))  # a Hub id's last part
    if found is None:
        raise UnknownNameError(
            f"Cell {address!r}: {beside.TABLES[name]} has no encoder {word!r}.{near(word, rows)} It has "
            f"{', '.join(rows)}."
        )
    return found, rows[found]


def _printed(cell: beside.Cell) -> str:
    return f"{round(cell.percent, 2):g}"


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
