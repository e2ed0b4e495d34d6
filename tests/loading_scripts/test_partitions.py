"""Laws of partitions: complete, disjoint, independent of file order."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from loading_scripts import listing, registry
from loading_scripts.corpus import Gender, Utterance
from loading_scripts.partitions import Partition, listed_folds, speaker_folds
from loading_scripts.partitions.listed import LISTS, read_list


def utterance(number: int, speaker: str | None) -> Utterance:
    return Utterance(
        id=f"x-{number:03d}", path=f"{number}.wav", native="A", speaker=speaker, gender=Gender.UNKNOWN, language="de"
    )


speakers = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=40)


@given(speakers)
def test_nobody_is_in_train_and_test(names):
    found = [utterance(number, name) for number, name in enumerate(names)]
    for fold in speaker_folds({1: ["a"], 2: ["b", "c"], 3: ["d"]}).values():
        assigned = fold.assign(found)
        test = {one.speaker for one, split in zip(found, assigned, strict=True) if split == "test"}
        train = {one.speaker for one, split in zip(found, assigned, strict=True) if split == "train"}
        assert test == fold.test_speakers & set(names)
        assert not test & train
        assert set(assigned) <= set(fold.splits)


@given(speakers, st.randoms())
def test_no_partition_depends_on_the_order_of_files(names, random):
    found = [utterance(number, name) for number, name in enumerate(names)]
    shuffled = random.sample(found, len(found))
    fold = speaker_folds({1: ["a", "c"]})["fold1"]
    splits = dict(zip([one.id for one in found], fold.assign(found), strict=True))
    assert dict(zip([one.id for one in shuffled], fold.assign(shuffled), strict=True)) == splits


def test_lists_state_their_source_and_give_each_id_known_splits():
    for path in LISTS.glob("*.csv.xz"):
        corpus = path.name.removesuffix(".csv.xz")
        module = registry.load(corpus)
        listed = read_list(corpus)
        assert len(listed) == module.CORPUS.utterances
        for config in next(iter(listed.values())):
            assert {row[config] for row in listed.values()} - {""} == set(module.CORPUS.splits(config))


def test_an_unlisted_id_is_in_no_split():
    fold = listed_folds("urdu", 1)["fold1"]
    assert isinstance(fold, Partition)
    assert fold.assign([utterance(1, None)]) == [None]


@given(speakers)
def test_atoms_are_what_every_config_keeps_together(names):
    found = [utterance(number, name) for number, name in enumerate(names)]
    folds = {"fold1": speaker_folds({1: ["a"]})["fold1"], "fold2": speaker_folds({2: ["b", "c"]})["fold2"]}
    corpus = type("Record", (), {"partitions": folds})
    groups = listing.atoms(corpus, found)
    assert sorted(one.id for group in groups for one in group) == [one.id for one in found]
    for fold in folds.values():
        assert all(len(set(fold.assign(group))) == 1 for group in groups)
    assert len(groups) <= len({("a" == n, n in "bc") for n in names})


def test_the_split_hash_is_what_the_documentation_says():
    parts = {"train": [utterance(2, "a"), utterance(1, "a")], "test": [utterance(3, "b")]}
    lines = "x-001\ttrain\nx-002\ttrain\nx-003\ttest\n"
    assert listing.split_hash(parts) == hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_shared_speakers_is_a_share_of_test_utterances_or_unknown():
    a, b, nobody = utterance(1, "a"), utterance(2, "b"), utterance(3, None)
    assert listing.shared_speakers({"train": [a], "test": [a, b, b, b]}) == 0.25
    assert listing.shared_speakers({"train": [a], "test": [nobody]}) is None
    assert listing.shared_speakers({"train": [a, b]}) is None
