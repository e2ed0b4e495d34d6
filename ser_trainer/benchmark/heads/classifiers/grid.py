"""SERAB's search: fit on train, score on validation, refit the best point of each grid on both."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from loading_scripts.errors import near

from .lda import LDA
from .lr import LR
from .qda import QDA
from .rf import DEPTHS, RF
from .rows import ClassifierError, NotRun, Rows
from .svc import SVC

_MODELS = {"lda": LDA, "lr": LR, "qda": QDA, "rf": RF, "svc": SVC}

CLASSIFIERS = tuple(_MODELS)
"""The five classifiers, in the order of the paper, which also breaks ties between them."""

_C = tuple(10.0**power for power in range(5, -6, -1))
_WEIGHTS = ("balanced", None)
_GRIDS: dict[str, dict[str, Sequence[Any]]] = {
    "lda": {"solver": ("lsqr",)},
    "lr": {"C": _C, "class_weight": _WEIGHTS},
    "qda": {"reg_param": (0.0, 0.1, 0.25)},
    "rf": {"class_weight": _WEIGHTS, "max_depth": DEPTHS, "min_samples_split": (2, 5, 10)},
    "svc": {"C": _C, "class_weight": _WEIGHTS, "kernel": ("rbf", "linear")},
}
"""SERAB's grids (`SERAB/settings.py` of its repository); keys in alphabetical order, the last one changes fastest."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Searched:
    """What the search of one classifier found.

    Args:
        classifier: one of `CLASSIFIERS`.
        best: place of the selected point in the grid; None where it was not run.
        params: the selected point; empty where it was not run.
        validation: accuracy on validation of the selected point, fitted on train; NaN where it was not run.
        predictions: (n_test,) labels of test, by the selected point fitted on train and validation.
        grid: every point with its accuracy ``validation``.
        skipped: why it was not run; None where it was.
        warnings: what happened on the way and how often, such as fits that reached their limit of iterations.
    """

    classifier: str
    best: int | None
    params: dict[str, Any]
    validation: float
    predictions: np.ndarray
    grid: list[dict[str, Any]]
    skipped: str | None
    warnings: list[str]


def points(classifier: str) -> list[dict[str, Any]]:
    """Return the grid of a classifier, in the order that breaks ties.

    >>> points("qda")
    [{'reg_param': 0.0}, {'reg_param': 0.1}, {'reg_param': 0.25}]

    Raises:
        ClassifierError: no such classifier.
    """
    if classifier not in _GRIDS:
        raise ClassifierError(
            f"Classifier {classifier!r}: must be one of {', '.join(CLASSIFIERS)}.{near(classifier, CLASSIFIERS)}"
        )
    axes = _GRIDS[classifier]
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


def search(
    x_train: np.ndarray,
    y_train: Sequence[int] | np.ndarray,
    x_validation: np.ndarray,
    y_validation: Sequence[int] | np.ndarray,
    x_test: np.ndarray,
    *,
    classifiers: Sequence[str] = CLASSIFIERS,
    num_proc: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> list[Searched]:
    """Search the grids of SERAB (Scheidwasser-Clow et al., ICASSP 2022, and its code).

    The same choices and predictions as scikit-learn's ``GridSearchCV(estimator, grid, cv=PredefinedSplit(...))`` in
    float64, but for QDA, which scikit-learn 1.9 refuses where a class has no more rows than dimensions, and as far as
    scikit-learn agrees with itself on logistic regressions that end after hundreds of steps, see `LR`. A class that
    train lacks is not predicted on validation. Memory: about three times the features in float64.

    Args:
        x_train: (n, D) features of train; order of rows matters to random forests.
        y_train: (n,) integer labels of train.
        x_validation: (n_validation, D) features.
        y_validation: (n_validation,) labels.
        x_test: (n_test, D) features.
        classifiers: which ones, each of `CLASSIFIERS`.
        num_proc: threads that grow trees of random forests; without influence on any result.
        progress: called with classifier, points done and points in all, after every point.

    Raises:
        ClassifierError: see `Rows.stacked`, or an unknown classifier.
    """
    grids = {name: points(name) for name in classifiers}
    rows = Rows.stacked(x_train, y_train, x_validation, y_validation, x_test)
    models = {**_MODELS, "rf": partial(RF, num_proc=num_proc)}
    return [_searched(name, models[name], grid, rows, progress or _silent) for name, grid in grids.items()]


def _silent(classifier: str, done: int, total: int) -> None:
    pass


def _searched(
    name: str, model: Callable[..., Any], grid: list[dict], rows: Rows, progress: Callable[[str, int, int], None]
) -> Searched:
    validation, test = slice(rows.n_train, rows.n_fit), slice(rows.n_fit, None)
    tried, warnings = [], Counter()
    try:
        fitted = model(rows, rows.n_train)
        for done, params in enumerate(grid, 1):
            predictions, warning = fitted.predict(params, validation)
            tried.append({**params, "validation": float(np.mean(predictions == rows.y[validation]))})
            warnings.update(["on train: " + warning] if warning else [])
            progress(name, done, len(grid))
        best = max(range(len(tried)), key=lambda i: tried[i]["validation"])  # the first of equals
        predictions, warning = model(rows, rows.n_fit).predict(grid[best], test)
    except NotRun as reason:
        return Searched(
            classifier=name,
            best=None,
            params={},
            validation=float("nan"),
            predictions=np.empty(0, dtype=rows.y.dtype),
            grid=[],
            skipped=f"{name}: {reason}",
            warnings=[],
        )
    told = [f"{name}: {text} ({times} of {len(grid)} points)" for text, times in warnings.items()]
    return Searched(
        classifier=name,
        best=best,
        params=grid[best],
        validation=tried[best]["validation"],
        predictions=predictions,
        grid=tried,
        skipped=None,
        warnings=told + ([f"{name}: on train and validation: {warning}"] if warning else []),
    )


def choose(
    searched: Sequence[Searched], select: str = "validation", test_accuracy: Mapping[str, float] | None = None
) -> Searched:
    """Return the classifier whose predictions are the result; ties in the order of `CLASSIFIERS`.

    Args:
        searched: what `search` returned.
        select: ``validation``, the best accuracy on validation; ``test``, as published: the highest accuracy on test
            in percent after rounding to one decimal, which selects on the test set.
        test_accuracy: classifier -> accuracy on test, a fraction; for ``test`` only.

    Raises:
        ClassifierError: another way to select, no classifier that was run, or accuracies that are missing.
    """
    run = sorted((one for one in searched if not one.skipped), key=lambda one: CLASSIFIERS.index(one.classifier))
    if not run:
        reasons = "; ".join(one.skipped or "" for one in searched) or "none was asked for"
        raise ClassifierError(f"Choice of a classifier: at least one must have run; {reasons}.")
    if select == "validation":
        return max(run, key=lambda one: one.validation)
    if select != "test":
        raise ClassifierError(f"Choice of a classifier: select must be 'validation' or 'test'; it is {select!r}.")
    missing = [one.classifier for one in run if one.classifier not in (test_accuracy or {})]
    if missing or test_accuracy is None:
        raise ClassifierError(
            f"Choice of a classifier by test accuracy: needs that of each one; missing: {', '.join(missing)}."
        )
    return max(run, key=lambda one: round(100 * test_accuracy[one.classifier], 1))
