"""WavLM's attention in one fused step.

`transformers` runs it through a function that also returns the weights, (batch, heads, T, T) values of each layer that
nobody asked for. Scaled dot products with the gated position bias as additive mask (Chen et al. 2022, "WavLM", section
III.B) are the same to rounding.
"""

from types import MethodType

import torch
from torch import nn


def fuse(model: nn.Module) -> None:
    """Let a WavLM compute its attention in one step; other models have nothing that changes."""
    from transformers.models.wavlm.modeling_wavlm import WavLMAttention

    for module in model.modules():
        if isinstance(module, WavLMAttention):
            module.torch_multi_head_self_attention = MethodType(_attend, module)


def _attend(
    self: nn.Module, hidden: torch.Tensor, frames: torch.Tensor | None, bias: torch.Tensor
) -> tuple[torch.Tensor, None]:
    """Return what the frames (batch, T, width) attend to, and no weights.

    Args:
        self: the attention.
        hidden: (batch, T, width).
        frames: bool (batch, T), which are true; None: all.
        bias: (batch * heads, T, T), added to the scaled products.
    """
    batch, length, width = hidden.shape
    query, key, value = (
        project(hidden).view(batch, length, self.num_heads, -1).transpose(1, 2)
        for project in (self.q_proj, self.k_proj, self.v_proj)
    )
    bias = bias.view(batch, self.num_heads, length, length)
    if frames is not None:
        bias = bias.masked_fill(~frames[:, None, None], -torch.inf)
    attended = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
    return self.out_proj(attended.transpose(1, 2).reshape(batch, length, width)), None
