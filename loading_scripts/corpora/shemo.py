"""ShEMO: the Sharif Emotional Speech Database."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import Table, listed_folds, serab, serevals
from ..partitions.hashed import ranked
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = {f"F{k:02d}": Gender.FEMALE for k in range(1, 32)} | {f"M{k:02d}": Gender.MALE for k in range(1, 57)}

# Audio names without a transcript of the same name: transcripts were renamed after a relabeling, audio files were not.
RELABELED = """
F01S23 F01W05 F01W06 F02S15 F02W05 F02W06 F03S10 F03S11 F03S12 F03S13 F03S14 F03S15 F03S16 F03S17 F03S18 F05S04 F07S30
F07S46 F07S47 F07S48 F07W07 F09H04 F09S12 F09S13 F09S14 F09S15 F09S16 F09S17 F09S18 F09S19 F10H01 F11A01 F12W01 F13A24
F14S01 F15A05 F15A06 F19N39 F20S01 F20S02 F21F01 F21F02 F21S36 F21S37 F21S38 F21S39 F21S40 F21S41 F21S42 F21S43 F21S44
F21W31 F21W32 F21W33 F23A20 F23S04 F24S16 F24S17 F24S18 F24S19 F24S20 F24S21 F24W25 F25A08 F26F02 F28A27 F28S07 F28S08
F30F02 F30S11 F30S12 M03S21 M03W08 M03W09 M05A12 M05A13 M05N05 M05N06 M05N07 M05N08 M05N09 M05N10 M05S14 M05S15 M05W03
M07W02 M09A24 M09S01 M12A70 M12S06 M12S07 M12S08 M12S09 M12S10 M12S11 M12S12 M12S13 M14S02 M16H09 M17S02 M18F01 M18S02
M19F01 M19S02 M19S03 M20S02 M20W05 M21N11 M22S03 M22W02 M22W03 M22W04 M24S03 M24S04 M25S10 M25S11 M25S12 M25S13 M25S14
M26A38 M26A39 M26A40 M26F01 M26S05 M26S06 M26W03 M26W04 M27A01 M27A02 M27W02 M27W03 M27W04 M28A47 M28S22 M28S23 M28S24
M28W04 M29S02 M30W01 M32F01 M33A02 M34N04 M37S01 M37S02 M37S03 M38A02 M38F01 M40S02 M40S03 M41A06 M43A18 M43W08 M44S05
M45A01 M46A06 M47S01 M48A05 M48S02 M50S01 M51A01 M53S03 M54N01
"""

# fmt: off
SERAB_VALIDATION = (
    "F02", "F11", "F15", "F20", "F24", "F30", "M01", "M02", "M19", "M22", "M27", "M30", "M44", "M48", "M52", "M54",
    "M55",
)
SERAB_TEST = (
    "F10", "F13", "F21", "F22", "F26", "M06", "M07", "M09", "M14", "M16", "M17", "M28", "M34", "M35", "M37", "M40",
    "M51", "M53",
)
SERAB_NUMBERS = {
    "validation": (
        "02", "11", "15", "20", "24", "30", "32", "33", "50", "53", "58", "61", "75", "79", "83", "85", "86",
    ),
    "test": (
        "10", "13", "21", "22", "26", "37", "38", "40", "45", "47", "48", "59", "65", "66", "68", "71", "82", "84",
    ),
}
# fmt: on


# EmoSet++ publishes its shares, not its speakers. Taken from the speakers that serab_strict holds out, they cut the
# corpus into 274 atoms; drawn from all speakers into 320, more than a built repository may have.
TENTH = round(0.1 * len(SPEAKERS))
EMOSETPP = Table(
    keys={
        "validation": frozenset(ranked("shemo", "emosetpp", SERAB_VALIDATION)[-TENTH:]),
        "test": frozenset(ranked("shemo", "emosetpp", SERAB_TEST)[-TENTH:]),
    },
    rest="train",
    rule=f"by speaker: the last {TENTH} test speakers of serab_strict in the order of u = "
    f"blake2b(shemo/emosetpp/speaker) test, the last {TENTH} of its validation speakers validate, all others train",
)


def number_of(one: Utterance) -> str:
    """Return what SERAB takes for the speaker: the number of the utterance, the last two digits of its name."""
    return one.id[-2:]


CORPUS = Corpus(
    id="shemo",
    name="ShEMO",
    description="3,000 semi-natural utterances of 87 Persian speakers in six emotions, cut from radio plays.",
    languages=("fa",),
    sources=(Source.ACTED, Source.NATURAL),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="the repository says free of charge for academic purposes and has no licence file",
    ),
    access=Access.OPEN,
    homepage="https://github.com/mansourehk/ShEMO",
    citation="""@article{nezami2019shemo,
  title = {{ShEMO}: a large-scale validated database for {Persian} speech emotion detection},
  author = {Mohamad Nezami, Omid and Jamshid Lou, Paria and Karami, Mansoureh},
  journal = {Language Resources and Evaluation},
  volume = {53},
  number = {1},
  pages = {1--16},
  year = {2019},
  doi = {10.1007/s10579-018-9427-x}
}""",
    how_to_get="Download male.zip and female.zip from the repository (Git LFS), or, where that fails, from the "
    "authors' Dropbox: https://www.dropbox.com/s/xfi3hi927yxixa9/male.zip?dl=1 and "
    "https://www.dropbox.com/s/4t6mep8mo4yf81f/female.zip?dl=1; unpack them side by side. For transcripts add "
    "shemo.json (repository pariajm/sharif-emotional-speech-dataset) or unpack transcript.zip.",
    layout="""
