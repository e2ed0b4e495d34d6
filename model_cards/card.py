"""The card of a fine-tuned model: `README.md` with the model-index that the Hub reads, and a page with pictures."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from huggingface_hub import EvalResult, ModelCardData

from .licence import Source, model_licence
from .markdown import render_card
from .model_pictures import draw_confusion, draw_curves, draw_reliability
from .model_scores import CrossValidation, Measure, SplitScores, averages

CURVES = "training.png"
"""File name of the picture of the course of training."""

CONFUSION = "confusion.png"
"""File name of the confusion matrix over all folds."""

# What the Hub takes for the id of a data set.
_HUB_ID = re.compile(r"[\w-]+/[\w.-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class TrainingCorpus(Source):
    """A corpus that the model was trained on.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config, for example ``fold1``.
        utterances: number of training utterances.
        languages: BCP 47 tags.
        traps: what a reader of the scores must know of the corpus.
        rating_scale: scale of arousal, valence and dominance, in words; empty where there are none.
    """

    dataset: str
    config: str
    utterances: int
    languages: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    rating_scale: str = ""


@dataclass(frozen=True, kw_only=True)
class ClassMeaning:
    """What a class of the model means in the label maps of serbench: classes, or quadrants, None for no place."""

    name: str
    unified8: str
    arousal_valence: str | None


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How the probabilities were calibrated.

    Args:
        temperature: what the logits are divided by before the softmax.
        utterances: number of utterances it was fitted on.
        speakers: corpus -> the speakers of these utterances; empty where they are not known.
    """

    temperature: float
    utterances: int
    speakers: Mapping[str, Sequence[str]]


@dataclass(kw_only=True)
class ModelCard:
    """Everything that the card of a model says. What training finds out is filled in while it runs.

    Args:
        name: name of the model.
        model_type: architecture, as in its config.
        target: label column, or columns of ratings, that it learned.
        classes: its classes or dimensions, in the order of its outputs.
        corpora: what it was trained on.
        rated: whether it estimates ratings and not classes.
        meanings: what its classes mean in the label maps of serbench.
        base_model: what training started from, its name a Hub id or that of a folder; None for random weights.
        model_id: Hub id or folder in the examples of use.
        results: test scores.
        calibration: how the probabilities were calibrated, None if they were not.
        command: command line that trained it, without paths of this machine.
        hyperparameters: names and values.
        curves: course of training, see `draw_curves`.
        parameters: number of parameters.
        trainable: number of parameters that were trained.
        steps: optimizer steps.
        seconds: duration of the training.
        device: what computed, for example the name of the GPU.
        versions: package -> version.
    """

    name: str
    model_type: str
    target: str
    classes: Sequence[str]
    corpora: Sequence[TrainingCorpus]
    rated: bool = False
    meanings: Sequence[ClassMeaning] = ()
    base_model: Source | None = None
    model_id: str = "."
    results: list[SplitScores] = field(default_factory=list)
    calibration: Calibration | None = None
    command: str = ""
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    parameters: int = 0
    trainable: int = 0
    steps: int = 0
    seconds: float = 0.0
    device: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def sources(self) -> list[Source]:
        """All that the weights were learned from."""
        return [*self.corpora, *([self.base_model] if self.base_model else [])]


def render_model_card(card: ModelCard) -> str:
    """Return the text of README.md: YAML front matter with the model-index, and a page for people."""
    base = card.base_model.name if card.base_model else ""
    licence = model_licence(card.sources)
    measures = [(result, one) for result in card.results for one in result.measures() if one.value is not None]
    languages = {tag.split("-")[0] for corpus in card.corpora for tag in corpus.languages}
    datasets = dict.fromkeys(corpus.dataset for corpus in card.corpora if _HUB_ID.fullmatch(corpus.dataset))
    data = ModelCardData(
        model_name=card.name,
        license=licence.id,
        license_name=licence.name or None,
        license_link=licence.link or None,
        base_model=base if _HUB_ID.fullmatch(base) else None,  # an id of the Hub, no folder
        datasets=list(datasets) or None,
        language=sorted(languages) or None,
        library_name="transformers",
        pipeline_tag="audio-classification",
        tags=["speech-emotion-recognition", "serbench", card.model_type],
        metrics=list(dict.fromkeys(one.metric for _, one in measures)) or None,
        eval_results=[_eval_result(*one) for one in measures] or None,
    )
    return render_card(
        data,
        "model.md.j2",
        card=card,
        licence=licence,
        averages=averages(card.results),
        notes=_notes(card.results),
        percent=_percent,
        correlation=_correlation,
        text=_text,
        code=_code,
        link=_link,
        curves_picture=CURVES,
    )


