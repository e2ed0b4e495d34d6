"""Quadratic discriminant analysis in the row space of each class, as scikit-learn did it when SERAB was published."""

import numpy as np

from .rows import NotRun, Rows


class QDA:
    """A Gaussian for each class; a class of few rows is measured in the space that its rows span.

    With X_k = U S V' the centered rows of class k, s = (1 - reg) S^2 / (n_k - ddof) + reg and prior p_k:

        f_k(x) = -1/2 [ ||(x - mean_k) V s^(-1/2)||^2 + sum log s ] + log p_k

    scikit-learn 1.9 refuses a class with no more rows than dimensions, whatever reg_param; versions of SERAB's time
    warned. Centered rows span n_k - 1 directions at most; those versions also kept the direction of the last singular
    value, which is rounding noise then and is left out here. Scores of classes measured in different spaces are hardly
    comparable: such a QDA is close to worthless, and reported for completeness.

    Args:
        rows: rows of the task.
        m: fit on the first m rows.
        ddof: 1 as in scikit-learn of SERAB's time; 0 is the divisor of scikit-learn 1.9.

    Raises:
        NotRun: a class of a single row.
    """

    def __init__(self, rows: Rows, m: int, ddof: int = 1) -> None:
        self._rows = rows
        self._classes, ids = rows.labels(m)
        self._priors = np.bincount(ids) / m
        self._gaussians = []
        width = rows.x.shape[1]
        self._narrow = []
        for k, name in enumerate(self._classes):
            x = rows.coordinates[:m][ids == k]
            if len(x) == 1:
                raise NotRun(f"not run (class {name} has one row)")
            mean = x.mean(axis=0)
            _, singular, directions = np.linalg.svd(x - mean, full_matrices=False)
            real = singular > singular[0] * max(len(x), width) * np.finfo(float).eps
            self._gaussians.append((mean, directions, singular**2 / (len(x) - ddof), real, len(x) > width))
            if len(x) <= width:
                self._narrow.append(str(name))

    def predict(self, params: dict, asked: slice) -> tuple[np.ndarray, str | None]:
        """Return the labels of the rows `asked` with ``reg_param``, and which classes were measured in row spaces."""
        regularization = params["reg_param"]
        scores = np.empty((len(self._rows.x[asked]), len(self._classes)))
        for k, (mean, directions, variances, real, spans_all) in enumerate(self._gaussians):
            kept = real | (spans_all and regularization > 0)
            scaled = (1 - regularization) * variances[kept] + regularization
            apart = (self._rows.coordinates[asked] - mean) @ (directions[kept].T / np.sqrt(scaled))
            scores[:, k] = np.log(self._priors[k]) - 0.5 * (np.sum(apart**2, axis=1) + np.sum(np.log(scaled)))
        warning = f"in row spaces: {len(self._narrow)} classes have no more rows than dimensions"
        return self._classes[scores.argmax(axis=1)], warning if self._narrow else None
