"""The model card while a model is trained: what is known before, and a callback that adds what training finds out."""

import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from datasets import Dataset
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from loading_scripts import registry
from model_cards.card import ModelCard, TrainingCorpus

# The settings that decide about the weights; the others say how a machine went about it.
_SETTINGS = (
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "optim",
    "weight_decay",
    "max_grad_norm",
    "num_train_epochs",
    "max_steps",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "label_smoothing_factor",
    "max_seconds",
    "bf16",
    "fp16",
    "seed",
)
_PACKAGES = ("serbench", "transformers", "torch", "datasets", "accelerate")


class CardCallback(TrainerCallback):
    """Writes size of the model, settings, steps and duration into a card while training runs."""

    def __init__(self, card: ModelCard):
        self.card = card
        self._start = 0.0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **kwargs: Any
    ) -> None:
        """Note what is known at the start."""
        self._start = perf_counter()
        self.card.parameters = sum(one.numel() for one in model.parameters())
        self.card.trainable = sum(one.numel() for one in model.parameters() if one.requires_grad)
        values = {name: getattr(args, name, None) for name in _SETTINGS}
        values = {name: getattr(value, "value", value) for name, value in values.items()}
        if args.max_steps > 0:
            values.pop("num_train_epochs")  # overruled
        self.card.hyperparameters = {"processes": args.world_size} | {
            name: value for name, value in values.items() if value not in (None, False, -1)
        }

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note what training came to."""
        self.card.steps = state.global_step
        self.card.seconds = perf_counter() - self._start


def training_corpus(dataset: str, config: str, rows: Dataset) -> TrainingCorpus:
    """Return what a card says of a training set, from the record of the corpus, or from the data set's own info.

    Args:
        dataset: id, for example ``serbench/urdu``.
        config: config.
        rows: the training split, after rows without a label were left out.
    """
    namespace, _, corpus = dataset.rpartition("/")
    known = {"dataset": dataset, "config": config, "utterances": len(rows)}
    if namespace != registry.NAMESPACE or corpus not in registry.ids():
        info = rows.info
        return TrainingCorpus(name=dataset, licence=info.license or "unknown", homepage=info.homepage or "", **known)
    record = registry.load(corpus).CORPUS
    terms = f"redistribution {record.licence.redistribution}, commercial use {record.licence.commercial}"
    return TrainingCorpus(
        name=record.name,
        languages=record.languages,
        licence=record.licence.id,
        terms="; ".join(filter(None, [terms, record.licence.note])),
        homepage=record.homepage,
        traps=record.traps,
        **known,
    )


def shared_speakers(train: Dataset, test: Dataset) -> float | None:
    """Return the share of rows of `test` whose speaker is in `train`; None where a speaker is not known."""
    if not all("speaker" in rows.column_names for rows in (train, test)):
        return None
    heard, speakers = (rows.select_columns(["speaker"])["speaker"][:] for rows in (train, test))
    if not speakers or None in heard or None in speakers:
        return None
    return sum(speaker in set(heard) for speaker in speakers) / len(speakers)


def command_line(argv: Sequence[str], processes: int = 1) -> str:
    """Return the command that runs this process; of absolute paths only the last part is left.

    >>> command_line(["/data/serbench/examples/finetune.py", "--data_dir=/data/URDU", "--target", "emotion"])
    'python examples/finetune.py --data_dir=URDU --target emotion'
    """
    if "ACCELERATE_MIXED_PRECISION" in os.environ:  # set by `accelerate launch`
        launcher = "accelerate launch" + (f" --num_processes {processes}" if processes > 1 else "")
        if processes > 1 and os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true"):
            # without this flag it would start a single process on a CPU
            launcher = f"ACCELERATE_USE_CPU=1 accelerate launch --multi_gpu --num_processes {processes}"
    elif processes > 1:
        launcher = f"torchrun --nproc_per_node {processes}"
    else:
        launcher = "python"
    script = "/".join(Path(argv[0]).parts[-2:])
    return " ".join([launcher, script, *map(without_folder, argv[1:])])


def without_folder(word: str) -> str:
    """Return a word of a command line with an absolute path shortened to its last part."""
    name, equals, value = word.rpartition("=")
    path = Path(value).expanduser()
    return f"{name}{equals}{path.name or '/'}" if path.is_absolute() else word


def versions() -> dict[str, str]:
    """Return the versions that a card names; serbench may run from a clone without being installed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "(not installed)"
    return found


def new_card(
    output_dir: str, model: Any, base_model: str | None, target: str, corpora: Sequence[TrainingCorpus], args: Any
) -> ModelCard:
    """Return the card as far as it is known before training.

    Args:
        output_dir: folder of the model; its last part names it.
        model: the classifier.
        base_model: folder or Hub id that training starts from, None for random weights.
        target: label column.
        corpora: what it is trained on.
        args: training arguments.
    """
    classes = [model.config.id2label[index] for index in range(model.config.num_labels)]
    local = base_model is not None and Path(base_model).exists()
    return ModelCard(
        name=Path(output_dir).resolve().name,
        model_type=model.config.model_type,
        base_model=Path(base_model).resolve().name if local else base_model,
        model_id=args.hub_model_id or ".",
        target=target,
        classes=classes,
        corpora=corpora,
        command=command_line(sys.argv, args.world_size),
        versions=versions(),
    )
