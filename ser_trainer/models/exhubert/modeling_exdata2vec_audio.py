"""Expanded data2vec-audio (version 1) in PyTorch. This file travels to the Hub with every saved model."""

from transformers import Data2VecAudioForSequenceClassification, Data2VecAudioModel, Data2VecAudioPreTrainedModel
from transformers.models.data2vec.modeling_data2vec_audio import Data2VecAudioEncoderLayer

from .configuration_expanded import ExData2VecAudioConfig
from .modeling_expanded import ExpandedClassifier, ExpandedPreTrained, ExpandedWaveModel, GatedCopy


class ExData2VecAudioEncoderLayer(GatedCopy, Data2VecAudioEncoderLayer):
    """Post-norm layer, original or gated copy."""


class ExData2VecAudioPreTrainedModel(ExpandedPreTrained, Data2VecAudioPreTrainedModel):
    """What the models of this file share."""

    config: ExData2VecAudioConfig
    config_class = ExData2VecAudioConfig
    _no_split_modules = ["ExData2VecAudioEncoderLayer"]


class ExData2VecAudioModel(ExpandedWaveModel, ExData2VecAudioPreTrainedModel, Data2VecAudioModel):
    """data2vec-audio with gated copies: waveforms (batch, samples) at 16 kHz to hidden states (batch, T, hidden)."""

    @staticmethod
    def make_layer(config: ExData2VecAudioConfig, index: int) -> GatedCopy:
        """Return encoder layer `index` with random weights."""
        return ExData2VecAudioEncoderLayer(config, config.is_copy(index))


class ExData2VecAudioForSequenceClassification(
    ExpandedClassifier, ExData2VecAudioPreTrainedModel, Data2VecAudioForSequenceClassification
):
    """Expanded data2vec-audio with the head of `Data2VecAudioForSequenceClassification`."""

    model_class = ExData2VecAudioModel


__all__ = ["ExData2VecAudioForSequenceClassification", "ExData2VecAudioModel", "ExData2VecAudioPreTrainedModel"]
