"""Linked partitions: what shares a speaker or a scene is in one split."""

import random

from hypothesis import given
from hypothesis import strategies as st

from loading_scripts.partitions import Partition
from loading_scripts.partitions.linked import Linked, emosetpp
from loading_scripts.partitions.table import speaker_of
from loading_scripts.utterance import Gender, Utterance

KEYS = (("speaker", speaker_of), ("scene", lambda one: one.transcript))


def utterance(number, speaker, scene):
    return Utterance(
        id=f"x-{number:03d}",
        path=f"{number}.wav",
        native="A",
        speaker=speaker,
        gender=Gender.UNKNOWN,
        language="en",
        transcript=scene,
    )


people, scenes = st.sampled_from([None, *"abcdefgh"]), st.sampled_from([None, *"123456789"])
corpora = st.lists(st.tuples(people, scenes), min_size=1, max_size=40).map(
    lambda rows: [utterance(number, *row) for number, row in enumerate(rows)]
)


@given(corpora)
def test_whatever_is_shared_stays_in_one_split(found):
    splits = Linked("x", "emosetpp", KEYS).assign(found)
    groups = {split: [one for one, given in zip(found, splits, strict=True) if given == split] for split in splits}
    for _, key in KEYS:
        seen = [{key(one) for one in group} - {None} for group in groups.values()]
        whole = sum(map(len, seen)) == len(set().union(*seen))
        assert whole or not linked_into_three(found)


def linked_into_three(found):
    """Return whether the utterances fall into three groups, by a slow count."""
    label = list(range(len(found)))
    for _ in found:
        for i, one in enumerate(found):
            for j, other in enumerate(found):
                if any(key(one) is not None and key(one) == key(other) for _, key in KEYS):
                    label[i] = label[j] = min(label[i], label[j])
    return len(set(label)) >= 3


@given(corpora, st.randoms(use_true_random=False))
def test_the_order_of_files_does_not_matter(found, rng: random.Random):
    partition = Linked("x", "emosetpp", KEYS)
    shuffled = rng.sample(found, len(found))
    assert dict(zip((one.id for one in found), partition.assign(found), strict=True)) == dict(
        zip((one.id for one in shuffled), partition.assign(shuffled), strict=True)
    )


def test_a_tenth_of_the_speakers_each_validates_and_tests():
    found = [utterance(number, f"s{number % 20}", None) for number in range(200)]
    partition = emosetpp("x", speaker=speaker_of)["emosetpp"]
    assert isinstance(partition, Partition)
    splits = partition.assign(found)
    assert [splits.count(split) for split in partition.splits] == [160, 20, 20]


def test_two_speakers_are_too_few_and_six_are_enough():
    partition = emosetpp("x", speaker=speaker_of)["emosetpp"]
    assert set(partition.assign([utterance(k, "ab"[k % 2], None) for k in range(30)])) == set(partition.splits)
    splits = partition.assign([utterance(k, "abcdef"[k % 6], None) for k in range(36)])
    assert [splits.count(split) for split in partition.splits] == [24, 6, 6]


def test_a_large_group_cannot_fill_two_shares():
    sizes = [30, 20, 10, *[1] * 140]
    found = [
        utterance(k, f"s{speaker}", None) for k, speaker in enumerate(s for s, n in enumerate(sizes) for _ in range(n))
    ]
    splits = emosetpp("x", speaker=speaker_of)["emosetpp"].assign(found)
    assert all(split in splits for split in ("train", "validation", "test"))
    for split, share in (("train", 160), ("validation", 20), ("test", 20)):
        assert abs(splits.count(split) - share) < 30
