import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from transformers import HubertForSequenceClassification, Wav2Vec2FeatureExtractor, pipeline

from loading_scripts import audio
from ser_trainer.models import expand, tiny_hubert_config
from ser_trainer.prediction import PredictionError, find_audio, load_classifier, predict

REPOSITORY = Path(__file__).parents[2]
SECONDS = [0.1, 0.5, 0.5, 0.8, 1.1, 0.3]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """Noise of several lengths, rates and numbers of channels."""
    folder = tmp_path_factory.mktemp("recordings")
    for number, (seconds, rate, channels) in enumerate(
        zip(SECONDS, [16_000, 16_000, 16_000, 44_100, 8_000, 22_050], [1, 1, 1, 2, 1, 1], strict=True)
    ):
        samples = np.random.default_rng(number).normal(0, 0.1, (int(seconds * rate), channels))
        soundfile.write(folder / f"{number}.wav", samples, rate, subtype="PCM_16")
    return folder


def saved(folder: Path, norm: str, mask: bool) -> str:
    """Save a random classifier: `norm` of the stem and `mask` decide whether it feels padding."""
    torch.manual_seed(0)
    config = tiny_hubert_config({0: "anger", 1: "neutral", 2: "sadness"})
    config.update({"feat_extract_norm": norm, "conv_bias": norm == "layer", "initializer_range": 0.1})
    expand(HubertForSequenceClassification(config)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=mask).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return saved(tmp_path_factory.mktemp("model"), "layer", mask=True)


@pytest.mark.parametrize(("norm", "mask"), [("layer", True), ("layer", False), ("group", False)])
def test_probabilities_are_those_of_the_pipeline_for_each_file_alone(tmp_path, recordings, norm, mask):
    name = saved(tmp_path, norm, mask)
    classify = pipeline("audio-classification", model=name, device="cpu")

    found = list(predict(find_audio([recordings]), *load_classifier(name), batch_size=4))

    assert [Path(one.file).name for one in found] == [f"{number}.wav" for number in range(len(SECONDS))]
    for one in found:
        samples = audio.as_float(audio.load(one.file))
        expected = {entry["label"]: entry["score"] for entry in classify({"raw": samples, "sampling_rate": 16_000})}
        assert one.probabilities == pytest.approx(expected, abs=1e-5)
        assert one.label == max(expected, key=expected.__getitem__)


def test_a_clip_shorter_than_the_convolutions_is_predicted(tmp_path, model):
    soundfile.write(tmp_path / "click.wav", np.full(20, 0.5), 16_000)

    (one,) = predict([tmp_path / "click.wav"], *load_classifier(model))

    assert sum(one.probabilities.values()) == pytest.approx(1)


def test_a_broken_file_is_named_and_the_others_predicted_in_order(tmp_path, model, recordings):
    (tmp_path / "broken.wav").write_bytes(b"no audio")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16_000)
    files = [recordings / "1.wav", tmp_path / "broken.wav", recordings / "0.wav", tmp_path / "empty.wav"]

    found = list(predict(files, *load_classifier(model), batch_size=3))

    assert [one.file for one in found] == [str(file) for file in files]
    assert [one.error is None for one in found] == [True, False, True, False]
    assert "broken.wav" in found[1].error and "empty.wav" in found[3].error


def test_folders_are_searched_and_files_taken_as_they_are(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("deep/er/b.WAV", "deep/a.flac", "deep/notes.txt", "x.raw"):
        (tmp_path / name).touch()

    assert find_audio([tmp_path / "x.raw", tmp_path / "deep"]) == [
        tmp_path / "x.raw",
        tmp_path / "deep" / "a.flac",
        tmp_path / "deep" / "er" / "b.WAV",
    ]


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(PredictionError, match=r"nowhere\.wav: no such file or folder"):
        find_audio([tmp_path / "nowhere.wav"])
    with pytest.raises(PredictionError, match=r"no file below .* ends in .*\.wav"):
        find_audio([tmp_path])
    with pytest.raises(PredictionError, match=r"has a config\.json; this one has none"):
        load_classifier(str(tmp_path))


@pytest.fixture
def script(monkeypatch):
    """Return a function that runs the script and returns its exit code."""

    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["predict.py", "--device", "cpu", *map(str, words)])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(REPOSITORY / "examples" / "predict.py"), run_name="__main__")
        return exit_.value.code

    return run


def test_the_script_prints_json_names_what_is_broken_and_exits_with_1(script, capsys, tmp_path, model, recordings):
    (tmp_path / "broken.wav").write_bytes(b"no audio")

    assert script("--model", model, recordings, tmp_path, "--json") == 1
    *good, broken = json.loads(capsys.readouterr().out)
    assert len(good) == len(SECONDS)
    assert all(one["label"] in one["probabilities"] for one in good)
    assert broken["file"].endswith("broken.wav") and "broken.wav" in broken["error"]


def test_the_script_prints_a_table(script, capsys, model, recordings):
    assert script("--model", model, recordings / "0.wav", recordings / "1.wav") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["file", "label", "anger", "neutral", "sadness"]
    assert [line.split()[0] for line in lines] == [str(recordings / "0.wav"), str(recordings / "1.wav")]
    assert all(sum(map(float, line.split()[2:])) == pytest.approx(1, abs=0.002) for line in lines)


def test_the_script_explains_a_missing_model_and_exits_with_2(script, capsys, recordings):
    assert script("--model", "nowhere", recordings) == 2
    assert "Model nowhere:" in capsys.readouterr().err
