"""Splits of groups that are found in the corpus itself: utterances that share a speaker or a scene stay together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..utterance import Utterance
from .hashed import ranked
from .table import Key

_SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class Linked:
    """Utterances that share any key are one group; groups fill the splits in the order of a fixed hash.

    Each group joins the split that holds the smallest part of its share, so that none exceeds its share by more than
    one group. For corpora whose speakers stand in a file of the raw tree, so that the record cannot list them.

    Args:
        corpus: id of the corpus.
        name: name of the partition, part of what is hashed.
        keys: what links utterances, each by a name of its own; a key that is None links nothing.
    """

    corpus: str
    name: str
    keys: tuple[tuple[str, Key], ...]

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order."""
        return tuple(_SHARES)

    @property
    def rule(self) -> str:
        """What links utterances and what is hashed."""
        names = " or ".join(name for name, _ in self.keys)
        shares = ", ".join(f"{split} {share:.0%}" for split, share in _SHARES.items())
        return (
            f"groups of utterances that share a {names}, in the order of u = blake2b({self.corpus}/{self.name}/id of "
            f"the first of a group), each joining the split that holds the smallest part of its share ({shares}); "
            "single utterances where there are fewer groups than splits"
        )

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the split of every utterance."""
        first_of = self._groups(utterances)
        if len(set(first_of)) < len(_SHARES):
            first_of = [one.id for one in utterances]
        size = Counter(first_of)
        held = dict.fromkeys(reversed(_SHARES), 0)  # of equals the first is taken: test, then validation
        split_of: dict[str, str] = {}
        for first in ranked(self.corpus, self.name, size):
            split_of[first] = min(held, key=lambda split: held[split] / _SHARES[split])
            held[split_of[first]] += size[first]
        return [split_of[first] for first in first_of]

    def _groups(self, utterances: Sequence[Utterance]) -> list[str]:
        """Return the smallest id of the group of every utterance."""
        parent: dict[tuple[str, str], tuple[str, str]] = {}

        def root(node: tuple[str, str]) -> tuple[str, str]:
            while parent.setdefault(node, node) != node:
                parent[node] = parent[parent[node]]
                node = parent[node]
            return node

        for one in utterances:
            for name, key in self.keys:
                if (value := key(one)) is not None:
                    parent[root((name, value))] = root(("id", one.id))
        smallest: dict[tuple[str, str], str] = {}
        for identity in sorted(one.id for one in utterances):
            smallest.setdefault(root(("id", identity)), identity)
        return [smallest[root(("id", one.id))] for one in utterances]


def emosetpp(corpus: str, **keys: Key) -> dict[str, Linked]:
    """Return `emosetpp` by what `keys` link: 10 % of the utterances validate and 10 % test.

    Amiriparian et al., Interspeech 2024, section 2: speaker-independent where the speakers are known, else 10 % and
    10 % at random; as `emosetpp.emosetpp`, with the speakers that the raw tree tells.

    Args:
        corpus: id of the corpus.
        keys: what links utterances, by name: ``speaker=speaker_of``.
    """
    return {"emosetpp": Linked(corpus, "emosetpp", tuple(keys.items()))}
