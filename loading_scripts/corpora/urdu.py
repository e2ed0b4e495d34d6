"""URDU: utterances from Urdu television talk shows."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, listed_folds, serevals
from ..raw import match
from ..utterance import Gender, Utterance

FEMALE = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
MALE = (1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
SPEAKERS = {f"SF{k}": Gender.FEMALE for k in FEMALE} | {f"SM{k}": Gender.MALE for k in MALE}

CORPUS = Corpus(
    id="urdu",
    name="URDU",
    description="Four emotions in 400 utterances that were cut from Urdu television talk shows on YouTube.",
    languages=("ur",),
    sources=(Source.TV,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.NO,
        note="README: research purposes only; no licence file; cut from videos of talk shows",
    ),
    access=Access.OPEN,
    homepage="https://github.com/siddiquelatif/URDU-Dataset",
    citation="""@inproceedings{latif2018cross,
  title = {Cross Lingual Speech Emotion Recognition: Urdu vs. Western Languages},
  author = {Latif, Siddique and Qayyum, Adnan and Usman, Muhammad and Qadir, Junaid},
  booktitle = {International Conference on Frontiers of Information Technology (FIT)},
  pages = {88--93},
  year = {2018}
}""",
    how_to_get="Clone the repository, or download its ZIP and unpack it.",
    layout="""
URDU-Dataset/
    Angry/    SM1_F1_A01.wav ...   100 files
    Happy/    SF1_F1_H01.wav ...   100 files
    Neutral/  SF9_F1_N01.wav ...   100 files
    Sad/      SM6_F2_S098.wav ...  100 files
""",
    utterances=400,
    emotions={"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"},
    classes={"A": "Angry", "H": "Happy", "N": "Neutral", "S": "Sad"},
    speakers=SPEAKERS,
    partitions=listed_folds("urdu", 1) | serevals("urdu") | emosetpp("urdu", SPEAKERS),
    papers=("emobox", "ser_evals", "exhubert"),
    traps=(
        "The index has a literal 0 in front and no fixed width (A01, A010, A0100).",
        "Only SM3, SM5 and SM6 speak in more than one emotion: the speaker nearly gives the label away.",
        "SM1 and SF1 are different people: the whole code is the speaker.",
    ),
    errata=(
        Erratum(
            "Takes 2k-1 and 2k of a speaker and emotion are consecutive cuts of one passage in 200 of 200 pairs; "
            "EmoBox's fold1 separates 68 of its 100 test files from their other half, which is in train (measured)."
        ),
        Erratum(
            "Seven neighbouring passages overlap by 1 to 2 s: A/SM2 takes 2-3, H/SM6 8-9, S/SM24 2-3, 4-5, 8-9, 14-15, "
            "S/SM25 8-9 (measured)."
        ),
        Erratum(
            "SF1 and SF4 share audio, so they are one woman under two codes, or one recording cut twice: SF1_F4_H04 "
            "overlaps SF4_F3_H019 by 1.7 s and SF4_F4_H020 by 1.3 s, SF1_F3_H03 overlaps SF4_F3_H019 by 0.3 s; they "
            "lie in different splits of speaker1 to speaker4. SF6_F10_H034 and SF6_F5_H029 overlap by 2 s (measured)."
        ),
        Erratum("Angry/SM1_F8_A08.wav lasts 0.992 s instead of 3.004 s (measured)."),
        Erratum("156 files have a DC offset above 0.01 of full scale, 69 touch full scale (measured)."),
        Erratum("29 speaker codes occur; the repository's README claims 38 (measured)."),
    ),
    facts_from=(
        "siddiquelatif/URDU-Dataset@4b546d4e0fa36d1c86c53a281631b2ab7ce2fdec",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/urdu",
    ),
)

GRAMMAR = re.compile(
    r"(Angry|Happy|Neutral|Sad)/(?P<stem>(?P<speaker>S(?P<gender>[MF])\d+)_F\d+_(?P<emotion>[AHNS])\d+)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "Angry", "Happy", "Neutral", "Sad"):
        yield Utterance(
            id=f"urdu-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=Gender.FEMALE if name["gender"] == "F" else Gender.MALE,
            language="ur",
        )
