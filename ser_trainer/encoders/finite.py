"""Finite: what is not a number never leaves an encoder."""

from collections.abc import Callable, Sequence

import numpy as np

from .encoder import Clip, ClipError
from .opening import Precision


def finite(
    name: str,
    clips: Sequence[Clip],
    precision: Precision,
    compute: Callable[[Sequence[Clip], Precision], list[np.ndarray]],
) -> list[np.ndarray]:
    """Return the features of clips; those that overflow in a shorter format are computed again in float32.

    Only the clips concerned are: whether a clip is must not depend on the clips beside it.

    Args:
        name: of the encoder.
        clips: utterances.
        precision: what to begin with.
        compute: clips and a precision -> features of each clip.

    Raises:
        ClipError: a feature is NaN or infinite in float32 too.
    """
    features = compute(clips, precision) if clips else []
    wrong = [index for index, one in enumerate(features) if not np.isfinite(one).all()]
    if wrong and precision != "float32":
        for index, one in zip(wrong, compute([clips[index] for index in wrong], "float32"), strict=True):
            features[index] = one
    for clip, one in zip(clips, features, strict=True):
        if not np.isfinite(one).all():
            count = np.count_nonzero(~np.isfinite(one))
            raise ClipError(
                f"Encoder {name}: features must be finite; of utterance {clip.id}, {count} of {one.size} are NaN or "
                "infinite, in float32 too. Its weights are damaged, or no weights of this encoder.",
                clip.id,
            )
    return features
