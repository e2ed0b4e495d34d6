"""ExHuBERT in PyTorch. This file travels to the Hub with every saved model."""

from transformers import HubertForSequenceClassification, HubertModel, HubertPreTrainedModel
from transformers.models.hubert.modeling_hubert import HubertEncoderLayer, HubertEncoderLayerStableLayerNorm

from .configuration_expanded import ExHubertConfig
from .modeling_expanded import ExpandedClassifier, ExpandedPreTrained, ExpandedWaveModel, GatedCopy


class ExHubertEncoderLayer(GatedCopy, HubertEncoderLayer):
    """Post-norm layer (HuBERT-Base), original or gated copy."""


class ExHubertEncoderLayerStableLayerNorm(GatedCopy, HubertEncoderLayerStableLayerNorm):
    """Pre-norm layer (HuBERT-Large and -XLarge), original or gated copy."""


class ExHubertPreTrainedModel(ExpandedPreTrained, HubertPreTrainedModel):
    """What the models of this file share."""

    config: ExHubertConfig
    config_class = ExHubertConfig
    _no_split_modules = ["ExHubertEncoderLayer", "ExHubertEncoderLayerStableLayerNorm", "ParametrizedConv1d"]


class ExHubertModel(ExpandedWaveModel, ExHubertPreTrainedModel, HubertModel):
    """HuBERT with gated copies: waveforms (batch, samples) at 16 kHz to hidden states (batch, T, hidden)."""

    @staticmethod
    def make_layer(config: ExHubertConfig, index: int) -> GatedCopy:
        """Return encoder layer `index` with random weights."""
        kind = ExHubertEncoderLayerStableLayerNorm if config.do_stable_layer_norm else ExHubertEncoderLayer
        return kind(config, config.is_copy(index))


class ExHubertForSequenceClassification(ExpandedClassifier, ExHubertPreTrainedModel, HubertForSequenceClassification):
    """ExHuBERT with the head of HuBERT."""

    model_class = ExHubertModel


__all__ = ["ExHubertForSequenceClassification", "ExHubertModel", "ExHubertPreTrainedModel"]
