"""Expresso: files, their segments and the texts of the read ones."""

from collections import defaultdict
from pathlib import Path

from annotated_trees import Tones


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples; a dialogue gets one more segment on each channel, and one that is too short."""
    tones(root, dict.fromkeys(one["path"] for one in examples if not one["path"].endswith(".txt")))
    segments, texts = defaultdict(list), []
    for one in examples:
        stem = Path(one["path"]).stem
        if "end" in one:
            names = [stem] if one.get("channel") is None else [f"{stem}/channel1", f"{stem}/channel2"]
            for name in names:
                segments[name] += [(900.0, 901.5), (902.0, 902.49)]
            segments[names[one.get("channel") or 0]].insert(0, (one["start"], one["end"]))
        elif "transcript" in one:
            texts.append(f"{stem}\t{one['transcript']}")
    lines = [f"{name}\t{' '.join(f'({start}, {end})' for start, end in times)}" for name, times in segments.items()]
    head = "#VAD segments, made up. Format: {name/channel}\t{segments}\n#MODEL: none"
    (root / "VAD_segments.txt").write_text("\r\n".join([head, *lines, ""]), encoding="utf-8-sig", newline="")
    (root / "read_transcriptions.txt").write_text("\n".join(texts), encoding="utf-8")
