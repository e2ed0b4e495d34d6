"""ExHuBERT in PyTorch.

This file travels to the Hub with every saved model, so it imports nothing of ours but the configuration.

Originals and copies lie flat in `hubert.encoder.layers`, so that hidden states, checkpointing, sharding and
the key names of stock HuBERT go on working; only copies own a `gate`. In shapes, T is the number of 20 ms
frames.
"""

import copy

import torch
from torch import nn
from transformers import HubertForSequenceClassification, HubertModel, HubertPreTrainedModel
from transformers import initialization as init
from transformers.models.hubert.modeling_hubert import (
    HubertEncoder,
    HubertEncoderLayer,
    HubertEncoderLayerStableLayerNorm,
    HubertEncoderStableLayerNorm,
    HubertFeatureEncoder,
    HubertFeatureProjection,
)

from .configuration_exhubert import ExHubertConfig, not_exhubert


class ZeroGate(nn.Linear):
    """The zero linear layer that ends a copy (paper, section 3.2 and figure 2): it starts as zeros."""

    def reset_parameters(self):
        """Write zeros into weight and bias."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class GatedCopy:
    """What a copy adds to a stock layer f: x becomes x + gate(f(x)). An original has no gate and stays f."""

    def __init__(self, config: ExHubertConfig, is_copy: bool):
        super().__init__(config)
        size = config.hidden_size
        self.gate = ZeroGate(size, size, bias=config.gate_bias) if is_copy else None

    def forward(self, hidden_states: torch.Tensor, attention_mask: torch.Tensor | None = None, **kwargs):
        """Run the layer on `hidden_states` of shape (batch, T, hidden) and return the same shape."""
        output = super().forward(hidden_states, attention_mask=attention_mask, **kwargs)
        return output if self.gate is None else hidden_states + self.gate(output)


class ExHubertEncoderLayer(GatedCopy, HubertEncoderLayer):
    """Post-norm layer (HuBERT-Base), original or gated copy."""


class ExHubertEncoderLayerStableLayerNorm(GatedCopy, HubertEncoderLayerStableLayerNorm):
    """Pre-norm layer (HuBERT-Large and -XLarge), original or gated copy."""


class LayerMix(nn.Module):
    """Learned logits of the weighted layer sum, in a module because peft cannot save bare parameters."""

    def __init__(self, num_hidden_states: int):
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_hidden_states,), 1.0 / num_hidden_states))


def expanded_encoder(config: ExHubertConfig) -> nn.Module:
    """Return the stock encoder of `config` with originals and gated copies as its layers."""
    if config.do_stable_layer_norm:
        encoder_class, layer_class = HubertEncoderStableLayerNorm, ExHubertEncoderLayerStableLayerNorm
    else:
        encoder_class, layer_class = HubertEncoder, ExHubertEncoderLayer
    without_layers = copy.copy(config)
    without_layers.num_hidden_layers = 0  # or the stock constructor would allocate plain ones
    encoder = encoder_class(without_layers)
    encoder.config = config
    encoder.layers = nn.ModuleList(
        layer_class(config, config.is_copy(index)) for index in range(config.num_hidden_layers)
    )
    return encoder


class ExHubertPreTrainedModel(HubertPreTrainedModel):
    """Initialization, loading and freezing of all ExHuBERT models."""

    config: ExHubertConfig
    config_class = ExHubertConfig
    _no_split_modules = ["ExHubertEncoderLayer", "ExHubertEncoderLayerStableLayerNorm", "ParametrizedConv1d"]

    @torch.no_grad()
    def _init_weights(self, module):
        # The functions of `init` leave loaded tensors alone: a gate is zero here unless the file had it.
        if isinstance(module, ZeroGate):
            init.zeros_(module.weight)
            if module.bias is not None:
                init.zeros_(module.bias)
        elif isinstance(module, LayerMix):
            init.constant_(module.weight, 1.0 / len(module.weight))
        else:
            super()._init_weights(module)

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *model_args, output_loading_info=False, **kwargs):
        """Load a model as transformers does, then freeze its originals if the configuration says so.

        Loading puts new parameters that require gradients in place of those frozen at construction.

        Raises:
            ValueError: If the configuration is not that of an expanded model, or if the weights have gates
                where it has none, as they do under another `num_copies` than they were saved with.
        """
        model, info = super().from_pretrained(
            pretrained_model_name_or_path, *model_args, output_loading_info=True, **kwargs
        )
        misplaced = sorted(key for key in info["unexpected_keys"] if ".gate." in key)
        if misplaced:
            config = model.config
            raise ValueError(
                f"{pretrained_model_name_or_path}: the weights have {misplaced[0]!r} ({len(misplaced)} such "
                f"tensors), but num_hidden_layers={config.num_hidden_layers}, num_copies={config.num_copies} "
                f"and gate_bias={config.gate_bias} put no gate there. Keep to its config.json."
            )
        if model.config.freeze_original:
            model.freeze_original()
        return (model, info) if output_loading_info else model

    def freeze_original(self, flag: bool = True):
        """Keep the originals out of training, or take them in again, and remember it in the configuration.

        Copies, gates, feature projection, positional convolution and head stay trainable. The convolutional
        feature encoder has its own `freeze_feature_encoder`, which is not remembered; frozen together they
        give the trainable counts of the paper's table 2.

        Args:
            flag (`bool`, defaults to `True`): `True` freezes, `False` makes the originals trainable.
        """
        self.config.freeze_original = flag
        for index, layer in enumerate(self.base_model.encoder.layers):
            if not self.config.is_copy(index):
                layer.requires_grad_(not flag)


class ExHubertModel(ExHubertPreTrainedModel, HubertModel):
    """HuBERT with gated copies: waveforms (batch, samples) at 16 kHz to hidden states (batch, T, hidden)."""

    def __init__(self, config: ExHubertConfig):
        if config.model_type != ExHubertConfig.model_type:
            raise ValueError(not_exhubert(config.model_type))
        config.validate_architecture()
        # Skips HubertModel.__init__, which would allocate `num_hidden_layers` plain layers.
        super(HubertModel, self).__init__(config)
        self.feature_extractor = HubertFeatureEncoder(config)
        self.feature_projection = HubertFeatureProjection(config)
        if config.mask_time_prob > 0 or config.mask_feature_prob > 0:
            self.masked_spec_embed = nn.Parameter(torch.empty(config.hidden_size).uniform_())
        self.encoder = expanded_encoder(config)
        self.post_init()
        if config.freeze_original:
            self.freeze_original()

    def _mask_hidden_states(self, hidden_states, mask_time_indices=None, attention_mask=None):
        # Stock SpecAugment raises where a whole batch is shorter than one span (10 frames, 0.2 s), which
        # would end a long training at its first batch of short clips. Such a batch goes unmasked.
        if mask_time_indices is None and hidden_states.shape[1] < self.config.mask_time_length:
            return hidden_states
        return super()._mask_hidden_states(hidden_states, mask_time_indices, attention_mask)


class ExHubertForSequenceClassification(ExHubertPreTrainedModel, HubertForSequenceClassification):
    """ExHuBERT with the head of HuBERT: linear projector, mean over the valid frames, linear classifier.

    With `use_weighted_layer_sum` the head sees a learned mean of the `num_hidden_layers + 1` hidden states.
    Its logits are the parameter `layer_mix.weight`; peft trains them where `modules_to_save` names
    "layer_mix".
    """

    # Trainer takes the `**kwargs` of forward for a promise to divide the loss by `num_items_in_batch`. The
    # loss of this head is a plain mean, which would end up multiplied by accumulation steps and processes.
    accepts_loss_kwargs = False

    def __init__(self, config: ExHubertConfig):
        # Skips HubertForSequenceClassification.__init__, which would allocate a plain HubertModel first.
        super(HubertForSequenceClassification, self).__init__(config)
        self.hubert = ExHubertModel(config)
        if config.use_weighted_layer_sum:
            self.layer_mix = LayerMix(config.num_hidden_layers + 1)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)
        self.post_init()

    @property
    def layer_weights(self) -> nn.Parameter:
        """Logits of the weighted layer sum, (num_hidden_layers + 1,), under the name that `forward` uses."""
        return self.layer_mix.weight


__all__ = ["ExHubertForSequenceClassification", "ExHubertModel", "ExHubertPreTrainedModel"]
