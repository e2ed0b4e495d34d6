"""A file as a stream of samples: what `loading_scripts.audio.load` gives, block by block, in bounded memory."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from loading_scripts.audio import CONTAINERS, SAMPLE_RATE, resample
from loading_scripts.errors import AudioError

BLOCK_SECONDS = 10
"""Seconds that libsndfile decodes at a time."""

FILTER_WIDTH, ROLLOFF = 6, 0.99
"""Zero crossings of torchaudio's default windowed sinc to each side, and its cutoff: they say how far it reaches."""


def seconds(path: Path) -> float | None:
    """Return the duration that the header states, for progress bars; None where it states none or is broken."""
    import av
    import soundfile

    try:
        if path.suffix.lower() in CONTAINERS:
            with av.open(str(path)) as container:
                return container.duration and container.duration / av.time_base
        return soundfile.info(path).duration
    except (soundfile.LibsndfileError, OSError, ValueError):  # PyAV's errors are OSErrors and ValueErrors
        return None


def stream(path: Path) -> Iterator[np.ndarray]:
    """Yield int16 samples (samples,) at 16 kHz, mono; together they are `loading_scripts.audio.load` of the file.

    Of a resampled file that is longer than 2^24 samples (17 minutes), the end is more exact here: torchaudio rounds the
    length in single precision, and may lose a sample or two.

    Raises:
        AudioError: the file cannot be decoded (any more), or holds no samples.
    """
    import soundfile

    container, done = path.suffix.lower() in CONTAINERS, 0
    try:
        with (_container if container else _sound)(path) as (rate, blocks):
            for block in _resampled(rate, blocks):
                # As in loading_scripts.audio.load: int16 that was read as float comes back exactly.
                yield np.clip(np.rint(block * 32768.0), -32768, 32767).astype(np.int16)
                done += len(block)
    except (soundfile.LibsndfileError, OSError, ValueError) as error:
        raise AudioError(
            f"Audio file {path}: must be audio that {'FFmpeg' if container else 'libsndfile'} can read; from "
            f"{done / SAMPLE_RATE:.1f} s on it is not: {error}. Replace or convert the file."
        ) from error
    if not done:
        raise AudioError(f"Audio file {path}: must hold samples; it has none. Replace or remove the file.")


@contextmanager
def _sound(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open a file that libsndfile reads; yield its rate in Hz, and mono float32 blocks."""
    import soundfile

    with soundfile.SoundFile(path) as file:
        blocks = file.blocks(BLOCK_SECONDS * file.samplerate, dtype="float32", always_2d=True)
        yield file.samplerate, (_mono(block) for block in blocks)


@contextmanager
def _container(path: Path) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
    """Open a container; yield the rate in Hz, and mono float32 blocks, of its first audio stream."""
    import av

    with av.open(str(path)) as container:
        if not container.streams.audio:
            raise ValueError("the container has no audio stream")
        audio = container.streams.audio[0]
        planar = av.AudioResampler(format="fltp")  # the sample format alone: rate and channels stay
        frames = (block for frame in container.decode(audio) for block in planar.resample(frame))
        yield audio.rate, (_mono(frame.to_ndarray().T) for frame in frames)


def _mono(samples: np.ndarray) -> np.ndarray:
    return samples.mean(axis=1, dtype=np.float32)


def _resampled(rate: int, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield the samples of `blocks` at 16 kHz, as if they had been resampled in one piece.

    The resampler makes `new` samples from every `old`, each from input that is nearer than `reach`. So a part of the
    input is resampled with `reach` more on both sides, and what those give is cut off.
    """
    if rate == SAMPLE_RATE:
        yield from blocks
        return
    common = math.gcd(rate, SAMPLE_RATE)
    old, new = rate // common, SAMPLE_RATE // common
    width = math.ceil(FILTER_WIDTH * old / (min(old, new) * ROLLOFF))
    reach = math.ceil(width / old) * old  # a multiple, so that parts start where the resampler's steps do

    held: list[np.ndarray] = []
    before = 0  # samples at the start of `held` that are done, and stay for the filter
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) < before + rate + reach:
            continue  # containers give blocks of some milliseconds: a second at a time is cheaper
        samples = np.concatenate(held)
        ready = (len(samples) - before - reach) // old * old
        part = resample(samples[: before + ready + reach], rate, SAMPLE_RATE)
        yield part[before // old * new : (before + ready) // old * new]
        held, before = [samples[before + ready - reach :].copy()], reach
    if held:
        yield resample(np.concatenate(held), rate, SAMPLE_RATE)[before // old * new :]
