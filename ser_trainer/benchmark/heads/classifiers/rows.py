"""The rows of one task, checked, and what several classifiers compute from them: row space and Gram matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from loading_scripts.errors import SerbenchError


class ClassifierError(SerbenchError, ValueError):
    """Features or labels that no classifier can be fitted on, or a choice that cannot be made."""


class NotRun(Exception):  # noqa: N818  # an outcome that is reported, not an error
    """A classifier cannot be fitted on these rows; the message says why."""


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of a task: train, validation, test, in this order. A fit is always on the first `m` rows.

    Args:
        x: (n, D) float64 features.
        y: (n_fit,) integer labels of train and validation.
        n_train: rows of train.
        n_fit: rows of train and validation.
    """

    x: np.ndarray
    y: np.ndarray
    n_train: int
    n_fit: int

    @classmethod
    def stacked(
        cls,
        x_train: np.ndarray,
        y_train: Sequence[int] | np.ndarray,
        x_validation: np.ndarray,
        y_validation: Sequence[int] | np.ndarray,
        x_test: np.ndarray,
    ) -> "Rows":
        """Check the three parts and stack them, in float64.

        Raises:
            ClassifierError: parts of other shapes, labels that are no integers, a value that is not finite, an empty
                part, or one class only in train.
        """
        parts = {"train": np.asarray(x_train), "validation": np.asarray(x_validation), "test": np.asarray(x_test)}
        width = parts["train"].shape[-1] if parts["train"].ndim else 0
        for name, x in parts.items():
            if x.ndim != 2 or x.shape[1] != width or not x.size:
                raise ClassifierError(
                    f"Features of {name}: must be a table of (utterances, dimensions) with at least one row and the "
                    f"{width} dimensions of train; its shape is {x.shape}. Check the split."
                )
            odd = np.flatnonzero(~np.isfinite(x).all(axis=1))
            if odd.size:
                column = int(np.flatnonzero(~np.isfinite(x[odd[0]]))[0])
                raise ClassifierError(
                    f"Features of {name}, row {odd[0]}, column {column}: must be finite; it is "
                    f"{x[odd[0], column]} ({odd.size} rows in all). Extract these features again, or drop the rows."
                )
        labels = {"train": np.asarray(y_train), "validation": np.asarray(y_validation)}
        for name, y in labels.items():
            if y.shape != parts[name].shape[:1] or y.dtype.kind not in "iu":
                raise ClassifierError(
                    f"Labels of {name}: must be one integer for each of its {len(parts[name])} rows; they are "
                    f"{y.dtype} of shape {y.shape}."
                )
        present = np.unique(labels["train"])
        if len(present) < 2:
            raise ClassifierError(
                f"Labels of train: must hold two classes or more; all {len(parts['train'])} rows are of class "
                f"{present[0]}. Check the split and the label table."
            )
        n_train = len(parts["train"])
        x = np.concatenate([part.astype(np.float64) for part in parts.values()])
        return cls(x, np.concatenate(list(labels.values())), n_train, n_train + len(parts["validation"]))

    def labels(self, m: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the classes among the first `m` rows, sorted, and the (m,) place of each row's class among them."""
        return np.unique(self.y[:m], return_inverse=True)

    @cached_property
    def basis(self) -> np.ndarray | None:
        """(D, n_fit) orthonormal columns that span train and validation; None where that saves nothing.

        Weights that a fit starts at zero and moves by gradients of inner products never leave this space.
        """
        from scipy import linalg

        return linalg.qr(self.x[: self.n_fit].T, mode="economic")[0] if self.n_fit < self.x.shape[1] else None

    @cached_property
    def coordinates(self) -> np.ndarray:
        """(n, r) coordinates in the row space; inner products with rows of train and validation are unchanged."""
        return self.x if self.basis is None else self.x @ self.basis

    @cached_property
    def gram(self) -> np.ndarray:
        """(n, n_fit) inner products of all rows with those of train and validation."""
        return self.x @ self.x[: self.n_fit].T
