"""Losses: cross-entropy with class weights and priors, and concordance for ratings."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn.functional import cross_entropy


def balanced_weights(counts: Sequence[int]) -> np.ndarray:
    """Return the weight of each class, n / (K n_c), (K,); classes without rows get 0.

    >>> balanced_weights([30, 10, 0]).round(2).tolist()
    [0.67, 2.0, 0.0]
    """
    counts = np.asarray(counts, dtype=float)
    present = counts > 0
    return np.divide(counts.sum() / present.sum(), counts, out=np.zeros_like(counts), where=present)


def log_prior(counts: Sequence[int], tau: float) -> np.ndarray:
    """Return tau log p of each class, (K,), relative to the most frequent one, so never above 0.

    A shift of all logits changes nothing, so only differences count. A class without rows gets 0: its prior says
    nothing about it, and log 0 would make it win every utterance that is adjusted afterwards.

    Args:
        counts: training rows of each class.
        tau: strength; 1 is the prior itself (Menon et al. 2021, section 4).

    >>> log_prior([30, 10, 0], tau=1.0).round(2).tolist()
    [0.0, -1.1, 0.0]
    """
    counts = np.asarray(counts, dtype=float)
    return tau * np.log(np.where(counts > 0, counts, counts.max()) / counts.max())


class CrossEntropy:
    """Cross-entropy of classes, summed: the trainer divides by the weight of a whole optimizer step.

    Args:
        weights: weight of an example of each class, (K,).
        adjustment: added to the logits while training, (K,): the loss of Menon et al. 2021, equation 10.
        smoothing: label smoothing.
    """

    def __init__(self, weights: np.ndarray | None = None, adjustment: np.ndarray | None = None, smoothing: float = 0.0):
        self.weights = None if weights is None else torch.tensor(weights, dtype=torch.float32)
        self.adjustment = None if adjustment is None else torch.tensor(adjustment, dtype=torch.float32)
        self.smoothing = smoothing

    def weight(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the summed weight of examples with these labels, (): their number where classes have no weights."""
        if self.weights is None:
            return torch.tensor(float(len(labels)), device=labels.device)
        return self.weights.to(labels.device)[labels].sum()

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor, training: bool) -> torch.Tensor:
        """Return the summed loss, ().

        Args:
            logits: (batch, K).
            labels: (batch,).
            training: whether the logits are adjusted.
        """
        if training and self.adjustment is not None:
            logits = logits + self.adjustment.to(logits.device)
        weights = None if self.weights is None else self.weights.to(logits.device)
        return cross_entropy(logits, labels, weight=weights, label_smoothing=self.smoothing, reduction="sum")


class Concordance:
    """1 - CCC of ratings, averaged over the dimensions that at least two rows of the batch have.

    Lin 1989; as a loss: Trigeorgis et al., "Adieu features?", ICASSP 2016. It is a property of a batch, not a sum over
    rows: with accumulation or several processes the loss is the mean over their batches, by rows.
    """

    def weight(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the number of rows of `labels`, ()."""
        return torch.tensor(float(len(labels)), device=labels.device)

    def __call__(self, outputs: torch.Tensor, ratings: torch.Tensor, training: bool) -> torch.Tensor:
        """Return the loss of the batch times its rows, ().

        Args:
            outputs: (batch, D).
            ratings: (batch, D), NaN where a row lacks a dimension.
            training: not used; the losses have one interface.
        """
        losses = []
        for output, rating in zip(outputs.T, ratings.T, strict=True):
            rated = rating.isfinite()
            if rated.sum() > 1:
                losses.append(1 - concordance(output[rated], rating[rated]))
        return torch.stack(losses).mean() * len(ratings) if losses else 0 * outputs.sum()


def concordance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return Lin's concordance correlation coefficient of two vectors, 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2)."""
    dx, dy = x - x.mean(), y - y.mean()
    # the small number keeps the gradient of two equal constants finite
    return 2 * (dx * dy).mean() / (dx.square().mean() + dy.square().mean() + (x.mean() - y.mean()).square() + 1e-8)