<root>/
    female/  F21N23.wav ...                      1263 files
    male/    M36S02.wav ...                      1737 files
    shemo.json                                   optional: transcripts of 2838 files
    transcript/final text/  F08W01.ort ...       optional, from transcript.zip: the same
""",
    utterances=3000,
    emotions={"A": "anger", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness", "W": "surprise"},
    classes={"A": "Angry", "F": "Fear", "H": "Happy", "N": "Neutral", "S": "Sad", "W": "Surprise"},
    speakers=SPEAKERS,
    partitions=listed_folds("shemo", 1)
    | serab(
        strict={"validation": SERAB_VALIDATION, "test": SERAB_TEST},
        published=SERAB_NUMBERS,
        key=number_of,
    )
    | serevals("shemo")
    | {"emosetpp": EMOSETPP},
    downloads=(
        Archive(
            url="https://github.com/mansourehk/ShEMO/raw/master/male.zip",
            bytes=496_606_401,
            sha256="747670d0d918e59d5e5020cf66610242890b093d42968c467c4f02eb5e6a6b1a",
        ),
        Archive(
            url="https://github.com/mansourehk/ShEMO/raw/master/female.zip",
            bytes=374_368_830,
            sha256="663d8d7dceb44adbbf87d84be3a080fb691d169fbd972f6941e6302bc39f71e6",
        ),
    ),
    papers=("emobox", "ser_evals", "serab", "exhubert"),
    traps=(
        "The letter F is the gender in first place and fear in fourth; W is surprise. F03 and M03 are two people.",
        "EmoBox's fold1 has 2,838 utterances: exactly those with a transcript of the same name. The other 162 are in "
        "no split of it; SER Evals and SERAB use all 3,000.",
        "Fear has 38 files (29 in fold1), and several papers leave it out; SER Evals' code turns it into other by "
        "forgetting it.",
        "Sampling rates are mixed: of EmoBox's files 2,717 have 44.1 kHz and 121, all of men, 22.05 kHz; the authors "
        "raised them from lower rates.",
        "The labels are the majority of twelve annotators, whose single votes are not published.",
    ),
    errata=(
        Erratum(
            "162 audio files have no transcript of their name and 162 transcripts no audio: transcripts were renamed "
            "after a relabeling (name lists compared). A follow-up work (arXiv:2211.09956, "
            "aliyzd95/ShEMO-Modification) takes the label in the transcript's name for the right one; nobody here "
            "uses its labels.",
            drop=tuple(f"shemo-{name}" for name in RELABELED.split()),
        ),
        Erratum(
            "SERAB's code takes the number of the utterance for the speaker: all test speakers of `serab` are in its "
            "train split; `serab_strict` goes by speaker (code read)."
        ),
        Erratum("F20N12 and M51N20 last 33.3 s, all others less than 30 s (EmoBox's list)."),
        Erratum("Users report that the LFS archives of the repository cannot be downloaded."),
    ),
    facts_from=(
        "mansourehk/ShEMO@0db1b9343e08794d66ca2f5c3faa9533c923abcd: README.md, LFS pointers, transcript.zip",
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/shemo, EmoBox/preprocess/scripts/shemo.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/shemo/shemo.csv (3,000 names)",
        "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2: tensorflow_datasets/shemo/shemo.py",
        "aliyzd95/ShEMO-Modification@ce7df3caa8848f17192b40a1541c8ceb1fb172b2",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/ShEMO/process.py",
        "ExHuBERT model card (huggingface.co/amiriparian/ExHuBERT): subsets of EmoSet++",
    ),
)

GRAMMAR = re.compile(r"(?:fe)?male/(?P<stem>(?P<speaker>[FM]\d{2})(?P<emotion>[AFHNSW])\d{2})\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`.

    Raises:
        RawTreeError: shemo.json is there, but cannot be read.
    """
    told: dict[str, dict[str, str]] | None = None
    for path, name in match(root, GRAMMAR, "male", "female"):
        told = _told(beside([root], "shemo.json")) if told is None else told
        stem = name["stem"]
        yield Utterance(
            id=f"shemo-{stem}",
            path=path,
            native=name["emotion"],
            speaker=name["speaker"],
            gender=SPEAKERS.get(name["speaker"], Gender.UNKNOWN),
            language="fa",
            transcript=_clean(told[stem]["transcript"]) if stem in told else _spoken(root, stem),
        )


def _told(path: Path | None) -> dict[str, dict[str, str]]:
    """Return stem -> entry of shemo.json; empty where there is none."""
    if path is None:
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise RawTreeError(
            f"{CORPUS.name}: {path} is no whole JSON file: {error}. Copy it again, or remove it."
        ) from error


def _spoken(root: Path, stem: str) -> str | None:
    """Return the text of an utterance in the unpacked transcript.zip, None where there is none."""
    path = root / "transcript" / "final text" / f"{stem}.ort"
    return _clean(path.read_text(encoding="utf-8-sig", errors="replace")) if path.is_file() else None


def _clean(text: str) -> str:
    """Return `text` without the marks of writing direction that some transcripts hold."""
    return text.replace("\u200e", "").replace("\u200f", "").strip()
