"""VIVAE: the Variably Intense Vocalizations of Affect and Emotion corpus."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Licence, Permission, Source
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {f"S{k:02d}": Gender.FEMALE for k in range(1, 12)}

CORPUS = Corpus(
    id="vivae",
    name="VIVAE",
    description="Eleven speakers vocalize six affective states without words, each in four intensities.",
    languages=("zxx",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="see the Zenodo record (unverified)",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/record/4066235",
    citation="""@article{holz2022variably,
  title = {The variably intense vocalizations of affect and emotion ({VIVAE}) corpus prompts new perspective on
           nonspeech perception},
  author = {Holz, Natalie and Larrouy-Maestri, Pauline and Poeppel, David},
  journal = {Emotion},
  volume = {22},
  number = {1},
  pages = {213--225},
  year = {2022},
  doi = {10.1037/emo0001048}
}""",
    how_to_get="Download VIVAE.zip from the Zenodo record (https://zenodo.org/record/4066235/files/VIVAE.zip) and "
    "unpack it.",
    layout="""
VIVAE/
    full_set/  S01_anger_low_01.wav ...   1085 files
    core_set/  copies of 480 of them, under the same names; not read
""",
    utterances=1085,
    emotions={
        "achievement": "achievement",
        "anger": "anger",
        "fear": "fear",
        "pain": "pain",
        "pleasure": "pleasure",
        "surprise": "surprise",
    },
    speakers=SPEAKERS,
    ignore=("core_set/*.wav",),
    downloads=(Archive(url="https://zenodo.org/record/4066235/files/VIVAE.zip"),),
    papers=("exhubert",),
    traps=(
        "full_set and core_set hold the same recordings twice: only full_set is read. A recording is in the core set "
        "(6 emotions x 4 intensities x 10 speakers x 2 items) if core_set/ has a file of its name.",
        "117 names have a three-digit item and one a single digit (S04_anger_strong_7): items are labels, no numbers. "
        "S08_pleasure_strong_11 and _011, S09_anger_strong_11 and _011 are different files.",
        "S11 has 54 files, about half as many as the others, and is probably the speaker left out of the core set "
        "(unverified).",
        "Surprise and achievement are positive here; pain and pleasure are other among the unified eight.",
        "That all speakers are women is stated by secondary sources only.",
        "Ratings of authenticity, intensity and category are described in the paper; they are not in the names.",
    ),
    facts_from=(
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/vivae/{README.md,process_database.py,"
        "vivae.csv} (all 1,085 names, download address)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/VIVAE/process.py (both folders)",
        "abstract of the paper: 1,085 and 480 files, eleven speakers, three positive and three negative states, low to "
        "peak",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 2: one of six unseen corpora",
    ),
)

GRAMMAR = re.compile(
    r"full_set/(?P<stem>(?P<speaker>S\d{2})_(?P<emotion>achievement|anger|fear|pain|pleasure|surprise)_"
    r"(?P<intensity>low|moderate|strong|peak)_\d{1,3})\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    for path, name in match(root, GRAMMAR, "full_set"):
        yield Utterance(
            id=f"vivae-full_set-{name['stem']}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="zxx",
            intensity=name["intensity"],
        )
