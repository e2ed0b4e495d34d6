"""IEMOCAP: the Interactive Emotional Dyadic Motion Capture database."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import balanced, emosetpp, generalize, serab, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {
    f"Ses0{session}{letter}": gender
    for session in range(1, 6)
    for letter, gender in (("F", Gender.FEMALE), ("M", Gender.MALE))
}

# EmoBox's classes of the four that all papers use; the other codes have no class there.
CLASSES = {"ang": "Angry", "exc": "Happy", "hap": "Happy", "neu": "Neutral", "sad": "Sad"}


def in_four_classes(one: Utterance) -> bool:
    """Return whether the utterance is one of the 5,531 that EmoBox, SERAB and EmoNet use."""
    return one.native in CLASSES


def session(number: int) -> tuple[str, str]:
    """Return the two speakers of a session."""
    return f"Ses0{number}F", f"Ses0{number}M"


def marker_wearer(one: Utterance) -> str:
    """Return what SERAB takes for the speaker: ``01F`` names the recording whose actress wore the markers."""
    return one.id.removeprefix("iemocap-Ses")[:3]


CORPUS = Corpus(
    id="iemocap",
    name="IEMOCAP",
    description="Ten actors in five sessions of two, improvised and scripted; turns rated by several listeners.",
    languages=("en-US",),
    sources=(Source.ACTED, Source.ELICITED),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.UNCLEAR,
        note="release form of the SAIL laboratory at USC",
    ),
    access=Access.REQUEST,
    homepage="https://sail.usc.edu/iemocap/",
    citation="""@article{busso2008iemocap,
  title = {{IEMOCAP}: Interactive emotional dyadic motion capture database},
  author = {Busso, Carlos and Bulut, Murtaza and Lee, Chi-Chun and Kazemzadeh, Abe and Mower, Emily and Kim, Samuel and
            Chang, Jeannette N. and Lee, Sungbok and Narayanan, Shrikanth S.},
  journal = {Language Resources and Evaluation},
  volume = {42},
  number = {4},
  pages = {335--359},
  year = {2008}
}""",
    how_to_get="Send the release form (https://sail.usc.edu/iemocap/iemocap_release.htm); the laboratory answers with "
    "a link to IEMOCAP_full_release.",
    layout="""
IEMOCAP_full_release/
    Session1/
        dialog/EmoEvaluation/   Ses01F_impro01.txt ...                         labels and ratings
        dialog/transcriptions/  Ses01F_impro01.txt ...
        sentences/wav/          Ses01F_impro01/Ses01F_impro01_F000.wav ...     one file per turn
    ...
    Session5/
""",
    utterances=10039,
    emotions={
        "ang": "anger",
        "dis": "disgust",
        "exc": "excitement",
        "fea": "fear",
        "fru": "frustration",
        "hap": "happiness",
        "neu": "neutral",
        "oth": "other",
        "sad": "sadness",
        "sur": "surprise",
        "xxx": None,
    },
    classes=CLASSES,
    speakers=SPEAKERS,
    partitions=speaker_folds({number: session(number) for number in range(1, 6)}, takes=in_four_classes)
    | serab(
        strict={"validation": session(4), "test": session(5)},
        published={"validation": ("02M", "04M"), "test": ("01F", "03M")},
        key=marker_wearer,
        takes=in_four_classes,
    )
    | generalize("Ses05M", seconds=3351.4)
    | emosetpp("iemocap", SPEAKERS, takes=in_four_classes)
    | balanced("iemocap"),
    papers=("emobox", "generalize", "serab", "exhubert"),
    rating_scale="mean of the listeners' ratings of valence, activation (here arousal) and dominance on five-point "
    "scales; values from 0.5 to 5.5 occur",
    traps=(
        "The letter after the session number only says who wore the motion-capture markers; the speaker is the letter "
        "of the last part: Ses01F_impro04_M001 is spoken by Ses01M.",
        "xxx means that the raters did not agree: no label.",
        "Happiness without excitement is another benchmark (595 instead of 1,636 utterances).",
        "A turn may contain the other speaker.",
        "Labels are read from the text files of EmoEvaluation itself; its subfolders hold single raters.",
    ),
    errata=(
        Erratum(
            "EmoBox's list and SERAB's split take the marker wearer for the speaker, which is wrong for 2,750 of the "
            "5,531 turns. EmoBox's folds go by session and stay correct; all test speakers of `serab` are in its "
            "train split."
        ),
        Erratum("Ratings outside 1 to 5 occur: valence up to 5.5, dominance down to 0.5."),
        Erratum("36 lines of single raters have no dominance (Strong-AI-Lab/emotion@30815b1)."),
        Erratum("EmoBox's balanced set is balanced by marker wearer: a speaker has 19 to 29 of its 240 utterances."),
    ),
    facts_from=(
        "README.txt of the release, as quoted publicly (names)",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/iemocap, data/track2",
        "enmwmak/Teaching@1da68ef: FYP/SER/labels/emo_labels.txt (all 10,039 bracket lines)",
        "Neclow/serab@cc0ebd7: tensorflow_datasets/iem4/iem4.py",
    ),
)

GRAMMAR = re.compile(
    r"(?P<session>Session(?P<number>[1-5]))/sentences/wav/"
    r"(?P<dialog>Ses0(?P=number)[FM]_(?:impro|script)\d\d[ab]?(?:_\d[ab]?)?)/"
    r"(?P<turn>(?P=dialog)_(?P<letter>[FM])(?:\d{3}|XX\d))\.wav"
)

RATED = re.compile(
    r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<turn>Ses0[1-5][FM]_\S+)\t(?P<emotion>[a-z]{3})\t"
    r"\[(?P<valence>\d\.\d+), (?P<activation>\d\.\d+), (?P<dominance>\d\.\d+)\]\s*"
)
SPOKEN = re.compile(r"(?P<turn>Ses0[1-5][FM]_\S+) \[[\d.]+-[\d.]+\]: (?P<text>.*?)\s*")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every rated turn below `root`.

    Raises:
        RawTreeError: the ratings of a dialog are missing.
    """
    rated, spoken = cache(_rated), cache(_spoken)
    for path, name in match(root, GRAMMAR, "Session[1-5]/sentences/wav/*"):
        annotations = root / name["session"] / "dialog"
        label = rated(annotations / "EmoEvaluation" / f"{name['dialog']}.txt").get(name["turn"])
        if label is None:
            continue
        speaker = f"Ses0{name['number']}{name['letter']}"
        yield Utterance(
            id=f"iemocap-{name['turn']}",
            path=path,
            native=label["emotion"],
            speaker=speaker,
            gender=SPEAKERS[speaker],
            language="en-US",
            arousal=float(label["activation"]),
            valence=float(label["valence"]),
            dominance=float(label["dominance"]),
            transcript=spoken(annotations / "transcriptions" / f"{name['dialog']}.txt").get(name["turn"]),
        )


def _rated(path: Path) -> dict[str, re.Match[str]]:
    """Return turn -> its bracket line."""
    if not path.is_file():
        raise RawTreeError(
            f"{CORPUS.name}: the labels of a dialog are read from {path}, which does not exist. Unpack the folders "
            "dialog/EmoEvaluation of the release as well."
        )
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {line["turn"]: line for line in map(RATED.fullmatch, lines) if line}


def _spoken(path: Path) -> dict[str, str]:
    """Return turn -> transcript; empty where the file is missing."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return {line["turn"]: line["text"] for line in map(SPOKEN.fullmatch, lines) if line}
