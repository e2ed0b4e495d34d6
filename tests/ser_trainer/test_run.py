"""A whole training, from settings to a folder with model, scores and card, on tiny corpora of a user's own."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from huggingface_hub import ModelCard as HubCard
from transformers import AutoModelForAudioClassification, HubertForSequenceClassification

from loading_scripts import repo
from loading_scripts.errors import SerbenchError, UnknownNameError
from loading_scripts.metadata.door import read
from ser_trainer import models  # noqa: F401  makes the Auto classes know ours
from ser_trainer.calibration import TEMPERATURE
from ser_trainer.finetune import cross_validation
from ser_trainer.finetune.arguments import ArgumentsError
from ser_trainer.finetune.checkpoints import ResumeError
from ser_trainer.finetune.run import RESULTS, fine_tune, finished

from ser_trainer.finetune.settings import parse, read as read_settings  # isort: skip
from ser_trainer.finetune.sources import LicenceError
from ser_trainer.finetune.start import ModelError
from ser_trainer.finetune.targets import TargetError
from ser_trainer.finetune.terminal import score_table
from ser_trainer.models import tiny_hubert_config

PITCHES = {"anger": 440, "neutral": 220, "sadness": 110}
SPEAKERS = ("ann", "bob", "cyd", "dan", "eva", "fay")


def build(folder: Path, name: str, emotions: list[str], speakers=SPEAKERS, takes: int = 2) -> None:
    """Build ./serbench/<name> from tones whose pitch tells the emotion; ratings and two folds included."""
    raw = folder / f"{name}-raw"
    raw.mkdir()
    rng = np.random.default_rng(len(name))
    with (folder / f"{name}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "emotion", "speaker", "fold", "gender", "language", "arousal", "valence"])
        for number, speaker in enumerate(speakers):
            for emotion in emotions:
                for take in range(takes):
                    path = f"{speaker}_{emotion}_{take}.wav"
                    time = np.arange(int(16_000 * rng.uniform(0.25, 0.5))) / 16_000
                    tone = 0.3 * np.sin(2 * np.pi * PITCHES[emotion] * time * rng.uniform(0.95, 1.05))
                    soundfile.write(raw / path, tone + 0.01 * rng.normal(size=len(time)), 16_000, subtype="PCM_16")
                    rated = list(PITCHES).index(emotion)
                    table.writerow(
                        [
                            path,
                            emotion,
                            speaker,
                            number % 2 + 1,
                            "fm"[number % 2],
                            "en",
                            5 - 2 * rated,
                            1 + 2 * (rated % 2),
                        ]
                    )
    module = read(name, folder / f"{name}.csv", raw)
    repo.build(module, raw, folder / "serbench" / name)


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Two corpora of the same classes, one of a single class, and a saved HuBERT without a head."""
    folder = tmp_path_factory.mktemp("corpora")
    build(folder, "trial", list(PITCHES), takes=6)
    build(folder, "other", list(PITCHES), SPEAKERS[:3], takes=1)
    build(folder, "calm", ["neutral"], SPEAKERS[:3])
    torch.manual_seed(0)
    HubertForSequenceClassification(tiny_hubert_config({0: "a", 1: "b"})).hubert.save_pretrained(folder / "encoder")
    from transformers import Wav2Vec2FeatureExtractor

    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder / "encoder")
    return folder


@pytest.fixture
def train(corpora, tmp_path, monkeypatch):
    """Return a function that trains in a folder of its own and returns the scores; words as on the command line."""
    (tmp_path / "serbench").symlink_to(corpora / "serbench")
    monkeypatch.chdir(tmp_path)

    def run(*words: str, steps: int = 4):
        few = ["--use_cpu", "--max_steps", str(steps), "--output_dir", "out", "--disable_tqdm", "True"]
        return fine_tune(*parse([*words, *few], "a trial"))

    return run


def loaded(folder: str = "out"):
    return AutoModelForAudioClassification.from_pretrained(folder).eval()


VALIDATED = ["--eval_strategy", "steps", "--eval_steps", "2", "--save_steps", "2", "--save_strategy", "steps"]


