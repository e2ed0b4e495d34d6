"""Audio: the only place that touches samples.

Every reader of serbench ends in int16 at 16 kHz, mono: mean over channels, one resampler, round to even, clip. So a
built FLAC is lossless and all doors give the same samples, bit for bit.
"""

import copyreg
import math
import os
from collections.abc import Callable
from functools import cache, wraps
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import AudioError
from .utterance import CENTER, Channel

if TYPE_CHECKING:
    import datasets

SAMPLE_RATE = 16_000
"""Hz; the rate of all encoders here, and of every built repository."""

CONTAINERS = frozenset({".aac", ".avi", ".m4a", ".mkv", ".mov", ".mp4", ".opus", ".webm"})
"""Suffixes of files that are decoded by FFmpeg's libraries (PyAV); all others by libsndfile."""

SUFFIXES = CONTAINERS | {".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav"}
"""Suffixes of audio files, in lower case."""

Source = str | os.PathLike[str] | bytes | dict[str, Any]
"""A path, the bytes of a file, or the storage of an undecoded `datasets.Audio` column."""


def _open(source: Source) -> tuple[Any, str]:
    """Return what soundfile can open, and a name for messages."""
    if isinstance(source, dict):
        path, data = source.get("path"), source.get("bytes")
        if data is not None:
            return BytesIO(data), path or "audio given as bytes"
        if path is None:
            raise AudioError(f"Audio {source!r}: needs 'bytes' or 'path'; both are missing.")
        source = path
    if isinstance(source, bytes):
        return BytesIO(source), "audio given as bytes"
    if "://" in str(source):  # a file on the Hub or in an archive, as datasets names it when streaming
        from datasets.utils.file_utils import xopen

        with xopen(str(source), "rb") as file:
            return BytesIO(file.read()), str(source)
    return str(source), str(source)


def read(
    source: Source, start: float | None = None, end: float | None = None, channel: Channel = None
) -> tuple[np.ndarray, int]:
    """Return (samples, rate): float32 (frames, channels) in [-1, 1) at the file's own rate in Hz.

    Args:
        source: audio that libsndfile reads, or a container of `CONTAINERS`, whose first audio stream is taken.
        start: seconds; the frames from floor(start * rate) on are taken, as EmoBox does.
        end: seconds; the frames before floor(end * rate).
        channel: the only channel to return, from 0; `CENTER`: the third of six, the first of two or one; None: all.

    Raises:
        AudioError: the file does not exist, cannot be decoded, has no such channel, or holds no samples there.
    """
    import soundfile

    opened, name = _open(source)
    try:
        if Path(name).suffix.lower() in CONTAINERS:
            samples, rate = _decode_container(opened)
            samples = samples[_frame(start, rate) : _frame(end, rate)]
        else:
            with soundfile.SoundFile(opened) as file:
                rate = file.samplerate
                first, last = _frame(start, rate) or 0, _frame(end, rate)
                file.seek(min(first, file.frames))
                samples = file.read(-1 if last is None else max(last - first, 0), dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, OSError, ValueError) as error:  # PyAV's errors are OSErrors and ValueErrors
        raise AudioError(_unreadable(name, error)) from error
    if not len(samples):
        where = "" if start is None and end is None else f" from {start} to {end} s"
        raise AudioError(f"Audio file {name}: must hold samples{where}; it has none. Replace or remove the file.")
    if channel is None:
        return samples, rate
    if channel == CENTER:
        channel = _center(name, samples.shape[1])
    if not 0 <= channel < samples.shape[1]:
        raise AudioError(
            f"Audio file {name}: must have a channel {channel}, counted from 0; it has {samples.shape[1]} channels. "
            "Restore the original file."
        )
    return samples[:, channel : channel + 1], rate


def _center(name: str, channels: int) -> int:
    """Return the channel that holds the speech of a film: 5.1 is left, right, center, bass and two behind."""
    if channels not in (1, 2, 6):
        raise AudioError(
            f"Audio file {name}: the center is the third of six channels, or the first of two or one; it has "
            f"{channels}. Load the corpus without center_channel."
        )
    return 2 if channels == 6 else 0


def _frame(seconds: float | None, rate: int) -> int | None:
    return None if seconds is None else math.floor(seconds * rate)


def _decode_container(opened: Any) -> tuple[np.ndarray, int]:
    import av

    with av.open(opened) as container:
        if not container.streams.audio:
            raise ValueError("the container has no audio stream")
        stream = container.streams.audio[0]
        planar = av.AudioResampler(format="fltp")  # the sample format alone: rate and channels stay
        blocks = [block.to_ndarray() for frame in container.decode(stream) for block in planar.resample(frame)]
        if not blocks:
            raise ValueError("the audio stream is empty")
        return np.concatenate(blocks, axis=1).T, stream.rate


def _unreadable(name: str, error: Exception) -> str:
    if not name.startswith("audio given") and "://" not in name and not Path(name).exists():
        return f"Audio file {name}: does not exist (any more). Restore it, or load the corpus from its raw folder."
    if _is_pointer(name):
        return f"Audio file {name}: must be audio; it is a Git LFS pointer. In its repository, run: git lfs pull"
    return f"Audio file {name}: must be audio that libsndfile or FFmpeg can read; {error}. Replace or convert the file."


