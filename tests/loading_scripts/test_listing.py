"""Listing refuses trees that are not the corpus, and says what is wrong."""

import dataclasses

import pytest
from conftest import published

from loading_scripts import audio, listing, registry
from loading_scripts.errors import AudioError, CorpusMismatchError


@pytest.fixture
def urdu_paths():
    return [line["path"] for line in published("urdu")]


def test_a_few_unknown_names_are_left_out_with_a_warning(urdu_paths, tones, tmp_path, caplog):
    root = tones(tmp_path, [*urdu_paths, "Angry/copy of SM1.wav", "Sad/.hidden.wav"])
    (root / "Sad" / "notes.txt").write_text("")
    assert len(listing.utterances(registry.load("urdu"), root)) == len(urdu_paths)
    assert "1 audio files have names that the corpus does not use, first ['Angry/copy of SM1.wav']" in caplog.text


def test_many_unknown_names_are_another_version_of_the_corpus(urdu_paths, tones, tmp_path):
    root = tones(tmp_path, urdu_paths + [f"Angry/angry {k}.MP3" for k in range(9)])
    with pytest.raises(CorpusMismatchError, match=r"at most 1% .* 9 audio files .*angry 0.MP3.*\(4\.3%\)"):
        listing.utterances(registry.load("urdu"), root)


def test_files_that_the_record_ignores_are_not_unknown(tones, tmp_path, caplog):
    speech = [f"Actor_01/03-01-0{k}-01-01-01-01.wav" for k in range(1, 9)]
    song = [path.replace("03-01", "03-02") for path in speech]
    root = tones(tmp_path, [*speech, *song, "Actor_01/01-01-01-01-01-01-01.mp4"])
    assert len(listing.utterances(registry.load("ravdess"), root)) == 8
    assert "does not use" not in caplog.text


def test_speakers_outside_the_record_are_named(urdu_paths, tones, tmp_path):
    root = tones(tmp_path, [*urdu_paths, "Sad/SM99_F1_S01.wav"])
    with pytest.raises(CorpusMismatchError, match=r"found \['SM99'\] as well"):
        listing.utterances(registry.load("urdu"), root)


def test_the_same_id_twice_names_both_files(urdu_paths, tones, tmp_path, monkeypatch):
    module = registry.load("urdu")
    find = module.find
    monkeypatch.setattr(module, "find", lambda root: (dataclasses.replace(one, id="urdu-x") for one in find(root)))
    root = tones(tmp_path, urdu_paths[:2])
    with pytest.raises(CorpusMismatchError, match=rf"'urdu-x' at \['{urdu_paths[0]}', '{urdu_paths[1]}'\]"):
        listing.utterances(module, root)


def test_a_git_lfs_pointer_is_recognised(tmp_path):
    path = tmp_path / "1001_DFA_ANG_XX.wav"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(AudioError, match="Git LFS pointer.*git lfs pull"):
        audio.duration(path)
