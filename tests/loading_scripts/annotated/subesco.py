"""SUBESCO: names alone tell everything; EmoBox only calls the speakers otherwise."""

from pathlib import Path

from annotated_trees import Lines, Tones


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed files."""
    tones(root, [line["path"] for line in lines])
    return lines


def speaker_as_listed(one) -> str:
    """Return the speaker as EmoBox writes it."""
    return {"F": "Female", "M": "Male"}[one.speaker[0]] + one.speaker[1:].replace("_", "-")
