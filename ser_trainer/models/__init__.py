"""Models of ours. Importing this package makes transformers' Auto classes and pipelines know them."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from .exhubert import ExHubertConfig, ExHubertForSequenceClassification, ExHubertModel, contract, expand
from .tiny import tiny_hubert_config

AutoConfig.register(ExHubertConfig.model_type, ExHubertConfig, exist_ok=True)
AutoModel.register(ExHubertConfig, ExHubertModel, exist_ok=True)
AutoModelForAudioClassification.register(ExHubertConfig, ExHubertForSequenceClassification, exist_ok=True)

# Saved folders carry the two files of code and an auto_map, for those who load them without this package.
ExHubertConfig.register_for_auto_class()
ExHubertModel.register_for_auto_class("AutoModel")
ExHubertForSequenceClassification.register_for_auto_class("AutoModelForAudioClassification")

__all__ = [
    "ExHubertConfig",
    "ExHubertForSequenceClassification",
    "ExHubertModel",
    "contract",
    "expand",
    "tiny_hubert_config",
]
