"""Study: protocols on encoders and corpora. What is finished is skipped, what was encoded is not encoded again."""

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from loading_scripts.errors import DiskFullError, SerbenchError

from ..encoders.encoder import Layers
from ..encoders.opening import resolve
from . import plan, protocol
from .cache import contents
from .cache.contents import Contents
from .cache.extract import extract
from .cache.features import Features
from .cache.sharing import rank
from .corpora import CorpusRows
from .lines import Source
from .machine import Machine
from .meter import Meter
from .opened import Opened, opened
from .plan import EVERY, Plan, Planned, Refusal
from .processes import alone, gathered
from .progress import StudyBar
from .protocol import Scored, Setting
from .results.line import Line, Results, ResultsError
from .tasks import Task

logger = logging.getLogger(__name__)

_POLL = 1.0  # seconds


def run(
    name: str,
    encoders: Sequence[str],
    corpora: Sequence[CorpusRows],
    results: Results,
    setting: Setting,
    machine: Machine,
    again: bool = False,
) -> None:
    """Run a protocol, cell by cell; each finished cell is a few lines in `results`, and is skipped from then on.

    Args:
        name: of the protocol.
        encoders: what `open_encoder` takes.
        corpora: corpora of the study.
        results: gets the lines.
        setting: what the user asks of the protocol.
        machine: where it runs.
        again: whether finished cells are run again.

    Raises:
        ResultsError: `results` holds a line of the same name that was made of other audio, features or splits.
        ProtocolError, CorpusError: the protocol cannot be run on these corpora.
    """
    check(name, encoders, setting)
    for study, planned in planned_studies(
        partial(plan.of_protocol, name, corpora), encoders, results, setting, machine
    ):
        study.run(planned.cells, again)


def run_all(
    encoders: Sequence[str],
    corpora: Sequence[CorpusRows],
    results: Results,
    setting: Setting,
    machine: Machine,
    again: bool = False,
    fine_tune: bool = False,
) -> list[Refusal]:
    """Run all protocols, each on those corpora that it can be run on; an encoder's features serve all of them.

    A protocol that refuses corpora, or a cell that fails, stops no other one.

    Args:
        encoders: as in `run`.
        corpora: as in `run`.
        results: as in `run`.
        setting: what the user asks; each protocol gets those of its options that it has.
        machine: as in `run`.
        again: as in `run`.
        fine_tune: whether to run what fine-tunes the encoder too, which takes hours.

    Returns:
        What was not run, and why; of all processes that share the study.

    Raises:
        ProtocolError: no protocol has one of the options.
        DiskFullError: what was finished is kept.
    """
    check(EVERY, encoders, setting)
    found: list[Refusal] = []
    make = partial(plan.of_every, corpora, fine_tune=fine_tune)
    for study, planned in planned_studies(make, encoders, results, setting, machine):
        found += [*planned.refusals, *study.run(planned.cells, again, keep_going=True)]
    return list(dict.fromkeys(one for each in gathered(found) for one in each))


def planned_studies(
    make: Callable[[Setting], Plan],
    encoders: Sequence[str],
    results: Results,
    setting: Setting,
    machine: Machine,
) -> Iterator[tuple["Study", Plan]]:
    """Open one encoder after the other; yield its study, and the plan for it.

    Args:
        make: makes a plan; it may depend on the depth of the encoder.
        encoders: as in `run`.
        results: as in `run`.
        setting: as in `run`.
        machine: as in `run`.
    """
    for word in encoders:
        encoder = opened(word, machine.device, machine.bf16, machine.trust_remote_code)
        own = replace(setting, depth=encoder.encoder.depth)
        yield Study(encoder, own.layers, machine, results), make(own)


def check(name: str, encoders: Sequence[str], setting: Setting) -> None:
    """Refuse what can be refused before anything is loaded.

    Args:
        name: of the protocol, or `plan.EVERY`.
        encoders: what `open_encoder` takes.
        setting: what the user asks of the protocol.

    Raises:
        UnknownNameError: no such protocol or encoder.
        EncoderError: there is no such file or folder.
        ProtocolError: the protocol has no such variant or option.
    """
    names = protocol.names() if name == EVERY else (name,)
    variants = list(dict.fromkeys(one for each in names for one in protocol.load(each).VARIANTS))
    if setting.variant not in variants:
        raise protocol.ProtocolError(
            f"Protocol {name}: its variants are {', '.join(variants)}; found {setting.variant!r}. Choose one of them."
        )
    protocol.options_of(names, setting.extra)
    for word in encoders:
        resolve(word)


