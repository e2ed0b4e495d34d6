"""The report over 100,000 result lines: 1,099 systems on 32 corpora with one to three folds. Goal: less than 5 s.

python tests/bench/report_lines.py
"""

import json
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "ser_trainer" / "benchmark")]
from lines import made  # noqa: E402
from timing import report  # noqa: E402

from ser_trainer.benchmark.results.report import write_report  # noqa: E402
from ser_trainer.benchmark.results.stored import read  # noqa: E402

LINES, FOLDS, CORPORA, CLASSES, RUNS = 100_000, 91, 32, 6, 5


def write_lines(folder: Path) -> None:
    """Write the lines without predictions: these encoders have no published row, so no interval is asked for."""
    generator = random.Random(0)
    base = asdict(made(protocol="emobox-intra", head="emobox")[0]) | {"classes": [f"class{i}" for i in range(CLASSES)]}
    base["grid"] = [{"learning_rate": 1e-3, "hidden": hidden, "validation": 0.5} for hidden in (128, 256)] * 2
    with (folder / "results.jsonl").open("w", encoding="utf-8") as file:
        for number in range(LINES):
            encoder, place = divmod(number, FOLDS)
            own = {
                "encoder": f"encoder{encoder}",
                "corpus": f"corpus{place % CORPORA}",
                "config": f"fold{place // CORPORA + 1}",
                "confusion_matrix": [[generator.randrange(30) for _ in range(CLASSES)] for _ in range(CLASSES)],
            }
            file.write(json.dumps({"id": "", "scores": {}} | base | own) + "\n")


def main() -> None:
    """Write the lines once, then read them and write the page several times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_lines(folder)
        figures: dict[str, list[float]] = {"all": [], "reading": [], "page": []}
        for _ in range(RUNS):
            start = time.perf_counter()
            stored = read([folder])
            middle = time.perf_counter()
            write_report(stored, folder / "report.html")
            end = time.perf_counter()
            del stored
            for part, seconds in (("all", end - start), ("reading", middle - start), ("page", end - middle)):
                figures[part].append(seconds)
        size = (folder / "report.html").stat().st_size
        report(f"Report over {LINES:,} lines, page of {size / 1e6:.1f} MB", figures)


if __name__ == "__main__":
    main()
