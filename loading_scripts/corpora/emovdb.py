"""EmoV-DB: the Emotional Voices Database."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..partitions import generalize, listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {"bea": Gender.FEMALE, "jenie": Gender.FEMALE, "josh": Gender.MALE, "sam": Gender.MALE}

# The folders of the project's own download script.
NUMBERS = {"1": "bea", "2": "jenie", "3": "josh", "4": "sam"}

# First part of a file name, in lower case -> folder of its emotion.
STYLES = {"amused": "Amused", "anger": "Angry", "disgust": "Disgusted", "neutral": "Neutral", "sleepiness": "Sleepy"}

# A speaker says the same number twice in an emotion; EmoBox's list knows the other file of each pair.
NOT_IN_EMOBOX = frozenset(
    [
        ("bea", "Angry", "1-28", "0024"),
        ("bea", "Neutral", "1-28", "0014"),
        ("bea", "Neutral", "1-28", "0015"),
        ("josh", "Amused", "1-28", "0023"),
        ("josh", "Amused", "1-28", "0026"),
        ("sam", "Sleepy", "367-392", "0387"),
    ]
)


def in_generalize(one: Utterance) -> bool:
    """Return whether Generalize counts the utterance: its table has no disgust of sam."""
    return (one.speaker, one.native) != ("sam", "Disgusted")


CORPUS = Corpus(
    id="emovdb",
    name="EmoV-DB",
    description="Four speakers of English read CMU ARCTIC sentences neutrally, amused, angry, disgusted and sleepy.",
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.NO,
        note="LICENSE.md of the project's repository: non-commercial purposes only",
    ),
    access=Access.OPEN,
    homepage="https://www.openslr.org/115/",
    citation="""@article{adigwe2018emotional,
  title = {The Emotional Voices Database: Towards Controlling the Emotion Dimension in Voice Generation Systems},
  author = {Adigwe, Adaeze and Tits, No{\\'e} and El Haddad, Kevin and Ostadabbas, Sarah and Dutoit, Thierry},
  journal = {arXiv preprint arXiv:1806.09514},
  year = {2018}
}""",
    how_to_get="Download the 18 archives https://www.openslr.org/resources/115/<speaker>_<Emotion>.tar.gz (bea_Amused "
    "... sam_Sleepy) and unpack each into a folder of its name, as their files lie at the top; the sorted copy on MEGA "
    "has such folders already. For the transcripts put http://www.festvox.org/cmu_arctic/cmuarctic.data beside them.",
    layout="""
emovdb/
    cmuarctic.data                                       (optional: transcripts)
    bea_Amused/  amused_1-15_0001.wav ...                18 folders, 6893 files
    bea_Angry/ bea_Disgusted/ bea_Neutral/ bea_Sleepy/ jenie_Amused/ ... josh_Sleepy/ ... sam_Sleepy/
(or folders bea/Amused/, as on MEGA; or all emotions of a speaker in 1/ bea, 2/ jenie, 3/ josh, 4/ sam)
""",
    utterances=6893,
    emotions={
        "Amused": "amusement",
        "Angry": "anger",
        "Disgusted": "disgust",
        "Neutral": "neutral",
        "Sleepy": "sleepiness",
    },
    classes={
        "Amused": "Amused",
        "Angry": "Angry",
        "Disgusted": "Disgust",
        "Neutral": "Neutral",
        "Sleepy": "Sleepy",
    },
    speakers=SPEAKERS,
    partitions={**listed_folds("emovdb", 1), **generalize("sam", seconds=10027.6, takes=in_generalize)},
    papers=("emobox", "generalize"),
    traps=(
        "File names repeat between speakers: the folder is the speaker.",
        "The range in a name is written 57-84 or 57_84, the first part Disgust_ or disgust_, Neutral_ or neutral_.",
        "josh has neither anger nor disgust.",
        "bea is sampled at 44.1 kHz, the others at 16 kHz.",
        "The last four digits select the sentence of CMU ARCTIC set A. 45 of EmoBox's files have a number outside "
        "their own range, 29 of them in bea_Angry (counted); no transcript is given to these.",
        "The unsorted release with TextGrids is another tree and is not read. The paper has a fifth speaker, of "
        "French, who is not in the release.",
        "All four speakers are in train and in test of fold1.",
    ),
    errata=(
        Erratum(
            "EmoBox's ids have speaker, emotion and last four digits only, so its list lacks six files whose digits "
            "occur twice: bea anger_1-28_0024, neutral_1-28_0014, neutral_1-28_0015, josh amused_1-28_0023, "
            "amused_1-28_0026, sam sleepiness_367-392_0387. Their ids here hold the range as well; fold1 leaves them "
            "out."
        ),
        Erratum(
            "The project's README counts 7,000 files, the release has 6,893 (jenie Angry 496 instead of 523, bea "
            "Neutral 357 instead of 373)."
        ),
        Erratum(
            "Generalize has 522 utterances of disgust, which are bea's 333 and jenie's 189: sam's 497 are missing "
            "there, and `generalize` leaves them out."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/emovdb, EmoBox/preprocess/scripts/emovdb.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/emov-db/emov-db.csv (all 6,893 paths)",
        "numediart/EmoV-DB@2505b72: README.md, LICENSE.md, emov_mfa_alignment.py (addresses)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/EmoV-DB/process.py",
    ),
)

GRAMMAR = re.compile(
    r"(?:(?P<speaker>bea|jenie|josh|sam)[_/](?P<emotion>Amused|Angry|Disgusted|Neutral|Sleepy)|(?P<number>[1-4]))/"
    r"(?P<style>amused|anger|[Dd]isgust|[Nn]eutral|sleepiness)_(?P<first>\d+)[-_](?P<last>\d+)_(?P<sentence>\d{4})\.wav"
)

PROMPT = re.compile(r'\( *arctic_a(?P<number>\d{4}) +"(?P<text>.*)" *\)\s*')


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`: in folders bea_Amused, bea/Amused or 1."""
    spoken = _prompts(root / "cmuarctic.data")
    folders = [f"{speaker}{between}*" for speaker in SPEAKERS for between in "_/"]
    for path, name in match(root, GRAMMAR, *folders, *NUMBERS):
        speaker, sentence = name["speaker"] or NUMBERS[name["number"]], name["sentence"]
        emotion = STYLES[name["style"].lower()]
        listed = (speaker, emotion, f"{name['first']}-{name['last']}", sentence) not in NOT_IN_EMOBOX
        take = sentence if listed else f"{name['first']}-{name['last']}-{sentence}"
        yield Utterance(
            id=f"emovdb-{speaker}-{CORPUS.classes[emotion]}-{take}",
            path=path,
            native=emotion,
            speaker=speaker,
            gender=SPEAKERS[speaker],
            language="en",
            transcript=spoken.get(sentence) if int(name["first"]) <= int(sentence) <= int(name["last"]) else None,
        )


def _prompts(path: Path) -> dict[str, str]:
    """Return number -> sentence of CMU ARCTIC set A; empty where the file is missing."""
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    return {line["number"]: line["text"] for line in map(PROMPT.fullmatch, lines) if line}
