"""Logistic regression along C in the row space: the steps of scikit-learn's solver, each at a fraction of the cost."""

import numpy as np

from .rows import Rows

MAX_ITER = 10_000
"""SERAB's limit of iterations."""

TOLERANCE = 1e-4
"""scikit-learn's default: the fit ends where no entry of the gradient is larger."""

_SCOUTS = 64


class LR:
    """scikit-learn's ``LogisticRegression(max_iter=10000)``: L2, lbfgs, multinomial (binomial for two classes).

    The weights start at zero and each step adds rows of x, so they stay in the row space, where rows have m instead of
    D coordinates. L-BFGS knows its variables by inner products only, so it takes the same steps there. Only the end of
    a fit depends on the axes: the largest entry of the gradient in the D dimensions of the features decides, and is
    looked up there. At large C scikit-learn ends far from the optimum; to start each C at the optimum of its
    neighbour would be faster and end elsewhere, so each starts at zero. After some hundred steps rounding decides where
    a fit ends: there scikit-learn differs from itself when columns or rows are put in another order, and from this.

    Args:
        rows: rows of the task.
        m: fit on the first m rows.
    """

    def __init__(self, rows: Rows, m: int) -> None:
        self._rows = rows
        self._classes, self._ids = rows.labels(m)
        self._fitted = rows.coordinates[:m]

    def predict(self, params: dict, asked: slice) -> tuple[np.ndarray, str | None]:
        """Fit with ``C`` and ``class_weight``; return the labels of the rows `asked` and how an early end came."""
        counts = np.bincount(self._ids)
        balanced = params["class_weight"] == "balanced"
        weights = (len(self._ids) / (len(counts) * counts))[self._ids] if balanced else np.ones(len(self._ids))
        loss = _Loss(self._fitted, self._ids, weights, params["C"])
        end = _End(self._rows.basis)
        table, warning = _minimum(loss, end)
        scores = self._rows.coordinates[asked] @ table[:, :-1].T + table[:, -1]
        places = scores.argmax(axis=1) if len(self._classes) > 2 else (scores[:, 0] > 0).astype(int)
        return self._classes[places], warning


class _Loss:
    """Mean weighted log loss plus ||w||^2 / (2 C sum of weights), and its gradient; the bias is the last column."""

    def __init__(self, x: np.ndarray, ids: np.ndarray, weights: np.ndarray, c: float) -> None:
        self._x, self._ids = x, ids
        self._weights = weights / weights.sum()
        self._penalty = 1.0 / (c * weights.sum())
        classes = int(ids.max()) + 1
        self.shape = (classes if classes > 2 else 1, x.shape[1] + 1)
        self._hot = np.eye(classes)[ids] if classes > 2 else ids[:, None].astype(float)

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.reshape(self.shape)
        scores = self._x @ table[:, :-1].T + table[:, -1]
        if self.shape[0] > 1:
            scores -= scores.max(axis=1, keepdims=True)
            powers = np.exp(scores)
            sums = powers.sum(axis=1, keepdims=True)
            losses = np.log(sums[:, 0]) - scores[np.arange(len(scores)), self._ids]
            residuals = powers / sums - self._hot
        else:
            losses = (np.logaddexp(0.0, scores) - self._hot * scores)[:, 0]
            residuals = np.exp(-np.logaddexp(0.0, -scores)) - self._hot
        residuals *= self._weights[:, None]
        gradient = np.empty(self.shape)
        gradient[:, :-1] = residuals.T @ self._x + self._penalty * table[:, :-1]
        gradient[:, -1] = residuals.sum(axis=0)
        value = self._weights @ losses + 0.5 * self._penalty * np.sum(table[:, :-1] ** 2)
        return float(value), gradient.ravel()


class _End:
    """Whether all entries of a gradient are within the tolerance, in the dimensions of the features.

    Most gradients on the way have a large entry where the last looked-at one had its largest: these columns are tried
    first, and all D only where they are small.
    """

    def __init__(self, basis: np.ndarray | None) -> None:
        self._basis = basis
        self._scouts: np.ndarray | None = None

    def reached(self, gradient: np.ndarray) -> bool:
        """Return whether a (K, r + 1) gradient ends the fit."""
        slopes = gradient[:, :-1]
        if np.abs(gradient[:, -1]).max() > TOLERANCE:
            return False
        if self._basis is None:
            return bool(np.abs(slopes).max() <= TOLERANCE)
        if self._scouts is not None and np.abs(slopes @ self._scouts.T).max() > TOLERANCE:
            return False
        largest = np.abs(slopes @ self._basis.T).max(axis=0)
        self._scouts = self._basis[np.argsort(largest)[-_SCOUTS:]]
        return bool(largest.max() <= TOLERANCE)


def _minimum(loss: _Loss, end: _End) -> tuple[np.ndarray, str | None]:
    """Return the (K, r + 1) table at which scikit-learn's settings of L-BFGS end, and a warning where it gave up."""
    from scipy import optimize

    at: dict[str, np.ndarray] = {}

    def evaluated(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, at["gradient"] = loss(flat)
        at["flat"] = flat.copy()
        return value, at["gradient"]

    def ended(flat: np.ndarray) -> None:
        if not np.array_equal(flat, at["flat"]):
            evaluated(flat)
        if end.reached(at["gradient"].reshape(loss.shape)):
            raise StopIteration

    start = np.zeros(loss.shape).ravel()
    if end.reached(loss(start)[1].reshape(loss.shape)):
        return start.reshape(loss.shape), None
    options = {"maxiter": MAX_ITER, "maxls": 50, "gtol": 0.0, "ftol": 64 * np.finfo(float).eps}
    found = optimize.minimize(evaluated, start, method="L-BFGS-B", jac=True, options=options, callback=ended)
    gave_up = found.status in (1, 2)  # limit of iterations or evaluations; a line search that failed
    return found.x.reshape(loss.shape), f"L-BFGS gave up: {found.message}" if gave_up else None
