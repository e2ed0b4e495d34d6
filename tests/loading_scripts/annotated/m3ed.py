"""M3ED: made-up annotation.json; the lists carry no labels."""

import json
import zlib
from collections import defaultdict
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry

CODES = ("Anger", "Disgust", "Fear", "Happy", "Neutral", "Sad", "Surprise")


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant clips and annotation.json; return lines whose speakers lack the blank before three names."""
    lines = [line | {"emotion": CODES[zlib.crc32(line["id"].encode()) % 7]} for line in lines]
    tones(root, [line["path"] for line in lines])
    _write(root, [(line["path"], line["emotion"], line["speaker"], "female") for line in lines])
    return [line | {"speaker": line["speaker"].replace("_ ", "_")} for line in lines]


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and annotation.json."""
    native = {noun: code for code, noun in registry.load("m3ed").CORPUS.emotions.items()}
    examples = [one for one in examples if not one.get("ignored")]
    tones(root, [one["path"] for one in examples])
    _write(root, [(one["path"], native[one["noun"]], one["speaker"], one.get("gender", "")) for one in examples])


def _write(root: Path, clips: list[tuple[str, str, str, str]]) -> None:
    """Write annotation.json for (path, emotion, speaker, gender of A), and an utterance without a clip per dialogue."""
    annotation: dict = defaultdict(dict)
    for path, emotion, speaker, gender in clips:
        party, name = Path(path).stem.split("_", 1)
        series, number, _ = name.split("_")
        dialog = annotation[series].setdefault(f"{series}_{number}", {"SpeakerInfo": {}, "Dialog": {}})
        said = {"EmoAnnotator1": emotion, "final_mul_emo": f"{emotion},Fear", "final_main_emo": emotion}
        line = {"Speaker": party, "StartTime": "00:00:00:01", "Text": "你好", "EmoAnnotation": said}
        dialog["Dialog"] |= {name: line, f"{series}_{number}_999": line}
        dialog["SpeakerInfo"][party] = {
            "Name": speaker.partition("_")[2],
            "Age": "mid",
            "Gender": gender if party == "A" else "male",
            "OtherName": [],
        }
    text = json.dumps(annotation, ensure_ascii=False)
    (root / "annotation.json").write_text(text, encoding="utf-8")
