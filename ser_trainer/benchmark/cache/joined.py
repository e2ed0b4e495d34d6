"""Frames of several corpora as if they lay one behind the other; they are read where they lie, not copied.

The frames of one head's source and of all corpora that it is tested on can be more than a machine's memory.
"""

from collections.abc import Sequence

import numpy as np

from .features import Features, Packed
from .layers import by_layer


class Rows:
    """What `frames.Frames` asks of an array of frames (sum of T, D), with each utterance read when it is wanted.

    Args:
        pools: features, and which of their utterances, in order.
        longest: frames of an utterance beyond which the rest is cut off; None: nothing is.
    """

    def __init__(self, pools: Sequence[tuple[Features, Sequence[str]]], longest: int | None = None):
        self._utterances = [(features, one) for features, ids in pools for one in ids]
        lengths = np.array([features.lengths[one] for features, one in self._utterances], dtype=np.int64)
        if longest is not None:
            lengths = np.minimum(lengths, longest)
        self.offsets = np.concatenate([[0], np.cumsum(lengths)])
        self.shape = (int(self.offsets[-1]), pools[0][0].width)
        self.ndim, self.size = 2, self.shape[0] * self.shape[1]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, wanted: slice) -> np.ndarray:
        """Return float32 rows of a slice without step."""
        start, stop, _ = wanted.indices(len(self))
        found = np.empty((max(stop - start, 0), self.shape[1]), dtype=np.float32)
        at, done = int(np.searchsorted(self.offsets, start, side="right")) - 1, start
        while done < stop:
            features, one = self._utterances[at]
            first, end = self.offsets[at], min(self.offsets[at + 1], stop)
            found[done - start : end - start] = features[one][done - first : end - first]
            at, done = at + 1, int(end)
        return found


def joined(pools: Sequence[tuple[Features, Sequence[str]]], layer: str, longest: int | None = None) -> Packed:
    """Return the utterances of several corpora: their frames, or one vector of a numbered layer for each.

    Args:
        pools: features, and which of their utterances, in order.
        layer: ``last``, or the number of a layer, where features are means over frames and cannot be cut.
        longest: see `Rows`.
    """
    ids = tuple(one for _, used in pools for one in used)
    if layer != "last":
        values = np.concatenate([by_layer(features, used)[layer] for features, used in pools])
        return Packed(ids, values, np.arange(len(ids) + 1))
    rows = Rows(pools, longest)
    return Packed(ids, rows, rows.offsets)  # type: ignore[arg-type]
