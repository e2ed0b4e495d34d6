"""The model card while a model is trained: what is known before, and a callback that adds what training finds out."""

import importlib.metadata
import os
import platform
import re
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from loading_scripts import labels
from model_cards.card import Calibration, ClassMeaning, ModelCard, TrainingCorpus
from model_cards.licence import Source
from ser_metrics.dimensional import DIMENSIONS

from .arguments import decisive
from .sources import record_id, without_folder

# Settings that do not decide about the weights, or only together with others, but belong to a description.
_ALSO = (
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
    "load_best_model_at_end",
    "metric_for_best_model",
    "early_stopping_patience",
    "eval_crop",
)
_PACKAGES = ("serbench", "transformers", "torch", "torchaudio", "datasets", "accelerate", "peft", "huggingface_hub")


class CardCallback(TrainerCallback):
    """Writes size of the model, settings, steps, duration and course of a training into a card while it runs."""

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
        cuda = args.device.type == "cuda"
        name = torch.cuda.get_device_name(args.device) if cuda else args.device.type.upper()
        self.card.device = f"{args.world_size} x {name}" if args.world_size > 1 else name
        self.card.hyperparameters |= {"processes": args.world_size} | settings(args)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Note what training came to."""
        self.card.steps = state.global_step
        self.card.seconds = perf_counter() - self._start
        self.card.curves = curves(state.log_history)


def settings(args: TrainingArguments) -> dict[str, Any]:
    """Return the training arguments that a card shows: those that decide about the weights, and some others."""
    values = decisive(args) | {name: getattr(args, name, None) for name in _ALSO}
    if not args.load_best_model_at_end:
        values.pop("metric_for_best_model")
    return shown(values)


def shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a card shows them: without those that are off, and without folders of this machine."""
    plain = {name: getattr(value, "value", value) for name, value in values.items()}
    on = {name: value for name, value in plain.items() if not _is_off(value)}
    return {
        name: ", ".join(map(without_folder, map(str, value))) if isinstance(value, list | tuple) else value
        for name, value in on.items()
    } | {name: without_folder(value) for name, value in on.items() if isinstance(value, str)}


def _is_off(value: Any) -> bool:
    # 0 is a value: a seed, no warm-up
    return value in (None, "", "none", -1) or value is False or (isinstance(value, list | tuple | dict) and not value)


def curves(log: Iterable[Mapping[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """Return the course of a training from Trainer's log: name -> (optimizer step, value).

    >>> curves([{"loss": 1.5, "learning_rate": 0.1, "step": 10}, {"eval_loss": 1.25, "eval_uar": 0.5, "step": 10}])
    {'training loss': [(10, 1.5)], 'learning rate': [(10, 0.1)], 'validation loss': [(10, 1.25)], 'UAR': [(10, 0.5)]}
    """
    found: dict[str, list[tuple[int, float]]] = {}
    names = {"loss": "training loss", "learning_rate": "learning rate"}
    for entry in log:
        for key, value in entry.items():
            told = re.fullmatch(r"eval_(?:(?P<corpus>.+)_)?(?P<what>loss|uar|ccc)", key)
            if told:
                what = "validation loss" if told["what"] == "loss" else told["what"].upper()
                names[key] = f"{told['corpus']} {what}" if told["corpus"] else what
            if key in names:
                found.setdefault(names[key], []).append((entry["step"], float(value)))
    return found


def meanings(classes: Sequence[str], datasets: Iterable[str]) -> list[ClassMeaning]:
    """Return what classes mean in the label maps, of those that are emotion nouns.

    Args:
        classes: classes of the model.
        datasets: ids of the training corpora, whose own meanings of a noun win.

    >>> meanings(["boredom", "low_negative"], ["serbench/emodb"])[0].unified8
    'sadness'
    """
    corpora = [record_id(dataset) or "" for dataset in datasets]
    found = []
    for name in classes:
        noun = labels.noun_of(name)
        if noun is not None:
            each = [labels.mapping(noun, corpus) for corpus in corpora]
            quadrants = dict.fromkeys(one.arousal_valence for one in each if one.arousal_valence is not None)
            unified8 = " or ".join(dict.fromkeys(one.unified8 for one in each))
            found.append(ClassMeaning(name=name, unified8=unified8, arousal_valence=" or ".join(quadrants) or None))
    return found


def calibrated_on(temperature: float, rows: Mapping[str, Dataset]) -> Calibration:
    """Return what a card says of a fitted temperature.

    Args:
        temperature: what the logits are divided by.
        rows: corpus and config, as ``serbench/urdu:fold1`` -> the validation rows it was fitted on.
    """
    speakers = {
        without_folder(name): rows.unique("speaker") if "speaker" in rows.column_names else []
        for name, rows in rows.items()
    }
    return Calibration(
        temperature=temperature,
        utterances=sum(map(len, rows.values())),
        speakers={name: [] if None in each else sorted(each) for name, each in speakers.items()},
    )


def command_line(argv: Sequence[str], processes: int = 1) -> str:
    """Return the command that runs this process; of absolute paths only the last part is left, of tokens nothing.

    >>> command_line(["/data/serbench/examples/finetune.py", "--data_dir=/data/URDU", "--hub_token", "hf_secret"])
    'python examples/finetune.py --data_dir=URDU --hub_token ...'
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
    words = [shlex.quote(without_folder(word)) for word in argv[1:]]
    return re.sub(r"(--\w*token[= ])\S+", r"\1...", " ".join([launcher, script, *words]))


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
    output_dir: str,
    model: Any,
    base_model: Source | None,
    target: str | Sequence[str],
    corpora: Sequence[TrainingCorpus],
    args: Any,
    others: Mapping[str, Any] | None = None,
) -> ModelCard:
    """Return the card as far as it is known before training.

    Args:
        output_dir: folder of the model; its last part names it.
        model: the classifier.
        base_model: what training starts from, from `base_model_source`; None for random weights.
        target: label column, or columns of ratings.
        corpora: what it is trained on.
        args: training arguments.
        others: further settings that decide about the weights, such as the rank of adapters.
    """
    classes = [model.config.id2label[index] for index in range(model.config.num_labels)]
    targets = [target] if isinstance(target, str) else list(target)
    rated = set(targets) <= set(DIMENSIONS)
    return ModelCard(
        name=Path(output_dir).resolve().name,
        model_type=model.config.model_type,
        base_model=base_model,
        model_id=args.hub_model_id or ".",
        target=", ".join(targets),
        classes=classes,
        rated=rated,
        meanings=[] if rated else meanings(classes, [one.dataset for one in corpora]),
        corpora=corpora,
        command=command_line(sys.argv, args.world_size),
        hyperparameters=shown(others or {}),
        versions=versions(),
    )
