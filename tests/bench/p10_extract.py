"""P10 for extraction: kill -9 half-way, the same command again, against a run that is left alone.

Goal: at most 2 % of the utterances encoded twice, and the same bytes at the end.

    python tests/bench/p10_extract.py [utterances, default 4000]
"""

import hashlib
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
from timing import environment

_EXTRACT = """
import os, sys, time
from functools import partial
from pathlib import Path
import datasets, numpy as np
from ser_trainer.benchmark.cache.extract import extract

class Spectrum:
    # Its log shows each utterance that is encoded; a batch takes a while, as those of real encoders do.
    name, revision, width, depth, frame_rate = "spectrum", "1", 161, 1, 50.0
    identity = {"encoder": "spectrum"}

    def __init__(self, log):
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def encode(self, clips, layers="last"):
        found = []
        for one in clips:
            frames = one.wave[: len(one.wave) // 320 * 320].reshape(-1, 320)
            found.append(np.abs(np.fft.rfft(frames)).astype(np.float32))
            os.write(self.log, b".")
            time.sleep(0.002)
        return found

if __name__ == "__main__":
    files = sorted(Path(sys.argv[1]).iterdir())
    held = {"id": [one.stem for one in files], "audio": [{"path": str(one), "bytes": None} for one in files]}
    rows = datasets.Dataset.from_dict(held).cast_column("audio", datasets.Audio(decode=False))
    extract(rows, partial(Spectrum, sys.argv[2]), "bench", num_proc=int(sys.argv[3]))
"""


def main() -> None:
    """Measure and print."""
    utterances = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    with tempfile.TemporaryDirectory() as folder:
        clips, script = Path(folder, "clips"), Path(folder, "extract_spectrum.py")
        clips.mkdir()
        script.write_text(_EXTRACT)
        noise = np.random.default_rng(0)
        for number in range(utterances):
            samples = noise.integers(-9_000, 9_000, noise.integers(16_000, 64_000), np.int16)
            soundfile.write(clips / f"{number:05d}.wav", samples, 16_000)
        whole = Path(folder, "whole")
        run(script, clips, whole, 1)
        for processes in (1, 2):
            cache = Path(folder, f"killed{processes}")
            before = run(script, clips, cache, processes, kill_at=utterances // 2)
            repeated = run(script, clips, cache, processes) - utterances
            equal = "equal" if digest(cache) == digest(whole) else "DIFFERENT"
            print(
                f"P10: {utterances} utterances, {processes} process(es), killed after {before}: {repeated} encoded "
                f"twice ({repeated / utterances:.1%}); bytes at the end: {equal}"
            )


def run(script: Path, clips: Path, cache: Path, processes: int, kill_at: int | None = None) -> int:
    """Run it, or kill it on the way; return how many utterances were encoded into this cache so far."""
    log = cache.with_suffix(".log")
    child = subprocess.Popen(
        [sys.executable, str(script), str(clips), str(log), str(processes)],
        env=environment({"SERBENCH_CACHE": str(cache)}),
    )
    while child.poll() is None:
        if kill_at is not None and log.exists() and log.stat().st_size >= kill_at:
            child.send_signal(signal.SIGKILL)
        time.sleep(0.005)
    return log.stat().st_size


def digest(cache: Path) -> str:
    """Return a hash of all shards."""
    found = hashlib.sha256()
    for file in sorted(cache.glob("features/*/*/*/shard-*")):
        if file.suffix in (".bin", ".json"):
            found.update(file.name.encode() + file.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    main()
