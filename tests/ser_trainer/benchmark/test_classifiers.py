"""The search against scikit-learn's own grid search, on rows that are wide, tall and awkward."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.svm import SVC

from ser_trainer.benchmark.heads.classifiers import CLASSIFIERS, ClassifierError, Searched, choose, points, search
from ser_trainer.benchmark.heads.classifiers.lda import ledoit_wolf
from ser_trainer.benchmark.heads.classifiers.qda import QDA
from ser_trainer.benchmark.heads.classifiers.rf import RF
from ser_trainer.benchmark.heads.classifiers.rows import Rows

WIDE, TALL = 300, 5
TRAIN, VALIDATION, TEST = slice(0, 72), slice(72, 108), slice(108, 160)
ESTIMATORS = {
    "lda": LinearDiscriminantAnalysis(shrinkage="auto"),
    "lr": LogisticRegression(max_iter=10_000, random_state=42),
    "rf": RandomForestClassifier(random_state=42),
    "svc": SVC(max_iter=10_000, random_state=42),
}


def task(seed: int, width: int, classes: int, n: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Rows of overlapping classes, in dimensions of unlike sizes, one of them constant, and two equal rows."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.arange(n) % classes)
    means = rng.normal(0, 1.2 / np.sqrt(width), (classes, width)) * 3
    x = (means[y] + rng.normal(size=(n, width))) * rng.uniform(0.5, 2, width) + rng.normal(size=width)
    x[:, 1] = 7.0
    x[5] = x[6]
    return x, y * 10 + 3


def parts(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    return x[TRAIN], y[TRAIN], x[VALIDATION], y[VALIDATION], x[TEST]


def by_scikit_learn(name: str, x: np.ndarray, y: np.ndarray) -> GridSearchCV:
    grid = {key: list(dict.fromkeys(point[key] for point in points(name))) for key in points(name)[0]}
    fold = np.repeat([-1, 0], [72, 36])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return GridSearchCV(ESTIMATORS[name], grid, cv=PredefinedSplit(fold)).fit(x[:108], y[:108])


@pytest.mark.parametrize(("width", "classes"), [(WIDE, 4), (WIDE, 2), (TALL, 3)])
@pytest.mark.parametrize("name", ["lda", "lr", "svc"])
def test_choices_accuracies_and_predictions_are_those_of_scikit_learn(name, width, classes):
    x, y = task(width + classes, width, classes)
    theirs, (ours,) = by_scikit_learn(name, x, y), search(*parts(x, y), classifiers=[name])
    assert [point["validation"] for point in ours.grid] == theirs.cv_results_["mean_test_score"].tolist()
    assert [{**params} for params in theirs.cv_results_["params"]] == points(name)
    assert ours.params == theirs.best_params_ == points(name)[ours.best]
    assert ours.validation == theirs.best_score_
    assert ours.predictions.tolist() == theirs.predict(x[TEST]).tolist()


@pytest.mark.parametrize("class_weight", ["balanced", None])
def test_forests_hold_scikit_learns_trees_whether_or_not_they_were_grown_before(class_weight):
    x, y = task(0, 12, 3)
    y = np.where(np.arange(len(y)) % 7 == 0, 3, y)  # unequal classes
    rows = Rows.stacked(*parts(x, y))
    ours = RF(rows, 108, num_proc=2)
    deepest = RandomForestClassifier(max_depth=25, random_state=42, class_weight=class_weight).fit(x[:108], y[:108])
    depths = {tree.get_depth() for tree in deepest.estimators_}
    assert min(depths) < 10 <= max(depths), f"a limit of 10 must cut a part of the trees: {depths}"
    params = {"class_weight": class_weight, "max_depth": 10, "min_samples_split": 2}
    theirs = RandomForestClassifier(**params, random_state=42).fit(x[:108], y[:108])
    assert ours.predict(params, TEST)[0].tolist() == theirs.predict(x[TEST]).tolist()
    mine = ours._limited(ours._deepest[class_weight, 2], 10).set_params(n_jobs=1)
    assert (mine.predict_proba(x[TEST]) == theirs.predict_proba(x[TEST])).all()
    taken = {id(tree) for tree in mine.estimators_} & {id(tree) for tree in ours._deepest[class_weight, 2].estimators_}
    assert 0 < len(taken) < 100


def test_a_forest_is_selected_as_scikit_learn_selects_it(monkeypatch):
    from ser_trainer.benchmark.heads.classifiers import grid

    axes = {"class_weight": (None,), "max_depth": (5, 25), "min_samples_split": (10,)}
    monkeypatch.setitem(grid._GRIDS, "rf", axes)
    x, y = task(1, WIDE, 4)
    theirs, (ours,) = by_scikit_learn("rf", x, y), search(*parts(x, y), classifiers=["rf"])
    assert [point["validation"] for point in ours.grid] == theirs.cv_results_["mean_test_score"].tolist()
    assert ours.predictions.tolist() == theirs.predict(x[TEST]).tolist()


def test_qda_is_scikit_learns_where_classes_have_more_rows_than_dimensions():
    x, y = task(3, TALL, 3)
    x[:, 1] = np.random.default_rng(0).normal(size=len(x))
    ours = QDA(Rows.stacked(*parts(x, y)), 72, ddof=0)
    for params in points("qda"):
        theirs = QuadraticDiscriminantAnalysis(**params).fit(x[TRAIN], y[TRAIN])
        predictions, warning = ours.predict(params, TEST)
        assert predictions.tolist() == theirs.predict(x[TEST]).tolist()
        assert warning is None


def test_qda_of_few_rows_is_that_of_the_row_space_and_says_so():
    """Scores by the definition, in the wide space itself, against those in coordinates."""
    x, y = task(4, WIDE, 3)
    (ours,) = search(*parts(x, y), classifiers=["qda"])
    assert ours.skipped is None
    assert any("row space" in one for one in ours.warnings)
    scores = []
    for name in np.unique(y):
        mine = x[:108][y[:108] == name]
        _, s, v = np.linalg.svd(mine - mine.mean(0), full_matrices=False)
        s, v = s[s > 1e-9 * s[0]], v[s > 1e-9 * s[0]]
        scaled = (1 - ours.params["reg_param"]) * s**2 / (len(mine) - 1) + ours.params["reg_param"]
        apart = (x[TEST] - mine.mean(0)) @ v.T
        scores.append(np.log(len(mine) / 108) - 0.5 * ((apart**2 / scaled).sum(1) + np.log(scaled).sum()))
    assert ours.predictions.tolist() == np.unique(y)[np.argmax(scores, axis=0)].tolist()


def test_what_cannot_run_says_why_and_the_others_run():
    x, y = task(5, WIDE, 3)
    y[0] = 99  # a class of one row
    found = {one.classifier: one for one in search(*parts(x, y), classifiers=["lda", "qda"])}
    assert found["qda"].skipped == "qda: not run (class 99 has one row)"
    assert found["qda"].best is None
    assert found["lda"].skipped is None
    assert choose(list(found.values())) is found["lda"]


def test_a_class_that_train_lacks_counts_as_wrong_and_is_learned_by_the_refit():
    x, y = task(6, WIDE, 3)
    lacks = y[TRAIN] == 23
    y[TRAIN] = np.where(lacks, 3, y[TRAIN])
    for one in search(*parts(x, y), classifiers=["lda", "lr", "svc"]):
        assert one.validation <= np.mean(y[VALIDATION] != 23)
        assert set(one.predictions) <= {3, 13, 23}


def test_columns_that_are_all_constant_are_survived():
    x, y = task(7, WIDE, 3)
    for one in search(*parts(np.ones_like(x), y), classifiers=["lda", "lr", "svc", "qda"]):
        assert one.skipped or len(set(one.predictions)) == 1


def test_limits_of_iterations_are_told_and_not_printed(recwarn):
    x, y = task(8, 200, 2)
    rng = np.random.default_rng(0)
    (one,) = search(*parts(x[:, :2] * 1000, rng.permutation(y)), classifiers=["svc"])
    assert any("gave up after 10000 iterations" in text and "of 44 points" in text for text in one.warnings)
    assert not [warning for warning in recwarn if "early" in str(warning.message)]


def test_progress_hears_of_every_point():
    x, y = task(9, TALL, 2)
    heard = []
    search(*parts(x, y), classifiers=["qda", "lda"], progress=lambda *told: heard.append(told))
    assert heard == [("qda", 1, 3), ("qda", 2, 3), ("qda", 3, 3), ("lda", 1, 1)]


@given(st.integers(2, 12), st.integers(2, 40), st.integers(0, 100))
@settings(deadline=None, max_examples=40)
def test_shrinkage_is_scikit_learns(n, width, seed):
    from sklearn.covariance import ledoit_wolf as theirs

    z = np.random.default_rng(seed).normal(size=(n, width))
    z -= z.mean(axis=0)
    covariance, shrinkage = theirs(z, assume_centered=True)
    ours = ledoit_wolf(z)
    assert ours[0] == pytest.approx(shrinkage, abs=1e-9)
    assert ours[1] == pytest.approx(np.trace(covariance) / width)


def broken(**changes) -> dict:
    x, y = task(10, TALL, 3)
    whole = dict(zip(("x_train", "y_train", "x_validation", "y_validation", "x_test"), parts(x, y), strict=True))
    return whole | changes


def holed(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[3, 2] = np.nan
    return x


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"x_validation": holed(broken()["x_validation"])}, "validation, row 3, column 2: must be finite; it is nan"),
        ({"y_train": np.full(72, 13)}, "all 72 rows are of class 13"),
        ({"y_train": np.arange(71)}, "one integer for each of its 72 rows"),
        ({"y_validation": np.full(36, 0.5)}, "must be one integer"),
        ({"x_test": np.zeros((4, TALL + 1))}, "its shape is (4, 6)"),
        ({"x_test": np.zeros((0, TALL))}, "at least one row"),
        ({"classifiers": ["lda", "svm"]}, "Did you mean 'svc'"),
    ],
)
def test_errors_name_the_part_and_the_remedy(changes, told):
    with pytest.raises(ClassifierError) as error:
        search(**broken(**changes))
    assert told in str(error.value)


def outcome(name: str, validation: float, skipped: str | None = None) -> Searched:
    return Searched(
        classifier=name,
        best=0,
        params={},
        validation=validation,
        predictions=np.zeros(1, int),
        grid=[],
        skipped=skipped,
        warnings=[],
    )


def test_validation_chooses_the_classifier_and_ties_go_to_the_first_of_the_paper():
    found = [outcome("svc", 0.8), outcome("rf", 0.8), outcome("lda", 0.7), outcome("lr", 0.9, "lr: not run")]
    assert choose(found).classifier == "rf"
    assert list(CLASSIFIERS) == ["lda", "lr", "qda", "rf", "svc"]


def test_test_accuracy_chooses_after_rounding_to_one_decimal():
    found = [outcome("lda", 0.1), outcome("svc", 0.9)]
    assert choose(found, "test", {"lda": 0.70012, "svc": 0.70049}).classifier == "lda"  # both 70.0
    assert choose(found, "test", {"lda": 0.7001, "svc": 0.7006}).classifier == "svc"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: choose([outcome("qda", 0.5, "qda: not run (rank)")]), "qda: not run (rank)"),
        (lambda: choose([outcome("lda", 0.5)], "train"), "it is 'train'"),
        (lambda: choose([outcome("lda", 0.5)], "test", {}), "missing: lda"),
    ],
)
def test_what_cannot_be_chosen_is_refused(call, told):
    with pytest.raises(ClassifierError) as error:
        call()
    assert told in str(error.value)
