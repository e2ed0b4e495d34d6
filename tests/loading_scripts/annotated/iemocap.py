"""IEMOCAP: turns with made-up ratings; the lists carry no labels."""

import zlib
from collections import defaultdict
from pathlib import Path

from annotated_trees import Lines, Tones

CODES = ("ang", "exc", "hap", "neu", "sad")


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant turns with made-up ratings, and in each dialog one turn of frustration and one without agreement."""
    lines = [line | {"emotion": CODES[zlib.crc32(line["id"].encode()) % 5]} for line in lines]
    dialogs = defaultdict(list)
    for line in lines:
        turn = Path(line["path"]).stem
        dialogs[Path(line["path"]).parent].append((turn, line["emotion"]))
    for folder, turns in dialogs.items():
        turns += [(f"{folder.name}_F998", "fru"), (f"{folder.name}_M999", "xxx")]
        tones(root, [str(folder / f"{turn}.wav") for turn, _ in turns] + [str(folder / f"._{folder.name}_F998.wav")])
        annotations = root / folder.parts[0] / "dialog"
        for name in ("EmoEvaluation/Categorical", "transcriptions"):
            (annotations / name).mkdir(parents=True, exist_ok=True)
        blocks = [
            f"[{k}.2500 - {k}.7500]\t{turn}\t{code}\t[2.5000, 4.0000, 3.6667]\n"
            "C-E1:\tAnger;\t()\nA-E1:\tval 2; act 4; dom  4;\t()\nA-F1:\tval 1; act 4; dom  ;\t(made up)\n"
            for k, (turn, code) in enumerate(turns)
        ]
        head = "% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n"
        (annotations / "EmoEvaluation" / f"{folder.name}.txt").write_text(head + "\n".join(blocks))
        (annotations / "EmoEvaluation" / "Categorical" / f"{folder.name}_e1_cat.txt").write_text("no majority labels")
        spoken = [f"{turn} [{k:03d}.2500-{k:03d}.7500]: Sentence {k}." for k, (turn, _) in enumerate(turns)]
        (annotations / "transcriptions" / f"{folder.name}.txt").write_text("\n".join([*spoken, "M: (cough)"]))
    return lines


def speaker_as_listed(one) -> str:
    """Return the actor with the markers, who need not be the speaker."""
    return one.id.removeprefix("iemocap-")[:6]
