"""Our own speaker-independent configs: speakers in groups that hold about equally much of every label."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..utterance import Utterance

_MOST = 5
_FEWEST = 3  # one group each for train, validation and test

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SpeakerGroup:
    """Group `number` tests, the next one (cyclically) validates, all others train.

    Args:
        number: 1..groups.
        groups: number of groups.
    """

    number: int
    groups: int

    @property
    def splits(self) -> tuple[str, ...]:
        """Split names, in order."""
        return SPLITS

    @property
    def rule(self) -> str:
        """Which groups do what."""
        return (
            f"by speaker, in {self.groups} groups balanced by label: group {self.number} tests, group "
            f"{self.number % self.groups + 1} validates, all others train (serbench's own)"
        )

    def assign(self, utterances: Sequence[Utterance]) -> list[str | None]:
        """Return the split of every utterance, None where the speaker is unknown."""
        group_of = grouped(utterances, self.groups)
        roles = {self.number: "test", self.number % self.groups + 1: "validation"}
        return [None if one.speaker is None else roles.get(group_of[one.speaker], "train") for one in utterances]


def speaker_groups(speakers: Collection[str]) -> dict[str, SpeakerGroup]:
    """Return speaker1..speakerN, N = min(5, speakers); none below three speakers.

    >>> list(speaker_groups(["DC", "JE", "JK", "KL"]))
    ['speaker1', 'speaker2', 'speaker3', 'speaker4']
    """
    groups = min(_MOST, len(speakers))
    return {f"speaker{k}": SpeakerGroup(k, groups) for k in range(1, groups + 1) if groups >= _FEWEST}


def grouped(utterances: Sequence[Utterance], groups: int) -> dict[str, int]:
    """Return speaker -> group 1..`groups`, balanced by native label.

    The speaker with the most utterances comes first, and each joins the group that holds least of the labels it
    brings, a label counting by its share of the corpus; ties go to the smaller group, then to the lower number. So
    nothing depends on the order of the files, and no group is empty while there are speakers.
    """
    brings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in utterances:
        if one.speaker is not None:
            brings[one.speaker][one.native] += 1
    total = sum(brings.values(), Counter[str]())
    held: list[Counter[str]] = [Counter() for _ in range(groups)]
    group_of = {}
    for speaker, labels in sorted(brings.items(), key=lambda item: (-item[1].total(), item[0])):
        burden = [
            (sum(group[label] * count / total[label] for label, count in sorted(labels.items())), group.total(), number)
            for number, group in enumerate(held)
        ]
        number = min(burden)[-1]
        held[number] += labels
        group_of[speaker] = number + 1
    return group_of
