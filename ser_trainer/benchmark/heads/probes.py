"""Probes: small heads on features of frozen encoders; all rates, widths, folds and seeds are trained together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.errors import SerbenchError, near

from .schedules import SCHEDULES

if TYPE_CHECKING:
    from ..cache.features import Packed

HEADS = ("emobox", "serevals", "linear", "weighted")
"""Kinds of head, see `heads`."""

OPTIMIZERS = ("adam", "adamw")
SELECTIONS = ("validation", "test", "last")


class ProbeError(SerbenchError, ValueError):
    """Heads cannot be trained on these features, labels, folds or settings."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Who trains, who selects, who is tested.

    Args:
        name: seeds the heads, with the seed.
        train: positions of utterances in the features.
        validation: the same; may be empty unless it selects.
        test: the same.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Point:
    """A point of the grid: base learning rate, and hidden units (0 for heads that have none)."""

    learning_rate: float
    hidden: int


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How heads are trained; checked when it is made.

    Args:
        head: one of `HEADS`.
        epochs: passes over the training set.
        batch_size: utterances in a batch.
        optimizer: ``adam`` or ``adamw``, with their usual decay rates (0.9, 0.999) and epsilon 1e-8.
        weight_decay: of all weights; added to gradients by adam, taken from weights by adamw.
        schedule: one of `schedules.SCHEDULES`.
        label_smoothing: share of the target that is spread over all classes.
        dropout: share of hidden values that are dropped, for ``serevals``.
        clip: largest norm of a head's gradients, None for no limit.
        drop_last: leave the last batch of an epoch out if it is not full, unless it is the only one.
        utterance_norm: subtract the mean and divide by the deviation of all T x D values of an utterance.
        select: by whose accuracy the epoch is selected, ties to the earlier one: ``validation``, ``test`` (some did,
            and a result must say so), or ``last`` for none.

    Raises:
        ProbeError: a name is unknown, or a number is out of range.
    """

    head: str
    epochs: int
    batch_size: int = 32
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    label_smoothing: float = 0.0
    dropout: float = 0.0
    clip: float | None = None
    drop_last: bool = False
    utterance_norm: bool = False
    select: str = "validation"

    def __post_init__(self) -> None:
        named = (("head", HEADS), ("optimizer", OPTIMIZERS), ("schedule", SCHEDULES), ("select", SELECTIONS))
        for field, known in named:
            value = getattr(self, field)
            if value not in known:
                raise ProbeError(f"Recipe: {field} is one of {', '.join(known)}; got {value!r}.{near(value, known)}")
        if self.epochs < 1 or self.batch_size < 1:
            raise ProbeError(f"Recipe: epochs and batch_size are 1 or more; got {self.epochs} and {self.batch_size}.")
        if not 0 <= self.dropout < 1 or (self.dropout and self.head != "serevals"):
            raise ProbeError(f"Recipe: dropout is 0, or a share below 1 for serevals; {self.head} got {self.dropout}.")


EMOBOX = Recipe(head="emobox", epochs=100, schedule="warmup", clip=5.0, utterance_norm=True)
"""EmoBox's head as its paper reads (arXiv 2406.07162, section 3.1), selected on validation.

The limit of the gradient is SpeechBrain's default, through whose trainer the heads ran.
"""

EMOBOX_CODE = Recipe(head="emobox", epochs=100, schedule="warmup_code", clip=5.0, utterance_norm=True, select="test")
"""EmoBox's head as its script runs (EmoBox 08280f2, examples/sb), which scores every epoch on the test set."""

SEREVALS = Recipe(
    head="serevals",
    epochs=100,
    optimizer="adamw",
    weight_decay=0.1,
    schedule="onecycle",
    label_smoothing=0.1,
    dropout=0.1,
    clip=0.5,
    drop_last=True,
    select="last",
)
"""SER Evals' head as its script runs (arXiv 2408.07851; spaghettiSystems/serval fe66005, models/main.py)."""

