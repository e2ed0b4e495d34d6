"""MESD: the folder of reduced versions beside the words."""

from pathlib import Path

from annotated_trees import Lines, Tones


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the words, and a reduced version of one in its folder."""
    tones(root, [line["path"] for line in lines])
    tones(root, ["Speaker-embedded naturalness-reduced female voices/Anger_F_B_L1_abuso.wav"])
    return lines


def speaker_as_listed(one) -> str:
    """Return the type of voice in EmoBox's words."""
    return {"F": "Female", "M": "Male", "C": "Child"}[one.speaker]
