"""P9: start-up of the command line and of the imports against `import datasets`.

Goal: `serbench --help` and `serbench corpora` at most import datasets + 0.4 s; `import loading_scripts` at most
import datasets + 0.3 s; `from ser_metrics import scores` under 0.3 s.

    python tests/bench/p9_startup.py
"""

from timing import report, seconds_of

RUNS = 7
COMMAND = "import sys; sys.argv = ['serbench', {!r}]; from ser_trainer.cli import main; main()"
LINES = {
    "import datasets": "import datasets",
    "import loading_scripts": "import loading_scripts",
    "serbench --help": COMMAND.format("--help"),
    "serbench corpora": COMMAND.format("corpora"),
    "from ser_metrics import scores": "from ser_metrics import scores",
    "(import numpy)": "import numpy",
}


def main() -> None:
    """Measure in turn and print."""
    for code in LINES.values():  # warm the disk cache and the .pyc files
        seconds_of(code)
    figures: dict[str, list[float]] = {name: [] for name in LINES}
    for _ in range(RUNS):
        for name, code in LINES.items():
            figures[name].append(seconds_of(code))
    report("P9: start-up of a fresh interpreter", figures)


if __name__ == "__main__":
    main()
