"""Contents: the checksum of every utterance's samples, so that features of other audio are never taken for ours.

An utterance is decoded to be checked. What was found is remembered by the state of its file (path, size, time) or, for
audio that lies in the table, by the digest of its bytes: a second look costs no decoding.
"""

import json
import logging
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from loading_scripts import audio
from loading_scripts.errors import AudioError, SerbenchError
from loading_scripts.obtain import cache_folder

logger = logging.getLogger(__name__)

_ROWS = 256
"""Rows that are in memory at a time, with their bytes where the table holds the audio."""

_SAVE_EVERY = 30.0
"""Seconds; what a killed check repeats at most."""


UNREADABLE = -1
"""Stands for the checksum of an utterance that cannot be decoded; no CRC-32 is negative."""


class ContentsError(SerbenchError, ValueError):
    """Rows cannot be told apart, or their audio is not what it was when it was checked."""


@dataclass(frozen=True)
class Contents:
    """What the audio of a corpus is.

    Args:
        crc32: id -> CRC-32 of the int16 samples at 16 kHz, little-endian; `UNREADABLE` where there are none.
        samples: id -> number of samples; 0 for an utterance that cannot be decoded.
    """

    crc32: Mapping[str, int]
    samples: Mapping[str, int]

    @cached_property
    def hash(self) -> str:
        """Sha256 over the sorted lines ``id<TAB>crc32`` (8 hexadecimal digits), its first 16 digits."""
        lines = sorted(f"{one}\t{crc:08x}\n" for one, crc in self.crc32.items())
        return sha256("".join(lines).encode()).hexdigest()[:16]

    @cached_property
    def unreadable(self) -> frozenset[str]:
        """Ids of the utterances that cannot be decoded."""
        return frozenset(one for one, crc in self.crc32.items() if crc == UNREADABLE)

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(self.samples.values()) / audio.SAMPLE_RATE

    def differences(self, then: "Contents") -> str:
        """Return how these utterances differ from those of another version of the corpus, in a sentence.

        >>> Contents({"a": 1, "b": 2}, {}).differences(Contents({"a": 1, "b": 3, "c": 4}, {}))
        '1 utterance has other audio (b); 1 is gone (c)'
        """
        shared = self.crc32.keys() & then.crc32.keys()
        kinds = (
            ("has other audio", "have other audio", {one for one in shared if self.crc32[one] != then.crc32[one]}),
            ("is new", "are new", self.crc32.keys() - shared),
            ("is gone", "are gone", then.crc32.keys() - shared),
        )
        told: list[str] = []
        for one_does, more_do, found in kinds:
            if found:
                unit = "" if told else " utterance" + "s" * (len(found) > 1)
                names = ", ".join(sorted(found)[:3]) + ", ..." * (len(found) > 3)
                told.append(f"{len(found)}{unit} {one_does if len(found) == 1 else more_do} ({names})")
        return "; ".join(told) or "no utterance differs"


Progress = Callable[[int, float], None]
"""Is told how much is done so far: utterances, and their seconds of audio."""


def check(rows: Any, corpus: str, threads: int = 1, progress: Progress | None = None) -> Contents:
    """Return the contents of a corpus; several processes that ask at once decode it once.

    Args:
        rows: Dataset with the columns `id` and `audio`, undecoded ({"path", "bytes"}).
        corpus: names the file of what is remembered.
        threads: threads that decode.
        progress: is called now and then.

    Raises:
        ContentsError: two rows have one id, or there are none.
        AudioError: no utterance can be decoded. If only some cannot, they are reported and marked.
    """
    place = _place(corpus)
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_suffix(".lock")):
        return _check(rows, corpus, threads, _Memory(place), progress)


def forget(corpus: str) -> None:
    """Let the next `check` of a corpus decode everything."""
    _place(corpus).unlink(missing_ok=True)


def crc32(samples: np.ndarray) -> int:
    """Return the CRC-32 of int16 samples (n,)."""
    return zlib.crc32(np.ascontiguousarray(samples, dtype="<i2"))


