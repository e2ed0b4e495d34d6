"""Oréau: the French Emotional Speech Database."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Licence, Permission, Source
from ..partitions import listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

FEMALE = (10, 11, 13, 21, 24, 37, 42)
MALE = (7, 8, 9, 12, 14, 16, 18, 19, 20, 22, 23, 25, 26, 27, 28, 29, 30, 31, 32, 33, 36, 38, 39, 40, 41)
SPEAKERS = {f"{k:02d}": Gender.FEMALE if k in FEMALE else Gender.MALE for k in sorted(FEMALE + MALE)}

CORPUS = Corpus(
    id="oreau",
    name="Oréau",
    description="32 lay speakers say French sentences of the classroom in seven emotions; version 2, which keeps what "
    "listeners recognized.",
    languages=("fr",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-4.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as stated in two public catalogues, one of which says that other sources forbid commercial use; confirm "
        "it on the Zenodo record",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/4405783",
    citation="""@misc{kerkeni2020french,
  title = {French Emotional Speech Database - {Oréau}},
  author = {Kerkeni, Leila and Cleder, Catherine and Serrestou, Youssef and Raoof, Kosai},
  publisher = {Zenodo},
  year = {2020},
  doi = {10.5281/zenodo.4405783}
}""",
    how_to_get="Download the corpus from the Zenodo record and unpack it; the utterances are those of OréauFR_02.",
    layout="""
<root>/
    OréauFR_02/
        contents.txt
        f/  sessc/ sessd/ sessj/ sessn/ sessp/ sesss/ sesst/   07a05Ca.wav ...
        m/  sessc/ ... sesst/                                  434 files in all
    OréauFR_01/                                                version 1, left out
""",
    utterances=434,
    emotions={
        "C": "anger",
        "D": "disgust",
        "P": "fear",
        "J": "happiness",
        "N": "neutral",
        "T": "sadness",
        "S": "surprise",
    },
    classes={
        "C": "Angry",
        "D": "Disgust",
        "P": "Fear",
        "J": "Happy",
        "N": "Neutral",
        "T": "Sad",
        "S": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("oreau", 1),
    papers=("emobox",),
    traps=(
        "The emotion letters are French initials: C is colère (anger), T tristesse (sadness), P peur (fear), J joie.",
        "The é of the folder's name is decomposed (e and U+0301) in EmoBox's list and in many unpacked copies, and may "
        "be mangled; the folder is taken by the rest of its name.",
        "Version 1 (OréauFR_01) has 502 files, version 2 the 434 of them that a perception test kept. Where both lie "
        "side by side, version 2 is read; a tree of version 1 alone loads with all its files, of which fold1 takes "
        "434.",
        "Speakers 07 and 11 have 37 files each, all others 7 to 14; fold1 is stratified by emotion, not by speaker.",
        "The code of the sentence (a01 to a13, a20, z03, z04) counts within an emotion: the two together name one of "
        "the 79 sentences. Their texts are in contents.txt, which is not read.",
        "The ratings of the perception test are not in the files.",
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/oreau, EmoBox/preprocess/scripts/oreau.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/Oréau/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/oreau2",
    ),
)

GRAMMAR = re.compile(
    r"(?:[^/]+/)?[fm]/sess[cdjnpst]/(?P<stem>(?P<speaker>\d{2})[az]\d{2}(?P<emotion>[CDJNPST])[a-z])\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance of version 2 below `root`, whose name need not be the archive's."""
    for path, name in match(root, GRAMMAR, "[fm]/sess?", "Or*auFR_02/[fm]/sess?"):
        yield Utterance(
            id=f"oreau-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="fr",
        )
