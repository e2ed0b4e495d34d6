"""Schedule: which entries each process sees in which micro-batch, as one endless order that only the seed decides."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler

from .passes import Passes
from .plan import SamplingError


class Pick(NamedTuple):
    """An entry of the plan, and how many times its stream has been passed before."""

    entry: int
    turn: int


class BatchSchedule(Sampler[list[Pick]]):
    """A batch sampler for one process of several; yields its micro-batches.

    Training is an endless sequence of optimizer steps. Step s takes its rows from stream s mod C of C streams: with one
    stream this is ordinary training; with one stream per corpus it is round-robin, where a small corpus is passed more
    often than a large one (ExHuBERT's paper does not say what a turn is; here it is one optimizer step). A stream is
    shuffled anew for each pass, and each pass is cut into steps of processes * accumulation parts of up to `batch_size`
    rows; one step of a pass may be smaller. So a step has the same rows with one process and batches of 8, with two and
    batches of 4, and with two, batches of 2 and two steps of accumulation. Where a step has fewer rows than parts, rows
    are repeated so that no process is left without one.

    An epoch is a fixed number of steps: as many as the first pass over each stream takes, together. Streams go on where
    they stopped. With one stream and no `batch_seconds`, an epoch is exactly one pass.

    Args:
        streams: entries of each stream, integers, (entries of the stream,) each.
        batch_size: most rows of a micro-batch.
        lengths: seconds of all entries, indexed by the values of `streams`. With them rows are sorted by length inside
            random windows of 50 steps and cut into steps, whose order is shuffled again: little padding, and no order
            by length. Inside a step rows are sorted before it is split into parts.
        batch_seconds: most seconds of a micro-batch, padding included; a row that is longer alone gets through. Steps
            then depend on the number of parts too, and passes differ a little in their number of steps.
        processes: number of processes that train together.
        rank: number of this process among them.
        accumulation: micro-batches per optimizer step and process.
        seed: of the order, a non-negative integer.
        shuffle: False keeps the order of the entries in every pass; lengths then only sort inside a step.

    Raises:
        SamplingError: a number below 1, a rank that does not exist, no streams or an empty one, `batch_seconds` without
            lengths, or lengths that are missing or not positive.
    """

    def __init__(
        self,
        streams: Sequence[np.ndarray],
        batch_size: int,
        *,
        lengths: np.ndarray | None = None,
        batch_seconds: float | None = None,
        processes: int = 1,
        rank: int = 0,
        accumulation: int = 1,
        seed: int = 0,
        shuffle: bool = True,
    ):
        for name, value in (("batch_size", batch_size), ("processes", processes), ("accumulation", accumulation)):
            if value < 1:
                raise SamplingError(f"Schedule: {name} must be at least 1; it is {value}.")
        if not 0 <= rank < processes:
            raise SamplingError(f"Schedule: rank must be from 0 to {processes - 1}, one per process; it is {rank}.")
        if not len(streams):
            raise SamplingError("Schedule: needs at least one stream of entries; there is none.")
        if batch_seconds is not None and (lengths is None or not batch_seconds > 0):
            raise SamplingError(
                "Schedule: batch_seconds must be positive and needs the length of every entry; it is "
                f"{batch_seconds}, and lengths are {'missing' if lengths is None else 'given'}. Use rows that have a "
                "duration, or leave it out."
            )
        self.parts = processes * accumulation
        self.processes, self.rank, self.accumulation = processes, rank, accumulation
        self.streams = []
        for number, entries in enumerate(map(np.asarray, streams)):
            if lengths is not None and len(entries) and entries.max() >= len(lengths):
                raise SamplingError(
                    f"Schedule: needs the length of every entry; entry {entries.max()} has none of {len(lengths)}."
                )
            seconds = None if lengths is None else np.asarray(lengths, np.float64)[entries]
            rows = batch_size * self.parts
            self.streams.append(Passes(entries, rows, self.parts, seconds, batch_seconds, (seed, number), shuffle))
        self.steps = sum(stream.steps_before(1) for stream in self.streams)
        self.epoch = 0

    @property
    def batch_sampler(self) -> "BatchSchedule":
        """This schedule: Trainer looks for `set_epoch` on the batch sampler inside the batch sampler of a loader."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration yield the micro-batches of this epoch, counted from 0."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.steps * self.accumulation

    def __iter__(self) -> Iterator[list[Pick]]:
        return self._batches(self.epoch * self.steps)  # the epoch of now, also if the first batch is taken later

    def _batches(self, first: int) -> Iterator[list[Pick]]:
        turns = len(self.streams)
        # Of the steps before the first, stream c has had ceil((first - c) / turns).
        running = [stream.steps_from(-((c - first) // turns)) for c, stream in enumerate(self.streams)]
        for step in range(first, first + self.steps):
            turn, entries = next(running[step % turns])
            if len(entries) < self.parts:
                entries = np.resize(entries, self.parts)
            for part in np.array_split(entries, self.parts)[self.rank :: self.processes]:
                yield [Pick(entry, turn) for entry in part.tolist()]
