"""What every partition has."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from ..utterance import Utterance


@runtime_checkable
class Partition(Protocol):
    """One config of one corpus."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order."""

    @property
    def rule(self) -> str:
        """What decides the split of an utterance, with its source, in one sentence."""

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the split of every utterance of the corpus, or None for utterances that the config leaves out."""
