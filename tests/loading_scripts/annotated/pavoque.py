"""PAVOQUE: long files and the YAML files that list their segments."""

from collections import defaultdict
from pathlib import Path

import yaml
from annotated_trees import Lines, Tones


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant one long file for each style and the YAML file that lists its segments."""
    tables = defaultdict(list)
    for line in lines:
        entry = {
            "prompt": line["id"].removeprefix("pavoque-").removesuffix(f"-{line['emotion']}"),
            "text": "Nein",
            "style": line["emotion"],
            "start": float(line["start"]),
            "end": float(line["end"]),
        }
        tables[line["path"]].append(entry)
    tones(root, list(tables))
    for path, table in tables.items():
        text = yaml.safe_dump(table, allow_unicode=True, sort_keys=False)
        if "outtakes" not in path:
            text = text.replace("- prompt", "  segments:\n  - {lab: H#, end: 0.2}\n  - {lab: '?', end: 0.3}\n- prompt")
            text = text.removeprefix("  segments:\n  - {lab: H#, end: 0.2}\n  - {lab: '?', end: 0.3}\n")
        (root / path).with_suffix(".yaml").write_text(text, encoding="utf-8")
    return lines
