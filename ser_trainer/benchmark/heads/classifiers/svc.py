"""Support vector machines on kernels that are computed once."""

import warnings

import numpy as np

from .rows import Rows

MAX_ITER = 10_000
"""SERAB's limit of iterations of a binary machine."""


class SVC:
    """scikit-learn's ``SVC(max_iter=10000)``, rbf (gamma "scale") or linear, on a precomputed kernel.

    gamma = 1 / (D var(x)) over all values of the rows that are fitted on, so train and train + validation differ.

    Args:
        rows: rows of the task.
        m: fit on the first m rows.
    """

    def __init__(self, rows: Rows, m: int) -> None:
        self._m = m
        self._classes, self._ids = rows.labels(m)
        linear = np.ascontiguousarray(rows.gram[:, :m])
        squares = np.einsum("nd,nd->n", rows.x, rows.x)
        variance = rows.x[:m].var()
        gamma = 1.0 / (rows.x.shape[1] * variance) if variance else 1.0
        self._kernels = {
            "linear": linear,
            "rbf": np.exp(-gamma * (squares[:, None] + squares[:m] - 2 * linear)),
        }

    def predict(self, params: dict, asked: slice) -> tuple[np.ndarray, str | None]:
        """Fit with ``C``, ``class_weight`` and ``kernel``; return the labels of the rows `asked`."""
        from sklearn import svm
        from sklearn.exceptions import ConvergenceWarning

        kernel = self._kernels[params["kernel"]]
        model = svm.SVC(
            C=params["C"], class_weight=params["class_weight"], kernel="precomputed", max_iter=MAX_ITER, random_state=42
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(kernel[: self._m], self._ids)
        warning = f"libsvm gave up after {MAX_ITER} iterations" if model.fit_status_ else None
        return self._classes[model.predict(kernel[asked])], warning
