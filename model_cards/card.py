"""The card of a fine-tuned model: `README.md` with the model-index that the Hub reads, and a confusion matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCardData

from .markdown import render_card

METRICS = {
    "ua": "Unweighted accuracy (UA)",
    "wa": "Weighted accuracy (WA)",
    "f1": "Macro F1",
    "uar": "Unweighted average recall (UAR)",
}


@dataclass(frozen=True, kw_only=True)
class TrainingCorpus:
    """A corpus that the model was trained on.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config, for example ``fold1``.
        name: name as its authors write it.
        utterances: number of training utterances.
        languages: BCP 47 tags.
        licence: name of the licence.
        terms: what the licence says of redistribution and commercial use, in words.
        homepage: where the corpus lives.
        traps: what a reader of the scores must know of the corpus.
    """

    dataset: str
    config: str
    name: str
    utterances: int
    languages: Sequence[str] = ()
    licence: str = "unknown"
    terms: str = ""
    homepage: str = ""
    traps: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class SplitScores:
    """Scores on one split of one corpus.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config.
        split: split.
        name: name of the corpus as its authors write it.
        scores: what `ser_metrics.scores` returned with ``per_class`` and ``confusion_matrix``.
        shared_speakers: share of utterances whose speaker was heard in training; None where that cannot be told.
    """

    dataset: str
    config: str
    split: str
    name: str
    scores: Mapping[str, Any]
    shared_speakers: float | None = None

    @property
    def picture(self) -> str:
        """File name of the confusion matrix."""
        return f"confusion_{self.dataset.rpartition('/')[2]}_{self.config}_{self.split}.png"


@dataclass(kw_only=True)
class ModelCard:
    """Everything that the card of a model says. What training finds out is filled in while it runs.

    Args:
        name: name of the model.
        model_type: architecture, as in its config.
        target: label column that it learned.
        classes: its classes, in the order of its outputs.
        corpora: what it was trained on.
        base_model: Hub id, or name of the folder, of the model that training started from; None for random weights.
        model_id: Hub id or folder in the examples of use.
        results: test scores.
        command: command line that trained it, without paths of this machine.
        hyperparameters: names and values.
        parameters: number of parameters.
        trainable: number of parameters that were trained.
        steps: optimizer steps.
        seconds: duration of the training.
        versions: package -> version.
    """

    name: str
    model_type: str
    target: str
    classes: Sequence[str]
    corpora: Sequence[TrainingCorpus]
    base_model: str | None = None
    model_id: str = "."
    results: list[SplitScores] = field(default_factory=list)
    command: str = ""
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    parameters: int = 0
    trainable: int = 0
    steps: int = 0
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)


def render_model_card(card: ModelCard) -> str:
    """Return the text of README.md: YAML front matter with the model-index, and a page for people."""
    languages = {tag.split("-")[0] for corpus in card.corpora for tag in corpus.languages}
    data = ModelCardData(
        model_name=card.name,
        base_model=card.base_model if "/" in (card.base_model or "") else None,  # an id of the Hub, no folder
        datasets=list(dict.fromkeys(corpus.dataset for corpus in card.corpora)),
        language=sorted(languages) or None,
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "serbench", card.model_type],
        metrics=list(METRICS) if card.results else None,
        eval_results=[_eval_result(one, metric) for one in card.results for metric in METRICS] or None,
    )
    return render_card(data, "model.md.j2", card=card, metrics=METRICS)


def write_model_card(card: ModelCard, folder: Path) -> Path:
    """Write README.md and its pictures into an existing folder; return the path of README.md."""
    for result in card.results:
        draw_confusion(result.scores["confusion_matrix"], result.scores["labels"], folder / result.picture)
    path = folder / "README.md"
    path.write_text(render_model_card(card), encoding="utf-8")
    return path


def draw_confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix to a PNG file: shades are shares of a row (recall), numbers are utterances.

    Args:
        matrix: utterances, rows are references and columns predictions, (classes, classes).
        labels: names of the classes.
        path: file to write.
    """
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    size = len(labels)
    figure = Figure(figsize=(2.4 + 0.55 * size, 2.0 + 0.55 * size), layout="constrained")
    axis = figure.subplots()
    shares = [[count / (sum(row) or 1) for count in row] for row in matrix]
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            color = "white" if shares[i][j] > 0.55 else "black"
            axis.text(j, i, str(count), ha="center", va="center", color=color, fontsize=9)
    axis.set_xticks(range(size), labels, rotation=45, ha="right")
    axis.set_yticks(range(size), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("reference")
    figure.colorbar(image, ax=axis, label="share of the reference class", shrink=0.8)
    # without the name of the software, the same numbers give the same bytes
    figure.savefig(path, dpi=110, metadata={"Software": None})


def _eval_result(result: SplitScores, metric: str) -> EvalResult:
    return EvalResult(
        task_type="audio-classification",
        task_name="Speech emotion recognition",
        dataset_type=result.dataset,
        dataset_name=result.name,
        dataset_config=result.config,
        dataset_split=result.split,
        metric_type=metric,
        metric_name=METRICS[metric],
        metric_value=round(result.scores[metric], 4),
    )
