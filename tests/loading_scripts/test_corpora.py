"""One suite over every corpus: what a record and its `find` must keep."""

import re
import unicodedata
from pathlib import Path

import pytest
from annotated_trees import plant, speaker_as_listed
from conftest import REPOSITORY, published

from loading_scripts import builder, listing, raw, registry, rows
from loading_scripts.labels import AROUSAL_VALENCE, UNIFIED8
from loading_scripts.partitions import Partition, Table
from loading_scripts.utterance import Utterance

MOST_ATOMS = 300
"""A built repository stores each atom in its own shards (architecture, section 4)."""

SPLITS = {"train": "train", "valid": "validation", "test": "test", "": None}
"""EmoBox's split names -> ours."""

EMOBOX = sorted(path.stem for path in (REPOSITORY / "tests" / "data" / "emobox").glob("*.csv"))


@pytest.fixture(params=registry.ids())
def module(request):
    return registry.load(request.param)


def test_id_is_the_name_of_the_file(module):
    assert module.CORPUS.id == module.__name__.rsplit(".", 1)[1]


def test_every_code_has_labels_within_the_columns(module):
    corpus = module.CORPUS
    for native, noun in corpus.emotions.items():
        columns = rows.labels(corpus, native)
        if noun is None:
            assert {columns[name] for name in ("emotion", "canonical", "unified8", "arousal_valence")} == {None}
        else:
            assert columns["unified8"] in range(len(UNIFIED8))
            assert columns["arousal_valence"] in {None, *range(len(AROUSAL_VALENCE))}
            assert columns["emotion"] is None or columns["emotion"] in range(len(corpus.emotion_names()))
    assert len(set(corpus.emotion_names())) == len(corpus.emotion_names()) >= 2


def test_configs_and_splits_are_known_without_raw_data(module):
    configs = [one.name for one in builder.configs(module.CORPUS.id)]
    assert configs[0] == "all"
    assert all(re.fullmatch("[a-z0-9_]+", name) for name in configs)
    for name in configs:
        splits = module.CORPUS.splits(name)
        assert splits == tuple(split for split in ("train", "validation", "test") if split in splits)
        assert "train" in splits or name == "balanced"  # a test set for models that were trained elsewhere


def test_the_way_to_get_it_names_source_licence_tree_and_command(module):
    corpus = module.CORPUS
    text = raw.how_to_get(corpus)
    assert f"serbench/{corpus.id}" in text
    if not hasattr(module, "make"):
        assert corpus.homepage in text
        assert corpus.licence.id in text
        assert corpus.layout.strip().splitlines()[0] in text


def test_folds_of_speakers_test_everybody_once(module):
    corpus = module.CORPUS
    folds = [one for name, one in corpus.partitions.items() if name.startswith("fold")]
    tested = [speaker for fold in folds if isinstance(fold, Table) and fold.speakers for speaker in fold.keys["test"]]
    assert not tested or sorted(tested) == sorted(corpus.speakers)


def test_every_config_says_its_rule(module):
    corpus = module.CORPUS
    for name, partition in corpus.partitions.items():
        assert isinstance(partition, Partition)
        assert len(partition.rule) > 20, name
        assert partition.rule not in {one.rule for other, one in corpus.partitions.items() if other[:4] != name[:4]}


def test_speaker_configs_are_there_from_three_speakers_on(module):
    corpus = module.CORPUS
    expected = min(5, len(corpus.speakers)) if len(corpus.speakers) >= 3 else 0
    found = [name for name in corpus.config_names() if name.startswith("speaker")]
    assert found == [f"speaker{k}" for k in range(1, expected + 1)]


@pytest.mark.parametrize(
    ("paper", "config"), [("serab", "serab"), ("serab", "serab_strict"), ("ser_evals", "serevals"), ("generalize",) * 2]
)
def test_members_of_a_paper_have_its_config(module, paper, config):
    assert (config in module.CORPUS.partitions) == (paper in module.CORPUS.papers)


@pytest.mark.parametrize("corpus", EMOBOX)
def test_published_paths_give_published_ids_labels_speakers_and_folds(corpus, tones, tmp_path):
    check_against_emobox(corpus, published(corpus), tones, tmp_path)


def check_against_emobox(corpus, lines, tones, tmp_path: Path) -> list[Utterance]:
    """Plant tones at the listed paths, compare what loading finds with the lines of EmoBox's list, and return it."""
    module = registry.load(corpus)
    root = tmp_path / corpus
    lines = plant(corpus, root, lines, tones)
    (root / "README.md").write_text("no audio")
    found = listing.utterances(module, raw.locate(module, root))
    by_id = {one.id: one for one in found}
    assert {line["id"] for line in lines} <= set(by_id)
    if corpus != "iemocap":  # which has more utterances than EmoBox lists
        assert {line["id"] for line in lines} == set(by_id)
    assert all(unicodedata.is_normalized("NFC", name) for name in by_id)

    emotion_of = {}
    for line in lines:
        one = by_id[line["id"]]
        assert line["speaker"].removeprefix("male_").removeprefix("female_") == speaker_as_listed(corpus, one)
        emotion = rows.labels(module.CORPUS, one.native)["emotion"]
        assert emotion_of.setdefault(line["emotion"], emotion) == emotion
    assert set(emotion_of.values()) == set(range(len(module.CORPUS.emotion_names())))
    assert len(emotion_of) == len(module.CORPUS.classes)

    for fold in (name for name in lines[0] if name.startswith("fold")):
        parts = listing.split(module, fold, found)
        listed = {split: {line["id"] for line in lines if SPLITS[line[fold]] == split} for split in parts}
        assert {split: {one.id for one in part} for split, part in parts.items()} == listed
    assert len(listing.atoms(module.CORPUS, found)) <= MOST_ATOMS
    return found
