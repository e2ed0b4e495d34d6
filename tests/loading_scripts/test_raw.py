"""Raw trees: the root is found where people point, or the message says what to do."""

import pytest
from conftest import published

from loading_scripts import raw, registry
from loading_scripts.errors import RawTreeError


@pytest.mark.parametrize("corpus", ["urdu", "ravdess", "emodb", "turevdb"])
@pytest.mark.parametrize("given", [".", "..", "../..", "first folder", "folder of a file"])
def test_the_root_is_found_one_or_two_levels_off(corpus, given, tones, tmp_path):
    paths = [line["path"] for line in published(corpus)[:3]]
    if corpus == "ravdess":
        paths = [path.removeprefix("audio/Audio_Speech_Actors_01-24/") for path in paths]
    root = tones(tmp_path / "corpora" / "copy", paths)
    folder = {"first folder": root / paths[0].split("/")[0], "folder of a file": (root / paths[0]).parent}.get(
        given, root / given
    )
    assert raw.locate(registry.load(corpus), folder.resolve()) == root


def test_the_kaggle_copy_that_holds_ravdess_twice_counts_once(tones, tmp_path):
    once = [f"Actor_01/03-01-0{k}-01-01-01-01.wav" for k in range(1, 9)]
    root = tones(tmp_path, once + [f"audio_speech_actors_01-24/{path}" for path in once])
    assert [one.path for one in registry.load("ravdess").find(root)] == once


def test_song_video_and_filtered_copies_are_left_out(tones, tmp_path):
    tones(tmp_path / "ravdess", ["Actor_24/03-02-01-01-01-01-24.wav", "Actor_24/01-01-01-01-01-01-24.mp4"])
    assert not list(registry.load("ravdess").find(tmp_path / "ravdess"))
    tones(
        tmp_path / "turevdb", ["Model Output for Test Data/x/sound/Angry/1157_kz_beste.wav", "Sound Source/README.md"]
    )
    assert not list(registry.load("turevdb").find(tmp_path / "turevdb"))


@pytest.mark.parametrize(
    ("make", "rule"),
    [("nothing", "does not exist"), ("empty", "is empty"), ("other", "no file of"), ("file", "is a file")],
)
def test_what_is_no_corpus_is_refused_with_the_way_to_get_it(make, rule, tmp_path):
    folder = tmp_path / "x" / "y" / "raw"
    folder.parent.mkdir(parents=True)
    if make == "file":
        folder.write_text("")
    elif make != "nothing":
        folder.mkdir()
    if make == "other":
        (folder / "notes.txt").write_text("")
    with pytest.raises(RawTreeError, match=f"(?s)URDU.*{rule}.*Get it: .*github.com.*Expected tree"):
        raw.locate(registry.load("urdu"), folder)


def test_the_fingerprint_sees_content_changes_but_not_hidden_files(tones, tmp_path):
    root = tones(tmp_path / "raw", ["a/1.wav", "b/2.wav"])
    before = raw.fingerprint(root)
    (root / ".git").mkdir()
    (root / ".git" / "index").write_text("")
    assert raw.fingerprint(root) == before
    (root / "a" / "1.wav").rename(root / "a" / "3.wav")
    assert raw.fingerprint(root) != before
