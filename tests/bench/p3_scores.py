"""P3: all scores of a million predictions over 8 classes against the scikit-learn calls that give the same numbers.

Goal: 300 times as fast for arrays of ids. Lists are read entry by entry on both sides.

    python tests/bench/p3_scores.py
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn import metrics as sk
from timing import report

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from ser_metrics import scores  # noqa: E402

N, CLASSES, RUNS = 1_000_000, 8, 7
ALL = {"per_class": True, "confusion_matrix": True, "micro_f1": True, "weighted_f1": True}


def by_scikit_learn(predictions: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """Call scikit-learn seven times, for what one call of `scores` gives."""
    sk.precision_recall_fscore_support(references, predictions)
    sk.confusion_matrix(references, predictions)
    return {
        "wa": sk.accuracy_score(references, predictions),
        "ua": sk.balanced_accuracy_score(references, predictions),
        "f1": sk.f1_score(references, predictions, average="macro"),
        "micro_f1": sk.f1_score(references, predictions, average="micro"),
        "weighted_f1": sk.f1_score(references, predictions, average="weighted"),
    }


def seconds(call: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Check that both agree, then measure in turn and print."""
    generator = np.random.default_rng(0)
    references = generator.integers(0, CLASSES, N)
    predictions = np.where(generator.random(N) < 0.6, references, generator.integers(0, CLASSES, N))
    speakers = generator.integers(0, 100, N)
    names = [f"emotion{i}" for i in range(CLASSES)]
    ids, named = (
        [list(map(kind, side.tolist())) for side in (predictions, references)] for kind in (int, names.__getitem__)
    )
    expected, ours = by_scikit_learn(predictions, references), scores(predictions, references, range(CLASSES), **ALL)
    assert all(abs(ours[name] - value) < 1e-12 for name, value in expected.items())

    calls: dict[str, Callable[[], object]] = {
        "scikit-learn, seven calls, arrays": lambda: by_scikit_learn(predictions, references),
        "scores, arrays, declared labels": lambda: scores(predictions, references, range(CLASSES), **ALL),
        "scores, arrays, no labels": lambda: scores(predictions, references, **ALL),
        "scores, arrays of int8": lambda: scores(small[0], small[1], range(CLASSES), **ALL),
        "scores, lists of ids": lambda: scores(*ids, range(CLASSES), **ALL),
        "scores, lists of names": lambda: scores(*named, names, **ALL),
        "scores, 95 % intervals by utterance": lambda: scores(predictions, references, confidence=0.95),
        "scores, 95 % intervals by 100 speakers": lambda: scores(
            predictions, references, groups=speakers, confidence=0.95
        ),
    }
    small = predictions.astype(np.int8), references.astype(np.int8)
    figures: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(RUNS):
        for name, call in calls.items():
            figures[name].append(1000 * seconds(call))
    report(f"P3: {N:,} predictions, {CLASSES} classes", figures, "ms")
    base = sorted(figures["scikit-learn, seven calls, arrays"])[RUNS // 2]
    for name in list(calls)[1:]:
        print(f"{name:58s} {base / sorted(figures[name])[RUNS // 2]:9.0f} times as fast")


if __name__ == "__main__":
    main()
