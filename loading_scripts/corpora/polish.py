"""Polish: the emotions in Polish speech recordings of Gdańsk University of Technology."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Licence, Permission, Source
from ..partitions import speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = dict.fromkeys(("m1", "m2", "m3", "m4", "m5"), Gender.MALE)

CORPUS = Corpus(
    id="polish",
    name="Polish",
    description="Five men of 21 to 23 years say six Polish words in anger, in fear and neutrally, five times each.",
    languages=("pl",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="open research data of Gdańsk University of Technology; the licence stands on the record's page (not "
        "seen)",
    ),
    access=Access.OPEN,
    homepage="https://mostwiedzy.pl/en/open-research-data/emotions-in-polish-speech-recordings,11190523461146169-0",
    citation="""@misc{miesikowska2020emotions,
  title = {Emotions in {Polish} speech recordings},
  author = {Mięsikowska, Marzena and Świsulski, Dariusz},
  publisher = {Gdańsk University of Technology},
  year = {2020},
  doi = {10.34808/h46c-hb44}
}""",
    how_to_get="Download Speech_emotions.zip from the MOST Wiedzy record (its address with /download behind it) and "
    "unpack it into one folder.",
    layout="""
<root>/
    m1.a_nie_1.wav ... m5.s_trzymaj_5.wav   450 files
""",
    utterances=450,
    emotions={"a": "anger", "s": "fear", "n": "neutral"},
    classes={"a": "Angry", "s": "Fear", "n": "Neutral"},
    speakers=SPEAKERS,
    partitions=speaker_folds({1: ("m3",), 2: ("m2",), 3: ("m4",), 4: ("m5",), 5: ("m1",)}),
    downloads=(
        Archive(
            url="https://mostwiedzy.pl/en/open-research-data/emotions-in-polish-speech-recordings,11190523461146169-0/download",
            path="polish.zip",
        ),
    ),
    papers=("emobox",),
    traps=(
        "s is strach (fear), neither sadness nor surprise.",
        "A name has a dot after the speaker: m3.s_trzymaj_5.wav.",
        "Single words of 0.48 to 1.63 s: shorter than some encoders need.",
        "Not to be confused with nEMO, which is Polish too and has nine actors and six classes.",
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/polish, EmoBox/preprocess/scripts/polish.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/polish (description of the record, archive)",
    ),
)

GRAMMAR = re.compile(r"(?P<stem>(?P<speaker>m[1-5])\.(?P<emotion>[ans])_(?P<word>[a-z]+)_[1-5])\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance in `root`."""
    for path, name in match(root, GRAMMAR, "."):
        yield Utterance(
            id=f"polish-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS[name["speaker"]],
            language="pl",
            transcript=name["word"],
        )
