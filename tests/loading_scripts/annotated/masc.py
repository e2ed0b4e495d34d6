"""MASC: names tell all in the known tree; elsewhere the owner's table does."""

from pathlib import Path

from annotated import own_table
from annotated_trees import Tones


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples; those outside data/ come with the owner's table."""
    if all(one["path"].startswith("data/") for one in examples):
        tones(root, [one["path"] for one in examples])
    else:
        own_table.plant_examples("masc", root, examples, tones)
