"""EmotiW-2014: clips of films (AFEW 4.0), as used in the Emotion Recognition in the Wild challenge 2014."""

import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..corpus import Access, Corpus, Licence, Permission, Source
from ..partitions import Table
from ..raw import match
from ..utterance import Gender, Utterance

TRAINING_CLIPS = 578
"""Clips in the training part of the 2014 edition (challenge paper); 723 in that of 2015, 773 in that of 2016."""

logger = logging.getLogger(__name__)


def part_of(one: Utterance) -> str:
    """Return the corpus' own part, the second word of the id."""
    return one.id.removeprefix("emotiw2014-").partition("_")[0]


OFFICIAL = Table(
    keys={"train": frozenset(["Train"]), "validation": frozenset(["Val"])},
    key=part_of,
    rule="the challenge's own split, Train_AFEW and Val_AFEW; labels of its test part were never published",
)

CORPUS = Corpus(
    id="emotiw2014",
    name="EmotiW-2014",
    description="Clips of films in seven emotions: Acted Facial Expressions in the Wild 4.0, the data of the challenge "
    "Emotion Recognition in the Wild 2014.",
    languages=("en",),
    sources=(Source.FILM,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="EULA of the AFEW authors; clips of copyrighted films",
    ),
    access=Access.REQUEST,
    homepage="https://cs.anu.edu.au/few/AFEW.html",
    citation="""@inproceedings{dhall2014emotion,
  title = {Emotion Recognition in the Wild Challenge 2014: Baseline, Data and Protocol},
  author = {Dhall, Abhinav and Goecke, Roland and Joshi, Jyoti and Sikka, Karan and Gedeon, Tom},
  booktitle = {Proc. ICMI},
  pages = {461--466},
  year = {2014},
  doi = {10.1145/2663204.2666275}
}""",
    how_to_get="Sign the EULA of the AFEW authors (Australian National University, Monash) and ask for edition 4.0 "
    "(2014): several years' editions exist.",
    layout="""
<root>/
    Train_AFEW/  Angry/ Disgust/ Fear/ Happy/ Neutral/ Sad/ Surprise/   000247920.avi ...   578 clips
    Val_AFEW/    Angry/ ... Surprise/                                   000543854.avi ...   383 clips
(or train_afew/ and val_afew/; clips may be converted to .mp4 or .wav)
""",
    utterances=961,
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    partitions={
        "official": OFFICIAL,
        "emosetpp": replace(
            OFFICIAL,
            keys={"train": frozenset(["Train"]), "test": frozenset(["Val"])},
            rule="the challenge's own split, which EmoSet++ keeps; its labelled validation part tests, as the labels "
            "of the test part were never published (our reading of ExHuBERT, Table 1)",
        ),
    },
    papers=("exhubert",),
    traps=(
        "961 of 1,368 clips have public labels: 578 in train (unverified), 383 in val; the 407 of Test_AFEW are not "
        "read.",
        "Editions differ in the size of train (578 in 2014, 723 in 2015, 773 in 2016); val is the same in later ones.",
        "Videos, usually with sound at 48 kHz in stereo (unverified); some have music, several voices or hardly any "
        "speech.",
        "AlignedFaces_*/ holds thousands of pictures under the same nine digits as the clips.",
        "Speakers are actors whom the names do not tell; that films differ between train and val is by design "
        "(unverified).",
    ),
    facts_from=(
        "albanie/mcnDatasets: afew3.0/README.md (counts per class of the 2016 edition; val: anger 64, disgust 40, fear "
        "46, happiness 63, neutral 63, sadness 61, surprise 46)",
        "Open-Debin/Emotion-FAN: data/face/readme.md, and further public loaders (folders, nine-digit clips)",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 1",
    ),
)

GRAMMAR = re.compile(
    r"(?i)(?P<part>train|val)_afew/(?P<emotion>angry|disgust|fear|happy|neutral|sad|surprise)/(?P<clip>\d{9})"
    r"\.(?:avi|mp4|wav)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every labelled clip below `root`; warn if the tree is of a later edition."""
    training = 0
    for path, name in match(root, GRAMMAR, "*_[Aa][Ff][Ee][Ww]/*"):
        part, emotion = name["part"].capitalize(), name["emotion"].lower()
        training += part == "Train"
        yield Utterance(
            id=f"emotiw2014-{part}_AFEW-{emotion.capitalize()}-{name['clip']}",
            path=path,
            native=emotion,
            speaker=None,
            gender=Gender.UNKNOWN,
            language="en",
        )
    if training > TRAINING_CLIPS:
        logger.warning(
            "Corpus emotiw2014 in %s: %d clips in Train_AFEW, where the edition of 2014 has %d; this is a later one, "
            "and results on it are no results on EmotiW-2014.",
            *(root, training, TRAINING_CLIPS),
        )
