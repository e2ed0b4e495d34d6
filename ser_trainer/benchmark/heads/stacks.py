"""Stacks: heads of several folds, seeds and points of a grid in one training loop, each as if it were alone."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from .frames import Batch, Frames
from .networks import Shape, Weights, generator, initial
from .probes import Fold, Point, ProbeError, Recipe, Trained
from .schedules import Course, course

if TYPE_CHECKING:
    from ..cache.features import Packed

BETA2, EPSILON = 0.999, 1e-8
"""Adam's second decay rate and its epsilon, Kingma and Ba 2015, algorithm 1."""

TOGETHER = 16
"""Groups (fold and seed) that are trained at once where batching them pays."""

Run = tuple[Fold, int]


def batches(
    fold: str, seed: int, positions: np.ndarray, epochs: int, size: int, drop_last: bool
) -> list[list[np.ndarray]]:
    """Return for each epoch its batches: arrays of positions, in an order that seed and fold decide.

    Args:
        fold: name of the fold.
        seed: of the head.
        positions: of the training utterances.
        epochs: number of epochs.
        size: utterances in a batch.
        drop_last: leave the last batch out if it is not full, unless it is the only one.
    """
    draw = generator(seed, fold, "order")
    whole = max(len(positions) // size, 1) if drop_last else -(-len(positions) // size)
    found = []
    for _ in range(epochs):
        order = np.asarray(positions)[torch.randperm(len(positions), generator=draw).numpy()]
        found.append([order[at * size : (at + 1) * size] for at in range(whole)])
    return found


class Study:
    """Heads on the features of one corpus.

    Args:
        features: of the corpus.
        labels: class of each utterance (n,).
        classes: number of classes K.
        recipe: how heads are trained.
        device: where.
    """

    def __init__(self, features: "Packed", labels: np.ndarray, classes: int, recipe: Recipe, device: str):
        self.recipe, self.classes = recipe, classes
        self.frames = Frames(features, labels, recipe.utterance_norm, recipe.head == "linear", device)
        self.depth = 1
        if recipe.head == "weighted":
            self.depth = int(self.frames.lengths[0])
            odd = np.flatnonzero(self.frames.lengths != self.depth)
            if odd.size:
                raise ProbeError(
                    f"Utterance {features.ids[odd[0]]}: has one vector for each of {self.depth} layers; it has "
                    f"{self.frames.lengths[odd[0]]}. Weighted heads need means of all layers: extract with layers=all."
                )

    def train(self, runs: Sequence[Run], grid: Sequence[Point], advance: Callable[[int], None]) -> list[Trained]:
        """Return heads for all runs and points, in this order."""
        size = _side_by_side(self)
        order = sorted(range(len(runs)), key=lambda at: -len(runs[at][0].train))
        found: dict[int, list[Trained]] = {}
        for at in range(0, len(order), size):
            some = order[at : at + size]
            stack = _Stack(self, [runs[one] for one in some], grid)
            found |= zip(some, stack.train(advance), strict=True)
        return [one for at in range(len(runs)) for one in found[at]]


def _side_by_side(study: Study) -> int:
    """Return how many groups are trained at once.

    On a CPU products of frames are large enough alone, and folds side by side only leave its caches.
    """
    alone = study.frames.device.type == "cpu" and study.recipe.head in ("emobox", "serevals")
    return 1 if alone and not study.frames.vectors else TOGETHER


class _Stack:
    """G runs, those with most batches first, and P points."""

    def __init__(self, study: Study, runs: Sequence[Run], grid: Sequence[Point]):
        self.frames, self.recipe = study.frames, study.recipe
        self.runs, self.grid = runs, grid
        recipe, device, width = study.recipe, study.frames.device, study.frames.width
        hidden = tuple(point.hidden if recipe.head in ("emobox", "serevals") else width for point in grid)
        self.shape = Shape(recipe.head, width, study.depth, study.classes, hidden)
        starts = [
            [
                initial(recipe.head, width, study.depth, study.classes, units, generator(seed, fold.name, units))
                for units in hidden
            ]
            for fold, seed in runs
        ]
        self.weights: Weights = {
            name: torch.stack([torch.cat([head[name] for head in heads]) for heads in starts]).to(device)
            for name in self.shape.spans
        }
        self.first = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.second = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.point_of_row = {
            name: torch.tensor(
                [at for at, rows in enumerate(spans) for _ in range(rows.start, rows.stop)], device=device
            )
            for name, spans in self.shape.spans.items()
        }
        self.rates = np.array([point.learning_rate for point in grid])
        self.dropouts = [
            [generator(seed, fold.name, units, "dropout", device=device) for units in hidden] for fold, seed in runs
        ]

    def train(self, advance: Callable[[int], None]) -> list[list[Trained]]:
        """Return the heads of each run, in the order of the grid."""
        recipe, shape = self.recipe, (len(self.runs), len(self.grid))
        orders = [
            batches(fold.name, seed, fold.train, recipe.epochs, recipe.batch_size, recipe.drop_last)
            for fold, seed in self.runs
        ]
        courses = [course(recipe.schedule, recipe.epochs, len(order[0])) for order in orders]
        best = {name: weight.clone() for name, weight in self.weights.items()}
        alive, epochs = np.ones(shape, dtype=bool), np.zeros(shape, dtype=int)
        top, curves = np.full(shape, -1.0), [[[] for _ in self.grid] for _ in self.runs]
        for epoch in range(recipe.epochs):
            alive &= self._epoch([order[epoch] for order in orders], courses, epoch)
            better = alive
            if recipe.select != "last":
                scores = self._accuracies(self.weights, recipe.select)
                better = alive & (scores > top)
                top[better] = scores[better]
                for at, point in zip(*np.nonzero(alive), strict=True):
                    curves[at][point].append(float(scores[at, point]))
            epochs[better] = epoch + 1
            self._keep(best, better)
            advance(better.size)
        validation = self._accuracies(best, "validation")
        return [
            [
                Trained(
                    fold.name,
                    seed,
                    self.grid[point],
                    int(epochs[at, point]),
                    None if np.isnan(validation[at, point]) else float(validation[at, point]),
                    curves[at][point],
                    logits,
                    self._layers(best, at, point),
                    not alive[at, point],
                )
                for point, logits in enumerate(self._scored(best, at, fold.test).cpu().numpy())
            ]
            for at, (fold, seed) in enumerate(self.runs)
        ]

    def _epoch(self, orders: Sequence[Sequence[np.ndarray]], courses: Sequence[Course], epoch: int) -> np.ndarray:
        """Train for an epoch; return which heads (G, P) are finite after it."""
        losses = torch.zeros(len(self.runs), len(self.grid), device=self.frames.device)
        for step in range(len(orders[0])):
            active = sum(len(order) > step for order in orders)  # the first ones, for they are sorted
            batch = self.frames.batch([order[step] for order in orders[:active]])
            leaves = {name: weight[:active].detach().requires_grad_() for name, weight in self.weights.items()}
            loss = self._losses(self.shape.logits(leaves, batch, self._dropout(batch, orders, step)), batch)
            gradients = dict(zip(leaves, torch.autograd.grad(loss.sum(), list(leaves.values())), strict=True))
            losses[:active] += loss.detach()
            steps = [epoch * len(order) + step for order in orders[:active]]
            self._step(gradients, steps, courses)
        finite = losses.isfinite()
        for name, weight in self.weights.items():
            norms = weight.flatten(2).norm(dim=2) if weight.dim() > 2 else weight.abs()
            finite &= torch.stack([norms[:, rows].isfinite().all(1) for rows in self.shape.spans[name]], 1)
        return finite.cpu().numpy()

    def _losses(self, logits: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the cross-entropy of each head (G, P), a mean over the utterances of the batch."""
        logs = logits.log_softmax(-1)
        labels = batch.labels[:, None, :, None].expand(*logs.shape[:3], 1)
        entropy = -logs.gather(3, labels).squeeze(3)
        smoothing = self.recipe.label_smoothing
        if smoothing:
            entropy = (1 - smoothing) * entropy - smoothing * logs.mean(3)
        return (entropy * batch.weights[:, None]).sum(2)

    def _dropout(self, batch: Batch, orders: Sequence[Sequence[np.ndarray]], step: int) -> torch.Tensor | None:
        """Return what hidden values are multiplied with, drawn for each head by itself."""
        share = self.recipe.dropout
        if not share:
            return None
        frames = batch.frames
        factors = torch.zeros(*frames.shape[:2], sum(self.shape.hidden), device=frames.device)
        for at in range(len(frames)):
            rows = int(self.frames.lengths[orders[at][step]].sum())
            for units, draw in zip(self.shape.spans["in.weight"], self.dropouts[at], strict=True):
                drawn = torch.empty(rows, units.stop - units.start, device=frames.device)
                factors[at, :rows, units] = drawn.bernoulli_(1 - share, generator=draw).div_(1 - share)
        return factors

    def _step(self, gradients: Weights, steps: Sequence[int], courses: Sequence[Course]) -> None:
        """Take a step of Adam with each head's own rate; elementwise, so each head moves as it would alone."""
        recipe = self.recipe
        self._clip(gradients)
        active = len(steps)
        shares, beta1, corrected1, corrected2 = np.zeros((4, active))
        for at, (step, one) in enumerate(zip(steps, courses, strict=False)):
            shares[at], beta1[at] = one.shares[step], one.beta1[step]
            corrected1[at], corrected2[at] = 1 - beta1[at] ** (step + 1), 1 - BETA2 ** (step + 1)
        rates = shares[:, None] * self.rates
        sizes, decay = self._tensor(rates / corrected1[:, None]), self._tensor(1 - rates * recipe.weight_decay)
        weight1, scale2 = self._tensor(1 - beta1), self._tensor(corrected2**-0.5)
        for name, gradient in gradients.items():
            weight, first, second = (one[name][:active] for one in (self.weights, self.first, self.second))
            rows = self.point_of_row[name]
            trailing = (...,) + (None,) * (weight.dim() - 2)
            groups = (slice(None),) + (None,) * (weight.dim() - 1)
            if recipe.weight_decay and recipe.optimizer == "adam":
                gradient = gradient.add(weight, alpha=recipe.weight_decay)
            elif recipe.weight_decay:
                weight.mul_(decay[:, rows][trailing])
            first.lerp_(gradient, weight1[groups])
            second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
            divisor = second.sqrt().mul_(scale2[groups]).add_(EPSILON)
            weight.sub_(torch.div(first, divisor, out=divisor).mul_(sizes[:, rows][trailing]))

    def _clip(self, gradients: Weights) -> None:
        """Scale the gradients of each head whose norm is above the limit."""
        if self.recipe.clip is None:
            return
        squares = []
        for name, gradient in gradients.items():
            norms = gradient.norm(dim=2) if gradient.dim() > 2 else gradient
            squares.append(torch.stack([norms[:, rows].square().sum(1) for rows in self.shape.spans[name]], 1))
        norm = torch.stack(squares).sum(0).sqrt()
        scale = (self.recipe.clip / (norm + 1e-6)).clamp(max=1.0)  # as torch.nn.utils.clip_grad_norm_ does
        for name, gradient in gradients.items():
            gradient.mul_(scale[:, self.point_of_row[name]][(...,) + (None,) * (gradient.dim() - 2)])

    def _tensor(self, values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.frames.device)

    @torch.no_grad()
    def _scored(self, weights: Weights, at: int, positions: np.ndarray) -> torch.Tensor:
        """Return logits (P, n, K) of one run's heads."""
        mine = {name: weight[at : at + 1] for name, weight in weights.items()}
        chunks = self.frames.chunks(positions, self.recipe.batch_size)
        return torch.cat([self.shape.logits(mine, self.frames.batch([one]))[0] for one in chunks], dim=1)

    def _accuracies(self, weights: Weights, split: str) -> np.ndarray:
        """Return the share of right answers (G, P) on a split; NaN where that is empty."""
        found = np.full((len(self.runs), len(self.grid)), np.nan)
        for at, (fold, _) in enumerate(self.runs):
            positions = getattr(fold, split)
            if len(positions):
                right = self._scored(weights, at, positions).argmax(2) == self.frames.labels[torch.as_tensor(positions)]
                found[at] = right.sum(1).cpu().numpy() / len(positions)
        return found

    def _keep(self, best: Weights, better: np.ndarray) -> None:
        for at, point in zip(*np.nonzero(better), strict=True):
            for name, spans in self.shape.spans.items():
                best[name][at, spans[point]] = self.weights[name][at, spans[point]]

    def _layers(self, best: Weights, at: int, point: int) -> np.ndarray | None:
        if self.recipe.head != "weighted":
            return None
        return best["layers"][at, self.shape.spans["layers"][point]].softmax(0).cpu().numpy()
