"""Logits and probabilities: what they decide, how they are told apart, how well they are calibrated."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import top_k_accuracy_score

from ser_metrics import scores
from ser_metrics.decisions import calibration_error, decide

EVERY = np.array([True, True, True])


def test_the_calibration_example_of_the_design_sheet():
    confidence = np.array([0.95, 0.90, 0.85, 0.70, 0.65, 0.60, 0.55, 0.40])
    right = np.array([1, 1, 0, 1, 0, 1, 1, 0], dtype=bool)
    assert calibration_error(confidence, right) == pytest.approx(0.300)
    assert calibration_error(confidence, right, bins=5) == pytest.approx(0.2875)
    assert calibration_error(confidence.astype(np.float32), right) == pytest.approx(0.300)  # 0.7 and 0.6 are edges


def by_loops(confidence, right, bins=10):
    total = 0.0
    for m in range(1, bins + 1):
        inside = [i for i, c in enumerate(confidence) if (m - 1) / bins < c <= m / bins]
        if inside:
            gap = np.mean([right[i] for i in inside]) - np.mean([confidence[i] for i in inside])
            total += len(inside) / len(confidence) * abs(gap)
    return total


@given(st.lists(st.tuples(st.floats(0.01, 1), st.booleans()), min_size=1, max_size=50))
def test_calibration_error_equals_its_definition(drawn):
    confidence, right = map(np.array, zip(*drawn, strict=True))
    assert calibration_error(confidence, right) == pytest.approx(by_loops(confidence, right))


@settings(max_examples=50)
@given(arrays(float, (12, 4), elements=st.floats(-20, 20)), st.integers(0, 1000))
def test_logits_and_their_softmax_decide_alike(logits, seed):
    references = np.random.default_rng(seed).integers(0, 4, 12)
    references[:4] = range(4)
    softmax = torch.softmax(torch.tensor(logits), dim=1)
    told = [
        scores(references=references, prediction_scores=given, scores_are=kind)
        for given, kind in ((logits, "logits"), (softmax, None), (torch.log(softmax + 1e-300), "logits"))
    ]
    assert [one["scores_are"] for one in told] == ["logits", "probabilities", "logits"]
    if len(np.unique(softmax.numpy(), axis=1)) and all(len(set(row)) == 4 for row in softmax.numpy().tolist()):
        assert told[0]["wa"] == told[1]["wa"] == told[2]["wa"]
        assert told[0]["top2"] == pytest.approx(top_k_accuracy_score(references, logits, k=2))
        assert told[0]["ece"] == pytest.approx(told[1]["ece"], abs=1e-6)
        hard = scores(logits.argmax(axis=1), references, range(4))
        assert all(told[0][key] == hard[key] for key in ("ua", "wa", "f1", "classes_absent"))
    assert all(one["top2"] >= one["wa"] for one in told)


def test_ties_go_to_the_lower_position():
    told = decide([[0.5, 0.5, 0.0], [0.2, 0.4, 0.4], [1.0, 0.0, 0.0]], EVERY)
    assert (told.first.tolist(), told.second.tolist()) == ([0, 1, 0], [1, 2, 1])


def test_only_classes_that_count_are_decided_for():
    names = ["joy", "sad", "other"]
    logits = [[1.0, 0.0, 5.0], [0.0, 1.0, 5.0], [3.0, 0.0, 9.0], [-math.inf, -math.inf, 1.0]]
    references = ["joy", "joy", "sad", "other"]  # the last says nothing about classes that count, and need not
    told = scores(references=references, prediction_scores=logits, labels=names, exclude="other")
    assert (told["n"], told["n_excluded"], told["wa"], told["top2"]) == (3, 1, pytest.approx(1 / 3), 1.0)
    sure = [1 / (1 + math.exp(-margin)) for margin in (1, 1, 3)]
    assert told["ece"] == pytest.approx(by_loops(sure, [True, False, False]))
    probabilities = decide([[0.1, 0.3, 0.6]], np.array([True, True, False]))
    assert probabilities.confidence.tolist() == pytest.approx([0.75])
    alone = decide([[0.1, 0.3, 0.6]], np.array([True, False, False]))
    assert alone.first.tolist() == alone.second.tolist() == [0]


def test_columns_belong_to_the_declared_classes():
    told = scores(references=[7, 3], prediction_scores=[[2.0, 0.0], [-1.0, 1.0]], labels=[7, 3])
    assert (told["wa"], told["classes_present"]) == (1.0, [7, 3])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_softmax_is_told(dtype):
    logits = torch.randn(200, 8, generator=torch.Generator().manual_seed(0)) * 3
    probabilities = torch.softmax(logits, dim=1).to(dtype).float()
    assert decide(probabilities, np.full(8, True)).scores_are == "probabilities"
    assert decide(logits.numpy().astype(np.float16), np.full(8, True)).scores_are == "logits"


GOOD = [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8], [1.0, 0.0, 0.0]]
BAD = {
    "one row wrong": (GOOD[:2] + [[0.2, 1.3, -0.5]], {}, r"\[2\]: \[0\.2, 1\.3, -0\.5\].*but other rows do"),
    "yes or no": ([[0.9, 0.8, 0.1]] * 3, {}, r"\[0\]: .* would hardly all lie in \[0, 1\].*scores_are='logits'"),
    "said to be": ([[2.0, 0.0, 0.0]] * 3, {"scores_are": "probabilities"}, r"\[0\]: .*these are no probabilities"),
    "unknown kind": (GOOD, {"scores_are": "logit"}, r"scores_are='logit': .*Did you mean 'logits'"),
    "NaN": (GOOD[:2] + [[0, math.nan, 0]], {}, r"prediction_scores\[2\]\[1\]: nan is no score"),
    "infinite": (GOOD[:2] + [[0, math.inf, 0]], {}, r"prediction_scores\[2\]\[1\]: inf is no score"),
    "too few rows": (GOOD[:2], {}, r"prediction_scores has 2 entries and references 3"),
    "one row": (GOOD[0], {}, r"prediction_scores: shape \(3,\)"),
    "columns": (GOOD, {"labels": ["joy", "sad"]}, r"shape \(3, 3\) is not \(utterances, 2\)"),
    "ragged": ([[1, 2, 3], [1, 2], [1, 2, 3]], {}, r"prediction_scores: no array"),
    "strings": ([["a", "b", "c"]] * 3, {}, r"prediction_scores: .* holds no numbers"),
    "nothing left": ([[0, 0, 1.0]] * 3, {"exclude": 2, "references": [0, 1, 1]}, r"\[0\]: .* rules out every class"),
    "unknown reference": (GOOD, {"references": [0, 1, 3]}, r"references\[2\]: 3 "),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_scores_are_refused(case):
    table, options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        scores(**{"references": [0, 1, 2], "prediction_scores": table} | options)
