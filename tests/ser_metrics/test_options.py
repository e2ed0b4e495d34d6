"""What `scores` adds on request, against scikit-learn and by hand."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from ser_metrics import from_confusion, scores

EMOTIONS = ["anger", "happiness", "neutral", "other"]

sides = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=40)


@settings(max_examples=50)
@given(sides)
def test_micro_and_weighted_f1_equal_scikit_learn(drawn):
    predicted, actual, _ = map(list, zip(*drawn, strict=True))
    result = scores(predicted, actual, micro_f1=True, weighted_f1=True)
    for name in ("micro", "weighted"):
        expected = sk.f1_score(actual, predicted, average=name, zero_division=0)
        assert result[f"{name}_f1"] == pytest.approx(expected, abs=1e-12)
    assert result["micro_f1"] == pytest.approx(result["wa"])
    assert result["classes_present"] == sorted(set(actual))
    assert result["classes_absent"] == sorted(set(predicted) - set(actual))


@settings(max_examples=50)
@given(sides, st.sets(st.integers(0, 4), max_size=3), st.sampled_from([None, "present", "union", "declared"]))
def test_exclusion_equals_scikit_learn_on_the_rest(drawn, out, absent):
    """Rows with an excluded reference are dropped; its column stays as an error; the means pass over it."""
    predicted, actual, _ = map(list, zip(*drawn, strict=True))
    kept = [(p, a) for p, a in zip(predicted, actual, strict=True) if a not in out]
    declared = list(range(5))
    options = {"labels": declared, "absent": absent, "exclude": sorted(out)}
    if not kept:
        with pytest.raises(ValueError, match="nothing to score"):
            scores(predicted, actual, **options)
        return
    left_predicted, left_actual = map(list, zip(*kept, strict=True))
    counted = [i for i in declared if i not in out]
    present = [i for i in counted if i in left_actual]
    union = [i for i in counted if i in left_actual or i in left_predicted]
    over = {None: (present, union), "present": (present,) * 2, "union": (union,) * 2, "declared": (counted,) * 2}
    recall_over, f1_over = over[absent]
    result = scores(predicted, actual, micro_f1=True, weighted_f1=True, per_class=True, **options)
    means = {"average": "macro", "zero_division": 0}
    assert result["ua"] == pytest.approx(sk.recall_score(left_actual, left_predicted, labels=recall_over, **means))
    assert result["f1"] == pytest.approx(sk.f1_score(left_actual, left_predicted, labels=f1_over, **means))
    assert result["wa"] == pytest.approx(sk.accuracy_score(left_actual, left_predicted))
    for name in ("micro", "weighted"):
        expected = sk.f1_score(left_actual, left_predicted, labels=counted, average=name, zero_division=0)
        assert result[f"{name}_f1"] == pytest.approx(expected)
    assert (result["n"], result["n_excluded"]) == (len(kept), len(drawn) - len(kept))
    assert (result["classes_excluded"], list(result["per_class"])) == (sorted(out), counted)
    assert set(result["classes_present"]) | set(result["classes_absent"]) == set(counted)


@settings(max_examples=50)
@given(sides)
def test_groups_add_up(drawn):
    predicted, actual, group = map(list, zip(*drawn, strict=True))
    names = [f"speaker {i}" for i in group]
    assume(any(i < 4 for i in actual))
    result = scores(predicted, actual, range(5), groups=names, per_group=True, exclude=4, absent="declared")
    for name, values in result["per_group"].items():
        mine = [i for i, other in enumerate(names) if other == name]
        alone = scores([predicted[i] for i in mine], [actual[i] for i in mine], range(5), exclude=4, absent="declared")
        assert values == {key: pytest.approx(alone[key]) for key in ("ua", "wa", "f1", "n")}
    assert sum(values["n"] for values in result["per_group"].values()) == result["n"]
    without = scores(predicted, actual, range(5), exclude=4, absent="declared")
    assert {key: result[key] for key in without} == without


@settings(max_examples=50)
@given(sides, st.sampled_from([None, "present", "union", "declared"]))
def test_a_stored_matrix_scores_as_what_it_counted(drawn, absent):
    predicted, actual, _ = map(list, zip(*drawn, strict=True))
    options = {"absent": absent, "per_class": True, "confusion_matrix": True, "micro_f1": True, "weighted_f1": True}
    result = scores(predicted, actual, labels=range(5), **options)
    assert from_confusion(result["confusion_matrix"], range(5), **options) == result


def test_exclusion_by_hand():
    references = ["anger", "anger", "happiness", "other", "other"]
    predictions = ["anger", "other", "happiness", "anger", "other"]
    result = scores(predictions, references, EMOTIONS, exclude="other", confusion_matrix=True, micro_f1=True)
    assert (result["n"], result["n_excluded"], result["classes_excluded"]) == (3, 2, ["other"])
    assert (result["wa"], result["ua"]) == (pytest.approx(2 / 3), (1 / 2 + 1) / 2)
    assert result["f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert result["micro_f1"] == pytest.approx(2 * 2 / (3 + 2))  # two of three decisions were for classes that count
    assert result["confusion_matrix"] == [[1, 0, 0, 1], [0, 1, 0, 0], [0] * 4, [0] * 4]
    assert result["classes_absent"] == ["neutral"]
    assert json.loads(json.dumps(result)) == result
    assert scores([0, 1, 1], [0, 1, 2], exclude=[2, 9])["wa"] == 1  # undeclared: 9 need not occur


BAD = {
    "unknown": ({"exclude": "othr"}, r"exclude\[0\]: 'othr' .*Did you mean 'other'"),
    "all": ({"exclude": EMOTIONS}, r"exclude: all classes 'anger', .* are excluded"),
    "bool": ({"exclude": True}, r"exclude: True \(bool\) is no sequence"),
    "name, undeclared": ({"exclude": "other", "labels": None}, r"exclude\[0\]: 'other' .*labels="),
    "groups short": ({"groups": ["A"]}, r"groups has 1 entries and references 3: references\[1\]"),
    "groups float": ({"groups": [0.5, 1, 1]}, r"groups\[0\]: 0\.5"),
    "no groups": ({"per_group": True}, r"per_group=True speaks of groups"),
    "level": ({"confidence": 95}, r"confidence=95 is no level"),
    "level a bool": ({"confidence": True}, r"confidence=True is no level"),
    "seed": ({"confidence": 0.95, "seed": -1}, r"seed=-1 is no seed"),
    "few groups": ({"confidence": 0.95, "groups": [1, 2, 3]}, r"groups: 3 groups are too few .* at least 6"),
    "scores are, without": ({"scores_are": "logits"}, r"scores_are='logits' speaks of prediction_scores"),
    "both": ({"prediction_scores": np.eye(3)}, r"predictions and prediction_scores: both decide"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_options_are_refused(case):
    change, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        scores(**{"predictions": [0, 1, 1], "references": [0, 1, 2], "labels": EMOTIONS} | change)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[1, 2]], r"shape \(1, 2\) is not \(K, K\)"),
        ([[0.5, 0.5], [0, 1]], "does not hold counts"),
        ([[1, -1], [0, 1]], "does not hold counts"),
        ([[1]], "does not go with 4 labels"),
        ([[0] * 4] * 4, "nothing to score"),
    ],
)
def test_bad_matrices_are_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        from_confusion(matrix, EMOTIONS)
