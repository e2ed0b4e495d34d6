"""Trees of tones at published paths, with the tables that some corpora ship beside their audio, made up here."""

import csv
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import yaml

from loading_scripts import registry

Lines = list[dict[str, str]]
Tones = Callable[[Path, list[str]], Path]

IEMOCAP_CODES = ("ang", "exc", "hap", "neu", "sad")


def plant(corpus: str, root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant the listed utterances of a corpus below `root`; return the lines with every emotion filled in."""
    return {"iemocap": iemocap, "meld": meld, "pavoque": pavoque}.get(corpus, files)(root, lines, tones)


def files(root: Path, lines: Lines, tones: Tones) -> Lines:
    tones(root, [line["path"] for line in lines])
    return lines


def iemocap(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant turns with made-up ratings, and in each dialog one turn of frustration and one without agreement."""
    lines = [line | {"emotion": IEMOCAP_CODES[zlib.crc32(line["id"].encode()) % 5]} for line in lines]
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


def meld(root: Path, lines: Lines, tones: Tones) -> Lines:
    """Plant clips and the CSV files; the one of train lies inside train/, as in EmoBox's tree."""
    name_of = {_listed(name): name for name in registry.load("meld").CORPUS.speakers}
    tones(root, [line["path"] for line in lines])
    tones(root, ["train/train_splits/dia125_utt3.mp4", "output_repeated_splits_test/final_videos_testdia93_utt6.mp4"])
    tables = defaultdict(list)
    for line in lines:
        stem, split = line["id"].removeprefix("meld-").rsplit("-", 1)
        dialogue, utterance = stem.removeprefix("dia").split("_utt")
        tables[split].append(
            {
                "Sr No.": len(tables[split]) + 1,
                "Utterance": 'Well, "look"\nwho’s here.',
                "Speaker": name_of[line["speaker"]],
                "Emotion": line["emotion"],
                "Sentiment": "neutral",
                "Dialogue_ID": dialogue,
                "Utterance_ID": utterance,
                "StartTime": "00:03:12,100",
            }
        )
    tables["train"].append(tables["train"][0] | {"Dialogue_ID": "125", "Utterance_ID": "3"})
    for split, table in tables.items():
        folder = root / "train" if split == "train" else root
        with (folder / f"{split}_sent_emo.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, table[0], lineterminator="\r\n")
            writer.writeheader()
            writer.writerows(table)
    return lines


def pavoque(root: Path, lines: Lines, tones: Tones) -> Lines:
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


def speaker_as_listed(corpus: str, one) -> str:
    """Return the speaker of an utterance in the form, right or wrong, of EmoBox's lists."""
    if corpus == "meld":
        return _listed(one.speaker)
    if corpus == "iemocap":  # the actor with the markers, who need not be the speaker
        return one.id.removeprefix("iemocap-")[:6]
    return one.speaker


def _listed(name: str) -> str:
    """Return a speaker of MELD as EmoBox writes it: hyphens for spaces, and one apostrophe as old CSV files had it."""
    return name.replace(" ", "-").replace("’", "\x92")
