"""Expanded WavLM in PyTorch. This file travels to the Hub with every saved model."""

from transformers import WavLMForSequenceClassification, WavLMModel, WavLMPreTrainedModel
from transformers.models.wavlm.modeling_wavlm import WavLMEncoderLayer, WavLMEncoderLayerStableLayerNorm

from .configuration_expanded import ExWavLMConfig
from .modeling_expanded import ExpandedClassifier, ExpandedPreTrained, ExpandedWaveModel, GatedCopy


class BiasedCopy(GatedCopy):
    """A layer of WavLM, which takes the position bias that layer 0 computed, and returns it unchanged."""

    def __call__(self, hidden_states, attention_mask=None, position_bias=None, **kwargs):
        """Call the layer. Reentrant checkpointing gives gradients to positional arguments only."""
        return super().__call__(hidden_states, attention_mask, position_bias, **kwargs)


class ExWavLMEncoderLayer(BiasedCopy, WavLMEncoderLayer):
    """Post-norm layer (WavLM-Base and -Base+), original or gated copy."""


class ExWavLMEncoderLayerStableLayerNorm(BiasedCopy, WavLMEncoderLayerStableLayerNorm):
    """Pre-norm layer (WavLM-Large), original or gated copy."""


class ExWavLMPreTrainedModel(ExpandedPreTrained, WavLMPreTrainedModel):
    """What the models of this file share."""

    config: ExWavLMConfig
    config_class = ExWavLMConfig
    _no_split_modules = ["ExWavLMEncoderLayer", "ExWavLMEncoderLayerStableLayerNorm", "ParametrizedConv1d"]


class ExWavLMModel(ExpandedWaveModel, ExWavLMPreTrainedModel, WavLMModel):
    """WavLM with gated copies: waveforms (batch, samples) at 16 kHz to hidden states (batch, T, hidden)."""

    @staticmethod
    def make_layer(config: ExWavLMConfig, index: int) -> GatedCopy:
        """Return encoder layer `index` with random weights; only the first, an original, embeds relative positions."""
        kind = ExWavLMEncoderLayerStableLayerNorm if config.do_stable_layer_norm else ExWavLMEncoderLayer
        return kind(config, config.is_copy(index), has_relative_position_bias=index == 0)


class ExWavLMForSequenceClassification(ExpandedClassifier, ExWavLMPreTrainedModel, WavLMForSequenceClassification):
    """Expanded WavLM with the head of `WavLMForSequenceClassification`."""

    model_class = ExWavLMModel


__all__ = ["ExWavLMForSequenceClassification", "ExWavLMModel", "ExWavLMPreTrainedModel"]
