"""Passages: utterances whose names follow each other and whose waveform runs on from one into the next."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .copies import Splits, crossings
from .findings import Finding, Kind, Severity, finding, place
from .measure import EDGE
from .sounds import Heard

_ORDER = 24
"""Order of the linear prediction."""

_AT_THE_CUT = 8
"""Samples after the cut of which the prediction error counts."""

_SMOOTH = 2.5
"""Prediction error at the cut within a passage, at most, as a multiple of that beside it.

With `_CLEAR`, 182 of 200 passages of URDU are found; of its 167 other pairs of one speaker whose names follow each
other, and of 1,734 of TurEV-DB, none.
"""

_CLEAR = 2.0
"""Factor by which the error is larger were the second recording to start elsewhere; in silence it is not."""

_STARTS = (0, 1)
"""Samples of the second recording to leave out: some cutters repeat the last sample of the first."""

_ELSEWHERE = (2, 3, 5, 9, 16, 27)
"""The same for comparison: starts at which the waveform would not run on."""


def check(heard: Sequence[Heard], splits: Splits) -> Iterator[Finding]:
    """Yield the neighbors by name (of one speaker and label) that were cut from one passage, one after the other.

    Lossy coding or resampling after the cut hides it, and so does a gap between the two; cuts whose names do not follow
    each other are not sought.

    Args:
        heard: every utterance of one corpus.
        splits: where the configs put them, to tell the halves that lie in train and test.
    """
    groups = defaultdict(list)
    for one in heard:
        groups[one.one.speaker, one.one.native].append(one)
    for group in groups.values():
        group.sort(key=lambda one: _natural(one.one.id))
        for first, second in zip(group, group[1:], strict=False):
            if first.one.path != second.one.path and first.sound.rate == second.sound.rate:
                errors = run_on(_samples(first.sound.tail), _samples(second.sound.head))
                if errors:
                    yield _finding(first, second, *errors, splits)


def run_on(tail: np.ndarray, head: np.ndarray) -> tuple[float, float] | None:
    """Return the prediction errors at the cut and elsewhere, as multiples of that beside it, if the waveform runs on.

    Args:
        tail: last samples of one recording (frames,).
        head: first samples of the other, of which the first may be the last one of `tail` once more.
    """
    if min(len(tail), len(head)) < EDGE:
        return None
    best, other = sorted(_error(tail, head[start:]) for start in _STARTS)
    if best > _SMOOTH:
        return None
    elsewhere = min(other, *(_error(tail, head[start:]) for start in _ELSEWHERE))
    return (best, elsewhere) if elsewhere >= _CLEAR * max(best, 1.0) else None


def _error(tail: np.ndarray, head: np.ndarray) -> float:
    """Return the prediction error just after the cut as a multiple of that beside it, forwards or back, the larger."""
    return max(_forwards(tail, head), _forwards(head[::-1], tail[::-1]))


def _forwards(before: np.ndarray, after: np.ndarray) -> float:
    from scipy.linalg import solve_toeplitz
    from scipy.signal import lfilter

    tapered = before * np.hanning(len(before))
    correlation = np.correlate(tapered, tapered, "full")[len(before) - 1 : len(before) + _ORDER]
    correlation[0] = correlation[0] * (1 + 1e-9) + 1e-6  # samples of zeros have a predictor, too
    predictor = np.append(1, -solve_toeplitz(correlation[:-1], correlation[1:]))
    errors = np.square(lfilter(predictor, 1, np.concatenate([before, after[:_AT_THE_CUT]]))[_ORDER:])
    beside, cut = errors[:-_AT_THE_CUT].mean(), errors[-_AT_THE_CUT:].mean()
    return float(np.sqrt(cut / (beside + 1e-3)))  # 1e-3: below the noise of rounding to whole numbers, 1/12


def _finding(first: Heard, second: Heard, cut: float, elsewhere: float, splits: Splits) -> Finding:
    across = crossings([first, second], splits)
    told = (
        f"waveform runs on: prediction error at the cut {cut:.1f} times that beside it, elsewhere {elsewhere:.1f} times"
    )
    return finding(
        Kind.CONSECUTIVE_CUTS,
        [place(one.corpus, one.one) for one in (first, second)],
        "; ".join([told, *across]),
        Severity.WARNING if across else None,
        offset=round(first.sound.seconds, 3),
    )


def _samples(held: bytes) -> np.ndarray:
    return np.frombuffer(held, "<i2").astype(np.float64)


def _natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a key by which take 9 comes before take 10."""
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name)]
