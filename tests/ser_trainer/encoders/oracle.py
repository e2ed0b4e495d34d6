"""Inputs and weights from which the oracles of ../shared/oracles were made: anyone can make them again.

The numbers of the oracles are what the original programs gave on these inputs with these weights; the rules (a fixed
stream of PCG64 words, a weight decided by its key alone) are those of the README beside them.
"""

import math
import zlib

import numpy as np
import torch

RATE = 16_000


def u(seed: int, count: int) -> np.ndarray:
    """`count` float64 values, uniform in [-1, 1), from the raw words of PCG64 (stable across versions of numpy)."""
    words = np.random.PCG64(seed).random_raw(count)
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def signal(seconds: float) -> np.ndarray:
    """The test signal of so many seconds at 16 kHz: float32 of shape (round(16000 * seconds),)."""
    samples = round(RATE * seconds)
    t = np.arange(samples) / RATE
    tones = 0.30 * np.sin(2 * np.pi * 220 * t) + 0.20 * np.sin(2 * np.pi * 447 * t + 0.5)
    tones += 0.15 * np.sin(2 * np.pi * (300 * t + 600 * t**2))
    envelope = 0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)
    return (envelope * tones + 0.05 * u(round(10 * seconds), samples)).astype(np.float32)


def weight(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """The rule's float32 tensor for one key of a state dict; the last part of the key decides the distribution."""
    shape = tuple(shape)
    values = u(zlib.crc32(key.encode()), math.prod(shape)).reshape(shape)
    match key.rsplit(".", 1)[-1]:
        case "num_batches_tracked":
            values = np.zeros(shape)
        case "running_var":
            values = 1 + 0.25 * values
        case "running_mean":
            values = 0.1 * values
        case "alibi_scale":
            values = 1 + 0.5 * values
        case "extra_tokens":
            values = 0.5 * values
        case "bias" | "b":
            values = 0.05 * values
        case name if name == "g" or len(shape) == 1:
            values = 1 + 0.2 * values
        case _:
            values = values * math.sqrt(6 / math.prod(shape[1:]))
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def rule_state(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """The rule's tensors for the keys and shapes of a whole state dict (the `keys` of an oracle's .json)."""
    return {key: weight(key, shape) for key, shape in shapes.items()}


def absolute_sum(state: dict[str, torch.Tensor]) -> float:
    """Sum of the absolute weights in float64, to compare with an oracle's `weights_abs_sum` (1e-6 relative)."""
    return sum(tensor.double().abs().sum().item() for tensor in state.values())