def file_name(name: str) -> str:
    """Return a name, such as a Hub id or a path, as the name of a file.

    >>> file_name("facebook/hubert-base-ls960")
    'facebook--hubert-base-ls960'
    """
    return re.sub(r"[^\w.-]+", "--", name).strip("-.")[-100:] or "unnamed"


def _place(corpus: str) -> Path:
    return cache_folder() / "contents" / f"{file_name(corpus)}.json"


def _check(rows: Any, corpus: str, threads: int, memory: "_Memory", progress: Progress | None) -> Contents:
    checksums: dict[str, int] = {}
    samples: dict[str, int] = {}
    broken: list[AudioError] = []
    with memory, ThreadPoolExecutor(threads) as readers:  # decoding, digests and checksums let go of Python's lock
        for ids, sounds in _pages(rows):
            for one, found in zip(ids, readers.map(memory.look, sounds), strict=True):
                if one in checksums:
                    raise ContentsError(
                        f"Corpus {corpus}: each utterance needs an id of its own; {one!r} occurs twice. Correct the "
                        "table, or drop one of the rows."
                    )
                if isinstance(found, AudioError):
                    broken.append(found)
                    found = UNREADABLE, 0
                checksums[one], samples[one] = found
            memory.save_now_and_then()
            if progress:
                progress(len(samples), sum(samples.values()) / audio.SAMPLE_RATE)
    if not checksums:
        raise ContentsError(f"Corpus {corpus}: needs utterances; there are none. Load its config all.")
    if len(broken) == len(checksums):
        raise AudioError(f"Corpus {corpus}: none of its {len(broken)} utterances can be decoded. {broken[0]}")
    if broken:
        _report(corpus, len(broken), len(checksums), str(broken[0]))
    return Contents(checksums, samples)


@cache
def _report(corpus: str, broken: int, of: int, first: str) -> None:
    """Report it once, though features and results both ask."""
    logger.warning(
        "Corpus %s: %d of %d utterances cannot be decoded and are left out. %s `serbench audit %s` lists them.",
        *(corpus, broken, of, first, corpus),
    )


def _pages(rows: Any) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    for page in rows.select_columns(["id", "audio"]).iter(_ROWS):
        yield page["id"], page["audio"]


class _Memory:
    """What was found before: stamp of the audio -> (crc32, samples); one file a corpus, replaced atomically."""

    def __init__(self, place: Path) -> None:
        self._place, self._new, self._saved = place, 0, time.monotonic()
        try:
            self._known: dict[str, list[int]] = json.loads(place.read_text())
        except (OSError, ValueError):  # there is none, or it was damaged: everything is decoded
            self._known = {}

    def __enter__(self) -> "_Memory":
        return self

    def __exit__(self, *_: object) -> None:
        self._save()

    def look(self, sound: Mapping[str, Any]) -> tuple[int, int] | AudioError:
        """Return the checksum and length of a sound, decoded if it was not seen before; or why it cannot be.

        The latter is not remembered: a disk may be there again the next time.
        """
        stamp = _stamp(sound)
        if stamp is None or stamp not in self._known:
            try:
                samples = audio.load(dict(sound))
            except AudioError as error:
                return error
            found = [crc32(samples), len(samples)]
            if stamp is None:
                return found[0], found[1]
            self._known[stamp] = found
            self._new += 1
        crc, length = self._known[stamp]
        return crc, length

    def save_now_and_then(self) -> None:
        """Save, unless it was done a moment ago."""
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self._save()

    def _save(self) -> None:
        if self._new:
            part = self._place.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(self._known, separators=(",", ":")))
            part.replace(self._place)
        self._new, self._saved = 0, time.monotonic()


def _stamp(sound: Mapping[str, Any]) -> str | None:
    """Return what stays equal as long as the audio does; None for audio that no stamp can be had of."""
    held, path = sound.get("bytes"), sound.get("path")
    if held is not None:
        return "b" + blake2b(held, digest_size=16).hexdigest()
    try:
        status = os.stat(path)  # noqa: PTH116  path is text, and there are many
    except (OSError, TypeError):  # a file in an archive or on the Hub; or a missing one, of which `load` says more
        return None
    told = f"{os.path.abspath(path)}\0{status.st_size}\0{status.st_mtime_ns}"  # noqa: PTH100
    return "f" + blake2b(told.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
