"""MER2023: made-up label files; the lists carry no labels."""

import csv
import zlib
from collections import defaultdict
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry

CODES = ("angry", "happy", "neutral", "sad", "surprise", "worried")


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant clips, label files where EmoBox has them, and a clip of test3 without a label."""
    lines = [line | {"emotion": CODES[zlib.crc32(line["id"].encode()) % 6], "speaker": ""} for line in lines]
    tones(root, [line["path"] for line in lines] + ["mer2023train/test3/samplenew_99999999.mp4"])
    labels: dict = defaultdict(dict)
    for line in lines:
        path = Path(line["path"])
        labels[path.parent.name][path.stem] = line["emotion"]
    for part, emotions in labels.items():
        _write(root / ("mer2023train" if part == "train" else "test-labels") / f"{part}-label.csv", emotions)
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, and their label files in the root."""
    native = {noun: code for code, noun in registry.load("mer2023").CORPUS.emotions.items()}
    clips = [one for one in examples if not one["path"].endswith(".csv")]
    tones(root, [one["path"] for one in clips])
    labels: dict = defaultdict(dict)
    for one in clips:
        path = Path(one["path"])
        labels[path.parent.name] |= {path.stem: native[one["noun"]]} if "noun" in one else {}
    for part, emotions in labels.items():
        _write(root / f"{part}-label.csv", emotions)


def speaker_as_listed(one) -> str:
    """Return an empty cell: the lists have no speakers."""
    return one.speaker or ""


def _write(path: Path, emotions: dict[str, str]) -> None:
    """Write a label file; the one of train has an unnamed index, the one of test3 no valence."""
    path.parent.mkdir(exist_ok=True)
    columns = ["name", "discrete", *(["valence"] if "test3" not in path.name else [])]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(["", *columns] if "train" in path.name else columns)
        for number, (clip, emotion) in enumerate(emotions.items()):
            cells = [clip, emotion, "-1.5"][: len(columns)]
            writer.writerow([number, *cells] if "train" in path.name else cells)
