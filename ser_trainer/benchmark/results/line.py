"""Results: one line of JSON for each number, the predictions behind it beside it."""

import csv
import gzip
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from filelock import FileLock

from loading_scripts.errors import SerbenchError
from ser_metrics.core import confusion
from ser_metrics.rates import from_confusion

LINES = "results.jsonl"
"""File of the lines in a folder of results."""

PREDICTIONS = "predictions"
"""Folder of the predictions in a folder of results: a gzipped CSV a line, named after the hash of the line's id."""

_COLUMNS = ("id", "speaker", "reference", "prediction")


class ResultsError(SerbenchError, ValueError):
    """A folder of results cannot be read, or its lines do not belong together."""


@dataclass(frozen=True)
class Prediction:
    """What a head said of one test utterance; class names, and None for an unknown speaker."""

    id: str
    speaker: str | None
    reference: str
    prediction: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One number with everything that it came from. Two lines with one `id` are the same experiment.

    Args:
        protocol: serab, emobox-intra, emobox-cross ...
        variant: ``strict`` or ``published``.
        corpus: the corpus that tests; for cross-corpus protocols ``train>test``.
        config: config of the corpus: serab, fold1 ...; the task where there is none.
        encoder: name of the encoder.
        revision: revision of the encoder, see `encoders.encoder.Encoder`.
        layer: ``last``, ``weighted``, or the number of one.
        head: kind of head or classifier.
        seed: seed of the head.
        hyperparameters: what was selected for the head: rates, widths, epoch ...
        selection: how it was selected, in a sentence.
        grid: what was selected from: a dict for each point with its hyperparameters, and ``validation``, the score that
            selected it.
        classes: names of the classes, in the order of the matrix.
        confusion_matrix: (K, K) counts of the test set; rows are references. All scores are computed from it.
        sizes: split -> utterances that were used.
        seconds: ``used`` and ``dropped``, seconds of audio over all splits.
        dropped: reason -> number of utterances that were left out.
        content: hash of the audio of the corpus: ids and samples.
        split: hash of the split, as `serbench info` prints it.
        features: hash of the identity of the encoder and how its features were cut and normalised.
        exposure: whether the encoder had seen the corpus: ``seen``, ``not seen``, ``unknown``.
        shared_speakers: share of test utterances whose speaker trains as well; None where speakers are unknown.
        flags: what a reader must know: leaks, classes that a split lacks, test-set selection ...
        options: options of the protocol that change a number, such as per-speaker normalisation.
        versions: package -> version.
        date: ISO 8601, UTC.
    """

    protocol: str
    variant: str
    corpus: str
    config: str
    encoder: str
    revision: str
    layer: str
    head: str
    seed: int
    hyperparameters: Mapping[str, Any]
    selection: str
    grid: Sequence[Mapping[str, Any]] = ()
    classes: Sequence[str]
    confusion_matrix: Sequence[Sequence[int]]
    sizes: Mapping[str, int]
    seconds: Mapping[str, float]
    dropped: Mapping[str, int] = field(default_factory=dict)
    content: str
    split: str
    features: str
    exposure: str
    shared_speakers: float | None
    flags: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str]
    date: str

    @property
    def id(self) -> str:
        """What names the experiment: protocol/variant/corpus/config/encoder/layer/head/seed."""
        where = (self.protocol, self.variant, self.corpus, self.config)
        return line_id(*where, self.encoder, self.layer, self.head, self.seed)

    @cached_property
    def scores(self) -> dict[str, float]:
        """`ua`, `wa`, `f1` (fractions) and more, from the confusion matrix alone; see `ser_metrics`."""
        return from_confusion(self.confusion_matrix, list(self.classes))

    @property
    def n(self) -> int:
        """Number of test utterances."""
        return sum(map(sum, self.confusion_matrix))


def line_id(
    protocol: str, variant: str, corpus: str, config: str, encoder: str, layer: str, head: str, seed: int
) -> str:
    """Return what names an experiment; slashes inside its parts become two hyphens."""
    parts = (protocol, variant, corpus, config, encoder, layer, head, str(seed))
    return "/".join(part.replace("/", "--") for part in parts)


_FIELDS = frozenset(one.name for one in fields(Line))

_TOGETHER = 256  # lines parsed by one call


@dataclass(frozen=True)
class Results:
    """A folder of results. Several processes may add to it at once.

    Args:
        folder: where it is; it is made by the first line.
    """

    folder: Path

    def lines(self) -> list[Line]:
        """Return all lines, the last one of each id, in the order in which the ids first came.

        A last line that a killed process left unfinished is not there.

        Raises:
            ResultsError: a line in the middle is no line of results.
        """
        try:
            text = (self.folder / LINES).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        found: dict[str, Line] = {}
        whole = text.split("\n")[:-1]  # what follows the last newline was never finished
        for start in range(0, len(whole), _TOGETHER):
            for number, held in enumerate(self._parsed(whole[start : start + _TOGETHER], start + 1), start + 1):
                line = self._line(held, number)
                found[line.id] = line
        return list(found.values())

    def _parsed(self, texts: list[str], first: int) -> list[Any]:
        """Return what lines hold, parsed together, which takes half the time; one by one to name a bad one."""
        try:
            held = json.loads(f"[{','.join(texts)}]")
            if len(held) == len(texts):
                return held
        except ValueError:
            pass
        return [self._parse(text, number) for number, text in enumerate(texts, first)]

    def _parse(self, text: str, number: int) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise ResultsError(
                f"Results {self.folder / LINES}, line {number}: must be JSON; {error}. Remove the line, and run the "
                "study again."
            ) from error

    def _line(self, held: Any, number: int) -> Line:
        where = f"Results {self.folder / LINES}, line {number}"
        if not isinstance(held, dict):
            raise ResultsError(f"{where}: must be a JSON object; it is {type(held).__name__}. Remove the line.")
        held.pop("id", None)
        held.pop("scores", None)
        if held.keys() != _FIELDS:
            odd = sorted(held.keys() ^ _FIELDS)
            raise ResultsError(
                f"{where}: has the fields of this version of serbench; these differ: {', '.join(odd)}. "
                "Run the study again into a new folder."
            )
        return Line(**held)

    def add(self, line: Line, predictions: Sequence[Prediction]) -> None:
        """Add a line and its predictions: first the predictions, atomically, then the line in one write.

        Raises:
            ResultsError: the predictions do not give the line's confusion matrix.
        """
        matrix, _ = confusion(
            [one.prediction for one in predictions], [one.reference for one in predictions], labels=list(line.classes)
        )
        if matrix.tolist() != [list(row) for row in line.confusion_matrix]:
            raise ResultsError(f"Result {line.id}: its predictions must give its confusion matrix; they do not.")
        place = self.predictions_file(line)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows((one.id, one.speaker or "", one.reference, one.prediction) for one in predictions)
        part = place.with_suffix(f".{os.getpid()}.part")
        with part.open("wb") as file:
            file.write(gzip.compress(text.getvalue().encode(), mtime=0))
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
        told = {"id": line.id, "scores": {name: line.scores[name] for name in ("ua", "wa", "f1")}} | asdict(line)
        with self._locked(), (self.folder / LINES).open("ab+") as file:
            _mend(file)
            file.write((json.dumps(told, ensure_ascii=False) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())

    def predictions(self, line: Line) -> list[Prediction]:
        """Return the predictions behind a line.

        Raises:
            ResultsError: their file is missing or damaged.
        """
        place = self.predictions_file(line)
        try:
            with gzip.open(place, "rt", encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            return [Prediction(one["id"], one["speaker"] or None, one["reference"], one["prediction"]) for one in rows]
        except (OSError, EOFError, KeyError) as error:
            raise ResultsError(
                f"Result {line.id}: its predictions lie in {place}; {error}. Remove its line, and run the study again."
            ) from error

    def predictions_file(self, line: Line) -> Path:
        """Return where the predictions of a line lie."""
        return self.folder / PREDICTIONS / f"{hashlib.sha256(line.id.encode()).hexdigest()[:16]}.csv.gz"

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with FileLock(self.folder / f".{LINES}.lock"):
            yield


def _mend(file: Any) -> None:
    """Cut off what a killed process left behind the last whole line; `file` is open for appending."""
    end = file.seek(0, os.SEEK_END)
    if not end:
        return
    file.seek(0)
    whole = file.read().rfind(b"\n") + 1
    if whole < end:
        file.truncate(whole)
    file.seek(0, os.SEEK_END)
