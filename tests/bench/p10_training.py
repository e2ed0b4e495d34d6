"""P10 for training: kill -9 in the middle, the same command again, against a run that is left alone.

Goal: at most one checkpoint interval of steps repeated, and the same weights at the end.

    python tests/bench/p10_training.py
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import REPOSITORY, environment

STEPS, INTERVAL = 60, 10
WORDS = [
    *("--max_steps", str(STEPS), "--save_strategy", "steps", "--save_steps", str(INTERVAL), "--save_total_limit", "1"),
    *("--logging_strategy", "steps", "--logging_steps", "1", "--use_cpu", "--augment", "noise", "gain"),
]


def run(folder: Path, kill_at: int | None = None) -> list[int]:
    """Run the script; return the steps that it took, as far as it got."""
    command = [sys.executable, str(REPOSITORY / "examples" / "finetune.py"), *WORDS, "--output_dir", str(folder)]
    child = subprocess.Popen(
        command,
        env=environment({}) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    steps = []
    for line in child.stdout:
        if re.match(r"\{'loss'", line):
            steps.append(len(steps) + 1)
            if len(steps) == kill_at:
                child.send_signal(signal.SIGKILL)
                break
    child.wait()
    return steps


def weights(folder: Path) -> str:
    """Return a hash of the saved weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:16]


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder, "whole"), Path(folder, "killed")
        run(whole)
        before = len(run(killed, kill_at=STEPS // 2 + INTERVAL // 2))
        after = len(run(killed))
        repeated = before + after - STEPS
        print(
            f"P10: {STEPS} steps with a checkpoint every {INTERVAL}, killed after {before}: {repeated} steps repeated"
        )
        print(f"     weights at the end: {'equal' if weights(whole) == weights(killed) else 'DIFFERENT'}")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
