"""Manifests: the owner's table names the files of a corpus whose naming nobody published."""

import pytest

from loading_scripts import raw, registry
from loading_scripts.errors import RawTreeError, SheetError
from loading_scripts.utterance import Gender


def tree(tones, root, *lines):
    tones(root, ["a/01.wav", "a/02.wav"])
    (root / "aesi.csv").write_text("\n".join(["file,emotion,speaker,gender", *lines]), encoding="utf-8")
    return root


def test_rows_become_utterances(tones, tmp_path):
    root = tree(tones, tmp_path / "x", "a/01.wav,Joy,s1,f", "a/02.wav,neutral,,")
    first, second = registry.load("aesi").find(root)
    assert (first.id, first.path, first.native, first.speaker) == ("aesi-a-01", "a/01.wav", "joy", "s1")
    assert (first.gender, first.language) == (Gender.FEMALE, "el")
    assert (second.speaker, second.gender) == (None, Gender.UNKNOWN)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a/01.wav,happy,s1,f", "line 3: emotion is one of anger, fear, joy, sadness, neutral; found 'happy'"),
        ("a/01.wav,joy,s1,x", "line 3: gender is female, male, unknown or empty; found 'x'"),
        ("a/03.wav,joy,s1,f", "line 3: file is a path below the raw folder .* 'a/03.wav' does not exist there"),
        ("../01.wav,joy,s1,f", "line 3: file is a path below the raw folder .* leaves it"),
    ],
)
def test_a_wrong_row_is_named_with_rule_and_value(line, message, tones, tmp_path):
    root = tree(tones, tmp_path / "x", "a/02.wav,joy,s1,f", line)
    with pytest.raises(SheetError, match=f"(?s)aesi.csv: 1 of 2 rows cannot be used.*{message}"):
        list(registry.load("aesi").find(root))


def test_a_missing_column_is_named(tones, tmp_path):
    root = tree(tones, tmp_path / "x", "a/02.wav,joy,s1,f")
    (root / "aesi.csv").write_text("file,label,speaker\na/01.wav,joy,s1\n")
    with pytest.raises(SheetError, match="needs the columns file, emotion, speaker; 'emotion' is missing"):
        list(registry.load("aesi").find(root))


@pytest.mark.parametrize("corpus", ["aesi", "mes"])
def test_without_the_table_the_way_to_write_it_is_told(corpus, tones, tmp_path):
    root = tones(tmp_path / "x", ["anger/01.wav"])
    with pytest.raises(RawTreeError, match=rf"(?s)write the table {corpus}\.csv.*columns file, emotion, speaker"):
        raw.locate(registry.load(corpus), root)
