"""The model that training starts from: pre-trained or made on the spot, expanded or not, with the right head."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModelForAudioClassification,
    FeatureExtractionMixin,
    HubertForSequenceClassification,
    PreTrainedModel,
    Wav2Vec2FeatureExtractor,
)

from loading_scripts.audio import SAMPLE_RATE
from loading_scripts.errors import SerbenchError

from ..models import expand, tiny_hubert_config
from .arguments import ModelArguments
from .trainer import check_classes


class ModelError(SerbenchError, ValueError):
    """A model cannot be loaded, or not used in the way that was asked for."""


def start(args: ModelArguments, names: Sequence[str]) -> tuple[PreTrainedModel, FeatureExtractionMixin]:
    """Return the classifier that `args` ask for, with `names` as its classes, and its feature extractor.

    Raises:
        ModelError: the model cannot be found, has no feature extractor for 16 kHz, or cannot be expanded.
        ModelMismatchError: the model was trained for other classes, and `new_head` is off.
    """
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: index for index, name in enumerate(names)}}
    if args.model is None:
        return _made(labels), Wav2Vec2FeatureExtractor(
            sampling_rate=SAMPLE_RATE, do_normalize=False, return_attention_mask=True
        )
    try:
        extractor = AutoFeatureExtractor.from_pretrained(args.model)
        model = _pretrained(args, labels)
    except (OSError, ValueError, TypeError) as error:  # transformers' and expand's words for what is wrong with a model
        if isinstance(error, SerbenchError):
            raise
        raise ModelError(f"--model {args.model}: {error}") from error
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ModelError(
            f"--model {args.model}: its feature extractor must take {SAMPLE_RATE} Hz, as all audio here; it takes "
            f"{extractor.sampling_rate}. Choose an encoder for 16 kHz."
        )
    return model, extractor


def _made(labels: dict[str, Any]) -> PreTrainedModel:
    """Return a tiny expanded HuBERT. Its originals are as random as its copies, so nothing of it may be frozen."""
    return expand(HubertForSequenceClassification(tiny_hubert_config(labels["id2label"])), freeze_original=False)


def _pretrained(args: ModelArguments, labels: dict[str, Any]) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(args.model)
    has_head = any("Classification" in name for name in config.architectures or ())
    if has_head and not args.new_head:
        check_classes(config, list(labels["label2id"]), args.model)
    if args.expand:
        model = expand(args.model, dtype=torch.float32, freeze_original=args.freeze_original, **labels)
    else:
        # Sizes can differ in the head alone: that of a bare encoder is new, and another was checked or given up above.
        model = AutoModelForAudioClassification.from_pretrained(
            args.model, dtype=torch.float32, ignore_mismatched_sizes=True, **labels
        )
    if hasattr(model, "freeze_feature_encoder"):
        model.freeze_feature_encoder()  # the convolutions are pre-trained; the ExHuBERT paper keeps them, section 4.1
    return model
