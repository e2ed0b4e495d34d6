"""The module as evaluate runs it: `add`, `add_batch`, `compute`, `combine`, and nothing cast on the way."""

import doctest
import pickle
import threading
from pathlib import Path

import evaluate
import numpy as np
import pytest
import torch
import yaml

import ser_metrics
from ser_metrics import dimensional_scores, scores, seed

ROOM = Path(ser_metrics.__file__).parent
PREDICTIONS, REFERENCES = [0, 0, 1, 2, 2], [0, 1, 1, 2, 0]
NAMES = ["joy", "sad", "fear"]


@pytest.fixture
def metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> evaluate.Metric:
    monkeypatch.chdir(tmp_path)
    return evaluate.load("ser_metrics", cache_dir=str(tmp_path))


def test_compute_equals_scores(metric: evaluate.Metric) -> None:
    for options in ({}, {"labels": NAMES, "absent": "declared", "per_class": True, "confusion_matrix": True}):
        expected = scores(PREDICTIONS, REFERENCES, **options)
        assert metric.compute(predictions=PREDICTIONS, references=REFERENCES, **options) == expected
        both = {"predictions": np.array(PREDICTIONS), "references": torch.tensor(REFERENCES)}
        assert metric.compute(**both, **options) == expected
        for prediction, reference in zip(PREDICTIONS[:2], REFERENCES[:2], strict=True):
            metric.add(prediction=torch.tensor(prediction), reference=np.int64(reference))
        metric.add_batch(predictions=PREDICTIONS[2:4], references=REFERENCES[2:4])
        assert len(metric) == 4
        assert metric.compute(predictions=PREDICTIONS[4:], references=REFERENCES[4:], **options) == expected


def test_names_and_ids(metric: evaluate.Metric) -> None:
    expected = scores(PREDICTIONS, REFERENCES, NAMES)
    named = [[NAMES[i] for i in side] for side in (PREDICTIONS, REFERENCES)]
    for predictions, references in (named, (PREDICTIONS, named[1]), (named[0], REFERENCES)):
        assert metric.compute(predictions=predictions, references=references, labels=NAMES) == expected


def test_several_metrics_combined(metric: evaluate.Metric, tmp_path: Path) -> None:
    other = evaluate.load("ser_metrics", cache_dir=str(tmp_path / "other"))
    both = evaluate.combine({"a": metric, "b": other})
    both.add(prediction=0, reference=1)
    both.add_batch(predictions=[1], references=[1])
    result = both.compute()
    assert (result["a_ua"], result["b_ua"], result["a_n"]) == (0.5, 0.5, 2)
    result = both.compute(predictions=[0, 1], references=[1, 1], per_class=True, confusion_matrix=True)
    assert result["a_confusion_matrix"] == result["b_confusion_matrix"] == [[0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0.9, 1], r"predictions\[0\]: 0\.9 \(float\)"),
        (np.array([0.0, 1.0]), r"predictions\[0\]: 0\.0 \(float\)"),
        ([0, float("nan")], r"predictions\[1\]: nan"),
        ([0, None], r"predictions\[1\]: None"),
        ([True, False], r"predictions\[0\]: True \(bool\)"),
        ([[0.1, 0.9], [0.9, 0.1]], r"predictions\[0\]: .*argmax"),
        (np.zeros((2, 2)), r"predictions: an array of shape \(2, 2\)"),
        ([0], r"predictions has 1 entries and references 2"),
        ([], r"predictions: no entry"),
        (None, r"predictions: None"),
    ],
)
def test_nothing_is_cast(metric: evaluate.Metric, bad: object, message: str) -> None:
    for collect in (metric.compute, metric.add_batch):
        with pytest.raises(ValueError, match=message):
            collect(predictions=bad, references=[0, 1])
    assert len(metric) == 0
    assert metric.compute(predictions=[1], references=[1])["wa"] == 1  # a refusal leaves nothing behind


def test_add_casts_nothing(metric: evaluate.Metric) -> None:
    for bad in (0.9, 1.0, True, None, [0.1, 0.9], np.zeros(2), torch.tensor(0.5)):
        with pytest.raises(ValueError, match=r"predictions\[0\]: "):
            metric.add(prediction=bad, reference=0)
    metric.add(prediction=1, reference=1)
    with pytest.raises(ValueError, match=r"predictions\[0\]: '1' is of type string, but .* type int64"):
        metric.add(prediction="1", reference=1)  # evaluate would store 1
    assert metric.compute()["n"] == 1
    with pytest.raises(ValueError, match=r"predictions\[0\]: '1' .* is a name"):
        metric.compute(predictions=["1"], references=[1])
    with pytest.raises(ValueError, match="no such configuration. Did you mean 'dimensional'"):
        evaluate.load("ser_metrics", "dimensions")


def test_refused_by_compute_then_used_again(metric: evaluate.Metric) -> None:
    metric.add_batch(predictions=["joy", "angr"], references=["joy", "anger"])
    with pytest.raises(ValueError, match=r"predictions\[1\]: 'angr' .*Did you mean 'anger'"):
        metric.compute(labels=["joy", "anger"])
    first = metric._create_cache_file()  # evaluate's lock on its cache file was released with the refusal
    first[1].release()
    assert first[0].endswith("default_experiment-1-0.arrow")
    assert metric.compute(predictions=[1], references=[1])["n"] == 1


