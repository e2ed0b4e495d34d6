"""What a user may want otherwise than a corpus has it: without its known defects, or the channel of the speech."""

import csv
import dataclasses
import json

import av
import numpy as np
import pytest
import soundfile
from conftest import published
from datasets import load_dataset
from huggingface_hub import DatasetCard
from typer.testing import CliRunner

from loading_scripts import audio, listing, registry, repo
from loading_scripts.corpus import Erratum
from loading_scripts.errors import AudioError, UnknownNameError
from loading_scripts.metadata.door import read
from loading_scripts.utterance import CENTER
from ser_trainer import cli

DROPPED = [line["id"] for line in published("urdu")[:3]]


@pytest.fixture
def defective(monkeypatch):
    """Give URDU two errata that name three utterances of the sample and one that no copy has."""
    module = registry.load("urdu")
    errata = (
        Erratum("Two are noise (made up).", drop=tuple(DROPPED[:2])),
        Erratum("One is no speech (made up).", drop=(DROPPED[2], "urdu-gone")),
        Erratum("Nothing can be done about this."),
    )
    monkeypatch.setattr(module, "CORPUS", dataclasses.replace(module.CORPUS, errata=errata))
    return module


def run(*words: object) -> str:
    done = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.stdout


# Errata


@pytest.mark.parametrize("config", ["all", "fold1", "serevals"])
def test_known_defects_are_left_out_on_demand_and_nothing_else_moves(config, defective, urdu, tmp_path, caplog):
    where = {"data_dir": str(urdu), "cache_dir": str(tmp_path)}
    whole = load_dataset("serbench/urdu", config, **where)
    assert "left out for errata" not in caplog.text
    clean = load_dataset("serbench/urdu", config, drop_errata=True, **where)
    assert {split: part["id"][:] for split, part in clean.items()} == {
        split: [name for name in part["id"] if name not in DROPPED] for split, part in whole.items()
    }
    assert sum(map(len, whole.values())) - sum(map(len, clean.values())) == 3
    said = "Corpus urdu: 3 of 300 utterances are left out for errata of the record (1 more that it names are not in"
    assert said.replace("300", str(len(published("urdu")))) in caplog.text


def test_streaming_leaves_them_out_too(defective, urdu):
    rows = load_dataset("serbench/urdu", "all", data_dir=str(urdu), drop_errata=True, streaming=True, split="train")
    names = [row["id"] for row in rows.select_columns(["id"])]
    assert len(names) == len(published("urdu")) - 3
    assert not set(names) & set(DROPPED)


def test_a_built_folder_has_the_same_rows_and_its_card_says_so(defective, urdu, tmp_path):
    choice = listing.Choice(drop_errata=True)
    folder = repo.build(defective, urdu, tmp_path / "serbench" / "urdu", configs=["fold1"], choice=choice)
    built = load_dataset(str(folder), "fold1", cache_dir=str(tmp_path / "cache"))
    ours = load_dataset("serbench/urdu", "fold1", data_dir=str(urdu), drop_errata=True)
    assert {split: part["id"][:] for split, part in built.items()} == {s: part["id"][:] for s, part in ours.items()}
    text = DatasetCard.load(folder / "README.md").text
    names = "\n".join(f"- `{name}`" for name in sorted(DROPPED))
    assert f"3 utterances were dropped for known defects (`--drop-errata`):\n\n{names}" in text
    assert f"| utterances here | {len(published('urdu')) - 3} of 400," in text


def test_a_build_without_the_choice_is_another_folder(defective, urdu, tmp_path):
    out = tmp_path / "serbench" / "urdu"
    repo.build(defective, urdu, out, configs=["fold1"], choice=listing.Choice(drop_errata=True))
    repo.build(defective, urdu, out, configs=["fold1"])
    rows = load_dataset(str(out), "all", split="train", cache_dir=str(tmp_path / "cache"))
    assert len(rows) == len(published("urdu"))
    assert "dropped for known defects" not in (out / "README.md").read_text(encoding="utf-8")


def test_info_names_what_would_be_dropped_and_what_this_copy_lacks(defective, urdu):
    text = run("info", "urdu", "--raw", urdu)
    assert f"known defect: Two are noise (made up). (--drop-errata leaves out 2: {', '.join(DROPPED[:2])})\n" in text
    assert "urdu-gone; 1 of them not in this copy, first urdu-gone)\n" in text
    assert "known defect: Nothing can be done about this.\n" in text
    told = json.loads(run("info", "urdu", "--json"))
    assert [one["not_here"] for one in told["errata"]] == [None] * 3
    assert told["errata"][0]["drop"] == DROPPED[:2]


