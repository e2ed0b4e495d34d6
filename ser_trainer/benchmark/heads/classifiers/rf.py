"""Random forests of five depth limits: a tree that no limit touches is grown once."""

import copy
import warnings
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from .rows import Rows

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

DEPTHS = (5, 10, 15, 20, 25)
"""SERAB's depth limits."""


class RF:
    """scikit-learn's ``RandomForestClassifier(random_state=42)``: the same trees.

    Neither the seed of a tree nor its bootstrap rows depend on the depth limit. A tree that stays shallower than d
    under the deepest limit is the tree of limit d too; only the others are grown again. (They are no tops of the
    deeper ones: the candidates of a split depend on how many splits were tried before it.) Features lie column by
    column, which changes where a tree looks in memory and nothing else.

    Args:
        rows: rows of the task.
        m: fit on the first m rows.
        num_proc: trees that are grown at once, in threads; without influence on the result.
    """

    def __init__(self, rows: Rows, m: int, num_proc: int = 1) -> None:
        self._rows, self._num_proc = rows, num_proc
        self._classes, self._ids = rows.labels(m)
        self._x = np.asfortranarray(rows.x[:m], dtype=np.float32)  # what scikit-learn converts to
        self._deepest: dict[tuple, RandomForestClassifier] = {}

    def predict(self, params: dict, asked: slice) -> tuple[np.ndarray, str | None]:
        """Return the labels of the rows `asked` with ``class_weight``, ``max_depth`` and ``min_samples_split``."""
        from sklearn import config_context
        from sklearn.ensemble import RandomForestClassifier

        others = params["class_weight"], params["min_samples_split"]
        with config_context(assume_finite=True, skip_parameter_validation=True):
            if others not in self._deepest:
                grown = RandomForestClassifier(**params, random_state=42, n_jobs=self._num_proc)
                self._deepest[others] = grown.set_params(max_depth=max(DEPTHS)).fit(self._x, self._ids)
            forest = self._deepest[others]
            if params["max_depth"] < max(DEPTHS):
                forest = self._limited(forest, params["max_depth"])
        forest.n_jobs = 1  # threads would add up votes in the order in which they end
        return self._classes[forest.predict(self._rows.x[asked])], None

    def _limited(self, deepest: "RandomForestClassifier", limit: int) -> "RandomForestClassifier":
        """Return the forest of a depth limit, with trees of the deepest one where the limit does not touch them."""
        forest = copy.copy(deepest).set_params(max_depth=limit, warm_start=True, n_jobs=self._num_proc)
        forest.estimators_ = []
        with warnings.catch_warnings():
            # It warns that balanced weights may be those of other rows; they are the same rows.
            warnings.simplefilter("ignore", UserWarning)
            for touched, run in groupby(deepest.estimators_, key=lambda tree: tree.get_depth() >= limit):
                trees, taken = list(run), list(forest.estimators_)
                if touched:
                    forest.set_params(n_estimators=len(taken + trees)).fit(self._x, self._ids)
                else:
                    forest.estimators_ = taken + trees
        return forest
