"""Probes: heads that are trained together against the same heads alone, and against plain loops of torch."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ser_trainer.benchmark.cache.features import Packed
from ser_trainer.benchmark.heads import frames, stacks
from ser_trainer.benchmark.heads.networks import generator, initial
from ser_trainer.benchmark.heads.probes import (
    EMOBOX,
    EMOBOX_CODE,
    SEREVALS,
    Fold,
    Point,
    ProbeError,
    Recipe,
    Trained,
    train_heads,
)
from ser_trainer.benchmark.heads.schedules import course

CLOSE = {"atol": 1e-4, "rtol": 0}
LINEAR = Recipe(head="linear", epochs=4, batch_size=4)
RECIPES = {
    "emobox": replace(EMOBOX, epochs=4, batch_size=4),
    "emobox as run": replace(EMOBOX_CODE, epochs=4, batch_size=5),
    "serevals": replace(SEREVALS, epochs=3, batch_size=4),
    "linear": LINEAR,
    "linear, decayed": replace(LINEAR, weight_decay=0.1, clip=0.2, select="last"),
    "weighted": replace(LINEAR, head="weighted", optimizer="adamw", weight_decay=0.1),
}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def corpus(n: int, width: int = 6, seed: int = 0, dtype: type = np.float32, depth: int | None = None) -> Packed:
    """Return random features: of 1 to 9 frames, or of `depth` layers."""
    generator = np.random.default_rng(seed)
    lengths = generator.integers(1, 10, n) if depth is None else np.full(n, depth)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = generator.normal(size=(offsets[-1], width)).astype(dtype)
    return Packed(tuple(f"u{at}" for at in range(n)), values, offsets)


def split(n: int, folds: int = 2, seed: int = 0) -> list[Fold]:
    """Return folds of unlike sizes, so that their batches do not run in step."""
    order = np.random.default_rng(seed).permutation(n)
    found = []
    for at in range(folds):
        test, validation = order[at::5], order[at + 1 :: 5]
        train = np.setdiff1d(order, [*test, *validation])
        found.append(Fold(f"fold{at + 1}", train[: len(train) - 3 * at], validation, test))
    return found


def some_labels(n: int, classes: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, classes, n)


def published(features: Packed, labels: np.ndarray, classes: int, fold: Fold, seed: int, point: Point, recipe: Recipe):
    """Train EmoBox's head alone as its script does, padded, with torch's own layers, loss, optimizer and clipping.

    Returns logits of the last epoch on the test set.
    """
    utterances = [torch.from_numpy(one.astype(np.float32)) for one in np.split(features.values, features.offsets[1:-1])]
    if recipe.utterance_norm:
        utterances = [torch.nn.functional.layer_norm(one, one.shape) for one in utterances]
    first = torch.nn.Linear(utterances[0].shape[1], point.hidden)
    last = torch.nn.Linear(point.hidden, classes)
    start = initial(
        "emobox", utterances[0].shape[1], 1, classes, point.hidden, generator(seed, fold.name, point.hidden)
    )
    for layer, name in ((first, "in"), (last, "out")):
        weight = start[f"{name}.weight"]
        layer.weight.data = weight if name == "in" else weight.T
        layer.bias.data = start[f"{name}.bias"]

    def forward(positions: np.ndarray) -> torch.Tensor:
        padded = torch.nn.utils.rnn.pad_sequence([utterances[one] for one in positions], batch_first=True)
        # The script takes frames that add up to 0 for padding; normalised utterances of one frame do, which gives NaN.
        ends = torch.tensor([len(utterances[one]) for one in positions])
        mask = (torch.arange(padded.shape[1]) < ends[:, None]).float()
        hidden = first(padded).relu() * mask[..., None]
        return last(hidden.sum(1) / mask.sum(1, keepdim=True))

    parameters = [*first.parameters(), *last.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=point.learning_rate)
    orders = stacks.batches(fold.name, seed, fold.train, recipe.epochs, recipe.batch_size, recipe.drop_last)
    shares = iter(course(recipe.schedule, recipe.epochs, len(orders[0])).shares)
    for batch in (batch for order in orders for batch in order):
        optimizer.param_groups[0]["lr"] = next(shares) * point.learning_rate
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(
            forward(batch), torch.tensor(labels[batch]), label_smoothing=recipe.label_smoothing
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip or float("inf"))
        optimizer.step()
    with torch.no_grad():
        return forward(fold.test).numpy()


@pytest.mark.parametrize("schedule", ["warmup", "warmup_code", "onecycle"])
def test_emobox_is_the_published_loop(schedule: str) -> None:
    features, labels, [fold, _] = corpus(60), some_labels(60), split(60)
    recipe = replace(EMOBOX, epochs=12, select="last", clip=0.3, batch_size=8, schedule=schedule)
    if schedule == "onecycle":  # its momentum changes too, and the loop above keeps Adam's
        recipe = replace(recipe, schedule="constant", label_smoothing=0.2)
    grid = [Point(1e-2, 5), Point(1e-3, 7)]
    for one in train_heads(features, labels, 3, [fold], recipe, grid, [3]):
        np.testing.assert_allclose(one.logits, published(features, labels, 3, fold, 3, one.point, recipe), **CLOSE)
        assert one.epoch == 12


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    recipe=st.sampled_from(sorted(RECIPES)),
    n=st.integers(20, 30),
    width=st.integers(1, 9),
    classes=st.integers(2, 5),
    # A LayerNorm of one or two units has no gradient but rounding, which Adam makes as large as any other.
    hidden=st.lists(st.integers(4, 9), min_size=1, max_size=3),
    seeds=st.integers(1, 2),
    at_once=st.integers(1, 4),
)
def test_heads_are_the_same_alone_and_together(
    recipe: str, n: int, width: int, classes: int, hidden: list[int], seeds: int, at_once: int
) -> None:
    setting, labels = RECIPES[recipe], some_labels(n, classes)
    features = corpus(n, width, seed=n, depth=3 if setting.head == "weighted" else None)
    grid = [Point(10.0 ** -(2 + at), units) for at, units in enumerate(hidden)]
    arguments = (features, labels, classes, split(n), setting, grid, range(seeds))
    alone = train_heads(*arguments, stacked=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacks, "_side_by_side", lambda study: at_once)
        together = train_heads(*arguments)
    for one, other in zip(alone, together, strict=True):
        assert (one.fold, one.seed, one.point) == (other.fold, other.seed, other.point)
        assert one.epoch == other.epoch and one.curve == other.curve and one.validation == other.validation
        np.testing.assert_allclose(one.logits, other.logits, **CLOSE)


def test_order_is_fold_seed_point_and_progress_adds_up() -> None:
    done: list[int] = []
    grid = [Point(1e-2, 2), Point(1e-3, 3)]
    recipe = RECIPES["emobox"]
    found = train_heads(corpus(30), some_labels(30), 3, split(30), recipe, grid, [5, 4], progress=done.append)
    assert [(one.fold, one.seed, one.point) for one in found] == [
        (fold, seed, point) for fold in ("fold1", "fold2") for seed in (5, 4) for point in grid
    ]
    assert sum(done) == len(found) * recipe.epochs


def _equal(one: Trained, other: Trained) -> bool:
    return one.epoch == other.epoch and one.curve == other.curve and np.array_equal(one.logits, other.logits)


def test_the_same_call_gives_the_same_bits() -> None:
    arguments = (corpus(30), some_labels(30), 3, split(30), RECIPES["serevals"], [Point(1e-3, 4)], [1])
    assert all(map(_equal, train_heads(*arguments), train_heads(*arguments)))


def test_the_selected_epoch_is_the_first_best_and_its_weights_are_kept() -> None:
    features, labels, folds = corpus(60), some_labels(60), split(60, 1)
    recipe = replace(RECIPES["emobox"], epochs=15, schedule="constant")
    [one] = train_heads(features, labels, 3, folds, recipe, [Point(1e-2, 6)], [0])
    assert one.epoch == 1 + int(np.argmax(one.curve)) and len(one.curve) == 15
    assert one.validation == max(one.curve)
    [stopped] = train_heads(
        features, labels, 3, folds, replace(recipe, epochs=one.epoch, select="last"), [Point(1e-2, 6)], [0]
    )
    np.testing.assert_allclose(one.logits, stopped.logits, **CLOSE)
    assert stopped.validation == one.validation


def test_selection_by_test_takes_the_best_epoch_of_the_test_set() -> None:
    features, labels, folds = corpus(60), some_labels(60), split(60, 1)
    recipe = replace(RECIPES["emobox"], epochs=15, schedule="constant", select="test")
    [one] = train_heads(features, labels, 3, folds, recipe, [Point(1e-2, 6)], [0])
    assert np.mean(one.logits.argmax(1) == labels[folds[0].test]) == max(one.curve)
    assert one.epoch == 1 + int(np.argmax(one.curve))


@pytest.mark.parametrize("name", ["emobox", "linear", "weighted"])
def test_features_on_disk_and_in_memory_give_the_same_heads(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = RECIPES[name]
    features = corpus(30, dtype=np.float16, depth=3 if name == "weighted" else None)
    arguments = (features, some_labels(30), 3, split(30), recipe, [Point(1e-2, 4)], [0])
    held = train_heads(*arguments)
    monkeypatch.setattr(frames, "HELD_BYTES", 0)
    assert all(map(_equal, held, train_heads(*arguments)))


def test_a_linear_head_learns_from_the_mean_of_the_frames() -> None:
    features, labels, folds = corpus(30), some_labels(30), split(30, 1)
    means = np.add.reduceat(features.values.astype(float), features.offsets[:-1]) / np.diff(features.offsets)[:, None]
    pooled = Packed(features.ids, means.astype(np.float32), np.arange(31))
    [frames_head], [vector_head] = (
        train_heads(one, labels, 3, folds, LINEAR, [Point(1e-2, 0)], [0]) for one in (features, pooled)
    )
    np.testing.assert_allclose(frames_head.logits, vector_head.logits, **CLOSE)


def test_weighted_heads_find_the_layer_that_tells() -> None:
    labels, depth = some_labels(80, 2), 4
    values = np.random.default_rng(0).normal(size=(80, depth, 5)).astype(np.float32)
    values[:, 2] += 3 * labels[:, None]
    features = Packed(tuple(map(str, range(80))), values, np.arange(81))
    recipe = Recipe(head="weighted", epochs=40)
    [one] = train_heads(features, labels, 2, split(80, 1), recipe, [Point(0.05, 0)], [0])
    assert one.layer_weights is not None and one.layer_weights.sum() == pytest.approx(1)
    assert one.layer_weights.argmax() == 2 and one.layer_weights[2] > 1.5 / depth
    flat = Packed(features.ids, values.reshape(-1, 5), np.arange(81) * depth)
    [same] = train_heads(flat, labels, 2, split(80, 1), recipe, [Point(0.05, 0)], [0])
    assert _equal(one, same)


def test_a_head_that_diverges_leaves_the_others_alone() -> None:
    features, labels, folds = corpus(40), some_labels(40), split(40, 1)
    recipe = replace(RECIPES["emobox"], clip=None, epochs=6)
    wild, tame = Point(1e30, 4), Point(1e-2, 4)
    together = train_heads(features, labels, 3, folds, recipe, [wild, tame], [0])
    [alone] = train_heads(features, labels, 3, folds, recipe, [tame], [0])
    assert [one.diverged for one in together] == [True, False]
    assert np.isfinite(together[0].logits).all() and together[0].epoch == 0
    assert together[1].epoch == alone.epoch
    np.testing.assert_allclose(together[1].logits, alone.logits, **CLOSE)


def test_a_class_that_nobody_trains_on_is_no_error() -> None:
    features, labels, folds = corpus(30), some_labels(30), split(30, 1)
    labels[folds[0].train] %= 2
    [one] = train_heads(features, labels, 5, folds, RECIPES["emobox"], [Point(1e-2, 4)], [0])
    assert one.logits.shape == (len(folds[0].test), 5) and np.isfinite(one.logits).all()


def test_serevals_has_the_published_number_of_parameters() -> None:
    # The sheet on SER Evals, computed from its script for two widths.
    for width, parameters in ((1024, 529_928), (768, 398_856)):
        start = initial("serevals", width, 1, 8, 512, generator(0))
        assert sum(weight.numel() for weight in start.values()) == parameters


def _bad(**changed: object) -> dict:
    good = {
        "features": corpus(20),
        "labels": some_labels(20),
        "classes": 3,
        "folds": split(20, 1),
        "recipe": RECIPES["emobox"],
        "grid": [Point(1e-3, 4)],
        "seeds": [0],
    }
    return good | changed


def _spoilt(value: float) -> Packed:
    features = corpus(20)
    features.values[features.offsets[7]] = value
    return features


NONE = np.array([], dtype=int)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (_bad(features=_spoilt(np.nan)), "Utterance u7: its features are finite"),
        (_bad(features=_spoilt(np.inf), recipe=LINEAR), "Utterance u7: its features are finite"),
        (_bad(labels=np.where(np.arange(20) == 4, 3, 0)), "Utterance u4: its label is a class from 0 to 2; got 3"),
        (_bad(labels=np.where(np.arange(20) == 4, -1, 0)), "Utterance u4"),
        (_bad(labels=some_labels(19)), "one for each of 20 utterances"),
        (_bad(folds=[replace(split(20)[0], validation=NONE)]), "needs validation utterances.*select the last epoch"),
        (_bad(folds=[replace(split(20)[0], train=NONE)]), "needs train utterances"),
        (_bad(folds=[replace(split(20)[0], test=np.array([20]))]), "positions of test are 0 to 19; got 20 to 20"),
        (_bad(folds=split(20, 1) * 2), "must differ"),
        (_bad(grid=[]), "at least one point"),
        (_bad(grid=[Point(1e-3, 0)]), "1 hidden unit or more; got 0"),
        (_bad(recipe=RECIPES["weighted"]), "one vector for each of"),
        (_bad(features=replace(corpus(20), offsets=np.array([0, 0, *corpus(20).offsets[2:]]))), "u0: has one frame or"),
    ],
)
def test_bad_input_is_named(arguments: dict, told: str) -> None:
    with pytest.raises(ProbeError, match=told):
        train_heads(**arguments)


def test_a_recipe_knows_its_words() -> None:
    with pytest.raises(ProbeError, match="got 'emobx'. Did you mean 'emobox'"):
        Recipe(head="emobx", epochs=1)
    with pytest.raises(ProbeError, match="1 or more; got 0"):
        Recipe(head="linear", epochs=0)


def test_an_empty_validation_set_is_fine_where_the_last_epoch_is_taken() -> None:
    fold = replace(split(20)[0], validation=NONE)
    [one] = train_heads(**_bad(folds=[fold], recipe=RECIPES["serevals"]))
    assert one.validation is None and one.curve == [] and one.epoch == RECIPES["serevals"].epochs
