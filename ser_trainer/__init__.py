"""Models, fine-tuning and the command line of serbench. Importing this package imports none of the heavy libraries."""

from importlib import import_module
from typing import Any

_HOMES = {
    "SerCollator": ".finetune.collator",
    "SerTrainer": ".finetune.trainer",
    "SerTrainingArguments": ".finetune.arguments",
    "class_names": ".finetune.targets",
    "labelled": ".finetune.targets",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
