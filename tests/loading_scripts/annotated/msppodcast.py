"""MSP-Podcast: made-up consensus labels; the lists carry no labels, and no segment of the train part."""

import csv
import json
import zlib
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry

CODES = "ACDFHNOSUX"
PARTS = {"train": "Train", "valid": "Validation", "test": "Test1", "": "Test2"}


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed segments and made-up ones of Train, Test2 and Test3, labels in EmoBox's form.

    Segments of Test3 have no labels, and are in none of the lines that are returned.
    """
    made_up = [
        {"id": f"msppodcast-MSP-PODCAST_99{k:02d}_0001", "path": f"Audio/MSP-PODCAST_99{k:02d}_0001.wav", "fold1": fold}
        for k, fold in enumerate(["train"] * 20 + [""] * 5)
    ]
    lines = [
        line | {"emotion": CODES[zlib.crc32(line["id"].encode()) % 10], "speaker": "7"} for line in [*lines, *made_up]
    ]
    tones(root, [line["path"] for line in lines] + ["Audio/MSP-PODCAST_9999_0001.wav"])
    (root / "label").mkdir()
    labels = {line["FileName"]: line for line in _consensus(lines)}
    (root / "label" / "labels_concensus.json").write_text(json.dumps(labels), encoding="utf-8")
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, with labels in the form of later releases, and transcripts."""
    native = {noun: code for code, noun in registry.load("msppodcast").CORPUS.emotions.items()}
    tones(root, [one["path"] for one in examples])
    lines = [
        {"path": one["path"], "emotion": native[one["noun"]], "fold1": "valid"} for one in examples if "noun" in one
    ]
    double = any(one["path"].count("/") == 2 for one in examples)
    for folder in ("Labels", "Transcripts"):
        (root / folder / folder if double else root / folder).mkdir(parents=True)
    for line in lines:
        transcript = Path("Transcripts", *(["Transcripts"] if double else []), f"{Path(line['path']).stem}.txt")
        (root / transcript).write_text("A made-up sentence.\n", encoding="utf-8")
    rows = _consensus(lines)
    labels = root / "Labels" / ("Labels" if double else "") / "labels_consensus.csv"
    with labels.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)


def speaker_as_listed(one) -> str:
    """Return the made-up speaker."""
    return one.speaker


def _consensus(lines: Lines) -> list[dict[str, str]]:
    """Return lines of the consensus labels."""
    return [
        {
            "FileName": Path(line["path"]).name,
            "EmoClass": line["emotion"],
            "EmoAct": "4.4",
            "EmoVal": "5.2",
            "EmoDom": "4.6",
            "SpkrID": line.get("speaker", "Unknown"),
            "Gender": "Female",
            "Split_Set": PARTS[line["fold1"]],
        }
        for line in lines
    ]
