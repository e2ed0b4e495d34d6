import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from toy import corpus, trainer

from loading_scripts.errors import DiskFullError
from ser_trainer.finetune import checkpoints
from ser_trainer.finetune.checkpoints import MANIFEST, ResumeError
from ser_trainer.finetune.targets import labelled

SAVING = {"save_strategy": "steps", "save_steps": 2, "train_sampling_strategy": "group_by_length"}


def run(folder, rows=12, **arguments):
    data = labelled(corpus(folder / "audio", [number % 3 for number in range(rows)]), "emotion")
    return trainer(folder, data, per_device_train_batch_size=2, **SAVING | arguments)


def logged(one) -> list[float]:
    return [entry["loss"] for entry in one.state.log_history if "grad_norm" in entry]


@pytest.mark.parametrize("settings", [{}, {"ema_decay": 0.9, "augment": ["noise", "gain"], "max_seconds": 0.3}])
@pytest.mark.parametrize("step", [2, 8])
def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path, step, settings):
    whole = run(tmp_path / "whole", **settings)
    whole.train()
    first = run(tmp_path / "stopped", **settings)
    first.train()
    checkpoint = tmp_path / "stopped" / "out" / f"checkpoint-{step}"

    second = run(tmp_path / "stopped", **settings)
    second.train(resume_from_checkpoint=str(checkpoint))

    assert len(logged(whole)) == 12
    assert logged(second) == logged(whole)  # bit for bit, the log before the checkpoint included
    for name, weights in whole.model.state_dict().items():
        assert (weights == second.model.state_dict()[name]).all(), name


def test_a_resume_with_other_arguments_says_which_differ(tmp_path):
    run(tmp_path).train()

    with pytest.raises(ResumeError, match=r"learning_rate: 0\.001 then, 0\.01 now; seed: 42 then, 7 now"):
        run(tmp_path, learning_rate=0.01, seed=7).train(resume_from_checkpoint=True)
    with pytest.raises(ResumeError, match=r"training_rows: '\w+' then, '\w+' now"):
        run(tmp_path, rows=13).train(resume_from_checkpoint=True)


def test_processes_and_accumulation_may_change_as_long_as_the_rows_of_a_step_do_not(tmp_path):
    run(tmp_path).train()

    again = run(tmp_path)
    again.args.per_device_train_batch_size, again.args.gradient_accumulation_steps = 1, 2
    again._train_batch_size = 1
    assert again.manifest == run(tmp_path).manifest


def test_a_checkpoint_that_is_not_whole_is_refused_and_the_whole_ones_named(tmp_path):
    run(tmp_path).train()
    (tmp_path / "out" / "checkpoint-12" / MANIFEST).unlink()

    with pytest.raises(ResumeError, match=r"not whole.*checkpoint-10"):
        run(tmp_path).train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-12"))
    assert checkpoints.checkpoints(tmp_path / "out")[-1].name == "checkpoint-10"
    checkpoints.discard_partial(tmp_path / "out")
    assert not (tmp_path / "out" / "checkpoint-12").exists()


def test_a_full_disk_leaves_the_checkpoint_before_whole(tmp_path, monkeypatch):
    one = run(tmp_path, save_total_limit=1)
    write = one._save_optimizer_and_scheduler

    def full(folder):
        if folder.endswith("checkpoint-4"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder)

    monkeypatch.setattr(one, "_save_optimizer_and_scheduler", full)
    with pytest.raises(
        DiskFullError, match=r"checkpoint-4: no space left.*checkpoint-2 is whole.*run the same command"
    ):
        one.train()

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["checkpoint-2"]
    again = run(tmp_path)
    again.train(resume_from_checkpoint=True)
    assert again.state.global_step == 12


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
@pytest.mark.parametrize("bytes_", [20_000, 400_000])
def test_what_safetensors_and_torch_say_of_a_full_disk_is_understood(tmp_path, bytes_):
    """A limit on the size of a file stands in for the disk: the first hits the weights, the second the optimizer."""
    code = f"""
import resource, signal, sys, errno
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_checkpoints import run
one = run(Path({str(tmp_path)!r}))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_}, {bytes_}))
try:
    one.train()
except Exception as error:
    print(type(error).__name__, str(error)[:60])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, env=_environment())

    assert "DiskFullError" in done.stdout, done.stdout[-500:] + done.stderr[-2000:]
    assert not list((tmp_path / "out").glob("checkpoint-*"))


def test_a_run_killed_while_it_writes_a_checkpoint_goes_on_like_one_that_was_not(tmp_path):
    whole = run(tmp_path / "whole")
    whole.train()
    code = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_checkpoints import run
one = run(Path({str(tmp_path / "killed")!r}), save_total_limit=1)
write = one._save_rng_state
def hang(folder):
    write(folder)
    if folder.endswith("checkpoint-6"):
        print("writing", flush=True)
        import time; time.sleep(300)
one._save_rng_state = hang
one.train()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=_environment())
    for line in process.stdout:
        if line.startswith("writing"):
            break
    process.send_signal(signal.SIGKILL)
    process.wait()

    left = {path.name: (path / MANIFEST).exists() for path in (tmp_path / "killed" / "out").iterdir()}
    assert left == {"checkpoint-4": True, "checkpoint-6": False}
    again = run(tmp_path / "killed")
    again.train(resume_from_checkpoint=True)
    assert logged(again) == logged(whole)


def test_the_manifest_tells_what_decides_about_the_weights(tmp_path):
    run(tmp_path).train()

    stored = json.loads((tmp_path / "out" / "checkpoint-2" / MANIFEST).read_text(encoding="utf-8"))
    assert stored["rows_per_step"] == 2
    assert {"learning_rate", "seed", "balance", "augment", "training_rows", "model_type"} <= set(stored)
    assert not {"output_dir", "logging_steps", "dataloader_num_workers", "eval_crop", "crop"} & set(
        stored
    )  # no clip is cut


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