def test_every_option_reaches_the_scores(metric: evaluate.Metric) -> None:
    generator = np.random.default_rng(0)
    references, logits = generator.integers(0, 3, 60), generator.normal(size=(60, 3))
    options = {
        "labels": NAMES, "absent": "present", "per_class": True, "confusion_matrix": True, "micro_f1": True,
        "weighted_f1": True, "exclude": "fear", "groups": [f"s{i % 6}" for i in range(60)], "per_group": True,
        "confidence": 0.9, "seed": 3,
    }  # fmt: skip
    decided = {"predictions": logits.argmax(axis=1), "references": references}
    assert metric.compute(**decided, **options) == scores(**decided, **options)
    scored = {"references": references, "prediction_scores": logits, "scores_are": "logits"}
    assert metric.compute(**scored, **options) == scores(**scored, **options)

    with pytest.raises(TypeError, match=r"no option 'label'\. Did you mean 'labels'"):
        metric.compute(**decided, label=NAMES)
    with pytest.raises(ValueError, match="both decide"):
        metric.compute(**decided, prediction_scores=logits)
    metric.add(prediction=0, reference=0)
    with pytest.raises(ValueError, match="both decide"):
        metric.compute(references=references, prediction_scores=logits)
    assert metric.compute()["n"] == 1  # what was collected is still there
    with pytest.raises(ValueError, match="prediction_scores has 59 entries and references 60"):
        metric.compute(references=references, prediction_scores=logits[1:])


def test_dimensional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    metric = evaluate.load("ser_metrics", "dimensional", cache_dir=str(tmp_path))
    generator = np.random.default_rng(0)
    references = generator.uniform(1, 7, (20, 3))
    predictions = references + generator.normal(size=(20, 3))
    expected = dimensional_scores(predictions, references, scale=(1, 7))
    assert metric.compute(predictions=predictions, references=references, scale=(1, 7)) == expected
    metric.add_batch(predictions=torch.tensor(predictions[:9]), references=references[:9].tolist())
    metric.add(prediction=predictions[9], reference=references[9].tolist())
    assert metric.compute(predictions=predictions[10:], references=references[10:], scale=(1, 7)) == expected
    two = metric.compute(predictions=[[1, 2], [2, 3]], references=[[1, 2], [3, 3]], dimensions=["valence", "arousal"])
    assert (two["valence"]["mae"], two["n"]) == (0.5, 2)
    for bad in ([["1", 2, 3]], [[True, 2, 3]], [[None, 2, 3]], [[float("nan"), 2, 3]]):
        with pytest.raises(ValueError, match=r"predictions\[0\]\[0\]: .* is no rating"):
            metric.add_batch(predictions=bad, references=[[1, 2, 3]])
    with pytest.raises(ValueError, match="is not that of references"):
        metric.add_batch(predictions=[[1, 2, 3]], references=[[1, 2]])
    with pytest.raises(TypeError, match="no option 'absent'"):
        metric.compute(predictions=[[1, 2, 3]], references=[[1, 2, 3]], absent="union")


def test_several_processes(tmp_path: Path) -> None:
    """Two processes collect, the first one scores all; it waits for the other's file, so that comes first."""
    metrics = [
        evaluate.load("ser_metrics", cache_dir=str(tmp_path), num_process=2, process_id=i, experiment_id="both")
        for i in (0, 1)
    ]
    results: dict[int, object] = {}

    def collect(rank: int) -> None:
        metrics[rank].add_batch(predictions=PREDICTIONS[rank::2], references=REFERENCES[rank::2])
        results[rank] = metrics[rank].compute(labels=NAMES, confusion_matrix=True)

    threads = [threading.Thread(target=collect, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert results == {0: scores(PREDICTIONS, REFERENCES, NAMES, confusion_matrix=True), 1: None}


def test_pickled(metric: evaluate.Metric) -> None:
    assert pickle.loads(pickle.dumps(metric)).compute(predictions=[1], references=[1])["n"] == 1


def test_every_file_that_is_needed_travels() -> None:
    """evaluate copies the relative imports of the module itself, and takes a comment behind one for an address."""
    found = evaluate.loading.get_imports(str(ROOM / "ser_metrics.py"))
    assert {f"{name}.py" for kind, name, *_ in found if kind == "internal"} | {"ser_metrics.py"} == set(seed.SOURCES)
    assert not [name for kind, name, *_ in found if kind == "external"]
    for source in seed.SOURCES:
        for kind, name, *_ in evaluate.loading.get_imports(str(ROOM / source)):
            assert kind == "library" or f"{name}.py" in seed.SOURCES, f"{source} needs {name}.py"
            assert name != "ser_metrics", f"{source} imports the package, which a Space does not have"


def test_metric_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card's examples run, and its front matter is what the Hub wants of a metric's Space."""
    monkeypatch.chdir(tmp_path)
    assert doctest.testfile(str(ROOM / "README.md"), module_relative=False, encoding="utf-8").failed == 0
    _, front, body = (ROOM / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["sdk"] == "gradio"
    assert {"evaluate", "metric"} <= set(front["tags"])
    assert (ROOM / front["app_file"]).is_file()
    assert front["title"] and front["emoji"] and front["description"]
    assert body.strip().startswith("# Metric card")
