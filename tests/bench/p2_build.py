"""P2: speed of a build (decode, 16 kHz mono, FLAC, Parquet) against real time; two processes against one; memory.

Goal: at least 100 times real time per core, two processes at least 1.8 times one, memory flat in corpus size.

    python tests/bench/p2_build.py [hours of 44.1 kHz speech-like noise, default 1]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from timing import printed_by, report

RUNS = 5
SECONDS = 3.0

_BUILD = """
import resource, sys, tempfile, time
from pathlib import Path
import loading_scripts
from loading_scripts import registry, repo

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        repo.build(registry.load("urdu"), Path({root!r}), Path(out) / "urdu", {workers})
        took = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(took, own / 1024)
"""


def plant(root: Path, hours: float) -> int:
    """Write different 3 s clips at URDU's paths."""
    generator = np.random.default_rng(0)
    speech = np.cumsum(generator.normal(0, 0.01, int(44_100 * SECONDS) + 200_000)) * 0.01
    files = int(hours * 3600 / SECONDS)
    for number in range(files):
        code, folder = [("A", "Angry"), ("H", "Happy"), ("N", "Neutral"), ("S", "Sad")][number % 4]
        path = root / folder / f"SM1_F{number}_{code}0{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        start = int(generator.integers(200_000))
        soundfile.write(path, speech[start : start + int(44_100 * SECONDS)], 44_100, subtype="PCM_16")
    return files


def main() -> None:
    """Measure and print."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory() as folder:
        memory = {}
        for scale in (hours / 4, hours):
            root = Path(folder) / f"{scale:.2f}"
            files = plant(root, scale)
            memory[scale] = float(printed_by(_BUILD.format(root=str(root), workers=1)).split()[1])
        one, two = [], []
        for _ in range(RUNS):
            for times, workers in ((one, 1), (two, 2)):
                # One thread each: alone, torch's resampler would take the other core too.
                code = _BUILD.format(root=str(root), workers=workers)
                times.append(float(printed_by(code, OMP_NUM_THREADS="1").split()[0]))
        report(f"P2: {files} clips, {hours} h at 44.1 kHz", {"one process": one, "two, with their start": two})
        for name, times in (("one process", one), ("two processes", two)):
            print(f"{name}: {hours * 3600 / sorted(times)[len(times) // 2]:.0f} times real time")
        print("peak memory, MB:", ", ".join(f"{scale:.2f} h: {size:.0f}" for scale, size in memory.items()))


if __name__ == "__main__":
    main()
