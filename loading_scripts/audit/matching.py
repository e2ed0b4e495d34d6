"""Matching: which recordings share audio, found by the peaks that lie alike in both.

Pairs of peaks that are close in time are landmarks (Wang 2003): two frequencies and the time between. Landmarks that
two recordings have in common vote for the offset between them; where enough agree, the peaks themselves are compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from .fingerprint import RATE, WINDOW

_LEAST_PEAKS, _LEAST_SCORE, _LEAST_SECONDS = 8, 0.5, 0.25
"""Peaks in common, their share, and the time during which both sound, from which two recordings share audio.

Of the 2.3 million pairs of 400 URDU and 1,735 TurEV-DB files, those without common audio reach a score of 0.38 where
they have 8 peaks in common; rates by kind of change in docs/performance.md. Shorter stretches are alike by chance.
"""

_FAN = 4
"""Landmarks that start at a peak, with the next peaks in time."""

_LONGEST = 0.5
"""Seconds between the two peaks of a landmark, at most."""

_HZ, _SECONDS = 8.0, 0.004
"""Width of the cells to which the frequencies and the time of a landmark are rounded.

Smaller cells make the search faster, as fewer landmarks agree by chance; of the landmarks of a copy, 40 % stay in
their cell after MP3 at 64 kbit/s, half after a shift (medians over URDU and TurEV-DB).
"""

_STEP = 0.016
"""Seconds between offsets; votes for two neighbors are added up."""

_VOTES = 4
"""Landmarks that must agree on an offset before the peaks are compared."""

_CLOSE_HZ, _CLOSE_SECONDS = 6.0, 0.006
"""Peaks at most so far apart are the same: 95 % of those that outlast MP3 at 64 kbit/s, and more (measured)."""

_COMMON = 4096
"""A landmark in more places than this is a hum or a tone and tells nothing."""

_COMPARED = 2048
"""Pairs of recordings whose peaks are compared at a time."""

_TOGETHER = 1 << 21
"""Pairs of equal landmarks that are held in memory at a time."""


@dataclass(frozen=True, slots=True)
class Match:
    """Two recordings with audio in common.

    Args:
        first: number of the one.
        second: number of the other, which is larger.
        offset: seconds into the first at which the second starts; negative if it starts before.
        shared: seconds during which both sound.
        peaks: peaks of the first in these seconds that the second has too.
        score: the same as a share of all peaks there, of the recording with fewer of them.
    """

    first: int
    second: int
    offset: float
    shared: float
    peaks: int
    score: float


def matches(prints: Sequence[np.ndarray], seconds: Sequence[float]) -> Iterator[Match]:
    """Yield every two recordings that share audio.

    Memory grows by about 70 bytes a landmark, 25 kB a second of speech; time with the square of the recordings.

    Args:
        prints: (seconds, Hz) of the peaks of each recording, in order of time: (peaks, 2).
        seconds: duration of each.
    """
    if len(prints) < 2:
        return
    everything = _Peaks(prints, seconds)
    for candidates in _candidates(prints):
        for start in range(0, len(candidates[0]), _COMPARED):
            first, second, offset = (part[start : start + _COMPARED] for part in candidates)
            # roughly at first; then with the offset that the common peaks tell
            count, offset = everything.common(first, second, offset, 2 * _CLOSE_SECONDS)
            likely = count >= _LEAST_PEAKS
            first, second = first[likely], second[likely]
            count, offset = everything.common(first, second, offset[likely], _CLOSE_SECONDS)
            score = np.minimum(count / everything.fewer(first, second, offset), 1.0)
            for at in np.nonzero((count >= _LEAST_PEAKS) & (score >= _LEAST_SCORE))[0]:
                one, other, begin = int(first[at]), int(second[at]), float(offset[at])
                shared = min(seconds[one], begin + seconds[other]) - max(0.0, begin)
                if shared >= _LEAST_SECONDS:
                    yield Match(one, other, begin, shared, int(count[at]), float(score[at]))


def _candidates(prints: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield arrays of first, second and offset in seconds of recordings whose landmarks agree on an offset."""
    hashes, owners, times = _landmarks(prints)
    if not len(hashes):
        return
    order = np.argsort(hashes, kind="stable")  # stable: within a hash, the owners stay in order
    hashes, owners, times = hashes[order], owners[order], times[order]
    ends = np.searchsorted(hashes, hashes, side="right").astype(np.uint32)
    del hashes
    # by owner, so that all votes of a pair are counted at once
    order = np.argsort(owners, kind="stable")
    later = (ends[order] - order - 1).astype(np.int32)  # landmarks of this and of larger owners with the same hash
    later[later > _COMMON] = 0
    bounds = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(prints)))])
    total = np.concatenate([[0], np.cumsum(np.bincount(owners[order], later, len(prints)))])
    start = 0
    with tqdm(total=len(prints), unit="utt", desc="Comparing", disable=None) as progress:
        while start < len(prints):
            stop = max(start + 1, int(np.searchsorted(total, total[start] + _TOGETHER, side="right")) - 1)
            block = slice(bounds[start], bounds[stop])
            yield _vote(order[block], later[block], owners, times, len(prints))
            progress.update(stop - start)
            start = stop


