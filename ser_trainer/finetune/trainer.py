"""SerTrainer: transformers' Trainer with the few hooks that speech emotion recognition needs."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import EvalPrediction, PreTrainedConfig, Trainer
from transformers.trainer import TRAINING_ARGS_NAME

from loading_scripts.errors import SerbenchError
from model_cards.card import ModelCard, write_model_card
from ser_metrics import scores

from .arguments import SerTrainingArguments
from .card import CardCallback
from .collator import SerCollator, padding_matters, shortest_input
from .targets import LABELS, class_names

logger = logging.getLogger(__name__)


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


class SerTrainer(Trainer):
    """Trains and scores any audio classifier of transformers on data sets from `labelled`.

    Args:
        model: an AutoModelForAudioClassification whose classes are those of the data sets.
        args: arguments.
        train_dataset: rows from `labelled`.
        eval_dataset: rows from `labelled`, or a dict of them.
        processing_class: feature extractor; saved beside the model.
        card: what is known of the model for its card; training fills in the rest.
        **kwargs: everything else that `transformers.Trainer` takes. `data_collator` is made by default.

    Raises:
        ModelMismatchError: the model predicts other classes.
    """

    # compute_loss divides by all examples of the step: training_step must not divide once more.
    loss_is_scaled_for_ga = True

    def __init__(
        self,
        model: torch.nn.Module,
        args: SerTrainingArguments,
        train_dataset: Dataset | None = None,
        eval_dataset: Dataset | dict[str, Dataset] | None = None,
        processing_class: Any = None,
        card: ModelCard | None = None,
        **kwargs: Any,
    ):
        given = [train_dataset, *(eval_dataset.values() if isinstance(eval_dataset, dict) else [eval_dataset])]
        for dataset in filter(None, given):
            check_classes(model.config, class_names(dataset), model.config.name_or_path or type(model).__name__)
        if kwargs.get("data_collator") is None:
            kwargs["data_collator"] = SerCollator(
                processing_class, args.max_seconds, shortest_input(model.config, training=True)
            )
        if padding_matters(processing_class, model.config) and args.per_device_eval_batch_size != 1:
            logger.info("Evaluating clip by clip: padding would change the scores of this encoder.")
            args.per_device_eval_batch_size = 1
        kwargs.setdefault(
            "compute_metrics", _metrics([model.config.id2label[i] for i in range(model.config.num_labels)])
        )
        kwargs.setdefault("preprocess_logits_for_metrics", _logits_only)
        super().__init__(
            model,
            args,
            train_dataset=train_dataset,
            eval_dataset=eval_dataset,
            processing_class=processing_class,
            **kwargs,
        )
        self.eval_collator = replace(
            self.data_collator, max_seconds=None, min_samples=shortest_input(model.config, training=False)
        )
        self.card = card
        if card is not None:
            self.add_callback(CardCallback(card))
        # Asks Trainer to count the examples of a step, for compute_loss; the model itself is never asked for a loss.
        self.model_accepts_loss_kwargs = True

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the mean cross-entropy over all examples of an optimizer step, as far as this batch contributes to it.

        The heads of transformers' audio models return the mean of their batch and Trainer adds these up: k steps of
        accumulation or k processes give k times the loss and gradient. Here the sum over this batch is divided by the
        examples of all batches and processes of the step. Where that count spans processes their gradients are averaged
        afterwards, so the loss is multiplied by their number.
        """
        inputs = dict(inputs)
        labels = inputs.pop(LABELS)
        outputs = model(**inputs)
        loss = cross_entropy(
            outputs.logits.float(), labels, reduction="sum", label_smoothing=self.args.label_smoothing_factor
        )
        if num_items_in_batch is None or not model.training:
            loss = loss / len(labels)
        else:
            spread = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
            loss = loss * spread / num_items_in_batch
        return (loss, outputs) if return_outputs else loss

    def get_eval_dataloader(self, eval_dataset: str | Dataset | None = None) -> DataLoader:
        """Return the batches of an evaluation: whole clips, in the order of the data set."""
        return self._evaluating(super().get_eval_dataloader, eval_dataset)

    def get_test_dataloader(self, test_dataset: Dataset) -> DataLoader:
        """Return the batches of a prediction: whole clips, in the order of the data set."""
        return self._evaluating(super().get_test_dataloader, test_dataset)

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save model and feature extractor, without the pickled arguments, which hold paths of this machine."""
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            (Path(output_dir or self.args.output_dir) / TRAINING_ARGS_NAME).unlink(missing_ok=True)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write our card into the output folder; Trainer asks for one before it pushes to the Hub."""
        if self.card is None:
            super().create_model_card(*args, **kwargs)
        elif self.is_world_process_zero():
            write_model_card(self.card, Path(self.args.output_dir))

    def _evaluating(self, make: Callable[[Any], DataLoader], dataset: Any) -> DataLoader:
        training, self.data_collator = self.data_collator, self.eval_collator
        try:
            return make(dataset)
        finally:
            self.data_collator = training

    def _get_eval_sampler(self, eval_dataset: Dataset) -> Sampler:
        # Trainer would group by length here too, and predictions would no longer be in the order of the rows.
        return SequentialSampler(eval_dataset)


def _metrics(names: list[str]) -> Callable[[EvalPrediction], dict[str, float]]:
    def compute(prediction: EvalPrediction) -> dict[str, float]:
        result = scores(prediction.predictions.argmax(-1), prediction.label_ids, labels=names)
        return {name: result[name] for name in ("ua", "wa", "f1", "uar")}

    return compute


def _logits_only(logits: Any, labels: torch.Tensor) -> torch.Tensor:
    # Hidden states and attentions, where a model returns them, come after the logits.
    return logits[0] if isinstance(logits, tuple) else logits
