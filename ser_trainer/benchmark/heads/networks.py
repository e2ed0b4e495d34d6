"""Heads: what is between features and classes, for many of them side by side.

G groups of P heads. The heads of a group see the same batches, so that the hidden units of all of them are rows of one
matrix and one product with the frames serves them all; groups have a dimension of their own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch.nn.functional import gelu, layer_norm

from .frames import Batch

Weights = dict[str, torch.Tensor]


def generator(*words: object, device: str | torch.device = "cpu") -> torch.Generator:
    """Return a generator that these words seed, for example seed, fold and what is drawn."""
    digest = hashlib.sha256("\n".join(map(str, words)).encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def initial(kind: str, width: int, depth: int, classes: int, hidden: int, draw: torch.Generator) -> Weights:
    """Return the weights with which a head starts, named as `Shape` uses them.

    ``emobox`` (EmoBox 08280f2, examples/sb/classifier_head.py) and the linear layer of the others start as torch's
    Linear does: uniform within 1 / sqrt(inputs). ``serevals`` starts with Glorot's uniform and a normal of deviation
    1 / sqrt(hidden), its biases are 0 (spaghettiSystems/serval fe66005). ``weighted`` starts with equal shares
    (s3prl, Featurizer).

    Args:
        kind: one of `probes.HEADS`.
        width: values of a frame D.
        depth: layers of an utterance, for ``weighted``.
        classes: K.
        hidden: units h; those of heads without hidden layer are the D inputs.
        draw: generator on the CPU, so that heads start alike on all devices.
    """

    def uniform(bound: float, *shape: int) -> torch.Tensor:
        return torch.empty(shape).uniform_(-bound, bound, generator=draw)

    if kind == "serevals":
        return {
            "in.weight": uniform((6 / (width + hidden)) ** 0.5, hidden, width),
            "in.bias": torch.zeros(hidden),
            "norm.weight": torch.ones(hidden),
            "norm.bias": torch.zeros(hidden),
            "out.weight": torch.empty(hidden, classes).normal_(0, hidden**-0.5, generator=draw),
            "out.bias": torch.zeros(classes),
        }
    weights: Weights = {}
    if kind == "emobox":
        weights = {"in.weight": uniform(width**-0.5, hidden, width), "in.bias": uniform(width**-0.5, hidden)}
    else:
        hidden = width
    if kind == "weighted":
        weights["layers"] = torch.zeros(depth)
    weights["out.weight"] = uniform(hidden**-0.5, hidden, classes)
    weights["out.bias"] = uniform(hidden**-0.5, classes)
    return weights


@dataclass(frozen=True)
class Shape:
    """What the P heads of a group look like.

    Args:
        kind: one of `probes.HEADS`.
        width: values of a frame D.
        depth: layers of an utterance, for ``weighted``; else 1.
        classes: K.
        hidden: units of each head (P,); D where there is no hidden layer.
    """

    kind: str
    width: int
    depth: int
    classes: int
    hidden: tuple[int, ...]

    @cached_property
    def spans(self) -> dict[str, list[slice]]:
        """Name of a tensor -> which of its rows belong to each head."""
        units = _slices(self.hidden)
        classes, layers = _slices([self.classes] * len(self.hidden)), _slices([self.depth] * len(self.hidden))
        rows = {"out.weight": units, "out.bias": classes}
        if self.kind == "weighted":
            rows["layers"] = layers
        if self.kind in ("emobox", "serevals"):
            rows |= {"in.weight": units, "in.bias": units}
        if self.kind == "serevals":
            rows |= {"norm.weight": units, "norm.bias": units}
        return rows

    def logits(self, weights: Weights, batch: Batch, dropout: torch.Tensor | None = None) -> torch.Tensor:
        """Return logits (G, P, B, K).

        Args:
            weights: name -> (G, rows of all heads, ...).
            batch: of G groups.
            dropout: (G, T, sum of h) that hidden values are multiplied with.
        """
        pooled = self._pooled(weights, batch, dropout)
        outputs = []
        for values, rows, biases in zip(pooled, self.spans["out.weight"], self.spans["out.bias"], strict=True):
            bias = weights["out.bias"][:, None, biases]
            outputs.append(torch.baddbmm(bias, values, weights["out.weight"][:, rows]))
        return torch.stack(outputs, dim=1)

    def _pooled(self, weights: Weights, batch: Batch, dropout: torch.Tensor | None) -> Sequence[torch.Tensor]:
        """Return what the last linear layer of each head sees: P of (G, B, h)."""
        if self.kind == "linear":
            return [batch.frames] * len(self.hidden)
        if self.kind == "weighted":
            layers = batch.frames.unflatten(1, (-1, self.depth))
            shares = [weights["layers"][:, rows].softmax(1) for rows in self.spans["layers"]]
            return [torch.einsum("gbld,gl->gbd", layers, one) for one in shares]
        hidden = torch.baddbmm(weights["in.bias"][:, None], batch.frames, weights["in.weight"].mT)
        units = self.spans["in.weight"]
        if self.kind == "emobox":
            means = _means(hidden.relu_(), batch.pool)
            return [means[..., rows] for rows in units]
        # The last layer is linear, so the mean of its outputs, as published, is its output for the mean.
        pooled = []
        for rows in units:
            normed = layer_norm(hidden[..., rows], (rows.stop - rows.start,))
            scaled = normed * weights["norm.weight"][:, None, rows] + weights["norm.bias"][:, None, rows]
            active = gelu(scaled)
            pooled.append(_means(active if dropout is None else active * dropout[..., rows], batch.pool))
        return pooled


def _means(values: torch.Tensor, pool: torch.Tensor | None) -> torch.Tensor:
    return values if pool is None else pool @ values


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
