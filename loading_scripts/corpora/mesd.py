"""MESD: the Mexican Emotional Speech Database, single words."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, listed_folds, serevals
from ..raw import match
from ..utterance import Gender, Utterance

# Types of voice: names tell no single speaker.
VOICES = {"F": Gender.FEMALE, "M": Gender.MALE, "C": Gender.UNKNOWN}

CORPUS = Corpus(
    id="mesd",
    name="MESD",
    description="Single Spanish words, spoken by three women, two men and six children from Mexico in six emotions.",
    languages=("es-MX",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-4.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as stated at Mendeley Data",
    ),
    access=Access.OPEN,
    homepage="https://data.mendeley.com/datasets/cy34mh68j9/5",
    citation="""@inproceedings{duville2021mexican,
  title = {The Mexican Emotional Speech Database ({MESD}): elaboration and assessment based on machine learning},
  author = {Duville, Mathilde M. and Alonso-Valerdi, Luz M. and Ibarra-Zarate, David I.},
  booktitle = {43rd Annual International Conference of the IEEE Engineering in Medicine \\& Biology Society (EMBC)},
  year = {2021},
  doi = {10.1109/EMBC46164.2021.9629934}
}""",
    how_to_get="Download version 5 from Mendeley Data (data DOI 10.17632/cy34mh68j9.5) and unpack it; a copy is on "
    "Kaggle (saurabhshahane/mexican-emotional-speech-database-mesd).",
    layout="""
cy34mh68j9-5/
    Mexican Emotional Speech Database (MESD)/  Anger_F_A_tarde.wav ...   862 files
""",
    utterances=862,
    emotions={
        "Anger": "anger",
        "Disgust": "disgust",
        "Fear": "fear",
        "Happiness": "happiness",
        "Neutral": "neutral",
        "Sadness": "sadness",
    },
    classes={
        "Anger": "Angry",
        "Disgust": "Disgust",
        "Fear": "Fear",
        "Happiness": "Happy",
        "Neutral": "Neutral",
        "Sadness": "Sad",
    },
    speakers=VOICES,
    # Not by speaker: a type of voice is a third of the corpus.
    partitions=listed_folds("mesd", 1) | serevals("mesd") | emosetpp("mesd"),
    ignore=("*reduced*",),
    papers=("emobox", "ser_evals", "exhubert"),
    traps=(
        "Names tell the type of voice, not the person: the speakers F, M and C here are three women, two men and six "
        "children. The configs speaker1 to speaker3 therefore share no person; all others share the types of voice.",
        "The gender of the children is not told.",
        "Corpus A has the same 24 words for all emotions and voices, corpus B 24 words for each emotion.",
        "Words may hold underscores (por_favor, de_nada, basta_ya) and are spelt without accents.",
        "Single words, down to 0.2 s: pad them for encoders with strided convolutions.",
        "The folders of naturalness-reduced versions (288 files, two levels of the female recordings of corpus B) are "
        "left out; SER Evals counts them, 862 + 288 = 1,150.",
    ),
    errata=(
        Erratum("Two of the 864 cells are absent: Anger_C_A_hoy and Neutral_C_A_tarde (counted in EmoBox's list)."),
        Erratum("Happiness_C_A_lento_dentro stands where lento is expected, Sadness_M_A_afuera for fuera (counted)."),
        Erratum("EmoBox takes the three types of voice for speakers; its paper says eleven."),
        Erratum("EmoBox's fold1 has every type of voice in train and in test (counted in its lists)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/mesd, EmoBox/preprocess/scripts/mesd.py",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/MESD/process.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/mesd (the reduced versions)",
        "model card amiriparian/ExHuBERT (member of EmoSet++)",
    ),
)

GRAMMAR = re.compile(
    r"(?!.*reduced)(?:[^/]+/)*(?P<stem>(?P<emotion>Anger|Disgust|Fear|Happiness|Neutral|Sadness)_(?P<voice>[FMC])_[AB]_"
    r"(?P<word>[a-z_]+))\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance in `root`, or in folders up to two levels down."""
    for path, name in match(root, GRAMMAR, ".", "*", "*/*"):
        yield Utterance(
            id=f"mesd-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["voice"],
            gender=VOICES[name["voice"]],
            language="es-MX",
            transcript=name["word"].replace("_", " "),
        )
