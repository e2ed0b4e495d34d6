"""Frames: the features of a corpus where heads are trained, and batches of them without padding."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from .probes import ProbeError

if TYPE_CHECKING:
    from ..cache.features import Packed

HELD_BYTES = 4 * 2**30
"""Features up to this size, as float32, are held in memory; larger ones are read for each batch from where they lie."""

HELD_SHARE = 0.5
"""The share of a GPU's free memory that features may take."""

ROWS = 65_536
"""Frames that are checked and converted at once."""

VECTORS = 4096
"""Utterances of one vector each that are scored at once."""

EPSILON = 1e-5
"""Added to the variance of an utterance; EmoBox 08280f2, examples/sb/speech_feature_extraction.py."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Utterances of G groups side by side.

    Args:
        frames: (G, T, D), those of one group's utterances one after the other; T is that of the longest group.
        pool: (G, B, T): its product with values of frames is their mean for each utterance; None where T is B and each
            utterance is one frame.
        labels: (G, B).
        weights: (G, B): 1 / n for the n utterances of a group, 0 for what fills up a shorter one.
    """

    frames: torch.Tensor
    pool: torch.Tensor | None
    labels: torch.Tensor
    weights: torch.Tensor


class Frames:
    """Features and labels of a corpus on a device.

    Args:
        features: frames of utterances, see `probes.train_heads`.
        labels: class of each (n,).
        utterance_norm: whether each utterance is normalised over all of its values.
        pooled: replace frames by their mean, for heads that see nothing else.
        device: where batches are wanted.

    Raises:
        ProbeError: an utterance has no frames, or values that are NaN or infinite.
    """

    def __init__(self, features: "Packed", labels: np.ndarray, utterance_norm: bool, pooled: bool, device: str):
        self.device = torch.device(device)
        self.ids = features.ids
        self.labels = torch.as_tensor(np.asarray(labels, dtype=np.int64)).to(self.device)
        self.norm = utterance_norm
        values, offsets = features.values, np.asarray(features.offsets, dtype=np.int64)
        if values.ndim == 3:  # layers of an utterance are its rows
            offsets = np.arange(len(self.ids) + 1) * values.shape[1]
            values = values.reshape(-1, values.shape[2])
        self.starts, self.lengths = offsets[:-1], np.diff(offsets)
        self.values, self.width = values, values.shape[1]
        self._refuse_empty()
        self.held: torch.Tensor | None = None
        if pooled:
            self.held = torch.from_numpy(self._means()).to(self.device)
            self.starts, self.lengths = np.arange(len(self.ids)), np.ones(len(self.ids), dtype=np.int64)
        elif 4 * values.size <= self._room():
            held = np.empty(values.shape, dtype=np.float32)
            for start, block in self._blocks():
                held[start : start + len(block)] = block
            self.held = torch.from_numpy(held).to(self.device)
        else:
            for _ in self._blocks():  # what is wrong is found before hours of training, not after
                pass
        self.vectors = bool((self.lengths == 1).all())
        self._buffer = torch.empty(0)

    def _refuse_empty(self) -> None:
        empty = np.flatnonzero(self.lengths < 1)
        if empty.size:
            raise ProbeError(
                f"Utterance {self.ids[empty[0]]}: has one frame or more; it has none. Leave it out, or extract again."
            )

    def _room(self) -> float:
        if self.device.type == "cuda":
            return HELD_SHARE * torch.cuda.mem_get_info(self.device)[0]
        return HELD_BYTES

    def _blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (first row, float32 rows), in whole utterances where they are normalised; refuse what is not finite."""
        cuts = self.starts if self.norm else np.arange(0, len(self.values), ROWS)
        for start, stop in zip(cuts, [*cuts[1:], len(self.values)], strict=True):
            block = self._normalised(self.values[start:stop])
            finite = np.isfinite(block).all(axis=1)
            if not finite.all():
                row = start + int(np.argmin(finite))
                name = self.ids[int(np.searchsorted(self.starts, row, side="right")) - 1]
                raise ProbeError(
                    f"Utterance {name}: its features are finite; they hold NaN or infinite values. "
                    "Extract it again, or leave it out."
                )
            yield int(start), block

    def _normalised(self, rows: np.ndarray) -> np.ndarray:
        block = np.asarray(rows, dtype=np.float32)
        if self.norm:
            block = block - block.mean(dtype=np.float64).astype(np.float32)
            block /= np.sqrt(np.square(block).mean(dtype=np.float64) + EPSILON).astype(np.float32)
        return block

    def _means(self) -> np.ndarray:
        sums = np.zeros((len(self.ids), self.width))
        for start, block in self._blocks():
            inside = np.searchsorted(self.starts, start, side="right") - 1
            last = np.searchsorted(self.starts, start + len(block), side="left")
            cuts = np.maximum(self.starts[inside:last] - start, 0)
            sums[inside:last] += np.add.reduceat(block, cuts, axis=0, dtype=np.float64)
        return (sums / self.lengths[:, None]).astype(np.float32)

    def chunks(self, positions: np.ndarray, size: int) -> list[np.ndarray]:
        """Cut positions into what is scored at once: `size` utterances, or many vectors."""
        size = VECTORS if self.vectors else size
        return [positions[at : at + size] for at in range(0, len(positions), size)]

    def batch(self, groups: Sequence[np.ndarray]) -> Batch:
        """Return the utterances at these positions, one array of them for each group.

        Its frames stay valid until the next call.
        """
        utterances = max(map(len, groups))
        total = max(int(self.lengths[group].sum()) for group in groups)
        weights = np.zeros((len(groups), utterances), dtype=np.float32)
        places = np.zeros((len(groups), utterances), dtype=np.int64)
        rows = np.zeros((len(groups), total), dtype=np.int64)
        pool = None if self.vectors else np.zeros((len(groups), utterances, total), dtype=np.float32)
        for at, group in enumerate(groups):
            weights[at, : len(group)] = 1 / len(group)
            places[at, : len(group)] = group
            lengths = self.lengths[group]
            ends = lengths.cumsum()
            frames = np.arange(ends[-1])
            rows[at, : ends[-1]] = np.repeat(self.starts[group] - ends + lengths, lengths) + frames
            if pool is not None:
                pool[at, np.repeat(np.arange(len(group)), lengths), frames] = np.repeat(1 / lengths, lengths)
        return Batch(
            self._gathered(groups, rows),
            None if pool is None else torch.from_numpy(pool).to(self.device),
            self.labels[torch.from_numpy(places).to(self.device)],
            torch.from_numpy(weights).to(self.device),
        )

    def _gathered(self, groups: Sequence[np.ndarray], rows: np.ndarray) -> torch.Tensor:
        if self._buffer.numel() < rows.size * self.width:
            where = "cpu" if self.held is None else self.device
            self._buffer = torch.empty(rows.size * self.width, device=where)
        found = self._buffer[: rows.size * self.width].view(rows.size, self.width)
        if self.held is not None:
            torch.index_select(self.held, 0, torch.from_numpy(rows.ravel()).to(self.device), out=found)
        else:
            target = found.numpy().reshape(*rows.shape, self.width)
            for at, group in enumerate(groups):
                end = 0
                for start, length in zip(self.starts[group], self.lengths[group], strict=True):
                    target[at, end : end + length] = self._normalised(self.values[start : start + length])
                    end += length
                target[at, end:] = 0
        return found.view(*rows.shape, self.width).to(self.device)
