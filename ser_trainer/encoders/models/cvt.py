"""BYOL-S/CvT: a convolutional transformer on log-mels; arXiv:2110.03414 (SERAB), arXiv:2103.15808 (CvT)."""

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .byol import MELS, masked

HEAD = 64
"""Dimensions of an attention head."""


class ChannelNorm(nn.Module):
    """Normalization over the channels of each position; epsilon is added to the deviation, not to the variance."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.b = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return x (B, C, F, T) normalized."""
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, unbiased=False)
        return (x - mean) / (variance.sqrt() + 1e-5) * self.g + self.b


class Projection(nn.Module):
    """Convolution of each channel by itself, batch norm, then a mixture of the channels."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, stride=stride, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, width, 1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, width, ceil(F / stride), ceil(T / stride)) from (B, C, F, T)."""
        return self.net(x)


class Attention(nn.Module):
    """Every position asks a grid of positions half as dense in both directions."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Projection(channels, heads * HEAD, stride=1)
        self.to_kv = Projection(channels, 2 * heads * HEAD, stride=2)
        self.to_out = nn.Sequential(nn.Conv2d(heads * HEAD, channels, 1))

    def forward(self, x: Tensor, frames: Tensor | None) -> Tensor:
        """Return (B, C, F, T) from the same; positions beyond a row's `frames` (B,) are not asked."""
        x = masked(x, frames)
        query, (key, value) = self.to_q(x), self.to_kv(x).chunk(2, dim=1)
        asked = None
        if frames is not None:
            inside = torch.arange(key.shape[-1], device=x.device) < ((frames + 1) // 2)[:, None]
            asked = inside[:, None, None, None, :].expand(-1, 1, 1, key.shape[-2], -1).flatten(3)
        out = F.scaled_dot_product_attention(*map(self._split, (query, key, value)), attn_mask=asked)
        return self.to_out(out.transpose(2, 3).reshape_as(query))

    def _split(self, x: Tensor) -> Tensor:
        """(B, heads * 64, F, T) -> (B, heads, F * T, 64)."""
        return x.flatten(2).unflatten(1, (self.heads, HEAD)).transpose(2, 3)


class FeedForward(nn.Module):
    """Two dense layers at each position."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(channels, 4 * channels, 1), nn.GELU(), nn.Identity(), nn.Conv2d(4 * channels, channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, C, F, T) from the same."""
        return self.net(x)


class PreNorm(nn.Module):
    """A branch with the norm before it, added to its input."""

    def __init__(self, channels: int, branch: nn.Module) -> None:
        super().__init__()
        self.norm, self.fn = ChannelNorm(channels), branch

    def forward(self, x: Tensor, *frames: Tensor | None) -> Tensor:
        """Return (B, C, F, T) from the same."""
        return x + self.fn(self.norm(x), *frames)


class Transformer(nn.Module):
    """One layer of attention and dense layers; more are never used, but the keys of the checkpoints count them."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        attention, dense = PreNorm(channels, Attention(channels, heads)), PreNorm(channels, FeedForward(channels))
        self.layers = nn.ModuleList([nn.ModuleList([attention, dense])])

    def forward(self, x: Tensor, frames: Tensor | None) -> Tensor:
        """Return (B, C, F, T) from the same."""
        for attention, dense in self.layers:
            x = dense(attention(x, frames))
        return x


class ByolCvT(nn.Module):
    """Three stages, each a strided convolution, a norm and a transformer; then pooled over the map.

    Args:
        stages: channels of each stage: 64, 128, 256 (small) or 64, 256, 512 (large).
        pool: ``mean`` over bands and time; ``mean+max``: of each band and channel, mean plus maximum over time.
    """

    def __init__(self, stages: tuple[int, int, int], pool: Literal["mean", "mean+max"]) -> None:
        super().__init__()
        self.pool = pool
        self.width = stages[-1] * (MELS // 16 if pool == "mean+max" else 1)
        self.layers = nn.ModuleList()
        for before, channels, kernel, heads in zip((1, *stages), stages, (7, 3, 3), (1, 3, 6), strict=False):
            step = nn.Conv2d(before, channels, kernel, stride=4 if kernel == 7 else 2, padding=kernel // 2)
            self.layers.append(nn.ModuleList([step, ChannelNorm(channels), Transformer(channels, heads)]))

    def forward(self, x: Tensor, frames: Tensor | None = None) -> Tensor:
        """Return vectors (B, width) from normalized log-mels (B, 1, 64, T).

        Args:
            x: padded at the end.
            frames: valid frames of each row (B,); None: all are. A row then gives what it gives alone.
        """
        for step, norm, transformer in self.layers:
            x = norm(step(masked(x, frames)))
            if frames is not None:  # padding is half the kernel, so a stride of s leaves ceil(T / s)
                frames = (frames - 1) // step.stride[1] + 1
            x = transformer(x, frames)
        count = x.shape[-1] if frames is None else frames[:, None]
        sums = masked(x, frames).sum(-1).transpose(1, 2)  # (B, F, C)
        if self.pool == "mean":
            return sums.mean(1) / count
        if frames is not None:
            beyond = torch.arange(x.shape[-1], device=x.device) >= frames[:, None, None, None]
            x = x.masked_fill(beyond, -torch.inf)
        return sums.flatten(1) / count + x.amax(-1).transpose(1, 2).flatten(1)
