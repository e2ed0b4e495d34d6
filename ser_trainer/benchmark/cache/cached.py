"""Cached: what the feature cache holds, and how it is emptied."""

import shutil
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from .header import FILE, FeaturesError, Header, features_folder, read
from .shards import Shard, ShardError


@dataclass(frozen=True)
class Cached:
    """The features of a corpus by an encoder, whole or not.

    Args:
        folder: where they lie.
        header: what they were made of; None if that cannot be read any more.
        done: utterances in shards that are whole.
        bytes: size on disk.
        modified: when a shard was last written, UTC.
    """

    folder: Path
    header: Header | None
    done: int
    bytes: int
    modified: datetime

    @property
    def corpus(self) -> str:
        """Name of the corpus."""
        return self.header.corpus if self.header else self.folder.parent.parent.name

    @property
    def encoder(self) -> str:
        """Name of the encoder."""
        return self.header.encoder if self.header else self.folder.parent.name

    @property
    def utterances(self) -> int:
        """Utterances of the corpus; 0 where the header is lost."""
        return len(self.header.contents.crc32) if self.header else 0

    @property
    def complete(self) -> bool:
        """Whether all utterances are there."""
        return self.header is not None and self.done == self.utterances


def cached(corpus: str | None = None, encoder: str | None = None, incomplete: bool = False) -> list[Cached]:
    """Return what the cache holds, sorted by corpus and encoder.

    Args:
        corpus: only of this one.
        encoder: only by this one.
        incomplete: only what is not whole.
    """
    found = [_look(folder) for folder in sorted(features_folder().glob("*/*/*")) if folder.is_dir()]
    return [
        one
        for one in found
        if corpus in (None, one.corpus) and encoder in (None, one.encoder) and not (incomplete and one.complete)
    ]


def remove(entries: Iterable[Cached]) -> int:
    """Remove features; return how many bytes that frees.

    Raises:
        FeaturesError: a running process writes some of them; nothing is removed.
    """
    entries = list(entries)
    with ExitStack() as held:
        for one in entries:
            for lock in one.folder.glob("*.lock"):
                try:
                    held.enter_context(FileLock(lock, timeout=0))
                except Timeout as error:
                    raise FeaturesError(
                        f"Features of {one.corpus} by {one.encoder} in {one.folder}: a running process writes them. "
                        "Nothing was removed; wait for it, or stop it, and remove them then."
                    ) from error
        for one in entries:
            (one.folder / FILE).unlink(missing_ok=True)  # first: without it, what a killed removal leaves is no cache
            shutil.rmtree(one.folder)
    for one in entries:
        for empty in (one.folder.parent, one.folder.parent.parent):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()
    return sum(one.bytes for one in entries)


def _look(folder: Path) -> Cached:
    try:
        header = read(folder)
    except FeaturesError:
        header = None
    states = [file.stat() for file in folder.iterdir()]
    modified = max([state.st_mtime for state in states], default=folder.stat().st_mtime)
    done = 0
    for number in range(len(header.shards) if header else 0):
        try:
            index = Shard(folder, number).read_index()
        except ShardError:
            continue
        done += len(index.utterances) if index else 0
    size = sum(state.st_blocks * 512 for state in states)
    return Cached(folder, header, done, size, datetime.fromtimestamp(modified, UTC))
