import csv
import json
import os
import runpy
import subprocess
import sys
from io import BytesIO, StringIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from transformers import HubertForSequenceClassification, Wav2Vec2FeatureExtractor, pipeline

from loading_scripts import audio
from ser_trainer.calibration import TEMPERATURE
from ser_trainer.finetune.collator import SerCollator
from ser_trainer.models import expand, tiny_hubert_config
from ser_trainer.prediction import Prediction, PredictionError, find_audio, load_classifier, predict
from ser_trainer.prediction.arousal_valence import marginals, quadrants
from ser_trainer.prediction.output import FORMATS, Layout, opened

REPOSITORY = Path(__file__).parents[2]
SECONDS = [0.1, 0.5, 0.5, 0.8, 1.1, 0.3]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small are slower on several threads, the more so where other tests run beside these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


EMOTIONS = ("anger", "neutral", "sadness")


def saved(folder: Path, norm: str = "layer", mask: bool = True, names=EMOTIONS, rate=16_000, **settings: object) -> str:
    """Save a random model: `norm` of the stem and `mask` decide whether it feels padding."""
    torch.manual_seed(0)
    config = tiny_hubert_config(dict(enumerate(names)))
    config.update({"feat_extract_norm": norm, "conv_bias": norm == "layer", "initializer_range": 0.1} | settings)
    expand(HubertForSequenceClassification(config)).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=mask, sampling_rate=rate).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return saved(tmp_path_factory.mktemp("model"))


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


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_of_a_model_divides_its_logits(tmp_path, recordings, model, temperature):
    calibrated, files = saved(tmp_path, **{TEMPERATURE: temperature}), [recordings / "0.wav", recordings / "1.wav"]

    before = list(predict(files, *load_classifier(model)))
    after = list(predict(files, *load_classifier(calibrated)))

    assert [one.label for one in before] == [one.label for one in after]
    for one, other in zip(before, after, strict=True):
        powers = {name: value ** (1 / temperature) for name, value in one.probabilities.items()}
        total = sum(powers.values())
        assert other.probabilities == pytest.approx({name: value / total for name, value in powers.items()}, abs=1e-6)


def test_a_model_of_ratings_gives_the_outputs_as_they_are(tmp_path, recordings):
    name = saved(tmp_path, names=("arousal", "valence"), problem_type="regression")
    model, extractor = load_classifier(name)

    (one,) = predict([recordings / "1.wav"], model, extractor)

    samples = audio.as_float(audio.load(recordings / "1.wav"))
    with torch.inference_mode():
        outputs = model(**extractor(samples, sampling_rate=16_000, return_tensors="pt")).logits[0]
    assert one.ratings == pytest.approx({"arousal": outputs[0].item(), "valence": outputs[1].item()}, abs=1e-5)
    assert one.label is one.probabilities is None


def test_outputs_that_are_no_numbers_are_an_error_of_the_file(recordings, model):
    classifier, extractor = load_classifier(model)
    with torch.no_grad():
        classifier.classifier.bias.fill_(float("nan"))
    (one,) = predict([recordings / "0.wav"], classifier, extractor)
    assert "0.wav: the outputs of the model must be finite; they are [nan nan nan]" in one.error


def test_arousal_and_valence_are_sums_over_the_classes_that_have_a_place():
    places = quadrants(["Angry", "sadness", "low_positive", "other", "happy"])
    assert places == {
        "Angry": "high_negative",
        "sadness": "low_negative",
        "low_positive": "low_positive",
        "happy": "high_positive",
    }
    found = marginals({"Angry": 0.2, "sadness": 0.1, "low_positive": 0.1, "other": 0.2, "happy": 0.4}, places)
    assert found == pytest.approx(
        {"arousal_high": 0.75, "valence_negative": 0.375, "valence_neutral": 0.0, "valence_positive": 0.625}
    )
    with pytest.raises(PredictionError, match=r"of LABEL_0, other none has"):
        quadrants(["LABEL_0", "other"])


@pytest.fixture
def script(monkeypatch):
    """Return a function that runs the script, with bytes on stdin, and returns its exit code."""

    def run(*words: object, stdin: bytes = b"") -> int:
        monkeypatch.setattr(sys, "argv", ["predict.py", "--device", "cpu", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(stdin)))
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(REPOSITORY / "examples" / "predict.py"), run_name="__main__")
        return exit_.value.code

    return run


