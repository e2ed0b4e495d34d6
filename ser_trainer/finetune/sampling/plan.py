"""Plan: which rows of a data set training sees, and which of them are mixed with which."""

from dataclasses import dataclass

import numpy as np

from loading_scripts.errors import SerbenchError


class SamplingError(SerbenchError, ValueError):
    """Rows cannot be balanced or batched as asked; the message names the rule and the value that breaks it."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The entries of an epoch; entry k is the mixture (1 - shares[k]) * rows[k] + shares[k] * others[k].

    Attributes:
        rows: rows of the data set, int64, (entries,).
        others: the rows that are mixed in, int64, (entries,); equal to `rows` where nothing is.
        shares: how much of them, float32 in [0, 1), (entries,); 0 where nothing is.

    Raises:
        SamplingError: the three differ in length, or a share is outside [0, 1).
    """

    rows: np.ndarray
    others: np.ndarray
    shares: np.ndarray

    def __post_init__(self) -> None:
        for name, kind in (("rows", np.int64), ("others", np.int64), ("shares", np.float32)):
            object.__setattr__(self, name, np.asarray(getattr(self, name), kind))
        lengths = [len(self.rows), len(self.others), len(self.shares)]
        if len(set(lengths)) > 1:
            raise SamplingError(f"Plan: rows, others and shares must be equally long; they have {lengths} values.")
        if len(self.shares) and not (self.shares.min() >= 0 and self.shares.max() < 1):
            wrong = self.shares[~((self.shares >= 0) & (self.shares < 1))][0]
            raise SamplingError(f"Plan: shares must be in [0, 1); one is {wrong}.")

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, rows: np.ndarray) -> "Plan":
        """Return the plan that takes `rows`, (entries,), as they are."""
        return cls(rows, rows, np.zeros(len(rows)))

    @classmethod
    def identity(cls, n: int) -> "Plan":
        """Return the plan that takes each of `n` rows once, in their order."""
        return cls.of(np.arange(n))
