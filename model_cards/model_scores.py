"""Scores as the card of a model shows them: of one split, by group of speakers, over corpora and over folds."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

METRICS = {
    "ua": "Unweighted accuracy (UA)",
    "wa": "Weighted accuracy (WA)",
    "f1": "Macro F1",
    "uar": "Unweighted average recall (UAR)",
}
"""Scores of classes."""

CCC = "Concordance correlation (CCC)"
"""The score of ratings."""


@dataclass(frozen=True)
class Measure:
    """One score of one split.

    Args:
        metric: ua, wa, f1, uar or ccc.
        name: what it is called.
        value: the score, None where it is undefined.
        interval: its ends, None where there is none.
        dimension: with ccc: arousal, valence or dominance; None for the mean of them.
    """

    metric: str
    name: str
    value: float | None
    interval: Sequence[float] | None
    dimension: str | None = None


@dataclass(frozen=True, kw_only=True)
class SplitScores:
    """Scores on one split of one corpus.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config.
        split: split.
        name: name of the corpus as its authors write it.
        scores: of classes, what `ser_metrics.scores` returned with ``per_class`` and ``confusion_matrix``; of ratings,
            what `ser_metrics.dimensional_scores` did. With ``confidence``, also intervals; their ``note`` says why they
            are not by speaker.
        shared_speakers: share of utterances whose speaker was heard in training; None where that cannot be told.
        by: attribute (gender, language) -> group -> its scores, as in `scores`, and ``speakers``, their number or None.
        temperature: what the logits are divided by for calibrated probabilities; None if it was not fitted.
        calibrated_ece: calibration error after that; `scores` has the one before.
        reliability: mean confidence, share of right decisions, number of utterances of each bin of confidence, before.
        calibrated_reliability: likewise, after.
    """

    dataset: str
    config: str
    split: str
    name: str
    scores: Mapping[str, Any]
    shared_speakers: float | None = None
    by: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    temperature: float | None = None
    calibrated_ece: float | None = None
    reliability: Sequence[tuple[float, float, int]] = ()
    calibrated_reliability: Sequence[tuple[float, float, int]] = ()

    @property
    def rated(self) -> bool:
        """Whether these are scores of ratings, not of classes."""
        return "ccc" in self.scores

    @property
    def dimensions(self) -> list[str]:
        """The dimensions of ratings."""
        return [name for name, one in self.scores.items() if isinstance(one, Mapping) and "rmse" in one]

    @property
    def title(self) -> str:
        """Corpus, config and split, for headings."""
        return f"{self.name}, {self.config}, {self.split}"

    @property
    def picture(self) -> str:
        """File name of the confusion matrix."""
        return self._file("confusion")

    @property
    def reliability_picture(self) -> str:
        """File name of the reliability diagram."""
        return self._file("reliability")

    def measures(self) -> Iterator[Measure]:
        """Yield every score that the model-index names."""
        intervals = self.scores.get("confidence", {})
        if not self.rated:
            for metric, name in METRICS.items():
                yield Measure(metric, name, self.scores[metric], intervals.get(metric))
            return
        yield Measure("ccc", f"{CCC}, mean", self.scores["ccc"], intervals.get("ccc"))
        for one in self.dimensions:
            yield Measure("ccc", f"{CCC}, {one}", self.scores[one]["ccc"], intervals.get(one), one)

    def _file(self, kind: str) -> str:
        parts = (self.dataset.removeprefix("serbench/"), self.config, self.split)
        return "_".join([kind, *(re.sub(r"[^A-Za-z0-9.-]+", "-", part) for part in parts)]) + ".png"


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """Scores of one model per fold, each on the test split of its fold.

    Args:
        dataset: id of the corpus.
        name: name of the corpus as its authors write it.
        folds: config -> metric -> score; also ``n``, the number of test utterances.
        mean: metric -> mean over the folds; metrics that are undefined in one of them are left out.
        deviation: metric -> standard deviation with the divisor n - 1; empty for a single fold.
        pooled: metric -> score of all folds as one test set; empty for ratings.
        labels: classes, empty for ratings.
        confusion_matrix: sum of those of the folds, rows are references.
    """

    dataset: str
    name: str
    folds: Mapping[str, Mapping[str, float | None]]
    mean: Mapping[str, float]
    deviation: Mapping[str, float] = field(default_factory=dict)
    pooled: Mapping[str, float] = field(default_factory=dict)
    labels: Sequence[str] = ()
    confusion_matrix: Sequence[Sequence[int]] = ()


def averages(results: Sequence[SplitScores]) -> dict[str, tuple[int, dict[str, float | None]]]:
    """Return the plain mean over corpora of every score.

    Returns:
        Split -> number of results, and the mean of ``ua``, ``wa``, ``f1`` and ``uar``, or of ``ccc`` and the dimensions
        that all have (None where one is undefined). Only splits with several results.
    """
    found = {}
    for split in dict.fromkeys(one.split for one in results):
        each = [
            {one.dimension or one.metric: one.value for one in result.measures()}
            for result in results
            if result.split == split
        ]
        if len(each) > 1:
            shared = [metric for metric in each[0] if all(metric in one for one in each)]
            columns = {metric: [one[metric] for one in each] for metric in shared}
            found[split] = (
                len(each),
                {metric: None if None in values else fmean(values) for metric, values in columns.items()},
            )
    return found
