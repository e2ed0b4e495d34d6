"""JL-Corpus: New Zealand English with primary and secondary emotions, for talking robots."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import generalize, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {
    "female1": Gender.FEMALE,
    "female2": Gender.FEMALE,
    "male1": Gender.MALE,
    "male2": Gender.MALE,
}

CORPUS = Corpus(
    id="jlcorpus",
    name="JL-Corpus",
    description="Four speakers of New Zealand English in five primary emotions and five secondary ones.",
    languages=("en-NZ",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC0-1.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="SuperKogito/SER-datasets@d748699 says CC0, after the Kaggle page; nkululeko@a1e2bd1 says ODC-By: look at "
        "the Kaggle page",
    ),
    access=Access.REGISTRATION,
    homepage="https://www.kaggle.com/tli725/jl-corpus",
    citation="""@inproceedings{james2018open,
  title = {An Open Source Emotional Speech Corpus for Human Robot Interaction Applications},
  author = {James, Jesin and Tian, Li and Watson, Catherine Inez},
  booktitle = {Proc. Interspeech},
  year = {2018},
  doi = {10.21437/Interspeech.2018-1349}
}""",
    how_to_get='Download tli725/jl-corpus from Kaggle with a free account ("kaggle datasets download -d '
    'tli725/jl-corpus") and unpack it.',
    layout="""
jl-corpus/
    Raw JL corpus (unchecked and unannotated)/
        JL(wav+txt)/
            female1_angry_10a_1.wav  female1_angry_10a_1.txt ...   2400 pairs
""",
    utterances=2400,
    emotions={
        "angry": "anger",
        "anxious": "anxiety",
        "apologetic": "apology",
        "assertive": "assertiveness",
        "concerned": "concern",
        "encouraging": "encouragement",
        "excited": "excitement",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
    },
    classes={
        "angry": "Angry",
        "anxious": "Anxious",
        "apologetic": "Apologetic",
        "assertive": "Assertive",
        "concerned": "Concerned",
        "encouraging": "Encouraging",
        "excited": "Excited",
        "happy": "Happy",
        "neutral": "Neutral",
        "sad": "Sad",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("male2",), 2: ("female1",), 3: ("male1",), 4: ("female2",)})
    | generalize("female1", seconds=1401.1),
    papers=("emobox", "generalize", "exhubert"),
    traps=(
        "angry, sad, neutral, happy and excited are the primary emotions, the others the secondary ones.",
        "male is a part of the word female: the whole word is the gender.",
        "What the letter a or b behind the number of the sentence means is not documented; each emotion has 15 "
        "numbers, two letters and two repetitions.",
        "Folder names hold blanks, brackets and a plus sign.",
        "A public catalogue calls the secondary emotions anxious, apologetic, pensive, worried and enthusiastic; the "
        "names of the files differ.",
        "The results of the perception test with 120 listeners are not in the archive.",
    ),
    errata=(
        Erratum("EmoBox's paper counts five classes for the 2,400 utterances of ten; its list has all ten."),
        Erratum(
            "EmoBox's speakers are paths, and its script takes all of them for men; its folds go by speaker all the "
            "same."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/jlcorpus",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/JL/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/jl/jl.csv",
        "tli725/JL-Corpus@0d20035: README.md",
    ),
)

FOLDER = "JL(wav+txt)"
ABOVE = "Raw JL corpus (unchecked and unannotated)"

GRAMMAR = re.compile(
    rf"(?:{re.escape(ABOVE)}/)?{re.escape(FOLDER)}/"
    r"(?P<speaker>(?:female|male)[12])_(?P<emotion>angry|sad|neutral|happy|excited|anxious|apologetic|assertive|concerned"
    r"|encouraging)_(?P<sentence>(?:1[0-5]|[1-9])[ab])_(?P<repetition>[12])\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`, with the text beside it where there is one."""
    for path, name in match(root, GRAMMAR, f"{ABOVE}/{FOLDER}", FOLDER):
        yield Utterance(
            id="jlcorpus-" + "-".join(name.groups()),
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS[name["speaker"]],
            language="en-NZ",
            transcript=_text((root / path).with_suffix(".txt")),
        )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8-sig", errors="replace").strip() or None if path.is_file() else None
