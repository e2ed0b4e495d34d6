"""ExHuBERT: a HuBERT with gated copies of its encoder layers, and the expansion that makes one."""

from .configuration_exhubert import ExHubertConfig
from .conversion import contract, expand, expanded_config
from .modeling_exhubert import ExHubertForSequenceClassification, ExHubertModel

__all__ = [
    "ExHubertConfig",
    "ExHubertForSequenceClassification",
    "ExHubertModel",
    "contract",
    "expand",
    "expanded_config",
]
