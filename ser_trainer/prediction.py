"""Prediction: audio files in, a label and the probabilities of all classes out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, FeatureExtractionMixin, PreTrainedModel

from loading_scripts.audio import SAMPLE_RATE, SUFFIXES
from loading_scripts.errors import AudioError, SerbenchError

from . import models  # noqa: F401  makes the Auto classes know ExHuBERT
from .finetune.collator import SerCollator, padding_matters, shortest_input


class PredictionError(SerbenchError, FileNotFoundError):
    """There is no such model, or no audio."""


@dataclass(frozen=True)
class Prediction:
    """What a model says of one file.

    Args:
        file: path as it was given or found.
        label: class with the highest probability; None if the file could not be read.
        probabilities: class -> probability, in the order of the model's outputs.
        error: why there is no prediction.
    """

    file: str
    label: str | None = None
    probabilities: dict[str, float] | None = None
    error: str | None = None


def find_audio(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files among `paths` as they are, and the audio files below the folders among them, sorted.

    Raises:
        PredictionError: a path does not exist, or there is no audio at all.
    """
    paths, found = [Path(path) for path in paths], []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        elif path.exists():
            found.append(path)
        else:
            raise PredictionError(f"Audio {path}: no such file or folder. Check the path.")
    if not found:
        raise PredictionError(
            f"Audio: no file below {', '.join(map(str, paths))} ends in {', '.join(sorted(SUFFIXES))}. "
            "Name a file, which may have any ending, or another folder."
        )
    return found


def load_classifier(model: str) -> tuple[PreTrainedModel, FeatureExtractionMixin]:
    """Return a classifier in eval mode and its feature extractor.

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


def predict(
    files: Sequence[Path], model: PreTrainedModel, extractor: FeatureExtractionMixin, batch_size: int = 8
) -> Iterator[Prediction]:
    """Yield a prediction for each file, in their order; a broken one has `error` instead of a label.

    Files of a batch are padded together only where the model is blind to padding; else only files of equal length share
    a pass. So the probabilities are those of the file alone, as transformers' pipeline gives them.

    Args:
        files: audio of any rate and number of channels.
        model: classifier.
        extractor: its feature extractor.
        batch_size: files that are read at a time.
    """
    collator = SerCollator(extractor, min_samples=shortest_input(model.config, training=False))
    apart = padding_matters(extractor, model.config)
    for start in range(0, len(files), batch_size):
        batch = files[start : start + batch_size]
        outcomes: dict[int, Prediction] = {}
        clips: list[tuple[int, np.ndarray]] = []
        for index, file in enumerate(batch):
            try:
                clips.append((index, collator.clip({"id": str(file), "audio": str(file)})))
            except AudioError as error:
                outcomes[index] = Prediction(str(file), error=str(error.__cause__ or error))
        clips.sort(key=lambda clip: len(clip[1]))
        groups = groupby(clips, key=lambda clip: len(clip[1]) if apart else 0)
        for _, group in groups:
            indices, samples = zip(*group, strict=True)
            for index, row in zip(indices, _probabilities(samples, model, collator), strict=True):
                named = {model.config.id2label[i]: float(value) for i, value in enumerate(row)}
                outcomes[index] = Prediction(str(batch[index]), max(named, key=named.__getitem__), named)
        yield from (outcomes[index] for index in range(len(batch)))


@torch.inference_mode()
def _probabilities(samples: Sequence[np.ndarray], model: PreTrainedModel, collator: SerCollator) -> np.ndarray:
    inputs = {name: tensor.to(model.device) for name, tensor in collator.pad(samples).items()}
    return model(**inputs).logits.float().softmax(dim=-1).cpu().numpy()
