"""SerTrainer: transformers' Trainer with the few hooks that speech emotion recognition needs."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import DataLoader, Sampler, SequentialSampler
from transformers import EarlyStoppingCallback, EvalPrediction, Trainer
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_utils import rotate_checkpoints

from model_cards.card import ModelCard, write_model_card
from model_cards.model_scores import METRICS
from ser_metrics import dimensional_scores, scores

from . import checkpoints
from .arguments import SerTrainingArguments, decisive
from .augment import Augmentation
from .average import WeightAverage
from .card import CardCallback
from .collator import CHUNKS, IDS, SerCollator, padding_matters, shortest_input
from .guards import StepGuard
from .losses import Concordance, CrossEntropy, balanced_weights, log_prior
from .outputs import check_outputs
from .push import UNREACHABLE, PushError
from .sampling import BatchSchedule, Plan, TrainingRows, balance, mel_vectors
from .targets import CORPUS, LABELS, label_array

logger = logging.getLogger(__name__)


class SerTrainer(Trainer):
    """Trains and scores any audio classifier of transformers on data sets from `labelled` or `rated`.

    Args:
        model: an AutoModelForAudioClassification whose classes are those of the data sets.
        args: arguments.
        train_dataset: rows from `labelled`, `rated` or `pooled`.
        eval_dataset: rows likewise, or a dict of them.
        processing_class: feature extractor; saved beside the model.
        card: what is known of the model for its card; training fills in the rest.
        started_with: what else a checkpoint must have been started with to be resumed, as corpora and model.
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
        started_with: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ):
        given = [train_dataset, *(eval_dataset.values() if isinstance(eval_dataset, dict) else [eval_dataset])]
        for dataset in filter(None, given):
            check_outputs(model, dataset)
        self.rated = model.config.problem_type == "regression"
        if kwargs.get("data_collator") is None:
            kwargs["data_collator"] = SerCollator(
                processing_class,
                args.max_seconds,
                shortest_input(model.config, training=True),
                crop="full" if args.max_seconds is None else args.crop,
                pad_to_max=args.pad_to_max,
                augmentation=Augmentation.of(args.augment, args.augment_probability) if args.augment else None,
            )
        if padding_matters(processing_class, model.config) and args.per_device_eval_batch_size != 1:
            logger.info("Evaluating clip by clip: padding would change the scores of this encoder.")
            args.per_device_eval_batch_size = 1
        args.label_names = [LABELS]
        kwargs.setdefault("compute_metrics", self._scores)
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
            self.data_collator,
            min_samples=shortest_input(model.config, training=False),
            crop=args.eval_crop,
            augmentation=None,
        )
        self.card = card
        self.started_with = dict(started_with or {})
        self.loss, self.eval_shift = self._make_loss()
        self.guard = StepGuard(self)
        self.add_callback(self.guard)
        self.average = WeightAverage(args.ema_decay) if args.ema_decay else None
        if self.average:
            self.add_callback(self.average)
        if card is not None:
            self.add_callback(CardCallback(card))
        if args.early_stopping_patience:
            self.add_callback(EarlyStoppingCallback(args.early_stopping_patience))
        # Asks Trainer to weigh the examples of a step, for compute_loss; the model itself is never asked for a loss.
        self.model_accepts_loss_kwargs = True

    def _make_loss(self) -> tuple[CrossEntropy | Concordance, np.ndarray | None]:
        """Return the loss, and what is added to the logits of an evaluation, (K,)."""
        if self.rated:
            return Concordance(), None
        args, weights, prior = self.args, None, None
        if self.train_dataset is not None and (args.class_weights or args.logit_adjustment != "none"):
            counts = np.bincount(
                label_array(self.train_dataset)[self.plan.rows], minlength=self.model.config.num_labels
            )
            weights = balanced_weights(counts) if args.class_weights else None
            prior = log_prior(counts, args.logit_adjustment_tau)
        in_loss = prior if args.logit_adjustment in ("train", "both") else None
        afterwards = -prior if prior is not None and args.logit_adjustment in ("eval", "both") else None
        return CrossEntropy(weights, in_loss, args.label_smoothing_factor), afterwards

    # --- which rows, in which order ---

    @cached_property
    def plan(self) -> Plan:
        """Which training rows are drawn, and which are mixed."""
        rows, how = self.train_dataset, self.args.balance
        if how == "none" or self.rated:
            return Plan.identity(len(rows))
        corpus = np.array(rows[CORPUS][:]) if CORPUS in rows.column_names else None
        vectors = mel_vectors(rows) if how in ("smote", "adasyn") else None
        return balance(label_array(rows), how, self._data_seed, groups=corpus, vectors=vectors)

    @property
    def _data_seed(self) -> int:
        return self.args.seed if self.args.data_seed is None else self.args.data_seed

    def get_train_dataloader(self) -> DataLoader:
        """Return the batches of this process.

        accelerate is not asked to share them out: the schedule knows the processes, and its order is the same for any
        number of them.
        """
        args, rows, plan = self.args, self.train_dataset, self.plan
        entries = np.arange(len(plan.rows))
        streams = [entries]
        if args.round_robin and CORPUS in rows.column_names:
            corpus = np.array(rows[CORPUS][:])[plan.rows]
            streams = [entries[corpus == one] for one in dict.fromkeys(corpus)]
        schedule = BatchSchedule(
            streams,
            self._train_batch_size,
            lengths=self._lengths(),
            batch_seconds=args.batch_seconds,
            processes=args.world_size,
            rank=args.process_index,
            accumulation=args.gradient_accumulation_steps,
            seed=self._data_seed,
            shuffle=args.train_sampling_strategy != "sequential",
        )
        return DataLoader(
            TrainingRows(rows, plan, self._data_seed),
            batch_sampler=schedule,
            collate_fn=self.data_collator,
            num_workers=args.dataloader_num_workers,
            pin_memory=args.dataloader_pin_memory,
            persistent_workers=args.dataloader_persistent_workers,
            prefetch_factor=args.dataloader_prefetch_factor,
            multiprocessing_context=args.dataloader_multiprocessing_context,
        )

    def _lengths(self) -> np.ndarray | None:
        """Return the seconds of each entry of the plan after cropping; None where the order shall not heed them."""
        args, rows = self.args, self.train_dataset
        wanted = args.train_sampling_strategy == "group_by_length" or args.batch_seconds
        if not wanted or args.pad_to_max or "duration" not in rows.column_names:
            return None
        seconds = np.array(rows["duration"][:], dtype=float)
        if args.max_seconds is not None:
            seconds = np.minimum(seconds, args.max_seconds)
        return np.maximum(seconds[self.plan.rows], seconds[self.plan.others])

    # --- the loss ---

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        """Return the mean loss over all examples of an optimizer step, as far as this batch contributes to it.

        The heads of transformers' audio models return the mean of their batch and Trainer adds these up: k steps of
        accumulation or k processes give k times the loss and gradient. Here the sum over this batch is divided by the
        weight of all batches and processes of the step. Where that weight spans processes their gradients are averaged
        afterwards, so the loss is multiplied by their number.
        """
        inputs = dict(inputs)
        labels, ids, chunks = inputs.pop(LABELS), inputs.pop(IDS, []), inputs.pop(CHUNKS, None)
        outputs = model(**inputs)
        logits = outputs.logits.float()
        if chunks is not None:
            logits = _mean_of_chunks(logits, chunks)
        if not model.training and self.eval_shift is not None:
            logits = logits + torch.tensor(self.eval_shift, dtype=logits.dtype, device=logits.device)
        loss = self.loss(logits, labels, model.training)
        if num_items_in_batch is None or not model.training:
            loss = loss / self.loss.weight(labels).clamp(min=1e-8)
        else:
            spread = self.accelerator.num_processes if self.args.average_tokens_across_devices else 1
            loss = loss * spread / num_items_in_batch
        if model.training:
            self.guard.seen(ids, loss)
        return (loss, {"logits": logits}) if return_outputs else loss

    def _get_num_items_in_batch(self, batch_samples: list, device: torch.device) -> torch.Tensor | None:
        # Trainer counts the examples of the step; ours may have weights.
        if not self.model.training or not batch_samples:
            return None
        weight = sum(self.loss.weight(batch[LABELS]) for batch in batch_samples).to(device)
        if self.args.average_tokens_across_devices and self.args.world_size > 1:
            weight = self.accelerator.gather(weight).sum()
        return weight

    # --- scores ---

    def get_eval_dataloader(self, eval_dataset: str | Dataset | None = None) -> DataLoader:
        """Return the batches of an evaluation: clips as `eval_crop` says, in the order of the data set."""
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        return self._evaluating(super().get_eval_dataloader, self.eval_dataset[rows] if isinstance(rows, str) else rows)

    def get_test_dataloader(self, test_dataset: Dataset) -> DataLoader:
        """Return the batches of a prediction: clips as `eval_crop` says, in the order of the data set."""
        return self._evaluating(super().get_test_dataloader, test_dataset)

    def _evaluating(self, make: Callable[[Any], DataLoader], rows: Dataset) -> DataLoader:
        training, self.data_collator = self.data_collator, self.eval_collator
        self._scored = rows
        try:
            return make(rows)
        finally:
            self.data_collator = training

    def _get_eval_sampler(self, eval_dataset: Dataset) -> Sampler:
        # Trainer would group by length here too, and predictions would no longer be in the order of the rows.
        return SequentialSampler(eval_dataset)

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the averaged weights where an average is kept."""
        with self.average.applied(self.model) if self.average else nullcontext():
            return super().evaluation_loop(*args, **kwargs)

    def _scores(self, prediction: EvalPrediction) -> dict[str, float]:
        """Return the scores of an evaluation: of each corpus, where there are several, and their mean."""
        rows, outputs, labels = self._scored, prediction.predictions, prediction.label_ids
        corpus = np.array(rows[CORPUS][:] if CORPUS in rows.column_names else [""] * len(rows))
        names = [self.model.config.id2label[index] for index in range(self.model.config.num_labels)]
        score = _rating_scores if self.rated else _class_scores
        each = {one: score(outputs[corpus == one], labels[corpus == one], names) for one in dict.fromkeys(corpus)}
        means = {name: float(np.mean([one[name] for one in each.values()])) for name in next(iter(each.values()))}
        if len(each) == 1:
            return means
        return means | {f"{name}_{one}": value for one, found in each.items() for name, value in found.items()}

    # --- what is written ---

    def train(self, resume_from_checkpoint: str | bool | None = None, **kwargs: Any) -> Any:
        """Train, from a whole checkpoint of the same run if one is named (or True, for the last).

        Raises:
            ResumeError: the checkpoint is not whole, or was written by a run with other arguments.
            TrainingError: a loss was no number, or an adapter gets no gradient.
        """
        if resume_from_checkpoint is True:
            found = checkpoints.checkpoints(Path(self.args.output_dir))
            resume_from_checkpoint = str(found[-1]) if found else None
        if resume_from_checkpoint:
            checkpoints.check(Path(resume_from_checkpoint), self.manifest)
            if self.average:
                self.average.resume(Path(resume_from_checkpoint))
        return super().train(resume_from_checkpoint=resume_from_checkpoint or None, **kwargs)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What decides about the weights: a checkpoint is resumed only by a run with the same."""
        args = self.args
        return self.started_with | {
            **decisive(args),
            "rows_per_step": self._train_batch_size * args.world_size * args.gradient_accumulation_steps,
            "training_rows": checkpoints.fingerprint(self.train_dataset),
            "model_type": self.model.config.model_type,
        }

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        folder = Path(self._get_output_dir(trial)) / f"checkpoint-{self.state.global_step}"
        limit = self.args.save_total_limit
        with checkpoints.whole(folder):
            with self._keeping_all():  # until this one is whole
                super()._save_checkpoint(model, trial)
            if self.args.should_save:
                if self.average:
                    self.average.save(folder)
                checkpoints.write_manifest(folder, self.manifest)
        if self.args.should_save:
            rotate_checkpoints(str(folder.parent), limit, self.state.best_model_checkpoint, use_mtime=True)

    @contextmanager
    def _keeping_all(self) -> Iterator[None]:
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        try:
            yield
        finally:
            self.args.save_total_limit = limit

    def _load_best_model(self) -> None:
        super()._load_best_model()
        if self.average:
            self.average.load(Path(self.state.best_model_checkpoint))

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save model and feature extractor, without the pickled arguments, which hold paths of this machine."""
        super().save_model(output_dir, _internal_call)
        if self.args.should_save:
            (Path(output_dir or self.args.output_dir) / TRAINING_ARGS_NAME).unlink(missing_ok=True)

    def init_hf_repo(self, *args: Any, **kwargs: Any) -> None:
        """Create the repository to push to; Trainer asks for it before it trains.

        Raises:
            PushError: the Hub cannot be reached, or refuses.
        """
        try:
            super().init_hf_repo(*args, **kwargs)
        except UNREACHABLE as error:
            raise PushError(
                f"--push_to_hub: the repository {self.args.hub_model_id or Path(self.args.output_dir).name} must be "
                f"there before training; {str(error).splitlines()[0]}. Check connection and token (`hf auth whoami`), "
                "or leave it out and push later: hf upload."
            ) from error

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Write our card into the output folder; Trainer asks for one before it pushes to the Hub."""
        if self.card is None:
            super().create_model_card(*args, **kwargs)
        elif self.is_world_process_zero():
            write_model_card(self.card, Path(self.args.output_dir))


def _class_scores(logits: np.ndarray, labels: np.ndarray, names: list[str]) -> dict[str, float]:
    found = scores(logits.argmax(-1), labels, labels=names)
    return {name: found[name] for name in METRICS}


def _rating_scores(outputs: np.ndarray, ratings: np.ndarray, names: list[str]) -> dict[str, float]:
    found = {}
    for i, name in enumerate(names):
        rated = np.isfinite(ratings[:, i])
        if rated.any():
            one = dimensional_scores(outputs[rated, i : i + 1], ratings[rated, i : i + 1], [name])
            found[f"ccc_{name}"] = one["ccc"] or 0.0  # None only where all is one constant
    return {"ccc": float(np.mean(list(found.values())))} | found


def _mean_of_chunks(logits: torch.Tensor, chunks: torch.Tensor) -> torch.Tensor:
    """Return the mean logits of each row, (batch, K), from those of its chunks, (chunks of all rows, K)."""
    return torch.stack([part.mean(dim=0) for part in logits.split(chunks.tolist())])


def _logits_only(logits: Any, labels: torch.Tensor) -> torch.Tensor:
    # Hidden states and attentions, where a model returns them, come after the logits.
    return logits[0] if isinstance(logits, tuple) else logits
