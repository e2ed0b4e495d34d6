"""ASED: the Amharic Speech Emotion Dataset, version 1."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

# By the gender field of most files of a speaker; for all but five speakers it is the same in all of them.
FEMALE = (1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 43, 47, 48, 49, 58, 62)
SPEAKERS = {f"{k:02d}": Gender.FEMALE if k in FEMALE else Gender.MALE for k in range(1, 66)}

CORPUS = Corpus(
    id="ased",
    name="ASED",
    description="65 speakers of four dialects of Amharic read sentences in five emotions; eight judges checked them.",
    languages=("am",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="the repository has no licence file",
    ),
    access=Access.OPEN,
    homepage="https://github.com/wgwangang/ASED_V1",
    citation="""@article{retta2023amharic,
  title = {A New {Amharic} Speech Emotion Dataset and Classification Benchmark},
  author = {Retta, Ephrem Afele and Almekhlafi, Eiad and Sutcliffe, Richard and Mhamed, Mustafa and Ali, Haider and
            Feng, Jun},
  journal = {ACM Transactions on Asian and Low-Resource Language Information Processing},
  volume = {22},
  number = {1},
  year = {2023},
  doi = {10.1145/3529759}
}""",
    how_to_get="Clone the repository (there is a copy at Ethio2021/ASED_V1), or unpack "
    "https://github.com/wgwangang/ASED_V1/archive/3feb6d25ec1a88d770594c88d2c4e6cae5c0d046.zip; the files are no Git "
    "LFS pointers.",
    layout="""
ASED_V1/
    01Neutral/  n1-01-01-01-01.wav ...   522 files
    02Fearful/  f2-01-01-01-01.wav ...   510
    03Happy/    h3-01-01-01-01.wav ...   486
    04Sad/      s4-01-01-01-01.wav ...   470
    05Angry/    a5-01-01-01-01.wav ...   486
""",
    utterances=2474,
    emotions={"a": "anger", "f": "fear", "h": "happiness", "n": "neutral", "s": "sadness", "S": "sadness"},
    classes={"a": "Angry", "f": "Fear", "h": "Happy", "n": "Neutral", "s": "Sad", "S": "Sad"},
    speakers=SPEAKERS,
    partitions=listed_folds("ased", 1),
    downloads=(
        Archive(url="https://github.com/wgwangang/ASED_V1/archive/3feb6d25ec1a88d770594c88d2c4e6cae5c0d046.zip"),
    ),
    papers=("emobox",),
    traps=(
        "One name begins with an upper-case letter, 04Sad/S4-04-02-01-29.wav; for EmoBox this is a sixth code with one "
        "utterance, in train, of the same class.",
        "The gender field is 01 for women and 02 for men.",
        "Sentences 01 and 02 are the same in all emotions, 03 to 07 belong to one emotion each: a sentence number "
        "means something only together with the emotion.",
        "A speaker has 4 to 70 files.",
    ),
    errata=(
        Erratum(
            "Five files carry another gender than all further files of their speaker: f2-01-01-02-15, f2-02-01-02-25, "
            "f2-07-02-02-21, s4-01-02-02-09, s4-04-01-02-23. The majority counts here; it gives the 25 women and 40 "
            "men of the README (counted in EmoBox's list)."
        ),
        Erratum("63 of the 65 speakers are in train and in test of EmoBox's fold1, the other two in train (counted)."),
        Erratum("EmoBox's corpus.cfg says Greek here and Amharic for AESDD."),
    ),
    facts_from=(
        "wgwangang/ASED_V1@3feb6d25ec1a88d770594c88d2c4e6cae5c0d046: README.md, names of the files",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/ased",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/ASED/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/ased/ased.csv",
    ),
)

GRAMMAR = re.compile(
    r"0[1-5](?:Neutral|Fearful|Happy|Sad|Angry)/"
    r"(?P<stem>(?P<emotion>[nfhsaS])[1-5]-0[1-7]-0[12]-0[12]-(?P<speaker>\d{2}))\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "0[1-5]*"):
        yield Utterance(
            id=f"ased-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="am",
        )
