"""P7: all heads of EmoBox's grid, 4 points on 5 folds, trained together against one at a time as published.

Goal: 10 times as fast, test logits equal to 1e-4.

    python tests/bench/p7_heads.py [--lengths iemocap] [--utterances 600] [--epochs 3] [--threads 2]

Features are random, 768 values at 50 frames a second, with lengths drawn from the quantiles of a corpus (`p4_batches`).
As published (EmoBox 08280f2, examples/sb): a DataLoader over one .npy file for each utterance, zero padding, a mask,
torch's Adam, a checkpoint each epoch, and every epoch scored on validation and on the test set. Both sides start from
the same weights and see the same batches. The last lines are heads on one vector for each utterance, where there is
nothing to pad.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from p4_batches import LISTED, simulated

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from ser_trainer.benchmark.cache.features import Packed  # noqa: E402
from ser_trainer.benchmark.heads.networks import generator, initial  # noqa: E402
from ser_trainer.benchmark.heads.probes import EMOBOX, Fold, Point, Recipe, train_heads  # noqa: E402
from ser_trainer.benchmark.heads.schedules import course  # noqa: E402
from ser_trainer.benchmark.heads.stacks import batches  # noqa: E402

GRID = [Point(rate, hidden) for rate, hidden in product((1e-3, 1e-4), (128, 256))]
WIDTH, CLASSES, FRAME_RATE, SEED, FOLDS = 768, 4, 50, 0, 5


class Files(torch.utils.data.Dataset):
    """Utterances in one file each."""

    def __init__(self, folder: Path, labels: np.ndarray):
        self.folder, self.labels = folder, labels

    def __getitem__(self, at: int) -> tuple[torch.Tensor, int]:
        """Return frames and class of an utterance."""
        return torch.FloatTensor(np.load(self.folder / f"{at}.npy")), int(self.labels[at])


def padded(rows: list[tuple[torch.Tensor, int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a batch (B, T, D) and its classes."""
    frames, labels = zip(*rows, strict=True)
    return torch.nn.utils.rnn.pad_sequence(frames, batch_first=True), torch.tensor(labels)


