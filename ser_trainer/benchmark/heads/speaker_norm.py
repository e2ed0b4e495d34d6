"""Features in units of their speaker: mean 0 and deviation 1 per speaker and dimension."""

from collections.abc import Sequence

import numpy as np


def normalised(x: np.ndarray, speakers: Sequence[str | None]) -> np.ndarray:
    """Return features z-normalised per speaker, as SERAB's code does for each partition on its own.

    (x - mean_s) / std_s with ddof 0; a dimension in which a speaker is constant becomes 0, so does a speaker with one
    utterance. Transductive: on a test set it uses all test utterances of a speaker to normalise each of them, so an
    utterance alone could not be scored like this. Utterances of unknown speakers (None) form one group of their own:
    their differences between speakers remain.

    Source: Scheidwasser-Clow et al. (ICASSP 2022), code (`SERAB/utils.py`); the paper does not mention it.

    Args:
        x: (n, D) features of one partition.
        speakers: n speakers.

    Returns:
        (n, D), in the type of `x` where that is a floating type, else float64. Computed in float64.

    Raises:
        ValueError: not one speaker for each row.
    """
    x = np.asarray(x)
    if x.ndim != 2 or len(x) != len(speakers):
        raise ValueError(
            f"Normalisation per speaker: needs features of shape (utterances, dimensions) and a speaker (or None) for "
            f"each row; they have shape {x.shape} and {len(speakers)} speakers."
        )
    out = np.empty(x.shape, dtype=x.dtype if x.dtype.kind == "f" else np.float64)
    groups: dict[str | None, list[int]] = {}
    for row, speaker in enumerate(speakers):
        groups.setdefault(speaker, []).append(row)
    for mine in groups.values():
        values = x[mine].astype(np.float64)
        deviations = values.std(axis=0)
        # The mean of equal values may be off by rounding, whose deviation is not 0.
        constant = values.max(axis=0) == values.min(axis=0)
        values -= values.mean(axis=0)
        values[:, constant] = 0.0
        out[mine] = values / np.where(constant, 1.0, deviations)
    return out
