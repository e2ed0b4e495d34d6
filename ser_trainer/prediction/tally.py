"""How far a run is and how fast it was."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

from .inference import Prediction
from .stream import seconds


class Tally:
    """Counts predictions as they pass, names broken files on stderr and shows a bar there.

    Args:
        files: what is predicted; the bar counts them, or with `timeline` their seconds.
        timeline: whether predictions are windows.
        hidden: show no bar.
    """

    def __init__(self, files: Sequence[Path], timeline: bool, hidden: bool):
        self.files = self.broken = 0
        self.seconds = self.wall = 0.0
        self._timeline, self._hidden = timeline, hidden
        self._total: int | None = len(files)
        if timeline and not hidden:
            durations = [seconds(file) for file in files]
            self._total = None if None in durations else round(sum(durations))

    def watch(self, predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        """Yield the predictions as they come."""
        begin, until = time.perf_counter(), 0.0
        with tqdm(total=self._total, unit="s" if self._timeline else "file", disable=self._hidden) as bar:
            for one in predictions:
                if one.error is not None:
                    self.broken += 1
                    tqdm.write(f"predict: {one.error}", file=sys.stderr)
                else:
                    if one.start == 0:  # the first window of a file, or all of it
                        self.files, until = self.files + 1, 0.0
                    self.seconds += one.end - until  # windows may overlap
                    until = one.end
                bar.update(round(self.seconds) - bar.n if self._timeline else 1)
                self.wall = time.perf_counter() - begin
                yield one

    def __str__(self) -> str:
        """Return a line with numbers of files, seconds and their rates; loading the model is not in them."""
        files = f"{self.files} file{'s' * (self.files != 1)}"
        broken = f" ({self.broken} broken)" if self.broken else ""
        rates = ""
        if self.wall:
            rates = f": {self.files / self.wall:.1f} files/s, {self.seconds / self.wall:.1f} s of audio a second"
        return f"{files}{broken}, {self.seconds:.1f} s of audio in {self.wall:.2f} s{rates}."
