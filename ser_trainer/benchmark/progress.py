"""Progress: one bar over a whole study, with the time that is left."""

import math
import time
from collections.abc import Callable, Mapping
from types import TracebackType

from tqdm import tqdm

_GUESS = 0.02
"""Seconds that a unit of work takes until its phase has been timed; only the bar depends on it."""


class StudyBar:
    """A bar over phases whose units of work take different times: each is timed as it goes.

    Args:
        work: phase -> units of work that are to be done.
        clock: seconds, for tests.
        disable: whether to show nothing; None: where the output is no terminal.

    Attributes:
        share: share of the time that has passed, as the bar shows it.
    """

    def __init__(
        self, work: Mapping[str, float], clock: Callable[[], float] = time.monotonic, disable: bool | None = None
    ):
        self._work, self._clock = dict(work), clock
        self._done = dict.fromkeys(work, 0.0)
        self._spent = dict.fromkeys(work, 0.0)
        self._since = self._start = clock()
        self.share = 0.0
        self._bar = tqdm(total=1.0, bar_format="{desc} {percentage:3.0f}%|{bar}| {postfix}", disable=disable)

    def __enter__(self) -> "StudyBar":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self._bar.update(1.0 - self.share)
            self.share = 1.0
        self._bar.close()

    def begin(self, told: str) -> None:
        """Say what is done now; the time until the next call of `advance` counts for its phase."""
        self._since = self._clock()
        self._bar.set_description_str(told)

    def advance(self, phase: str, work: float, told: str = "") -> None:
        """Count finished work.

        Args:
            phase: one of the phases.
            work: units that were finished since the last call.
            told: what to show besides the time that is left, for example a rate.
        """
        now = self._clock()
        self._spent[phase] += now - self._since
        self._done[phase] += work
        self._since = now
        share = (now - self._start) / max(now - self._start + self.left(), 1e-9)
        self._bar.update(max(share - self.share, 0.0))  # a better guess of what is left never moves the bar back
        self.share = max(share, self.share)
        self._bar.set_postfix_str(", ".join(filter(None, [told, f"{_clock_time(self.left())} left"])))

    def left(self) -> float:
        """Return the seconds that are left, from the rates that were measured so far."""
        return sum(
            max(total - self._done[phase], 0.0)
            * (self._spent[phase] / self._done[phase] if self._done[phase] else _GUESS)
            for phase, total in self._work.items()
        )


def _clock_time(seconds: float) -> str:
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
