"""ExHuBERT and its kin: encoders with gated copies of their layers, and the expansion that makes them."""

from .configuration_expanded import (
    ExData2VecAudioConfig,
    ExHubertConfig,
    ExWav2Vec2Config,
    ExWavLMConfig,
    ExWhisperConfig,
)
from .conversion import contract, expand, expanded_config
from .families import FAMILIES
from .modeling_exdata2vec_audio import ExData2VecAudioForSequenceClassification, ExData2VecAudioModel
from .modeling_exhubert import ExHubertForSequenceClassification, ExHubertModel
from .modeling_exwav2vec2 import ExWav2Vec2ForSequenceClassification, ExWav2Vec2Model
from .modeling_exwavlm import ExWavLMForSequenceClassification, ExWavLMModel
from .modeling_exwhisper import ExWhisperEncoder, ExWhisperForAudioClassification

__all__ = [
    "FAMILIES",
    "ExData2VecAudioConfig",
    "ExData2VecAudioForSequenceClassification",
    "ExData2VecAudioModel",
    "ExHubertConfig",
    "ExHubertForSequenceClassification",
    "ExHubertModel",
    "ExWav2Vec2Config",
    "ExWav2Vec2ForSequenceClassification",
    "ExWav2Vec2Model",
    "ExWavLMConfig",
    "ExWavLMForSequenceClassification",
    "ExWavLMModel",
    "ExWhisperConfig",
    "ExWhisperEncoder",
    "ExWhisperForAudioClassification",
    "contract",
    "expand",
    "expanded_config",
]
