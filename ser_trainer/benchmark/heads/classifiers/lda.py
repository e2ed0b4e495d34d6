"""Linear discriminant analysis with Ledoit-Wolf shrinkage, without the D x D covariance."""

import numpy as np

from .rows import NotRun, Rows


class LDA:
    """scikit-learn's ``LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")``, exact for wide features.

    The covariance that scikit-learn builds is a diagonal plus a product of rank m. With class k of n_k rows, prior
    p_k, deviations s_k, standardised rows Z_k, shrinkage a_k and mean variance v_k of Z_k:

        W = sum_k p_k diag(s_k) [(1 - a_k) Z_k' Z_k / n_k + a_k v_k I] diag(s_k) = diag(d) + A' A
        d = sum_k p_k a_k v_k s_k^2,    rows of A: sqrt(p_k (1 - a_k) / n_k) (x - mean_k)

    and W c = mean_k needs one (m, m) solve (Woodbury). scikit-learn drops singular values of W below machine epsilon
    times the largest; where any could be that small, and where there are no fewer rows than dimensions, it is called.

    Args:
        rows: rows of the task.
        m: fit on the first m rows.

    Raises:
        NotRun: as many classes as rows.
    """

    def __init__(self, rows: Rows, m: int) -> None:
        self._rows = rows
        self._classes, ids = rows.labels(m)
        if len(self._classes) == m:
            raise NotRun(f"not run (each of {m} rows has a class of its own)")
        x = rows.x[:m]
        self._coef, self._intercept = (_by_woodbury(x, ids) if m < x.shape[1] else None) or _by_scikit_learn(x, ids)

    def predict(self, params: dict, asked: slice) -> tuple[np.ndarray, str | None]:
        """Return the labels of the rows `asked`; there is nothing to set."""
        scores = self._rows.x[asked] @ self._coef.T + self._intercept
        return self._classes[scores.argmax(axis=1)], None


def _by_woodbury(x: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights (K, D) and biases (K,); None where scikit-learn might drop small singular values."""
    from scipy import linalg
    from sklearn.preprocessing import StandardScaler

    counts = np.bincount(ids)
    means = np.stack([x[ids == k].mean(axis=0) for k in range(len(counts))])
    centered = x - means[ids]
    diagonal = np.zeros(x.shape[1])
    for k, count in enumerate(counts):
        prior, mine = count / len(x), centered[ids == k]
        deviations = StandardScaler().fit(x[ids == k]).scale_  # 1 where a column is constant but for rounding
        shrinkage, variance = ledoit_wolf(mine / deviations)
        diagonal += prior * shrinkage * variance * deviations**2
        centered[ids == k] *= np.sqrt(prior * (1 - shrinkage) / count)
    if diagonal.min() <= np.finfo(float).eps * (diagonal.max() + np.sum(centered**2)):
        return None
    scaled = centered / diagonal
    inner = linalg.cho_factor(np.eye(len(x)) + scaled @ centered.T)
    coef = (means / diagonal) - linalg.cho_solve(inner, scaled @ means.T).T @ scaled
    return coef, -0.5 * np.sum(means * coef, axis=1) + np.log(counts / len(x))


def ledoit_wolf(z: np.ndarray) -> tuple[float, float]:
    """Return the shrinkage of Ledoit and Wolf and the mean variance, from inner products of rows alone.

    Source: Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices"; as in
    `sklearn.covariance.ledoit_wolf`, which sums the same terms over (D, D) blocks.

    Args:
        z: (n, D) centered rows.
    """
    n, width = z.shape
    squares = np.sum(z**2, axis=1)
    mean_variance = squares.sum() / (n * width)
    spread = np.sum((z @ z.T) ** 2) / n**2  # squared Frobenius norm of the covariance
    delta = (spread - width * mean_variance**2) / width
    beta = min((np.sum(squares**2) / n - spread) / (n * width), delta)
    return (0.0 if beta == 0 else float(beta / delta)), float(mean_variance)


def _by_scikit_learn(x: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, ids)
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    return np.vstack([np.zeros_like(model.coef_), model.coef_]), np.concatenate([[0.0], model.intercept_])
