"""Padding: run a model of the wav2vec 2.0 kind on a padded batch such that each row gets what it gets alone.

An attention mask is not enough for two kinds of layers. A stem with group norm (wav2vec 2.0 Base, HuBERT Base, WavLM
Base, MERT) takes its statistics over time, padding included. And a positional convolution behind another (data2vec) or
behind a batch norm reads what these have made of the padding. So statistics are taken over the true frames of a row,
and padded frames are zeroed before each positional convolution: zeros are what lies beyond a clip that is alone.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def frame_count(config: Any, samples: int, layers: int | None = None) -> int:
    """Return how many frames the stem makes of a number of samples.

    Its convolutions do not pad: T_out = floor((T_in - kernel) / stride) + 1.

    Args:
        config: with `conv_kernel` and `conv_stride`.
        samples: at the rate of the model, as many as its shortest input at least.
        layers: count after this many convolutions; None: after all.
    """
    for kernel, stride in zip(config.conv_kernel[:layers], config.conv_stride[:layers], strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def samples_per_frame(config: Any) -> int:
    """Return the samples from one frame to the next."""
    return math.prod(config.conv_stride)


class PaddedModel:
    """A model without head, in eval mode, whose layers know the true length of each row.

    Args:
        model: HuBERT, wav2vec 2.0, WavLM or data2vec-audio of `transformers`, or an expanded one; it is changed.
    """

    def __init__(self, model: nn.Module):
        self.model = model
        self._frames: torch.Tensor | None = None  # of the batch that is run now: (batch, T), which are true
        first = model.feature_extractor.conv_layers[0]
        self._norm = None
        if isinstance(getattr(first, "layer_norm", None), nn.GroupNorm):
            self._norm = first.layer_norm = GroupNormOfRows(first.layer_norm)
        for module in model.encoder.pos_conv_embed.modules():
            if isinstance(module, nn.Conv1d):
                module.register_forward_pre_hook(self._zero_padding)

    def __call__(self, waves: torch.Tensor, samples: Sequence[int], **kwargs: Any) -> Any:
        """Return the output of the model; what it has beyond the true frames of a row means nothing.

        Args:
            waves: (batch, samples), zeros after the end of a row.
            samples: the true length of each row.
            kwargs: for the model.
        """
        config, longest, mask = self.model.config, waves.shape[1], None
        self._frames = first = None
        if min(samples) < longest:  # without a mask attention has faster kernels
            frames = [frame_count(config, count) for count in samples]
            first = [frame_count(config, count, layers=1) for count in samples]
            self._frames = true_positions(frames, frame_count(config, longest), waves.device)
            mask = true_positions(samples, longest, waves.device).long()
        if self._norm is not None:
            self._norm.frames = first
        return self.model(waves, attention_mask=mask, **kwargs)

    def _zero_padding(self, module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        """Zero the padded frames of what a convolution is about to read, (batch, width, T)."""
        return None if self._frames is None else (args[0].masked_fill(~self._frames[:, None], 0), *args[1:])


class GroupNormOfRows(nn.Module):
    """A group norm over time whose statistics are those of the true frames of each row.

    It is computed row by row, as for a clip that is alone, and in place: this is the largest tensor of the model.

    Args:
        norm: the layer that it stands for.
    """

    def __init__(self, norm: nn.GroupNorm):
        super().__init__()
        self.norm = norm
        self.frames: list[int] | None = None  # of each row; None: all are true

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Normalize (batch, width, T); padded frames stay as they are."""
        if self.frames is None:
            return self.norm(hidden)
        for row, frames in zip(hidden, self.frames, strict=True):
            row[:, :frames] = self.norm(row[None, :, :frames])[0]
        return hidden


def true_positions(lengths: Sequence[int], longest: int, device: torch.device) -> torch.Tensor:
    """Return bool (batch, longest): which positions of each row lie before its length."""
    ends = torch.tensor(lengths, device=device)
    return torch.arange(longest, device=device) < ends[:, None]
