"""MELD: clips and the CSV files beside them."""

import csv
from collections import defaultdict
from pathlib import Path

from annotated_trees import Lines, Tones

from loading_scripts import registry


def plant(root: Path, lines: Lines, tones: Tones) -> Lines:
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


def speaker_as_listed(one) -> str:
    """Return the speaker as EmoBox writes it."""
    return _listed(one.speaker)


def _listed(name: str) -> str:
    """Return a speaker of MELD as EmoBox writes it: hyphens for spaces, and one apostrophe as old CSV files had it."""
    return name.replace(" ", "-").replace("’", "\x92")
