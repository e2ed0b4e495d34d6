import json
from dataclasses import asdict

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from model_cards.model_scores import SplitScores
from ser_metrics import dimensional_scores, scores
from ser_trainer.finetune.scoring import ScoringError, across_folds, score_split, shared_speakers

EMOTIONS = ["anger", "neutral", "sadness"]
CONFIG = {"dataset": "serbench/urdu", "config": "fold1", "split": "test", "name": "URDU", "classes": EMOTIONS}


def rows(labels, **columns) -> Dataset:
    """Return rows as `labelled` gives them; the other columns hold names."""
    features = {"id": Value("string"), "labels": ClassLabel(names=EMOTIONS)} | dict.fromkeys(columns, Value("string"))
    ids = [f"u{number}" for number in range(len(labels))]
    return Dataset.from_dict({"id": ids, "labels": labels, **columns}, features=Features(features))


def rated(ratings, **columns) -> Dataset:
    features = {"id": Value("string"), "labels": List(Value("float32"), length=2)}
    features |= dict.fromkeys(columns, Value("string"))
    ids = [f"u{number}" for number in range(len(ratings))]
    return Dataset.from_dict({"id": ids, "labels": ratings, **columns}, features=Features(features))


def guesses(labels, seed=0, scale=1.0) -> np.ndarray:
    """Return logits that are mostly right, float32; those of the scale 1.5 are calibrated."""
    logits = np.random.default_rng(seed).normal(size=(len(labels), 3))
    logits[np.arange(len(labels)), labels] += 1.5
    return (scale * logits).astype(np.float32)


LABELS = np.arange(240) % 3
SPEAKERS = [f"S{number % 8}" for number in range(240)]
GENDERS = ["female" if number % 8 < 6 else "male" for number in range(240)]


@pytest.fixture(scope="module")
def scored():
    data = rows(LABELS, speaker=SPEAKERS, gender=GENDERS, language=["ur"] * 240)
    return score_split(
        outputs=guesses(LABELS, scale=4.0), rows=data, train_speakers={"S0", "S1"}, temperature=4 / 1.5, **CONFIG
    )


def test_scores_and_intervals_are_those_of_ser_metrics_by_speaker(scored):
    expected = scores(
        references=LABELS, prediction_scores=guesses(LABELS, scale=4.0), labels=EMOTIONS, scores_are="logits",
        per_class=True, confusion_matrix=True, groups=SPEAKERS, confidence=0.95,
    )  # fmt: skip

    assert {name: scored.scores[name] for name in expected} == expected
    assert scored.scores["confidence"]["by"] == "groups"
    assert scored.scores["speakers"] == 8
    assert scored.shared_speakers == 0.25


def test_groups_have_their_own_scores_and_say_why_an_interval_is_not_by_speaker(scored):
    female, male = (scored.by["gender"][name] for name in ("female", "male"))

    assert list(scored.by) == ["gender", "language"]
    assert (female["n"], female["speakers"], female["confidence"]["by"]) == (180, 6, "groups")
    assert (male["n"], male["speakers"], male["confidence"]["by"]) == (60, 2, "utterances")
    assert male["confidence"]["note"] == "fewer than 6 speakers"
    at = np.array(GENDERS) == "male"
    assert male["ua"] == scores(guesses(LABELS)[at].argmax(1), LABELS[at], labels=EMOTIONS)["ua"]
    assert scored.by["language"]["ur"]["n"] == 240


def test_the_temperature_mends_overconfidence_and_bins_hold_all_utterances(scored):
    assert scored.calibrated_ece < scored.scores["ece"] / 2
    for bins in (scored.reliability, scored.calibrated_reliability):
        assert sum(number for _, _, number in bins) == 240
    error = sum(number * abs(right - confidence) for confidence, right, number in scored.reliability) / 240
    assert error == pytest.approx(scored.scores["ece"])


