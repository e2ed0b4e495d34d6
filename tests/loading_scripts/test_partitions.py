"""Laws of partitions: complete, disjoint, independent of file order; and the values of the fixed hash."""

import hashlib
from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loading_scripts import listing, registry
from loading_scripts.corpora import iemocap
from loading_scripts.partitions import (
    Table,
    balanced,
    emosetpp,
    generalize,
    listed_folds,
    serab,
    serevals,
    speaker_folds,
    speaker_groups,
    unit,
    validation,
)
from loading_scripts.partitions.listed import LISTS, read_list
from loading_scripts.utterance import Gender, Utterance


def utterance(number: int, speaker: str | None, native: str = "A") -> Utterance:
    return Utterance(
        id=f"x-{number:03d}",
        path=f"{number}.wav",
        native=native,
        speaker=speaker,
        gender=Gender.UNKNOWN,
        language="de",
    )


NAMES = ["a", "b", "c", "d", "e", "f", "g"]
corpora = st.lists(st.tuples(st.sampled_from([*NAMES, None]), st.sampled_from("AHNS")), min_size=1, max_size=60).map(
    lambda rows: [utterance(number, *row) for number, row in enumerate(rows)]
)
spoken = corpora.map(lambda found: [one for one in found if one.speaker is not None])


def is_loud(one: Utterance) -> bool:
    return one.native in "AH"


def first_letter_of_path(one: Utterance) -> str:
    return one.path[0]


KINDS = (
    speaker_folds({1: ["a"], 2: ["b", "c"], 3: ["d", "e", "f", "g"]})
    | serab({"validation": ["b"], "test": ["c"]}, {"validation": ["1"], "test": ["2"]}, first_letter_of_path, is_loud)
    | generalize("d", seconds=1.0, takes=is_loud)
    | serevals("x")
    | {"by_id": emosetpp("x")["emosetpp"], "by_speaker": emosetpp("x", NAMES)["emosetpp"]}
    | speaker_groups(NAMES)
)
SPEAKER_INDEPENDENT = sorted(KINDS.keys() - {"serab", "serevals", "by_id"})


def parts_of(partition, found) -> dict[str, list[Utterance]]:
    parts = {split: [] for split in partition.splits}
    for one, split in zip(found, partition.assign(found), strict=True):
        if split is not None:
            parts[split].append(one)  # a KeyError is a split that the partition does not announce
    return parts


@given(corpora, st.randoms())
def test_no_partition_depends_on_the_order_of_files(found, random):
    shuffled = random.sample(found, len(found))
    for kind, partition in KINDS.items():
        splits = dict(zip((one.id for one in found), partition.assign(found), strict=True))
        assert dict(zip((one.id for one in shuffled), partition.assign(shuffled), strict=True)) == splits, kind


@given(spoken)
def test_nobody_is_in_two_splits(found):
    for kind in SPEAKER_INDEPENDENT:
        splits_of = defaultdict(set)
        for split, part in parts_of(KINDS[kind], found).items():
            for one in part:
                splits_of[one.speaker].add(split)
        assert all(len(splits) == 1 for splits in splits_of.values()), kind


@given(spoken)
def test_a_speaker_fold_tests_the_speakers_of_its_table(found):
    for fold in speaker_folds({1: ["a"], 2: ["b", "c"]}).values():
        parts = parts_of(fold, found)
        assert {one.speaker for one in parts["test"]} == fold.keys["test"] & {one.speaker for one in found}
        assert sum(map(len, parts.values())) == len(found)


@given(corpora)
def test_what_a_table_does_not_take_is_in_no_split(found):
    everything = parts_of(KINDS["generalize"], [one for one in found if is_loud(one)])
    assert parts_of(KINDS["generalize"], found) == everything


def test_a_table_without_rest_leaves_unknown_keys_out():
    table = Table(keys={"train": frozenset("a"), "test": frozenset("b")}, rule="made up")
    assert table.splits == ("train", "test")
    assert table.assign([utterance(1, name) for name in ("a", "b", "c", None)]) == ["train", "test", None, None]


@given(spoken)
def test_groups_test_and_validate_everybody_once(found):
    groups = speaker_groups({one.speaker for one in found})
    parts = [parts_of(one, found) for one in groups.values()]
    for split in ("test", "validation") if groups else ():
        assert Counter(one.id for part in parts for one in part[split]) == Counter(one.id for one in found)
    for part, following in zip(parts, parts[1:] + parts[:1], strict=True):
        assert part["validation"] == following["test"]
        assert all(part.values())


