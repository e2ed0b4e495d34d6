"""ShEMO: recordings, shemo.json, and the texts of transcript.zip; all texts made up."""

import json
from pathlib import Path

from annotated_trees import Lines, Tones


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant recordings and shemo.json."""
    tones(root, [line["path"] for line in lines])
    entries = {
        line["id"].removeprefix("shemo-"): {
            "speaker_id": line["speaker"],
            "gender": "female" if line["speaker"].startswith("F") else "male",
            "emotion": line["emotion"],
            "transcript": "جملهٔ ساختگی",
            "ipa": "",
        }
        for line in lines
    }
    (root / "shemo.json").write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, and the unpacked transcript.zip with the texts that they state."""
    tones(root, [example["path"] for example in examples if example["path"].endswith(".wav")])
    folder = root / "transcript" / "final text"
    folder.mkdir(parents=True)
    for example in examples:
        if text := example.get("transcript", "Text" if example.get("ignored") else None):
            (folder / f"{Path(example['path']).stem}.ort").write_text(f"\ufeff\u200f{text}\u200e\r\n", encoding="utf-8")
