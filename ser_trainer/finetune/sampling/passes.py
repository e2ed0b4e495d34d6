"""Passes: one stream of entries, passed again and again, each pass in an order of its own and cut into steps."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from .plan import SamplingError

_WINDOW = 50
"""Steps whose rows are sorted by length together: enough for little padding, few enough to keep batches random."""


@dataclass(eq=False)
class Passes:
    """The endless passes over one stream; every pass holds each entry once.

    Args:
        entries: integers, (n,).
        rows: most rows of a step.
        parts: number of micro-batches that share the rows of a step.
        lengths: seconds of the entries, (n,); with them, see `BatchSchedule`, steps hold rows of like length.
        part_seconds: most seconds of a part, padding included; a row that is longer alone gets through.
        key: seed and number of the stream; with the number of the pass, they decide its order.
        shuffle: False keeps the order of `entries` in every pass.

    Raises:
        SamplingError: no entries, or lengths that are not positive.
    """

    entries: np.ndarray
    rows: int
    parts: int
    lengths: np.ndarray | None
    part_seconds: float | None
    key: tuple[int, int]
    shuffle: bool
    _starts: list[int] = field(default_factory=lambda: [0], init=False)  # steps before each pass, as far as known

    def __post_init__(self) -> None:
        if not len(self.entries):
            raise SamplingError(f"Schedule: a stream needs entries; stream {self.key[1]} is empty. Leave it out.")
        if self.lengths is not None and not (self.lengths > 0).all():
            wrong = int(np.argmin(self.lengths > 0))
            raise SamplingError(
                f"Schedule: lengths must be positive seconds; that of entry {self.entries[wrong]} is "
                f"{self.lengths[wrong]}."
            )

    def steps(self, turn: int) -> list[np.ndarray]:
        """Return the entries of each step of a pass, (rows of the step,) each."""
        generator = np.random.default_rng([*self.key, turn])
        n = len(self.entries)
        order = generator.permutation(n) if self.shuffle else np.arange(n)
        if self.lengths is None:
            steps = self._cut(order)
        elif not self.shuffle:
            steps = [self._by_length(step) for step in self._cut(order)]
        else:
            # The rows that fill no whole step are a window of their own. Sorted with others, the longest would always
            # end up in the small step, where a row weighs more.
            whole = n - n % self.rows
            windows = np.split(order, [*range(_WINDOW * self.rows, whole, _WINDOW * self.rows), whole])
            steps = [step for window in windows for step in self._cut(self._by_length(window))]
            steps = [steps[place] for place in generator.permutation(len(steps))]
        return [self.entries[step] for step in steps]

    def steps_before(self, turn: int) -> int:
        """Return the number of steps of all passes before this one."""
        while len(self._starts) <= turn:
            last = len(self._starts) - 1
            steps = -(-len(self.entries) // self.rows) if self.part_seconds is None else len(self.steps(last))
            self._starts.append(self._starts[-1] + steps)
        return self._starts[turn]

    def steps_from(self, first: int) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of the pass and the entries of each step, from step `first` of the stream on, for ever."""
        while self._starts[-1] <= first:
            self.steps_before(len(self._starts))
        current = bisect_right(self._starts, first) - 1
        skipped = first - self._starts[current]
        for turn in count(current):
            for step in self.steps(turn)[skipped:]:
                yield turn, step
            skipped = 0

    def _by_length(self, places: np.ndarray) -> np.ndarray:
        # Stable, for processes on different machines must agree where lengths are equal.
        return places[np.argsort(self.lengths[places], kind="stable")]

    def _cut(self, order: np.ndarray) -> list[np.ndarray]:
        """Return places in `entries`, (m,), cut into steps that are as large as may be."""
        if self.part_seconds is None:
            ends = list(range(self.rows, len(order), self.rows))
        else:
            largest = -(-np.arange(1, self.rows + 1) // self.parts)  # rows of the largest part of 1, 2, ... rows
            ends, start = [], 0
            while start < len(order):
                longest = np.maximum.accumulate(self.lengths[order[start : start + self.rows]])
                fitting = (largest[: len(longest)] * longest).searchsorted(self.part_seconds, side="right")
                start += max(int(fitting), min(self.parts, len(longest)))  # one row a part fits whatever its length
                ends.append(start)
        return [step for step in np.split(order, ends) if len(step)]
