"""Tuning: how a benchmark fine-tunes a model, and the same as arguments of `SerTrainer`."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ...finetune.arguments import SerTrainingArguments
from ...finetune.sampling.balance import How


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """How a model is fine-tuned.

    Args:
        epochs: passes over the training rows.
        max_steps: optimizer steps, in place of epochs.
        validate_every: steps between two validations; None: one at the end of each epoch.
        batch_size: rows of a step.
        learning_rate: of AdamW.
        weight_decay: of AdamW.
        schedule: of the learning rate, a name of transformers: ``constant``, ``linear``, ``cosine`` ...
        warmup_steps: steps until the rate is reached; below 1, their share of all steps.
        precision: of the arithmetic; weights are float32.
        seed: of new weights, order and draws.
        balance: which training rows are drawn, see `finetune.sampling.balance`.
        round_robin: one step of each training task in turn, instead of one pool.
        max_seconds: longer training clips are cut to a random part of this length; None: they stay whole.
        pad_to_max: every clip is padded to `max_seconds`, as ExHuBERT was trained.
        best_by: score on the validation rows, a mean over tasks, that chooses the epoch; ties go to the earlier.
        device: ``cpu`` or ``cuda``.
        workers: processes that decode audio; None: up to 8 beside a GPU, else none.
        keep_model: whether model and feature extractor stay in the folder.
    """

    epochs: float = 1.0
    max_steps: int | None = None
    validate_every: int | None = None
    batch_size: int = 16
    learning_rate: float = 1e-5
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_steps: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0
    balance: How = "none"
    round_robin: bool = False
    max_seconds: float | None = None
    pad_to_max: bool = False
    best_by: Literal["wa", "ua", "f1"] = "wa"
    device: str = "cpu"
    workers: int | None = None
    keep_model: bool = True

    @property
    def decisive(self) -> dict[str, Any]:
        """What of it changes a number."""
        return {name: value for name, value in asdict(self).items() if name not in ("device", "workers", "keep_model")}

    def arguments(self, folder: Path, validates: bool) -> SerTrainingArguments:
        """Return what `SerTrainer` takes.

        Args:
            folder: where its checkpoints lie.
            validates: whether there are rows that validate, to choose the best epoch.
        """
        workers = self.workers
        if workers is None:
            workers = 0 if self.device == "cpu" else min(8, os.cpu_count() or 1)
        when = "epoch" if self.validate_every is None else "steps"
        args = SerTrainingArguments(
            output_dir=str(folder),
            num_train_epochs=self.epochs,
            max_steps=self.max_steps or -1,
            per_device_train_batch_size=self.batch_size,
            per_device_eval_batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            lr_scheduler_type=self.schedule,
            warmup_steps=self.warmup_steps,
            bf16=self.precision == "bfloat16",
            seed=self.seed,
            balance=self.balance,
            round_robin=self.round_robin,
            max_seconds=self.max_seconds,
            pad_to_max=self.pad_to_max,
            use_cpu=self.device == "cpu",
            dataloader_num_workers=workers,
            dataloader_pin_memory=self.device != "cpu",
            eval_strategy=when if validates else "no",
            eval_steps=self.validate_every,
            save_strategy=when,
            save_steps=self.validate_every or 500,
            load_best_model_at_end=validates,
            metric_for_best_model=self.best_by if validates else None,
            save_total_limit=1,
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        if args.n_gpu > 1:  # Trainer would spread every batch over all GPUs; one training has one
            args._n_gpu = 1
        return args
