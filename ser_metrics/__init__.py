"""Metrics of speech emotion recognition: `scores` for arrays, `evaluate.load("ser_metrics")` for everyone else.

Importing this package costs an import of numpy; evaluate is hooked, not imported.
"""

from ser_metrics import hook
from ser_metrics.core import confusion, scores

__all__ = ["confusion", "scores"]

hook.install()