def parsed(form: str, text: str) -> list[dict]:
    """Return the rows of an output as flat dicts of words."""
    if form == "csv":
        return list(csv.DictReader(StringIO(text)))
    if form == "table":
        header, *lines = text.splitlines()
        return [dict(zip(header.split(), line.split(), strict=True)) for line in lines]
    objects = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
    return [
        {
            name: str(value)
            for key, field in one.items()
            for name, value in (field if isinstance(field, dict) else {key: field}).items()
        }
        for one in objects
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_all_formats_say_the_same(script, capsys, model, recordings, form):
    files = [recordings / "5.wav", recordings / "0.wav"]
    assert script("--model", model, "--format", form, "--arousal_valence", *files) == 0

    found = parsed(form, capsys.readouterr().out)
    expected = list(predict(files, *load_classifier(model)))
    assert [(row["file"], row["label"]) for row in found] == [(one.file, one.label) for one in expected]
    for row, one in zip(found, expected, strict=True):
        shown = {name: float(row[name]) for name in EMOTIONS}
        assert shown == pytest.approx(one.probabilities, abs=1e-3 if form == "table" else 1e-6)
        assert float(row["arousal_high"]) == pytest.approx(one.probabilities["anger"], abs=1e-3)


@pytest.mark.parametrize("form", FORMATS)
def test_windows_have_start_and_end_in_all_formats(script, capsys, model, recordings, form):
    assert script("--model", model, "--timeline", "--window", 0.5, "--format", form, recordings / "4.wav") == 0
    found = parsed(form, capsys.readouterr().out)
    assert [(float(row["start"]), float(row["end"])) for row in found] == [(0, 0.5), (0.5, 1.1)]


@pytest.mark.parametrize("form", FORMATS)
def test_broken_files_are_named_in_all_formats_and_the_exit_code_is_1(
    script, capsys, tmp_path, model, recordings, form
):
    (tmp_path / "broken, or not.wav").write_bytes(b"no audio")

    assert script("--model", model, "--format", form, tmp_path, recordings / "1.wav") == 1

    said = capsys.readouterr()
    assert "broken, or not.wav: must be audio" in said.err
    assert "1 file (1 broken), 0.5 s of audio" in said.err
    rows = parsed(form, said.out)
    assert rows[-1]["label"] in EMOTIONS
    if form != "table":
        assert len(rows) == 2
        assert "must be audio" in rows[0]["error"]


def test_ratings_are_shown_in_all_formats(script, capsys, tmp_path, recordings):
    name = saved(tmp_path, names=("arousal", "valence"), problem_type="regression")
    for form in FORMATS:
        assert script("--model", name, "--format", form, recordings / "0.wav") == 0
        said = capsys.readouterr()
        (row,) = parsed(form, said.out)
        assert {"file", "arousal", "valence"} <= set(row) <= {"file", "arousal", "valence", "error"}
        assert "calibrated" not in said.err
    assert script("--model", name, "--arousal_valence", recordings / "0.wav") == 2
    assert "this one rates arousal, valence itself" in capsys.readouterr().err


def test_the_output_says_whether_probabilities_are_calibrated(script, capsys, tmp_path, model, recordings):
    for name, calibrated in ((model, False), (saved(tmp_path, **{TEMPERATURE: 2.0}), True)):
        assert script("--model", name, "--format", "jsonl", recordings / "0.wav") == 0
        said = capsys.readouterr()
        assert json.loads(said.out)["calibrated"] is calibrated
        assert ("the probabilities are calibrated." in said.err) is calibrated


def test_classes_without_a_quadrant_are_named(script, capsys, tmp_path, recordings):
    name = saved(tmp_path, names=("anger", "other", "neutral"))
    assert script("--model", name, "--arousal_valence", "--format", "jsonl", recordings / "0.wav") == 0
    said = capsys.readouterr()
    assert "left out there: other." in said.err
    found = json.loads(said.out)
    p = found["probabilities"]
    assert found["arousal_valence"]["arousal_high"] == pytest.approx(p["anger"] / (p["anger"] + p["neutral"]), abs=1e-5)


@pytest.mark.parametrize("timeline", [[], ["--timeline"]])
def test_stdin_is_one_file_of_any_format(script, capsys, tmp_path, model, recordings, timeline):
    soundfile.write(tmp_path / "1.flac", *soundfile.read(recordings / "1.wav"))
    header = bytearray((recordings / "1.wav").read_bytes())
    header[4:8] = header[40:44] = b"\xff" * 4  # as ffmpeg writes WAV into a pipe: it does not know the length yet
    expected = list(predict([recordings / "1.wav"], *load_classifier(model)))[0]
    for data in ((tmp_path / "1.flac").read_bytes(), bytes(header)):
        assert script("--model", model, "--format", "json", *timeline, "-", stdin=data) == 0
        (one,) = json.loads(capsys.readouterr().out)
        assert one["file"] == "-"
        assert one["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_a_container_on_stdin_is_left_to_ffmpeg(script, capsys, tmp_path, model):
    av = pytest.importorskip("av")
    samples = np.random.default_rng(0).normal(0, 3000, (1, 16_000)).astype(np.int16)
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        track = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
        frame.sample_rate = 16_000
        for piece in (frame, None):
            container.mux(track.encode(piece))
    expected = list(predict([tmp_path / "a.mkv"], *load_classifier(model)))[0]

    assert script("--model", model, "--format", "json", "-", stdin=(tmp_path / "a.mkv").read_bytes()) == 0

    (one,) = json.loads(capsys.readouterr().out)
    assert one["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)


def test_what_stdin_holds_in_place_of_audio_is_said_of_stdin(script, capsys, model):
    assert script("--model", model, "-", stdin=b"") == 2
    assert "standard input must be an audio file; it is empty" in capsys.readouterr().err
    assert script("--model", model, "-", stdin=b"no audio") == 1
    said = capsys.readouterr().err
    assert "Audio file -: must be audio" in said
    assert "predict-" not in said


def test_paths_come_from_a_list(script, capsys, tmp_path, model, recordings):
    lines = f"{recordings / '1.wav'}\n\n{recordings / '0.wav'}\n"
    (tmp_path / "list.txt").write_text(lines)
    for words, stdin in (([tmp_path / "list.txt"], b""), (["-"], lines.encode())):
        assert script("--model", model, "--format", "csv", "--list", *words, stdin=stdin) == 0
        rows = parsed("csv", capsys.readouterr().out)
        assert [row["file"] for row in rows] == [str(recordings / "1.wav"), str(recordings / "0.wav")]
    assert script("--model", model, "--list", tmp_path / "nowhere.txt") == 2
    assert "nowhere.txt: No such file" in capsys.readouterr().err
    assert script("--model", model, "--list", "-", stdin=b"\n") == 2
    assert "Audio: " in capsys.readouterr().err


def test_file_names_that_are_no_text_are_escaped(tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    with opened(tmp_path / "out") as file:
        file.writelines(FORMATS["jsonl"]([Prediction(name, error="no audio")], Layout(list(EMOTIONS))))
    assert json.loads((tmp_path / "out").read_text(encoding="utf-8"))["file"] == name


def test_the_output_file_appears_whole_or_not_at_all(script, capsys, tmp_path, model, recordings, monkeypatch):
    target = tmp_path / "out.jsonl"
    words = ["--model", model, "--format", "jsonl", "--batch_size", 1, "--output", target, recordings]
    assert script(*words) == 0
    whole = target.read_text()
    assert len(whole.splitlines()) == len(SECONDS)
    assert capsys.readouterr().out == ""

    clip, seen = SerCollator.clip, []

    def interrupted(self, row):
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        if len(seen) == 3:
            raise KeyboardInterrupt
        return clip(self, row)

    monkeypatch.setattr(SerCollator, "clip", interrupted)
    target.unlink()
    assert script(*words) == 130
    assert "interrupted" in capsys.readouterr().err
    assert all("out.jsonl" not in names and len(names) == 1 for names in seen)
    assert list(tmp_path.iterdir()) == []


def test_outputs_that_cannot_be_written_are_refused_before_the_work(script, capsys, tmp_path, model, recordings):
    for target, rule in ((tmp_path / "no" / "out.csv", "its folder must exist"), (tmp_path, "must be a plain file")):
        assert script("--model", model, "--output", target, recordings) == 2
        assert rule in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "there is no audio"),
        (["-", "a.wav"], "- is one audio file on stdin, and stands alone"),
        (["-", "--list", "-"], "- is one audio file on stdin, and stands alone"),
        (["a.wav", "--window", "1"], "--window and --hop belong to --timeline"),
        (["a.wav", "--format", "xml"], "invalid choice: 'xml'"),
        (["a.wav", "--batch_size", "0"], "--batch_size must be at least 1; it is 0"),
    ],
)
def test_options_that_contradict_each_other_are_refused(script, capsys, words, message):
    assert script("--model", "any", *words) == 2
    assert message in capsys.readouterr().err


def test_what_a_model_cannot_do_is_said_and_the_exit_code_is_2(script, capsys, tmp_path, model, recordings):
    fast = saved(tmp_path / "fast", rate=8_000)
    bad = saved(tmp_path / "bad", **{TEMPERATURE: -1.0})
    for name, words, message in (
        ("nowhere", [], "Model nowhere:"),
        (fast, [], "must take 16000 Hz; it takes 8000"),
        (bad, [], "a temperature must be a finite number above 0; it is -1.0"),
        (model, ["--timeline", "--window", 0], "a window must be a number of seconds above 0; it is 0.0 s"),
        (model, ["--device", "nonsense"], "Device nonsense:"),
    ):
        assert script("--model", name, *words, recordings) == 2
        assert message in capsys.readouterr().err


def test_quiet_says_only_what_went_wrong(script, capsys, tmp_path, model, recordings):
    assert script("--model", model, "--quiet", recordings / "0.wav") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_ends_the_script_without_a_traceback(model, recordings):
    ended = subprocess.run(
        f"{sys.executable} examples/predict.py --device cpu --format jsonl --batch_size 1 --model {model} "
        f"{' '.join([str(recordings)] * 20)} | head -n 1",
        shell=True,
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
    )
    assert json.loads(ended.stdout)["file"].endswith("0.wav")
    assert "Traceback" not in ended.stderr and "Broken pipe" not in ended.stderr
