import csv
import gzip
from collections import Counter

import pytest
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_trainer.benchmark.papers.balanced import BalancedError, balanced

CLASSES = ("angry", "happy", "neutral", "sad")
TABLE_3 = {"iemocap": (10, 6), "meld": (6, 10), "ravdess": (20, 3), "savee": (4, 15)}
"""Corpus -> (speakers, utterances of each in each class), EmoBox's Table 3."""


@st.composite
def tables(draw) -> list[tuple]:
    """Rows of up to five speakers with 2..5 agreed rows in each class, and what is to be dropped."""
    rows = []
    for speaker in draw(st.lists(st.sampled_from("abcde"), min_size=1, unique=True)):
        for name in CLASSES:
            for i in range(draw(st.integers(2, 5))):
                rows.append((f"{speaker}{name}{i}", speaker, name, name, 0.9))
            rows.append((f"{speaker}{name}-wrong", speaker, name, "bored", 0.9))
        rows.append((f"{speaker}bored", speaker, "bored", "bored", 0.9))
    rows.append(("nobody", None, "angry", "angry", 0.9))
    return rows


@given(tables(), st.integers(1, 2), st.integers(0, 10), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=40)
def test_every_cell_holds_as_many_agreed_rows_whatever_the_order(rows, per_cell, seed, random):
    found = balanced(rows, per_cell, CLASSES, seed)
    by_key = {row[0]: row for row in rows}
    cells = Counter(by_key[key][1:3] for key in found.keys)
    assert cells == {(speaker, name): per_cell for speaker in found.speakers for name in CLASSES}
    assert len(set(found.keys)) == len(found.keys)
    assert all(by_key[key][2] == by_key[key][3] for key in found.keys)
    assert sum(found.dropped.values()) + len(found.keys) == len(rows)
    assert found.dropped["unknown speaker"] == 1
    assert found.dropped["model disagrees"] == len(CLASSES) * len(found.speakers)
    assert found.dropped["other class"] == len(found.speakers)
    shuffled = random.sample(rows, len(rows))
    assert balanced(shuffled, per_cell, CLASSES[::-1], seed) == found


@given(tables(), st.integers(0, 10))
@settings(deadline=None, max_examples=40)
def test_rows_that_are_not_drawn_change_no_draw(rows, seed):
    drawn = balanced(rows, 2, CLASSES, seed).keys
    assert balanced([row for row in rows if row[0] in drawn], 2, CLASSES, seed).keys == drawn


def test_other_seeds_draw_others():
    rows = [(f"{name}{i}", "a", name) for name in CLASSES for i in range(50)]
    assert len({balanced(rows, 5, CLASSES, seed).keys for seed in range(10)}) == 10


def test_draws_are_even():
    """Each of 4 keys comes in half of the draws of 2; 400 draws, so within 6 deviations of 10."""
    rows = [(str(i), "a", "angry") for i in range(4)]
    times = Counter(key for seed in range(400) for key in balanced(rows, 2, ["angry"], seed).keys)
    assert all(140 <= times[str(i)] <= 260 for i in range(4))


def test_without_predictions_nothing_is_filtered():
    found = balanced([("k", "a", "angry"), ("l", "a", "sad")], 1, ["angry", "sad"], 0)
    assert found.keys == ("k", "l")
    assert found.dropped["model disagrees"] == 0


def test_speakers_with_a_short_cell_are_left_out_unless_they_were_asked_for():
    rows = [(f"{speaker}{name}{i}", speaker, name) for speaker in ("ann", "bob") for name in "xy" for i in range(3)]
    rows = [row for row in rows if row[0] not in ("boby1", "boby2")]
    found = balanced(rows, 2, "xy", 0)
    assert found.speakers == ("ann",)
    assert found.dropped["speaker not kept"] == 4
    with pytest.raises(BalancedError, match="too few: bob, y: 1"):
        balanced(rows, 2, "xy", 0, speakers=["ann", "bob"])
    with pytest.raises(BalancedError, match="no speaker has so many: ann, x: 3; ann, y: 3; bob, x: 3; bob, y: 1"):
        balanced(rows, 4, "xy", 0)
    with pytest.raises(BalancedError, match="anne, x: 0.*Did you mean 'ann'"):
        balanced(rows, 1, "xy", 0, speakers=["anne"])


def test_genders_are_made_equal_by_a_draw():
    rows = [(f"{speaker}{name}", speaker, name) for speaker in "abcdef" for name in "xy"]
    genders = dict(zip("abcdef", ["female"] * 4 + ["male"] * 2, strict=True))
    drawn = {balanced(rows, 1, "xy", seed, equal_genders=genders).speakers for seed in range(20)}
    assert len(drawn) > 1
    assert all(Counter(map(genders.get, one)) == {"female": 2, "male": 2} for one in drawn)
    with pytest.raises(BalancedError, match="speaker 'f': needs a gender"):
        balanced(rows, 1, "xy", 0, equal_genders=genders | {"f": None})
    with pytest.raises(BalancedError, match="speakers of two; all 6 are female"):
        balanced(rows, 1, "xy", 0, equal_genders=dict.fromkeys("abcdef", "female"))


def test_odd_requests_are_refused():
    rows = [("k", "a", "angry"), ("k", "b", "angry")]
    with pytest.raises(BalancedError, match="'k'"):
        balanced(rows, 1, ["angry"], 0)
    with pytest.raises(BalancedError, match="one utterance per cell"):
        balanced(rows[:1], 0, ["angry"], 0)
    with pytest.raises(BalancedError, match="no rows left"):
        balanced([], 1, ["angry"], 0)


@pytest.mark.parametrize("corpus", TABLE_3)
def test_the_four_published_sets_are_drawn_from_a_table_that_holds_them(corpus):
    """The list says keys, speakers and classes; disagreeing rows of the same speakers are added and must all go.

    IEMOCAP's classes are not public: each of its ten speakers has 24 rows, to which classes are dealt in turn.
    """
    with gzip.open(SHARED / "emobox" / "track2.csv.gz", "rt", encoding="utf-8", newline="") as file:
        listed = [row for row in csv.DictReader(file) if row["corpus"] == corpus]
    dealt: Counter[str] = Counter()
    agreed = []
    for row in listed:
        who = row["speaker_in_list"]
        agreed.append((row["key"], who, row["emotion"] or CLASSES[dealt[who] % 4]))
        dealt[who] += 1
    wrong = [(f"{key}-wrong", who, name, CLASSES[CLASSES.index(name) - 1]) for key, who, name in agreed]
    speakers, per_cell = TABLE_3[corpus]
    found = balanced([(*row, row[2]) for row in agreed] + wrong, per_cell, CLASSES, 0)
    assert sorted(found.keys) == sorted(key for key, _, _ in agreed)
    assert len(found.keys) == 240 == len(found.speakers) * len(CLASSES) * per_cell
    assert len(found.speakers) == speakers
    assert found.dropped == {
        "model disagrees": 240,
        "other class": 0,
        "unknown speaker": 0,
        "speaker not kept": 0,
        "not drawn": 0,
    }
    more = [(f"{key}-more", who, name, name) for key, who, name in agreed]
    again = balanced([(*row, row[2]) for row in agreed] + more, per_cell, CLASSES, 0)
    assert len(again.keys) == 240
    assert again.dropped["not drawn"] == 240
