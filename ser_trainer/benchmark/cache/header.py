"""Header: what features were made of, written before the first of them; its key is the name of their folder."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from filelock import FileLock

from loading_scripts.errors import SerbenchError
from loading_scripts.obtain import cache_folder

from ...encoders.encoder import Layers
from .contents import Contents, file_name
from .shards import Storage

FILE = "features.json"
"""The header in the folder of its features."""

_FORMAT = 1
"""To be raised when the files of the cache change: other formats have other keys."""


class FeaturesError(SerbenchError, ValueError):
    """Features are not there, not whole, damaged, or those of another corpus version or encoder revision."""


@dataclass(frozen=True, kw_only=True)
class Header:
    """What features were made of, and the plan of their extraction.

    Args:
        corpus: name of the corpus.
        encoder: name of the encoder.
        revision: revision of the encoder.
        identity: everything of the encoder that changes a value.
        layers: see `Layers`.
        storage: see `Storage`.
        width: values per vector.
        depth: layers that ``all`` gives.
        frame_rate: frames per second, None where the encoder gives one vector per utterance.
        contents: checksum and length of each utterance.
        shards: ids of each shard, in the order in which they are encoded.
        created: ISO 8601, UTC.
        versions: package -> version, of the run that began the extraction.
    """

    corpus: str
    encoder: str
    revision: str
    identity: Mapping[str, Any]
    layers: Layers
    storage: Storage
    width: int
    depth: int
    frame_rate: float | None
    contents: Contents
    shards: Sequence[Sequence[str]]
    created: str
    versions: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where the features lie."""
        told = (_FORMAT, self.contents.hash, dict(self.identity), self.layers, self.storage)
        key = sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
        return encoder_folder(self.corpus, self.encoder) / key

    @property
    def command(self) -> str:
        """The command that makes them."""
        return f"serbench extract {self.corpus} --encoder {self.encoder} --layers {self.layers}"

    def compare(self, identity: Mapping[str, Any] | None, contents: Contents | str | None) -> list[str]:
        """Return how these features differ from those that are wanted, a sentence each.

        Args:
            identity: of the encoder that is wanted, None for any.
            contents: of the corpus that is wanted, or its hash; None for any.
        """
        wanted = self.identity if identity is None else identity
        told = [
            f"encoder: {name} was {self.identity.get(name)!r}, is {wanted.get(name)!r}"
            for name in sorted(self.identity.keys() | wanted.keys())
            if self.identity.get(name) != wanted.get(name)
        ]
        content = contents.hash if isinstance(contents, Contents) else contents
        if content is not None and content != self.contents.hash:
            detail = f": {contents.differences(self.contents)}" if isinstance(contents, Contents) else ""
            told.append(f"corpus: content was {self.contents.hash}, is {content}{detail}")
        return told

    def begin(self) -> "Header":
        """Write it, unless a process that extracts the same was faster; return the one that counts."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / FILE
        with FileLock(file.with_suffix(".lock")):
            try:
                return read(self.folder)
            except FeaturesError:  # there is none, or the disk was full: the shards say themselves what they hold
                part = file.with_suffix(f".{os.getpid()}.part")
                part.write_text(json.dumps(self._told(), ensure_ascii=False), encoding="utf-8")
                part.replace(file)
                return self

    def _told(self) -> dict[str, Any]:
        order = [one for shard in self.shards for one in shard]
        rows = [(one, self.contents.crc32[one], self.contents.samples[one]) for one in order]
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in ("contents", "shards")}
        return told | {
            "identity": dict(self.identity),
            "versions": dict(self.versions),
            "content": self.contents.hash,
            "utterances": rows,
            "shards": [len(shard) for shard in self.shards],
        }


def features_folder() -> Path:
    """Return the folder of all features: <corpus>/<encoder>/<key>."""
    return cache_folder() / "features"


def encoder_folder(corpus: str, encoder: str) -> Path:
    """Return the folder of the features of a corpus by an encoder, whatever their version."""
    return features_folder() / file_name(corpus) / file_name(encoder)


def read(folder: Path) -> Header:
    """Return the header of a folder of features.

    Raises:
        FeaturesError: it has none that can be read.
    """
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        rows, sizes = told.pop("utterances"), told.pop("shards")
        del told["content"]
        contents = Contents({one: crc for one, crc, _ in rows}, {one: length for one, _, length in rows})
        order = iter(contents.crc32)
        return Header(**told, contents=contents, shards=[list(islice(order, size)) for size in sizes])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FeaturesError(
            f"Features {folder}: a folder of features has a {FILE}; it cannot be read ({error}). Run `serbench "
            "extract` again."
        ) from error
