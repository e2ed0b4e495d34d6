"""Partitions: which utterance of a corpus belongs to which split of a config.

A partition is data plus one rule. It never depends on the order of files or on a generator's state, and it knows its
split names without seeing the corpus.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from ..corpus import Utterance


@runtime_checkable
class Partition(Protocol):
    """One config of one corpus."""

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order."""

    def assign(self, utterances: Sequence["Utterance"]) -> list[str | None]:
        """Return the split of every utterance of the corpus, or None for utterances that the config leaves out."""


from .listed import listed_folds  # noqa: E402
from .speakers import speaker_folds  # noqa: E402

__all__ = ["Partition", "listed_folds", "speaker_folds"]
