"""Outputs: what a model gives must be what the rows have, the same classes or as many ratings."""

import torch
from datasets import Dataset
from transformers import PreTrainedConfig

from loading_scripts.errors import SerbenchError

from .targets import LABELS, class_names, is_rated


class ModelMismatchError(SerbenchError, ValueError):
    """A model predicts other classes than the data set has."""


def check_classes(config: PreTrainedConfig, names: list[str], model: str) -> None:
    """Refuse a model, called `model` in the message, whose classes are not `names`, in this order.

    Raises:
        ModelMismatchError: number, names or order differ.
    """
    own = [config.id2label[index] for index in sorted(config.id2label)]
    if own != names:
        raise ModelMismatchError(
            f"Model {model}: its classes must be those of the target, in this order; it has {len(own)} "
            f"({', '.join(map(str, own))}), the target {len(names)} ({', '.join(names)}). Choose another target, or "
            "replace its head: --new_head, or from_pretrained(..., id2label=..., ignore_mismatched_sizes=True)."
        )


def check_outputs(model: torch.nn.Module, rows: Dataset) -> None:
    """Refuse a model whose outputs are not those that prepared rows need.

    Raises:
        ModelMismatchError: its classes differ, or the number of ratings.
    """
    name = model.config.name_or_path or type(model).__name__
    if not is_rated(rows):
        check_classes(model.config, class_names(rows), name)
    elif (model.config.problem_type, model.config.num_labels) != ("regression", rows.features[LABELS].length):
        raise ModelMismatchError(
            f"Model {name}: the rows have {rows.features[LABELS].length} ratings; it is made for "
            f"{model.config.num_labels} {'ratings' if model.config.problem_type == 'regression' else 'classes'}. "
            "Replace its head: --new_head, or from_pretrained(..., problem_type='regression', id2label=...)."
        )
