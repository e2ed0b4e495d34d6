"""Configurations of expanded models, and the parameter counts of the paper."""

import pytest
import torch
from test_expanded import family, small_config, wave_and_whisper
from transformers import HubertConfig, HubertForSequenceClassification

from ser_trainer.models import ExHubertForSequenceClassification, ExHubertModel
from ser_trainer.models.exhubert import expanded_config

REFUSED = [
    ({"num_copies": "2"}, TypeError, "num_copies is the copies"),
    ({"num_copies": True}, TypeError, "num_copies is the copies"),
    ({"num_copies": 1.0}, TypeError, "num_copies is the copies"),
    ({"num_copies": 0}, ValueError, "at least one copy"),
    ({"num_copies": -1}, ValueError, "at least one copy"),
    ({"num_copies": 1, "num_hidden_layers": 7}, ValueError, "multiple of 2"),
    ({"gate_bias": "no"}, TypeError, "gate_bias is True or False"),
    ({"freeze_original": 1}, TypeError, "freeze_original is True or False"),
    ({"use_weighted_layer_sum": True, "layerdrop": 0.1}, ValueError, "layerdrop=0.0"),
]


@wave_and_whisper
@pytest.mark.parametrize(("fields", "error", "message"), REFUSED)
def test_configuration_refuses(kind, fields, error, message):
    with pytest.raises(error, match=message):
        family(kind).expanded.config_class(**fields)


@pytest.mark.parametrize("kind", ["wav2vec2-pre", "wavlm-pre", "data2vec-audio"])
def test_convolutions_behind_the_encoder_are_refused(kind):
    with pytest.raises(ValueError, match="add_adapter=False"):
        expanded_config(small_config(kind, add_adapter=True))


def test_a_field_set_after_construction_is_checked_by_the_model():
    config = expanded_config(small_config())
    config.num_copies = 2
    with pytest.raises(ValueError, match="multiple of 3"):
        ExHubertModel(config)


# Parameter counts of table 2 of the paper, HuBERT-Large with six classes and a frozen convolutional encoder

LARGE = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "conv_dim": (512,) * 7,
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "id2label": {index: str(index) for index in range(6)},
}
GATE = 1024 * 1024 + 1024
CONVOLUTIONS = 4_210_176


def count(model_class, config):
    """Trainable and all values of a model that takes no memory."""
    with torch.device("meta"):
        model = model_class(config)
    model.freeze_feature_encoder()
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return trainable, sum(p.numel() for p in model.parameters())


def test_parameter_counts_of_the_paper():
    large = HubertConfig(**LARGE)
    one_copy = expanded_config(large, freeze_original=True)
    two_copies = expanded_config(large, 2, freeze_original=True)
    not_frozen = expanded_config(large, freeze_original=False)
    assert count(HubertForSequenceClassification, large)[0] == 311_492_486
    assert count(ExHubertForSequenceClassification, one_copy)[0] == 336_682_886
    assert count(ExHubertForSequenceClassification, two_copies)[0] == 664_182_662  # "XLarge" in the paper
    ours, in_all = count(ExHubertForSequenceClassification, not_frozen)
    assert ours == 638_992_262
    # The published model has 24 more gates, in its originals: hence table 2's 664.18 M, and its file size.
    assert ours + 24 * GATE == 664_182_662
    assert in_all + 24 * GATE == 664_182_662 + CONVOLUTIONS == 668_392_838
