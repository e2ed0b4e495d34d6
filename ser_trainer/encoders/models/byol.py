"""BYOL-A and BYOL-S: log-mel front end and convolutional network; Niizumi et al. 2021 (arXiv:2103.06695)."""

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

HOP, POINTS, MELS = 160, 1024, 64
"""Samples between frames, points of the Fourier transform, mel bands."""

LOW_HZ, HIGH_HZ, RATE = 60.0, 7800.0, 16_000

EPSILON = torch.finfo(torch.float32).eps
"""What is added before the logarithm."""


def masked(x: Tensor, frames: Tensor | None) -> Tensor:
    """Return maps with zeros at and beyond the last frame of each row, as if the row were alone.

    Args:
        x: (B, C, F, T).
        frames: valid frames of each row (B,); None: all are.
    """
    if frames is None:
        return x
    return x.masked_fill(torch.arange(x.shape[-1], device=x.device) >= frames[:, None, None, None], 0)


class LogMel(nn.Module):
    """Log-mel spectrogram, as torchaudio's MelSpectrogram with its defaults and then log(mel + epsilon).

    Args:
        window: length of the Hann window in samples, in the middle of the 1,024 points: 400 in SERAB, 1,024 in BYOL-A.
    """

    def __init__(self, window: int) -> None:
        super().__init__()
        self.window = window
        self.register_buffer("hann", torch.hann_window(window), persistent=False)
        self.register_buffer("bands", _bands(), persistent=False)

    def forward(self, wave: Tensor) -> Tensor:
        """Return (64, n // 160 + 1) from the samples (n,), n >= 513: half a window is reflected at both ends."""
        spectrum = torch.stft(
            wave, POINTS, HOP, self.window, self.hann, center=True, pad_mode="reflect", return_complex=True
        )
        return ((spectrum.abs().square().T @ self.bands).T + EPSILON).log()


def _bands() -> Tensor:
    """Return the weights (513, 64) of the bands: triangles in Hz whose corners lie equally far apart in mel (HTK).

    In float32, as torchaudio makes them: quiet bins move by 1e-4 with the last digit of a weight.
    """
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (LOW_HZ, HIGH_HZ))
    bins = torch.linspace(0, RATE / 2, POINTS // 2 + 1)[:, None]
    corners = 700 * (10 ** (torch.linspace(low, high, MELS + 2) / 2595) - 1)
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    return torch.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)).clamp(min=0)


class ByolCNN(nn.Module):
    """Three convolutions, two dense layers per step of 80 ms, then maximum plus mean over time.

    Args:
        width: values of the vector.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width
        self.features = nn.Sequential()
        for channels in (1, 64, 64):
            self.features.extend(
                [nn.Conv2d(channels, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2, stride=2)]
            )
        self.fc = nn.Sequential(
            nn.Linear(64 * MELS // 8, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, width), nn.ReLU()
        )

    def forward(self, x: Tensor, frames: Tensor | None = None) -> Tensor:
        """Return vectors (B, width) from normalized log-mels (B, 1, 64, T), T >= 8.

        Args:
            x: padded at the end.
            frames: valid frames of each row (B,); None: all are. A row then gives what it gives alone.
        """
        for block in range(3):
            x = self.features[4 * block : 4 * block + 4](masked(x, None if frames is None else frames >> block))
        x = self.fc(x.permute(0, 3, 2, 1).flatten(2))  # (B, T // 8, 8 bands x 64 channels) -> (B, T // 8, width)
        if frames is None:
            return x.amax(1) + x.mean(1)
        steps = (frames >> 3)[:, None]
        x = x.masked_fill((torch.arange(x.shape[1], device=x.device) >= steps)[:, :, None], 0)  # no value is below 0
        return x.amax(1) + x.sum(1) / steps


def padded(maps: list[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Return log-mels (64, T) of several clips as (B, 1, 64, T), and their frames, None where they are equal."""
    frames = [one.shape[-1] for one in maps]
    batch = torch.stack([F.pad(one, (0, max(frames) - one.shape[-1])) for one in maps]).unsqueeze(1)
    return batch, None if min(frames) == max(frames) else torch.tensor(frames, device=batch.device)
