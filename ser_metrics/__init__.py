"""Metrics of speech emotion recognition: `scores` for arrays, `evaluate.load("ser_metrics")` for everyone else.

Importing this package costs an import of numpy; evaluate is hooked, not imported.
"""

from ser_metrics import hook
from ser_metrics.comparison import compare
from ser_metrics.core import confusion, scores
from ser_metrics.dimensional import dimensional_scores
from ser_metrics.rates import from_confusion

__all__ = ["compare", "confusion", "dimensional_scores", "from_confusion", "scores"]

hook.install()