def duration(path: str | os.PathLike[str]) -> float:
    """Return the duration in seconds (frames / rate) from the header alone.

    Raises:
        AudioError: the file cannot be read or holds no samples.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:  # soundfile.info formats names nobody asks for: twice the time
            frames, rate = file.frames, file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        raise AudioError(_unreadable(str(path), error)) from error
    if frames <= 0:
        raise AudioError(f"Audio file {path}: must hold samples; it has none. Replace or remove the file.")
    return frames / rate


def _is_pointer(name: str) -> bool:
    """Return whether the file is what a download without Git LFS leaves in place of audio."""
    try:
        with Path(name).open("rb") as file:
            return file.read(40).startswith(b"version https://git-lfs")
    except OSError:
        return False


@cache
def _resampler(rate: int, target: int) -> Callable[..., Any]:
    from torchaudio.transforms import Resample

    return Resample(rate, target)


def resample(samples: np.ndarray, rate: int, target: int) -> np.ndarray:
    """Return float32 samples (..., frames) at `target` Hz; torchaudio's default windowed sinc."""
    if rate == target:
        return samples
    import torch

    with torch.inference_mode():
        return _resampler(rate, target)(torch.from_numpy(np.ascontiguousarray(samples))).numpy()


def load(source: Source, start: float | None = None, end: float | None = None, channel: Channel = None) -> np.ndarray:
    """Return int16 samples (frames,) at 16 kHz, mono; arguments and errors as in `read`."""
    samples, rate = read(source, start, end, channel)
    mono = resample(samples.mean(axis=1, dtype=np.float32), rate, SAMPLE_RATE)
    # 32768 and not 32767: int16 that was read as float comes back exactly.
    return np.clip(np.rint(mono * 32768.0), -32768, 32767).astype(np.int16)


def as_float(samples: np.ndarray) -> np.ndarray:
    """Return int16 samples as float32 in [-1, 1)."""
    return samples.astype(np.float32) / 32768.0


def flac(samples: np.ndarray, rate: int = SAMPLE_RATE) -> bytes:
    """Return int16 samples (frames,) or (frames, channels) as the bytes of a FLAC file."""
    import soundfile

    file = BytesIO()
    soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


@cache
def torchcodec_works() -> bool:
    """Return whether torchcodec decodes here. Being installed says nothing: it needs FFmpeg's libraries to import."""
    try:
        from torchcodec.decoders import AudioDecoder  # noqa: F401
    except Exception:  # it raises ImportError, OSError or RuntimeError, depending on what is missing
        return False
    return True


def decode_row(feature: "datasets.Audio", value: dict[str, Any]) -> dict[str, Any]:
    """Return {"path", "array", "sampling_rate"} for the storage of an audio column.

    `array` is float32: (frames,) for mono, else (channels, frames). Columns at 16 kHz mono (all of serbench's) go
    through `load`, others keep their float precision.

    Args:
        feature: the column's feature; its `sampling_rate` and `num_channels` are obeyed.
        value: {"path", "bytes"}.
    """
    if feature.sampling_rate == SAMPLE_RATE and feature.num_channels == 1:
        array, rate = as_float(load(value)), SAMPLE_RATE
    else:
        samples, rate = read(value)
        channels = samples.T
        if feature.num_channels == 1 or len(channels) == 1:
            array = channels.mean(axis=0, dtype=np.float32)
        elif feature.num_channels and feature.num_channels != len(channels):
            raise AudioError(
                f"Audio file {value.get('path')}: the column wants {feature.num_channels} channels; the file has "
                f"{len(channels)}. Cast the column to Audio(num_channels=1)."
            )
        else:
            array = channels
        array = resample(array, rate, feature.sampling_rate or rate)
        rate = feature.sampling_rate or rate
    return {"path": value.get("path"), "array": array, "sampling_rate": rate}


def encode_row(value: Any) -> dict[str, Any]:
    """Return the storage {"path", "bytes"} of a path, bytes, storage, or a dict with `array` and `sampling_rate`.

    Arrays are stored as 16-bit FLAC; what `decode_row` gave comes back bit for bit.
    """
    if isinstance(value, (str, os.PathLike)):
        return {"bytes": None, "path": os.fspath(value)}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value), "path": None}
    if value.get("array") is not None:
        array = np.asarray(value["array"], dtype=np.float32)
        samples = np.clip(np.rint(array.T * 32768.0), -32768, 32767).astype(np.int16)
        return {"bytes": flac(samples, value["sampling_rate"]), "path": None}
    if value.get("bytes") is None and value.get("path") is None:
        raise AudioError(f"Audio value with keys {sorted(value)}: needs 'path', 'bytes' or 'array'; none is given.")
    return {"bytes": value.get("bytes"), "path": value.get("path")}


def _rebuild(state: dict[str, Any]) -> "datasets.Audio":
    import datasets

    feature = datasets.Audio()
    feature.__dict__.update(state)
    return feature


def _reduce(feature: "datasets.Audio") -> tuple[Callable[..., Any], tuple[dict[str, Any]]]:
    return _rebuild, (dict(feature.__dict__),)


def install() -> None:
    """Let `datasets` read and write audio rows through this module where torchcodec does not work.

    Where torchcodec works, `datasets` is left to it. A pickled audio feature names this module, so that a spawned
    worker which receives a dataset can read it too.
    """
    import datasets

    decode, encode = datasets.Audio.decode_example, datasets.Audio.encode_example
    if getattr(decode, "serbench", False):
        return

    @wraps(decode)
    def decode_example(self: "datasets.Audio", value: Any, *args: Any, **kwargs: Any) -> Any:
        if torchcodec_works() or not self.decode:
            return decode(self, value, *args, **kwargs)
        decoded = not isinstance(value, dict) or "array" in value
        return value if decoded else decode_row(self, value)

    @wraps(encode)
    def encode_example(self: "datasets.Audio", value: Any) -> dict[str, Any]:
        return encode(self, value) if torchcodec_works() else encode_row(value)

    decode_example.serbench = True  # type: ignore[attr-defined]
    datasets.Audio.decode_example = decode_example
    datasets.Audio.encode_example = encode_example
    copyreg.pickle(datasets.Audio, _reduce)
