"""A recording as a row of windows, cut while it is read."""

from collections.abc import Iterable, Iterator

import numpy as np


def windows(blocks: Iterable[np.ndarray], window: int, hop: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (first sample, samples) of each window of a recording.

    A window starts every `hop` samples until one reaches the end. The last one is shorter; if it had less than half of
    `window`, the one before it, which it touches, goes on to the end instead. A `hop` above `window` leaves gaps; there
    the last window stands alone, however short. No more is held than a window and a half, or a hop, and a block.

    Args:
        blocks: the recording, in pieces (samples,) of any length.
        window: samples, at least 1.
        hop: samples, at least 1.

    >>> [(start, len(samples)) for start, samples in windows([np.zeros(10)], window=4, hop=4)]
    [(0, 4), (4, 4), (8, 2)]
    >>> [(start, len(samples)) for start, samples in windows([np.zeros(9)], window=4, hop=4)]
    [(0, 4), (4, 5)]
    """
    gaps = hop > window
    # What must be there before a window is complete: in case the next has to join it, half of the next as well.
    needed = hop if gaps else max(window, hop + (window + 1) // 2)
    start, held = 0, np.zeros(0)
    for block in blocks:
        held = np.concatenate([held, block]) if len(held) else block
        while len(held) >= needed:
            yield start, held[:window]
            start, held = start + hop, held[hop:]
    rest = held[:window] if gaps else held
    if len(rest) and (start == 0 or len(rest) > window - hop):  # else the window before reached the end
        yield start, rest
