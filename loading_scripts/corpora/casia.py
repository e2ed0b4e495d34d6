"""CASIA: the freely circulating part of the Chinese emotional corpus of the Institute of Automation."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, serevals, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

EMOTIONS = ("angry", "fear", "happy", "neutral", "sad", "surprise")

# Genders from one public speech project that calls its models by these names and 男 (male) or 女 (female).
SPEAKERS = {
    "liuchanhg": Gender.FEMALE,
    "wangzhe": Gender.MALE,
    "zhaoquanyin": Gender.FEMALE,
    "zhaozuoxiang": Gender.MALE,
}

CORPUS = Corpus(
    id="casia",
    name="CASIA",
    description="Four speakers read 50 Mandarin sentences in each of six emotions; the part of 1,200 utterances.",
    languages=("zh",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="property of the Institute of Automation, Chinese Academy of Sciences; terms of the part that circulates "
        "were not found (unverified)",
    ),
    access=Access.REQUEST,
    homepage="http://www.chineseldc.org/resource_info.php?rid=76",
    citation="""@inproceedings{tao2008design,
  title = {Design of speech corpus for {Mandarin} text to speech},
  author = {Tao, Jianhua and Liu, Fangzhou and Zhang, Meng and Jia, Huibin},
  booktitle = {The Blizzard Challenge Workshop},
  year = {2008}
}""",
    how_to_get="Ask the Chinese Linguistic Data Consortium for the corpus (9,600 utterances); its part of 1,200 "
    "utterances circulates in several packagings.",
    layout="""
casia/
    liuchanhg/     angry/  201.wav ... 250.wav    fear/  happy/  neutral/  sad/  surprise/
    wangzhe/       ...
    zhaoquanyin/   ...
    ZhaoZuoxiang/  ...
(or by emotion, flat: angry/201-angry-liuchanhg.wav)
""",
    utterances=1200,
    emotions={
        "angry": "anger",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    classes={
        "angry": "Angry",
        "fear": "Fear",
        "happy": "Happy",
        "neutral": "Neutral",
        "sad": "Sad",
        "surprise": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("wangzhe",), 2: ("zhaozuoxiang",), 3: ("liuchanhg",), 4: ("zhaoquanyin",)})
    | serevals("casia")
    | emosetpp("casia", SPEAKERS),
    papers=("emobox", "ser_evals", "exhubert"),
    traps=(
        "Names of files repeat in all 24 folders; speaker and emotion are the folders.",
        "Sentences 201 to 250 are the same for all speakers and emotions: every split shares its texts, also one by "
        "speaker.",
        "liuchanhg is a slip for liuchang in all copies seen; both are read, and names of speakers in any case.",
        "The full corpus has two folders, 相同文本300 (same texts, these speakers) and 不同文本100 (other texts; "
        "speakers Chang.Liu, Zhe.Wang, Quanyin.Zhao, Zuoxiang.Zhao, neutral called normal); only the first is read.",
    ),
    errata=(Erratum("The genders come from one public project and fit the two women and two men of the literature."),),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/casia",
        "EIHW/EmoNet@e76dd53ab4c33e99182c69f6247e4d924f9a3d99: emo-net/training/train.py (member of EmoSet)",
        "public loaders of both packagings (names), one of which gives the address; one project on speakers (genders)",
    ),
)

_SPEAKER = r"(?P<speaker>(?i:liuchanh?g|wangzhe|zhaoquanyin|zhaozuoxiang))"
_EMOTION = r"(?P<emotion>angry|fear|happy|neutral|sad|surprise)"
_SENTENCE = r"(?P<sentence>\d{3})"

GRAMMAR = re.compile(rf"{_SPEAKER}/{_EMOTION}/{_SENTENCE}\.wav")
FLAT = re.compile(rf"(?:[^/]+/)?{_EMOTION}/{_SENTENCE}-(?P=emotion)-{_SPEAKER}\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`: in a folder per speaker and emotion, or per emotion alone."""
    below = [f"*/{emotion}" for emotion in EMOTIONS]
    for path, name in (*match(root, GRAMMAR, *below), *match(root, FLAT, *EMOTIONS, *below)):
        speaker = name["speaker"].lower().replace("liuchang", "liuchanhg")
        yield Utterance(
            id=f"casia-{name['sentence']}-{speaker}-{name['emotion']}",
            path=path,
            native=name["emotion"],
            speaker=speaker,
            gender=SPEAKERS[speaker],
            language="zh",
        )
