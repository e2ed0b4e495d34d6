"""What becomes of a model after training: adapters go into its weights, the class prior into its last bias."""

import numpy as np
import torch
from peft import PeftModel
from transformers import PreTrainedModel

from loading_scripts.errors import SerbenchError


class HeadError(SerbenchError, ValueError):
    """The last layer of a model was not found."""


def last_layer(model: PreTrainedModel) -> torch.nn.Linear:
    """Return the linear layer that gives the logits.

    Raises:
        HeadError: there is none with as many outputs as the model has classes, and a bias.
    """
    size = model.config.num_labels
    found = [
        one
        for name, one in model.named_modules()
        if "classifier" in name.split(".") and isinstance(one, torch.nn.Linear) and one.out_features == size
    ]
    if not found or found[-1].bias is None:
        raise HeadError(
            f"Model of type {model.config.model_type!r}: needs a linear `classifier` with {size} outputs and a bias; "
            "it has none."
        )
    return found[-1]


@torch.no_grad()
def shift_logits(model: PreTrainedModel, shift: np.ndarray) -> None:
    """Add `shift`, (K,), to every logit from now on, wherever the model is used."""
    bias = last_layer(model).bias
    bias += torch.tensor(shift, dtype=bias.dtype, device=bias.device)


def below_adapters(model: torch.nn.Module) -> PreTrainedModel:
    """Return the model that adapters were put on; a model without adapters as it is."""
    return model.get_base_model() if isinstance(model, PeftModel) else model


def merged(model: torch.nn.Module) -> PreTrainedModel:
    """Return the model with its adapters merged into the weights; a model without adapters as it is."""
    return model.merge_and_unload() if isinstance(model, PeftModel) else model
