"""Remember: what was measured is kept below the cache of serbench, so that no utterance is decoded twice.

One small file an utterance (about 5 kB for 3 s of speech), so that a killed audit goes on where it was. Its name is a
hash of path, size and time of the audio file and of the span; the folder can be deleted at any time.
"""

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from ..obtain import cache_folder
from .measure import Sound, Span, measure

_VERSION = 1
"""To be raised when `measure` finds something else in the same samples."""

_FORM = struct.Struct("<dIIdddd16s3I")
"""The numbers of a `Sound` and its digest, then the lengths of its peaks, head and tail, which follow."""


def folder() -> Path:
    """Return the folder in which measurements are kept."""
    return cache_folder() / "fingerprints"


def measured(path: Path, spans: Sequence[Span], kept: Path) -> list[Sound | str]:
    """Return what was measured of each utterance of a file, now or before, or why it cannot be had.

    Args:
        path: the file.
        spans: where its utterances lie.
        kept: `folder()`.
    """
    try:
        status = path.stat()
    except OSError:  # `measure` says it better
        return [measure(path, span) for span in spans]
    return [_one(path, status, span, kept) for span in spans]


def _one(path: Path, status: os.stat_result, span: Span, kept: Path) -> Sound | str:
    known = repr((_VERSION, str(path.absolute()), status.st_size, status.st_mtime_ns, span))
    name = hashlib.blake2b(known.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
    file = kept / name[:2] / name[2:]
    sound = _read(file)
    if sound is None:
        sound = measure(path, span)
        if isinstance(sound, Sound):
            _write(sound, file)
    return sound


def _read(file: Path) -> Sound | None:
    try:
        held = file.read_bytes()
        *numbers, digest, peaks, head, tail = _FORM.unpack_from(held)
    except (FileNotFoundError, struct.error):
        return None
    rest = held[_FORM.size :]
    if len(rest) != peaks + head + tail:
        return None
    seconds, rate, channels, peak, rms, offset, full_scale = numbers
    return Sound(
        seconds=seconds,
        rate=rate,
        channels=channels,
        peak=peak,
        rms=rms,
        offset=offset,
        full_scale=full_scale,
        digest=digest,
        peaks=rest[:peaks],
        head=rest[peaks : peaks + head],
        tail=rest[peaks + head :],
    )


def _write(sound: Sound, file: Path) -> None:
    *known, peaks, head, tail = astuple(sound)
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    part.write_bytes(_FORM.pack(*known, len(peaks), len(head), len(tail)) + peaks + head + tail)
    part.replace(file)
