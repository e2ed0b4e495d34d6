"""Stored results: lines with the folder that has their predictions, from one folder or several."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loading_scripts.errors import near

from .line import Line, Prediction, Results, ResultsError


@dataclass(frozen=True, eq=False)
class Stored:
    """A line, and the folder that has its predictions."""

    line: Line
    results: Results

    def predictions(self) -> list[Prediction]:
        """Return the predictions behind the line."""
        return self.results.predictions(self.line)


def read(folders: Iterable[Path]) -> list[Stored]:
    """Return the lines of folders of results.

    Raises:
        ResultsError: a folder holds no result.
    """
    found = []
    with collector_at_rest():
        for folder in folders:
            results = Results(folder)
            lines = results.lines()
            if not lines:
                raise ResultsError(
                    f"Results {folder}: holds no line of results. Name a folder that `serbench run` wrote to."
                )
            found += [Stored(line, results) for line in lines]
    return found


def of_encoder(stored: Sequence[Stored], encoder: str) -> list[Stored]:
    """Return the lines of one encoder.

    Raises:
        ResultsError: there are none; the message lists near names.
    """
    found = [one for one in stored if one.line.encoder == encoder]
    if not found:
        known = list(dict.fromkeys(one.line.encoder for one in stored))
        raise ResultsError(
            f"Encoder {encoder!r}: has no line in these results.{near(encoder, known)} They are about "
            f"{', '.join(known)}."
        )
    return found


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """Rest the garbage collector: 100,000 lines are millions of objects, none of them garbage, that it walks again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