@given(st.integers(3, 40))
def test_equal_speakers_are_spread_evenly(speakers):
    found = [utterance(0, f"s{k:02d}", native) for k in range(speakers) for native in "AHNS"]
    tests = [parts_of(one, found)["test"] for one in speaker_groups({one.speaker for one in found}).values()]
    sizes = [len({one.speaker for one in test}) for test in tests]
    assert sum(sizes) == speakers
    assert max(sizes) - min(sizes) <= 1


def test_groups_balance_labels_and_not_only_sizes():
    # five speakers of one label and five of another: each group gets one of both
    found = [utterance(k, f"{native}{k}", native) for native in "AS" for k in range(5) for _ in range(4)]
    for one in speaker_groups({one.speaker for one in found}).values():
        assert Counter(one.native for one in parts_of(one, found)["test"]) == {"A": 4, "S": 4}


def test_two_speakers_make_no_groups():
    assert speaker_groups(["a", "b"]) == {}


def test_utterances_without_speaker_are_in_no_group():
    found = [utterance(k, name) for k, name in enumerate(["a", "b", "c", None])]
    assert speaker_groups("abc")["speaker1"].assign(found)[-1] is None


@pytest.mark.parametrize(
    ("key", "digits"),
    [
        # printf 'emodb/serevals/emodb-03a01Fa' | b2sum | cut -c1-16
        ("emodb/serevals/emodb-03a01Fa", "d6f63b8694962349"),
        ("pavoque/validation/STEFAN-RÖTTIG", "b82c58e6258ab68b"),
    ],
)
def test_u_is_what_b2sum_prints(key, digits):
    assert unit(*key.split("/")) == int(digits, 16) / 2**64


@given(*[st.text(alphabet="ab/-ü", max_size=9)] * 2)
def test_u_is_a_fraction_and_sees_every_part(one, other):
    assert 0 <= unit("x", "serevals", one) < 1
    assert (unit("x", "serevals", one) == unit("x", "serevals", other)) == (one == other)
    assert len({unit("x", "serevals", one), unit("x", "emosetpp", one), unit("y", "serevals", one)}) == 3


@given(corpora)
def test_a_hashed_split_looks_at_nothing_but_the_id(found):
    for kind, bounds in (
        ("serevals", {"train": 0.8, "test": 1}),
        ("by_id", {"train": 0.8, "validation": 0.9, "test": 1}),
    ):
        name = "serevals" if kind == "serevals" else "emosetpp"
        for one, split in zip(found, KINDS[kind].assign(found), strict=True):
            digest = hashlib.blake2b(f"x/{name}/{one.id}".encode()).hexdigest()
            u = int(digest[:16], 16) / 2**64
            assert split == min((bound, split) for split, bound in bounds.items() if u < bound)[1]
            assert KINDS[kind].assign([one]) == [split]


@pytest.mark.parametrize(
    ("speakers", "sizes"), [(3, (1, 1, 1)), (4, (2, 1, 1)), (10, (8, 1, 1)), (24, (20, 2, 2)), (91, (73, 9, 9))]
)
def test_emosetpp_takes_a_tenth_of_the_speakers_twice(speakers, sizes):
    names = [f"s{k}" for k in range(speakers)]
    keys = emosetpp("x", names)["emosetpp"].keys
    assert tuple(map(len, keys.values())) == sizes
    # ranked by u: train below validation below test
    ranks = [[unit("x", "emosetpp", name) for name in keys[split]] for split in ("train", "validation", "test")]
    assert max(ranks[0]) < min(ranks[1]) <= max(ranks[1]) < min(ranks[2])


@given(corpora, st.floats(0.05, 0.5))
def test_validation_takes_whole_speakers_from_five_on(found, share):
    taken = validation("x", [one.id for one in found], [one.speaker for one in found], share)
    known = {one.speaker for one in found} - {None}
    whole = len(known) >= 5
    keys = [one.speaker if whole else one.id for one in found]
    chosen = {key for key, is_taken in zip(keys, taken, strict=True) if is_taken}
    assert taken == [key in chosen for key in keys]
    assert None not in chosen
    units = known if whole else set(keys)
    assert len(chosen) == min(max(1, round(share * len(units))), len(units) - 1)
    # the lowest u are taken, whatever the fold
    left = units - chosen
    assert (
        not chosen
        or not left
        or max(unit("x", "validation", key) for key in chosen) < min(unit("x", "validation", key) for key in left)
    )


@given(corpora, st.randoms())
def test_validation_does_not_depend_on_order(found, random):
    def taken(rows):
        mask = validation("x", [one.id for one in rows], [one.speaker for one in rows])
        return {one.id for one, is_taken in zip(rows, mask, strict=True) if is_taken}

    assert taken(found) == taken(random.sample(found, len(found)))