def test_two_corpora_take_turns_and_are_scored_each_on_its_own(train, tmp_path):
    results = train(
        "--corpora", "serbench/trial:fold1", "serbench/other:fold1", "--round_robin", *VALIDATED,
        "--load_best_model_at_end",
    )  # fmt: skip

    assert [one.dataset for one in results] == ["serbench/trial", "serbench/other"]
    card = HubCard.load(tmp_path / "out" / "README.md")
    assert {(one.dataset_type, one.metric_type) for one in card.data.eval_results} == {
        (f"serbench/{name}", metric) for name in ("trial", "other") for metric in ("ua", "wa", "f1", "uar")
    }
    assert "round_robin" in card.text
    stored = json.loads((tmp_path / "out" / RESULTS).read_text(encoding="utf-8"))
    assert [one["scores"]["uar"] for one in stored["results"]] == [one.scores["uar"] for one in results]
    assert getattr(loaded().config, TEMPERATURE) == results[0].temperature
    assert "mean of 2" in card.text
    table = score_table(results).splitlines()
    assert [line.split()[0] for line in table[1:]] == ["serbench/trial:fold1", "serbench/other:fold1", "mean"]


def test_a_killed_run_goes_on_and_a_finished_one_starts_anew(train, tmp_path):
    words = [
        "--corpora",
        "serbench/trial:fold1",
        "--save_strategy",
        "steps",
        "--save_steps",
        "2",
        "--logging_steps",
        "1",
    ]
    whole = train(*words)
    weights = loaded().state_dict()
    (tmp_path / "out" / RESULTS).unlink()  # as if it had been killed after step 2
    shutil.rmtree(tmp_path / "out" / "checkpoint-4")

    again = train(*words)

    assert again == whole
    assert all((weights[name] == one).all() for name, one in loaded().state_dict().items())
    checkpoint = tmp_path / "out" / "checkpoint-2" / "trainer_state.json"
    before = checkpoint.stat().st_mtime_ns
    assert train(*words) == whole  # finished: from the start, with checkpoints of its own
    assert checkpoint.stat().st_mtime_ns > before


def test_a_folder_of_another_run_is_not_continued(train, tmp_path):
    words = ["--corpora", "serbench/trial:fold1", "--save_strategy", "steps", "--save_steps", "2"]
    train(*words)
    (tmp_path / "out" / RESULTS).unlink()

    with pytest.raises(ResumeError, match=r"class_weights: False then, True now.*another --output_dir"):
        train(*words, "--class_weights")


def test_cross_validation_trains_each_fold_once(train, tmp_path):
    data, model, args = parse(["--corpora", "serbench/trial:fold*", "--use_cpu", "--max_steps", "2"], "a trial")
    folds = cross_validation.folds(data)

    assert [one.corpora for one in folds] == [["serbench/trial:fold1"], ["serbench/trial:fold2"]]
    args.output_dir = "cv/fold1"
    assert finished(Path(args.output_dir), folds[0], model, args) is None
    results = fine_tune(folds[0], model, args)
    (known,) = finished(Path(args.output_dir), folds[0], model, args)
    assert (known.config, known.scores) == ("fold1", results[0].scores)
    args.learning_rate = 0.5
    assert finished(Path(args.output_dir), folds[0], model, args) is None


@pytest.mark.parametrize(
    ("corpora_", "message"),
    [
        (["serbench/trial:fold*", "serbench/other:fold1"], "one corpus at a time"),
        (["serbench/trial:part*"], r"needs two configs or more; none match\. Configs: "),
    ],
)
def test_patterns_that_make_no_cross_validation_are_refused(train, corpora_, message):
    data, *_ = parse(["--corpora", *corpora_, "--use_cpu"], "a trial")

    with pytest.raises(SerbenchError, match=message):
        cross_validation.folds(data)


def test_adapters_end_up_in_a_plain_model_and_beside_it(train, corpora, tmp_path):
    train("--corpora", "serbench/trial:fold1", "--model", str(corpora / "encoder"), "--lora_rank", "2", *VALIDATED)

    assert type(loaded()).__name__ == "HubertForSequenceClassification"
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
    assert getattr(loaded().config, TEMPERATURE) > 0
    assert "lora_rank | 2" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_ratings_are_learned_on_the_scale_of_the_corpus(train, tmp_path):
    (result,) = train(
        "--corpora", "serbench/trial:fold1", "--target", "arousal", "valence", "--learning_rate", "0", *VALIDATED
    )

    config = loaded().config
    assert (config.problem_type, config.id2label) == ("regression", {0: "arousal", 1: "valence"})
    # nothing was learned: the model says the mean rating, 3 for arousal, and a bit
    assert result.scores["arousal"]["mae"] < 2
    card = HubCard.load(tmp_path / "out" / "README.md")
    assert {one.metric_type for one in card.data.eval_results} == {"ccc"}


def test_the_prior_is_taken_out_of_the_saved_model(train):
    train("--corpora", "serbench/trial:fold1", "--logit_adjustment", "eval", "--exclude", "sadness")

    assert loaded().config.id2label == {0: "anger", 1: "neutral"}


