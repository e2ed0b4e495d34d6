import os
import re
import runpy
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import soundfile
from accelerate import FullyShardedDataParallelPlugin
from accelerate.commands.config.config_args import load_config_from_file
from huggingface_hub import ModelCard

from ser_trainer.finetune.card import command_line
from ser_trainer.finetune.corpora import FoldError, load_folds
from ser_trainer.finetune.settings import parse

REPOSITORY = Path(__file__).parents[2]


def finetune(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script in `folder`."""
    return subprocess.run(
        [sys.executable, str(REPOSITORY / "examples" / "finetune.py"), *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The script with no arguments but two steps."""
    folder = tmp_path_factory.mktemp("finetune")
    done = finetune(folder, "--max_steps", "2", "--use_cpu")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder / "runs" / "demo-fold1", done


def test_without_arguments_it_trains_on_the_demo_corpus_and_prints_the_scores(trained):
    _, done = trained

    header, line = re.search(r"^test, % .*\n.*", done.stdout, re.MULTILINE)[0].splitlines()
    assert header.split()[-5:] == ["n", "UA", "WA", "F1", "UAR"]
    assert line.startswith("serbench/demo:fold1")
    assert line.split()[1] == "112"
    assert all(0 <= float(value) <= 100 for value in line.split()[2:])


def test_the_folder_holds_model_extractor_card_and_picture_and_nothing_of_this_machine(trained):
    folder, _ = trained

    names = {path.name for path in folder.iterdir()}
    assert {"README.md", "config.json", "model.safetensors", "preprocessor_config.json"} <= names
    assert "confusion_demo_fold1_test.png" in names
    assert "training_args.bin" not in names
    card = ModelCard.load(folder / "README.md")
    assert [one.metric_type for one in card.data.eval_results] == ["ua", "wa", "f1", "uar"]
    assert "python examples/finetune.py --max_steps 2 --use_cpu" in card.text
    written = "".join(
        path.read_text(encoding="utf-8") for path in folder.glob("*.[jm][sd]*") if path.suffix != ".safetensors"
    )
    assert str(folder.parents[1]) not in written and str(REPOSITORY) not in written


def test_the_lines_of_the_card_work_in_a_process_without_serbench(trained, tmp_path, run_python):
    folder, _ = trained
    code = re.search(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    soundfile.write(tmp_path / "recording.wav", np.random.default_rng(0).normal(0, 0.1, (22_050, 2)), 22_050)

    code = code.replace('"recording.wav"', repr(str(tmp_path / "recording.wav")))
    done = run_python(code, cwd=folder, importable=False, HF_MODULES_CACHE=str(tmp_path / "modules"))

    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("'score'") == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--corpora", "serbench/demoo:fold1"], "Did you mean 'demo'"),
        (["--corpora", "serbench/demo:fold9"], "config 'fold9' does not exist"),
        (["--corpora", "serbench/demo"], "needs a config, as serbench/demo:"),
        (["--target", "arousal"], "no row has ratings of 'arousal'"),
        (["--model", "nowhere"], "--model nowhere"),
        (["--max_seconds", "0"], "--max_seconds must be above 0"),
        (["--learning_rat", "1"], "--learning_rat"),
    ],
)
def test_mistakes_are_explained_without_a_traceback(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["finetune.py", *words, "--use_cpu"])

    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(REPOSITORY / "examples" / "finetune.py"), run_name="__main__")

    assert exit_.value.code == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_config_without_a_test_split_is_refused():
    with pytest.raises(FoldError, match="needs a config with train and test; this one has train"):
        load_folds(["serbench/demo:all"])


def test_a_folder_for_each_corpus():
    with pytest.raises(FoldError, match="one folder for each of 1 corpora; 2 given"):
        load_folds(["serbench/demo:fold1"], ["a", "b"])


def test_validation_comes_from_the_training_speakers_when_asked_for():
    (with_validation,), (without,) = (
        load_folds(["serbench/demo:fold1"], validate=True),
        load_folds(["serbench/demo:fold1"]),
    )

    assert without.valid is None
    assert len(with_validation.train) + len(with_validation.valid) == len(without.train)
    kept, held_out = (set(rows["speaker"][:]) for rows in (with_validation.train, with_validation.valid))
    assert not kept & held_out


def test_the_command_on_the_card_has_no_folder_of_this_machine(monkeypatch):
    for name in ("ACCELERATE_MIXED_PRECISION", "ACCELERATE_USE_CPU"):
        monkeypatch.delenv(name, raising=False)
    words = ["/data/serbench/examples/finetune.py", "--data_dir", "/data/URDU", "--output_dir=/runs/a", "--bf16"]

    assert command_line(words) == "python examples/finetune.py --data_dir URDU --output_dir=a --bf16"
    assert command_line(words[:1], processes=2) == "torchrun --nproc_per_node 2 examples/finetune.py"
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "no")
    assert command_line(words[:1], processes=2) == "accelerate launch --num_processes 2 examples/finetune.py"
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    assert command_line(words[:1], processes=2).startswith("ACCELERATE_USE_CPU=1 accelerate launch --multi_gpu")


