"""RAVDESS: the speech part of the Ryerson Audio-Visual Database of Emotional Speech and Song."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import balanced, emosetpp, generalize, serab, speaker_folds
from ..raw import match
from ..utterance import Gender, Utterance

STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
INTENSITIES = {"01": "normal", "02": "strong"}
SPEAKERS = {f"{k:02d}": Gender.MALE if k % 2 else Gender.FEMALE for k in range(1, 25)}

CORPUS = Corpus(
    id="ravdess",
    name="RAVDESS",
    description="24 professional actors speak two English sentences in eight emotions; the 1,440 speech files.",
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-SA-4.0",
        redistribution=Permission.YES,
        commercial=Permission.NO,
        note="a commercial licence can be bought from the authors",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/1188976",
    citation="""@article{livingstone2018ryerson,
  title = {The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS): A dynamic, multimodal set of
           facial and vocal expressions in North American English},
  author = {Livingstone, Steven R. and Russo, Frank A.},
  journal = {PLOS ONE},
  volume = {13},
  number = {5},
  pages = {e0196391},
  year = {2018},
  doi = {10.1371/journal.pone.0196391}
}""",
    how_to_get="Download Audio_Speech_Actors_01-24.zip from the Zenodo record and unpack it.",
    layout="""
<root>/
    Actor_01/  03-01-01-01-01-01-01.wav ...   60 speech files
    ...
    Actor_24/
""",
    utterances=1440,
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    classes={
        "05": "Angry",
        "02": "Calm",
        "07": "Disgust",
        "06": "Fear",
        "03": "Happy",
        "01": "Neutral",
        "04": "Sad",
        "08": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=speaker_folds(
        {
            1: ("01", "11", "20", "21"),
            2: ("04", "10", "12", "14"),
            3: ("08", "09", "19", "23"),
            4: ("03", "05", "07", "24"),
            5: ("02", "15", "16", "18"),
            6: ("06", "13", "17", "22"),
        }
    )
    | serab({"validation": ("06", "08", "10", "19", "20"), "test": ("01", "04", "13", "16", "22")})
    | generalize("24", seconds=237.2)
    | emosetpp("ravdess", SPEAKERS)
    | balanced("ravdess"),
    ignore=("*/03-02-*.wav", "*.mp4"),  # song, and the files with picture
    downloads=(
        Archive(
            url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
            bytes=208_468_073,
            sha256="5d208e01632cc3e5242106fa2af3273e6dc5239fb8143131979ac74c4aa40657",
        ),
    ),
    papers=("emobox", "generalize", "serab", "exhubert"),
    traps=(
        "Five speech files are stereo: Actor_01/03-01-02-01-01-02-01, Actor_01/03-01-08-01-02-02-01, "
        "Actor_05/03-01-02-01-02-02-05, Actor_20/03-01-03-01-02-01-20, Actor_20/03-01-06-01-01-02-20.",
        "A copy on Kaggle holds the tree twice; the second one is left out here.",
        "Neutral has half as many files as the other classes, and no strong intensity.",
    ),
    errata=(
        Erratum(
            "Actor_07/03-01-03-01-02-01-07.wav and 03-01-03-01-02-02-07.wav hold identical samples (public audit of "
            "the Zenodo archives, 2026-08-02).",
            drop=("ravdess-03-01-03-01-02-02-07",),
        ),
    ),
    facts_from=(
        "Zenodo record 1188976 (naming convention, counts)",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/ravdess (test speakers of the folds)",
        "public audit of the Zenodo archives, 2026-08-02 (checksums, stereo files)",
    ),
)

# Speech (second field 01) without picture (first field 03); song and video are other parts of the corpus.
GRAMMAR = re.compile(
    r"(?:[Aa]udio_[Ss]peech_[Aa]ctors_01-24/)?Actor_\d{2}/(?P<stem>03-01-(?P<emotion>0[1-8])-(?P<intensity>0[12])-(?P<statement>0[12])-0[12]"
    r"-(?P<speaker>\d{2}))\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`, or one folder deeper, where the archive was unpacked by its name."""
    seen = set()
    for path, name in match(root, GRAMMAR, "Actor_??", "[Aa]udio_[Ss]peech_[Aa]ctors_01-24/Actor_??"):
        if name["stem"] in seen:
            continue
        seen.add(name["stem"])
        yield Utterance(
            id=f"ravdess-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=CORPUS.speakers.get(name["speaker"], Gender.UNKNOWN),
            language="en",
            transcript=STATEMENTS[name["statement"]],
            intensity=INTENSITIES[name["intensity"]],
        )
