"""What fine-tuning in Generalize starts from: a checkpoint of transformers with a new head."""

import torch
from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification, FeatureExtractionMixin

from ...encoders.opening import Opening
from ...models import whisper_classifier
from .fine_tuning import MakeModel, TuningError


def starting(opening: Opening, whole: bool) -> MakeModel:
    """Return what makes the model of a training: Whisper with the paper's head, others with that of transformers.

    Args:
        opening: names a checkpoint of transformers.
        whole: whether all of it trains, but for a stem of convolutions on waveforms; else the head alone.

    Raises:
        TuningError: it is no such checkpoint, or its weights are not whole.
    """

    def make(classes: tuple[str, ...]) -> tuple[torch.nn.Module, FeatureExtractionMixin]:
        hub = {"revision": opening.revision, "trust_remote_code": opening.trust_remote_code}
        names = {"id2label": dict(enumerate(classes)), "label2id": {name: at for at, name in enumerate(classes)}}
        try:
            config = AutoConfig.from_pretrained(opening.place, **hub)
            extractor = AutoFeatureExtractor.from_pretrained(opening.place, **hub)
            if config.model_type == "whisper":
                model = whisper_classifier(opening.place, opening.revision, **names)
            else:
                model = AutoModelForAudioClassification.from_pretrained(
                    opening.place, dtype=torch.float32, ignore_mismatched_sizes=True, **hub, **names
                )
        except (OSError, ValueError) as error:
            raise TuningError(
                f"Protocol generalize: fine-tunes the encoder, which must be a checkpoint of transformers; "
                f"{opening.name} cannot be loaded as one: {error}. Take a Whisper: --encoder whisper_base."
            ) from error
        if not whole:
            model.base_model.requires_grad_(False)
        elif hasattr(model, "freeze_feature_encoder"):
            model.freeze_feature_encoder()
        return model, extractor

    return make
