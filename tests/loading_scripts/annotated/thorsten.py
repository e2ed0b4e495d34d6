"""Thorsten-Voice: recordings and the table of their sentences."""

from pathlib import Path

from annotated_trees import Tones

TABLE = "thorsten-emotional-metadata.csv"


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, and the table with the sentences that they state."""
    recordings = [Path(example["path"]) for example in examples if example["path"].endswith(".wav")]
    tones(root, [path.as_posix() for path in recordings])
    texts = [f"{Path(one['path']).stem}|{one['transcript']}" for one in examples if one.get("transcript")]
    (root / recordings[0].parent.parent / TABLE).write_text("\r\n".join(texts), encoding="utf-8", newline="")
