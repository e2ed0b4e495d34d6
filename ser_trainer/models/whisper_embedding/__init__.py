"""The classifier of Generalize: Whisper's encoder and decoder, one vector per clip, a head of five layers."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForAudioClassification, WhisperModel

from .configuration_whisper_embedding import WhisperEmbeddingConfig
from .modeling_whisper_embedding import WhisperEmbeddingForSequenceClassification

AutoConfig.register(WhisperEmbeddingConfig.model_type, WhisperEmbeddingConfig, exist_ok=True)
AutoModelForAudioClassification.register(
    WhisperEmbeddingConfig, WhisperEmbeddingForSequenceClassification, exist_ok=True
)
WhisperEmbeddingConfig.register_for_auto_class()
WhisperEmbeddingForSequenceClassification.register_for_auto_class("AutoModelForAudioClassification")


def whisper_classifier(
    whisper: str, revision: str = "main", **fields: Any
) -> WhisperEmbeddingForSequenceClassification:
    """Return the classifier on a pre-trained Whisper, with a new head, in float32.

    Args:
        whisper: folder or Hub id of a Whisper with encoder and decoder.
        revision: on the Hub.
        fields: of `WhisperEmbeddingConfig`, such as `id2label` and `label2id`.

    Raises:
        ValueError: The checkpoint lacks weights, as one that was fine-tuned to classify lacks the decoder.
    """
    found, info = WhisperModel.from_pretrained(
        whisper, revision=revision, dtype=torch.float32, output_loading_info=True
    )
    missing = sorted(info["missing_keys"])
    if missing:
        raise ValueError(
            f"{whisper}: needs the weights of a whole Whisper, encoder and decoder; {len(missing)} are missing, first "
            f"{missing[0]}. Take the checkpoint that it was fine-tuned from."
        )
    held = found.config.to_dict()
    own = {name: value for name, value in held.items() if name not in ("model_type", "architectures", "_name_or_path")}
    model = WhisperEmbeddingForSequenceClassification(WhisperEmbeddingConfig(**own | fields))
    model.model.load_state_dict(found.state_dict())
    model.config.name_or_path = whisper
    return model


__all__ = ["WhisperEmbeddingConfig", "WhisperEmbeddingForSequenceClassification", "whisper_classifier"]
