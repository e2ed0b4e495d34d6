"""RESD: clips and the tables of both splits; the lists name no speaker."""

import csv
from pathlib import Path

from annotated_trees import Lines, Tones

SPLITS = ("train", "test")


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant clips and tables with a made-up text in every line."""
    tones(root, [line["path"] for line in lines])
    _tables(root, {line["path"]: "Выдуманное предложение." for line in lines})
    return [line | {"speaker": ""} for line in lines]


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, and the tables with the texts that they state."""
    tones(root, [example["path"] for example in examples if example["path"].endswith(".wav")])
    _tables(root, {example["path"]: example["transcript"] for example in examples if "transcript" in example})


def _tables(root: Path, texts: dict[str, str]) -> None:
    for split in SPLITS:
        with (root / f"{split}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(["name", "path", "emotion", "text"])
            for path, text in texts.items():
                folder, _, below = path.partition("/")
                if folder == split:
                    writer.writerow([Path(path).stem, below, "neutral", text])


def speaker_as_listed(one) -> str:
    """Return what the lists say of the speaker: nothing."""
    assert one.speaker is None
    return ""
