"""ASVP-ESD: emotional speech and other sounds of the voice, cut from films, television and videos."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import Table, generalize, listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

# No single persons: babies (50, 150), and people of whom nothing is told (00, 200).
COLLECTIVE = ("00", "50", "150", "200")


def gender(actor: str) -> Gender:
    """Return the gender of an actor: odd numbers are women, even ones men."""
    if actor in COLLECTIVE:
        return Gender.UNKNOWN
    return Gender.FEMALE if int(actor) % 2 else Gender.MALE


SPEAKERS = {actor: gender(actor) for actor in (*(f"{k:02d}" for k in range(129)), "150", "200")}

# Field 9 of a name. Other values occur, and 00 is mostly no speech; what they mean is written nowhere.
LANGUAGES = {"01": "zh", "02": "en", "04": "fr"}

INTENSITIES = {"01": "normal", "02": "high"}

# The emotions of the paper's table 1: neither sadness nor boredom, excitement, pleasure, disappointment, breath.
IN_GENERALIZE = frozenset(["02", "03", "05", "06", "07", "08", "11"])


def in_generalize(one: Utterance) -> bool:
    """Return whether Generalize uses the utterance: the English ones of seven emotions."""
    return one.language == "en" and one.native in IN_GENERALIZE


def vocal_channel(one: Utterance) -> str:
    """Return the second field of the name: 01 is speech, 02 another sound of the voice."""
    return one.id.split("-")[2]


CORPUS = Corpus(
    id="asvpesd",
    name="ASVP-ESD",
    description="5,140 utterances and 8,824 cries, laughs, sighs and the like in 13 emotions and several languages.",
    languages=("en", "zh", "fr", "ru", "mul"),
    sources=(Source.FILM, Source.TV, Source.NATURAL),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="Zenodo says open access without a licence; a copy on the Hugging Face Hub says CC BY 4.0 (unverified); "
        "cut from films, television and YouTube, so take it for research only",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/7132783",
    citation="""@article{landry2020asvp,
  title = {{ASVP-ESD}: A dataset and its benchmark for emotion recognition using both speech and non-speech utterances},
  author = {Landry, Dejoli Tientcheu Touko and He, Qianhua and Yan, Haikang and Li, Yanxiong},
  journal = {Global Scientific Journals},
  year = {2020}
}""",
    how_to_get="Download ASVP-ESD-Update.zip from the Zenodo record "
    "(https://zenodo.org/record/7132783/files/ASVP-ESD-Update.zip) and unpack it; a copy on Kaggle is "
    "dejolilandry/asvpesdspeech-nonspeech-emotional-utterances.",
    layout="""
ASVP-ESD-Update/
    Audio/
        actor_0/  03-01-02-01-01-00-02-02-01.wav ...   12,625 files in all folders
        ...
        actor_128/
        actor_/                                        without a number
    Bonus/
        actor_50/  actor_150/  actor_200/              1,339 files
""",
    utterances=13964,
    emotions={
        "01": "boredom",
        "02": "neutral",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
        "09": "excitement",
        "10": "pleasure",
        "11": "pain",
        "12": "disappointment",
        "13": "breath",
        "17": "other",
    },
    classes={
        "05": "Angry",
        "01": "Boredom",
        "07": "Disgust",
        "09": "Excited",
        "06": "Fear",
        "03": "Happy",
        "02": "Neutral",
        "04": "Sad",
        "08": "Surprise",
        "17": "UnKnown",
        "13": "breath",
        "12": "disappointment, disapproval",
        "11": "pain, groan",
        "10": "pleasure",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("asvpesd", 1)
    | generalize("60", seconds=1354.5, takes=in_generalize)
    | {
        "speech": Table(
            keys={"train": frozenset(["01"])},
            key=vocal_channel,
            rule="the 5,140 utterances that are speech: second field of the name 01 (serbench's own)",
        )
    },
    downloads=(Archive(url="https://zenodo.org/record/7132783/files/ASVP-ESD-Update.zip"),),
    papers=("emobox", "generalize", "exhubert"),
    traps=(
        "63 % of the files are cries, laughs, sighs and other sounds without words; `speech` leaves them out.",
        "A name has 8 to 12 fields: emotion, intensity, actor and language are counted from the front. 99 names end "
        "before the language.",
        "The actor is field 6, not the folder: 16 files lie in another actor's folder, 171 in one without a number "
        "(actor_), and folders write 7 where names write 07.",
        "Actors 00, 50, 150 and 200 are no single persons (150 alone has 1,073 files, mostly of babies), so their "
        "gender is unknown and leaving them out means little.",
        "Language 02 is taken for English as in EmoBox's script, and because only so the counts of Generalize fit; one "
        "public loader reads 01 as English. Codes without a known meaning, and 00, are und here; Russian has no code "
        "that is known.",
        "Code 17 is not documented (one file); EmoBox calls it UnKnown, here it is other.",
        "12 files have an intensity and 72 an age outside the documented codes; the statement is a running number, no "
        "text.",
        "Five names have a blank before the last hyphen (-14 -03).",
        "Six files are shorter than 0.18 s, seven longer than 30 s.",
        "The releases of 2020 and 2021 have other trees, and a copy on the Hub other names; only the update of 2022 is "
        "read.",
    ),
    errata=(
        Erratum("EmoBox's paper counts 12 emotions, its list has 14 codes."),
        Erratum(
            "Generalize prints 585 angry, 612 disgust, 544 fear, 652 happy, 714 neutral, 558 pain, 695 surprised; "
            "names with code 02 give 570, 628, 537, 666, 715, 555, 667: a slightly different release (counted)."
        ),
        Erratum("All 130 actors of the test split of EmoBox's fold1 are also in train (counted)."),
        Erratum("The single file of code 17 is in train of fold1, so that its class has no test utterance."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/asvpesd, EmoBox/preprocess/scripts/asvpesd.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/asvp-esd",
        "Zenodo records 3782416 and 5573185 (descriptions of the earlier releases)",
        "Hugging Face Hub: EdwardLin2023/ASVP_ESD (names of the emotions)",
    ),
)

GRAMMAR = re.compile(
    r"(?:Audio|Bonus)/actor_\d*/(?P<stem>03-0[12]-(?P<emotion>\d{2})-(?P<intensity>\d{2,3})-\d{1,3}"
    r"-(?P<speaker>\d{2,3})-\d{2,4}-\d{2}(?:-(?P<language>\d{2,3})(?:-[\d -]+)?)?)\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every file of the update of 2022 below `root`."""
    for path, name in match(root, GRAMMAR, "Audio/actor_*", "Bonus/actor_*"):
        yield Utterance(
            id=f"asvpesd-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language=LANGUAGES.get(name["language"], "und"),
            intensity=INTENSITIES.get(name["intensity"]),
        )
