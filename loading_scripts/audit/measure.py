"""Measure: what the audit needs to know of an utterance, from decoding it once."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import audio
from ..errors import AudioError
from .fingerprint import peaks

_FULL_SCALE = 32767 / 32768

EDGE = 512
"""Samples at either end of an utterance that are kept: 11.6 ms at 44.1 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One decoded utterance at its file's own rate; levels are shares of full scale.

    Args:
        seconds: duration.
        rate: Hz.
        channels: number of channels.
        peak: largest magnitude of the mean over channels.
        rms: root mean square of the mean over channels.
        offset: mean of all samples.
        full_scale: share of samples at full scale, before channels are averaged.
        digest: hash of the mean over channels as int16, without the zeros at either end.
        peaks: its spectral peaks, float32 (peaks, 2) of seconds and Hz; see `fingerprint`.
        head: the first `EDGE` samples of the mean over channels as int16.
        tail: the last `EDGE` samples.
    """

    seconds: float
    rate: int
    channels: int
    peak: float
    rms: float
    offset: float
    full_scale: float
    digest: bytes
    peaks: bytes
    head: bytes
    tail: bytes


Span = tuple[float | None, float | None, int | None]
"""(start, end, channel) of an utterance in its file, in seconds, as in `Utterance`."""


def measure(path: Path, span: Span) -> Sound | str:
    """Return what was measured of an utterance, or the message that says why it cannot be had."""
    try:
        samples, rate = audio.read(path, *span)
    except AudioError as error:
        return str(error)
    mono = samples.mean(axis=1)
    peak = float(np.abs(mono).max())
    if not np.isfinite(peak):
        return f"Audio file {path}: samples must be numbers; it holds infinite ones or NaN. Replace the file."
    whole = np.clip(np.rint(mono * 32768.0), -32768, 32767).astype("<i2")
    return Sound(
        seconds=len(samples) / rate,
        rate=rate,
        channels=samples.shape[1],
        peak=peak,
        rms=float(np.sqrt(np.mean(np.square(mono, dtype=np.float64)))),
        offset=float(mono.mean(dtype=np.float64)),
        full_scale=float(np.mean(np.abs(samples) >= _FULL_SCALE)),
        digest=_hash(whole),
        peaks=peaks(mono, rate).tobytes(),
        head=whole[:EDGE].tobytes(),
        tail=whole[-EDGE:].tobytes(),
    )


def _hash(samples: np.ndarray) -> bytes:
    """Return the hash of int16 samples (frames,); zeros at either end do not count, as padding is common."""
    sounding = samples != 0
    first, last = int(sounding.argmax()), len(samples) - int(sounding[::-1].argmax())
    return hashlib.blake2b(samples[first:last].tobytes(), digest_size=16).digest()
