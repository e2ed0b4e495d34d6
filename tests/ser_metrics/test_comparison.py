"""Two systems on the same references: the paired bootstrap, McNemar's test, and the sentence."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from test_intervals import study

from ser_metrics import compare, scores
from ser_metrics.comparison import mcnemar


@given(st.integers(0, 400), st.integers(0, 400))
def test_mcnemar_equals_the_binomial_test(only_a, only_b):
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_of_a_large_test_set():
    assert mcnemar(500_000, 502_000) == pytest.approx(stats.binomtest(500_000, 1_002_000).pvalue, rel=1e-6)


def systems(seed: int, speakers: int, better: float = 0.0) -> tuple:
    """Return predictions of two systems that fail on the same speakers, references and speakers."""
    generator = np.random.default_rng(seed)
    b, references, speaker = study(speakers, generator)
    mend = (generator.random(len(b)) < better) & (b != references)
    spoil = generator.random(len(b)) < 0.03
    return np.where(mend, references, np.where(spoil, (references + 1) % 4, b)), b, references, speaker


def test_pairing_sees_what_two_intervals_cannot():
    a, b, references, speaker = systems(0, 12, better=0.4)
    result = compare(a, b, references, groups=speaker)
    alone = [scores(side, references, groups=speaker, confidence=0.95)["confidence"]["ua"] for side in (a, b)]
    assert alone[0][0] < alone[1][1]  # the two intervals overlap
    assert result["distinct"]
    assert result["interval"][0] > 0
    assert result["more"] is None
    assert result["sentence"].endswith("by group): a is better.")
    for key, side in (("a", a), ("b", b)):
        assert result[key] == pytest.approx(scores(side, references)["ua"])
    assert result["difference"] == pytest.approx(result["a"] - result["b"])
    assert json.loads(json.dumps(result)) == result


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["ua", "wa", "f1", "weighted_f1"]), st.booleans())
def test_swapping_the_systems_turns_the_signs(seed, score, grouped):
    a, b, references, speaker = systems(seed, 8, better=0.1)
    options = {"score": score, "groups": speaker if grouped else None}
    one, other = compare(a, b, references, **options), compare(b, a, references, **options)
    assert one["difference"] == pytest.approx(-other["difference"])
    assert one["mcnemar"]["p"] == pytest.approx(other["mcnemar"]["p"])
    assert one["distinct"] in (True, False)
    if grouped:  # the same draws
        assert one["interval"] == pytest.approx([-end for end in other["interval"][::-1]])
        assert one["more"] == other["more"]
    right = [(side == references) for side in (a, b)]
    assert one["mcnemar"]["only_a"] == (right[0] & ~right[1]).sum()


def test_the_number_of_further_speakers_is_about_right():
    """Adding as many speakers of the same kind makes about half of the comparisons distinct."""
    a, b, references, speaker = systems(5, 8, better=0.03)
    result = compare(a, b, references, groups=speaker)
    assert not result["distinct"]
    copies = 1 + result["more"] / 8
    whole = int(np.ceil(copies * 1.1))  # repeat the speakers: the difference stays, the half-width shrinks
    repeated = [np.tile(side, whole) for side in (a, b, references)]
    speakers = np.concatenate([speaker + 8 * i for i in range(whole)])
    assert compare(*repeated, groups=speakers)["distinct"]
    fewer = int(copies * 0.8)
    repeated = [np.tile(side, fewer) for side in (a, b, references)]
    assert not compare(*repeated, groups=speakers[: len(repeated[0])])["distinct"]
    assert re.search(rf"about {result['more']} more groups", result["sentence"])


def test_equal_systems_and_exclusion():
    a, b, references, _ = systems(1, 6)
    assert compare(b, b, references)["interval"] == [0, 0]
    assert "no difference is to be seen" in compare(b, b, references)["sentence"]
    kept = references != 3
    excluded = compare(a, b, references, range(4), exclude=3)
    plain = compare(a[kept], b[kept], references[kept], range(4), exclude=3)
    assert excluded == plain
    assert excluded["n"] == kept.sum()


def test_high_ids_cost_no_more_than_low_ones():
    a, b, references, speaker = systems(2, 6)
    ids = np.array([3, 400, 1023, 10**9])
    for groups in (None, speaker):
        high = compare(ids[a], ids[b], ids[references], groups=groups)
        assert high == compare(a, b, references, groups=groups)
        assert (
            scores(ids[a], ids[references], groups=groups, confidence=0.9)["confidence"]
            == (scores(a, references, groups=groups, confidence=0.9)["confidence"])
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": [0, 1]}, r"a has 2 entries and references 3"),
        ({"b": [0, 0.5, 1]}, r"b\[1\]: 0\.5"),
        ({"score": "uaa"}, r"score='uaa' cannot be compared\. Did you mean 'ua'"),
        ({"groups": [1, 2, 3]}, r"3 groups are too few"),
        ({"confidence": 2}, r"confidence=2 is no level"),
        ({"exclude": [0, 1]}, r"exclude: all"),
        ({"b": [0, 7, 1], "labels": [0, 1]}, r"b\[1\]: 7 .* is no declared class"),
        ({"absent": "all"}, r"absent='all' is no convention"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        compare(**{"a": [0, 1, 1], "b": [0, 1, 0], "references": [0, 1, 1]} | change)
