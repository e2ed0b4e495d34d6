"""SAVEE: the Surrey Audio-Visual Expressed Emotion database."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import balanced, emosetpp, generalize, serab, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = dict.fromkeys(("DC", "JE", "JK", "KL"), Gender.MALE)

CORPUS = Corpus(
    id="savee",
    name="SAVEE",
    description="Four male speakers of British English read TIMIT sentences in seven emotions.",
    languages=("en-GB",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="free for research after registration; no public licence text was found",
    ),
    access=Access.REGISTRATION,
    homepage="http://kahlan.eps.surrey.ac.uk/savee/",
    citation="""@misc{jackson2014surrey,
  title = {Surrey Audio-Visual Expressed Emotion ({SAVEE}) database},
  author = {Jackson, Philip and Haq, Sanaul},
  institution = {University of Surrey},
  year = {2014}
}""",
    how_to_get="Register at the SAVEE page and download AudioData.zip; a copy on Kaggle holds the same files in one "
    "folder.",
    layout="""
AudioData/
    DC/  a01.wav ...   120 files
    JE/  JK/  KL/
(or all 480 files in one folder: DC_a01.wav ...)
""",
    utterances=480,
    emotions={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    },
    classes={
        "a": "Angry",
        "d": "Disgust",
        "f": "Fear",
        "h": "Happy",
        "n": "Neutral",
        "sa": "Sad",
        "su": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("JE",), 2: ("KL",), 3: ("DC",), 4: ("JK",)})
    | serab({"validation": ("JE",), "test": ("DC",)})
    | generalize("JE", seconds=495.5)
    | emosetpp("savee", SPEAKERS)
    | balanced("savee"),
    papers=("emobox", "generalize", "serab", "exhubert"),
    traps=(
        "sa is sadness and su is surprise: the first letter alone is not the emotion.",
        "Sentence numbers start again in each emotion: 01 to 15, in neutral to 30.",
        "A file name alone (a01.wav) is not unique in the original tree: the folder is the speaker.",
    ),
    errata=(
        Erratum("Generalize prints 45 for disgust and 192 calm utterances; the corpus has 60 and none (counted)."),
        Erratum("EmoBox's balanced set holds every angry, happy and sad utterance of the speakers (counted)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/savee, data/track2",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/savee (original tree)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/SAVEE/process.py",
    ),
)

GRAMMAR = re.compile(r"(?P<speaker>DC|JE|JK|KL)[_/]?(?P<emotion>sa|su|a|d|f|h|n)(?P<sentence>\d{2})\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`: in a folder per speaker, or all in one."""
    for path, name in match(root, GRAMMAR, ".", *SPEAKERS):
        yield Utterance(
            id=f"savee-{name['speaker']}-{name['emotion']}{name['sentence']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS[name["speaker"]],
            language="en-GB",
        )
