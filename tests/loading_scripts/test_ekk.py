"""EKK: labels come from the TextGrid of the same name, in each of Praat's forms, and never from a guess."""

import pytest
from annotated.ekk import textgrid

from loading_scripts.corpora import ekk
from loading_scripts.errors import CorpusMismatchError, RawTreeError

SHORT = (
    'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2.5\n<exists>\n2\n'
    '"IntervalTier"\n"sentence"\n0\n2.5\n1\n0\n2.5\n"Ta ütles: ""Õige."""\n'
    '"IntervalTier"\n"emotion"\n0\n2.5\n2\n0\n1\n"joy"\n1\n2.5\n"sadness"\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("text", [SHORT, textgrid("joy", 'Ta ütles: "Õige."')], ids=["short", "long"])
def test_both_forms_and_all_encodings_tell_the_same(tones, tmp_path, text, encoding):
    tones(tmp_path, ["37.wav"])
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (tmp_path / "37.TextGrid").write_bytes((mark + text.replace("\n", "\r\n")).encode(encoding))
    (one,) = ekk.find(tmp_path)
    assert (one.id, one.native, one.transcript) == ("ekk-37", "joy", 'Ta ütles: "Õige."')


def test_a_clip_without_a_textgrid_is_left_out_but_not_all_of_them(tones, tmp_path):
    tones(tmp_path, ["37.wav", "39.wav"])
    with pytest.raises(RawTreeError, match=r"37\.TextGrid beside it.*no TextGrid files"):
        list(ekk.find(tmp_path))
    (tmp_path / "39.textgrid").write_text(SHORT)
    assert [one.id for one in ekk.find(tmp_path)] == ["ekk-39"]


@pytest.mark.parametrize("text", ["", "joy", SHORT.replace('"joy"', '"joi"')])
def test_an_unknown_emotion_is_refused_with_file_and_rule(tones, tmp_path, text):
    tones(tmp_path, ["37.wav"])
    (tmp_path / "37.TextGrid").write_text(text)
    with pytest.raises(CorpusMismatchError, match=r"37\.TextGrid starts with one of anger, joy, neutral, sadness"):
        list(ekk.find(tmp_path))
