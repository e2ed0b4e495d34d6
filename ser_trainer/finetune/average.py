"""An exponential moving average of the trained weights, scored and saved in their place."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

FILE = "average.safetensors"
"""Name of the averages in a checkpoint, beside the weights that training goes on with."""


class WeightAverage(TrainerCallback):
    """Follows the trainable parameters: average = decay * average + (1 - decay) * weight after every step.

    Polyak & Juditsky 1992; with a constant decay as in Tarvainen & Valpola, "Mean teachers", NIPS 2017. The first steps
    take the smaller decay (1 + step) / (10 + step), so that the average forgets where training started.

    Args:
        decay: 0.999 remembers about a thousand steps.
    """

    def __init__(self, decay: float):
        self.decay = decay
        self.weights: dict[str, torch.Tensor] = {}
        self._loaded: dict[str, torch.Tensor] = {}
        self._swapped_in = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        """Start from the averages of the checkpoint, else from the weights as they are."""
        start, self._loaded, self._swapped_in = self._loaded, {}, False
        self.weights = {
            name: (start[name] if start else one.detach().clone()).to(one.device) for name, one in _trained(model)
        }

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        """Follow the weights."""
        decay = min(self.decay, (1 + state.global_step) / (10 + state.global_step))
        for name, one in _trained(model):
            self.weights[name].lerp_(one.detach(), 1 - decay)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        """Leave the averages in the model: from here on they are the model."""
        self._copy(model, self.weights)
        self._swapped_in = True

    @contextmanager
    def applied(self, model: torch.nn.Module) -> Iterator[None]:
        """Put the averages into the model for as long as the context lasts."""
        if self._swapped_in or not self.weights:
            yield
            return
        own = {name: one.detach().clone() for name, one in _trained(model)}
        self._copy(model, self.weights)
        self._swapped_in = True
        try:
            yield
        finally:
            self._copy(model, own)
            self._swapped_in = False

    def save(self, checkpoint: Path) -> None:
        """Write the averages into a checkpoint."""
        save_file({name: one.contiguous().cpu() for name, one in self.weights.items()}, checkpoint / FILE)

    def resume(self, checkpoint: Path) -> None:
        """Let training go on with the averages of a checkpoint."""
        self._loaded = load_file(checkpoint / FILE)

    def load(self, checkpoint: Path) -> None:
        """Take the averages of a checkpoint, for the end of training."""
        self.weights = load_file(checkpoint / FILE)

    @torch.no_grad()
    def _copy(self, model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
        for name, one in _trained(model):
            one.copy_(weights[name])


def _trained(model: torch.nn.Module) -> Iterator[tuple[str, torch.nn.Parameter]]:
    return ((name, one) for name, one in model.named_parameters() if one.requires_grad)
