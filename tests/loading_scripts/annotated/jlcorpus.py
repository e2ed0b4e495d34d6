"""JL-Corpus: a text beside every recording."""

from pathlib import Path

from annotated_trees import Lines, Tones

FOLDER = "downloads/jlcorpus/Raw JL corpus (unchecked and unannotated)/JL(wav+txt)"


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant recordings, and the same made-up text beside each."""
    tones(root, [line["path"] for line in lines])
    for line in lines:
        (root / line["path"]).with_suffix(".txt").write_text("Tom beats that farmer.\r\n", encoding="utf-8")
    return lines


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, with a text beside those that state one."""
    tones(root, [example["path"] for example in examples])
    for example in examples:
        if "transcript" in example:
            text = (root / example["path"]).with_suffix(".txt")
            text.write_text(f"\ufeff{example['transcript']}\r\n", encoding="utf-8")


def speaker_as_listed(one) -> str:
    """Return the speaker as EmoBox writes it: the whole path before the first underscore."""
    return f"{FOLDER}/{one.speaker}"
