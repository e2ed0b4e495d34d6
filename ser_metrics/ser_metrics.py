"""`core.scores` as a module of Hugging Face evaluate: `evaluate.load("ser_metrics")`.

evaluate copies this file and the files that it imports relatively into a cache and imports the copies, so it
must work inside this package and beside a lone `core.py`. It names `evaluate.Metric` in full because evaluate
takes the first metric class among the names of this file.
"""

from typing import Any

import datasets
import evaluate

from .core import pair, scores

DESCRIPTION = """
Speech emotion recognition from class decisions: unweighted accuracy (UA, the mean recall, also called UAR or
balanced accuracy), weighted accuracy (WA, plain accuracy) and macro F1, as EmoBox computes them with scikit-learn;
per-class rates and the confusion matrix on request. How classes without references enter the means is an argument,
and the result names it.
"""

INPUTS = """
Args:
    predictions: One class id (integer) or class name (string) per utterance; names need `labels` in `compute`.
    references: The true classes, in the same order.
    labels: The declared classes, names or ids. With names, ids are positions in this list.
    absent: None (recall over the classes of the references, F1 over those of references or predictions) or one of
        "present", "union", "declared", "raise", which apply one convention to both.
    per_class: Add recall, precision, F1 and support of every class.
    confusion_matrix: Add the confusion matrix (rows are references) and the labels of its rows.

Returns:
    ua, wa, f1, uar (fractions), n, absent, classes_absent; on request per_class, confusion_matrix, labels.
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


class SerMetrics(evaluate.Metric):
    """Collects class decisions, by `add`, `add_batch` or `compute`, and scores them with `core.scores`.

    evaluate casts what it collects to its declared types: 0.9 to 0, "1" to 1, True to 1. Hence every entry is
    checked by `core.pair` before evaluate sees it.
    """

    def _info(self) -> evaluate.MetricInfo:
        if self.config_name != "default":
            raise ValueError(f"config_name={self.config_name!r}: ser_metrics has one configuration. Leave it out.")
        return evaluate.MetricInfo(
            description=DESCRIPTION,
            citation=CITATION,
            inputs_description=INPUTS,
            reference_urls=["https://arxiv.org/abs/2406.07162"],
            features=[
                datasets.Features({"predictions": datasets.Value(kind), "references": datasets.Value(other)})
                for kind in ("string", "int64")  # strings first: evaluate takes the first that an entry can be cast to
                for other in ("string", "int64")
            ],
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

    def compute(
        self,
        *,
        predictions: Any = None,
        references: Any = None,
        labels: Any = None,
        absent: str | None = None,
        per_class: bool = False,
        confusion_matrix: bool = False,
    ) -> dict[str, Any] | None:
        """Score what was collected, and the predictions and references given here; then start anew."""
        result = super().compute(
            predictions=predictions,
            references=references,
            labels=labels,
            absent=absent,
            per_class=per_class,
            confusion_matrix=confusion_matrix,
        )
        if isinstance(result, ValueError):
            raise result
        return result

    def _compute(self, predictions: list, references: list, **options: Any) -> dict[str, Any] | ValueError:
        try:
            return scores(predictions, references, **options)
        except ValueError as refusal:  # raised by `compute`, after evaluate has let go of its locked cache file
            return refusal

    def _checked(self, predictions: Any, references: Any) -> tuple[Any, Any]:
        """Check both sides, and that ids do not follow names or the other way round."""
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
