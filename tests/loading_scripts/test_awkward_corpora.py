"""What is awkward about single corpora: tables beside the audio, segments, containers, two trees, odd encodings."""

import numpy as np
import pytest
import soundfile
from annotated_trees import plant
from conftest import published
from datasets import load_dataset
from test_audio import write_container

from loading_scripts import listing, raw, registry
from loading_scripts.errors import RawTreeError


def find(corpus, root):
    module = registry.load(corpus)
    return {one.id: one for one in listing.utterances(module, raw.locate(module, root))}


def pitch_hz(samples) -> float:
    middle = np.asarray(samples)[len(samples) // 4 : -len(samples) // 4]
    return np.argmax(np.abs(np.fft.rfft(middle, 16_000)))


# CREMA-D


def test_the_old_name_of_a_cremad_file_gives_the_new_id(tones, tmp_path):
    tones(tmp_path, ["AudioWAV/1040_ITH_SAD_X.wav", "AudioWAV/1001_IEO_ANG_HI.wav", "AudioMP3/1001_DFA_ANG_XX.mp3"])
    found = find("cremad", tmp_path / "AudioWAV")  # a folder too deep
    assert [(one.id, one.intensity, one.gender) for one in found.values()] == [
        ("cremad-1001-IEO-ANG-HI", "HI", "male"),
        ("cremad-1040-ITH-SAD-XX", None, "male"),
    ]
    assert registry.load("cremad").CORPUS.partitions["fold1"].assign(list(found.values())) != [None, None]


# SAVEE


@pytest.mark.parametrize(
    "name",
    ["AudioData/{}/{}.wav", "ALL/{}_{}.wav", "{}_{}.wav", "{}{}.wav"],
    ids=["folders", "Kaggle", "EmoBox", "glued"],
)
def test_every_tree_of_savee_gives_the_same_ids(name, tones, tmp_path):
    codes = ["a01", "sa01", "su15", "n30"]
    tones(tmp_path, [name.format(speaker, code) for speaker in ("DC", "KL") for code in codes])
    (tmp_path / "Info.txt").touch()
    found = find("savee", tmp_path)
    assert set(found) == {f"savee-{speaker}-{code}" for speaker in ("DC", "KL") for code in codes}
    assert [found[f"savee-KL-{code}"].native for code in codes] == ["a", "sa", "su", "n"]


# IEMOCAP


@pytest.fixture
def iemocap(tones, tmp_path):
    plant("iemocap", tmp_path / "IEMOCAP_full_release", published("iemocap")[:9], tones)
    return tmp_path / "IEMOCAP_full_release"


def test_iemocap_has_ratings_transcripts_and_turns_without_class(iemocap):
    found = find("iemocap", iemocap / "Session1")  # a folder too deep
    one = found["iemocap-Ses01F_impro01_F000"]
    assert (one.valence, one.arousal, one.dominance) == (2.5, 4.0, 3.6667)
    assert one.transcript == "Sentence 0."
    frustrated, disputed = found["iemocap-Ses01F_impro01_F998"], found["iemocap-Ses01F_impro01_M999"]
    assert (frustrated.native, frustrated.speaker, frustrated.gender) == ("fru", "Ses01F", "female")
    assert (disputed.native, disputed.speaker, disputed.gender) == ("xxx", "Ses01M", "male")
    partitions = registry.load("iemocap").CORPUS.partitions
    in_split = {name: one.assign([frustrated, disputed]) != [None, None] for name, one in partitions.items()}
    assert {name for name, taken in in_split.items() if taken} == {"generalize"} | {f"speaker{k}" for k in range(1, 6)}


def test_iemocap_rows_have_null_labels_where_there_is_none(iemocap):
    rows = load_dataset("serbench/iemocap", "all", data_dir=str(iemocap), split="train")
    by_code = {row["native"]: row for row in rows.remove_columns("audio")}
    assert {"fru", "xxx"} < set(by_code)
    columns = ("emotion", "canonical", "unified8", "arousal_valence")
    assert [by_code["xxx"][name] for name in columns] == [None] * 4
    assert [by_code["fru"][name] for name in columns][:2] == [None, "frustration"]
    assert all(by_code[code]["emotion"] is not None for code in by_code.keys() - {"fru", "xxx"})
    assert by_code["xxx"]["arousal"] == 4.0


def test_iemocap_without_ratings_names_the_file(iemocap):
    (iemocap / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt").unlink()
    with pytest.raises(RawTreeError, match=r"EmoEvaluation/Ses01F_impro01\.txt, which does not exist"):
        find("iemocap", iemocap)


def test_iemocap_without_transcriptions_has_none(iemocap):
    for path in (iemocap / "Session1/dialog/transcriptions").iterdir():
        path.unlink()
    assert find("iemocap", iemocap)["iemocap-Ses01F_impro01_F000"].transcript is None


# MELD


def meld_lines():
    lines = published("meld")
    return [next(line for line in lines if line["fold1"] == split) for split in ("train", "valid", "test")]


def test_clips_of_meld_are_decoded_from_their_containers(tones, tmp_path):
    lines = meld_lines()
    seconds = np.arange(48_000) / 48_000
    plant("meld", tmp_path, lines, tones)
    for k, line in enumerate(lines):
        tone = 0.4 * np.sin(2 * np.pi * 500 * (k + 1) * seconds)
        (tmp_path / line["path"]).unlink()  # a link to the tone of all tests
        write_container(tmp_path / line["path"], np.stack([tone] * (2, 6, 6)[k], axis=1), 48_000, "aac")
    parts = load_dataset("serbench/meld", "official", data_dir=str(tmp_path))
    assert {name: part["id"][:] for name, part in parts.items()} == {
        "train": [lines[0]["id"]],
        "validation": [lines[1]["id"]],
        "test": [lines[2]["id"]],
    }
    for k, part in enumerate(parts.values()):
        row = part[0]
        assert row["transcript"] == 'Well, "look"\nwho’s here.'
        assert row["duration"] == pytest.approx(1, abs=0.1)
        assert pitch_hz(row["audio"]["array"]) == pytest.approx(500 * (k + 1), abs=2)


def test_extra_clips_of_meld_are_left_out_without_a_warning(tones, tmp_path, caplog):
    lines = plant("meld", tmp_path, published("meld"), tones)
    assert len(find("meld", tmp_path)) == len(lines)
    assert "does not use" not in caplog.text


def test_meld_without_a_table_names_it(tones, tmp_path):
    plant("meld", tmp_path, meld_lines(), tones)
    (tmp_path / "dev_sent_emo.csv").unlink()
    with pytest.raises(RawTreeError, match=r"dev clips are read from .*dev_sent_emo\.csv, which does not exist"):
        find("meld", tmp_path)


def test_old_tables_of_meld_spell_apostrophes_as_control_characters(tones, tmp_path):
    plant("meld", tmp_path, meld_lines(), tones)
    path = tmp_path / "train" / "train_sent_emo.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("’", "\x92"), encoding="utf-8")
    assert next(one for one in find("meld", tmp_path).values() if one.id.endswith("train")).transcript.endswith(
        "who’s here."
    )


# PAVOQUE


def test_segments_of_pavoque_are_cut_from_the_long_files(tones, tmp_path):
    lines = [line for line in published("pavoque") if "neutral" in line["path"]][:3]
    for k, line in enumerate(lines):
        line |= {"start": f"{0.5 * k}", "end": f"{0.5 * (k + 1)}"}
    plant("pavoque", tmp_path, lines, tones)
    seconds = np.arange(22_050) / 44_100
    long = np.concatenate([0.4 * np.sin(2 * np.pi * 500 * (k + 1) * seconds) for k in range(3)])
    (tmp_path / "pavoque-neutral.flac").unlink()
    soundfile.write(tmp_path / "pavoque-neutral.flac", long, 44_100)
    rows = load_dataset("serbench/pavoque", "all", data_dir=str(tmp_path), split="train").sort("id")
    assert rows["id"][:] == [line["id"] for line in lines]
    for k, row in enumerate(rows):
        assert row["duration"] == pytest.approx(0.5, abs=1e-3)
        assert pitch_hz(row["audio"]["array"]) == pytest.approx(500 * (k + 1), abs=2)
        assert row["transcript"] == "Nein"  # and not False


def test_pavoque_without_a_table_names_it(tones, tmp_path):
    plant("pavoque", tmp_path, published("pavoque"), tones)
    (tmp_path / "pavoque-outtakes.yaml").unlink()
    with pytest.raises(RawTreeError, match=r"pavoque-outtakes\.flac are read from .*outtakes\.yaml, which does not"):
        find("pavoque", tmp_path)


def test_half_a_table_of_pavoque_is_refused_by_name(tones, tmp_path):
    plant("pavoque", tmp_path, published("pavoque"), tones)
    path = tmp_path / "pavoque-angry.yaml"
    path.write_text(path.read_text() + "- {prompt: spike")
    with pytest.raises(RawTreeError, match=r"pavoque-angry\.yaml is no whole YAML file"):
        find("pavoque", tmp_path)


def test_pavoque_without_an_audio_file_has_the_other_styles(tones, tmp_path):
    lines = plant("pavoque", tmp_path, published("pavoque"), tones)
    (tmp_path / "pavoque-outtakes.flac").unlink()
    assert set(find("pavoque", tmp_path)) == {line["id"] for line in lines if "outtakes" not in line["path"]}


# ESD


def test_both_trees_of_esd_give_the_same_official_split(tones, tmp_path):
    numbers = {"evaluation": (351, 370), "test": (371, 400), "train": (401, 700)}
    flat = tones(tmp_path / "flat", [f"0011/Angry/0011_{k:06d}.wav" for pair in numbers.values() for k in pair])
    deep = tones(
        tmp_path / "Emotional Speech Dataset (ESD)" / "Emotion Speech Dataset",
        [f"0011/Angry/{split}/0011_{k:06d}.wav" for split, pair in numbers.items() for k in pair],
    )
    official = registry.load("esd").CORPUS.partitions["official"]
    for root in (flat, deep.parent):
        found = find("esd", root)
        splits = dict(zip(found, official.assign(list(found.values())), strict=True))
        names = {"evaluation": "validation"}
        assert splits == {f"esd-0011-{k:06d}": names.get(split, split) for split, pair in numbers.items() for k in pair}


@pytest.mark.parametrize("speaker", ["0001", "0011"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", None])
def test_transcripts_of_esd_in_any_encoding(speaker, encoding, tones, tmp_path):
    mandarin = speaker == "0001"
    text, code = ("编造的句子。", "快乐") if mandarin else ("A café, made up.", "Happy")
    encoding = encoding or ("gb2312" if mandarin else "latin-1")
    tones(tmp_path, [f"{speaker}/Happy/{speaker}_00070{k}.wav" for k in (1, 2)])
    lines = f"{speaker}_000701\t{text}\t{code}\r\n{speaker}_000702 malformed\r\n"
    (tmp_path / speaker / f"{speaker}.txt").write_bytes(lines.encode(encoding))
    found = find("esd", tmp_path)
    assert found[f"esd-{speaker}-000701"].transcript == text
    assert found[f"esd-{speaker}-000702"].transcript is None
    assert found[f"esd-{speaker}-000701"].language == ("zh" if mandarin else "en")
