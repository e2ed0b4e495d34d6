"""VGGish: a VGG-like network over log-mel spectrograms of 0.96 s; and the front end that YAMNet shares with it.

Hershey et al., "CNN Architectures for Large-Scale Audio Classification", ICASSP 2017; front end and network as in
tensorflow/models research/audioset/vggish. Parameters carry the names of harritaylor/torchvggish.
"""

from functools import cache

import torch
from torch import Tensor, nn

WINDOW, HOP, POINTS = 400, 160, 512
"""Samples of a frame, samples between frames, points of the transform, at 16 kHz."""

BANDS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
EXAMPLE = 96
"""Frames of an example, which is 0.96 s."""

WIDTH = 128


def frames_of(samples: int) -> int:
    """Return the number of frames in so many samples; a last one that is not full does not count."""
    return max(0, 1 + (samples - WINDOW) // HOP)


@cache
def mel_matrix() -> Tensor:
    """Return the mel filters, float64 (257, 64): triangles in mel (HTK: 1127 ln(1 + f/700)); the row of DC is zero."""
    hertz = torch.linspace(0, 8000, POINTS // 2 + 1, dtype=torch.float64)
    mels = 1127 * torch.log1p(hertz / 700)
    low, high = (1127 * torch.log1p(torch.tensor(edge, dtype=torch.float64) / 700) for edge in (LOWEST_HZ, HIGHEST_HZ))
    edges = torch.linspace(float(low), float(high), BANDS + 2, dtype=torch.float64)
    lower, center, upper = edges[:-2], edges[1:-1], edges[2:]
    rising = (mels[:, None] - lower) / (center - lower)
    falling = (upper - mels[:, None]) / (upper - center)
    matrix = torch.minimum(rising, falling).clamp(min=0)
    matrix[0] = 0
    return matrix


def log_mel(wave: Tensor, offset: float = 0.01) -> Tensor:
    """Return log(mel + offset) of magnitudes, float32 (frames, 64); computed in float64, as the original does.

    Args:
        wave: float (samples,) in [-1, 1), 16 kHz.
        offset: 0.01 for VGGish, 0.001 for YAMNet.
    """
    if frames_of(len(wave)) == 0:
        return torch.empty(0, BANDS)
    frames = wave.double().unfold(0, WINDOW, HOP) * torch.hann_window(WINDOW, dtype=torch.float64)
    magnitudes = torch.fft.rfft(frames, POINTS).abs()
    return torch.log(magnitudes @ mel_matrix() + offset).float()


def examples(features: Tensor, hop: int = EXAMPLE) -> Tensor:
    """Return examples of 96 frames, (E, 1, 96, 64); an incomplete rest is dropped.

    Args:
        features: (frames, 64), at least 96 frames.
        hop: frames between examples.
    """
    return features.unfold(0, EXAMPLE, hop).transpose(1, 2)[:, None]


class VGGish(nn.Module):
    """(E, 1, 96, 64) -> (E, 128), before any activation, as TF-Hub's model gives it; no PCA, no quantization."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 1
        for width in (64, "pool", 128, "pool", 256, 256, "pool", 512, 512, "pool"):
            if isinstance(width, int):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 6 * 4, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, WIDTH)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the embeddings of examples."""
        # TensorFlow's order: time, frequency, channel.
        return self.embeddings(self.features(x).permute(0, 2, 3, 1).flatten(1))
