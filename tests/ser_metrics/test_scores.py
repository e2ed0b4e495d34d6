"""`scores` and `confusion` against hand-worked matrices, against scikit-learn, and against bad input."""

import json
import math
import warnings

import numpy as np
import pyarrow as pa
import pytest
import torch
from datasets import Dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from ser_metrics import confusion, scores

EMOTIONS = ["anger", "happiness", "neutral", "sadness"]
CONVENTIONS = (None, "present", "union", "declared")


def sides(matrix: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return predictions and references whose confusion matrix this is."""
    cells = [(j, i) for i, row in enumerate(matrix) for j, count in enumerate(row) for _ in range(count)]
    predictions, references = zip(*cells, strict=True)
    return list(predictions), list(references)


# Each: confusion matrix, n, WA, then per convention UA and macro F1, worked by hand from recall_i = C_ii / n_i and
# F1_i = 2 C_ii / (n_i + m_i).
WORKED = {
    "only anger is present": (
        [[3, 1, 0, 0], [0] * 4, [0] * 4, [0] * 4],
        (4, 3 / 4),
        {None: (3 / 4, 6 / 7 / 2), "present": (3 / 4, 6 / 7), "union": (3 / 8, 6 / 14), "declared": (3 / 16, 6 / 28)},
        ["happiness", "neutral", "sadness"],
    ),
    "sadness is predicted but absent": (
        [[6, 1, 0, 1], [1, 2, 0, 1], [0, 0, 3, 1], [0, 0, 0, 0]],
        (16, 11 / 16),
        {
            None: (2 / 3, (12 / 15 + 4 / 7 + 6 / 7 + 0) / 4),
            "present": (2 / 3, (12 / 15 + 4 / 7 + 6 / 7) / 3),
            "union": (1 / 2, (12 / 15 + 4 / 7 + 6 / 7) / 4),
            "declared": (1 / 2, (12 / 15 + 4 / 7 + 6 / 7) / 4),
        },
        ["sadness"],
    ),
    "all present": (
        [[2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]],
        (6, 4 / 6),
        dict.fromkeys((*CONVENTIONS, "raise"), ((1 + 1 / 2 + 1 + 0) / 4, (4 / 5 + 2 / 3 + 2 / 3 + 0) / 4)),
        [],
    ),
}


@pytest.mark.parametrize("case", WORKED)
def test_worked_matrices(case: str) -> None:
    matrix, (n, wa), values, absent_classes = WORKED[case]
    predictions, references = sides(matrix)
    for absent, (ua, f1) in values.items():
        result = scores(predictions, references, EMOTIONS, absent, confusion_matrix=True)
        assert (result["n"], result["wa"]) == (n, pytest.approx(wa))
        assert (result["ua"], result["uar"], result["f1"]) == pytest.approx((ua, ua, f1))
        assert result["absent"] == (absent or "recall over present, f1 over union")
        assert result["classes_absent"] == absent_classes
        assert (result["confusion_matrix"], result["labels"]) == (matrix, EMOTIONS)


def test_figures_of_the_design_sheet() -> None:
    """The decimals that papers would print, so that the fractions above cannot err in the same way."""
    first = {a: scores([0, 0, 0, 1], [0] * 4, EMOTIONS, a) for a in CONVENTIONS}
    assert [(round(r["ua"], 4), round(r["f1"], 3)) for r in first.values()] == [
        (0.75, 0.429), (0.75, 0.857), (0.375, 0.429), (0.1875, 0.214)
    ]  # fmt: skip
    second = scores(*sides(WORKED["sadness is predicted but absent"][0]), EMOTIONS)
    assert [round(second[key], 4) for key in ("wa", "ua")] == [0.6875, 0.6667]
    assert round(second["f1"], 3) == 0.557


def test_per_class_has_none_where_a_rate_is_undefined() -> None:
    result = scores(*sides(WORKED["only anger is present"][0]), EMOTIONS, per_class=True, confusion_matrix=True)
    assert result["per_class"] == {
        "anger": {"recall": 0.75, "precision": 1.0, "f1": pytest.approx(6 / 7), "support": 4},
        "happiness": {"recall": None, "precision": 0.0, "f1": 0.0, "support": 0},
        "neutral": {"recall": None, "precision": None, "f1": None, "support": 0},
        "sadness": {"recall": None, "precision": None, "f1": None, "support": 0},
    }
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert all(type(result[key]) is float for key in ("ua", "wa", "f1", "uar"))
    assert type(result["n"]) is int


def test_one_class_in_the_references() -> None:
    assert scores([1, 0, 0], [1, 1, 1])["ua"] == pytest.approx(1 / 3)  # UA is its recall


def test_declared_ids_need_not_count_from_zero_nor_ascend() -> None:
    matrix, classes = confusion([7, 3, 3], [7, 7, 5], labels=[7, 3, 5])
    assert (matrix.tolist(), classes) == ([[1, 1, 0], [0, 0, 0], [0, 1, 0]], [7, 3, 5])
    matrix, classes = confusion([10**12, 4], [10**12, 10**12])
    assert (matrix.tolist(), classes) == ([[0, 0], [1, 1]], [4, 10**12])


@st.composite
def decisions(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    """Draw a number of classes, predictions and references; small counts, so that classes are often absent."""
    size = draw(st.integers(1, 6))
    cells = draw(st.lists(st.tuples(*[st.integers(0, size - 1)] * 2), min_size=1, max_size=40))
    predictions, references = zip(*cells, strict=True)
    return size, list(predictions), list(references)


@settings(max_examples=50)
@given(decisions())
def test_equals_scikit_learn(drawn: tuple[int, list[int], list[int]]) -> None:
    size, predicted, actual = drawn
    declared, present = list(range(size)), sorted(set(actual))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of classes that are absent
        balanced = sk.balanced_accuracy_score(actual, predicted)
        means = {
            None: (balanced, sk.f1_score(actual, predicted, average="macro")),
            **{
                absent: tuple(
                    score(actual, predicted, labels=over, average="macro", zero_division=0)
                    for score in (sk.recall_score, sk.f1_score)
                )
                for absent, over in (("present", present), ("union", None), ("declared", declared))
            },
        }
        declared_matrix = sk.confusion_matrix(actual, predicted, labels=declared)
        undeclared_matrix = sk.confusion_matrix(actual, predicted)
        rates = sk.precision_recall_fscore_support(actual, predicted, labels=declared, zero_division=np.nan)
    for absent, (ua, f1) in means.items():
        result = scores(predicted, actual, declared, absent, per_class=True, confusion_matrix=True)
        assert (result["ua"], result["f1"]) == pytest.approx((ua, f1), abs=1e-12), absent
        assert result["wa"] == pytest.approx(sk.accuracy_score(actual, predicted), abs=1e-12)
    assert result["confusion_matrix"] == declared_matrix.tolist()
    for row, values in zip(result["per_class"].values(), np.transpose(rates), strict=True):
        ours = [math.nan if row[key] is None else row[key] for key in ("precision", "recall", "f1", "support")]
        assert ours == pytest.approx(list(values), nan_ok=True)

    undeclared = scores(predicted, actual, confusion_matrix=True)
    assert (undeclared["ua"], undeclared["f1"]) == pytest.approx(means[None], abs=1e-12)
    assert undeclared["confusion_matrix"] == undeclared_matrix.tolist()
    assert undeclared["labels"] == sorted({*predicted, *actual})


@given(decisions(), st.randoms(use_true_random=False))
def test_laws(drawn: tuple[int, list[int], list[int]], random: object) -> None:
    size, predicted, actual = drawn
    plain = {absent: scores(predicted, actual, list(range(size)), absent) for absent in CONVENTIONS}

    order, ids = list(range(len(actual))), list(range(size))
    random.shuffle(order), random.shuffle(ids)
    shuffled = [predicted[i] for i in order], [actual[i] for i in order]
    renamed = [f"c{ids[i]}" for i in predicted], [ids[i] for i in actual]  # names on one side, ids on the other
    for absent, expected in plain.items():
        for other in (
            scores(*shuffled, list(range(size)), absent),
            scores(*renamed, [f"c{i}" for i in range(size)], absent),
        ):
            for key in ("ua", "wa", "f1", "uar", "n", "absent"):
                assert other[key] == pytest.approx(expected[key]), (absent, key)
        assert expected["ua"] == expected["uar"]
        assert all(0 <= expected[key] <= 1 for key in ("ua", "wa", "f1"))
    assert plain["declared"]["ua"] <= plain["union"]["ua"] + 1e-12
    assert plain["union"]["ua"] <= plain["present"]["ua"] + 1e-12

    perfect = scores(actual, actual)
    assert [perfect[key] for key in ("ua", "wa", "f1", "uar")] == [1, 1, 1, 1]
    matrix, _ = confusion(predicted, actual, list(range(size)))
    assert np.array_equal(matrix.T, confusion(actual, predicted, list(range(size)))[0])


FORMS = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "array": np.array,
    "int8": lambda ids: np.array(ids, dtype=np.int8),
    "uint64": lambda ids: np.array(ids, dtype=np.uint64),
    "big endian": lambda ids: np.array(ids, dtype=">i4"),
    "strided": lambda ids: np.repeat(ids, 2)[::2],
    "objects": lambda ids: np.array(ids, dtype=object),
    "list of scalars": lambda ids: [np.int32(i) for i in ids],
    "list of tensors": lambda ids: [torch.tensor(i) for i in ids],
    "tensor": torch.tensor,
    "arrow": pa.array,
    "arrow chunks": lambda ids: pa.chunked_array([ids]),
    "data set": lambda ids: Dataset.from_dict({"emotion": ids})["emotion"],
    "data set of tensors": lambda ids: Dataset.from_dict({"emotion": ids}).with_format("torch")["emotion"],
    "pandas": lambda ids: Dataset.from_dict({"emotion": ids}).to_pandas()["emotion"],
    "names": lambda ids: [EMOTIONS[i] for i in ids],
    "array of names": lambda ids: np.array(EMOTIONS)[ids],
    "list of NumPy names": lambda ids: [np.str_(EMOTIONS[i]) for i in ids],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_every_form_of_column(form: object) -> None:
    predictions, references = [0, 1, 3, 3], [0, 1, 2, 3]
    expected = scores(predictions, references, EMOTIONS, confusion_matrix=True)
    assert scores(form(predictions), references, EMOTIONS, confusion_matrix=True) == expected
    assert scores(predictions, form(references), np.array(EMOTIONS), confusion_matrix=True) == expected


OK = [0, 1, 1]
BAD = {
    "lengths": ({"predictions": [0, 1, 1, 0]}, r"predictions has 4 entries and references 3: predictions\[3\] has no"),
    "lengths, references": ({"references": [0]}, r"predictions has 3 .* references 1: predictions\[1\]"),
    "empty": ({"predictions": [], "references": []}, r"predictions: no entry"),
    "empty array": ({"predictions": np.array([], dtype=int)}, r"predictions: no entry"),
    "float": ({"predictions": [0, 0.9, 1]}, r"predictions\[1\]: 0\.9 \(float\) is no class id or name.* argmax"),
    "whole float": ({"references": [0, 1, 1.0]}, r"references\[2\]: 1\.0 \(float\)"),
    "float array": ({"predictions": np.zeros(3)}, r"predictions\[0\]: 0\.0 \(float\)"),
    "float tensor": ({"predictions": torch.zeros(3)}, r"predictions\[0\]: 0\.0 \(float\)"),
    "tensor with gradient": ({"predictions": torch.zeros(3, requires_grad=True)}, r"predictions: .*grad"),
    "tensor elsewhere": ({"predictions": torch.zeros(3, device="meta")}, r"predictions: no array can be read"),
    "NaN": ({"references": [0, 1, math.nan]}, r"references\[2\]: nan \(float\).* drop missing values"),
    "bool": ({"predictions": [0, 1, True]}, r"predictions\[2\]: True \(bool\).* int\(\)"),
    "bool array": ({"predictions": np.array([True] * 3)}, r"predictions\[0\]: True \(bool\)"),
    "bool scalar": ({"predictions": [0, np.True_, 1]}, r"predictions\[1\]: True \(bool\)"),
    "none": ({"references": [0, None, 1]}, r"references\[1\]: None .* Drop utterances"),
    "null": ({"references": pa.array([0, None, 1])}, r"references\[1\]: None "),
    "masked": ({"references": np.ma.array(OK, mask=[0, 1, 0])}, r"references\[1\]: None "),
    "missing side": ({"references": None}, r"references: None \(NoneType\) is no sequence"),
    "one string": ({"predictions": "011"}, r"predictions: '011' \(str\) is no sequence"),
    "one number": ({"predictions": 1}, r"predictions: 1 \(int\) is no sequence"),
    "set": ({"predictions": {0, 1, 2}}, r"predictions: \{0, 1, 2\} \(set\) is no sequence"),
    "scores": ({"predictions": np.zeros((3, 4))}, r"predictions: .*\(3, 4\) .* predictions\.argmax\(axis=-1\)"),
    "nested list": ({"predictions": [[0.9, 0.1], [0, 1], [0, 1]]}, r"predictions\[0\]: \[0\.9, .*\(list\).*argmax"),
    "complex": ({"predictions": [0, 1j, 1]}, r"predictions\[1\]: 1j \(complex\)"),
    "bytes": ({"predictions": [b"a"] * 3}, r"predictions\[0\]: b'a' \(bytes\)"),
    "ids and names": ({"predictions": [0, "anger", 1]}, r"predictions\[1\]: 'anger' .* does not go with .*\[0\], 0"),
    "number as a string": ({"predictions": ["0", "1", "1"], "labels": [0, 1]}, r"predictions\[0\]: '0' .*are integers"),
    "name, no labels": ({"predictions": ["anger"] * 3}, r"predictions\[0\]: 'anger' .*labels=\[\.\.\.\]"),
    "unknown name": ({"references": ["anger", "angr", ""], "labels": EMOTIONS}, r"references\[1\]: 'angr' .*'anger'"),
    "other case": ({"references": ["Anger"] * 3, "labels": EMOTIONS}, r"references\[0\]: 'Anger' .* mean 'anger'\?"),
    "negative": ({"references": [0, 1, -100]}, r"references\[2\]: -100 is no class id: ids count from 0"),
    "negative, small": ({"references": np.array([0, -1, 1], dtype=np.int8)}, r"references\[1\]: -1 is no class id"),
    "negative, labels": ({"predictions": [0, -1, 1], "labels": EMOTIONS}, r"predictions\[1\]: -1 .* ids 0 to 3 of"),
    "out of range": ({"predictions": [0, 4, 1], "labels": EMOTIONS}, r"predictions\[1\]: 4 .* ids 0 to 3 of"),
    "not a declared id": ({"predictions": [0, 4, 1], "labels": [0, 1, 5]}, r"predictions\[1\]: 4 .*classes 0, 1, 5"),
    "beyond 64 bits": ({"predictions": [0, 2**63, 1]}, r"predictions\[1\]: 9223372036854775808 .*64 bits"),
    "label twice": ({"labels": ["joy", "sad", "joy"]}, r"labels\[2\]: 'joy' is declared twice"),
    "label float": ({"labels": [0, 1.5]}, r"labels\[1\]: 1\.5 \(float\)"),
    "label negative": ({"labels": [0, -1]}, r"labels\[1\]: -1 "),
    "labels empty": ({"labels": []}, r"labels: no entry"),
    "labels one string": ({"labels": "anger"}, r"labels: 'anger' \(str\) is no sequence"),
    "labels a dict": ({"labels": {0: "anger"}}, r"labels: \{0: 'anger'\} \(dict\) is no sequence"),
    "absent unknown": ({"absent": "presence"}, r"absent='presence' is no convention\. Did you mean 'present'\?"),
    "absent a number": ({"absent": 0}, r"absent=0 is no convention"),
    "absent, undeclared": ({"absent": "declared"}, r"absent='declared' .* labels=\[\.\.\.\]"),
    "raise, undeclared": ({"absent": "raise"}, r"absent='raise' .* labels=\[\.\.\.\]"),
    "raise": ({"absent": "raise", "labels": EMOTIONS}, r"references: no utterance of .*'neutral', 'sadness'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_by_name(case: str) -> None:
    change, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        scores(**{"predictions": OK, "references": OK} | change)
