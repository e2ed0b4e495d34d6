"""Sampling: which rows training sees, in which batches and in which order. Importing this package imports no torch."""

from importlib import import_module
from typing import Any

from .balance import balance
from .plan import Plan, SamplingError

_HOMES = {
    "BatchSchedule": ".schedule",
    "Pick": ".schedule",
    "TrainingRows": ".rows",
    "mel_vectors": ".vectors",
}

__all__ = ["BatchSchedule", "Pick", "Plan", "SamplingError", "TrainingRows", "balance", "mel_vectors"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
