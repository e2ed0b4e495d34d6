"""EMNS: metadata.csv, and the recordings that were never cleaned."""

import csv
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the cleaned clips, and two raw ones: one that needs updating and one that was cleaned."""
    tones(root, [line["path"] for line in lines])
    tones(root, ["raw_webm/recorded_audio_0ki1DKs.webm", f"raw_webm/{Path(lines[0]['path']).name}"])
    clips = {Path(line["path"]).name: line["emotion"].replace("Surprise", "Surprised") for line in lines}
    _write(root, clips, {"recorded_audio_0ki1DKs.webm": "Angry"})
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples; an ignored one needs updating."""
    native = {noun: code for code, noun in registry.load("emns").CORPUS.emotions.items()}
    tones(root, [example["path"] for example in examples])
    clips = {Path(one["path"]).name: native[one["noun"]] for one in examples if not one.get("ignored")}
    _write(root, clips, {Path(one["path"]).name: "Sad" for one in examples if one.get("ignored")})


def _write(root: Path, complete: dict[str, str], unfinished: dict[str, str]) -> None:
    """Write metadata.csv with made-up sentences for clip -> emotion."""
    rows = [
        {
            "id": number,
            "utterance": f'The "cup", number {number}, is empty.',
            "description": "{user_id} said {transcription} With a {emotion} voice.",
            "emotion": emotion,
            "date_created": "2022-07-01 10:00:00.000000",
            "status": status,
            "gender": "Female",
            "age": "20s",
            "level": number % 11,
            "audio_recording": f"wavs/{clip}",
            "user_id": 3,
        }
        for status, clips in (("Complete", complete), ("Needs Updating", unfinished))
        for number, (clip, emotion) in enumerate(clips.items())
    ]
    with (root / "metadata.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0], delimiter="|", lineterminator="\r\n")
        writer.writeheader()
        writer.writerows(rows)
