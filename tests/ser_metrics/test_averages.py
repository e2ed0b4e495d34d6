"""Averages over folds and corpora, and the averages that papers printed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_metrics import averages, from_confusion, published

# 12-pair means of EmoBox's Table 5, worked out independently when the table was transcribed.
EMOBOX_CROSS = {
    "Whisper large v3": 46.85, "WavLM large": 38.49, "HuBERT large": 37.56, "HuBERT base": 35.34,
    "data2vec 2.0 large": 33.69, "WavLM base": 33.44, "data2vec 2.0 base": 32.62, "data2vec large": 31.32,
    "data2vec base": 31.13, "wav2vec 2.0 base": 27.67,
}  # fmt: skip

DOUBTFUL = {
    ("exhubert_table1", "HuBERT Large EmoSet++"),
    ("exhubert_table2", "W2V2 Emotion"),
    ("exhubert_table2", "W2V2 XLS-R"),
    ("exhubert_table2", "ExHuBERT Large LS960"),
    ("generalize_table1", "calm"),
    *(("generalize_table3", f"{name}") for name in ("e4_comb_original", "e4_comb_smote", "e4_separate")),
    *(("generalize_table3", f"{name}") for name in ("e5_comb_smote", "e5_comb_adasyn", "e5_separate", "n_separate")),
}


def test_printed_averages_recompute_but_for_those_named():
    told = published.recomputed()
    assert {(one.table, one.of) for one in told if not one.agrees} == DOUBTFUL
    count = {name: sum(one.table == name for one in told) for name in published.names()}
    assert {name: n for name, n in count.items() if n} == {
        "emobox_table1": 3, "exhubert_table1": 8, "exhubert_table2": 8, "generalize_table1": 19,
        "generalize_table3": 11, "serab_table3": 39, "serevals_table1": 19, "serevals_table3": 45,
    }  # fmt: skip
    assert published.NOTES.keys() <= DOUBTFUL
    assert all(abs(float(one.printed) - one.value) < 1e-6 for one in told if one.table == "serevals_table3")
    swapped = {one.of: one.value for one in told if one.table == "exhubert_table2"}
    assert [round(swapped[name], 2) for name in ("W2V2 Emotion", "W2V2 XLS-R")] == [54.70, 52.05]


def test_a_changed_cell_is_noticed(monkeypatch):
    """Rounding tolerances must not hide a wrong digit in a cell that weighs."""
    read = published.table

    def changed(name):
        rows = read(name)
        if name == "serab_table3":
            rows[0]["AES"] = "55.6"
        return rows

    monkeypatch.setattr(published, "table", changed)
    assert not all(one.agrees for one in published.recomputed() if one.of.endswith("YAMNet"))


def test_emobox_cross_corpus():
    cells = {}
    for row in published.table("emobox_table5"):
        cells.setdefault(row["model"], {})[row["row"], row["column"]] = float(row["acc"])
    means = {model: averages.emobox_cross(matrix) for model, matrix in cells.items()}
    assert means == pytest.approx(EMOBOX_CROSS, abs=0.0051)
    turned = {(test, train): value for (train, test), value in cells["WavLM large"].items()}
    assert averages.emobox_cross(turned) == pytest.approx(averages.emobox_cross(cells["WavLM large"]))


def test_tables_are_named():
    assert len(published.names()) == 17
    assert all(published.table(name) for name in published.names())
    with pytest.raises(ValueError, match="'serab_table4' is no published table. Did you mean 'serab_table"):
        published.table("serab_table4")


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 5000)), min_size=1, max_size=9))
def test_serab_laws(drawn):
    accuracies = {str(i): value for i, (value, _) in enumerate(drawn)}
    told = averages.serab(accuracies, {str(i): n for i, (_, n) in enumerate(drawn)})
    values = list(accuracies.values())
    for mean in told.values():
        assert min(values) - 1e-6 <= mean <= max(values) + 1e-6
    assert told["gm"] <= told["um"] + 1e-6
    equal = averages.serab(accuracies, dict.fromkeys(accuracies, 7))
    assert equal["wm"] == pytest.approx(equal["um"])


@given(
    st.lists(st.lists(st.integers(0, 9), min_size=9, max_size=9).filter(lambda row: sum(row)), min_size=1, max_size=5)
)
def test_folds(drawn):
    matrices = [np.reshape(row, (3, 3)) for row in drawn]
    told = averages.over_folds(matrices, ["a", "b", "c"], "union")
    each = [from_confusion(matrix, ["a", "b", "c"], "union") for matrix in matrices]
    for name in ("ua", "wa", "f1"):
        assert told["fold_mean"][name] == pytest.approx(sum(fold[name] for fold in each) / len(each))
        assert told["pooled"][name] == pytest.approx(from_confusion(sum(matrices), absent="union")[name])
    alike = averages.over_folds([matrices[0]] * 3)
    assert alike["fold_mean"] == pytest.approx(alike["pooled"])


def test_pooled_is_not_the_mean_of_folds():
    """A class that one fold lacks, and folds of different sizes."""
    told = averages.over_folds([[[4, 0], [0, 0]], [[0, 0], [1, 1]]])
    assert (told["fold_mean"]["ua"], told["pooled"]["ua"]) == (0.75, 0.75)
    told = averages.over_folds([[[8, 0], [0, 2]], [[0, 2], [0, 2]]])
    assert (told["fold_mean"]["ua"], told["pooled"]["ua"]) == (0.75, 0.9)
    assert (told["fold_mean"]["wa"], told["pooled"]["wa"]) == (0.75, pytest.approx(12 / 14))


def test_lambda_weighs_the_deviations():
    cells = {("a", "a"): 0.8, ("b", "b"): 0.6, ("a", "b"): 0.3, ("b", "a"): 0.2, ("c", "c"): 0.7, ("a", "c"): 0.9}
    told = {penalty: averages.serevals(cells, ["a", "b"], penalty) for penalty in (0.0, 1.0, 2.0)}
    assert told[1.0]["ood_mean"] == pytest.approx(0.25)  # c is not eligible
    assert told[1.0]["id_mean"] == pytest.approx(0.7)
    assert told[0.0]["weighted"] == pytest.approx(0.475)
    assert told[0.0]["weighted"] - told[1.0]["weighted"] == pytest.approx(told[1.0]["weighted"] - told[2.0]["weighted"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: averages.serab({"AES": 1.0}, {"AES": 1, "CAF": 2}), r"accuracies: no task 'CAF'"),
        (lambda: averages.serab({"AES": 1.0, "CAFE": 2.0}, {"AES": 1}), r"sizes: no task 'CAFE'"),
        (lambda: averages.serab({"AES": -1.0}, {"AES": 1}), "accuracies from 0"),
        (lambda: averages.serab({}, {}), "one task at least"),
        (lambda: averages.emobox_cross({("a", "b"): 1.0}), r"no value for training on 'b' and testing on 'a'"),
        (lambda: averages.emobox_cross({("a", "a"): 1.0}), "two corpora"),
        (lambda: averages.serevals({("a", "a"): 1.0}, ["a", "b"]), "two of each"),
        (lambda: averages.serevals({("a", "a"): 1.0, ("b", "b"): 1.0}, ["a", "b"]), "no value for training on 'a'"),
        (lambda: averages.over_folds([]), "no fold"),
        (lambda: averages.over_folds([[[1]], [[1, 0], [0, 1]]]), r"matrices\[1\]: shape \(2, 2\)"),
    ],
)
def test_incomplete_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