def _vote(
    block: np.ndarray, later: np.ndarray, owners: np.ndarray, times: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    number, there = _ranges(block + 1, block + 1 + later)
    here = block[number]
    other = owners[here] != owners[there]
    here, there = here[other], there[other]
    bins = np.rint((times[here] - times[there]) / _STEP).astype(np.int64)
    reach = int(np.abs(bins).max(initial=0)) + 1
    keys = (owners[here].astype(np.int64) * count + owners[there]) * (2 * reach + 1) + bins + reach
    keys, votes = np.unique(keys, return_counts=True)
    # an offset between two bins has votes in both
    adjacent = np.nonzero(np.diff(keys) == 1)[0]
    both = votes.copy()
    both[adjacent] += votes[adjacent + 1]
    enough = both >= _VOTES
    keys, both, mass = keys[enough], both[enough], (both - votes)[enough] / both[enough]
    pairs, bins = np.divmod(keys, 2 * reach + 1)
    best = np.lexsort((both, pairs))
    best = best[np.append(np.diff(pairs[best]) > 0, True)[: len(best)]]
    first, second = np.divmod(pairs[best], count)
    return first, second, (bins[best] - reach + mass[best]) * _STEP


def _landmarks(prints: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return hash (uint32), owner (uint32) and time (float32) of every landmark, owners in order."""
    hashes, owners, times = [], [], []
    for owner, one in enumerate(prints):
        for step in range(1, _FAN + 1):
            start, end = one[:-step], one[step:]
            apart = end[:, 0] - start[:, 0]
            near = apart <= _LONGEST
            start, end, apart = start[near], end[near], apart[near]
            low, high = (np.rint(part[:, 1] / _HZ).astype(np.uint32) for part in (start, end))
            hashes.append(low << 17 | high << 7 | np.rint(apart / _SECONDS).astype(np.uint32))
            owners.append(np.full(len(start), owner, np.uint32))
            times.append(start[:, 0].astype(np.float32))
    if not hashes:
        return np.zeros(0, np.uint32), np.zeros(0, np.uint32), np.zeros(0, np.float32)
    return np.concatenate(hashes), np.concatenate(owners), np.concatenate(times)


class _Peaks:
    """The peaks of all recordings in one array, in order of recording and time."""

    def __init__(self, prints: Sequence[np.ndarray], seconds: Sequence[float]) -> None:
        counts = np.array([len(one) for one in prints], np.int64)
        self.bounds = np.concatenate([[0], np.cumsum(counts)])
        self.times, self.hertz = np.concatenate(list(prints)).T
        self.last = np.asarray(seconds, np.float64) - WINDOW / RATE  # start of the last frame
        # one axis for all, long enough that no recording reaches into the stretch of the next
        self.stretch = 2 * float(self.last.max()) + 2
        self.axis = self.times + self.stretch * np.repeat(np.arange(len(prints)), counts)

    def common(
        self, first: np.ndarray, second: np.ndarray, offset: np.ndarray, tolerance: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return how many peaks each pair has in common, within so many seconds, and the offset that they tell."""
        pair, there = _ranges(self.bounds[second], self.bounds[second + 1])
        at = self.times[there] + offset[pair]
        inside = (at > -tolerance) & (at < self.last[first[pair]] + tolerance)
        pair, there = pair[inside], there[inside]
        at = at[inside] + self.stretch * first[pair]
        low, high = (np.searchsorted(self.axis, at + edge) for edge in (-tolerance, tolerance))
        peak, here = _ranges(low, high)
        same = np.abs(self.hertz[here] - self.hertz[there[peak]]) <= _CLOSE_HZ
        peak, here = peak[same], here[same]
        found = np.bincount(pair[peak], minlength=len(first))
        late = np.bincount(pair[peak], self.axis[here] - at[peak], len(first))
        return found, offset + late / np.maximum(found, 1)

    def fewer(self, first: np.ndarray, second: np.ndarray, offset: np.ndarray) -> np.ndarray:
        """Return how many peaks each pair could have in common: those of the one with fewer while both sound."""
        here = self._within(first, offset, offset + self.last[second])
        there = self._within(second, -offset, self.last[first] - offset)
        return np.maximum(np.minimum(here, there), 1)

    def _within(self, one: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Return how many peaks of each recording lie between two times."""
        base = self.stretch * one
        low, high = (np.clip(edge, -1.0, self.stretch / 2) for edge in (low - _CLOSE_SECONDS, high + _CLOSE_SECONDS))
        return np.searchsorted(self.axis, base + high) - np.searchsorted(self.axis, base + low)


def _ranges(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for every whole number from low (n,) to below high (n,) the number of its range, and itself."""
    width = high - low
    number = np.repeat(np.arange(len(low)), width)
    return number, np.arange(len(number)) - np.repeat(np.cumsum(width) - width - low, width)