def test_scores_can_be_stored_and_read_again(scored):
    again = SplitScores(**json.loads(json.dumps(asdict(scored))))

    assert list(again.measures()) == list(scored.measures())
    assert [tuple(one) for one in again.reliability] == list(scored.reliability)


@pytest.mark.parametrize(
    ("columns", "note"),
    [
        ({}, "the speakers are not known"),
        ({"speaker": [None, *SPEAKERS[1:]]}, "the speakers are not known"),
        ({"speaker": ["A"] * 240}, "fewer than 6 speakers"),
        ({"speaker": [f"S{number}" for number in range(240)]}, ""),
    ],
)
def test_without_enough_known_speakers_intervals_are_over_utterances_and_say_so(columns, note):
    found = score_split(outputs=guesses(LABELS), rows=rows(LABELS, **columns), train_speakers=None, **CONFIG)

    told = found.scores["confidence"]
    assert (told["by"], told.get("note", "")) == ("utterances" if note else "groups", note)
    assert found.shared_speakers is None
    assert found.calibrated_ece is None and not found.calibrated_reliability


@pytest.mark.parametrize("number", [6, 14])  # classes that one speaker each has: few draws hold them all, or none does
def test_classes_that_hang_on_single_speakers_leave_no_interval_over_speakers(number):
    names = [f"c{one}" for one in range(number)]
    labels = list(range(number)) * 4
    features = Features({"id": Value("string"), "labels": ClassLabel(names=names), "speaker": Value("string")})
    told = {"id": list(map(str, range(len(labels)))), "labels": labels, "speaker": list(map(str, labels))}

    found = score_split(
        outputs=np.eye(number)[labels], rows=Dataset.from_dict(told, features=features), **CONFIG | {"classes": names}
    )

    assert found.scores["confidence"]["by"] == "utterances"
    assert found.scores["confidence"]["note"] == "most draws of speakers lack a class"


def test_draws_that_all_agree_are_no_interval():
    found = score_split(outputs=np.eye(3)[LABELS], rows=rows(LABELS, speaker=SPEAKERS), **CONFIG)

    assert found.scores["ua"] == 1.0
    assert all(one.interval is None for one in found.measures())


def test_unknown_genders_are_no_group():
    genders = ["female", "unknown"] * 120

    found = score_split(outputs=guesses(LABELS), rows=rows(LABELS, gender=genders), **CONFIG)

    assert {name: one["n"] for name, one in found.by["gender"].items()} == {"female": 120}
    assert "language" not in found.by


def test_a_folder_of_this_machine_is_shortened_to_its_name():
    found = score_split(outputs=guesses(LABELS), rows=rows(LABELS), **CONFIG | {"dataset": "/data/mine/corpus"})

    assert found.dataset == "corpus"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_outputs_that_are_no_numbers_are_refused_by_name(value):
    logits = guesses(LABELS)
    logits[7, 2] = logits[9, 0] = value

    with pytest.raises(
        ScoringError, match=rf"serbench/urdu:fold1, test: .* 2 of 240 rows .*'u7', whose sadness is {value}"
    ):
        score_split(outputs=logits, rows=rows(LABELS), **CONFIG)


def test_outputs_for_other_rows_are_refused():
    with pytest.raises(ScoringError, match=r"\(240, 3\); the model gave \(239, 3\)"):
        score_split(outputs=guesses(LABELS)[1:], rows=rows(LABELS), **CONFIG)


def ratings(number=200, seed=0):
    """Return true ratings, of which every seventh lacks the second dimension, and estimates."""
    generator = np.random.default_rng(seed)
    true = generator.uniform(1, 5, (number, 2)).astype(np.float32)
    estimates = (0.6 * true + 1 + generator.normal(0, 0.4, true.shape)).astype(np.float32)
    true[::7, 1] = np.nan
    return true, estimates


