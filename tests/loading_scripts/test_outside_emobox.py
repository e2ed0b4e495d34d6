"""Corpora that EmoBox lacks: what their splits keep apart, and how a copy that lacks a table is refused."""

from itertools import product

import pytest
from annotated.emofilm import LEGEND, write_workbook

from loading_scripts import listing, raw, registry
from loading_scripts.errors import CorpusMismatchError, RawTreeError
from loading_scripts.utterance import Gender


def emofilm(tones, root):
    """Plant 240 clips of 20 speakers; an item exists in all three languages, by another speaker in each."""
    clips = list(
        product("fm", ("rab", "dis", "gio", "ans", "tri"), (f"{k:03d}a" for k in range(8)), ("it", "es", "en"))
    )
    names = ["{}_{}{}{}".format(*clip) for clip in clips]
    tones(root, [f"wav_corpus/{name}.wav" for name in names])
    rows = [(name, f"{name[-2:]} {name[0]} {int(name[5:8]) // 2}") for name in names]
    write_workbook(root / LEGEND, {"female": [("file", "speaker"), *rows]})
    return listing.utterances(registry.load("emofilm"), root)


def test_emofilm_keeps_scenes_and_speakers_apart_in_emosetpp_only(tones, tmp_path):
    module = registry.load("emofilm")
    found = emofilm(tones, tmp_path / "x")
    parts = listing.split(module, "emosetpp", found)
    assert all(parts.values())
    for key in (module.scene_of, lambda one: one.speaker):
        seen = [{key(one) for one in part} for part in parts.values()]
        assert sum(map(len, seen)) == len(set().union(*seen))
    generalize = listing.split(module, "generalize", found)
    assert {one.language for part in generalize.values() for one in part} == {"en"}
    assert sum(map(len, generalize.values())) == 80
    assert 0.03 < len(generalize["test"]) / 80 < 0.3
    assert listing.shared_speakers(generalize) > 0


def test_emofilm_without_its_workbook_is_refused(tones, tmp_path):
    root = tones(tmp_path / "x", ["wav_corpus/f_gio204aes.wav"])
    with pytest.raises(RawTreeError, match=rf"speakers are read from .*{LEGEND}, which does not exist"):
        list(registry.load("emofilm").find(root))
    write_workbook(root / LEGEND, {"female": [("file", "actor"), ("f_gio204aes", "Jane Roe")]})
    with pytest.raises(RawTreeError, match=r"columns file and speaker; found \['actor', 'file'\]"):
        list(registry.load("emofilm").find(root))


def test_a_later_edition_of_emotiw_is_told(tones, tmp_path, caplog):
    module = registry.load("emotiw2014")
    root = tones(tmp_path / "x", [f"Train_AFEW/Happy/{k:09d}.avi" for k in range(578)] + ["Val_AFEW/Sad/000000001.avi"])
    found = listing.utterances(module, root)
    assert "later one" not in caplog.text
    assert {name: len(part) for name, part in listing.split(module, "official", found).items()} == {
        "train": 578,
        "validation": 1,
    }
    assert list(listing.split(module, "emosetpp", found)) == ["train", "test"]
    tones(root, ["Train_AFEW/Sad/999999999.avi"])
    assert len(list(module.find(root))) == 580
    assert "579 clips in Train_AFEW, where the edition of 2014 has 578" in caplog.text


def syntact(tones, root, files="file,speaker\n", train="file,emotion\n", test="file,emotion\n"):
    tones(root, ["synthesized_audio/de1_happy_p000009.wav", "synthesized_audio/9.wav"])
    names = ("db.files.csv", "db.emotion.categories.train.desired.csv", "db.emotion.categories.test.desired.csv")
    for name, text in zip(names, (files, train, test), strict=True):
        if text is not None:
            (root / name).write_text(text)
    return root


def test_syntact_takes_label_and_voice_from_the_tables(tones, tmp_path):
    module = registry.load("syntact")
    row = "./synthesized_audio/de1_happy_p000009.wav"
    root = syntact(
        tones,
        tmp_path / "x",
        f"file,speaker\n{row},de7\n",
        f"file,emotion\n{row},fear\n",
        f"file,emotion\n{row[:-5]}8.wav,fear\n",
    )
    (one,) = module.find(root)
    assert (one.native, one.speaker, one.gender) == ("fear", "de7", Gender.FEMALE)
    (root / "db.files.csv").unlink()
    (one,) = module.find(root)
    assert one.speaker == "de1"


def test_syntact_refuses_a_missing_table_and_a_file_without_voice(tones, tmp_path):
    module = registry.load("syntact")
    label = "file,emotion\n./synthesized_audio/9.wav,fear\n"
    with pytest.raises(CorpusMismatchError, match=r"train.desired.csv, line 2: the voice .*'synthesized_audio/9.wav'"):
        list(module.find(syntact(tones, tmp_path / "x", "file,speaker\n./x,de1\n", label, label)))
    with pytest.raises(RawTreeError, match=r"labels are read from .*test\.desired\.csv, which does not exist"):
        list(module.find(syntact(tones, tmp_path / "y", None, label, None)))
    with pytest.raises(RawTreeError, match=r"labels are read from .*train\.desired\.csv"):
        raw.locate(module, tones(tmp_path / "z", ["synthesized_audio/9.wav"]))


def test_mlend_needs_its_table_and_tests_the_speakers_of_benchmark_a(tones, tmp_path):
    module = registry.load("mlend")
    root = tones(tmp_path / "x", [f"MLEndSND_Public/0000{k}.wav" for k in range(4)])
    with pytest.raises(RawTreeError, match=r"read from .*MLEndSND_Audio_Attributes\.csv, which does not exist"):
        list(module.find(root))
    # As published (d6dde88b): 00013 and 00015 of speakers 146 and 89 test, 00016 and 00018 of 100 and 14 train.
    rows = "".join(f"0000{k},3,question,{speaker}\n" for k, speaker in enumerate((146, 89, 100, 14)))
    (root / "MLEndSND_Audio_Attributes.csv").write_text("Public filename,Numeral,Intonation,Speaker\n" + rows)
    parts = listing.split(module, "official", listing.utterances(module, root))
    assert {name: {one.speaker for one in part} for name, part in parts.items()} == {
        "train": {"100", "14"},
        "test": {"146", "89"},
    }
