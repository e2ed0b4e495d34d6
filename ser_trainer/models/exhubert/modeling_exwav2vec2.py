"""Expanded wav2vec 2.0, XLS-R and MMS in PyTorch. This file travels to the Hub with every saved model."""

from transformers import Wav2Vec2ForSequenceClassification, Wav2Vec2Model, Wav2Vec2PreTrainedModel
from transformers.models.wav2vec2.modeling_wav2vec2 import Wav2Vec2EncoderLayer, Wav2Vec2EncoderLayerStableLayerNorm

from .configuration_expanded import ExWav2Vec2Config
from .modeling_expanded import ExpandedClassifier, ExpandedPreTrained, ExpandedWaveModel, GatedCopy


class ExWav2Vec2EncoderLayer(GatedCopy, Wav2Vec2EncoderLayer):
    """Post-norm layer (wav2vec 2.0 Base), original or gated copy."""


class ExWav2Vec2EncoderLayerStableLayerNorm(GatedCopy, Wav2Vec2EncoderLayerStableLayerNorm):
    """Pre-norm layer (Large-LV60, robust, XLS-R, MMS) with its attention adapter, original or gated copy."""


class ExWav2Vec2PreTrainedModel(ExpandedPreTrained, Wav2Vec2PreTrainedModel):
    """What the models of this file share."""

    config: ExWav2Vec2Config
    config_class = ExWav2Vec2Config
    _no_split_modules = ["ExWav2Vec2EncoderLayer", "ExWav2Vec2EncoderLayerStableLayerNorm", "ParametrizedConv1d"]


class ExWav2Vec2Model(ExpandedWaveModel, ExWav2Vec2PreTrainedModel, Wav2Vec2Model):
    """wav2vec 2.0 with gated copies: waveforms (batch, samples) at 16 kHz to hidden states (batch, T, hidden)."""

    @staticmethod
    def make_layer(config: ExWav2Vec2Config, index: int) -> GatedCopy:
        """Return encoder layer `index` with random weights."""
        kind = ExWav2Vec2EncoderLayerStableLayerNorm if config.do_stable_layer_norm else ExWav2Vec2EncoderLayer
        return kind(config, config.is_copy(index))


class ExWav2Vec2ForSequenceClassification(
    ExpandedClassifier, ExWav2Vec2PreTrainedModel, Wav2Vec2ForSequenceClassification
):
    """Expanded wav2vec 2.0 with the head of `Wav2Vec2ForSequenceClassification`."""

    model_class = ExWav2Vec2Model


__all__ = ["ExWav2Vec2ForSequenceClassification", "ExWav2Vec2Model", "ExWav2Vec2PreTrainedModel"]
