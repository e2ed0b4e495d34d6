"""Oréau: of the two versions side by side only the second is read."""

from loading_scripts import raw
from loading_scripts.corpora import oreau

NAMES = ("f/sessj/10a02Ja.wav", "m/sessc/16a20Ca.wav")


def test_version_2_hides_version_1_but_version_1_alone_is_read(tones, tmp_path):
    tones(tmp_path, [f"OréauFR_01/{name}" for name in NAMES])
    root = raw.locate(oreau, tmp_path)
    assert [one.id for one in oreau.find(root)] == ["oreau-10a02Ja", "oreau-16a20Ca"]
    tones(tmp_path, [f"OréauFR_02/{NAMES[0]}"])
    root = raw.locate(oreau, tmp_path)
    assert [(root / one.path).relative_to(tmp_path).parts[0] for one in oreau.find(root)] == ["OréauFR_02"]
