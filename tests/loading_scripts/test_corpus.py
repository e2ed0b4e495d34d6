"""Records refuse bad values when they are made."""

import dataclasses

import pytest

from loading_scripts import registry
from loading_scripts.errors import RecordError, UnknownNameError
from loading_scripts.labels import AROUSAL_VALENCE, UNIFIED8, mapping, nouns
from loading_scripts.partitions import speaker_folds


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"id": "Em-DB"}, "id is lower-case"),
        ({"languages": ("deutsch",)}, "languages are tags"),
        ({"papers": ("emobx",)}, "Did you mean 'emobox'"),
        ({"emotions": {"W": "angr"}, "classes": {}}, "Did you mean 'anger'"),
        ({"classes": {"Q": "Angry"}}, "classes have keys of emotions"),
        ({"partitions": {"Fold 1": None}}, "config names"),
        ({"partitions": speaker_folds({1: ["99"]})}, "speakers of config fold1 have a gender"),
        ({"citation": "Burkhardt 2005"}, "citation is BibTeX"),
        ({"utterances": 0}, "count of a complete copy"),
    ],
)
def test_a_bad_value_names_rule_and_value(change, rule):
    with pytest.raises(RecordError, match=rule):
        dataclasses.replace(registry.load("emodb").CORPUS, **change)


def test_every_noun_maps_into_the_columns_with_a_basis():
    for noun in nouns():
        meaning = mapping(noun)
        assert meaning.unified8 in UNIFIED8
        assert meaning.arousal_valence in {None, *AROUSAL_VALENCE}
        assert meaning.basis_unified8
        assert meaning.basis_arousal_valence


def test_overrides_win_in_their_corpus_only():
    assert mapping("calm", "turevdb").arousal_valence == "low_neutral"
    assert mapping("calm", "ravdess").arousal_valence == "low_positive"


def test_an_unknown_noun_is_never_other():
    with pytest.raises(UnknownNameError, match="Did you mean 'happiness'"):
        mapping("hapiness")
