import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from huggingface_hub import ModelCard

from ser_trainer.finetune.card import command_line
from ser_trainer.finetune.corpora import FoldError, load_folds

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
