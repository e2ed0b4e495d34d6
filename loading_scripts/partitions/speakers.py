"""Folds from a table of test speakers: nobody is in train and test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..corpus import Utterance


@dataclass(frozen=True)
class SpeakerFold:
    """Test = these speakers, train = everybody else.

    Args:
        test_speakers: speaker codes.
    """

    test_speakers: frozenset[str]
    splits: tuple[str, ...] = ("train", "test")

    def assign(self, utterances: Sequence["Utterance"]) -> list[str | None]:
        """Return "test" or "train" for every utterance."""
        return ["test" if one.speaker in self.test_speakers else "train" for one in utterances]


def speaker_folds(test_speakers: Mapping[int, Iterable[str]]) -> dict[str, SpeakerFold]:
    """Return fold1..foldN from a table fold number -> test speakers.

    >>> sorted(speaker_folds({1: ["03"], 2: ["08"]}))
    ['fold1', 'fold2']
    """
    return {f"fold{number}": SpeakerFold(frozenset(names)) for number, names in test_speakers.items()}