SEREVALS_POINT = Point(1e-4, 512)
"""The one setting of SER Evals."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained head, as it was after the selected epoch.

    Args:
        fold: name of its fold.
        seed: its seed.
        point: its point of the grid.
        epoch: the selected epoch, from 1; 0 if it diverged in the first one, and then the logits are untrained.
        validation: its accuracy on validation, None where that is empty.
        curve: accuracy on the selecting split after each epoch; empty where the last epoch is taken.
        logits: of the test utterances (n, K), float32.
        layer_weights: share of each layer (depth,), for ``weighted``; else None.
        diverged: whether its loss became infinite or NaN; epochs from then on are not selected.
    """

    fold: str
    seed: int
    point: Point
    epoch: int
    validation: float | None
    curve: list[float]
    logits: np.ndarray
    layer_weights: np.ndarray | None
    diverged: bool


def train_heads(
    features: "Packed",
    labels: np.ndarray,
    classes: int,
    folds: Sequence[Fold],
    recipe: Recipe,
    grid: Sequence[Point],
    seeds: Sequence[int],
    *,
    device: str = "cpu",
    stacked: bool = True,
    progress: Callable[[int], None] | None = None,
) -> list[Trained]:
    """Train a head for each fold, seed and point of the grid, and return them in this order.

    How a head starts depends on its seed, the name of its fold and its hidden size; the order of its batches on its
    seed and fold alone. So it is the same head whichever others are trained beside it.

    Args:
        features: of n utterances: frames (sum T, D); for ``weighted`` layers (n, depth, D), or (n x depth, D).
        labels: classes (n,), 0 to K - 1.
        classes: number of classes K. One that nobody trains on is never learnt, which is no error.
        folds: whose names differ.
        recipe: how they are trained.
        grid: learning rates and hidden sizes.
        seeds: of the heads.
        device: ``cpu``, ``cuda`` ...
        stacked: train them together; else one after the other, with equal results to about 1e-5.
        progress: told of each number of epochs of one head that is done; all together they are
            folds x seeds x points x epochs.

    Raises:
        ProbeError: labels are out of range, features are NaN or infinite, a part of a fold is empty that is needed, or
            a position is out of range.
    """
    from .stacks import Study  # torch takes seconds to import

    _check(features, labels, classes, folds, recipe, grid)
    study = Study(features, labels, classes, recipe, device)
    runs = [(fold, seed) for fold in folds for seed in seeds]
    advance = progress or (lambda done: None)
    if stacked:
        return study.train(runs, grid, advance)
    return [one for run in runs for point in grid for one in study.train([run], [point], advance)]


def _check(
    features: "Packed", labels: np.ndarray, classes: int, folds: Sequence[Fold], recipe: Recipe, grid: Sequence[Point]
) -> None:
    n = len(features.ids)
    if np.shape(labels) != (n,):
        raise ProbeError(f"Labels: one for each of {n} utterances; got shape {np.shape(labels)}.")
    outside = np.flatnonzero((labels < 0) | (labels >= classes))
    if outside.size:
        first = outside[0]
        raise ProbeError(
            f"Utterance {features.ids[first]}: its label is a class from 0 to {classes - 1}; got {labels[first]}. "
            "Map its emotion, or leave the utterance out."
        )
    if not grid:
        raise ProbeError("Grid: has at least one point; got none. Give a learning rate and a hidden size.")
    for point in grid:
        if recipe.head in ("emobox", "serevals") and point.hidden < 1:
            raise ProbeError(f"Grid: heads {recipe.head} have 1 hidden unit or more; got {point.hidden}.")
    names = [fold.name for fold in folds]
    if len(set(names)) < len(names):
        raise ProbeError(f"Folds: their names seed the heads and must differ; got {names}. Rename one.")
    for fold in folds:
        _check_fold(fold, n, recipe)


def _check_fold(fold: Fold, n: int, recipe: Recipe) -> None:
    needed = {"train", "test", recipe.select} - {"last"}
    for part in ("train", "validation", "test"):
        positions = getattr(fold, part)
        if not len(positions) and part in needed:
            remedy = (
                "Draw a validation set from the training part, or select the last epoch."
                if part == "validation"
                else "Correct the fold."
            )
            raise ProbeError(f"Fold {fold.name}: needs {part} utterances; it has none. {remedy}")
        if len(positions) and not 0 <= np.min(positions) <= np.max(positions) < n:
            raise ProbeError(
                f"Fold {fold.name}: positions of {part} are 0 to {n - 1}; "
                f"got {np.min(positions)} to {np.max(positions)}. Make folds for these features."
            )