def write_model_card(card: ModelCard, folder: Path) -> Path:
    """Write README.md and its pictures into an existing folder; return the path of README.md."""
    for result in card.results:
        if not result.rated:
            draw_confusion(result.scores["confusion_matrix"], result.scores["labels"], folder / result.picture)
        if result.reliability:
            path = folder / result.reliability_picture
            draw_reliability(result.reliability, result.calibrated_reliability, path)
    if card.curves:
        draw_curves(card.curves, folder / CURVES)
    path = folder / "README.md"
    path.write_text(render_model_card(card), encoding="utf-8")
    return path


def write_cross_validation(folds: CrossValidation, folder: Path) -> Path:
    """Write README.md about all folds, and a picture, into the folder above theirs; return the path of README.md."""
    data = ModelCardData(
        datasets=[folds.dataset] if _HUB_ID.fullmatch(folds.dataset) else None,
        tags=["speech-emotion-recognition", "serbench", "cross-validation"],
    )
    if folds.labels:
        draw_confusion(folds.confusion_matrix, folds.labels, folder / CONFUSION)
    path = folder / "README.md"
    content = render_card(data, "folds.md.j2", folds=folds, picture=CONFUSION, text=_text, code=_code)
    path.write_text(content, encoding="utf-8")
    return path


def _eval_result(result: SplitScores, one: Measure) -> EvalResult:
    told = result.scores.get("confidence", {})
    arguments: dict[str, Any] = {"dimension": one.dimension} if one.dimension else {}
    if one.interval is not None:
        by = "speakers" if told["by"] == "groups" else told["by"]
        ends = [round(end, 4) for end in one.interval]
        arguments |= {"confidence_interval": ends, "level": told["level"], "by": by}
    return EvalResult(
        task_type="audio-classification",
        task_name="Speech emotion recognition",
        # the Hub refuses other characters in the type of a data set
        dataset_type=result.dataset
        if _HUB_ID.fullmatch(result.dataset)
        else re.sub(r"[^A-Za-z0-9_.-]+", "-", result.dataset),
        dataset_name=result.name,
        dataset_config=result.config,
        dataset_split=result.split,
        metric_type=one.metric,
        metric_name=one.name,
        metric_value=round(one.value, 4),
        metric_args=arguments or None,
    )


def _notes(results: Sequence[SplitScores]) -> list[str]:
    """Return why some intervals are not by speaker, each reason once."""
    shown = [
        scores
        for one in results
        for scores in (one.scores, *(s for groups in one.by.values() for s in groups.values()))
    ]
    notes = [scores.get("confidence", {}).get("note", "") for scores in shown]
    return list(dict.fromkeys(filter(None, notes)))


def _percent(scores: Mapping[str, Any], metric: str) -> str:
    return _with_interval(scores, metric, scores[metric], "%.1f", 100)


def _correlation(scores: Mapping[str, Any], dimension: str) -> str:
    one = scores[dimension]
    return _with_interval(scores, dimension, one["ccc"] if isinstance(one, Mapping) else one, "%.3f", 1)


def _with_interval(scores: Mapping[str, Any], key: str, value: float | None, form: str, unit: float) -> str:
    """Return a score and its interval; a dagger marks an interval that is not by speaker."""
    if value is None:
        return "-"
    told = scores.get("confidence", {})
    if told.get(key) is None:
        return form % (unit * value)
    low, high = (form % (unit * end) for end in told[key])
    return f"{form % (unit * value)} ({low} to {high}){'' if told['by'] == 'groups' else '†'}"


def _text(value: Any) -> str:
    """Return words of others as Markdown that shows them, also in a table."""
    words = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\|\[\]*`])", r"\\\1", words)


def _code(value: Any) -> str:
    """Return a name as code, also in a table."""
    words = " ".join(str(value).split()).replace("`", "'").replace("|", r"\|")
    return f"`{words}`"


def _link(name: str, address: str) -> str:
    """Return a link, or the name alone where the address is none of the web."""
    if not re.match(r"https?://", address):
        return _text(name)
    return f"[{_text(name)}]({quote(address, safe=':/?#@!$&*+,;=%~')})"