class Study:
    """One encoder: the features of its corpora, shared by all protocols, and the lines of its cells.

    Args:
        encoder: the encoder.
        layers: which of its layers are looked at.
        machine: where it runs.
        results: gets the lines.
    """

    def __init__(self, encoder: Opened, layers: Layers, machine: Machine, results: Results):
        self.encoder, self.layers, self.machine, self._results = encoder, layers, machine, results
        self.word, self.folder = encoder.word, results.folder / "models"
        self._contents: dict[str, Contents] = {}
        self._features: dict[tuple[str, str], Features] = {}
        self._planned: Planned
        self._bar: StudyBar

    def run(self, cells: Sequence[Planned], again: bool, keep_going: bool = False) -> list[Refusal]:
        """Run the cells that are not finished; processes of torchrun or accelerate share them, and the encoding.

        Args:
            cells: the cells.
            again: whether finished ones are run again.
            keep_going: whether a cell that fails stops no other one; nobody waits for other processes then.

        Returns:
            The cells of this process that failed.
        """
        failures: list[Refusal] = []
        this, processes = rank()
        mine = _dealt(cells, this, processes)  # also what is finished: who starts late deals the same
        self._run(self.unfinished(mine, again, failures if keep_going else None), failures if keep_going else None)
        if processes > 1 and not keep_going:  # whoever prints waits for the others; torchrun ends all if one fails
            wanted = {one for planned in cells for one in planned.ids(self.encoder.name)}
            while this == 0 and not wanted <= {line.id for line in self._results.lines()}:
                time.sleep(_POLL)
        return failures

    def unfinished(
        self, cells: Sequence[Planned], again: bool = False, failures: list[Refusal] | None = None
    ) -> list[Planned]:
        """Return the cells whose lines are not all there.

        Args:
            cells: the cells.
            again: whether to return all of them.
            failures: gets the cells whose lines were made of something else, instead of a `ResultsError`.

        Raises:
            ResultsError: a line was made of something else.
        """
        held = {line.id: line for line in self._results.lines()}
        found = []
        for planned in cells:
            try:
                if again or not self._finished(planned, held):
                    found.append(planned)
            except ResultsError as error:
                _note(failures, planned, error)
        return found

    def _run(self, cells: Sequence[Planned], failures: list[Refusal] | None) -> None:
        if not cells:
            return
        _silence(any(one.cell.tunes for one in cells))
        needed = {corpus.id: corpus for one in cells for corpus in one.cell.corpora if not one.cell.tunes}
        work = {
            f"encode {one.id}": float(sum(facts["duration"] or 0.0 for facts in one.facts.values()))
            for one in needed.values()
        }
        with StudyBar(work | {one.cell.name: one.cell.work for one in cells}) as self._bar:
            for planned in cells:
                self._planned = planned
                self._bar.begin(planned.cell.name)
                try:
                    with alone(planned.cell.tunes):
                        for line, predictions in planned.cell.run(self):
                            self._results.add(line, predictions)
                except DiskFullError:
                    raise
                except SerbenchError as error:
                    _note(failures, planned, error)

    def features(self, corpus: CorpusRows, fit: Task) -> Features:
        """Return the features of a corpus; see `protocol.Encoded`."""
        fits = self.encoder.fits
        key = (corpus.id, f"{fit.config} {fit.split}" if fits else "")
        if key not in self._features:
            phase = f"encode {corpus.id}"
            self._bar.begin(f"{phase} with {self.encoder.name}")
            self._features[key] = extract(
                corpus.rows,
                self._fitted(fit) if fits else self.encoder.opener(self.machine.num_proc),
                corpus.id,
                layers=self.layers,
                num_proc=1 if fits else self.machine.num_proc,
                device=self.machine.device,
                progress=Meter(lambda seconds, told: self._bar.advance(phase, seconds, told)),
            )
            self._bar.begin(self._planned.cell.name)
        return self._features[key]

    def advance(self, work: float) -> None:
        """Count work of the cell that runs."""
        self._bar.advance(self._planned.cell.name, work)

    def contents(self, corpus: CorpusRows) -> Contents:
        """Return what the audio of a corpus is; it is decoded once."""
        if corpus.id not in self._contents:
            self._contents[corpus.id] = contents.check(corpus.rows, corpus.id, self.machine.num_proc)
        return self._contents[corpus.id]

    def scored(self, task: Task, predicted: np.ndarray, test: Task | None = None, **told: Any) -> Scored:
        """Return the line of a head, and its predictions; see `protocol.Encoded`."""
        identity = self.encoder.encoder.identity
        if not self._planned.cell.tunes:  # statistics of the training part may be in it
            identity = self.features((test or task).corpus, fit=task).identity
        corpora = [task.corpus] if test is None else [task.corpus, test.corpus]
        return self._source(self._planned, corpora, identity).line(task, predicted, test, **told)

    def _fitted(self, fit: Task) -> Any:
        """Return the encoder with statistics of the training part of a task, as far as it can be decoded."""
        return self.encoder.fitted(fit.without(dict.fromkeys(self.contents(fit.corpus).unreadable, "")))

    def _source(self, planned: Planned, corpora: Sequence[CorpusRows], identity: Mapping[str, Any]) -> Source:
        return Source(self.encoder, planned, {one.id: self.contents(one) for one in corpora}, identity)

    def _finished(self, planned: Planned, held: Mapping[str, Line]) -> bool:
        """Return whether all lines of a cell are there, made of what would be made of now.

        Raises:
            ResultsError: a line was made of something else.
        """
        known = [held[one] for one in planned.ids(self.encoder.name) if one in held]
        if known:
            source = self._source(planned, planned.cell.corpora, self.encoder.encoder.identity)
        for line in known:
            differ = source.differences(line)
            if differ:
                raise ResultsError(
                    f"Result {line.id} in {self._results.folder}: was made of something else; {'; '.join(differ)}. "
                    "Name another folder with --output, or run it anew with --again."
                )
        return len(known) == len(planned.cell.lines)


def _dealt(cells: Sequence[Planned], this: int, processes: int) -> list[Planned]:
    """Return the cells of a process: one after the other; all that fine-tune to the first, as stages need earlier ones.

    One training takes the whole machine; two processes would train what both need twice, into one folder.
    """
    heads = [one for one in cells if not one.cell.tunes]
    return heads[this::processes] + [one for one in cells if one.cell.tunes and this == 0]


def _note(failures: list[Refusal] | None, planned: Planned, error: SerbenchError) -> None:
    """Note that a cell failed, where the others go on; else raise what it raised."""
    if failures is None:
        raise error
    logger.warning("%s was not finished: %s", planned.cell.name, error)
    failures.append(Refusal(planned.protocol, planned.cell.name, str(error), failed=True))


def _silence(tunes: bool) -> None:
    """Keep transformers' own bars, as those of loading and writing weights, from tearing the bar of the study."""
    if tunes or "transformers" in sys.modules:
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
