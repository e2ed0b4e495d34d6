"""Fingerprint: the spectral peaks of a recording, which outlast gain, lossy coding, another rate and a shift.

Peaks as in Wang 2003, "An industrial-strength audio search algorithm" (ISMIR), but placed between the bins: speech is
short, so each peak has to tell more. No library fits: Chromaprint needs a binary and hears 8 frames a second, too few
for a word of half a second; PyDejavu was last released in 2015, audalign pins numpy 1.26.4.
"""

import math
from functools import cache

import numpy as np

RATE = 8_000
"""Hz at which peaks are sought, so that copies in telephone quality have them too."""

WINDOW = 512
"""Samples of a frame: 64 ms, so that the harmonics of a voice stand apart."""

HOP = 64
"""Samples between frames: 8 ms."""

_LOWEST, _HIGHEST = 16, 224
"""Bins of 15.6 Hz: 250 to 3500 Hz, above hum and below what 8 kHz and MP3 cut off."""

_NEAR = 4
"""A peak is the largest within so many frames (32 ms) and bins (62 Hz) on every side."""

_FLOOR = 45.0
"""dB below the loudest bin; peaks below are noise."""

_TAPER = np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def peaks(mono: np.ndarray, rate: int) -> np.ndarray:
    """Return (seconds, Hz) of every spectral peak, in order of time: float32 (peaks, 2).

    Args:
        mono: float samples (frames,); less than 80 ms have no peaks.
        rate: their rate in Hz.
    """
    from scipy.ndimage import maximum_filter

    samples = _resampled(mono.astype(np.float32), rate)
    if len(samples) < WINDOW + 2 * HOP:
        return np.zeros((0, 2), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    levels = np.concatenate([_levels(frames[start : start + 4096]) for start in range(0, len(frames), 4096)])
    highest = maximum_filter(levels, 2 * _NEAR + 1, mode="nearest")
    tops = (levels == highest) & (levels > levels.max() - _FLOOR)
    tops[[0, -1]] = tops[:, [0, -1]] = False  # a top needs a neighbor on either side
    time, bin_ = np.nonzero(tops)
    top = levels[time, bin_]
    time = time + _vertex(levels[time - 1, bin_], top, levels[time + 1, bin_])
    bin_ = bin_ + _LOWEST + _vertex(levels[time.astype(int), bin_ - 1], top, levels[time.astype(int), bin_ + 1])
    found = np.stack([time * HOP / RATE, bin_ * RATE / WINDOW], axis=1).astype(np.float32)
    return found[np.argsort(found[:, 0], kind="stable")]


def _resampled(mono: np.ndarray, rate: int) -> np.ndarray:
    """Return samples at `RATE`; not by `audio.resample`, whose threads make 3 s of sound seven times as slow."""
    from scipy.signal import resample_poly

    shared = math.gcd(rate, RATE)
    up, down = RATE // shared, rate // shared
    return mono if up == down else resample_poly(mono, up, down, window=_low_pass(max(up, down)))


@cache
def _low_pass(factor: int) -> np.ndarray:
    from scipy.signal import firwin

    return firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)).astype(np.float32)


def _levels(frames: np.ndarray) -> np.ndarray:
    """Return dB (frames, bins) of the bins in which peaks are sought."""
    spectrum = np.abs(np.fft.rfft(frames * _TAPER, axis=1))[:, _LOWEST : _HIGHEST + 1]
    return (20 * np.log10(spectrum + 1e-7)).astype(np.float32)


def _vertex(before: np.ndarray, top: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return where the parabola through three neighbors has its vertex, in -0.5 to 0.5 steps from the middle one."""
    bend = before - 2 * top + after
    return np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0.0)
