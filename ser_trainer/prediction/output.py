"""Predictions as text, a line for each as it comes: a table to read, CSV, JSON, JSON lines."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, TextIO

from .arousal_valence import COLUMNS, marginals
from .inference import Prediction
from .sources import PredictionError


@dataclass(frozen=True)
class Layout:
    """What the lines of one run have in common.

    Args:
        names: classes, or dimensions of ratings, in the order of the columns.
        ratings: whether they are dimensions.
        calibrated: whether a temperature was fitted for the probabilities.
        timeline: whether lines are windows, with start and end.
        quadrants: class -> quadrant, if arousal and valence are shown too; see `arousal_valence.quadrants`.
        width: characters of the longest file name; only tables need it.
    """

    names: list[str]
    ratings: bool = False
    calibrated: bool = False
    timeline: bool = False
    quadrants: dict[str, str] | None = None
    width: int = 4

    def columns(self) -> list[str]:
        """Return the names of the columns of numbers, after those of file, window and label."""
        return self.names + (list(COLUMNS) if self.quadrants else [])

    def numbers(self, one: Prediction) -> list[float]:
        """Return the numbers of a prediction without error, one for each of `columns`."""
        return [*(one.ratings or one.probabilities).values(), *self.arousal_valence(one).values()]

    def arousal_valence(self, one: Prediction) -> dict[str, float]:
        """Return `arousal_valence.marginals` of a prediction; empty if they are not shown."""
        return marginals(one.probabilities, self.quadrants) if self.quadrants else {}


def table(predictions: Iterable[Prediction], layout: Layout) -> Iterator[str]:
    """Yield lines in columns; broken files are left out."""
    widths = [max(7, len(name)) for name in layout.columns()]
    label = 0 if layout.ratings else max(len("label"), *map(len, layout.names)) + 2

    def line(file: str, start: str, end: str, word: str, cells: Iterable[str]) -> str:
        window = f"{start:>8}  {end:>8}  " if layout.timeline else ""
        columns = "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
        return f"{file:{layout.width}}  {window}{word:{label}}{columns}\n"

    yield line("file", "start", "end", "" if layout.ratings else "label", layout.columns())
    for one in predictions:
        if one.error is None:
            numbers = (f"{number:.3f}" for number in layout.numbers(one))
            yield line(one.file, f"{one.start:.2f}", f"{one.end:.2f}", one.label or "", numbers)


def csv_lines(predictions: Iterable[Prediction], layout: Layout) -> Iterator[str]:
    """Yield comma-separated lines after a header; the last column has what is wrong with a broken file."""
    window = ["start", "end"] if layout.timeline else []
    label = [] if layout.ratings else ["label"]
    columns = layout.columns()
    yield _csv(["file", *window, *label, *columns, "error"])
    for one in predictions:
        if one.error is not None:
            yield _csv([one.file] + [""] * len(window + label + columns) + [one.error])
            continue
        cells = [one.start, one.end] if window else []
        yield _csv([one.file, *cells, *([one.label] if label else []), *map(_round, layout.numbers(one)), ""])


def _csv(cells: list[Any]) -> str:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def jsonl(predictions: Iterable[Prediction], layout: Layout) -> Iterator[str]:
    """Yield a JSON object a line: file, window, label, probabilities or ratings; or file and error."""
    return (f"{_object(one, layout)}\n" for one in predictions)


def json_list(predictions: Iterable[Prediction], layout: Layout) -> Iterator[str]:
    """Yield one JSON list of the objects of `jsonl`, one a line."""
    start = "[ "
    for one in predictions:
        yield f"{start}{_object(one, layout)}"
        start = ",\n  "
    yield "[]\n" if start == "[ " else "\n]\n"


def _object(one: Prediction, layout: Layout) -> str:
    found: dict[str, Any] = {"file": one.file}
    if one.error is not None:
        return json.dumps(found | {"error": one.error}, ensure_ascii=False)
    if layout.timeline:
        found |= {"start": one.start, "end": one.end}
    if layout.ratings:
        found["ratings"] = _rounded(one.ratings)
    else:
        found |= {"label": one.label, "probabilities": _rounded(one.probabilities), "calibrated": layout.calibrated}
    if layout.quadrants:
        found["arousal_valence"] = _rounded(layout.arousal_valence(one))
    return json.dumps(found, ensure_ascii=False)


def _rounded(numbers: dict[str, float]) -> dict[str, float]:
    return {name: _round(number) for name, number in numbers.items()}


def _round(number: float) -> float:
    return round(number, 6)  # what float32 logits are good for


FORMATS: dict[str, Callable[[Iterable[Prediction], Layout], Iterator[str]]] = {
    "table": table,
    "csv": csv_lines,
    "json": json_list,
    "jsonl": jsonl,
}
"""Name of a format -> what yields its text, piece by piece."""


@contextmanager
def opened(path: Path | None) -> Iterator[TextIO]:
    """Yield standard output, or a file that takes its name only when all is written; after an error there is none.

    Raises:
        PredictionError: the folder does not exist, or something there is not a plain file.
    """
    # What cannot be encoded (file names that are no text) becomes an escape, which in JSON is the right one.
    if path is None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="backslashreplace")
        yield sys.stdout
        return
    path = path.resolve()  # what a link points at is written, and the link stays
    if not path.parent.is_dir():
        raise PredictionError(f"Output {path}: its folder must exist; it does not. Make it: mkdir -p {path.parent}")
    if path.exists() and not path.is_file():
        raise PredictionError(f"Output {path}: must be a plain file; it is something else. Choose another name.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        file = partial.open("w", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise PredictionError(f"Output {path}: must be writable; {error.strerror}. Choose another folder.") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
