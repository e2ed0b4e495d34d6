"""What all expanded models share: gates, gated copies, initialization, loading, freezing, the head.

This file travels to the Hub with every saved model, so it imports nothing of ours.

Originals and copies lie flat in the list of encoder layers, so that hidden states, checkpointing, sharding and the key
names of the stock model go on working; only copies own a `gate`. In shapes, T is the number of 20 ms frames.
"""

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers import initialization as init


class ZeroGate(nn.Linear):
    """The zero linear layer that ends a copy (ExHuBERT paper, section 3.2 and figure 2): it starts as zeros."""

    def reset_parameters(self):
        """Write zeros into weight and bias."""
        nn.init.zeros_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class GatedCopy:
    """What a copy adds to a stock layer f: x becomes x + gate(f(x)). An original has no gate and stays f.

    The gate takes all of f(x), the residual stream of the layer included, so x + gate(f(x)) is the identity at the
    start for pre-norm and post-norm layers alike.
    """

    def __init__(self, config, is_copy: bool, **stock):
        super().__init__(config, **stock)
        size = config.hidden_size
        self.gate = ZeroGate(size, size, bias=config.gate_bias) if is_copy else None

    def forward(self, hidden_states: torch.Tensor, *args, **kwargs):
        """Run the layer on `hidden_states` of shape (batch, T, hidden); what it returns beside them is passed on."""
        output = super().forward(hidden_states, *args, **kwargs)
        if self.gate is None:
            return output
        if isinstance(output, tuple):
            return hidden_states + self.gate(output[0]), *output[1:]
        return hidden_states + self.gate(output)


class LayerMix(nn.Module):
    """Learned logits of the weighted layer sum, in a module because peft cannot save bare parameters."""

    def __init__(self, num_hidden_states: int):
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_hidden_states,), 1.0 / num_hidden_states))


class ExpandedPreTrained:
    """Initialization, loading and freezing of all expanded models."""

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
            ValueError: If the configuration is not that of an expanded model, or if the weights have gates where it has
                none, as they do under another `num_copies` than they were saved with.
        """
        model, info = super().from_pretrained(
            pretrained_model_name_or_path, *model_args, output_loading_info=True, **kwargs
        )
        misplaced = sorted(key for key in info["unexpected_keys"] if ".gate." in key)
        if misplaced:
            config = model.config
            raise ValueError(
                f"{pretrained_model_name_or_path}: the weights have {misplaced[0]!r} ({len(misplaced)} such tensors), "
                f"but num_hidden_layers={config.num_hidden_layers}, num_copies={config.num_copies} and "
                f"gate_bias={config.gate_bias} put no gate there. Keep to its config.json."
            )
        if model.config.freeze_original:
            model.freeze_original()
        return (model, info) if output_loading_info else model

    @property
    def encoder_layers(self) -> nn.ModuleList:
        """Originals and copies in the order in which they run."""
        base = self.base_model
        return getattr(base, "encoder", base).layers  # a Whisper encoder is its own base model

    def freeze_original(self, flag: bool = True):
        """Keep the originals out of training, or take them in again, and remember it in the configuration.

        Copies, gates, feature projection, positional convolution and head stay trainable. The convolutional feature
        encoder has its own `freeze_feature_encoder`, which is not remembered; for HuBERT-Large, frozen together they
        give the trainable counts of the paper's table 2.

        Args:
            flag (`bool`, defaults to `True`): `True` freezes, `False` makes the originals trainable.
        """
        self.config.freeze_original = flag
        for index, layer in enumerate(self.encoder_layers):
            if not self.config.is_copy(index):
                layer.requires_grad_(not flag)


class ExpandedModel:
    """A stock model without head, whose constructor puts originals and gated copies in place of its layers."""

    def __init__(self, config):
        self.config_class.check_type(config.model_type)
        config.validate_architecture()
        layers, config.num_hidden_layers = config.num_hidden_layers, 0  # or plain layers would be allocated first
        try:
            super().__init__(config)
        finally:
            config.num_hidden_layers = layers
        self.encoder_layers.extend(self.make_layer(config, index) for index in range(layers))
        self.post_init()
        if config.freeze_original:
            self.freeze_original()


class ExpandedWaveModel(ExpandedModel):
    """An expanded model of the wav2vec 2.0 kind: waveforms (batch, samples) at 16 kHz to states (batch, T, hidden)."""

    def _mask_hidden_states(self, hidden_states, mask_time_indices=None, attention_mask=None):
        # Stock SpecAugment raises where a whole batch is shorter than one span (10 frames, 0.2 s), which would end a
        # long training at its first batch of short clips. Such a batch goes unmasked.
        if mask_time_indices is None and hidden_states.shape[1] < self.config.mask_time_length:
            return hidden_states
        return super()._mask_hidden_states(hidden_states, mask_time_indices, attention_mask)


class ExpandedClassifier:
    """The stock head on an expanded model: linear projector, mean over the valid frames, linear classifier.

    With `use_weighted_layer_sum` the head sees a learned mean of `num_original_layers + 1` hidden states: the input of
    the encoder and the output of each block of an original and its copies. Its logits are the parameter
    `layer_mix.weight`; peft trains them where `modules_to_save` names "layer_mix".
    """

    # Trainer takes the `**kwargs` of forward for a promise to divide the loss by `num_items_in_batch`. The loss of this
    # head is a plain mean, which would end up multiplied by accumulation steps and processes.
    accepts_loss_kwargs = False

    def __init__(self, config):
        # Skips the constructor of the stock classifier, which would allocate a plain model first.
        PreTrainedModel.__init__(self, config)
        setattr(self, self.base_model_prefix, self.model_class(config))
        if config.use_weighted_layer_sum:
            self.layer_mix = LayerMix(config.num_original_layers + 1)
        self.projector = nn.Linear(config.hidden_size, config.classifier_proj_size)
        self.classifier = nn.Linear(config.classifier_proj_size, config.num_labels)
        self.post_init()

    @property
    def layer_weights(self) -> torch.Tensor:
        """Logits of the weighted layer sum as `forward` wants them, one for each of the N + 1 hidden states.

        States inside of a block have logit -inf: weight zero.
        """
        first, blocks = self.layer_mix.weight[:1], self.layer_mix.weight[1:, None]
        ends = nn.functional.pad(blocks, (self.config.num_copies, 0), value=-torch.inf)
        return torch.cat([first, ends.flatten()])


__all__ = []
