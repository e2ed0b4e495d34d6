"""MSP-Podcast: speech from podcasts, rated by many listeners."""

import csv
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import EMOBOX, Table
from ..raw import match
from ..utterance import Gender, Utterance


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(Utterance):
    """An utterance that knows the column Split_Set of its release; the split stands nowhere else.

    Args:
        split_set: Train, Validation or Development, Test1, Test2.
    """

    split_set: str


def split_set(one: Utterance) -> str | None:
    """Return the value of Split_Set."""
    return one.split_set if isinstance(one, Segment) else None


def tested_by(part: str, rule: str) -> Table:
    """Return the config that tests on the part that Split_Set calls `part`."""
    keys = {"train": ["Train"], "validation": ["Validation", "Development"], "test": [part]}
    return Table(keys={split: frozenset(names) for split, names in keys.items()}, key=split_set, rule=rule)


CORPUS = Corpus(
    id="msppodcast",
    name="MSP-Podcast",
    description="Segments of English podcasts with emotions and ratings of arousal, valence and dominance.",
    languages=("en",),
    sources=(Source.PODCAST,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="signed academic licence agreement of the MSP laboratory; a commercial licence is a separate one",
    ),
    access=Access.REQUEST,
    homepage="https://www.lab-msp.com/MSP/MSP-Podcast.html",
    citation="""@article{lotfian2019building,
  title = {Building Naturalistic Emotionally Balanced Speech Corpus by Retrieving Emotional Speech From Existing Podcast
           Recordings},
  author = {Lotfian, Reza and Busso, Carlos},
  journal = {IEEE Transactions on Affective Computing},
  volume = {10},
  number = {4},
  pages = {471--483},
  year = {2019},
  doi = {10.1109/TAFFC.2017.2736999}
}""",
    how_to_get="An academic institution signs the agreement on the homepage (formerly "
    "https://ecs.utdallas.edu/research/researchlabs/msp-lab/MSP-Podcast.html) and gets a link.",
    layout="""
MSP-PODCAST-Publish-1.8/
    Audios/       MSP-PODCAST_0001_0008.wav ...      (or Audio/, or Audios/Audios/)
    Labels/       labels_consensus.csv               (labels_concensus.csv up to release 1.8; or .json; or label/,
                                                     or Labels/Labels/)
    Transcripts/  MSP-PODCAST_0001_0008.txt ...      (optional)
""",
    utterances=73042,
    emotions={
        "A": "anger",
        "C": "contempt",
        "D": "disgust",
        "F": "fear",
        "H": "happiness",
        "N": "neutral",
        "O": "other",
        "S": "sadness",
        "U": "surprise",
        "X": "no_agreement",
    },
    classes={
        "A": "Angry",
        "C": "Contempt",
        "D": "Disgust",
        "F": "Fear",
        "H": "Happy",
        "N": "Neutral",
        "X": "No-agreement",
        "O": "Other",
        "S": "Sad",
        "U": "Surprise",
    },
    partitions={
        "fold1": tested_by("Test1", f"column Split_Set of the release's own consensus labels, as in {EMOBOX}"),
        "official": tested_by("Test1", "column Split_Set of the release's own consensus labels; Test1 tests"),
        "official_test2": tested_by("Test2", "column Split_Set of the release's own consensus labels; Test2 tests"),
    },
    ignore=("*/MSP-PODCAST_*.wav",),  # segments without a line, as Test3, whose labels are hidden
    papers=("emobox",),
    rating_scale="mean of the listeners on scales from 1 to 7: arousal (EmoAct) calm to active, valence (EmoVal) "
    "negative to positive, dominance (EmoDom) weak to strong",
    traps=(
        "The number of utterances is that of the release: 1.7 62,140 (unverified), 1.8 73,042 (EmoBox's), 1.10 104,267 "
        "(unverified), 1.11 151,654, 1.12 207,136. Releases are not nested: labels and parts change, files are "
        "removed. Name the release in a paper.",
        "EmoBox has ten classes, X (no agreement) and O (other) included, though its paper says eight; drop both for "
        "classification.",
        "Split_Set says Validation up to some release and Development later; both are read.",
        "fold1 tests on Test1; Test2 is in no split of it. Test3 (from 1.11 on) has no public labels and is left out.",
        "The first number of a name is the podcast, not the speaker; names have two or three numbers. Speakers and "
        "genders come from SpkrID and Gender, where Unknown is a value, so there are no configs by speaker.",
        "EmoBox publishes the keys of its validation and test parts only; its train is Split_Set = Train.",
    ),
    errata=(
        Erratum(
            "MSP-PODCAST_1023_0235.wav is stereo with 44.1 kHz (felixbur/nkululeko, "
            "data/msp-podcast/process_database.py)."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/msppodcast, "
        "EmoBox/preprocess/scripts/msppodcast.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/msp-podcast (release 1.8)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/MSP-PODCAST/process.py",
        "readme.txt of release 1.12 and the page of MSP-Podcast (release 1.11), as published",
    ),
)

GRAMMAR = re.compile(r"Audios?/(?:Audios?/)?(?P<stem>MSP-PODCAST_\d{4}_\d{4}(?:_\d{4})?)\.wav")

GENDERS = {"Female": Gender.FEMALE, "Male": Gender.MALE}


def find(root: Path) -> Iterator[Utterance]:
    """Yield every segment below `root` that has a line in the consensus labels.

    Raises:
        RawTreeError: the consensus labels are missing, or lack a column.
    """
    lines: Mapping[str, Mapping[str, Any]] = {}
    for path, name in match(root, GRAMMAR, "Audio", "Audios", "Audio*/Audio*"):
        if not lines:
            labels, transcripts = _labels(root), _transcripts(root)
            lines = _lines(labels)
        line = lines.get(f"{name['stem']}.wav")
        if line is None or line.get("EmoClass") == "":  # hidden, as those of Test3
            continue
        try:
            emotion, speaker, gender, part = (line[key] for key in ("EmoClass", "SpkrID", "Gender", "Split_Set"))
            arousal, valence, dominance = (float(line[key]) for key in ("EmoAct", "EmoVal", "EmoDom"))
        except KeyError as key:
            raise RawTreeError(
                f"{CORPUS.name}: {labels} has EmoClass, EmoAct, EmoVal, EmoDom, SpkrID, Gender and Split_Set for every "
                f"segment; {key} is missing for {name['stem']}. Copy the file again from the release."
            ) from key
        yield Segment(
            id=f"msppodcast-{name['stem']}",
            path=path,
            native=emotion,
            speaker=str(speaker) if speaker != "Unknown" else None,
            gender=GENDERS.get(gender, Gender.UNKNOWN),
            language="en",
            arousal=arousal,
            valence=valence,
            dominance=dominance,
            transcript=_text(transcripts.get(f"{name['stem']}.txt")),
            split_set=part,
        )


def _labels(root: Path) -> Path:
    """Return the file of the consensus labels, in whichever form and place the tree has it."""
    names = [f"{folder}/labels_con[cs]ensus" for folder in ("[Ll]abel*", "[Ll]abel*/[Ll]abel*")]
    paths = (path for suffix in ("csv", "json") for name in names for path in sorted(root.glob(f"{name}.{suffix}")))
    path = next(paths, None)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: the labels are read from {root}/Labels/labels_consensus.csv (labels_concensus.csv in old "
            "releases, or .json), which does not exist. Unpack the folder Labels of the release as well."
        )
    return path


def _lines(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return file name -> its line of the consensus labels."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".json":
                return json.load(file)
            return {line.pop("FileName"): line for line in csv.DictReader(file)}
    except (KeyError, ValueError) as error:
        raise RawTreeError(
            f"{CORPUS.name}: {path} holds one line for each FileName, as CSV or JSON; reading it gave {error!r}. Copy "
            "the file again from the release."
        ) from error


def _transcripts(root: Path) -> dict[str, str]:
    """Return name -> path of every text file; empty where the tree has none."""
    folders = [root / "Transcripts", root / "Transcripts" / "Transcripts"]
    return {entry.name: entry.path for folder in folders if folder.is_dir() for entry in os.scandir(folder)}


def _text(path: str | None) -> str | None:
    """Return what a text file holds; by its path as text, as a Path for each of 200,000 files costs seconds."""
    if path is None:
        return None
    with open(path, encoding="utf-8-sig", errors="replace") as file:  # noqa: PTH123
        return file.read().strip() or None
