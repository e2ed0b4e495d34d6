"""Scores of a model on one split: with intervals, by group of speakers, and how far to trust its confidence."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from statistics import fmean, stdev
from typing import Any

import numpy as np
from datasets import Dataset

from loading_scripts.errors import SerbenchError
from model_cards.model_scores import CrossValidation, SplitScores
from ser_metrics import dimensional_scores, scores
from ser_metrics.averages import over_folds
from ser_metrics.decisions import BINS, decide
from ser_metrics.intervals import DRAWS, MIN_GROUPS, by_group, interval

from .sources import without_folder
from .targets import is_rated, label_array

LEVEL = 0.95
"""Level of the intervals on a card."""

ATTRIBUTES = ("gender", "language")
"""Columns by whose values scores are also taken."""

_SEED = 0


class ScoringError(SerbenchError, ValueError):
    """The outputs of a model cannot be scored."""


def score_split(
    dataset: str,
    config: str,
    split: str,
    name: str,
    outputs: np.ndarray,
    rows: Dataset,
    classes: Sequence[str],
    train_speakers: AbstractSet[str] | None = None,
    temperature: float | None = None,
) -> SplitScores:
    """Return what a card says of one split.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config.
        split: split.
        name: name of the corpus as its authors write it.
        outputs: logits of the model, (rows, classes); for ratings the estimates, (rows, dimensions).
        rows: what they are for, in this order, from `labelled` or `rated`. Intervals are by speaker where the column
            `speaker` names one for every row, and there are enough.
        classes: names of the columns of `outputs`.
        train_speakers: speakers of the training set of this corpus, None if they are not known.
        temperature: what calibrated logits are divided by, None if it was not fitted.

    Raises:
        ScoringError: shapes do not fit, or an output is no number.
    """
    outputs = np.asarray(outputs)
    _check(outputs, rows, classes, f"{dataset}:{config}, {split}")
    labels, speakers, ratings = label_array(rows), _column(rows, "speaker"), is_rated(rows)
    measure: Callable[..., dict[str, Any]] = partial(_agreement if ratings else _hits, classes=list(classes))
    groups = {}
    for attribute in ATTRIBUTES:
        values = _column(rows, attribute)
        if values is not None:
            places = {value: np.flatnonzero(values == value) for value in sorted(set(values) - {"unknown"})}
            groups[attribute] = {
                value: measure(outputs[at], labels[at], None if speakers is None else speakers[at])
                for value, at in places.items()
            }
    told = {
        "dataset": without_folder(dataset),
        "config": config,
        "split": split,
        "name": name,
        "by": {attribute: found for attribute, found in groups.items() if found},
        "shared_speakers": shared_speakers(speakers, train_speakers),
    }
    if ratings:
        return SplitScores(scores=measure(outputs, labels, speakers), **told)
    if temperature is not None:
        cooled = outputs.astype(np.float64) / temperature
        told |= {
            "temperature": temperature,
            "calibrated_ece": scores(
                references=labels, prediction_scores=cooled, labels=list(classes), scores_are="logits"
            )["ece"],
            "calibrated_reliability": _bins(cooled, labels),
        }
    return SplitScores(
        scores=measure(outputs, labels, speakers, per_class=True, confusion_matrix=True),
        reliability=_bins(outputs, labels),
        **told,
    )


def shared_speakers(speakers: Sequence[str] | None, heard: AbstractSet[str] | None) -> float | None:
    """Return the share of utterances whose speaker was heard in training; None where that cannot be told.

    Args:
        speakers: speaker of each utterance, None if they are not known.
        heard: speakers of the training set, None if they are not known.
    """
    if speakers is None or heard is None:
        return None
    return float(np.mean([speaker in heard for speaker in speakers]))


def across_folds(results: Sequence[SplitScores]) -> CrossValidation:
    """Return the scores over folds of one corpus: each fold's, their mean and deviation, and all as one test set.

    Args:
        results: scores of the test split of each fold, all of the same classes or dimensions.
    """
    first = results[0]
    folds = {
        one.config: {each.dimension or each.metric: each.value for each in one.measures()} | {"n": one.scores["n"]}
        for one in results
    }
    metrics = [metric for metric in folds[first.config] if metric not in ("n", "uar")]  # UAR is UA
    columns = {metric: [fold[metric] for fold in folds.values()] for metric in metrics}
    columns = {metric: values for metric, values in columns.items() if None not in values}
    told = {
        "dataset": first.dataset,
        "name": first.name,
        "folds": folds,
        "mean": {metric: fmean(values) for metric, values in columns.items()},
        "deviation": {metric: stdev(values) for metric, values in columns.items()} if len(folds) > 1 else {},
    }
    if first.rated:
        return CrossValidation(**told)
    matrices = [np.array(one.scores["confusion_matrix"]) for one in results]
    return CrossValidation(
        **told,
        pooled=over_folds(matrices)["pooled"],
        labels=first.scores["labels"],
        confusion_matrix=sum(matrices).tolist(),
    )


def _check(outputs: np.ndarray, rows: Dataset, classes: Sequence[str], name: str) -> None:
    if outputs.shape != (len(rows), len(classes)):
        raise ScoringError(
            f"{name}: scores need one output per row and class, ({len(rows)}, {len(classes)}); the model gave "
            f"{outputs.shape}. Pass the rows that were predicted, in their order, and the classes of the model."
        )
    wrong = ~np.isfinite(outputs)
    if wrong.any():
        row, column = (int(index) for index in np.argwhere(wrong)[0])
        raise ScoringError(
            f"{name}: scores need numbers; {int(wrong.any(axis=1).sum())} of {len(rows)} rows have none, the first "
            f"{rows[row]['id']!r}, whose {classes[column]} is {outputs[row, column]}. Training diverged, or half "
            "precision overflows: lower --learning_rate, or use --bf16 instead of --fp16."
        )


def _column(rows: Dataset, name: str) -> np.ndarray | None:
    """Return a column, (rows,), None unless every row has a value."""
    if name not in rows.column_names:
        return None
    values = rows.select_columns([name])[name][:]
    return None if not values or None in values or "" in values else np.array(values, dtype=object)


def _hits(
    logits: np.ndarray, labels: np.ndarray, speakers: np.ndarray | None, classes: list[str], **asked: bool
) -> dict[str, Any]:
    """Return the scores of classes, with intervals."""
    measure = partial(scores, references=labels, prediction_scores=logits, labels=classes, scores_are="logits", **asked)
    number, note = _speakers(speakers)
    if not note:
        note = "most draws of speakers lack a class"
        try:
            told = measure(groups=list(speakers), confidence=LEVEL, seed=_SEED)
        except ValueError:  # all draws do; what is wrong with the inputs is raised below
            told = None
        if told and told["confidence"]["draws"] >= DRAWS / 2:
            return told | {"speakers": number, "confidence": _spread(told["confidence"])}
    told = measure(confidence=LEVEL, seed=_SEED)
    return told | {"speakers": number, "confidence": _spread(told["confidence"]) | {"note": note}}


def _spread(confidence: dict[str, Any]) -> dict[str, Any]:
    """Leave out intervals without width: draws that all agree, as where nothing is wrong, tell nothing."""
    return {name: one for name, one in confidence.items() if not (isinstance(one, list) and one[0] == one[1])}


def _agreement(
    estimates: np.ndarray, ratings: np.ndarray, speakers: np.ndarray | None, classes: list[str]
) -> dict[str, Any]:
    """Return the scores of ratings, with intervals; a dimension counts the rows that have a rating of it."""
    each = {}
    for at, name in enumerate(classes):
        present = np.isfinite(ratings[:, at])
        told = {"ccc": None, "pearson": None, "rmse": None, "mae": None}
        if present.any():
            told = dimensional_scores(estimates[present, at : at + 1], ratings[present, at : at + 1], [name])[name]
        each[name] = told | {"n": int(present.sum())}
    values = [one["ccc"] for one in each.values()]
    whole = each | {"ccc": None if None in values else fmean(values), "n": len(ratings)}
    number, note = _speakers(speakers)
    groups = np.arange(len(ratings)) if note else np.unique(speakers.astype(str), return_inverse=True)[1]
    return whole | {"speakers": number, "confidence": _ccc_intervals(estimates, ratings, groups, whole, classes, note)}


def _speakers(speakers: np.ndarray | None) -> tuple[int | None, str]:
    """Return the number of speakers, and why they give no interval, "" if they do."""
    if speakers is None:
        return None, "the speakers are not known"
    number = len(set(speakers))
    return number, "" if number >= MIN_GROUPS else f"fewer than {MIN_GROUPS} speakers"


def _ccc_intervals(
    estimates: np.ndarray, ratings: np.ndarray, groups: np.ndarray, whole: dict, classes: list[str], note: str
) -> dict[str, Any]:
    """Draw groups again and return the interval of every CCC, as `ser_metrics.scores` does for classes.

    A CCC is a function of six sums over the utterances, so that drawing groups is adding up their sums.

    Args:
        estimates: (N, D).
        ratings: (N, D), NaN where there is none.
        groups: group of each utterance, 0 to G - 1, (N,).
        whole: scores of all utterances.
        classes: names of the D dimensions.
        note: why groups are no speakers but single utterances, "" if they are.
    """
    present = np.isfinite(ratings)
    center = np.where(present, ratings, 0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)  # for the precision
    x, y = (np.where(present, side - center, 0.0) for side in (estimates.astype(np.float64), ratings))
    sums = np.zeros((groups.max() + 1, len(classes), 6))
    np.add.at(sums, groups, np.stack([present, x, y, x * x, y * y, x * y], axis=-1))
    drawn = np.concatenate([_ccc(draw) for draw in by_group(sums, np.random.default_rng(_SEED))])
    number = None if note else len(sums)
    told = {"level": LEVEL, "by": "utterances" if note else "groups", "groups": number, "seed": _SEED, "note": note}
    for name, values in {**dict(zip(classes, drawn.T, strict=True)), "ccc": drawn.mean(axis=1)}.items():
        estimate = whole["ccc"] if name == "ccc" else whole[name]["ccc"]
        values = values[np.isfinite(values)]
        if estimate is not None and len(values):
            told[name] = interval(estimate, values, LEVEL, number, low=-1.0)
    return _spread(told)


def _ccc(sums: np.ndarray) -> np.ndarray:
    """Return the CCC from the sums of 1, x, y, x^2, y^2 and xy, (..., 6); NaN where it is undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        _, x, y, xx, yy, xy = np.moveaxis(sums / sums[..., :1], -1, 0)
        return 2 * (xy - x * y) / ((xx - x * x) + (yy - y * y) + (x - y) ** 2)


def _bins(logits: np.ndarray, labels: np.ndarray) -> list[tuple[float, float, int]]:
    """Return confidence, accuracy and number of utterances of the filled bins of the calibration error."""
    decisions = decide(logits, np.full(logits.shape[1], True), "logits")
    right = decisions.first == labels
    edges = (np.arange(1, BINS) / BINS).astype(decisions.confidence.dtype)
    place = np.searchsorted(edges, decisions.confidence)
    return [
        (float(decisions.confidence[at].mean()), float(right[at].mean()), int(at.sum()))
        for at in (place == number for number in range(BINS))
        if at.any()
    ]
