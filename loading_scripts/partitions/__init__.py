"""Partitions: which utterance of a corpus belongs to which split of a config.

A partition is data plus one rule. It never depends on the order of files or on a generator's state, and it knows its
split names without seeing the corpus.
"""

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


from .emosetpp import emosetpp  # noqa: E402
from .groups import SpeakerGroup, speaker_groups  # noqa: E402
from .hashed import serevals, unit  # noqa: E402
from .held_out import validation  # noqa: E402
from .listed import balanced, listed_folds  # noqa: E402
from .published import EMOBOX, generalize, serab, speaker_folds  # noqa: E402
from .table import Table  # noqa: E402

__all__ = [
    "EMOBOX",
    "Partition",
    "SpeakerGroup",
    "Table",
    "balanced",
    "emosetpp",
    "generalize",
    "listed_folds",
    "serab",
    "serevals",
    "speaker_folds",
    "speaker_groups",
    "unit",
    "validation",
]
