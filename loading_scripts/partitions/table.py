"""Splits from a table of keys: mostly speakers, so that nobody is in two splits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..utterance import Utterance

Key = Callable[[Utterance], str | None]
"""What a rule goes by: utterance -> its speaker, session, number in the corpus ..."""

Condition = Callable[[Utterance], bool]
"""Whether a config takes an utterance at all."""


def speaker_of(one: Utterance) -> str | None:
    """Return the speaker: the key of all tables but the odd ones."""
    return one.speaker


@dataclass(frozen=True, kw_only=True)
class Table:
    """An utterance belongs to the split that lists its key.

    Args:
        keys: split -> keys.
        rule: what the table follows and where it comes from, in one sentence.
        rest: split of the keys that are not listed; None: they are in no split.
        key: utterance -> key.
        takes: utterance -> whether the config takes it; None: it takes all.
    """

    keys: Mapping[str, frozenset[str]]
    rule: str
    rest: str | None = None
    key: Key = speaker_of
    takes: Condition | None = None

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order; the split of the rest is the first."""
        return (self.rest, *self.keys) if self.rest else tuple(self.keys)

    @property
    def speakers(self) -> frozenset[str]:
        """The speakers that the table lists; empty where its keys are something else."""
        return frozenset().union(*self.keys.values()) if self.key is speaker_of else frozenset()

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the split of every utterance, None for those that the config does not take."""
        split_of: dict[str | None, str] = {key: split for split, keys in self.keys.items() for key in keys}
        return [
            split_of.get(self.key(one), self.rest) if self.takes is None or self.takes(one) else None
            for one in utterances
        ]
