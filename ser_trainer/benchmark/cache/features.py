"""Features: what an encoder made of a corpus, mapped from the cache; they are read, never written, here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ...encoders.encoder import Layers
from .contents import Contents
from .header import FeaturesError, Header, read
from .shards import Index, Shard, ShardError, Stored

_MAPPED = 64
"""Shards that are mapped at a time; each takes a file descriptor, of which a process often has 1,024."""


@dataclass(frozen=True, eq=False)
class Packed:
    """The vectors of several utterances, one utterance after the other.

    Args:
        ids: their ids.
        values: (sum of lengths, D); float16 where all are stored so, else float32.
        offsets: int64 (n + 1,); utterance k has the rows offsets[k] to offsets[k + 1].
    """

    ids: tuple[str, ...]
    values: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class _Place:
    """Where an utterance lies: its shard, and the bytes from `start` to `end` of it."""

    shard: int
    stored: Stored
    start: int
    end: int


class Features:
    """The features of all utterances of a corpus, from `Features.open` or `extract`.

    Args:
        folder: where they lie.
        header: what they were made of.
        indices: what each shard holds.
        verified: shards whose checksum need not be compared again.
    """

    def __init__(self, folder: Path, header: Header, indices: Sequence[Index], verified: Iterable[int] = ()) -> None:
        self.folder, self.header = folder, header
        self._indices, self._verified = indices, set(verified)
        self._places = {
            stored.id: _Place(number, stored, start, end)
            for number, index in enumerate(indices)
            for stored, start, end in index.starts(header.width)
        }
        self._mapped = lru_cache(_MAPPED)(self._map)

    @classmethod
    def open(
        cls,
        folder: Path,
        identity: Mapping[str, Any] | None = None,
        content: Contents | str | None = None,
        verified: Iterable[int] = (),
    ) -> "Features":
        """Open features that were extracted before.

        Args:
            folder: where they lie.
            identity: of the encoder whose features are wanted, None for any.
            content: contents of the corpus that is wanted, or their hash; None for any.
            verified: shards whose checksum was compared a moment ago.

        Raises:
            FeaturesError: they are of another encoder, revision or corpus version, not whole, or damaged.
        """
        header = read(folder)
        differing = header.compare(identity, content)
        if differing:
            raise FeaturesError(
                f"Features of {header.corpus} by {header.encoder} in {folder}: are not those that are wanted. "
                f"{'; '.join(differing)}. Extract them again: {header.command}"
            )
        found: list[Index] = []
        for number, ids in enumerate(header.shards):
            index = _index(folder, header, number)
            if [one.id for one in index.utterances] != list(ids):
                raise _damaged(folder, header, f"{Shard(folder, number).index.name} is that of other utterances")
            found.append(index)
        return cls(folder, header, found, verified)

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything of the encoder that changes a value."""
        return self.header.identity

    @property
    def content(self) -> str:
        """Hash of the audio of the corpus."""
        return self.header.contents.hash

    @property
    def layers(self) -> Layers:
        """``last``: frames, or one vector; ``all``: a mean for each layer."""
        return self.header.layers

    @property
    def width(self) -> int:
        """Values per vector, D."""
        return self.header.width

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the utterances that have features, in the order of the plan."""
        return tuple(one for one, place in self._places.items() if not place.stored.failed)

    @cached_property
    def failed(self) -> dict[str, str]:
        """Id -> why the encoder gave no features."""
        return {one: place.stored.failed for one, place in self._places.items() if place.stored.failed}

    @cached_property
    def lengths(self) -> dict[str, int]:
        """Id -> number of vectors: frames, 1, or one for each layer."""
        return {one: self._places[one].stored.frames for one in self.ids}

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, one: object) -> bool:
        return one in self.lengths

    def __getitem__(self, one: str) -> np.ndarray:
        """Return float32 (T, D), or (depth, D) for layers ``all``; read-only where nothing had to be converted.

        Raises:
            FeaturesError: the utterance has none, or its shard is damaged.
        """
        return self._stored(one).astype(np.float32, copy=False)

    def packed(self, ids: Sequence[str]) -> Packed:
        """Return the vectors of several utterances in one array, in the order of `ids`.

        Raises:
            FeaturesError: an utterance has none, or a shard is damaged.
        """
        lengths = [self._place(one).stored.frames for one in ids]
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        dtypes = {self._places[one].stored.dtype for one in ids}
        values = np.empty((offsets[-1], self.width), "float16" if dtypes == {"float16"} else "float32")
        for one, start, end in zip(ids, offsets[:-1], offsets[1:], strict=True):
            values[start:end] = self._stored(one)
        return Packed(tuple(ids), values, offsets)

    def means(self, ids: Sequence[str]) -> np.ndarray:
        """Return the mean vector of each utterance, float32 (n, D), summed in float64, in the order of `ids`.

        Raises:
            FeaturesError: an utterance has none, or a shard is damaged.
        """
        found = np.empty((len(ids), self.width), np.float32)
        for row, one in zip(found, ids, strict=True):
            row[:] = self._stored(one).mean(axis=0, dtype=np.float64)
        return found

    def _place(self, one: str) -> _Place:
        place = self._places.get(one)
        name = f"Features of {self.header.corpus} by {self.header.encoder}"
        if place is None:
            raise FeaturesError(
                f"{name}: {one!r} is no utterance of the corpus that was encoded. Extract the corpus as it is now: "
                f"{self.header.command}"
            )
        if place.stored.failed:
            raise FeaturesError(f"{name}: utterance {one!r} has none ({place.stored.failed}). Leave it out.")
        return place

    def _stored(self, one: str) -> np.ndarray:
        place = self._place(one)
        values = self._mapped(place.shard)[place.start : place.end].view(np.dtype(place.stored.dtype).newbyteorder("<"))
        return values.reshape(place.stored.frames, self.width)

    def _map(self, number: int) -> np.ndarray:
        try:
            data = Shard(self.folder, number).map(self._indices[number], verify=number not in self._verified)
        except ShardError as error:
            raise _damaged(self.folder, self.header, str(error)) from error
        self._verified.add(number)
        return data


def _index(folder: Path, header: Header, number: int) -> Index:
    try:
        index = Shard(folder, number).read_index()
    except ShardError as error:
        raise _damaged(folder, header, str(error)) from error
    if index is None:
        raise FeaturesError(
            f"Features of {header.corpus} by {header.encoder} in {folder}: must be whole; shard {number + 1} of "
            f"{len(header.shards)} is not there yet. Go on extracting: {header.command}"
        )
    return index


def _damaged(folder: Path, header: Header, what: str) -> FeaturesError:
    return FeaturesError(
        f"Features of {header.corpus} by {header.encoder} in {folder}: are damaged; {what}. This rebuilds what is "
        f"damaged, and nothing else: {header.command}"
    )
