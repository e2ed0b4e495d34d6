"""Stored: what the audio column of a row holds, a path or an embedded FLAC; and the cache of cut and decoded audio.

Plain files stay where they are. Segments of long files and the sound of video containers are decoded once into a cache
folder, as 16 kHz mono FLAC, so that reading a row again costs no more than reading a plain file.
"""

import os
from hashlib import blake2b
from pathlib import Path
from typing import Any

from . import audio
from .errors import AudioError
from .obtain import cache_folder
from .utterance import Utterance


def is_plain(one: Utterance) -> bool:
    """Return whether the utterance is a whole file, all channels of it, that libsndfile reads."""
    whole = one.start is None and one.end is None and one.channel is None
    return whole and os.path.splitext(one.path)[1].lower() not in audio.CONTAINERS  # noqa: PTH122


def as_path(one: Utterance, root: Path) -> tuple[dict[str, Any], float]:
    """Return the path of the utterance's audio and its duration in seconds; opens only the header of a plain file."""
    path = _source(one, root)
    if not is_plain(one):
        path = str(_cut(one, Path(path)))
    return {"bytes": None, "path": path}, audio.duration(path)


def embedded(one: Utterance, root: Path) -> tuple[dict[str, Any], float]:
    """Return the utterance as the bytes of a 16 kHz mono FLAC, and its duration in seconds.

    The duration is that of `as_path`: frames / rate of a plain file, else of the 16 kHz samples.
    """
    path = _source(one, root)
    samples = audio.load(path, one.start, one.end, one.channel)
    seconds = audio.duration(path) if is_plain(one) else len(samples) / audio.SAMPLE_RATE
    return {"bytes": audio.flac(samples), "path": f"{one.id}.flac"}, seconds


def _source(one: Utterance, root: Path) -> str:
    # Text, not Path: `datasets` puts a Path of its own into builder modules, ten times slower to join, and this runs
    # for every file of a corpus.
    return os.path.join(root, one.path)  # noqa: PTH118


def _cut(one: Utterance, path: Path) -> Path:
    """Return the cached FLAC of a segment or a container, made if missing; named after the state of the file."""
    try:
        status = path.stat()
    except OSError as error:
        raise AudioError(f"Audio file {path}: does not exist. Restore it.") from error
    part = f"{one.start}\0{one.end}" + ("" if one.channel is None else f"\0{one.channel}")
    name = blake2b(f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{part}".encode(), digest_size=16).hexdigest()
    target = cache_folder() / "audio" / name[:2] / f"{name}.flac"
    if not target.exists():
        content = audio.flac(audio.load(path, one.start, one.end, one.channel))
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{name}.{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(target)
    return target
