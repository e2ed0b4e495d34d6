"""Emozionalmente: clips with times for names, and the tables that say all else."""

import csv
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant clips and both tables."""
    tones(root, [line["path"] for line in lines])
    rows = [(Path(line["path"]).name, line["speaker"], line["emotion"], "Una frase, inventata.") for line in lines]
    _tables(root, rows, {line["speaker"]: "f" for line in lines})
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples; the tables lie above the folder of the clips, and begin with a byte order mark."""
    tones(root, [example["path"] for example in examples])
    native = {noun: code for code, noun in registry.load("emozionalmente").CORPUS.emotions.items()}
    told = [one for one in examples if "noun" in one]
    rows = [
        (Path(one["path"]).name, one["speaker"], native[one["noun"]], one.get("transcript", "Una frase."))
        for one in told
    ]
    genders = {one["speaker"]: {"female": "F", "male": "M", "unknown": "other"}[one["gender"]] for one in told}
    _tables(root / Path(told[0]["path"]).parent.parent, rows, genders, "utf-8-sig")


def _tables(folder: Path, rows: list[tuple], genders: dict[str, str], encoding: str = "utf-8") -> None:
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    tables = {
        "samples": [
            ("file_name", "sentence", "sentence_language", "actor", "emotion_expressed"),
            *((name, text, "it", speaker, emotion) for name, speaker, emotion, text in rows),
        ],
        "users": [
            ("username", "gender", "age", "mother_tongue"),
            *((speaker, gender, 30, "italian") for speaker, gender in genders.items()),
        ],
    }
    for name, table in tables.items():
        with (folder / "metadata" / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file, lineterminator="\r\n").writerows(table)
