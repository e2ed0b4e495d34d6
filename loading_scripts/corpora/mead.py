"""MEAD: the Multi-view Emotional Audio-visual Dataset; its audio clips."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import listed_folds, serevals
from ..raw import match
from ..utterance import Gender, Utterance

# fmt: off
MALE = (3, 5, 7, 9, 11, 12, 13, 19, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37, 39, 40, 41, 42)
FEMALE = (9, 11, 14, 15, 16, 17, 18, 19, 21, 23, 24, 25, 26, 28, 29, 33, 35, 36, 37, 38, 40)
# fmt: on
SPEAKERS = {f"M{k:03d}": Gender.MALE for k in MALE} | {f"W{k:03d}": Gender.FEMALE for k in FEMALE}

CORPUS = Corpus(
    id="mead",
    name="MEAD",
    description="48 actors speak English sentences in neutral and in seven emotions at three intensities; the audio "
    "clips of the public part.",
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="for research, as on the project page (wording unverified)",
    ),
    access=Access.OPEN,
    homepage="https://wywu.github.io/projects/MEAD/MEAD.html",
    citation="""@inproceedings{wang2020mead,
  title = {{MEAD}: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation},
  author = {Wang, Kaisiyuan and Wu, Qianyi and Song, Linsen and Yang, Zhuoqian and Wu, Wayne and Qian, Chen and He, Ran
            and Qiao, Yu and Loy, Chen Change},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year = {2020},
  doi = {10.1007/978-3-030-58589-1_42}
}""",
    how_to_get="From the Google Drive or Baidu links of the project page take the audio archive of every actor "
    "(audio.tar, name unverified) and unpack it in a folder of the actor's name; the videos are not needed.",
    layout="""
<root>/
    M003/audio/angry/level_1/    001.m4a ... 030.m4a
    M003/audio/neutral/level_1/  001.m4a ... 040.m4a
    ...
    W040/
(a tree without the folder audio, or with wav/ and wav files instead, is accepted too)
""",
    utterances=31729,
    emotions={
        "neutral": "neutral",
        "angry": "anger",
        "contempt": "contempt",
        "disgusted": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "sad": "sadness",
        "surprised": "surprise",
    },
    classes={
        "angry": "Angry",
        "contempt": "Contempt",
        "disgusted": "Disgust",
        "fear": "Fear",
        "happy": "Happy",
        "neutral": "Neutral",
        "sad": "Sad",
        "surprised": "Surprise",
    },
    speakers=SPEAKERS,
    partitions={**listed_folds("mead", 1), **serevals("mead")},
    papers=("emobox", "ser_evals"),
    traps=(
        "M009 and W009 are different people: the letter (actor or actress) belongs to the speaker.",
        "File names repeat in every folder (001.m4a): the id holds actor, emotion, level and number.",
        "The files are AAC in MP4 with two channels, which libsndfile cannot read. EmoBox reads the first channel, "
        "here both are averaged. Durations are whole AAC frames of 1,024 samples.",
        "Levels 1 to 3 are weak, medium and strong; neutral has level 1 only.",
        "The number of a sentence does not tell its text across emotions.",
        "The paper has 60 actors, 48 are public.",
        "All 48 speakers are in train and in test of fold1.",
    ),
    errata=(
        Erratum(
            "12 clips have 44,100 Hz, all others 48,000: W016/happy/level_1/027-028, W015/angry/level_2/012-015, "
            "M030/fear/level_3/016-018, M030/sad/level_2/025-027 (EmoBox's list, and durations that fit no other rate)."
        ),
        Erratum(
            "Actors have 623 (W033) to 670 (M013) clips, an emotion and level 1,392 to 1,440 (counted in EmoBox's "
            "list; missing views of W017, M019 and M011: uniBruce/Mead, issue 9)."
        ),
        Erratum("SER Evals counts 31,724 utterances and 60 speakers; the public part has 31,729 and 48."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/mead, EmoBox/preprocess/scripts/mead.py",
        "uniBruce/Mead@0e7ef396a63372d63197a72457944f264bfd86a0: README.md, issue 9",
        "public scripts that quote MEAD/M003/audio/angry/level_3/001.m4a and MEAD-Audio/M003/angry/level_3/001.m4a",
    ),
)

GRAMMAR = re.compile(
    r"(?P<speaker>[MW]\d{3})/(?:(?:audio|wav)/)?"
    r"(?P<emotion>angry|contempt|disgusted|fear|happy|neutral|sad|surprised)/level_(?P<level>[123])/(?P<sentence>\d{3})"
    r"\.(?:m4a|wav)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`; the one in audio/ where wav/ holds a converted copy."""
    seen = set()
    for path, name in match(root, GRAMMAR, *(f"[MW]???/{folder}*/level_?" for folder in ("audio/", "wav/", ""))):
        speaker, emotion, level, sentence = name.groups()
        utterance = f"mead-{speaker}-{emotion}-level-{level}-{sentence}"
        if utterance in seen:
            continue
        seen.add(utterance)
        yield Utterance(
            id=utterance,
            path=path,
            native=emotion,
            speaker=speaker,
            gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
            language="en",
            intensity=level,
        )