def test_a_table_of_the_users_own_has_no_errata(tones, tmp_path, caplog):
    paths = [f"{emotion}/{k}.wav" for emotion in ("anger", "sadness") for k in range(3)]
    raw = tones(tmp_path / "raw", paths)
    with (tmp_path / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file", "emotion", "speaker"), *((p, p.split("/")[0], p[-5]) for p in paths)])
    module = read("mine", tmp_path / "table.csv", raw)
    folder = repo.build(module, raw, tmp_path / "mine", choice=listing.Choice(drop_errata=True))
    assert len(load_dataset(str(folder), "all", split="train", cache_dir=str(tmp_path / "cache"))) == 6
    assert "Corpus mine: 0 of 6 utterances are left out for errata" in caplog.text


@pytest.mark.parametrize("corpus", [name for name in registry.ids() if registry.load(name).CORPUS.errata])
def test_what_errata_drop_are_ids_of_their_corpus_each_named_once(corpus):
    names = [name for erratum in registry.load(corpus).CORPUS.errata for name in erratum.drop]
    assert all(name.startswith(f"{corpus}-") for name in names)
    assert len(set(names)) == len(names)


# The channel of the speech


def sines(frequencies: list[int], rate: int = 48_000) -> np.ndarray:
    """Return float32 (frames, channels): half a second, a tone of its own in each channel."""
    seconds = np.arange(rate // 2) / rate
    return np.stack([0.3 * np.sin(2 * np.pi * hz * seconds) for hz in frequencies], axis=1).astype(np.float32)


def pitch(samples: np.ndarray, rate: int = audio.SAMPLE_RATE) -> int:
    """Return the strongest frequency in Hz, to 10 Hz."""
    spectrum = np.abs(np.fft.rfft(samples[: rate // 2].astype(np.float32)))
    return round(2 * int(np.argmax(spectrum)), -1)


@pytest.mark.parametrize(
    ("frequencies", "heard"), [([300], 300), ([300, 500], 300), ([300, 500, 700, 900, 1100, 1300], 700)]
)
def test_the_center_is_the_third_of_six_channels_or_the_first(frequencies, heard, tmp_path):
    soundfile.write(tmp_path / "clip.wav", sines(frequencies), 48_000)
    assert pitch(audio.load(tmp_path / "clip.wav", channel=CENTER)) == heard


@pytest.mark.parametrize("channels", [3, 4, 8])
def test_other_numbers_of_channels_have_no_known_center(channels, tmp_path):
    soundfile.write(tmp_path / "clip.wav", sines([300] * channels), 48_000)
    with pytest.raises(AudioError, match=rf"third of six channels.* it has {channels}.*without center_channel"):
        audio.load(tmp_path / "clip.wav", channel=CENTER)


def film(path, frequencies: list[int]) -> None:
    """Write a clip as MELD has them: AAC in six channels (5.1) or two, in an MP4 container."""
    layout = {6: "5.1", 2: "stereo"}[len(frequencies)]
    samples = np.ascontiguousarray(sines(frequencies).T)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout=layout)
        for start in range(0, samples.shape[1], 1024):
            block = np.ascontiguousarray(samples[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = 48_000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.fixture
def meld(tmp_path):
    """Return a raw tree of MELD with a clip of six channels and one of two."""
    root = tmp_path / "MELD.Raw"
    (root / "train_splits").mkdir(parents=True)
    film(root / "train_splits" / "dia0_utt0.mp4", [300, 500, 700, 80, 1100, 1300])
    film(root / "train_splits" / "dia0_utt1.mp4", [300, 500])
    header = ["Sr No.", "Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID"]
    with (root / "train_sent_emo.csv").open("w", newline="") as file:
        rows = [[k + 1, "Oh.", "Joey", "joy", "positive", 0, k] for k in range(2)]
        csv.writer(file).writerows([header, *rows])
    return root


def test_meld_reads_the_channel_that_emobox_reads_on_demand(meld, tmp_path):
    where = {"data_dir": str(meld), "split": "train", "cache_dir": str(tmp_path / "cache")}
    mean = load_dataset("serbench/meld", "all", **where)
    speech = load_dataset("serbench/meld", "all", center_channel=True, **where)
    assert [pitch(row["audio"]["array"]) for row in speech] == [700, 300]
    both = [np.abs(np.fft.rfft(row["audio"]["array"][:8000])) for row in mean]
    assert both[0][550] > 0.5 * both[0][350]  # 1100 Hz, behind, is as loud as the speech
    assert both[1][250] > 0.5 * both[1][150]


def test_a_built_meld_has_the_same_samples_and_its_card_says_so(meld, tmp_path):
    folder = tmp_path / "serbench" / "meld"
    CliRunner().invoke(
        cli.app, ["build", "meld", "--raw", str(meld), "--out", str(folder), "--center-channel"], catch_exceptions=False
    )
    built = load_dataset(str(folder), "all", split="train", cache_dir=str(tmp_path / "cache"))
    ours = load_dataset("serbench/meld", "all", data_dir=str(meld), center_channel=True, split="train")
    for row, other in zip(built, ours, strict=True):
        assert np.array_equal(row["audio"]["array"], other["audio"]["array"])
    assert "the third of six, the first of two" in (folder / "README.md").read_text(encoding="utf-8")


def test_other_corpora_have_no_center_channel(urdu, tmp_path):
    with pytest.raises(UnknownNameError, match="Corpus urdu: center_channel is for corpora .* meld"):
        load_dataset("serbench/urdu", "fold1", data_dir=str(urdu), center_channel=True)
    with pytest.raises(UnknownNameError, match="center_channel"):
        repo.build(registry.load("urdu"), urdu, tmp_path / "urdu", choice=listing.Choice(center_channel=True))
