"""MLEnd: clips and the table of attributes, of the Kaggle or the GitHub release."""

import csv
from pathlib import Path

from annotated_trees import Tones

from loading_scripts import registry


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and the tables of their release; beside the benchmark's lies the one that cannot be read."""
    code_of = {noun: code for code, noun in registry.load("mlend").CORPUS.emotions.items()}
    tones(root, [one["path"] for one in examples if not one["path"].endswith(".csv")])
    clips = [one for one in examples if not one.get("ignored")]
    rows = [
        (Path(one["path"]), one.get("transcript", "7"), code_of[one["noun"]], one.get("speaker", "0")) for one in clips
    ]
    if rows[0][0].parts[0] == "MLEndSND_audiofiles":
        broken = ["filename,Numeral,Intonation,Speaker", "<<<<<<< HEAD", "00000.wav,3,excited,59"]
        (root / "MLEndSND_audio_attributes.csv").write_text("\n".join(broken))
        header = ["filename", "Numeral", "Intonation", "Speaker", "Benchmark_A", "Benchmark_B"]
        table = [[path.name, *rest, "Train", "Test"] for path, *rest in rows]
        target = root / "MLEndSND_audio_attributes_benchmark.csv"
    else:
        header = ["Public filename", "Numeral", "Intonation", "Speaker"]
        table = [[path.stem, *rest] for path, *rest in rows]
        folder = root if len(rows[0][0].parts) == 2 else root / "MLEndSND_Public"  # the table was moved as well
        target = folder / "MLEndSND_Audio_Attributes.csv"
    with target.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file, lineterminator="\r\n").writerows([header, *table])
