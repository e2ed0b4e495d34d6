"""The model that training starts from: pre-trained or made on the spot, expanded, adapted, with the right head."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from datasets import Dataset
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
from .finish import last_layer
from .lora import adapt
from .outputs import check_classes
from .targets import class_names, label_array

Started = tuple[torch.nn.Module, FeatureExtractionMixin]


class ModelError(SerbenchError, ValueError):
    """A model cannot be loaded, or not used in the way that was asked for."""


def start(args: ModelArguments, rows: Dataset, dimensions: Sequence[str] = ()) -> Started:
    """Return the model that `args` ask for, with the outputs that `rows` need, and its feature extractor.

    Args:
        args: which model.
        rows: training rows from `labelled` or `rated`.
        dimensions: names of the ratings, where `rows` have ratings. The bias of the last layer starts at their means,
            so that the model speaks in the scale of the corpus from the first step on.

    Raises:
        ModelError: the model cannot be found, has no feature extractor for 16 kHz, or cannot be expanded.
        ModelMismatchError: the model was trained for other classes, and `new_head` is off.
        AdapterError: adapters do not fit the encoder.
    """
    names = list(dimensions) or class_names(rows)
    outputs: dict[str, Any] = {
        "id2label": dict(enumerate(names)),
        "label2id": {name: index for index, name in enumerate(names)},
    }
    if dimensions:
        outputs["problem_type"] = "regression"
    if args.model is None:
        model, extractor = _made(args, outputs), _plain_extractor()
    else:
        try:
            extractor = AutoFeatureExtractor.from_pretrained(args.model)
            model = _pretrained(args, outputs)
        except (OSError, ValueError, TypeError) as error:  # transformers' and expand's words for what is wrong with it
            if isinstance(error, SerbenchError):
                raise
            raise ModelError(f"--model {args.model}: {error}") from error
        _check_rate(args.model, extractor)
    if dimensions:
        with torch.no_grad():
            last_layer(model).bias.copy_(torch.from_numpy(np.nanmean(label_array(rows), axis=0)))
    if args.lora_rank:
        return adapt(model, args.lora_rank, args.lora_alpha), extractor
    return model, extractor


def _plain_extractor() -> FeatureExtractionMixin:
    """Return an extractor that keeps the level of the recording: for a tiny model it tells emotions apart."""
    return Wav2Vec2FeatureExtractor(sampling_rate=SAMPLE_RATE, do_normalize=False, return_attention_mask=True)


def _made(args: ModelArguments, outputs: dict[str, Any]) -> PreTrainedModel:
    """Return a tiny HuBERT, expanded or not. All its weights are random, so nothing of it may be frozen."""
    config = tiny_hubert_config(outputs["id2label"])
    config.problem_type = outputs.get("problem_type")
    plain = HubertForSequenceClassification(config)
    return expand(plain, args.copies, freeze_original=False) if args.expand else plain


def _pretrained(args: ModelArguments, outputs: dict[str, Any]) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(args.model)
    has_head = any("Classification" in name for name in config.architectures or ())
    if has_head and not args.new_head:
        check_classes(config, list(outputs["label2id"]), args.model)
    if args.expand:
        model = expand(args.model, args.copies, dtype=torch.float32, freeze_original=args.freeze_original, **outputs)
    else:
        # Sizes can differ in the head alone: that of a bare encoder is new, and another was checked or given up above.
        model = AutoModelForAudioClassification.from_pretrained(
            args.model, dtype=torch.float32, ignore_mismatched_sizes=True, **outputs
        )
        if not args.freeze_original and hasattr(model, "freeze_original"):
            model.freeze_original(False)
    if hasattr(model, "freeze_feature_encoder"):
        model.freeze_feature_encoder()  # the convolutions are pre-trained; the ExHuBERT paper keeps them, section 4.1
    return model


def _check_rate(model: str, extractor: FeatureExtractionMixin) -> None:
    if extractor.sampling_rate != SAMPLE_RATE:
        raise ModelError(
            f"--model {model}: its feature extractor must take {SAMPLE_RATE} Hz, as all audio here; it takes "
            f"{extractor.sampling_rate}. Choose an encoder for 16 kHz."
        )