def test_ratings_are_scored_over_the_rows_that_have_them():
    true, estimates = ratings()
    data = rated(true.tolist(), speaker=[f"S{number % 10}" for number in range(200)], gender=["female", "male"] * 100)

    found = score_split(
        outputs=estimates, rows=data, train_speakers=set(), **CONFIG | {"classes": ["arousal", "valence"]}
    )

    present = np.isfinite(true[:, 1])
    expected = dimensional_scores(estimates[present, 1:], true[present, 1:], ["valence"])["valence"]
    assert found.rated and found.dimensions == ["arousal", "valence"]
    assert found.scores["valence"] == expected | {"n": int(present.sum())}
    assert found.scores["ccc"] == pytest.approx((found.scores["arousal"]["ccc"] + expected["ccc"]) / 2)
    told = found.scores["confidence"]
    assert (told["by"], told["groups"], told["note"]) == ("groups", 10, "")
    for one in found.measures():
        low, high = one.interval
        assert low < one.value < high
    male = found.by["gender"]["male"]
    assert (male["n"], male["speakers"], male["confidence"]["by"]) == (100, 5, "utterances")


def test_intervals_of_concordance_are_those_of_a_plain_bootstrap():
    true, estimates = ratings(60)
    data = rated(np.nan_to_num(true, nan=3.0).tolist())
    true = np.nan_to_num(true, nan=3.0)

    found = score_split(outputs=estimates, rows=data, **CONFIG | {"classes": ["arousal", "valence"]})

    generator = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        at = generator.integers(0, 60, 60)
        drawn.append(dimensional_scores(estimates[at, :1], true[at, :1], ["arousal"])["arousal"]["ccc"])
    assert found.scores["confidence"]["arousal"] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


def test_a_dimension_without_ratings_or_without_spread_has_no_score():
    true, estimates = ratings(30)
    true[:, 1] = np.nan

    found = score_split(outputs=estimates, rows=rated(true.tolist()), **CONFIG | {"classes": ["arousal", "valence"]})

    assert found.scores["valence"]["ccc"] is None and found.scores["ccc"] is None
    assert set(found.scores["confidence"]) & {"arousal", "valence", "ccc"} == {"arousal"}


def test_shared_speakers_is_a_share_of_utterances():
    assert shared_speakers(["A", "A", "A", "B"], {"A"}) == 0.75
    assert shared_speakers(["A"], set()) == 0.0
    assert shared_speakers(["A"], None) is None


def test_folds_have_a_mean_a_deviation_and_a_pooled_score():
    folds = [
        score_split(outputs=guesses(LABELS[:end], seed), rows=rows(LABELS[:end]), **CONFIG | {"config": f"fold{seed}"})
        for seed, end in ((1, 60), (2, 240), (3, 120))
    ]

    found = across_folds(folds)

    values = [one.scores["ua"] for one in folds]
    assert found.mean["ua"] == pytest.approx(np.mean(values))
    assert found.deviation["ua"] == pytest.approx(np.std(values, ddof=1))
    assert list(found.mean) == ["ua", "wa", "f1"]
    assert {name: one["n"] for name, one in found.folds.items()} == {"fold1": 60, "fold2": 240, "fold3": 120}
    assert np.sum(found.confusion_matrix) == 420
    assert found.pooled["wa"] == pytest.approx(np.trace(found.confusion_matrix) / 420)


def test_folds_of_ratings_have_a_mean_of_every_dimension():
    folds = [
        score_split(
            outputs=estimates, rows=rated(true.tolist()), **CONFIG | {"classes": ["arousal", "valence"], "config": name}
        )
        for name, (true, estimates) in {"a": ratings(40, 1), "b": ratings(50, 2)}.items()
    ]

    found = across_folds(folds)

    assert list(found.mean) == ["ccc", "arousal", "valence"]
    assert found.mean["valence"] == pytest.approx(np.mean([one.scores["valence"]["ccc"] for one in folds]))
    assert (found.pooled, found.labels) == ({}, ())
