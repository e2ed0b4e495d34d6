"""CREMA-D: the Crowd-sourced Emotional Multimodal Actors Dataset."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import emosetpp, generalize, listed_folds, serab
from ..raw import match
from ..utterance import Gender, Utterance

SENTENCES = {
    "DFA": "Don't forget a jacket",
    "IEO": "It's eleven o'clock",
    "IOM": "I'm on my way to the meeting",
    "ITH": "I think I have a doctor's appointment",
    "ITS": "I think I've seen this before",
    "IWL": "I would like a new alarm clock",
    "IWW": "I wonder what this is about",
    "MTI": "Maybe tomorrow it will be cold",
    "TAI": "The airplane is almost full",
    "TIE": "That is exactly what happened",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}

# VideoDemographics.csv, column Sex; a copy on Kaggle lacks that file.
# fmt: off
FEMALE = (
    1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030,
    1037, 1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073, 1074, 1075,
    1076, 1078, 1079, 1082, 1084, 1089, 1091,
)
# fmt: on
SPEAKERS = {str(k): Gender.FEMALE if k in FEMALE else Gender.MALE for k in range(1001, 1092)}

# fmt: off
SERAB_TEST = (
    "1010", "1013", "1022", "1026", "1037", "1038", "1040", "1045", "1047", "1048", "1059", "1065",
    "1066", "1068", "1071", "1073", "1084", "1086", "1088",
)
# fmt: on

# TensorFlow Datasets, and so SERAB, leaves these out; all four exist in the repository.
NOT_IN_SERAB = frozenset(
    ["cremad-1006-TIE-NEU-XX", "cremad-1013-WSI-DIS-XX", "cremad-1017-IWW-FEA-XX", "cremad-1040-ITH-SAD-XX"]
)


def in_serab(one: Utterance) -> bool:
    """Return whether SERAB uses the utterance."""
    return one.id not in NOT_IN_SERAB


CORPUS = Corpus(
    id="cremad",
    name="CREMA-D",
    description="91 actors speak twelve English sentences in six emotions; the labels are the acted ones.",
    languages=("en-US",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="ODbL-1.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="contents under the Database Contents License 1.0 (LICENSE.txt of the repository)",
    ),
    access=Access.OPEN,
    homepage="https://github.com/CheyneyComputerScience/CREMA-D",
    citation="""@article{cao2014crema,
  title = {{CREMA-D}: Crowd-sourced Emotional Multimodal Actors Dataset},
  author = {Cao, Houwei and Cooper, David G. and Keutmann, Michael K. and Gur, Ruben C. and Nenkova, Ani and
            Verma, Ragini},
  journal = {IEEE Transactions on Affective Computing},
  volume = {5},
  number = {4},
  pages = {377--390},
  year = {2014},
  doi = {10.1109/TAFFC.2014.2336244}
}""",
    how_to_get='Clone the repository with git-lfs; for the audio alone "git lfs pull --include AudioWAV". The ZIP that '
    "GitHub offers holds only LFS pointers. The owners ask to fill in a form.",
    layout="""
CREMA-D/
    AudioWAV/  1001_DFA_ANG_XX.wav ...   7442 files
""",
    utterances=7442,
    emotions={
        "ANG": "anger",
        "DIS": "disgust",
        "FEA": "fear",
        "HAP": "happiness",
        "NEU": "neutral",
        "SAD": "sadness",
    },
    classes={
        "ANG": "Angry",
        "DIS": "Disgust",
        "FEA": "Fear",
        "HAP": "Happy",
        "NEU": "Neutral",
        "SAD": "Sad",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("cremad", 1)
    | serab(
        {
            "validation": ("1015", "1020", "1021", "1030", "1050", "1070", "1079", "1089", "1090"),
            "test": SERAB_TEST,
        },
        takes=in_serab,
    )
    | generalize("1003", seconds=260.9)
    | emosetpp("cremad", SPEAKERS),
    papers=("emobox", "generalize", "serab", "exhubert"),
    traps=(
        "Files of a plain ZIP download are Git LFS pointers, a few lines of text.",
        "Copies taken before October 2022 have 1040_ITH_SAD_X.wav; its id here is that of 1040_ITH_SAD_XX.",
        "Some files of AudioMP3 and VideoFlash are blank; only AudioWAV is read.",
        "The labels are the intended emotions: the majority of those who only heard a clip chose the same one for "
        "41.6 % of them. The crowd's votes are in processedResults/.",
        "Intensity LO, MD or HI is given for the sentence IEO only, except in neutral.",
    ),
    errata=(
        Erratum("1076_MTI_SAD_XX has no signal (Strong-AI-Lab/emotion@30815b1).", drop=("cremad-1076-MTI-SAD-XX",)),
        Erratum(
            "20 cells of speaker, sentence and emotion are absent: 1008 has no WSI, 1009 no MTI, 1019 no ITH (six "
            "each), 1002 no TIE_NEU, 1076 no ITS_NEU (counted in EmoBox's list)."
        ),
        Erratum("SERAB and TensorFlow Datasets use 7,438 utterances and print 7,442."),
    ),
    facts_from=(
        "CheyneyComputerScience/CREMA-D@1658cd3: README.md, VideoDemographics.csv, processedResults/*.csv",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/cremad",
        "tensorflow/datasets@1aceae88: tensorflow_datasets/audio/crema_d.py",
    ),
)

GRAMMAR = re.compile(
    r"AudioWAV/(?P<speaker>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>ANG|DIS|FEA|HAP|NEU|SAD)"
    r"_(?P<intensity>LO|MD|HI|XX?)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "AudioWAV"):
        speaker, sentence, emotion, intensity = name.groups()
        level = "XX" if intensity == "X" else intensity
        yield Utterance(
            id=f"cremad-{speaker}-{sentence}-{emotion}-{level}",
            path=path,
            native=emotion,
            speaker=speaker,
            gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
            language="en-US",
            transcript=SENTENCES.get(sentence),
            intensity=level if level != "XX" else None,
        )
