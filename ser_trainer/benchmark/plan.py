"""Plan: the cells that a study runs, of one protocol or of all, and what cannot be run, with the reason."""

import logging
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from . import protocol
from .corpora import CorpusError, CorpusRows
from .protocol import Cell, ProtocolError, Setting
from .results.line import line_id

EVERY = "all"
"""What `serbench run` calls all protocols together."""


@dataclass(frozen=True, eq=False)
class Planned:
    """A cell, and whose it is.

    Args:
        protocol: name of its protocol.
        setting: what the user asks of it.
        cell: the cell.
    """

    protocol: str
    setting: Setting
    cell: Cell

    def ids(self, encoder: str) -> list[str]:
        """Return the ids of its lines with an encoder of this name."""
        return [
            line_id(self.protocol, self.setting.variant, corpus, config, encoder, layer, head, seed)
            for corpus, config, layer, head, seed in self.cell.lines
        ]


@dataclass(frozen=True)
class Refusal:
    """What is not run.

    Args:
        protocol: name of the protocol.
        what: ids of corpora, or the name of a cell that stopped.
        why: what was said.
        failed: whether it stopped while it ran, so that running it again may help.
    """

    protocol: str
    what: str
    why: str
    failed: bool = False


@dataclass(frozen=True, eq=False)
class Plan:
    """What a study runs.

    Args:
        cells: in their order.
        refusals: what it would run on other corpora, or with other options.
    """

    cells: Sequence[Planned]
    refusals: Sequence[Refusal] = field(default_factory=tuple)


def of_protocol(name: str, corpora: Sequence[CorpusRows], setting: Setting) -> Plan:
    """Return the plan of one protocol.

    Raises:
        ProtocolError, CorpusError: it cannot be run on these corpora.
    """
    return Plan([Planned(name, setting, cell) for cell in protocol.load(name).cells(corpora, setting)])


def of_every(corpora: Sequence[CorpusRows], setting: Setting, fine_tune: bool = False) -> Plan:
    """Return the plan of all protocols, each on those corpora that it can be run on.

    Args:
        corpora: the corpora of the study.
        setting: what the user asks; each protocol gets those of its options that it has.
        fine_tune: whether cells that fine-tune the encoder are among them.

    Raises:
        ProtocolError: no protocol has one of the options.
    """
    names = protocol.names()
    extra = protocol.options_of(names, setting.extra)
    cells: list[Planned] = []
    refusals: list[Refusal] = []
    for name in names:
        own = replace(setting, extra=extra[name])
        with _untold(not fine_tune):
            found, refused = _on_most(name, corpora, own)
        tuning = [one for one in found if one.cell.tunes]
        if tuning and not fine_tune:
            found = [one for one in found if not one.cell.tunes]
            what = _ids(one for planned in tuning for one in planned.cell.corpora)
            refused.append(Refusal(name, what, "It fine-tunes the encoder, which takes hours: add --fine-tune."))
        cells += found
        refusals += refused
    return Plan(cells, refusals)


def refused(refusals: Sequence[Refusal]) -> str:
    """Return what was not run, a paragraph each, for a terminal."""
    told = [f"{each.protocol}, {each.what}: {' '.join(each.why.split())}" for each in refusals]
    return "\n".join(["Not run", *(textwrap.fill(line, 118, subsequent_indent="  ") for line in told)])


def _on_most(name: str, corpora: Sequence[CorpusRows], setting: Setting) -> tuple[list[Planned], list[Refusal]]:
    """Return the cells of a protocol on all corpora that it takes, and what it says of the others."""
    left, refusals = list(corpora), list[Refusal]()
    if setting.variant not in protocol.load(name).VARIANTS:
        return [], [Refusal(name, _ids(left), f"It has no variant {setting.variant}.")]
    while left:
        try:
            return list(of_protocol(name, left, setting).cells), refusals
        except (ProtocolError, CorpusError) as error:
            corpus = _at_fault(name, left, setting, error) if isinstance(error, CorpusError) else None
            if corpus is None:
                return [], [*refusals, Refusal(name, _ids(left), str(error))]
            refusals.append(Refusal(name, corpus.id, str(error)))
            left.remove(corpus)
    return [], refusals


def _at_fault(name: str, corpora: Sequence[CorpusRows], setting: Setting, said: CorpusError) -> CorpusRows | None:
    """Return the corpus without which a protocol does not say the same; those that the message names are tried first.

    None if it says the same without any of them, or if there is only one.
    """
    if len(corpora) == 1:
        return None
    for corpus in sorted(corpora, key=lambda corpus: corpus.id not in str(said)):
        try:
            of_protocol(name, [other for other in corpora if other is not corpus], setting)
        except (ProtocolError, CorpusError) as error:
            if str(error) == str(said):
                continue
        return corpus
    return None


def _ids(corpora: Iterable[CorpusRows]) -> str:
    return " ".join(dict.fromkeys(corpus.id for corpus in corpora))


@contextmanager
def _untold(quiet: bool) -> Iterator[None]:
    """Keep protocols that will not be run from telling what they would train on."""
    logger = logging.getLogger("ser_trainer.benchmark.protocols")
    level = logger.level
    if quiet:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