def test_bfloat16_trains(train):
    (result,) = train("--corpora", "serbench/trial:fold1", "--bf16", steps=2)

    assert result.scores["n"] == 54


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (["--corpora", "serbench/calm:fold1"], TargetError, "two classes or more; all .* rows are 'neutral'"),
        (["--corpora", "serbench/demo:fold1", "--target", "arousal"], TargetError, "no row has ratings of 'arousal'"),
        (["--corpora", "serbench/trial:fold1", "--exclude", "joy"], UnknownNameError, "'joy' is none"),
        (
            ["--corpora", "serbench/trial:fold1", "--exclude", "anger", "neutral", "sadness"],
            TargetError,
            "no row is left of 54. Exclude fewer classes",
        ),
        (["--corpora", "serbench/trial:fold1", "--only_commercial"], LicenceError, "trial .*commercial use unclear"),
        (["--corpora", "serbench/trial:fold1", "--target", "emotion", "arousal"], TargetError, "one label column"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_said_before_anything_is_written(train, tmp_path, words, error, message):
    with pytest.raises(error, match=message):
        train(*words)
    assert not (tmp_path / "out").exists()


def test_an_encoder_for_another_rate_is_refused(train, corpora, tmp_path):
    shutil.copytree(corpora / "encoder", tmp_path / "fast")
    settings = tmp_path / "fast" / "preprocessor_config.json"
    settings.write_text(settings.read_text().replace("16000", "24000"))

    with pytest.raises(ModelError, match="must take 16000 Hz, as all audio here; it takes 24000"):
        train("--corpora", "serbench/trial:fold1", "--model", str(tmp_path / "fast"))


def test_clips_shorter_than_the_convolutions_are_trained_on(train):
    (result,) = train("--corpora", "serbench/trial:fold1", "--max_seconds", "0.002", steps=2)

    assert result.scores["n"] == 54


# --- settings ---


def test_a_file_of_settings_is_read_and_words_overrule_it(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "corpora: serbench/demo:fold2\nlearning_rate: 1e-4\nmax_seconds: 3\nuse_cpu: true\n"
    )
    (tmp_path / "a.json").write_text(
        json.dumps({"corpora": ["serbench/demo:fold2"], "learning_rate": 1e-4, "use_cpu": True})
    )

    for name in ("a.yaml", "a.json"):
        data, _, args = parse([str(tmp_path / name), "--seed", "7"], "a trial")
        assert (data.corpora, args.learning_rate, args.seed) == (["serbench/demo:fold2"], 1e-4, 7)
        assert args.output_dir == "runs/demo-fold2"
    _, _, args = parse([str(tmp_path / "a.yaml"), "--learning_rate", "0.5"], "a trial")
    assert args.learning_rate == 0.5


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "corpus: x", "'corpus' is no argument. Did you mean .*'corpora'"),
        ("a.yaml", "- corpora", "must map names to values"),
        ("a.yaml", "corpora: [", "must be YAML"),
        ("a.json", "{", "must be JSON"),
    ],
)
def test_mistakes_in_a_file_of_settings_are_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)

    with pytest.raises(ArgumentsError, match=message):
        read_settings(tmp_path / name)


def test_how_to_train_depends_on_whether_a_model_is_given(tmp_path):
    _, _, scratch = parse(["--use_cpu"], "a trial")
    _, _, tuned = parse(["--use_cpu", "--model", "facebook/hubert-base-ls960"], "a trial")

    assert (scratch.learning_rate, scratch.load_best_model_at_end) == (1e-3, False)
    for words, expanded in (([], True), (["--expand", "False"], False), (["--model", "a", "--expand"], True)):
        assert parse(["--use_cpu", *words], "a trial")[1].expand is expanded
    assert parse(["--use_cpu", "--model", "a"], "a trial")[1].expand is False
    assert (tuned.learning_rate, tuned.load_best_model_at_end, tuned.eval_strategy.value) == (1e-5, True, "epoch")


def test_a_hub_that_cannot_be_reached_leaves_the_model_and_says_how_to_push(tmp_path, run_python):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("a card")
    code = """
from pathlib import Path
from ser_trainer.finetune.push import PushError, push
try:
    push("somebody/model", Path("out"))
except PushError as error:
    print(error)
"""
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_TOKEN": "hf_x"}

    done = run_python(code, cwd=tmp_path, HF_HOME=str(tmp_path / "home"), **nowhere)

    assert "hf upload somebody/model out . --exclude 'checkpoint-*/**'" in done.stdout, done.stderr[-2000:]
    assert (tmp_path / "out" / "README.md").exists()
