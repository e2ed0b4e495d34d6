"""Layers: one vector per utterance from each layer that was extracted."""

from collections.abc import Sequence

import numpy as np

from .features import Features


def by_layer(features: Features, ids: Sequence[str]) -> dict[str, np.ndarray]:
    """Return what result lines call a layer -> float32 vectors (n, D): means over frames, in the order of `ids`."""
    if features.layers == "last":
        return {"last": features.means(ids)}
    stacked = np.stack([features[one] for one in ids])
    return {str(layer): stacked[:, layer] for layer in range(stacked.shape[1])}
