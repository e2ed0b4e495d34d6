"""SyntAct: files and the tables of the database that name them."""

import csv
from pathlib import Path

from annotated_trees import Tones


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and the tables; no example is a file without a row, so that labels cannot come from names."""
    tones(root, [one["path"] for one in examples if not one["path"].endswith(".csv")])
    clips = [one for one in examples if not one.get("ignored")]
    _write(root / "db.files.csv", [("file", "speaker"), *((f"./{one['path']}", one["speaker"]) for one in clips)])
    for split, voices in (("train", ("de1", "de2", "de3", "de4")), ("test", ("de6", "de7"))):
        rows = [(f"./{one['path']}", one["noun"]) for one in clips if one["speaker"] in voices]
        rows.append(("./synthesized_audio/de1_happy_p999999.wav", "happiness"))  # which this copy lacks
        _write(root / f"db.emotion.categories.{split}.desired.csv", [("file", "emotion"), *rows])


def _write(path: Path, rows: list[tuple[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
