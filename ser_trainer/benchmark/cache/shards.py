"""Shard: the features of some utterances in one file, and in another what lies where.

The data grow batch by batch, and a journal says, line by line, what is in them: a killed process loses the batch it was
at, no more. When the shard is whole its index is renamed into place; from then on neither file changes.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from loading_scripts.errors import SerbenchError

Storage = Literal["float16", "float32"]
"""How features are stored. An utterance that float16 cannot hold is stored in float32 all the same."""

_BYTES = {"float16": 2, "float32": 4}

_LARGEST = float(np.finfo(np.float16).max)


class ShardError(SerbenchError, ValueError):
    """The files of a shard are damaged."""


@dataclass(frozen=True)
class Stored:
    """What a shard holds of one utterance.

    Args:
        id: its id.
        frames: number of vectors.
        dtype: of its values, see `Storage`.
        failed: why there are none; empty where there are.
    """

    id: str
    frames: int = 0
    dtype: Storage = "float32"
    failed: str = ""


@dataclass(frozen=True)
class Index:
    """What a shard holds, in its order.

    Args:
        utterances: all of them.
        size: bytes of the data.
        crc32: checksum of the data.
    """

    utterances: tuple[Stored, ...] = ()
    size: int = 0
    crc32: int = 0

    def starts(self, width: int) -> Iterator[tuple[Stored, int, int]]:
        """Yield each utterance with the bytes at which its values begin and end."""
        end = 0
        for one in self.utterances:
            start, end = end, end + one.frames * width * _BYTES[one.dtype]
            yield one, start, end

    def line(self) -> bytes:
        """Return it as a line of JSON."""
        told = {"utterances": [astuple(one) for one in self.utterances], "size": self.size, "crc32": self.crc32}
        return (json.dumps(told, ensure_ascii=False) + "\n").encode()

    @classmethod
    def of(cls, line: bytes) -> "Index":
        """Read a line of JSON; a ValueError says that it is none of ours."""
        try:
            told = json.loads(line)
            return cls(tuple(Stored(*one) for one in told["utterances"]), told["size"], told["crc32"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"no index: {error}") from error


@dataclass(frozen=True)
class Shard:
    """Where a shard lies.

    Args:
        folder: of the features.
        number: which shard, from 0.
    """

    folder: Path
    number: int

    def _file(self, suffix: str) -> Path:
        return self.folder / f"shard-{self.number:05d}.{suffix}"

    @property
    def data(self) -> Path:
        """The values of one utterance after the other, row by row, little-endian."""
        return self._file("bin")

    @property
    def journal(self) -> Path:
        """What is in the data of a shard that is being written."""
        return self._file("journal")

    @property
    def index(self) -> Path:
        """What is in the data of a whole shard; it is there only then."""
        return self._file("json")

    @property
    def lock(self) -> Path:
        """Held by the process that writes the shard; the system releases it when the process dies."""
        return self._file("lock")

    def read_index(self) -> Index | None:
        """Return the index, None if the shard is not whole yet.

        Raises:
            ShardError: it is damaged.
        """
        try:
            return Index.of(self.index.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ShardError(f"{self.index.name} cannot be read ({error})") from error

    def map(self, index: Index, verify: bool = True) -> np.ndarray:
        """Return the bytes of the data, mapped into memory.

        Args:
            index: of the shard.
            verify: whether to compare the checksum; all of the data are read for that.

        Raises:
            ShardError: they are missing, too short, too long, or not what was written.
        """
        try:
            size = self.data.stat().st_size
        except FileNotFoundError as error:
            raise ShardError(f"{self.data.name} is missing") from error
        if size != index.size:
            raise ShardError(f"{self.data.name} must have {index.size} bytes; it has {size}")
        if not size:  # nothing can be mapped of an empty file
            return np.empty(0, np.uint8)
        data = np.memmap(self.data, np.uint8, mode="r")
        if verify and (found := zlib.crc32(data)) != index.crc32:
            raise ShardError(f"{self.data.name} must have the checksum {index.crc32:08x}; it has {found:08x}")
        return data

    def discard(self) -> None:
        """Remove its files; who has them mapped keeps what they mapped."""
        for file in (self.index, self.journal, self.data):
            file.unlink(missing_ok=True)


class Writer:
    """Writes a shard that this process has locked; goes on where a killed process stopped.

    Args:
        shard: where.
        storage: see `Storage`.
    """

    def __init__(self, shard: Shard, storage: Storage) -> None:
        self._shard, self._storage = shard, storage
        self.written, journaled = _kept(shard)
        if not self.written.utterances:
            shard.discard()
            journaled = 0
        self._data, self._journal = (_open_at(shard.data, self.written.size), _open_at(shard.journal, journaled))
        self._journaled = journaled

    def add(self, features: Mapping[str, np.ndarray | str]) -> None:
        """Append a batch.

        Args:
            features: id -> float32 (frames, width), or why there is none.
        """
        stored, parts = [], []
        for one, values in features.items():
            if isinstance(values, str):
                stored.append(Stored(one, failed=values))
                continue
            narrow = self._storage == "float16" and (not values.size or np.abs(values).max() <= _LARGEST)
            stored.append(Stored(one, len(values), "float16" if narrow else "float32"))
            parts.append(np.ascontiguousarray(values, "<f2" if narrow else "<f4").tobytes())
        data = b"".join(parts)
        size, crc = self.written.size + len(data), zlib.crc32(data, self.written.crc32)
        line = Index(tuple(stored), size, crc).line()
        try:
            _write(self._data, data)
            _write(self._journal, line)
        except OSError:
            self.close()  # so that no later batch is written behind half of this one
            raise
        self._journaled += len(line)
        self.written = Index((*self.written.utterances, *stored), size, crc)

    def finish(self) -> None:
        """Make the shard whole: from now on readers see it."""
        os.fsync(self._data.fileno())
        part = self._shard.index.with_suffix(".part")
        part.write_bytes(self.written.line())
        part.replace(self._shard.index)
        self._shard.journal.unlink()

    def close(self) -> None:
        """Close the files; of a batch that could not be written nothing stays."""
        for file, size in ((self._data, self.written.size), (self._journal, self._journaled)):
            if not file.closed:
                file.truncate(size)
                file.close()


def _kept(shard: Shard) -> tuple[Index, int]:
    """Return what a killed process left that is whole, and how many bytes of the journal say so."""
    whole, journaled = Index(), 0
    try:
        with shard.journal.open("rb") as lines, shard.data.open("rb") as data:
            for line in lines:
                found = Index.of(line)
                part = data.read(found.size - whole.size)
                if zlib.crc32(part, whole.crc32) != found.crc32 or data.tell() != found.size:
                    break
                whole = Index((*whole.utterances, *found.utterances), found.size, found.crc32)
                journaled += len(line)
    except FileNotFoundError:
        return Index(), 0
    except ValueError:  # its last line was never finished
        pass
    return whole, journaled


def _open_at(file: Path, size: int) -> BinaryIO:
    """Open a file for writing behind its first `size` bytes; what follows them is cut off."""
    file.touch()
    opened = file.open("r+b", buffering=0)  # unbuffered: what could not be written is not tried again when it closes
    opened.truncate(size)
    opened.seek(size)
    return opened


def _write(file: BinaryIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
