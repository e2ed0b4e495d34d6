"""P8: SERAB's grids on 6,373 features against scikit-learn's GridSearchCV with the same grids, rows and fits.

Goal: 5 times as fast with equal choices and accuracies. One thread each, CPU seconds, one run each: LDA alone takes
scikit-learn minutes. QDA is measured on our side only, scikit-learn 1.9 refuses it. Logistic regression is also run by
scikit-learn on the same columns in three other orders: where it stops after hundreds of steps far from the optimum,
rounding decides where, and this shows how far scikit-learn agrees with itself.

    python tests/bench/p8_serab.py                        features made up, 400 utterances of 30 speakers
    python tests/bench/p8_serab.py --urdu URDU-Dataset    openSMILE's ComParE_2016 (pip install opensmile)
    python tests/bench/p8_serab.py --only lr svc rf       without some
"""

import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import argparse  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from sklearn.base import BaseEstimator  # noqa: E402
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.model_selection import GridSearchCV, PredefinedSplit  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from ser_trainer.benchmark.heads.classifiers import CLASSIFIERS, points, search  # noqa: E402
from ser_trainer.benchmark.heads.speaker_norm import normalised  # noqa: E402

WIDTH = 6373
PUBLISHED: dict[str, BaseEstimator] = {
    "lda": LinearDiscriminantAnalysis(shrinkage="auto"),
    "lr": LogisticRegression(max_iter=10_000, random_state=42),
    "rf": RandomForestClassifier(random_state=42),
    "svc": SVC(max_iter=10_000, random_state=42),
}


def made_up(n: int = 400, speakers: int = 30, classes: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features with 40 shared factors, class and speaker effects and heavy tails; classes; speakers."""
    rng = np.random.default_rng(0)
    y, who = np.arange(n) % classes, rng.integers(0, speakers, n)
    factors = rng.normal(size=(n, 40)) + 0.5 * rng.normal(size=(classes, 40))[y] + rng.normal(size=(speakers, 40))[who]
    x = factors @ rng.normal(size=(40, WIDTH)) + 3 * rng.standard_t(3, size=(n, WIDTH))
    return x, y, np.array([f"s{one:02d}" for one in who])


def urdu(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return openSMILE's features of URDU, its classes and speakers."""
    import opensmile

    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals)
    files = sorted(folder.rglob("*.wav"))
    x = np.concatenate([smile.process_file(str(file)).to_numpy() for file in files]).astype(np.float64)
    return x, np.unique([file.parent.name for file in files], return_inverse=True)[1], speakers_of(files)


def speakers_of(files: list[Path]) -> np.ndarray:
    """Return the speakers that URDU's file names begin with."""
    return np.array([file.name.split("_")[0] for file in files])


def split(x: np.ndarray, who: np.ndarray, normalise: bool) -> list[np.ndarray]:
    """Return rows of train, validation and test by SERAB's rule, and z-normalise `x` in place."""
    names = sorted(set(who))
    np.random.RandomState(0).shuffle(names)
    parts = np.split(np.array(names), [int(0.6 * len(names)), int((0.6 + 0.2) * len(names))])
    rows = [np.flatnonzero(np.isin(who, part)) for part in parts]
    for part in rows:
        x[part] = normalised(x[part], who[part]) if normalise else x[part]
    if not normalise:
        x[:] = (x - x[rows[0]].mean(0)) / np.where(x[rows[0]].std(0) > 0, x[rows[0]].std(0), 1)
    return rows


def by_scikit_learn(name: str, x: np.ndarray, y: np.ndarray, rows: list[np.ndarray]) -> tuple[float, GridSearchCV]:
    """Return CPU seconds of the published script's search, and the search."""
    grid = {key: list(dict.fromkeys(point[key] for point in points(name))) for key in points(name)[0]}
    fold = PredefinedSplit(np.repeat([-1, 0], [len(rows[0]), len(rows[1])]))
    fit = np.concatenate(rows[:2])
    start = time.process_time()
    found = GridSearchCV(PUBLISHED[name], grid, cv=fold, n_jobs=1).fit(x[fit], y[fit])
    found.predict(x[rows[2]])
    return time.process_time() - start, found


def main() -> None:
    """Search both ways, classifier by classifier, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--urdu", type=Path)
    parser.add_argument("--only", nargs="+", default=list(CLASSIFIERS), choices=CLASSIFIERS)
    parser.add_argument("--whole", action="store_true", help="normalise with statistics of train, not per speaker")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    x, y, who = urdu(asked.urdu) if asked.urdu else made_up()
    rows = split(x, who, normalise=not asked.whole)
    train, validation, test = rows
    print(f"P8: {len(x)} rows of {x.shape[1]} features, split {[len(part) for part in rows]}, CPU seconds, one thread")
    print(f"{'':6s}{'scikit-learn':>14s}{'ours':>9s}{'ratio':>8s}   points and predictions that differ, choice")
    totals = np.zeros(2)
    for name in asked.only:
        start = time.process_time()
        (ours,) = search(x[train], y[train], x[validation], y[validation], x[test], classifiers=[name])
        mine = time.process_time() - start
        if name not in PUBLISHED:
            print(f"{name:6s}{'refused':>14s}{mine:9.2f}{'':>8s}   {ours.params}")
            totals[1] += mine
            continue
        seconds, theirs = by_scikit_learn(name, x, y, rows)
        totals += seconds, mine
        accuracies = np.array([point["validation"] for point in ours.grid])
        other = int(np.sum(theirs.predict(x[test]) != ours.predictions))
        choice = "equal" if theirs.best_params_ == ours.params else f"NOT EQUAL: {theirs.best_params_}, ours"
        print(
            f"{name:6s}{seconds:14.2f}{mine:9.2f}{seconds / mine:8.1f}   "
            f"{differing(theirs, accuracies)}, {other} of {len(test)}, {choice} {ours.params}"
        )
        if name == "lr":
            for seed in range(3):
                order = np.random.default_rng(seed).permutation(x.shape[1])
                _, again = by_scikit_learn(name, x[:, order], y, rows)
                other = int(np.sum(theirs.predict(x[test]) != again.predict(x[test][:, order])))
                scores = again.cv_results_["mean_test_score"]
                print(f"{'':37s}   {differing(theirs, scores)}, {other}: scikit-learn, columns in another order")
    print(f"{'all':6s}{totals[0]:14.2f}{totals[1]:9.2f}{totals[0] / totals[1]:8.1f}")


def differing(theirs: GridSearchCV, accuracies: np.ndarray) -> str:
    """Return how many points of a grid have another accuracy, and the largest difference."""
    apart = np.abs(theirs.cv_results_["mean_test_score"] - accuracies)
    return f"{np.sum(apart > 0)} of {len(apart)} points (at most {apart.max():.3f})"


if __name__ == "__main__":
    main()