def two_steps(folder: Path, *words: str, launcher: Sequence[str] = (), **environment: str):
    """Run the script with two optimizer steps of a batch of two."""
    few = ["--max_steps", "2", "--per_device_train_batch_size", "2", "--use_cpu", "--output_dir", "out", *words]
    command = [sys.executable, *launcher, str(REPOSITORY / "examples" / "finetune.py"), *few]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"} | environment
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)


def test_two_processes_train_one_model_and_score_it_once(tmp_path):
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]

    done = two_steps(tmp_path, "--eval_strategy", "steps", "--eval_steps", "2", launcher=launcher)

    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("serbench/demo:fold1") == 1
    card = ModelCard.load(tmp_path / "out" / "README.md").text
    assert "torchrun --nproc_per_node 2 examples/finetune.py" in card
    assert "| processes | 2 |" in card


def test_accelerate_launches_two_processes_on_a_cpu(tmp_path):
    launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]

    done = two_steps(tmp_path, launcher=launcher, ACCELERATE_USE_CPU="1")

    assert done.returncode == 0, done.stderr[-3000:]
    assert "| processes | 2 |" in ModelCard.load(tmp_path / "out" / "README.md").text


@pytest.mark.parametrize(
    "path", sorted((REPOSITORY / "examples" / "accelerate").glob("*.yaml")), ids=lambda one: one.stem
)
def test_accelerate_reads_the_configs_that_are_shipped(path):
    config = load_config_from_file(str(path))

    assert config.mixed_precision == "bf16"
    assert (config.num_machines > 1) == (path.stem == "two_machines")
    assert config.num_processes % config.num_machines == 0
    if path.stem == "fsdp":  # accelerate passes these on by name, and is silent about others
        known = {one.name.removeprefix("fsdp_") for one in fields(FullyShardedDataParallelPlugin)}
        assert {name.removeprefix("fsdp_") for name in config.fsdp_config} - known <= {"version", "offload_params"}


def test_the_settings_that_are_shipped_are_settings():
    data, _, args = parse([str(REPOSITORY / "examples" / "settings.yaml"), "--use_cpu"], "a trial")

    assert (data.corpora, data.target) == (["serbench/demo:fold1"], ["emotion"])
    assert (args.augment, args.max_seconds, args.class_weights) == (["noise", "gain"], 3, True)


def test_a_pushed_model_loads_where_serbench_is_not_installed(tmp_path, hub, run_python):
    words = ["--push_to_hub", "--hub_model_id", "somebody/demo-model"]

    done = two_steps(tmp_path, *words, **hub.environment(tmp_path / "home"))

    assert done.returncode == 0, done.stderr[-3000:]
    files = set(hub.repos["models/somebody/demo-model"].at("main").files)
    assert {"README.md", "model.safetensors", "config.json", "preprocessor_config.json", "training.png"} <= files
    assert not any("checkpoint" in name or name == "training_args.bin" for name in files)
    code = """
import numpy as np
from transformers import pipeline
classify = pipeline("audio-classification", model="somebody/demo-model", trust_remote_code=True)
silence = {"raw": np.zeros(16000, np.float32), "sampling_rate": 16000}
print(type(classify.model).__name__, len(classify(silence, top_k=None)))
"""
    loaded = run_python(code, cwd=tmp_path, importable=False, **hub.environment(tmp_path / "elsewhere"))
    assert loaded.stdout.split() == ["ExHubertForSequenceClassification", "7"], loaded.stderr[-2000:]


def test_a_hub_that_fails_at_the_end_costs_nothing_but_the_push(tmp_path, hub):
    hub.when("POST", "/commit/", lambda: 500)

    done = two_steps(
        tmp_path, "--push_to_hub", "--hub_model_id", "somebody/demo-model", **hub.environment(tmp_path / "home")
    )

    assert done.returncode == 2
    assert "hf upload somebody/demo-model out . --exclude 'checkpoint-*/**'" in done.stderr
    assert {"README.md", "model.safetensors"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_hub_that_cannot_be_reached_is_said_before_training(tmp_path):
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "0", "HF_TOKEN": "hf_x"}

    done = two_steps(tmp_path, "--push_to_hub", "--hub_model_id", "somebody/demo-model", **nowhere)

    assert done.returncode == 2
    assert "--push_to_hub: the repository somebody/demo-model must be there" in done.stderr
    assert "Traceback" not in done.stderr
