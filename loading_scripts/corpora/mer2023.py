"""MER2023: the Multimodal Emotion Recognition Challenge 2023; its labelled clips."""

import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..corpus import Access, Corpus, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import EMOBOX, Table
from ..raw import match
from ..utterance import Gender, Utterance


def part_of(one: Utterance) -> str:
    """Return the folder of the clip: train, test1, test2 or test3."""
    return one.path.split("/")[-2]


def tested_by(part: str, rule: str) -> Table:
    """Return the config that trains on the clips in train/ and tests on those in the folder `part`."""
    return Table(keys={"train": frozenset(["train"]), "test": frozenset([part])}, key=part_of, rule=rule)


CORPUS = Corpus(
    id="mer2023",
    name="MER2023",
    description="Clips of Chinese films and television series in six emotions; the labelled part of the challenge of "
    "2023.",
    languages=("zh",),
    sources=(Source.TV, Source.FILM),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="signed end user licence agreement: academic research only, no upload of samples",
    ),
    access=Access.REQUEST,
    homepage="http://merchallenge.cn/",
    citation="""@inproceedings{lian2023mer,
  title = {{MER} 2023: Multi-label Learning, Modality Robustness, and Semi-Supervised Learning},
  author = {Lian, Zheng and Sun, Haiyang and Sun, Licai and others},
  booktitle = {Proceedings of the 31st ACM International Conference on Multimedia},
  year = {2023},
  doi = {10.1145/3581783.3612836}
}""",
    how_to_get="Sign the licence agreement at https://huggingface.co/datasets/MERChallenge/MER2023 (or the homepage) "
    "and unpack the archives that you are given, with the label files.",
    layout="""
<root>/
    train-label.csv  test1-label.csv  test2-label.csv  test3-label.csv   (or one folder down)
    train/  sample_00000000.avi ...                                     3373 clips
    test1/  sample_00001998.avi ...                                     411
    test2/  sample_00005474.mp4 ...                                     412
    test3/  samplenew_00006611.mp4 ... sample_00000009.avi ...          834 with a label
(train/ and test3/ may lie in mer2023train/, the labels of the tests in test-labels/)
""",
    utterances=5030,
    emotions={
        "angry": "anger",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
        "worried": "anxiety",
    },
    classes={
        "angry": "Angry",
        "happy": "Happy",
        "neutral": "Neutral",
        "sad": "Sad",
        "surprise": "Surprise",
        "worried": "Worried",
    },
    partitions={
        "fold1": tested_by("test1", f"folder train/ trains, test1/ tests, as in {EMOBOX}"),
        "official": tested_by("test1", "the challenge's own parts: train trains, test1 (MER-MULTI) tests"),
        "official_test2": tested_by("test2", "the challenge's own parts: train trains, test2 (MER-NOISE) tests"),
        "official_test3": tested_by(
            "test3", "the challenge's own parts: train trains, the labelled clips of test3 (MER-SEMI) test"
        ),
    },
    ignore=("*test3/*",),  # over 70,000 clips without a label
    papers=("emobox",),
    rating_scale="valence of train, test1 and test2 as given in the label files, about -5 to 5 (range unverified)",
    traps=(
        "The clips are AVI and MP4 videos, mixed in test3 (797 samplenew_*.mp4 and 37 sample_*.avi of the labelled "
        "ones).",
        "test2 has added noise and 16,000 Hz, the others mostly 44,100 Hz.",
        "Speakers are not told, so nobody knows whether the parts share any.",
        "Ids of MP4 files end in .mp4, those of AVI files have no suffix, as in EmoBox's list.",
        "test2 and test3 are in no split of fold1: EmoBox lists them, and counts them in its 5,030, but tests on "
        "test1.",
        "Clips of test3 without a line in test3-label.csv are unlabelled and left out. test3 has no valence.",
        "All channels are averaged; EmoBox reads the first.",
        "EmoBox's list has clips of 0.24 to 46.7 s, eight of them over 30 s.",
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/mer2023, EmoBox/preprocess/scripts/mer2023.py",
        "zeroQiaoba/MERTools: preprocessing of MER2023 (columns of the label files), MER2023/README.md (licence "
        "agreement)",
    ),
)

GRAMMAR = re.compile(r"(?:[^/]+/)?(?P<part>train|test[123])/(?P<clip>sample(?:new)?_\d{8})(?P<suffix>\.avi|\.mp4)")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that has a line in the label file of its part.

    Raises:
        RawTreeError: the label file of a part is missing, or lacks a column.
    """
    labels = cache(_labels)
    for path, name in match(root, GRAMMAR, "train", "test[123]", "*/train", "*/test[123]"):
        line = labels(root, name["part"]).get(name["clip"])
        if line is None:
            continue
        valence = (line.get("valence") or "").strip()
        yield Utterance(
            id=f"mer2023-{name['clip']}{name['suffix'].removeprefix('.avi')}",
            path=path,
            native=line["discrete"].strip(),
            speaker=None,
            gender=Gender.UNKNOWN,
            language="zh",
            valence=float(valence) if valence else None,
        )


def _labels(root: Path, part: str) -> dict[str, dict[str, str]]:
    """Return clip -> line of the label file of a part, which lies in `root` or one folder down."""
    name = f"{part}-label.csv"
    path = next((path for path in (root / name, *sorted(root.glob(f"*/{name}"))) if path.is_file()), None)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: the labels of the clips in {part}/ are read from {root / name}, or from a file of that "
            "name one folder down; neither exists. Copy it from the archives of the challenge, or remove the clips."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        if missing := {"name", "discrete"} - set(table.fieldnames or ()):
            raise RawTreeError(
                f"{CORPUS.name}: {path} has the columns name, discrete and mostly valence; {sorted(missing)} are "
                f"missing, found {table.fieldnames}. Copy it again."
            )
        return {line["name"].strip(): line for line in table}
