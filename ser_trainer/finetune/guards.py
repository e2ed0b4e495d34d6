"""Guards: what must stop a training before it spoils the weights."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from loading_scripts.errors import SerbenchError

_SHOWN = 8


class TrainingError(SerbenchError, ArithmeticError):
    """Training cannot go on: the loss is no number, or a parameter would never be trained."""


class StepGuard(TrainerCallback):
    """Looks at each optimizer step before it is taken: is every loss a number, does every adapter have a gradient?

    Args:
        trainer: whose losses `seen` reports.
    """

    def __init__(self, trainer: Trainer):
        self.trainer = trainer
        self._losses: list[tuple[Sequence[str], torch.Tensor]] = []
        self._looked_at_gradients = False

    def seen(self, ids: Sequence[str], loss: torch.Tensor) -> None:
        """Remember the loss of a batch until the step; asking at once would wait for the GPU each time."""
        self._losses.append((ids, loss.detach()))

    def on_pre_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        """Stop on all processes if one of them met a loss that is no number.

        Raises:
            TrainingError: names the utterances of the batch.
        """
        losses, self._losses = self._losses, []
        bad = torch.stack([~loss.isfinite() for _, loss in losses])
        everywhere = self.trainer.accelerator.gather(bad.any()[None])  # or the others would take the step
        if everywhere.any():
            ids = [name for (names, _), wrong in zip(losses, bad.tolist(), strict=True) if wrong for name in names]
            where = (
                f"a batch of {', '.join(ids[:_SHOWN])}{' ...' if len(ids) > _SHOWN else ''}"
                if ids
                else "another process"
            )
            raise TrainingError(
                f"Step {state.global_step + 1}: the loss must be a number; it is NaN or infinite for {where}. "
                "The weights were not changed by it. Look at these files (`serbench audit`), lower --learning_rate, or "
                "use --bf16 in place of --fp16."
            )
        if not self._looked_at_gradients:
            self._looked_at_gradients = True
            _check_adapters(model)


def _check_adapters(model: torch.nn.Module) -> None:
    """Refuse adapters without a gradient: WavLM's attention reads the weights past peft's layers."""
    dead = [
        name for name, one in model.named_parameters() if "lora_" in name and one.requires_grad and one.grad is None
    ]
    if dead:
        raise TrainingError(
            f"Adapter {dead[0]} ({len(dead)} such): gets no gradient, so it would never be trained. The layer does not "
            "call its linear module; adapt other modules of this encoder."
        )
