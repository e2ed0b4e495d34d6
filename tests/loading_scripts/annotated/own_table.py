"""Tables that the owner of a copy writes, for corpora whose naming nobody published (loading_scripts/manifest.py)."""

import csv
from pathlib import Path

from annotated_trees import Tones

from loading_scripts import registry


def plant_examples(corpus: str, root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and the table <id>.csv, written by a spreadsheet program: byte order mark, semicolons, CRLF."""
    code_of = {noun: code for code, noun in registry.load(corpus).CORPUS.emotions.items()}
    tones(root, [one["path"] for one in examples if one["path"] != f"{corpus}.csv"])
    with (root / f"{corpus.upper()}.csv").open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file, delimiter=";", lineterminator="\r\n")
        lines.writerow(["File", "Emotion", "Speaker", "Gender", "Transcript"])
        for one in examples:
            if not one.get("ignored"):
                emotion = code_of[one["noun"]].capitalize()
                told = (one.get(name, "") for name in ("speaker", "gender", "transcript"))
                lines.writerow([one["path"].replace("/", "\\"), emotion, *told])
