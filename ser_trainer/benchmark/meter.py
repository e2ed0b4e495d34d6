"""Meter: how fast utterances are encoded, from what an extraction tells of its progress."""

import time
from collections.abc import Callable


class Meter:
    """Turns what is done so far into what was done since, and into a rate.

    Args:
        tell: gets seconds of audio since the last call, and the rate in words.

    Attributes:
        told: the last rate in words; empty until something was encoded.
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
