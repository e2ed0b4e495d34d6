"""The module as evaluate runs it: `add`, `add_batch`, `compute`, `combine`, and nothing cast on the way."""

import doctest
import pickle
from pathlib import Path

import evaluate
import numpy as np
import pytest
import torch
import yaml

import ser_metrics
from ser_metrics import scores

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
    with pytest.raises(ValueError, match="one configuration"):
        evaluate.load("ser_metrics", "dimensional")


def test_refused_by_compute_then_used_again(metric: evaluate.Metric) -> None:
    metric.add_batch(predictions=["joy", "angr"], references=["joy", "anger"])
    with pytest.raises(ValueError, match=r"predictions\[1\]: 'angr' .*Did you mean 'anger'"):
        metric.compute(labels=["joy", "anger"])
    first = metric._create_cache_file()  # evaluate's lock on its cache file was released with the refusal
    first[1].release()
    assert first[0].endswith("default_experiment-1-0.arrow")
    assert metric.compute(predictions=[1], references=[1])["n"] == 1


def test_pickled(metric: evaluate.Metric) -> None:
    assert pickle.loads(pickle.dumps(metric)).compute(predictions=[1], references=[1])["n"] == 1


def test_metric_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The card's examples run, and its front matter is what the Hub wants of a metric's Space."""
    monkeypatch.chdir(tmp_path)
    assert doctest.testfile(str(ROOM / "README.md"), module_relative=False, encoding="utf-8").failed == 0
    _, front, body = (ROOM / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    front = yaml.safe_load(front)
    assert front["sdk"] == "gradio"
    assert {"evaluate", "metric"} <= set(front["tags"])
    assert front["title"] and front["emoji"] and front["description"]
    assert body.strip().startswith("# Metric card")
