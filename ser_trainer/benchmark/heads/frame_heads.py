"""Frame heads: EmoBox's grid of small heads on features, trained together, and which of them is the result."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from ..cache.features import Features, Packed
from ..cache.joined import joined
from ..protocol import Setting
from .probes import EMOBOX, EMOBOX_CODE, Fold, Point, Recipe, Trained, train_heads

GRID = tuple(Point(rate, hidden) for rate, hidden in product((1e-3, 1e-4), (128, 256)))
"""Learning rates and hidden sizes of EmoBox (paper, section 3.1)."""

LINEAR_GRID = tuple(Point(rate, 0) for rate in (1e-2, 1e-3, 1e-4))
"""Learning rates of linear heads on pooled layers; ours."""

SPLITS = ("train", "validation", "test")


def kinds(setting: Setting) -> list[tuple[str, str]]:
    """Return (kind of head, layer): EmoBox's on the last layer, or linear ones on each and on their weighted sum."""
    if setting.layers == "last":
        return [("emobox", "last")]
    return [*(("linear", layer) for layer in setting.layer_names), ("weighted", "weighted")]


def recipe_of(kind: str, setting: Setting) -> Recipe:
    """Return how a kind of head is trained: as EmoBox trains its own, with a schedule that depends on the variant."""
    recipe = EMOBOX_CODE if setting.variant == "published" else EMOBOX
    if kind != "emobox":  # means over frames are no utterances that could be normalised
        recipe = replace(recipe, head=kind, utterance_norm=False)
    return recipe if setting.epochs is None else replace(recipe, epochs=setting.epochs)


def train_grid(
    pools: Sequence[tuple[Features, Sequence[str]]],
    codes: Mapping[str, int],
    classes: int,
    folds: Mapping[str, Mapping[str, Sequence[str]]],
    kind: str,
    layer: str,
    setting: Setting,
    advance: Callable[[float], None],
) -> dict[tuple[str, int], list[Trained]]:
    """Return (fold, seed) -> a trained head for each point of the grid, in its order.

    Args:
        pools: features, and which of their utterances are used; all used ids are different.
        codes: id -> class, 0 to classes - 1.
        classes: number of classes K.
        folds: fold -> split -> ids.
        kind: kind of head, see `kinds`.
        layer: which layer it looks at.
        setting: of the study.
        advance: told of each share of a fold and seed that is done.
    """
    ids = [one for _, used in pools for one in used]
    place = {one: at for at, one in enumerate(ids)}
    grid = GRID if kind == "emobox" else LINEAR_GRID
    recipe = recipe_of(kind, setting)
    trained = train_heads(
        _packed(pools, kind, layer),
        np.array([codes[one] for one in ids], dtype=np.int64),
        classes,
        [
            Fold(name, *(np.array([place[one] for one in parts[split]], dtype=np.int64) for split in SPLITS))
            for name, parts in folds.items()
        ],
        recipe,
        grid,
        setting.seeds,
        device=setting.device,
        progress=lambda epochs: advance(epochs / (recipe.epochs * len(grid))),
    )
    found: dict[tuple[str, int], list[Trained]] = {}
    for one in sorted(trained, key=lambda one: grid.index(one.point)):
        found.setdefault((one.fold, one.seed), []).append(one)
    return found


def best(trained: Sequence[Trained], test: np.ndarray, setting: Setting) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the classes that the best head of a grid predicts, and what a line tells of it and of the others.

    Args:
        trained: one head for each point, in the order of the grid; ties go to the earlier one.
        test: true classes of the test set (n,), which only the published variant looks at.
        setting: whose variant decides.
    """
    by_test = setting.variant == "published"
    grid = []
    for one in trained:
        told = _point(one) | {"validation": one.validation}
        grid.append(told | {"test": float(np.mean(one.logits.argmax(axis=1) == test))} if by_test else told)
    by = "test" if by_test else "validation"
    at = int(np.argmax([one[by] for one in grid]))
    return trained[at].logits.argmax(axis=1), {
        "hyperparameters": _point(trained[at]),
        "selection": f"epoch and grid point by {by} accuracy, ties to the earlier one",
        "grid": grid,
        "flags": ["epoch and grid point selected by test accuracy"] if by_test else [],
    }


def _point(one: Trained) -> dict[str, Any]:
    told: dict[str, Any] = {"learning_rate": one.point.learning_rate, "hidden": one.point.hidden, "epoch": one.epoch}
    if one.layer_weights is not None:
        told["layer_weights"] = [round(float(weight), 4) for weight in one.layer_weights]
    return told


def _packed(pools: Sequence[tuple[Features, Sequence[str]]], kind: str, layer: str) -> Packed:
    if kind != "weighted":
        return joined(pools, layer)
    layers = [features[one] for features, used in pools for one in used]
    return Packed(tuple(one for _, used in pools for one in used), np.stack(layers), np.arange(len(layers) + 1))
