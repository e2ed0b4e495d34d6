"""Models of ours. Importing this package makes transformers' Auto classes and pipelines know them."""

from transformers import AutoConfig, AutoModel, AutoModelForAudioClassification

from . import exhubert, whisper_embedding
from .exhubert import *  # noqa: F403
from .tiny import tiny_hubert_config
from .whisper_embedding import *  # noqa: F403

for _family in exhubert.FAMILIES.values():
    _classifier = _family.expanded
    _config, _model = _classifier.config_class, _classifier.model_class
    AutoConfig.register(_config.model_type, _config, exist_ok=True)
    AutoModel.register(_config, _model, exist_ok=True)
    AutoModelForAudioClassification.register(_config, _classifier, exist_ok=True)

    # Saved folders carry their files of code and an auto_map, for those who load them without this package.
    _config.register_for_auto_class()
    _model.register_for_auto_class("AutoModel")
    _classifier.register_for_auto_class("AutoModelForAudioClassification")

__all__ = ["tiny_hubert_config", *exhubert.__all__, *whisper_embedding.__all__]
