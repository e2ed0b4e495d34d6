"""Training of ExHuBERT's stages: an encoder, or what an earlier stage made of it, is fine-tuned on tasks."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from loading_scripts.labels import AROUSAL_VALENCE

from ...encoders import families
from ...encoders.hub import checkpoint
from ...encoders.opening import family_of, resolve
from ...finetune.transfers import VARIANTS
from ..protocol import Encoded, ProtocolError
from ..tasks import Task
from .exhubert_recipe import Recipe

LONGEST = 3.0
"""Seconds: training clips are cut to a random part of this length, the best setting by the card of the published model;
what validates and tests stays whole, as in the card's example."""

_VALIDATIONS = 10
"""Validations of a training; the paper's Fig. 3 draws a curve of them."""

Trained = tuple[Mapping[str, np.ndarray], dict[str, Any]]
"""Name of a test -> logits, float32 (n, 6); and what is told of the training in its lines."""


@dataclass(frozen=True)
class Training:
    """How the models of a study are trained; each has a folder, and none is trained twice.

    Args:
        recipe: what is run, for how long.
        seed: of heads, order and crops.
        device: torch device.
    """

    recipe: Recipe
    seed: int
    device: str

    def on_sources(
        self, encoded: Encoded, stage: str, tasks: Sequence[Task], progress: Callable[[float], None] | None
    ) -> Trained:
        """Return the logits of stage ``selection`` or ``emosetpp`` on test, ``ID``, and validation, ``ID, validation``.

        Raises:
            ProtocolError: the encoder cannot be fine-tuned, or not expanded where stage 3 will.
            EncoderError: there is no such encoder.
        """
        folder, made_of = start(encoded.word, self.recipe.expands)
        tests = {task.corpus.id: task for task in tasks}
        tests |= {f"{name}, validation": _validation(task) for name, task in tests.items()}
        train = {task.corpus.id: task for task in tasks}
        return self._tuned(encoded, "sources", stage, made_of, folder, "plain", train, tests, progress)

    def transferred(
        self,
        encoded: Encoded,
        sources: Sequence[Task],
        target: Task,
        name: str,
        progress: Callable[[float], None] | None,
    ) -> Trained:
        """Return the logits of a transfer on ``test`` and ``validation`` of its target.

        Args:
            encoded: whose encoder it is.
            sources: what stage 2 trains on; it is trained now if it was not. Empty: the encoder itself is transferred.
            target: the unseen corpus.
            name: one of `TRANSFERS`.
            progress: is told of shares of the transfer.

        Raises:
            ProtocolError, EncoderError: as `on_sources`.
        """
        form = name.partition("-")[2]
        folder, made_of = start(encoded.word, self.recipe.expands)
        if sources:
            _, told = self.on_sources(encoded, "emosetpp", sources, None)
            folder = Path(encoded.folder, told["model"])
            made_of = {**made_of, "stage 2": told["model"]}
        tests = {"test": target, "validation": _validation(target)}
        where = f"{name}-{target.corpus.id}"
        train = {target.corpus.id: target}
        return self._tuned(encoded, where, "transfer", made_of, folder, form, train, tests, progress)

    def _tuned(
        self,
        encoded: Encoded,
        where: str,
        stage: str,
        made_of: Mapping[str, Any],
        base: Path,
        form: str,
        train: Mapping[str, Task],
        tests: Mapping[str, Task],
        progress: Callable[[float], None] | None,
    ) -> Trained:
        from ..tuning.fine_tuning import Tuning, best_epoch, tuned

        made_of = {**made_of, "form": form}
        length = self.recipe.length(stage)
        steps = length.get("steps")
        tuning = Tuning(
            epochs=length.get("epochs", 1),
            max_steps=steps,
            validate_every=max(1, steps // _VALIDATIONS) if steps else None,
            batch_size=self.recipe.batch,
            learning_rate=self.recipe.rate,
            seed=self.seed,
            round_robin=len(train) > 1,
            max_seconds=LONGEST,
            best_by="ua",
            device=self.device,
            keep_model=stage != "transfer",  # nothing goes on from those, and each would be 1.3 GB and more
        )
        # What it is made of is part of the name, so that a study with other options finds a folder of its own, and
        # stages 1 and 2 share one where they are the same.
        splits = {name: [task.config, task.split] for name, task in train.items()}
        told = json.dumps([made_of, tuning.decisive, splits], sort_keys=True)
        name = f"exhubert/{where}-seed{self.seed}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
        folder = Path(encoded.folder, name)
        make = partial(_model, encoded.word, base, form)
        logits = tuned(folder, make, train, tests, AROUSAL_VALENCE, tuning, made_of=made_of, progress=progress)
        return logits, {"model": name, "epoch": best_epoch(folder)}


def start(word: str, expands: bool) -> tuple[Path, dict[str, str]]:
    """Return the folder of an encoder, which is fetched if it is on the Hub, and its name and revision.

    Args:
        word: what the user calls it.
        expands: whether it will be expanded.

    Raises:
        ProtocolError: it is no model of transformers, or cannot be expanded.
        EncoderError: there is no such encoder.
    """
    record, opening = resolve(word)
    family = import_module(f"{families.__name__}.{record.family if record else family_of(opening)}")
    if not hasattr(family, "MODEL_TYPES"):
        raise ProtocolError(
            f"Encoder {word}: exhubert fine-tunes whole models of transformers; this is none. Choose a HuBERT, "
            "wav2vec 2.0, WavLM, data2vec or Whisper: --encoder hubert_large_ls960_ft."
        )
    folder, revision = checkpoint(opening)
    if expands:
        from ...models.exhubert.families import family_of as expandable

        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
        try:
            expandable(f"Encoder {word}", kind)
        except ValueError as error:
            raise ProtocolError(f"{error} Leave its expansions out: transfers=start-plain,emosetpp-plain.") from error
    return folder, {"encoder": opening.name, "revision": revision}


def _model(word: str, base: Path, form: str, classes: Sequence[str]) -> tuple[Any, Any]:
    """Return a model in one of the forms of `VARIANTS`, its convolutions frozen, and its feature extractor."""
    from datasets import ClassLabel, Dataset, Features

    from ...finetune.arguments import ModelArguments
    from ...finetune.start import ModelError
    from ...finetune.start import start as started
    from ...finetune.targets import LABELS

    rows = Dataset.from_dict({LABELS: []}, features=Features({LABELS: ClassLabel(names=list(classes))}))
    try:
        return started(ModelArguments(model=str(base), new_head=True, **VARIANTS[form]), rows)
    except ModelError as error:
        raise ProtocolError(f"Encoder {word}: cannot be fine-tuned. {error}") from error


def _validation(task: Task) -> Task:
    """Return a task that tests on what validates."""
    return replace(task, parts={"test": task.parts["validation"]})
