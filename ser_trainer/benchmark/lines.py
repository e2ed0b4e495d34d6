"""Lines: what a study writes of a head: what it predicted, of what, and what all of it was made of."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from loading_scripts.listing import split_hash
from ser_metrics.core import confusion

from .cache.contents import Contents
from .opened import Opened
from .plan import Planned
from .protocol import Scored
from .results.line import Line, Prediction
from .tasks import Task

_PACKAGES = ("serbench", "datasets", "numpy", "scikit-learn", "torch", "transformers")

UNREADABLE = "unreadable"
"""Reason of utterances that no encoder saw, as their audio cannot be decoded."""


@dataclass(frozen=True, eq=False)
class Source:
    """What lines are made of.

    Args:
        encoder: the encoder.
        planned: the cell, and whose it is.
        contents: id of a corpus -> what its audio is.
        identity: everything of the encoder that changes a value, with statistics that it was fitted to.
    """

    encoder: Opened
    planned: Planned
    contents: Mapping[str, Contents]
    identity: Mapping[str, Any]

    def line(self, task: Task, predicted: np.ndarray, test: Task | None, **told: Any) -> Scored:
        """Return the line of a head, and its predictions; see `protocol.Encoded.scored`."""
        own = test or task
        ids = own.parts["test"]
        predictions = [
            Prediction(one, speaker, own.labels[one], task.classes[at])
            for one, speaker, at in zip(ids, own.speakers(ids), predicted.tolist(), strict=True)
        ]
        matrix, _ = confusion(
            [one.prediction for one in predictions], [one.reference for one in predictions], labels=list(task.classes)
        )
        parts = {**task.parts, "test": ids}
        tasks = [task] if test is None else [task, test]
        setting = self.planned.setting
        line = Line(
            protocol=self.planned.protocol,
            variant=setting.variant,
            corpus=">".join(one.corpus.id for one in tasks),
            config=own.config,
            encoder=self.encoder.name,
            revision=self.encoder.encoder.revision,
            classes=list(task.classes),
            confusion_matrix=matrix.tolist(),
            sizes={name: len(part) for name, part in parts.items()},
            seconds={
                "used": round(task.seconds(task.ids) + (test.seconds(ids) if test else 0.0), 3),
                "dropped": round(sum(one.seconds(lost) for one in tasks for lost in one.dropped.values()), 3),
            },
            dropped=self._dropped(tasks),
            content=">".join(self.contents[one.corpus.id].hash for one in tasks),
            split=split_hash(parts),
            features=features_hash(self.identity, setting.layers),
            exposure=str(self.encoder.exposure(own.corpus)),
            shared_speakers=None if test else task.shared_speakers(),
            options=dict(self.planned.cell.options),
            versions=_versions(),
            date=datetime.now(UTC).isoformat(timespec="seconds"),
            **told | {"flags": [*task.flags(), *told.get("flags", ())]},
        )
        return line, predictions

    def differences(self, line: Line) -> list[str]:
        """Return how what would be made now differs from what a line was made of, a sentence each."""
        now = {
            "audio of the corpus": (line.content, ">".join(self.contents[one].hash for one in line.corpus.split(">"))),
            "revision of the encoder": (line.revision, self.encoder.encoder.revision),
            "options": (dict(line.options), dict(self.planned.cell.options)),
        }
        if not self.encoder.fits:  # what statistics are fitted to is part of the audio
            now["features"] = (line.features, features_hash(self.identity, self.planned.setting.layers))
        return [f"{what} was {then}, is {today}" for what, (then, today) in now.items() if then != today]

    def _dropped(self, tasks: list[Task]) -> dict[str, int]:
        """Return reason -> number of utterances, of one or two corpora."""
        counted: Counter[str] = Counter()
        for task in tasks:
            unreadable = self.contents[task.corpus.id].unreadable
            for why, lost in task.dropped.items():
                broken = len(unreadable.intersection(lost))
                counted.update({why: len(lost) - broken, UNREADABLE: broken})
        return {why: n for why, n in counted.items() if n}


def features_hash(identity: Mapping[str, Any], layers: str) -> str:
    """Return what names features in a line: a hash of everything of their encoder that changes a value, 16 digits."""
    return hashlib.sha256(json.dumps([dict(identity), layers], sort_keys=True).encode()).hexdigest()[:16]


@cache
def _versions() -> dict[str, str]:
    """Return the versions of what computes the numbers."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # serbench from a checkout that is not installed
            found[package] = "not installed"
    return found
