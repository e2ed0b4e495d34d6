"""P1: rows of a 35,000-file tree (the layout of ESD) through the plugin door, against a bare walk that reads headers.

Goal: at most 1.3 times the bare walk cold, under 0.5 s the second time, no audio copied, memory per row under 2 kB.

    python tests/bench/p1_rows.py [files]
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from timing import printed_by, report

RUNS = 5

_BARE = """
import os, resource, soundfile, time
start = time.perf_counter()
frames = 0
for folder, _, names in os.walk({root!r}):
    for name in names:
        if name.endswith(".wav"):
            with soundfile.SoundFile(os.path.join(folder, name)) as file:
                frames += file.frames / file.samplerate
print(time.perf_counter() - start)
"""

_DOOR = """
import logging, resource, time, datasets, loading_scripts
datasets.disable_progress_bars()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
start = time.perf_counter()
loaded = datasets.load_dataset("serbench/esd", "fold1", data_dir={root!r}, cache_dir={cache!r})
took = time.perf_counter() - start
rows = sum(map(len, loaded.values()))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(took, rows, grown * 1024 / rows)
"""


def plant(root: Path, files: int) -> None:
    """Hard-link one tone to the first `files` paths of ESD's layout."""
    tone = root / "tone"
    soundfile.write(tone, np.zeros(1600), 16_000, format="WAV", subtype="PCM_16")
    styles = ("Neutral", "Angry", "Happy", "Sad", "Surprise")
    for number in range(files):
        speaker, clip = divmod(number, 1750)
        path = root / f"{speaker + 1:04d}" / styles[clip // 350] / f"{speaker + 1:04d}_{clip + 1:06d}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(tone, path)
    tone.unlink()


def main() -> None:
    """Measure and print."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else 35_000
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ESD"
        root.mkdir()
        plant(root, files)
        bare, cold, warm, memory, size = [], [], [], 0.0, 0
        for run in range(RUNS):
            cache = Path(folder) / f"cache{run}"
            bare.append(float(printed_by(_BARE.format(root=str(root)))))
            for times in (cold, warm):
                took, rows, per_row = printed_by(_DOOR.format(root=str(root), cache=str(cache))).split()
                times.append(float(took))
                memory = max(memory, float(per_row))
            size = sum(path.stat().st_size for path in cache.rglob("*.arrow"))
        report(
            f"P1: {rows} rows",
            {"bare walk with headers": bare, "plugin door, cold": cold, "plugin door, second load": warm},
        )
        print(f"Arrow cache {size / int(rows):.0f} bytes per row, no audio; memory grew by {memory:.0f} bytes per row")


if __name__ == "__main__":
    main()
