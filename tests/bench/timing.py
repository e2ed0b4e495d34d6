"""What the benches share: a fresh interpreter per measurement, medians, and a table of ratios."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent.parent


def seconds_of(code: str, **variables: str) -> float:
    """Return the wall time of a fresh interpreter that runs `code`, start-up included."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=environment(variables), stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def printed_by(code: str, **variables: str) -> str:
    """Return what `code` prints in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment(variables), capture_output=True, text=True
    )
    return done.stdout.strip()


def environment(extra: dict[str, str]) -> dict[str, str]:
    """Return the environment of a measurement: offline, our packages importable, a cache of its own."""
    home = Path(tempfile.gettempdir()) / "serbench-bench"
    ours = {"PYTHONPATH": str(REPOSITORY), "HF_HOME": str(home), "HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    return os.environ | ours | extra


def report(title: str, figures: dict[str, list[float]], unit: str = "s") -> None:
    """Print min, median and max of each line, and the median's ratio to the first line."""
    base = statistics.median(next(iter(figures.values())))
    print(f"\n{title}  ({os.cpu_count()} cores, {len(next(iter(figures.values())))} runs each, in turn)")
    print(f"{'':58s} {'min':>9s} {'median':>9s} {'max':>9s}   ratio")
    for name, values in figures.items():
        middle = statistics.median(values)
        print(f"{name:58s} {min(values):9.3f} {middle:9.3f} {max(values):9.3f}  {middle / base:6.2f}  {unit}")
