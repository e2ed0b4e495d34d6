"""Tasks: which utterances train, validate and test a head, with which labels, and what was left out."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from loading_scripts.listing import split_hash
from loading_scripts.partitions import validation

from .corpora import CorpusError, CorpusRows

Label = Callable[[Mapping[str, Any]], str | None]
"""Facts of an utterance -> its class, None if the task does not use it."""

NATIVE = "emotion"
"""The label column with the classes of the corpus."""


def native(facts: Mapping[str, Any]) -> str | None:
    """Return the corpus' own class."""
    return facts[NATIVE]


@dataclass(frozen=True, eq=False)
class Task:
    """One problem for heads: utterances of one corpus in three splits.

    Args:
        corpus: the corpus.
        config: config that the splits come from.
        parts: train, validation, test -> ids that are used, in the order of the corpus. Across corpora a task has the
            first two, or the last, alone.
        labels: id -> class.
        classes: classes that occur, in the order of the corpus.
        dropped: reason -> ids that are in a split but not used.
        drawn: whether validation was taken from train by serbench's rule.
    """

    corpus: CorpusRows
    config: str
    parts: Mapping[str, tuple[str, ...]]
    labels: Mapping[str, str]
    classes: tuple[str, ...]
    dropped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drawn: bool = False

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids that are used: those that train, validate, test."""
        return tuple(one for part in self.parts.values() for one in part)

    @property
    def split(self) -> str:
        """Hash of the splits, dropped utterances left out."""
        return split_hash(self.parts)

    def codes(self, ids: Sequence[str]) -> np.ndarray:
        """Return the positions of their classes, int64 (n,)."""
        place = {name: at for at, name in enumerate(self.classes)}
        return np.array([place[self.labels[one]] for one in ids], dtype=np.int64)

    def speakers(self, ids: Sequence[str]) -> list[str | None]:
        """Return their speakers, None where unknown."""
        return [self.corpus.facts[one]["speaker"] for one in ids]

    def shared_speakers(self) -> float | None:
        """Return the share of test utterances whose speaker trains or validates; None where speakers are unknown."""
        test = self.speakers(self.parts.get("test", ()))
        heard = set(self.speakers([one for name, part in self.parts.items() if name != "test" for one in part]))
        if not test or not heard or None in heard or None in test:
            return None
        return sum(speaker in heard for speaker in test) / len(test)

    def seconds(self, ids: Collection[str]) -> float:
        """Return their duration; utterances of unknown duration count 0."""
        return float(sum(self.corpus.facts[one]["duration"] or 0.0 for one in ids))

    def absent(self) -> list[str]:
        """Return the classes that no training utterance has, though another split has them."""
        trained, elsewhere = (
            {self.labels[one] for name, part in self.parts.items() if (name == "train") is trains for one in part}
            for trains in (True, False)
        )
        return [name for name in self.classes if name in elsewhere - trained]

    def flags(self) -> list[str]:
        """Return what a reader of a result must know of the splits."""
        told = []
        shared = self.shared_speakers()
        if shared:
            told.append(f"speaker leak: {shared:.0%} of the test utterances are of speakers that train")
        if self.absent():
            told.append(f"classes absent from train: {', '.join(self.absent())}")
        if self.drawn:
            told.append("validation drawn from train by serbench's rule")
        return told

    def without(self, failed: Mapping[str, str]) -> "Task":
        """Return the task without the utterances that could not be encoded.

        Args:
            failed: id -> why.
        """
        lost = tuple(one for one in self.ids if one in failed)
        if not lost:
            return self
        parts = {name: tuple(one for one in part if one not in failed) for name, part in self.parts.items()}
        _check(self.corpus, self.config, parts)
        return replace(self, parts=parts, dropped={**self.dropped, "not encoded": lost})


def make_task(
    corpus: CorpusRows,
    config: str,
    *,
    parts: Mapping[str, Sequence[str]] | None = None,
    label: Label = native,
    order: Sequence[str] | None = None,
    longest: float | None = None,
) -> Task:
    """Return the task of a config. Where it has no validation split, 20 % of train validate (`partitions.validation`).

    Args:
        corpus: the corpus.
        config: its config.
        parts: split -> ids, where the splits are not those of the config; without test where another corpus tests.
        label: which class an utterance has in this task.
        order: the classes in their order; those of the corpus if None.
        longest: seconds beyond which an utterance is left out; None: none is.

    Raises:
        CorpusError: a split is empty, or fewer than two classes train.
    """
    given = corpus.split(config) if parts is None else parts
    if parts is None and not {"train", "test"} <= set(given):
        raise CorpusError(
            f"Corpus {corpus.id}, config {config}: heads need train and test; it has {', '.join(given)}. "
            f"Configs: {', '.join(corpus.configs)}."
        )
    names = list(order) if order is not None else corpus.classes(NATIVE)
    labels: dict[str, str] = {}
    dropped: dict[str, list[str]] = {}
    kept: dict[str, tuple[str, ...]] = {}
    for split, ids in given.items():
        taken = []
        for one in ids:
            facts = corpus.facts[one]
            named = label(facts)
            if named is None:
                dropped.setdefault("no label", []).append(one)
            elif longest is not None and (facts["duration"] or 0.0) > longest:
                dropped.setdefault(f"over {longest:g} s", []).append(one)
            else:
                labels[one] = named
                taken.append(one)
        kept[split] = tuple(taken)
    drawn = "validation" not in kept
    if drawn:
        kept["train"], kept["validation"] = _held_out(corpus, kept.get("train", ()))
    parts = {name: kept[name] for name in ("train", "validation", "test") if name in kept}
    _check(corpus, config, parts)
    present = set(labels.values())
    classes = tuple(name for name in names if name in present)
    return Task(corpus, config, parts, labels, classes, {why: tuple(ids) for why, ids in dropped.items()}, drawn)


def share_classes(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks of one corpus with the classes of all of them, so that their confusion matrices can be added."""
    present = Counter(name for task in tasks for name in task.classes)
    names = tasks[0].corpus.classes(NATIVE)
    order = [name for name in names if name in present] + sorted(set(present) - set(names))
    return [replace(task, classes=tuple(order)) for task in tasks]


def _held_out(corpus: CorpusRows, train: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return who keeps training, and who validates; a single utterance trains."""
    if len(train) < 2:
        return tuple(train), ()
    taken = validation(corpus.id, train, [corpus.facts[one]["speaker"] for one in train])
    parts = [tuple(one for one, mine in zip(train, taken, strict=True) if mine is part) for part in (False, True)]
    return parts[0], parts[1]


def _check(corpus: CorpusRows, config: str, parts: Mapping[str, Sequence[str]]) -> None:
    for name, part in parts.items():
        if not part:
            raise CorpusError(
                f"Corpus {corpus.id}, config {config}: train, validation and test need utterances; {name} has none. "
                "Choose another config, or look at the raw folder: `serbench info` tells what is missing."
            )
