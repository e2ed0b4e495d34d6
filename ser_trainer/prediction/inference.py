"""The model's part: clips in, a label and the probabilities of all classes, or ratings, out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from pathlib import Path

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, FeatureExtractionMixin, PreTrainedModel

from loading_scripts.audio import SAMPLE_RATE, as_float
from loading_scripts.errors import AudioError

from .. import models  # noqa: F401  makes the Auto classes know ExHuBERT
from ..calibration import calibrated, temperature_of
from ..finetune.collator import SerCollator, padding_matters, shortest_input
from .sources import PredictionError
from .stream import stream
from .timeline import windows


@dataclass(frozen=True)
class Prediction:
    """What a model says of one file, or of one window of it.

    Args:
        file: path as it was given or found.
        label: class with the highest probability; None for ratings, and if the file could not be read.
        probabilities: class -> probability, in the order of the model's outputs.
        ratings: dimension -> rating (arousal, valence ...), from a model that was trained on regression.
        start: seconds.
        end: seconds.
        error: why there is no prediction.
    """

    file: str
    label: str | None = None
    probabilities: dict[str, float] | None = None
    ratings: dict[str, float] | None = None
    start: float = 0.0
    end: float | None = None
    error: str | None = None


@dataclass(frozen=True)
class _Clip:
    """Float32 samples at 16 kHz from `start` (seconds) to `end`, or why there are none."""

    file: Path
    samples: np.ndarray | None = None
    start: float = 0.0
    end: float | None = None
    error: str | None = None


def load_classifier(model: str) -> tuple[PreTrainedModel, FeatureExtractionMixin]:
    """Return a classifier, or a model of ratings, in eval mode, and its feature extractor.

    Args:
        model: folder or Hub id.

    Raises:
        PredictionError: the model cannot be loaded; the message has transformers' own words.
    """
    if Path(model).is_dir() and not (Path(model) / "config.json").exists():
        raise PredictionError(
            f"Model {model}: a folder of a model has a config.json; this one has none. "
            "Name the output folder of examples/finetune.py, such as runs/demo-fold1."
        )
    try:
        extractor = AutoFeatureExtractor.from_pretrained(model)
        classifier = AutoModelForAudioClassification.from_pretrained(model, dtype=torch.float32).eval()
    except (OSError, ValueError) as error:
        raise PredictionError(f"Model {model}: {error}") from error
    if extractor.sampling_rate != SAMPLE_RATE:
        raise PredictionError(
            f"Model {model}: its feature extractor must take {SAMPLE_RATE} Hz; it takes {extractor.sampling_rate}."
        )
    return classifier, extractor


def gives_ratings(model: PreTrainedModel) -> bool:
    """Return whether the outputs of a model are ratings, and not classes."""
    return model.config.problem_type == "regression"


def output_names(model: PreTrainedModel) -> list[str]:
    """Return the names of the classes, or of the ratings' dimensions, in the order of the model's outputs."""
    return [model.config.id2label[i] for i in range(model.config.num_labels)]


def predict(
    files: Sequence[Path], model: PreTrainedModel, extractor: FeatureExtractionMixin, batch_size: int = 8
) -> Iterator[Prediction]:
    """Yield a prediction for each file, in their order; a broken one has `error` instead of a label.

    Files of a batch are padded together only where the model is blind to padding; else only files of equal length share
    a pass. So the probabilities are those of the file alone, as transformers' pipeline gives them, but for the
    temperature of a calibrated model.

    Args:
        files: audio of any rate and number of channels.
        model: classifier, or model of ratings.
        extractor: its feature extractor.
        batch_size: files that are read at a time.
    """
    collator = _collator(model, extractor)

    def clips() -> Iterator[_Clip]:
        for file in files:
            try:
                samples = collator.clip({"id": str(file), "audio": str(file)})
            except AudioError as error:
                yield _Clip(file, error=str(error.__cause__ or error))
            else:
                yield _Clip(file, samples, end=len(samples) / SAMPLE_RATE)

    return _outcomes(clips(), model, collator, batch_size)


def predict_windows(
    files: Iterable[Path],
    model: PreTrainedModel,
    extractor: FeatureExtractionMixin,
    window: float = 3.0,
    hop: float | None = None,
    batch_size: int = 8,
) -> Iterator[Prediction]:
    """Yield a prediction for each window of each file, in order, each as if the window were a file of its own.

    Files are read block by block: no more than `batch_size` windows is in memory, however long a file is. A file that
    breaks off gives its windows up to there, then a prediction with `error`.

    Args:
        files: audio of any rate, number of channels and length.
        model: classifier, or model of ratings.
        extractor: its feature extractor.
        window: seconds; how the last window is made, see `timeline.windows`.
        hop: seconds from the start of a window to the start of the next; default `window`.
        batch_size: windows that the model gets at a time.

    Raises:
        PredictionError: `hop` is not above 0, or `window` is below the model's shortest input.
    """
    collator = _collator(model, extractor)
    size, step = _samples("window", window), _samples("hop", window if hop is None else hop)
    if size < collator.min_samples:
        raise PredictionError(
            f"Time line: a window must be at least the {collator.min_samples / SAMPLE_RATE} s that this model needs "
            f"for one frame; it is {window} s. Some seconds are usual."
        )

    def clips() -> Iterator[_Clip]:
        for file in files:
            try:
                for first, samples in windows(stream(file), size, step):
                    start, end = first / SAMPLE_RATE, (first + len(samples)) / SAMPLE_RATE
                    padded = np.pad(samples, (0, max(0, collator.min_samples - len(samples))))
                    yield _Clip(file, as_float(padded), start, end)
            except AudioError as error:
                yield _Clip(file, error=str(error))

    return _outcomes(clips(), model, collator, batch_size)


def _collator(model: PreTrainedModel, extractor: FeatureExtractionMixin) -> SerCollator:
    return SerCollator(extractor, min_samples=shortest_input(model.config, training=False))


def _samples(name: str, seconds: float) -> int:
    if not 0 < seconds < float("inf") or not round(seconds * SAMPLE_RATE):
        raise PredictionError(f"Time line: a {name} must be a number of seconds above 0; it is {seconds} s.")
    return round(seconds * SAMPLE_RATE)


def _outcomes(
    clips: Iterator[_Clip], model: PreTrainedModel, collator: SerCollator, batch_size: int
) -> Iterator[Prediction]:
    apart = padding_matters(collator.extractor, model.config)
    while batch := list(islice(clips, batch_size)):
        outcomes = {i: Prediction(str(clip.file), error=clip.error) for i, clip in enumerate(batch) if clip.error}
        good = [(i, clip) for i, clip in enumerate(batch) if clip.samples is not None]
        good.sort(key=lambda entry: len(entry[1].samples))
        for _, group in groupby(good, lambda entry: len(entry[1].samples) if apart else 0):
            indices, together = zip(*group, strict=True)
            rows = _outputs([clip.samples for clip in together], model, collator)
            outcomes |= {i: _prediction(batch[i], row, model) for i, row in zip(indices, rows, strict=True)}
        yield from (outcomes[i] for i in range(len(batch)))


@torch.inference_mode()
def _outputs(samples: Sequence[np.ndarray], model: PreTrainedModel, collator: SerCollator) -> np.ndarray:
    inputs = {name: tensor.to(model.device) for name, tensor in collator.pad(samples).items()}
    return model(**inputs).logits.float().cpu().numpy()


def _prediction(clip: _Clip, outputs: np.ndarray, model: PreTrainedModel) -> Prediction:
    made = partial(Prediction, str(clip.file), start=clip.start, end=clip.end)
    if not np.isfinite(outputs).all():
        return made(error=f"Audio file {clip.file}: the outputs of the model must be finite; they are {outputs}.")
    names = output_names(model)
    if gives_ratings(model):
        return made(ratings=dict(zip(names, outputs.tolist(), strict=True)))
    probabilities = calibrated(outputs, temperature_of(model.config) or 1.0)
    return made(label=names[outputs.argmax()], probabilities=dict(zip(names, probabilities.tolist(), strict=True)))
