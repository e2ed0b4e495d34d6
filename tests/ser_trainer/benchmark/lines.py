"""Lines of results for tests, with predictions that give their matrices."""

from pathlib import Path
from typing import Any

import numpy as np

from ser_metrics.core import confusion
from ser_trainer.benchmark.results.line import Line, Prediction, Results

EMOTIONS = ("anger", "happiness", "neutral", "sadness")


def made(
    corpus: str = "emodb",
    config: str = "serab",
    *,
    accuracy: float = 0.7,
    speakers: int | None = 8,
    each: int = 3,
    classes: tuple[str, ...] = EMOTIONS,
    seed: int = 0,
    **other: Any,
) -> tuple[Line, list[Prediction]]:
    """Return a line and its predictions; what is not told is that of a SERAB task with openSMILE.

    Args:
        corpus: the corpus, or train>test.
        config: its config.
        accuracy: chance of each prediction to be right.
        speakers: how many speak in the test set, None for unknown; then 8 times as many utterances as classes x each.
        each: utterances of each class and speaker.
        classes: class names.
        seed: seed of the head; also draws the errors.
        **other: fields of the line.
    """
    generator = np.random.default_rng([seed, *(corpus + config + str(other.get("encoder", ""))).encode()])
    rows = []
    for speaker in range(speakers or 8):
        for name in classes:
            for number in range(each):
                right = generator.random() < accuracy
                guess = name if right else str(generator.choice([one for one in classes if one != name]))
                known = None if speakers is None else f"s{speaker}"
                rows.append(Prediction(f"{corpus}-{config}-{speaker}-{name}-{number}", known, name, guess))
    return of(rows, corpus=corpus, config=config, classes=classes, seed=seed, **other), rows


def of(rows: list[Prediction], classes: tuple[str, ...] = EMOTIONS, **other: Any) -> Line:
    """Return the line that predictions give."""
    matrix, _ = confusion([one.prediction for one in rows], [one.reference for one in rows], labels=list(classes))
    given: dict[str, Any] = {
        "protocol": "serab",
        "variant": "strict",
        "corpus": "emodb",
        "config": "serab",
        "encoder": "opensmile",
        "revision": "3.0",
        "layer": "last",
        "head": "svc",
        "seed": 0,
        "hyperparameters": {"C": 1.0},
        "selection": "best accuracy on validation",
        "sizes": {"train": 100, "validation": 20, "test": len(rows)},
        "seconds": {"used": 300.0, "dropped": 0.0},
        "content": "c0ffee0123456789",
        "split": "abcdef0123456789",
        "features": "feedface01234567",
        "exposure": "not seen",
        "shared_speakers": 0.0,
        "versions": {"serbench": "0.1", "numpy": "2.0"},
        "date": "2026-11-21T12:00:00Z",
    }
    return Line(classes=list(classes), confusion_matrix=matrix.tolist(), **given | other)


def stored(folder: Path, *pairs: tuple[Line, list[Prediction]]) -> Results:
    """Return a folder of results with these lines."""
    results = Results(folder)
    for line, predictions in pairs:
        results.add(line, predictions)
    return results
