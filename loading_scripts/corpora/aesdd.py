"""AESDD: the Acted Emotional Speech Dynamic Database."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import listed_folds, serab, serevals
from ..raw import match
from ..utterance import Gender, Utterance

FOLDERS = ("anger", "disgust", "fear", "happiness", "sadness")

# Nothing that was published says who is who: the README counts three women and two men among the first five.
SPEAKERS = {str(k): Gender.UNKNOWN for k in range(1, 7)}

CORPUS = Corpus(
    id="aesdd",
    name="AESDD",
    description="Six actors speak 19 Greek sentences and an improvised one in five emotions.",
    languages=("el",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="no licence text was found on the site of its authors; a copy on the Hugging Face Hub says CC BY 4.0 "
        "(unverified)",
    ),
    access=Access.OPEN,
    homepage="http://m3c.web.auth.gr/research/aesdd-speech-emotion-recognition/",
    citation="""@article{vryzas2018speech,
  title = {Speech Emotion Recognition for Performance Interaction},
  author = {Vryzas, Nikolaos and Kotsakis, Rigas and Liatsou, Aikaterini and Dimoulas, Charalampos A. and
            Kalliris, George},
  journal = {Journal of the Audio Engineering Society},
  volume = {66},
  number = {6},
  pages = {457--467},
  year = {2018}
}""",
    how_to_get="Follow the download link on the homepage to a MEGA folder, take "
    '"Acted Emotional Speech Dynamic Database.zip" and unpack it; no registration.',
    layout="""
Acted Emotional Speech Dynamic Database/
    anger/      a01 (1).wav ... a20 (6).wav   121 files
    disgust/    d01 (1).wav ...               122
    fear/       f01 (1).wav ...               120
    happiness/  h01 (1).wav ...               119
    sadness/    s01 (1).wav ...               122, and one that is broken
""",
    utterances=604,
    emotions={"a": "anger", "d": "disgust", "f": "fear", "h": "happiness", "s": "sadness"},
    classes={"a": "Angry", "d": "Disgust", "f": "Fear", "h": "Happy", "s": "Sad"},
    speakers=SPEAKERS,
    partitions=listed_folds("aesdd", 1) | serab({"validation": ("4",), "test": ("1", "5")}) | serevals("aesdd"),
    ignore=("sadness/s05 (3).wav",),
    papers=("emobox", "ser_evals", "serab"),
    traps=(
        "File names hold blanks and brackets.",
        "The speaker is the number in brackets. Speaker 1 is written (01) in five files (f10 to f13, d03); EmoBox's "
        "keys, and so the ids here, keep the zero.",
        "Second takes have a letter behind the bracket, as s01 (5)a and s01 (5)b; the first take has none in most "
        "cases.",
        "Sentences 01 to 19 are the same for everybody, 20 is improvised.",
        "Genders are not set: two public loaders take odd numbers for men and even ones for women, which contradicts "
        "the README.",
    ),
    errata=(
        Erratum(
            "sadness/s05 (3).wav has no data chunk and is left out (Neclow/serab@cc0ebd7, "
            "Strong-AI-Lab/emotion@30815b1)."
        ),
        Erratum(
            "Four cells of speaker, sentence and emotion are absent: d18 (5), f02 (4), h11 (3), s05 (3) (counted in "
            "EmoBox's list)."
        ),
        Erratum("EmoBox's paper counts five speakers, its list six; the sixth came after the first release."),
        Erratum("EmoBox's corpus.cfg says Amharic here and Greek for ASED."),
        Erratum("All speakers of EmoBox's fold1 are in train and in test (counted)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/aesdd",
        "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2: tensorflow_datasets/aesdd/aesdd.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/AESDD/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/aesdd",
        "README of AESDD v1.0, as quoted on the Hugging Face Hub",
    ),
)

GRAMMAR = re.compile(
    r"(?:anger|disgust|fear|happiness|sadness)/(?!s05 \(3\))"
    r"(?P<emotion>[adfhs])(?P<sentence>\d{2}) \((?P<number>0?(?P<speaker>[1-9]))\)(?P<take>[a-z]?)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every readable utterance below `root`."""
    for path, name in match(root, GRAMMAR, *FOLDERS):
        yield Utterance(
            id=f"aesdd-{name['emotion']}{name['sentence']}-{name['number']}{name['take']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=Gender.UNKNOWN,
            language="el",
        )
