"""Outcomes: the lines of one system on one corpus as one result, and its interval.

Everything is computed from confusion matrices and predictions; what a line says of its own scores is not read.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from ser_metrics.core import scores
from ser_metrics.intervals import MIN_GROUPS
from ser_metrics.rates import means

from .line import Line, Prediction
from .stored import Stored

METRICS = ("ua", "wa", "f1")
"""Scores of an outcome."""

HEADLINES = {"serab": "wa", "emobox-cross": "wa", "serevals": "f1", "generalize": "wa"}
"""Protocol -> the score that its paper reports first; ua for all others."""

LEVEL = 0.95
"""Level of all intervals."""

LONGEST = 40
"""Characters of an option that tables show as it is."""

T = TypeVar("T")


@dataclass(frozen=True)
class System:
    """What was benchmarked, and how: a row of a leaderboard.

    Args:
        protocol: as in a line, like all that follow.
        variant: strict or published.
        encoder: its name.
        revision: its revision.
        layer: last, weighted, or a number.
        head: head or classifier.
        options: options of the protocol, each as ``name=value``.
    """

    protocol: str
    variant: str
    encoder: str
    revision: str
    layer: str
    head: str
    options: tuple[str, ...]

    @classmethod
    def of(cls, line: Line) -> "System":
        """Return the system of a line."""
        options = tuple(f"{name}={json.dumps(value)}" for name, value in sorted(line.options.items()))
        where = (line.protocol, line.variant, line.encoder, line.revision, str(line.layer), line.head)
        return cls(*where, options)

    @property
    def headline(self) -> str:
        """The score that is reported first."""
        return HEADLINES.get(self.protocol, "ua")

    def __str__(self) -> str:
        """Return encoder, layer, head and `shortened` options."""
        return ", ".join([self.encoder, f"layer {self.layer}", self.head, *map(shortened, self.options)])

    @property
    def title(self) -> str:
        """What a table about it is called."""
        return f"{self.protocol}, {self.variant}: {self}"


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a system reached on a corpus.

    Args:
        system: the system.
        corpus: the corpus, or ``train>test``.
        stored: its lines: one for each config (fold) and seed.
        mean: `METRICS` -> fraction: the mean over seeds in each config, then over configs.
    """

    system: System
    corpus: str
    stored: tuple[Stored, ...]
    mean: Mapping[str, float]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Its lines."""
        return tuple(one.line for one in self.stored)

    @cached_property
    def configs(self) -> tuple[str, ...]:
        """The configs that have a line."""
        return tuple(dict.fromkeys(line.config for line in self.lines))

    @cached_property
    def seeds(self) -> int:
        """How many seeds the heads had."""
        return len({line.seed for line in self.lines})

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Classes of all lines."""
        return tuple(dict.fromkeys(name for line in self.lines for name in line.classes))

    @cached_property
    def matrix(self) -> np.ndarray:
        """Sum of the confusion matrices, (K, K) in the order of `classes`, rows are references."""
        place = {name: at for at, name in enumerate(self.classes)}
        total = np.zeros((len(place), len(place)), dtype=np.int64)
        for line in self.lines:
            at = [place[name] for name in line.classes]
            total[np.ix_(at, at)] += np.asarray(line.confusion_matrix)
        return total

    @cached_property
    def pooled(self) -> Mapping[str, float]:
        """Scores of the summed matrix: all folds as one test set."""
        rates = means(self.matrix, np.full(len(self.classes), True))
        return {name: float(rates[name]) for name in METRICS}

    @property
    def n(self) -> int:
        """Number of test utterances over all configs, for one seed."""
        return sum({line.config: line.n for line in self.lines}.values())

    @property
    def exposure(self) -> str:
        """Whether the encoder had seen the corpus: the worst that a line says."""
        said = {line.exposure for line in self.lines}
        return next((one for one in ("seen", "unknown", "not seen") if one in said), "unknown")

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of all lines, each once."""
        return tuple(dict.fromkeys(flag for line in self.lines for flag in line.flags))


@dataclass(frozen=True)
class Interval:
    """Interval of a pooled score.

    Args:
        low: lower end, a fraction.
        high: upper end.
        by: what was drawn: ``32 speakers``, or ``utterances``, which says nothing about new speakers.
    """

    low: float
    high: float
    by: str


def outcomes(stored: Iterable[Stored]) -> list[Outcome]:
    """Return one outcome for each system and corpus, in the order in which they first come.

    Of two lines about the same experiment the later one counts.
    """
    systems: dict[tuple[str, ...], System] = {}
    groups: dict[tuple[tuple[str, ...], str], dict[tuple[str, int], Stored]] = {}
    for one in stored:
        line = one.line
        options = json.dumps(line.options, sort_keys=True) if line.options else ""
        where = (line.protocol, line.variant, line.encoder, line.revision, str(line.layer), line.head, options)
        if where not in systems:
            systems[where] = System.of(line)
        cells = groups.setdefault((where, line.corpus), {})
        earlier = cells.get((line.config, line.seed))
        if earlier is None or line.date >= earlier.line.date:
            cells[line.config, line.seed] = one
    means_of = _means(list(groups.values()))
    return [
        Outcome(systems[where], corpus, tuple(cells.values()), dict(zip(METRICS, mean, strict=True)))
        for ((where, corpus), cells), mean in zip(groups.items(), means_of, strict=True)
    ]


def interval(outcome: Outcome, metric: str) -> Interval:
    """Return the interval of a pooled score by the bootstrap over its predictions.

    Raises:
        ResultsError: the predictions of a line are missing.
    """
    rows = [row for one in outcome.stored for row in one.predictions()]
    predictions, references = [row.prediction for row in rows], [row.reference for row in rows]

    def drawn(groups: list[str] | None) -> dict:
        return scores(predictions, references, list(outcome.classes), groups=groups, confidence=LEVEL)["confidence"]

    told, by = by_speaker(drawn, rows)
    return Interval(*told[metric], f"{told['groups']} {by}" if by == "speakers" else by)


def by_speaker(call: Callable[[list[str] | None], T], rows: Sequence[Prediction]) -> tuple[T, str]:
    """Call with groups for a bootstrap: speakers where all are known and enough, else utterances.

    Speakers are enough from `MIN_GROUPS` on, and if one draw in 2000 has every class. An utterance that several seeds
    predicted is drawn with all its predictions; else `call` gets None and draws utterances within their class.

    Returns:
        What `call` returned, and ``speakers`` or ``utterances``.
    """
    speakers = [row.speaker for row in rows]
    if None not in speakers and len(set(speakers)) >= MIN_GROUPS:
        try:
            return call(speakers), "speakers"
        except ValueError:  # no draw held every class
            pass
    ids = [row.id for row in rows]
    repeated = MIN_GROUPS <= len(set(ids)) < len(ids)
    return call(ids if repeated else None), "utterances"


def shortened(option: str) -> str:
    """Return an option as tables show it: a long value as the start of its hash.

    >>> shortened('mode="both"'), shortened(f"sources={['casia:emosetpp'] * 19}")
    ('mode="both"', 'sources=#e725fa')
    """
    name, _, value = option.partition("=")
    return option if len(option) <= LONGEST else f"{name}=#{hashlib.sha256(value.encode()).hexdigest()[:6]}"


def pair(corpus: str) -> tuple[str, str]:
    """Return the training and the test corpus of ``train>test``."""
    train, _, test = corpus.partition(">")
    return train, test


def _means(groups: Sequence[Mapping[tuple[str, int], Stored]]) -> list[list[float]]:
    """Return `METRICS` of each group of (config, seed) -> line: the mean over seeds, then over configs."""
    if not groups:
        return []
    weights, starts = [], []
    for cells in groups:
        starts.append(len(weights))
        seeds = Counter(config for config, _ in cells)
        weights += [1 / (len(seeds) * seeds[config]) for config, _ in cells]
    rates = _rates([one.line for cells in groups for one in cells.values()])
    return np.add.reduceat(rates * np.array(weights)[:, None], starts).tolist()


def _rates(lines: Sequence[Line]) -> np.ndarray:
    """Return `METRICS` of each line, (lines, 3), with one call for all matrices of a size."""
    rates = np.empty((len(lines), len(METRICS)))
    sizes: dict[int, list[int]] = {}
    for at, line in enumerate(lines):
        sizes.setdefault(len(line.classes), []).append(at)
    for size, places in sizes.items():
        told = means(np.array([lines[at].confusion_matrix for at in places]), np.full(size, True))
        rates[places] = np.stack([told[name] for name in METRICS], axis=1)
    return rates
