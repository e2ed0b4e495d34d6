"""Fine-tuning inside a benchmark: a model is trained on tasks by `SerTrainer`, and its logits on other tasks are kept.

A folder holds one training. `tuning.json` says what it is made of and is written first; `logits.npz` is written last,
and a folder that has it is never trained again. In between, checkpoints are what a killed training goes on from.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import torch
from transformers import FeatureExtractionMixin, PrinterCallback, TrainerCallback, set_seed
from transformers.utils import logging

from loading_scripts.errors import SerbenchError

from ...finetune import checkpoints
from ...finetune.targets import LABELS, pooled
from ...finetune.trainer import SerTrainer
from ..tasks import Task
from .recipe import Tuning

MakeModel = Callable[[tuple[str, ...]], tuple[torch.nn.Module, FeatureExtractionMixin]]
"""Classes -> a model that has them, in this order, and its feature extractor."""

Progress = Callable[[float], None]
"""Is told of each share of the training that is done; they sum to 1."""

_RECORD, _LOGITS, _EPOCHS = "tuning.json", "logits.npz", "epochs.json"


class TuningError(SerbenchError, ValueError):
    """A model cannot be fine-tuned as asked."""


def tuned(
    folder: Path,
    make_model: MakeModel,
    train: Mapping[str, Task],
    tests: Mapping[str, Task],
    classes: Sequence[str],
    tuning: Tuning,
    *,
    made_of: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, np.ndarray]:
    """Return the logits of a fine-tuned model on the test part of each test task, float32 (n, K), in its order.

    Args:
        folder: of this training alone. If it is finished there, its logits are read; if it was killed, it goes on.
        make_model: makes what training starts from; not called if there is nothing to do.
        train: name -> task whose train part trains and whose validation part, if it has one, chooses the epoch.
        tests: name -> task whose test part is predicted.
        classes: the K classes; those of every task are among them.
        tuning: how.
        made_of: what else decides about the weights, such as the model's name and revision; anything that JSON holds.
        progress: see `Progress`.

    Raises:
        TuningError: a label is none of the classes, fewer than two of them train, the device is none, or the folder
            holds a training that was made of something else.
    """
    classes = tuple(classes)
    _check_device(tuning.device)
    _check_labels(train, tests, classes)
    record = _record(train, tests, classes, tuning, made_of or {})
    _claim(folder, record)
    if not (folder / _LOGITS).exists():
        with _one_bar():
            _train(folder, make_model, train, tests, classes, tuning, progress)
    elif progress:
        progress(1.0)
    with np.load(folder / _LOGITS) as stored:
        return {name: stored[f"arr_{at}"] for at, name in enumerate(tests)}


def validated(folder: Path) -> list[dict[str, float]]:
    """Return `epoch`, `step` and `validation`, the score that chooses, of each validation of a finished training."""
    return json.loads((folder / _EPOCHS).read_text(encoding="utf-8"))


def best_epoch(folder: Path) -> float | None:
    """Return the epoch whose weights a finished training left; None where nothing validated, so the last."""
    found = validated(folder)
    return max(found, key=lambda one: one["validation"])["epoch"] if found else None


def _check_device(device: str) -> None:
    if device not in ("cpu", "cuda", "cuda:0"):
        raise TuningError(
            f"Fine-tuning: runs on cpu, or on the first GPU that it sees (cuda); the device is {device!r}. To take "
            "another GPU, let it be the first: CUDA_VISIBLE_DEVICES=1."
        )


def _check_labels(train: Mapping[str, Task], tests: Mapping[str, Task], classes: Sequence[str]) -> None:
    for name, task in [*train.items(), *tests.items()]:
        strange = sorted({task.labels[one] for one in task.ids} - set(classes))
        if strange:
            raise TuningError(
                f"Fine-tuning, corpus {name}: labels are among the classes of the model ({', '.join(classes)}); "
                f"{strange[0]!r} is not. Map it to one of them, or leave its utterances out."
            )
    heard = {task.labels[one] for task in train.values() for one in task.parts["train"]}
    if len(heard) < 2:
        raise TuningError(
            f"Fine-tuning: needs training utterances of two classes or more; {', '.join(train)} give "
            f"{' '.join(heard) or 'none'}. Add a corpus, or choose other classes."
        )


def _record(
    train: Mapping[str, Task],
    tests: Mapping[str, Task],
    classes: Sequence[str],
    tuning: Tuning,
    made_of: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what a training and its logits are made of, as JSON holds it."""
    parts = {
        "train": [[name, _hash(task, "train"), _hash(task, "validation")] for name, task in train.items()],
        "tests": [[name, _hash(task, "test")] for name, task in tests.items()],
    }
    return json.loads(json.dumps({**made_of, "classes": classes, **tuning.decisive, **parts}))


