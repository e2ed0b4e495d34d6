"""Splits by a fixed hash: the same on every machine, whatever else the corpus holds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from ..utterance import Utterance


def unit(corpus: str, partition: str, key: str) -> float:
    """Return u in [0, 1): the first 8 bytes, big-endian, of blake2b("corpus/partition/key", utf-8), over 2^64.

    The 64-byte digest of blake2b is cut, which is not the same as asking for a digest of 8 bytes.

    >>> round(unit("emodb", "serevals", "emodb-03a01Fa"), 6)
    0.839695
    """
    return int.from_bytes(blake2b(f"{corpus}/{partition}/{key}".encode()).digest()[:8], "big") / 2**64


def ranked(corpus: str, partition: str, keys: Iterable[str]) -> list[str]:
    """Return the distinct `keys` by increasing u."""
    return sorted(set(keys), key=lambda key: (unit(corpus, partition, key), key))


@dataclass(frozen=True)
class Hashed:
    """An utterance belongs to the first split whose bound lies above the u of its id.

    Args:
        corpus: id of the corpus.
        name: name of the partition, part of what is hashed.
        bounds: split -> upper bound of u, increasing to 1.
    """

    corpus: str
    name: str
    bounds: Mapping[str, float]

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order."""
        return tuple(self.bounds)

    @property
    def rule(self) -> str:
        """The bounds and what is hashed."""
        bounds = ", ".join(f"{split} below {bound:g}" for split, bound in self.bounds.items())
        return f"by utterance: {bounds} of u = blake2b({self.corpus}/{self.name}/id)"

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the split of every utterance."""
        return [self._split(unit(self.corpus, self.name, one.id)) for one in utterances]

    def _split(self, u: float) -> str:
        return next(split for split, bound in self.bounds.items() if u < bound)


def serevals(corpus: str) -> dict[str, Hashed]:
    """Return `serevals`: 80 % of the utterances train, 20 % test, speakers on both sides.

    Osman et al., Interspeech 2024, draw the 20 % with a generator whose state depends on the encoder's width; a fixed
    hash gives every encoder the same ones.
    """
    return {"serevals": Hashed(corpus, "serevals", {"train": 0.8, "test": 1.0})}
