"""YAMNet: MobileNet v1 over log-mel spectrograms of 0.96 s, every 0.48 s.

As in tensorflow/models research/audioset/yamnet; parameters carry the names of the port w-hc/torch_audioset. Only what
embeddings need: the classifier is not here.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .vggish import EXAMPLE, HOP, WINDOW, examples, log_mel

WIDTH = 1024
PATCH_HOP = 48
"""Frames between patches, 0.48 s."""

SHORTEST = WINDOW + (EXAMPLE - 1) * HOP
"""Samples of one patch: 15,600."""

_LAYERS = (
    # Channels and stride of each separable layer.
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1)),
)


def padded_length(samples: int) -> int:
    """Return to how many samples a clip is filled up with zeros: one patch, and whole hops beyond."""
    hop = PATCH_HOP * HOP
    return SHORTEST + hop * math.ceil(max(0, samples - SHORTEST) / hop)


def patches(wave: Tensor) -> Tensor:
    """Return the patches of a clip, float32 (P, 1, 96, 64).

    Args:
        wave: float (samples,) in [-1, 1), 16 kHz.
    """
    wave = F.pad(wave, (0, padded_length(len(wave)) - len(wave)))
    return examples(log_mel(wave, offset=0.001), PATCH_HOP)


class ShiftNorm(nn.Module):
    """Batch norm with stored statistics and a shift, without gain; (B, C, H, W) -> (B, C, H, W)."""

    EPSILON = 1e-4

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized maps."""
        return F.batch_norm(x, self.running_mean, self.running_var, None, self.bias, eps=self.EPSILON)


class Convolution(nn.Module):
    """Convolution with TensorFlow's SAME padding, norm, ReLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels, kernel, stride, groups=groups, bias=False)
        self.bn = ShiftNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's maps."""
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        padding: list[int] = []
        for size in (x.shape[-1], x.shape[-2]):  # F.pad begins with the last axis
            total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
            padding += [total // 2, total - total // 2]  # the odd one at the end: torch's padding=1 differs
        return F.relu(self.bn(self.conv(F.pad(x, padding))))


class YAMNet(nn.Module):
    """(P, 1, 96, 64) -> (P, 1024): mean over the last map."""

    def __init__(self) -> None:
        super().__init__()
        self.layer1 = nn.ModuleDict({"fused": Convolution(1, 32, 3, stride=2)})
        channels = 32
        for number, (width, stride) in enumerate(_LAYERS, start=2):
            layer = {
                "depthwise_conv": Convolution(channels, channels, 3, stride, groups=channels),
                "pointwise_conv": Convolution(channels, width, 1),
            }
            self.add_module(f"layer{number}", nn.ModuleDict(layer))
            channels = width

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of patches."""
        for layer in self.children():
            for convolution in layer.values():
                x = convolution(x)
        return x.mean(dim=(2, 3))
