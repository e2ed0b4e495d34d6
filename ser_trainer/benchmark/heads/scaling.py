"""Features in units of the training split, which is no secret to a system that is tested."""

import numpy as np


def scaled(x: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return (x - mean) / deviation, per dimension, with mean and deviation (ddof 0) of the training split.

    A dimension that is constant in training is only centered.

    Args:
        x: (n, D) features.
        train: (m, D) features of the training split.

    Returns:
        float64 (n, D).
    """
    train = train.astype(np.float64)
    constant = train.max(axis=0) == train.min(axis=0)
    return (x - train.mean(axis=0)) / np.where(constant, 1.0, train.std(axis=0))