class Head(torch.nn.Module):
    """EmoBox's head, with the weights that ours starts from."""

    def __init__(self, fold: str, hidden: int):
        super().__init__()
        start = initial("emobox", WIDTH, 1, CLASSES, hidden, generator(SEED, fold, hidden))
        self.first, self.last = torch.nn.Linear(WIDTH, hidden), torch.nn.Linear(hidden, CLASSES)
        self.first.weight.data, self.first.bias.data = start["in.weight"], start["in.bias"]
        self.last.weight.data, self.last.bias.data = start["out.weight"].T.contiguous(), start["out.bias"]

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Return logits (B, K)."""
        mask = (frames.sum(dim=2) != 0.0).float()
        hidden = self.first(frames).relu() * mask.unsqueeze(-1)
        return self.last(hidden.sum(dim=1) / mask.sum(dim=1, keepdim=True))


@dataclass
class Spent:
    """Seconds of the published loop."""

    training: float = 0.0
    validation: float = 0.0
    test: float = 0.0


def one_at_a_time(files: Files, fold: Fold, point: Point, recipe: Recipe, folder: Path, spent: Spent) -> np.ndarray:
    """Train one head; return test logits (n, K) of the epoch with the best validation accuracy."""
    head = Head(fold.name, point.hidden)
    optimizer = torch.optim.Adam(head.parameters(), lr=point.learning_rate)
    orders = batches(fold.name, SEED, fold.train, recipe.epochs, recipe.batch_size, False)
    shares = course(recipe.schedule, recipe.epochs, len(orders[0])).shares
    best, chosen, step = -1.0, np.empty(0), 0
    for epoch, order in enumerate(orders):
        start = time.perf_counter()
        for frames, labels in torch.utils.data.DataLoader(files, batch_sampler=order, collate_fn=padded):
            optimizer.param_groups[0]["lr"] = shares[step] * point.learning_rate
            loss = torch.nn.functional.nll_loss(head(frames).log_softmax(-1), labels)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(head.parameters(), recipe.clip)
            optimizer.step()
            optimizer.zero_grad()
            step += 1
        torch.save(head.state_dict(), folder / f"{epoch}.pt")
        spent.training += time.perf_counter() - start
        start = time.perf_counter()
        right = scored(head, files, fold.validation).argmax(1) == files.labels[fold.validation]
        spent.validation += time.perf_counter() - start
        start = time.perf_counter()
        logits = scored(head, files, fold.test)
        spent.test += time.perf_counter() - start
        if right.mean() > best:
            best, chosen = right.mean(), logits
    return chosen


@torch.no_grad()
def scored(head: Head, files: Files, positions: np.ndarray) -> np.ndarray:
    """Return logits (n, K)."""
    some = torch.utils.data.Subset(files, positions.tolist())
    loader = torch.utils.data.DataLoader(some, batch_size=EMOBOX.batch_size, collate_fn=padded)
    return np.concatenate([head(frames).numpy() for frames, _ in loader])


def folds_of(n: int) -> list[Fold]:
    """Return five folds: a fifth tests, a fifth of the rest validates."""
    order = np.random.default_rng(0).permutation(n)
    found = []
    for at, test in enumerate(np.array_split(order, FOLDS)):
        rest = np.setdiff1d(order, test)
        found.append(Fold(f"fold{at + 1}", rest[len(rest) // 5 :], rest[: len(rest) // 5], test))
    return found


def compare(title: str, lengths: np.ndarray, recipe: Recipe) -> None:
    """Measure both, fold by fold in turn, and print."""
    draw = np.random.default_rng(1)
    labels = draw.integers(0, CLASSES, len(lengths))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = draw.standard_normal((offsets[-1], WIDTH), dtype=np.float32)
    values += np.repeat(draw.normal(0, 0.05, (CLASSES, WIDTH))[labels], lengths, axis=0).astype(np.float32)
    features = Packed(tuple(map(str, range(len(lengths)))), values.astype(np.float16), offsets)
    del values
    folds = folds_of(len(lengths))
    with tempfile.TemporaryDirectory() as place:
        for at in range(len(lengths)):
            rows = torch.from_numpy(features.values[offsets[at] : offsets[at + 1]].astype(np.float32))
            normed = torch.nn.functional.layer_norm(rows, rows.shape) if recipe.utterance_norm else rows
            np.save(Path(place) / f"{at}.npy", normed.numpy())
        files, spent, apart = Files(Path(place), labels), Spent(), 0.0
        published, ours = [], []
        for fold in folds:
            start = time.perf_counter()
            trained = train_heads(features, labels, CLASSES, [fold], recipe, GRID, [SEED])
            ours.append(time.perf_counter() - start)
            start = time.perf_counter()
            for one in trained:
                expected = one_at_a_time(files, fold, one.point, recipe, Path(place), spent)
                apart = max(apart, float(np.abs(one.logits - expected).max()))
            published.append(time.perf_counter() - start)
    start = time.perf_counter()
    train_heads(features, labels, CLASSES, folds, recipe, GRID, [SEED])
    together = time.perf_counter() - start
    heads = len(folds) * len(GRID)
    epochs = heads * recipe.epochs
    print(f"\n{title}: {len(lengths):,} utterances, {offsets[-1]:,} frames; {heads} heads, {recipe.epochs} epochs")
    for name, seconds in (
        ("one at a time, as published", sum(published)),
        ("the four points of each fold together", sum(ours)),
        ("all heads in one call", together),
    ):
        print(f"{name:44s} {seconds:8.2f} s  {1000 * seconds / epochs:8.1f} ms for an epoch of a head")
    once = sum(published) - spent.test * (1 - 1 / recipe.epochs)
    print(
        f"{'published: training, validation, test':44s} {spent.training:8.2f} {spent.validation:.2f} {spent.test:.2f} s"
    )
    print(f"{'times as fast':44s} {sum(published) / together:8.1f}")
    print(f"{'the same, published scoring tests once':44s} {once / together:8.1f}")
    print(f"{'largest difference of test logits':44s} {apart:8.1e}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lengths", choices=sorted(LISTED), default="iemocap")
    parser.add_argument("--utterances", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.optim.Adam([torch.zeros(1)])  # the first one imports for seconds
    seconds = simulated(arguments.lengths)[: arguments.utterances]
    lengths = np.maximum((seconds * FRAME_RATE).astype(int), 1)
    recipe = replace(EMOBOX, epochs=arguments.epochs)
    print(f"P7, {arguments.threads} threads")
    compare(f"frames, lengths of {arguments.lengths}", lengths, recipe)
    compare("vectors", np.ones(len(lengths), dtype=int), replace(recipe, utterance_norm=False))


if __name__ == "__main__":
    main()
