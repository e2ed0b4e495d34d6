"""Arousal, valence, dominance: the definitions, their edges, bad input."""

import json
import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sk

from ser_metrics import dimensional_scores

X, Y = [1, 2, 3, 4, 5], [1.5, 2, 2.5, 4, 4.5]


def one(x, y, **options):
    return dimensional_scores(np.reshape(x, (-1, 1)), np.reshape(y, (-1, 1)), ["arousal"], **options)["arousal"]


def test_the_example_of_the_design_sheet():
    told = one(X, Y)
    assert [round(told[name], 4) for name in ("pearson", "ccc", "rmse")] == [0.9774, 0.9552, 0.3873]
    assert told["ccc"] != pytest.approx(0.9558, abs=1e-4)  # what the divisor N - 1 would give


@given(st.lists(st.tuples(*[st.integers(0, 40)] * 2), min_size=3, max_size=40))
def test_equals_scipy_and_scikit_learn(drawn):
    x, y = (np.array(side) / 8 for side in zip(*drawn, strict=True))
    told = one(x, y)
    assert told["mae"] == pytest.approx(sk.mean_absolute_error(y, x))
    assert told["rmse"] == pytest.approx(sk.root_mean_squared_error(y, x))
    if np.ptp(x) and np.ptp(y):
        r = stats.pearsonr(x, y).statistic
        assert told["pearson"] == pytest.approx(r, abs=1e-9)
        lin = 2 * r * x.std() * y.std() / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
        assert told["ccc"] == pytest.approx(lin, abs=1e-9)
    else:
        assert told["pearson"] is None
        assert told["ccc"] == (None if (x == y).all() else 0)
    assert one(y, x) == pytest.approx(told)


def test_constants():
    flat = one([0.1] * 7, [0.1, 0.2] * 3 + [0.1])
    assert (flat["ccc"], flat["pearson"]) == (0, None)
    assert (flat["rmse"], flat["mae"]) == (pytest.approx(np.sqrt(3 / 7) / 10), pytest.approx(3 / 70))
    assert one([0.1] * 7, [0.1] * 7)["ccc"] is None
    both = dimensional_scores([[1, 1], [2, 1]], [[1, 1], [2, 1]], ["arousal", "valence"])
    assert both["ccc"] is None
    assert json.loads(json.dumps(both, allow_nan=False)) == both


@pytest.mark.parametrize(
    "form",
    [np.array, torch.tensor, pa.array, lambda rows: [np.array(row) for row in rows], lambda rows: map(tuple, rows)],
)
def test_forms(form):
    rows = [[1, 2.5, 3], [2, 2, 5], [3, 4, 4.5]]
    assert dimensional_scores(form([[float(v) for v in row] for row in rows]), rows)["ccc"] == pytest.approx(1)


BAD = {
    "flat": ({"predictions": [1, 2]}, r"predictions: shape \(2,\) .* predictions\.reshape\(-1, 1\)"),
    "columns": ({"predictions": [[1, 2]]}, r"predictions: shape \(1, 2\) is not \(utterances, 3\)"),
    "rows": ({"predictions": [[1, 2, 3]]}, r"predictions has 1 rows and references 2"),
    "NaN": ({"references": [[1, 2, 3], [1, math.nan, 3]]}, r"references\[1\]\[1\]: nan is no rating"),
    "None": ({"references": [[1, 2, 3], [1, None, 3]]}, r"references\[1\]\[1\]: None \(NoneType\) is no rating"),
    "string": ({"predictions": [["1", 2, 3]] * 2}, r"predictions\[0\]\[0\]: '1' \(str\) is no rating"),
    "bool": ({"predictions": [(True, 2, 3)] * 2}, r"predictions\[0\]\[0\]: True \(bool\) is no rating"),
    "bools": ({"predictions": np.full((2, 3), True)}, r"predictions\[0\]\[0\]: .*True.* is no rating"),
    "ragged": ({"predictions": [[1, 2, 3], [1]]}, r"predictions: no array can be read"),
    "empty": ({"predictions": []}, r"predictions: shape"),
    "outside": ({"scale": (1, 5)}, r"references\[1\]\[2\]: 6\.0 for dominance lies outside the scale 1 to 5"),
    "scale": ({"scale": (5, 1)}, r"scale=\(5, 1\): pass the lowest and the highest"),
    "names": ({"dimensions": ["valence"] * 3}, r"name each column once"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case):
    change, message = BAD[case]
    given_input = {"predictions": [[1, 2, 3]] * 2, "references": [[1, 2, 3], [4, 5, 6]]} | change
    with pytest.raises(ValueError, match=message):
        dimensional_scores(**given_input)
