"""EmoV-DB: the six files that EmoBox's list lacks, and the sentences of CMU ARCTIC."""

from pathlib import Path

from annotated_trees import Lines, Tones

MISSED = (
    ("bea_Angry/anger_1-28_0024.wav", "bea-Angry-1-28-0024", "Angry"),
    ("bea_Neutral/neutral_1-28_0014.wav", "bea-Neutral-1-28-0014", "Neutral"),
    ("bea_Neutral/neutral_1-28_0015.wav", "bea-Neutral-1-28-0015", "Neutral"),
    ("josh_Amused/amused_1-28_0023.wav", "josh-Amused-1-28-0023", "Amused"),
    ("josh_Amused/amused_1-28_0026.wav", "josh-Amused-1-28-0026", "Amused"),
    ("sam_Sleepy/sleepiness_367-392_0387.wav", "sam-Sleepy-367-392-0387", "Sleepy"),
)


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed files and the six others; return lines of all."""
    folds = dict.fromkeys((name for name in lines[0] if name.startswith("fold")), "")
    missed = [
        {"id": f"emovdb-{key}", "path": path, "emotion": emotion, "speaker": key.partition("-")[0], **folds}
        for path, key, emotion in MISSED
    ]
    tones(root, [line["path"] for line in [*lines, *missed]])
    _write_sentences(root)
    return [*lines, *missed]


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and the sentences, beside the folders of the speakers."""
    tones(root, [example["path"] for example in examples])
    inner = root / "EmoV-DB_sorted"
    _write_sentences(inner if inner.is_dir() else root)


def _write_sentences(root: Path) -> None:
    """Write cmuarctic.data with made-up sentences."""
    text = "".join(f'( arctic_a{k:04d} "Made-up line {k}." )\n( arctic_b{k:04d} "No." )\n' for k in range(1, 594))
    (root / "cmuarctic.data").write_text(text, encoding="ascii")