def test_validation_of_nothing_is_nothing():
    assert validation("x", [], []) == []
    assert validation("x", ["a"], [None]) == [False]


SERAB_GROUPS = {
    "cremad": [str(k) for k in range(1001, 1092)],
    "emodb": ["03", "08", "09", "10", "11", "12", "13", "14", "15", "16"],
    "iemocap": [f"0{session}{letter}" for session in range(1, 6) for letter in "FM"],
    "ravdess": [f"{k:02d}" for k in range(1, 25)],
    "savee": ["DC", "JE", "JK", "KL"],
}


@pytest.mark.parametrize("corpus", SERAB_GROUPS)
def test_serab_is_what_its_rule_gives(corpus):
    """protocol-serab.md, section 1; and the strict list of IEMOCAP, whose groups are the sessions."""

    def by_rule(groups):
        groups = sorted(groups)
        np.random.RandomState(0).shuffle(groups)
        first, second = (0.7, 0.7 + 0.1) if corpus == "cremad" else (0.6, 0.6 + 0.2)
        return set(groups[int(first * len(groups)) : int(second * len(groups))]), set(
            groups[int(second * len(groups)) :]
        )

    partitions = registry.load(corpus).CORPUS.partitions
    keys = partitions["serab"].keys
    assert (keys["validation"], keys["test"]) == by_rule(SERAB_GROUPS[corpus])
    if corpus == "iemocap":
        strict = [
            {speaker[3:5] for speaker in partitions["serab_strict"].keys[split]} for split in ("validation", "test")
        ]
        assert tuple(strict) == by_rule(["01", "02", "03", "04", "05"])
        assert partitions["serab"].speakers == frozenset()
    else:
        assert partitions["serab"] == partitions["serab_strict"]


def test_serab_takes_the_marker_wearer_of_iemocap_for_the_speaker():
    one = utterance(1, "Ses01M", "ang")
    one = Utterance(**{name: getattr(one, name) for name in one.__slots__} | {"id": "iemocap-Ses01F_impro04_M001"})
    assert iemocap.marker_wearer(one) == "01F"
    partitions = iemocap.CORPUS.partitions
    assert partitions["serab"].assign([one]) == ["test"]
    assert partitions["serab_strict"].assign([one]) == ["train"]


def test_lists_state_their_source_and_give_each_id_known_splits():
    for path in LISTS.glob("*.csv.xz"):
        corpus = path.name.removesuffix(".csv.xz")
        module = registry.load(corpus)
        source, listed = read_list(corpus)
        assert "08280f279d47fb55d2c614061c70523d0a338d6b" in source
        columns = list(next(iter(listed.values())))
        for config in columns:
            assert {row[config] for row in listed.values()} - {""} == set(module.CORPUS.splits(config))
            assert source in module.CORPUS.partitions[config].rule
        if columns == ["balanced"]:
            assert len(listed) == 240
        else:  # EmoBox leaves out six utterances of EmoV-DB and 162 of ShEMO
            assert 0 <= module.CORPUS.utterances - len(listed) <= 162 * (corpus == "shemo")


def test_an_unlisted_id_is_in_no_split():
    assert listed_folds("urdu", 1)["fold1"].assign([utterance(1, None)]) == [None]
    assert balanced("savee")["balanced"].assign([utterance(1, None)]) == [None]


@given(corpora)
def test_atoms_are_what_every_config_keeps_together(found):
    corpus = type("Record", (), {"partitions": KINDS})
    groups = listing.atoms(corpus, found)
    assert sorted(one.id for group in groups for one in group) == [one.id for one in found]
    assigned = {
        kind: dict(zip((one.id for one in found), partition.assign(found), strict=True))
        for kind, partition in KINDS.items()
    }
    signatures = [{tuple(assigned[kind][one.id] for kind in KINDS) for one in group} for group in groups]
    assert all(len(signature) == 1 for signature in signatures)
    assert len(set.union(*signatures)) == len(groups)


def test_the_split_hash_is_what_the_documentation_says():
    parts = {"train": [utterance(2, "a"), utterance(1, "a")], "test": [utterance(3, "b")]}
    lines = "x-001\ttrain\nx-002\ttrain\nx-003\ttest\n"
    assert listing.split_hash(listing.ids(parts)) == hashlib.sha256(lines.encode()).hexdigest()[:16]


def test_shared_speakers_is_a_share_of_test_utterances_or_unknown():
    a, b, nobody = utterance(1, "a"), utterance(2, "b"), utterance(3, None)
    assert listing.shared_speakers({"train": [a], "test": [a, b, b, b]}) == 0.25
    assert listing.shared_speakers({"train": [a], "test": [nobody]}) is None
    assert listing.shared_speakers({"train": [a, b]}) is None
