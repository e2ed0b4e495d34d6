"""ESD: the Emotional Speech Dataset, for synthesis and voice conversion."""

import codecs
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import Table, emosetpp, generalize, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

FEMALE = (1, 2, 3, 7, 9, 15, 16, 17, 18, 19)
SPEAKERS = {f"{k:04d}": Gender.FEMALE if k in FEMALE else Gender.MALE for k in range(1, 21)}

EMOTIONS = ("Angry", "Happy", "Neutral", "Sad", "Surprise")
SPLITS = ("train", "evaluation", "test")


def language(speaker: str) -> str:
    """Return the language of a speaker: the first ten speak Mandarin, the others English."""
    return "zh" if speaker <= "0010" else "en"


def is_english(one: Utterance) -> bool:
    """Return whether the utterance is in the English half."""
    return one.language == "en"


def first_release(one: Utterance) -> str:
    """Return the split of the first release: the folder where the tree has one, else by number.

    Each speaker has 350 numbers per emotion: 20 for evaluation, 30 for test, 300 for training.
    """
    folder = one.path.split("/")[-2]
    if folder in SPLITS:
        return folder
    number = (int(one.id.rpartition("-")[2]) - 1) % 350
    return "evaluation" if number < 20 else "test" if number < 50 else "train"


CORPUS = Corpus(
    id="esd",
    name="ESD",
    description="Ten English and ten Mandarin speakers read 350 parallel sentences each in five emotions.",
    languages=("zh", "en"),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="research only, by a licence form; the MIT licence of the repository covers the page, not the audio",
    ),
    access=Access.REGISTRATION,
    homepage="https://hltsingapore.github.io/ESD/",
    citation="""@article{zhou2022emotional,
  title = {Emotional Voice Conversion: Theory, Databases and {ESD}},
  author = {Zhou, Kun and Sisman, Berrak and Liu, Rui and Li, Haizhou},
  journal = {Speech Communication},
  volume = {137},
  pages = {1--18},
  year = {2022}
}""",
    how_to_get="Send the licence form named in https://github.com/HLTSingapore/Emotional-Speech-Data and download the "
    "zip from the link there.",
    layout="""
Emotion Speech Dataset/
    0001/
        0001.txt                   transcripts
        Angry/  0001_000351.wav ...   350 files each in Angry, Happy, Neutral, Sad, Surprise
    ...                            (or Angry/train/, Angry/evaluation/, Angry/test/ in the first release)
    0020/
""",
    utterances=35000,
    emotions={
        "Angry": "anger",
        "Happy": "happiness",
        "Neutral": "neutral",
        "Sad": "sadness",
        "Surprise": "surprise",
    },
    classes={emotion: emotion for emotion in EMOTIONS},
    speakers=SPEAKERS,
    partitions=speaker_folds(
        {
            1: ("0005", "0011", "0016", "0018"),
            2: ("0012", "0014", "0015", "0019"),
            3: ("0003", "0004", "0006", "0009"),
            4: ("0007", "0008", "0013", "0020"),
            5: ("0001", "0002", "0010", "0017"),
        }
    )
    | {
        "official": Table(
            keys={
                "train": frozenset(["train"]),
                "validation": frozenset(["evaluation"]),
                "test": frozenset(["test"]),
            },
            key=first_release,
            rule="split of the first release: the folder, or by number within each speaker and emotion: 20 evaluation, "
            "30 test, 300 train (the rule by number fits 13 known paths and is otherwise unverified)",
        )
    }
    | generalize("0013", seconds=5220.0, takes=is_english)
    | emosetpp("esd", SPEAKERS),
    papers=("emobox", "generalize", "exhubert"),
    traps=(
        "The sentences are parallel: the five emotions of a speaker, and speakers of one language, share texts.",
        "Two trees are around: flat, and with split folders (first release).",
        "The text files have mixed encodings; the emotion of a clip is its folder.",
        "Speakers 0011 to 0020 are the English half.",
    ),
    errata=(
        Erratum(
            "About 15 lines of the first release's text files are malformed, for example 0012_001355, 0013_000431, "
            "0013_000914, 0014_001590, 0015_000137 (Strong-AI-Lab/emotion@30815b1)."
        ),
        Erratum("The genders of a public loader (nkululeko) are wrong; those of the ReadMe are used."),
    ),
    facts_from=(
        "ReadMe.txt of the corpus, as quoted publicly (speakers)",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/esd",
        "Strong-AI-Lab/emotion@30815b1: datasets/ESD/process.py (split folders, encodings)",
        "HLTSingapore/Emotional-Speech-Data@03e4b70: README.md",
    ),
)

GRAMMAR = re.compile(
    r"(?P<folder>00(?:0[1-9]|1\d|20))/(?P<emotion>Angry|Happy|Neutral|Sad|Surprise)/(?:(?:train|evaluation|test)/)?"
    r"(?P<stem>(?P<speaker>00(?:0[1-9]|1\d|20))_00[01]\d{3})\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    spoken = cache(_spoken)
    for path, name in match(root, GRAMMAR, "00[012]?/[AHNS]*", *(f"00[012]?/[AHNS]*/{split}" for split in SPLITS)):
        speaker = name["speaker"]
        yield Utterance(
            id=f"esd-{name['stem'].replace('_', '-')}",
            path=path,
            native=name["emotion"],
            speaker=speaker,
            gender=SPEAKERS[speaker],
            language=language(speaker),
            transcript=spoken(root / name["folder"] / f"{name['folder']}.txt").get(name["stem"]),
        )


def _spoken(path: Path) -> dict[str, str]:
    """Return stem -> transcript; lines that are not stem, text, emotion are left out, as is a missing file."""
    if not path.is_file():
        return {}
    fields = (line.strip().split("\t") for line in _decode(path.read_bytes(), language(path.stem)).splitlines())
    return {line[0].strip(): line[1].strip() for line in fields if len(line) == 3}


def _decode(data: bytes, spoken_language: str) -> str:
    """Return the text of a file whose encoding depends on speaker and release: by mark, else the first that fits."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("gb18030" if spoken_language == "zh" else "latin-1", errors="replace")
