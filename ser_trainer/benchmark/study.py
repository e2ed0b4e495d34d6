"""Study: a protocol on encoders and corpora. What is finished is skipped, what was encoded is not encoded again."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from tqdm import tqdm

from loading_scripts.listing import split_hash
from ser_metrics.core import confusion

from ..encoders.encoder import Layers
from ..encoders.opening import resolve
from . import contents, protocol
from .contents import Contents
from .corpora import CorpusRows
from .extract import extract
from .features import Features
from .opened import Opened, opened
from .progress import StudyBar
from .protocol import Cell, Scored, Setting
from .results import Line, Prediction, Results, ResultsError, line_id
from .sharing import rank
from .tasks import Task

_POLL = 1.0  # seconds

_PACKAGES = ("serbench", "datasets", "numpy", "scikit-learn", "torch", "transformers")


@dataclass(frozen=True)
class Machine:
    """Where a study runs; nothing of it changes a number, but for precision, which is part of an encoder's identity.

    Args:
        device: torch device of encoders and heads.
        num_proc: processes that encode.
        bf16: whether encoders compute in bfloat16.
        trust_remote_code: whether checkpoints may run code of their own.
    """

    device: str = "cpu"
    num_proc: int = 1
    bf16: bool = False
    trust_remote_code: bool = False


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
    module = protocol.load(name)
    for word in encoders:
        encoder = opened(word, machine.device, machine.bf16, machine.trust_remote_code)
        own = replace(setting, depth=encoder.encoder.depth)
        study = _Study(name, encoder, own, machine, results)
        study.run(module.cells(corpora, own), again)


def extract_features(
    encoders: Sequence[str], corpora: Sequence[CorpusRows], layers: Layers, machine: Machine
) -> Iterator[str]:
    """Encode corpora into the cache, with a bar; yield a sentence about each.

    Args:
        encoders: what `open_encoder` takes.
        corpora: the corpora.
        layers: which layers.
        machine: where it runs.

    Raises:
        ProtocolError: an encoder needs statistics of a training split, which only a protocol has.
    """
    for word in encoders:
        encoder = opened(word, machine.device, machine.bf16, machine.trust_remote_code)
        if encoder.fits:
            raise protocol.ProtocolError(
                f"Encoder {encoder.name}: normalizes by statistics of a training split, so its features belong to a "
                f"config. Run a protocol with it: serbench run emobox-intra --encoder {word} --corpora "
                f"{' '.join(one.id for one in corpora)}"
            )
        for corpus in corpora:
            with tqdm(total=len(corpus.ids), desc=f"{corpus.id} by {encoder.name}", unit=" utt", disable=None) as bar:
                meter = _Meter(lambda _, told, bar=bar: bar.set_postfix_str(told))
                features = extract(
                    corpus.rows,
                    encoder.opener(machine.num_proc),
                    corpus.id,
                    layers,
                    num_proc=machine.num_proc,
                    device=machine.device,
                    progress=lambda utterances, seconds, bar=bar, meter=meter: (
                        meter(utterances, seconds),
                        bar.update(utterances - bar.n),
                    ),
                )
            yield (
                f"{corpus.id} by {encoder.name}: {len(features)} of {len(corpus.ids)} utterances, "
                f"{features.header.contents.seconds / 3600:.2f} h of audio{meter.told and ', ' + meter.told}"
            )


def check(name: str, encoders: Sequence[str], setting: Setting) -> None:
    """Refuse what can be refused before anything is loaded.

    Args:
        name: of the protocol.
        encoders: what `open_encoder` takes.
        setting: what the user asks of the protocol.

    Raises:
        UnknownNameError: no such protocol or encoder.
        EncoderError: there is no such file or folder.
        ProtocolError: the protocol has no such variant.
    """
    variants = protocol.load(name).VARIANTS
    if setting.variant not in variants:
        raise protocol.ProtocolError(
            f"Protocol {name}: its variants are {', '.join(variants)}; found {setting.variant!r}. Choose one of them."
        )
    for word in encoders:
        resolve(word)


class _Meter:
    """Turns what is done so far into what was done since, and into a rate.

    Args:
        tell: gets seconds of audio since the last call, and the rate in words.
    """

    def __init__(self, tell: Callable[[float, str], None]):
        self._tell, self._seconds, self._start = tell, 0.0, time.monotonic()
        self._first: tuple[int, float] | None = None
        self.told = ""

    def __call__(self, utterances: int, seconds: float) -> None:
        """Take what is done so far; the first call tells what was in the cache."""
        if self._first is None:
            self._first, self._start = (utterances, seconds), time.monotonic()
        passed = time.monotonic() - self._start
        if passed > 0 and utterances > self._first[0]:
            rate, factor = (utterances - self._first[0]) / passed, (seconds - self._first[1]) / passed
            self.told = f"{rate:.1f} utterances/s, {factor:.0f} x real time"
        self._tell(seconds - self._seconds, self.told)
        self._seconds = seconds


class _Study:
    """One encoder in one protocol: the features of its corpora, and the lines of its cells.

    Args:
        name: of the protocol.
        encoder: the encoder.
        setting: what the user asks.
        machine: where it runs.
        results: gets the lines.
    """

    def __init__(self, name: str, encoder: Opened, setting: Setting, machine: Machine, results: Results):
        self._name, self._encoder, self._setting, self._machine = name, encoder, setting, machine
        self._results = results
        self.word, self.folder = encoder.word, results.folder / "models"
        self._contents: dict[str, Contents] = {}
        self._features: dict[tuple[str, str], Features] = {}
        self._cell: Cell
        self._bar: StudyBar

    def run(self, cells: Sequence[Cell], again: bool) -> None:
        """Run the cells that are not finished; processes of torchrun or accelerate share them, and the encoding."""
        held = {line.id: line for line in self._results.lines()}
        this, processes = rank()
        open_cells = [cell for cell in cells if again or not self._finished(cell, held)]
        self._run(open_cells[this::processes])
        if processes > 1:  # whoever prints the table waits for the others; torchrun ends all if one fails
            wanted = {one for cell in open_cells for one in self._ids(cell)}
            while this == 0 and not wanted <= {line.id for line in self._results.lines()}:
                time.sleep(_POLL)

    def _run(self, open_cells: Sequence[Cell]) -> None:
        if not open_cells:
            return
        needed = {corpus.id: corpus for cell in open_cells for corpus in cell.corpora if not cell.tunes}
        work = {
            f"encode {one.id}": float(sum(facts["duration"] or 0.0 for facts in one.facts.values()))
            for one in needed.values()
        }
        with StudyBar(work | {cell.name: cell.work for cell in open_cells}) as self._bar:
            for cell in open_cells:
                self._cell = cell
                for line, predictions in cell.run(self):
                    self._results.add(line, predictions)

    def features(self, corpus: CorpusRows, fit: Task) -> Features:
        """Return the features of a corpus; see `protocol.Encoded`."""
        key = (corpus.id, fit.split if self._encoder.fits else "")
        if key not in self._features:
            phase = f"encode {corpus.id}"
            self._bar.begin(f"{phase} with {self._encoder.name}")
            encoder = self._encoder.fitted(fit) if self._encoder.fits else self._encoder.opener(self._machine.num_proc)
            self._features[key] = extract(
                corpus.rows,
                encoder,
                corpus.id,
                layers=self._setting.layers,
                num_proc=1 if self._encoder.fits else self._machine.num_proc,
                device=self._machine.device,
                progress=_Meter(lambda seconds, told: self._bar.advance(phase, seconds, told)),
            )
            self._bar.begin(self._cell.name)
        return self._features[key]

    def advance(self, work: float) -> None:
        """Count work of the cell that runs."""
        self._bar.advance(self._cell.name, work)

    def contents(self, corpus: CorpusRows) -> Contents:
        """Return what the audio of a corpus is; it is decoded once."""
        if corpus.id not in self._contents:
            self._contents[corpus.id] = contents.check(corpus.rows, corpus.id, self._machine.num_proc)
        return self._contents[corpus.id]

    def scored(self, task: Task, predicted: np.ndarray, test: Task | None = None, **told: Any) -> Scored:
        """Return the line of a head, and its predictions; see `protocol.Encoded`."""
        own = test or task
        ids = own.parts["test"]
        predictions = [
            Prediction(one, speaker, own.labels[one], task.classes[at])
            for one, speaker, at in zip(ids, own.speakers(ids), predicted.tolist(), strict=True)
        ]
        matrix, _ = confusion(
            [one.prediction for one in predictions], [one.reference for one in predictions], labels=list(task.classes)
        )
        parts = {**task.parts, "test": ids}
        corpora = [task.corpus] if test is None else [task.corpus, test.corpus]
        identity = self._encoder.encoder.identity
        if not self._cell.tunes:  # statistics of the training part may be in it
            identity = self.features(own.corpus, fit=task).identity
        dropped = [*task.dropped.items(), *(test.dropped.items() if test else ())]
        line = Line(
            protocol=self._name,
            variant=self._setting.variant,
            corpus=">".join(one.id for one in corpora),
            config=own.config,
            encoder=self._encoder.name,
            revision=self._encoder.encoder.revision,
            classes=list(task.classes),
            confusion_matrix=matrix.tolist(),
            sizes={name: len(part) for name, part in parts.items()},
            seconds={
                "used": round(task.seconds(task.ids) + (test.seconds(ids) if test else 0.0), 3),
                "dropped": round(sum(own.seconds(lost) for _, lost in dropped), 3),
            },
            dropped={why: len(lost) for why, lost in dropped},
            content=">".join(self.contents(one).hash for one in corpora),
            split=split_hash(parts),
            features=features_hash(identity, self._setting.layers),
            exposure=str(self._encoder.exposure(own.corpus)),
            shared_speakers=None if test else task.shared_speakers(),
            options=dict(self._cell.options),
            versions=_versions(),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            **told | {"flags": [*task.flags(), *told.get("flags", ())]},
        )
        return line, predictions

    def _finished(self, cell: Cell, held: Mapping[str, Line]) -> bool:
        """Return whether all lines of a cell are there, made of what would be made of now.

        Raises:
            ResultsError: a line was made of something else.
        """
        known = [held[one] for one in self._ids(cell) if one in held]
        for line in known:
            self._check_same(cell, line)
        return len(known) == len(cell.lines)

    def _ids(self, cell: Cell) -> list[str]:
        return [
            line_id(self._name, self._setting.variant, corpus, config, self._encoder.name, layer, head, seed)
            for corpus, config, layer, head, seed in cell.lines
        ]

    def _check_same(self, cell: Cell, line: Line) -> None:
        of = {corpus.id: self.contents(corpus).hash for corpus in cell.corpora}
        now = {
            "audio of the corpus": (line.content, ">".join(of[one] for one in line.corpus.split(">"))),
            "revision of the encoder": (line.revision, self._encoder.encoder.revision),
            "options": (dict(line.options), dict(cell.options)),
        }
        if not self._encoder.fits:  # what statistics are fitted to is part of the audio
            now["features"] = (line.features, features_hash(self._encoder.encoder.identity, self._setting.layers))
        differ = [f"{what} was {then}, is {today}" for what, (then, today) in now.items() if then != today]
        if differ:
            raise ResultsError(
                f"Result {line.id} in {self._results.folder}: was made of something else; {'; '.join(differ)}. "
                "Name another folder with --output, or run it anew with --again."
            )


def features_hash(identity: Mapping[str, Any], layers: str) -> str:
    """Return what names features in a line: a hash of everything of their encoder that changes a value, 16 digits."""
    return hashlib.sha256(json.dumps([dict(identity), layers], sort_keys=True).encode()).hexdigest()[:16]


@cache
def _versions() -> dict[str, str]:
    """Return the versions of what computes the numbers."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # serbench from a checkout that is not installed
            found[package] = "not installed"
    return found
