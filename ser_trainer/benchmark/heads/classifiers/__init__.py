"""SERAB's five classifiers and their grids; what their points share is computed once, answers stay scikit-learn's."""

from .grid import CLASSIFIERS, Searched, choose, points, search
from .rows import ClassifierError

__all__ = ["CLASSIFIERS", "ClassifierError", "Searched", "choose", "points", "search"]
