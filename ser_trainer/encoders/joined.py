"""Joined: from the outputs of a batch of rows, of which several can belong to a clip, to the features of each clip."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .encoder import Layers

if TYPE_CHECKING:
    import torch


def joined(
    outputs: "Sequence[torch.Tensor]", counts: Sequence[int], rows: Sequence[int], layers: Layers
) -> list[np.ndarray]:
    """Return float32 features of each clip from its true frames; means are taken where the outputs lie.

    Args:
        outputs: (R, T, D) of each entry that is wanted; of the last layer alone for "last".
        counts: true frames of each row, at its beginning, R of them.
        rows: rows of each clip, which lie side by side; R in all.
        layers: "last": frames (sum of counts, D); "all": means (entries, D).
    """
    import torch

    starts = np.concatenate([[0], np.cumsum(rows)])
    frames = [sum(counts[start:end]) for start, end in zip(starts[:-1], starts[1:], strict=True)]
    true = torch.arange(outputs[0].shape[1]) < torch.tensor(counts)[:, None]
    true = true.to(outputs[0].device)
    kept = [output[true].float().split(frames) for output in outputs]
    if layers == "last":
        return [one.cpu().numpy() for one in kept[-1]]
    means = torch.stack([torch.stack([one.mean(dim=0) for one in entry]) for entry in kept], dim=1)
    return list(means.cpu().numpy())
