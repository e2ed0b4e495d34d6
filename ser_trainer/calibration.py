"""Calibration: one temperature makes the probabilities of a classifier mean what they say.

Guo et al. 2017, "On Calibration of Modern Neural Networks", section 4.2: logits are divided by a single T that
minimizes the negative log-likelihood of held-out rows. The label with the highest probability stays the same.
"""

import math
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from loading_scripts.errors import SerbenchError

TEMPERATURE = "calibration_temperature"
"""Attribute of a model's config that holds T. Plain ``temperature`` is a setting of text generation: transformers 5
refuses to save a config that has it."""

RANGE = (0.05, 20.0)
"""Lowest and highest temperature; separable rows would have T = 0, rows that contradict the model T = infinity."""

LEAST_ROWS = 10
"""Fewer rows say nothing about a temperature (our decision)."""


class CalibrationError(SerbenchError, ValueError):
    """Logits, labels or a temperature that calibration cannot work with."""


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature that minimizes the mean negative log-likelihood of the labels, clamped to `RANGE`.

    With b = 1/T the likelihood -b z_y + log sum_k exp(b z_k) is convex, and its slope is E_p[z] - z_y, with p the
    probabilities at b; the root of the mean slope is the answer.

    Args:
        logits: (rows, classes), of rows that the model was not trained on.
        labels: (rows,), indices of classes.

    Raises:
        CalibrationError: shapes that do not fit, logits that are not finite, labels outside the classes, fewer than
            `LEAST_ROWS` rows, or rows of a single class.

    >>> logits = np.log([[0.9, 0.1]] * 10)  # the model is 90 % sure, and right 7 times of 10
    >>> round(fit_temperature(logits, np.array([0] * 7 + [1] * 3)), 3)
    2.593
    """
    logits, labels = np.asarray(logits, dtype=np.float64), np.asarray(labels)
    _check(logits, labels)
    logits = logits - logits.max(axis=1, keepdims=True)
    true = logits[np.arange(len(labels)), labels].mean()

    def slope(inverse: float) -> float:
        return float((softmax(inverse * logits, axis=1) * logits).sum(axis=1).mean() - true)

    coldest, hottest = RANGE
    if not logits.any():
        return 1.0  # in each row all logits are equal: any temperature leaves the probabilities as they are
    if slope(1 / coldest) <= 0:
        return coldest
    if slope(1 / hottest) >= 0:
        return hottest
    return float(1 / brentq(slope, 1 / hottest, 1 / coldest))


def _check(logits: np.ndarray, labels: np.ndarray) -> None:
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or logits.shape[1] < 2:
        raise CalibrationError(
            f"Calibration: logits must be (rows, 2 or more classes) and labels (rows,); they are {logits.shape} and "
            f"{labels.shape}."
        )
    if not np.isfinite(logits).all():
        row = int(np.argwhere(~np.isfinite(logits))[0, 0])
        raise CalibrationError(
            f"Calibration: logits must be finite; those of row {row} are {logits[row]}. Leave the row out, or look at "
            "what the model does there."
        )
    if len(labels) < LEAST_ROWS:
        raise CalibrationError(
            f"Calibration: needs {LEAST_ROWS} rows or more; there are {len(labels)}. Take a larger validation split, "
            "or leave the model uncalibrated."
        )
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise CalibrationError(
            f"Calibration: labels must be integers from 0 to {logits.shape[1] - 1}; they are {labels.dtype} from "
            f"{labels.min()} to {labels.max()}."
        )
    if labels.min() == labels.max():
        raise CalibrationError(
            f"Calibration: needs rows of two classes or more; all {len(labels)} are of class {labels[0]}. Take a "
            "validation split with all classes, or leave the model uncalibrated."
        )


def calibrated(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return softmax(logits / temperature) over the last axis: probabilities, float64, in the shape of `logits`.

    Raises:
        CalibrationError: the temperature is not a finite number above 0.

    >>> calibrated(np.log([0.8, 0.2]), temperature=2.0).round(3)
    array([0.667, 0.333])
    """
    return softmax(np.asarray(logits, dtype=np.float64) / _checked(temperature), axis=-1)


def temperature_of(config: Any) -> float | None:
    """Return the temperature of a model's config, or None if the model was not calibrated.

    Raises:
        CalibrationError: it is not a finite number above 0.
    """
    temperature = getattr(config, TEMPERATURE, None)
    return None if temperature is None else _checked(temperature)


def _checked(temperature: Any) -> float:
    number = isinstance(temperature, (int, float)) and not isinstance(temperature, bool)
    if not number or not math.isfinite(temperature) or temperature <= 0:
        raise CalibrationError(
            f"Calibration: a temperature must be a finite number above 0; it is {temperature!r}. Correct "
            f"{TEMPERATURE!r} in the model's config.json, or remove it."
        )
    return float(temperature)
