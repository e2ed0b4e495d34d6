"""One suite over every corpus: what a record and its `find` must keep."""

import re
import unicodedata
from pathlib import Path

import pytest
from conftest import REPOSITORY, published

from loading_scripts import builder, listing, raw, registry, rows
from loading_scripts.labels import AROUSAL_VALENCE, UNIFIED8

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
    assert all("train" in module.CORPUS.splits(name) for name in configs)


def test_the_way_to_get_it_names_source_licence_tree_and_command(module):
    corpus = module.CORPUS
    text = raw.how_to_get(corpus)
    assert f"serbench/{corpus.id}" in text
    if not hasattr(module, "make"):
        assert corpus.homepage in text
        assert corpus.licence.id in text
        assert corpus.layout.strip().splitlines()[0] in text


def test_folds_of_speakers_test_everybody_once(module):
    tables = [one.test_speakers for one in module.CORPUS.partitions.values() if hasattr(one, "test_speakers")]
    if tables:
        assert sum(map(len, tables)) == len(frozenset().union(*tables)) == len(module.CORPUS.speakers)


@pytest.mark.parametrize("corpus", EMOBOX)
def test_published_paths_give_published_ids_labels_speakers_and_folds(corpus, tones, tmp_path):
    check_against_emobox(corpus, published(corpus), tones, tmp_path)


def check_against_emobox(corpus, lines, tones, tmp_path: Path) -> None:
    """Plant tones at the listed paths and compare what loading finds with the lines of EmoBox's list."""
    module = registry.load(corpus)
    root = tones(tmp_path / corpus, (line["path"] for line in lines))
    (root / "README.md").write_text("no audio")
    found = listing.utterances(module, raw.locate(module, root))
    by_id = {one.id: one for one in found}
    assert set(by_id) == {line["id"] for line in lines}
    assert all(unicodedata.is_normalized("NFC", name) for name in by_id)

    emotion_of = {}
    for line in lines:
        one = by_id[line["id"]]
        assert line["speaker"].removeprefix("male_").removeprefix("female_") == one.speaker
        emotion = rows.labels(module.CORPUS, one.native)["emotion"]
        assert emotion_of.setdefault(line["emotion"], emotion) == emotion
    assert len(set(emotion_of.values())) == len(emotion_of) == len(module.CORPUS.emotion_names())

    for fold in (name for name in lines[0] if name.startswith("fold")):
        parts = listing.split(module, fold, found)
        listed = {split: {line["id"] for line in lines if line[fold] == split} for split in parts}
        assert {split: {one.id for one in part} for split, part in parts.items()} == listed
