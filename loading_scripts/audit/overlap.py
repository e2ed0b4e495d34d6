"""Overlap: how many test utterances of a config have their speaker, their sentence or both in train."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..corpus import Corpus
from ..utterance import Utterance
from .findings import Finding, Kind, finding, place

Parts = Mapping[str, Sequence[Utterance]]
"""Split -> utterances, of one config."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the test split of a config shares with its train split.

    Args:
        config: name of the config.
        test: number of test utterances.
        speaker: share of them whose speaker is in train; None where a speaker of either split is unknown.
        sentence: share of them whose sentence (transcript, but for case and punctuation) is in train; None where a
            transcript of either split is unknown.
        both: share of them of which both hold; None where either is unknown.
    """

    config: str
    test: int
    speaker: float | None
    sentence: float | None
    both: float | None


def check(corpus: Corpus, configs: Mapping[str, Parts]) -> Iterator[tuple[Overlap, Finding | None]]:
    """Yield the overlap of every config that has a train and a test split here, with a finding if speakers leak."""
    for config, parts in configs.items():
        train, test = parts.get("train"), parts.get("test")
        if not train or not test:
            continue
        speaker = _in_train([one.speaker for one in train], [one.speaker for one in test])
        sentence = _in_train([_words(one) for one in train], [_words(one) for one in test])
        both = [a and b for a, b in zip(speaker, sentence, strict=True)] if speaker and sentence else None
        shared = [one for one, known in zip(test, speaker or [False] * len(test), strict=True) if known]
        leak = finding(
            Kind.SPEAKER_OVERLAP,
            [place(corpus, one) for one in shared],
            f"{config}: {len(shared)} of {len(test)} test utterances ({len(shared) / len(test):.1%}), "
            f"{len({one.speaker for one in shared})} speakers",
        )
        yield Overlap(config, len(test), _share(speaker), _share(sentence), _share(both)), leak if shared else None


def _in_train(train: list[str | None], test: list[str | None]) -> list[bool] | None:
    known = set(train)
    return None if None in known or None in test else [value in known for value in test]


def _words(one: Utterance) -> str | None:
    return "".join(sign for sign in one.transcript or "" if sign.isalnum()).casefold() or None


def _share(flags: list[bool] | None) -> float | None:
    return sum(flags) / len(flags) if flags else None
