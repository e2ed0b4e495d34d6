"""`core.scores` and `dimensional.dimensional_scores` as a module of evaluate: `evaluate.load("ser_metrics")`.

evaluate copies this file and the files that it imports relatively into a cache and imports the copies. It follows the
imports of this file alone, so every file that one of them needs is imported here; and it takes a comment behind such
an import for the address of the file. It takes the first metric class among the names of this file, hence
`evaluate.Metric` in full.
"""

import inspect
from typing import Any

import datasets
import evaluate

from .columns import near, pair
from .core import scores
from .decisions import KINDS
from .dimensional import dimensional_scores, ratings
from .intervals import MIN_GROUPS
from .rates import CONVENTIONS

DESCRIPTION = """
Speech emotion recognition from class decisions: unweighted accuracy (UA, the mean recall, also called UAR or
balanced accuracy), weighted accuracy (WA, plain accuracy) and macro F1, as EmoBox computes them with scikit-learn.
How classes without references enter the means is an argument, and the result names it. On request micro and weighted
F1, rates per class, the confusion matrix, scores per speaker, confidence intervals by speaker; from logits or
probabilities also the top-2 accuracy and the calibration error. The configuration "dimensional" scores continuous
arousal, valence and dominance: concordance (CCC) and Pearson correlation, RMSE and MAE.
"""

INPUTS = f"""
Args:
    predictions: One class id (integer) or class name (string) per utterance; names need `labels` in `compute`.
    references: The true classes, in the same order.

Options of `compute`:
    labels: The declared classes, names or ids. With names, ids are positions in this list.
    absent: None (recall over the classes of the references, F1 over those of references or predictions), or one
        convention for both: {", ".join(name for name in CONVENTIONS if name)}.
    per_class: Add recall, precision, F1 and support of every class.
    confusion_matrix: Add the confusion matrix (rows are references) and the labels of its rows.
    micro_f1, weighted_f1: Add these means of F1.
    exclude: Classes that do not count, such as "other".
    prediction_scores: Logits or probabilities, one row per utterance and one column per class, instead of
        predictions; adds top2, ece, ece_bins and scores_are.
    scores_are: {" or ".join(KINDS)}, where the scores could be either.
    groups: Whom each utterance belongs to, such as its speaker.
    per_group: Add the scores of every group.
    confidence: Add bootstrap intervals at this level, such as 0.95: of groups, at least {MIN_GROUPS}, if they are
        given, else of utterances.
    seed: Of the bootstrap.

Returns:
    ua, wa, f1, uar (fractions), n, absent, classes_present, classes_absent; and what was asked for.

In the configuration "dimensional", predictions and references hold one row of ratings per utterance, and `compute`
takes `dimensions` (names of the columns, default arousal, valence, dominance) and `scale` (lowest and highest rating).
It returns per dimension ccc, pearson, rmse, mae; ccc, the mean over dimensions; n; scale.
"""

CITATION = """\
@article{ma2024emobox,
  title   = {EmoBox: Multilingual Multi-corpus Speech Emotion Recognition Toolkit and Benchmark},
  author  = {Ziyang Ma and Mingjie Chen and Hezhao Zhang and Zhisheng Zheng and Wenxi Chen and Xiquan Li and
             Jiaxin Ye and Xie Chen and Thomas Hain},
  journal = {arXiv preprint arXiv:2406.07162},
  year    = {2024}
}
"""


SCORERS = {"default": scores, "dimensional": dimensional_scores}
"""Configuration -> the function that scores what was collected."""


class SerMetrics(evaluate.Metric):
    """Collects predictions and references, by `add`, `add_batch` or `compute`, and scores them.

    evaluate casts what it collects to its declared types: 0.9 to 0, "1" to 1, True to 1. Hence every entry is
    checked before evaluate sees it.
    """

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name not in SCORERS:
            raise ValueError(
                f"config_name={self.config_name!r}: no such configuration.{near(self.config_name, list(SCORERS))} "
                "Leave it out for classes, or ask for 'dimensional'."
            )
        if self.config_name == "dimensional":
            row = datasets.Sequence(datasets.Value("float64"))
            features = datasets.Features({"predictions": row, "references": row})
        else:
            features = [
                datasets.Features({"predictions": datasets.Value(kind), "references": datasets.Value(other)})
                for kind in ("string", "int64")  # strings first: evaluate takes the first that an entry can be cast to
                for other in ("string", "int64")
            ]
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            reference_urls=["https://arxiv.org/abs/2406.07162"],
            features=features,
        )

    def add(
        self, *, prediction: Any = None, reference: Any = None, predictions: Any = None, references: Any = None
    ) -> None:
        """Collect one prediction and its reference; `evaluate.combine` passes them under their plural names."""
        prediction = predictions if prediction is None else prediction
        reference = references if reference is None else reference
        predicted, actual = self._checked([prediction], [reference])
        super().add(prediction=predicted[0], reference=actual[0])

    def add_batch(self, *, predictions: Any = None, references: Any = None) -> None:
        """Collect a batch of predictions and their references."""
        predicted, actual = self._checked(predictions, references)
        super().add_batch(predictions=predicted, references=actual)

    def compute(self, *, predictions: Any = None, references: Any = None, **options: Any) -> dict[str, Any] | None:
        """Score what was collected, and the predictions and references given here; then start anew.

        Args:
            predictions: As for `core.scores`.
            references: As for `core.scores`.
            options: The other arguments of `core.scores`, or of `dimensional.dimensional_scores`. Those that hold
                one entry per utterance (`prediction_scores`, `groups`) go with all utterances that were collected.

        Returns:
            The scores; None in all processes but the first of several.

        Raises:
            ValueError: An input breaks a rule.
            TypeError: An option is unknown.
        """
        known = inspect.signature(SCORERS[self.config_name]).parameters
        for name in options:
            if name not in known:
                raise TypeError(f"compute: no option {name!r}.{near(name, list(known))} It takes {', '.join(known)}.")
        if options.get("prediction_scores") is not None:
            if predictions is not None or len(self):
                raise ValueError("predictions and prediction_scores: both decide. Pass one of them.")
            predictions = references  # evaluate collects two columns; `_compute` passes over this one
        result = super().compute(predictions=predictions, references=references, **options)
        if isinstance(result, ValueError):
            raise result
        return result

    def _compute(self, predictions: list, references: list, **options: Any) -> dict[str, Any] | ValueError:
        if options.get("prediction_scores") is not None:
            predictions = None
        try:
            return SCORERS[self.config_name](predictions, references, **options)
        except ValueError as refusal:  # raised by `compute`, after evaluate has let go of its locked cache file
            return refusal

    def _checked(self, predictions: Any, references: Any) -> tuple[Any, Any]:
        """Check both sides, and that ids do not follow names or the other way round."""
        if self.config_name == "dimensional":
            rows = ratings(predictions, "predictions"), ratings(references, "references")
            if rows[0].shape != rows[1].shape:
                raise ValueError(
                    f"predictions: shape {rows[0].shape} is not that of references, {rows[1].shape}. "
                    "Pass the same utterances and dimensions on both sides."
                )
            return rows[0].tolist(), rows[1].tolist()
        checked = pair(predictions, references)
        if self.selected_feature_format is not None:
            for side, column in zip(("predictions", "references"), checked, strict=True):
                kind = "string" if isinstance(column, list) else "int64"
                collected = self.selected_feature_format[side].dtype
                if kind != collected:
                    raise ValueError(
                        f"{side}[0]: {column[0]!r} is of type {kind}, but this metric has collected {side} of type "
                        f"{collected}. Pass ids only, or names only."
                    )
        return checked
