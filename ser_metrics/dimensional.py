"""Scores of continuous arousal, valence and dominance."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .columns import array, shown

DIMENSIONS = ("arousal", "valence", "dominance")
"""The dimensions of emotion, in the order in which models and corpora mostly give them."""


def dimensional_scores(
    predictions: Any,
    references: Any,
    dimensions: Sequence[str] = DIMENSIONS,
    scale: Sequence[float] | None = None,
) -> dict[str, Any]:
    r"""Score continuous ratings: concordance and Pearson correlation, RMSE and MAE of every dimension.

    With means mu, variances s^2 and covariance s_xy, all with the divisor N:

    .. math::
        r = \frac{s_{xy}}{s_x s_y} \qquad
        \text{CCC} = \frac{2 s_{xy}}{s_x^2 + s_y^2 + (\mu_x - \mu_y)^2} \qquad
        \text{RMSE} = \sqrt{\overline{(x - y)^2}} \qquad \text{MAE} = \overline{|x - y|}

    All are taken over the whole test set; the mean of the CCCs of batches is another figure.

    Args:
        predictions: Ratings of shape (N, D), one column per dimension.
        references: The true ratings, likewise.
        dimensions: Names of the D columns.
        scale: Lowest and highest rating, such as (1, 7). RMSE and MAE are in its units, so state it; references
            outside it are refused.

    Returns:
        Per dimension ``{"ccc", "pearson", "rmse", "mae"}``; ``ccc``, the mean of the CCCs; ``n``; ``scale``. A
        correlation with a constant is undefined: None. The CCC of a constant is 0, and None where both sides are
        the same constant; the mean is None where one of the CCCs is.

    Raises:
        ValueError: The shapes are not (N, D), a rating is no number or outside the scale.

    References:
        L. Lin: A concordance correlation coefficient to evaluate reproducibility. Biometrics 45, 1989.

    Examples:
        >>> x, y = [[1], [2], [3], [4], [5]], [[1.5], [2], [2.5], [4], [4.5]]
        >>> result = dimensional_scores(x, y, ["arousal"], scale=(1, 5))
        >>> {name: round(value, 4) for name, value in result["arousal"].items()}
        {'ccc': 0.9552, 'pearson': 0.9774, 'rmse': 0.3873, 'mae': 0.3}
    """
    names = [dimensions] if isinstance(dimensions, str) else list(dimensions)
    if not names or any(not isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise ValueError(f"dimensions={dimensions!r}: name each column once, as {list(DIMENSIONS)}.")
    sides = {"predictions": ratings(predictions, "predictions"), "references": ratings(references, "references")}
    for side, values in sides.items():
        if values.shape[1] != len(names):
            raise ValueError(
                f"{side}: shape {values.shape} is not (utterances, {len(names)}) for {', '.join(names)}. "
                "Name the columns with dimensions=[...]."
            )
    x, y = sides.values()
    if len(x) != len(y):
        raise ValueError(f"predictions has {len(x)} rows and references {len(y)}. Pass the same utterances on both.")
    if scale is not None:
        _check_scale(y, scale, names)
    each = {name: _agreement(x[:, i], y[:, i]) for i, name in enumerate(names)}
    concordances = [values["ccc"] for values in each.values()]
    return each | {
        "ccc": None if None in concordances else float(np.mean(concordances)),
        "n": len(x),
        "scale": None if scale is None else [float(end) for end in scale],
    }


def ratings(values: Any, side: str) -> np.ndarray:
    """Read ratings of shape (N, D), refusing what is no number, with its position."""
    if not hasattr(values, "dtype"):  # nested lists, a data set's column, pyarrow
        values = values.to_pylist() if hasattr(values, "to_pylist") else list(values)
        values = [list(row) if isinstance(row, Iterable) and not isinstance(row, str) else row for row in values]
    read = array(values, side)
    if read.ndim != 2 or not read.size:
        raise ValueError(
            f"{side}: shape {read.shape} is not (utterances, dimensions). Pass one row per utterance, "
            f"{side}.reshape(-1, 1) for a single dimension."
        )
    if read.dtype.kind not in "fiu" or not hasattr(values, "dtype"):
        for i, row in enumerate(values):
            for j, value in enumerate(row):
                if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
                    raise ValueError(f"{side}[{i}][{j}]: {shown(value)} is no rating. Pass numbers, without gaps.")
    read = read.astype(np.float64)
    wrong = ~np.isfinite(read)
    if wrong.any():
        i, j = (int(index) for index in np.argwhere(wrong)[0])
        raise ValueError(f"{side}[{i}][{j}]: {read[i, j]} is no rating. Drop utterances without one on both sides.")
    return read


def _check_scale(references: np.ndarray, scale: Sequence[float], names: list[str]) -> None:
    if len(scale) != 2 or not scale[0] < scale[1]:
        raise ValueError(f"scale={scale!r}: pass the lowest and the highest rating, as (1, 7).")
    outside = (references < scale[0]) | (references > scale[1])
    if outside.any():
        i, j = (int(index) for index in np.argwhere(outside)[0])
        raise ValueError(
            f"references[{i}][{j}]: {references[i, j]} for {names[j]} lies outside the scale {scale[0]:g} to "
            f"{scale[1]:g}. State the scale of the corpus, or convert its ratings."
        )


def _agreement(x: np.ndarray, y: np.ndarray) -> dict[str, float | None]:
    error = x - y
    flat_x, flat_y = (bool((side == side[0]).all()) for side in (x, y))
    apart = float((x.mean() - y.mean()) ** 2)
    covariance = 0.0 if flat_x or flat_y else float(((x - x.mean()) * (y - y.mean())).mean())
    variances = [0.0 if flat else float(side.var()) for side, flat in ((x, flat_x), (y, flat_y))]
    spread = sum(variances) + apart
    return {
        "ccc": 2 * covariance / spread if spread else None,
        "pearson": None if flat_x or flat_y else covariance / float(np.sqrt(variances[0]) * np.sqrt(variances[1])),
        "rmse": float(np.sqrt((error**2).mean())),
        "mae": float(np.abs(error).mean()),
    }