def _hash(task: Task, part: str) -> str:
    """Return what names utterances and labels of a part, 16 digits; "" if there are none."""
    ids = task.parts.get(part, ())
    told = json.dumps([[one, task.labels[one]] for one in ids])
    return hashlib.sha256(told.encode()).hexdigest()[:16] if ids else ""


def _claim(folder: Path, record: Mapping[str, Any]) -> None:
    """Write what a training is made of into its folder; refuse one that holds another."""
    path = folder / _RECORD
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, record)
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    differing = [
        f"{name} was {before.get(name)!r}, is {record.get(name)!r}"
        for name in sorted(before.keys() | record.keys())
        if before.get(name) != record.get(name)
    ]
    if differing:
        raise TuningError(
            f"Fine-tuning in {folder}: the folder holds a training that was made of something else; "
            f"{'; '.join(differing)}. Remove the folder to train anew, or name another with --output."
        )


def _train(
    folder: Path,
    make_model: MakeModel,
    train: Mapping[str, Task],
    tests: Mapping[str, Task],
    classes: tuple[str, ...],
    tuning: Tuning,
    progress: Progress | None,
) -> None:
    set_seed(tuning.seed)
    model, extractor = make_model(classes)
    held = {name: task for name, task in train.items() if task.parts.get("validation")}
    trainer = SerTrainer(
        model,
        tuning.arguments(folder, validates=bool(held)),
        train_dataset=pooled({name: rows(task, "train", classes) for name, task in train.items()}),
        eval_dataset=pooled({name: rows(task, "validation", classes) for name, task in held.items()}) if held else None,
        processing_class=extractor,
        callbacks=[_Progress(progress)] if progress else None,
    )
    trainer.remove_callback(PrinterCallback)  # a study has one bar, and prints nothing of each epoch
    checkpoints.discard_partial(folder)
    trainer.train(resume_from_checkpoint=True)
    logits = [_predicted(trainer, task, classes) for task in tests.values()]
    scored = f"eval_{tuning.best_by}"
    history = [one for one in trainer.state.log_history if scored in one]
    epochs = [{"epoch": one["epoch"], "step": one["step"], "validation": one[scored]} for one in history]
    if tuning.keep_model:
        trainer.save_model()
    _write(folder / _EPOCHS, epochs)
    unfinished = folder / f".{_LOGITS}"
    with unfinished.open("wb") as file:
        np.savez(file, *logits)
    unfinished.rename(folder / _LOGITS)
    for path in checkpoints.checkpoints(folder):
        shutil.rmtree(path)


@contextmanager
def _one_bar() -> Iterator[None]:
    """Silence the bars and load reports of transformers: a study has one bar, and they would tear it."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def _predicted(trainer: SerTrainer, task: Task, classes: tuple[str, ...]) -> np.ndarray:
    logits = trainer.predict(rows(task, "test", classes)).predictions.astype(np.float32)
    if not np.isfinite(logits).all():
        at = int((~np.isfinite(logits)).any(axis=1).argmax())
        raise TuningError(
            f"Fine-tuning, corpus {task.corpus.id}: logits are finite; those of {task.parts['test'][at]!r} are not. "
            "Training diverged: lower the learning rate."
        )
    return logits


def rows(task: Task, part: str, classes: Sequence[str]) -> datasets.Dataset:
    """Return the utterances of a part, in its order, as `SerTrainer` takes them.

    Returns:
        Columns `id`, `audio` (undecoded), `duration` where the corpus has it, and `labels`, positions in `classes`.
    """
    place = {one: at for at, one in enumerate(task.corpus.ids)}
    code = {name: at for at, name in enumerate(classes)}
    ids = task.parts[part]
    labels: list[int | None] = [None] * len(place)
    for one in ids:
        labels[place[one]] = code[task.labels[one]]
    every = task.corpus.rows
    columns = [name for name in ("id", "audio", "duration") if name in every.column_names]
    labelled = every.select_columns(columns).add_column(LABELS, labels, feature=datasets.ClassLabel(names=[*classes]))
    return labelled.select([place[one] for one in ids])


class _Progress(TrainerCallback):
    """Tells of the steps that are done, and at the start of those that an earlier run did."""

    def __init__(self, progress: Progress):
        self._progress, self._told = progress, 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._tell(state)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._progress(1.0 - self._told)

    def _tell(self, state: Any) -> None:
        done = state.global_step / state.max_steps
        self._progress(done - self._told)
        self._told = done


def _write(path: Path, content: Any) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(json.dumps(content, indent=1), encoding="utf-8")
    unfinished.rename(path)
