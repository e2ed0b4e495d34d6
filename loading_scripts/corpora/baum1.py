"""BAUM-1: acted and spontaneous clips of Turkish speakers, labeled in two workbooks."""

import logging
import re
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from itertools import pairwise
from pathlib import Path

from .. import workbook
from ..annotations import beside
from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError
from ..partitions import serevals
from ..raw import match
from ..utterance import Gender, Utterance

logger = logging.getLogger(__name__)

# The two parts number their labels differently.
CODES = {
    "a": ("anger", "boredom", "disgust", "fear", "happiness", "interest", "sadness", "surprise", "unsure"),
    "s": (
        "anger",
        "boredom",
        "bothered",
        "concentrating",
        "contempt",
        "disgust",
        "fear",
        "happiness",
        "neutral",
        "sadness",
        "surprise",
        "thinking",
        "unsure",
    ),
}

# Word and code of this clip contradict each other; somebody who watched it found laughter.
CONTRADICTORY = {"S015_007": "happiness"}

# Clips on the disk that neither workbook labels.
UNLABELED = """
S002_008 S007_005 S015_003 S017_008 S017_009 S018_009 S020_005 S022_002
S004_015 S004_021 S004_035 S004_045 S006_043 S006_044 S007_030 S007_031 S007_033 S007_040 S007_041 S009_018 S010_020
S010_028 S010_035 S010_052 S010_054 S011_034 S011_035 S011_038 S012_031 S013_026 S013_037 S014_038 S014_039 S015_023
S015_029 S017_018 S017_022 S017_030 S017_051 S018_025 S018_034 S018_035 S018_037 S018_038 S018_043 S019_061 S020_030
S021_061 S022_021 S022_029 S022_042 S022_049 S025_015 S025_041 S026_054 S026_071 S026_074 S027_012 S027_021 S027_024
S027_027 S027_030 S029_022 S029_041 S030_026 S030_048 S031_017 S031_018 S031_030 S031_039 S031_041 S031_049
"""

FEMALE = (10, 12, 17, 19, 21, 22, 25, 26, 27, 28, 29, 30, 31)
SPEAKERS = {f"{k:03d}": Gender.FEMALE if k in FEMALE else Gender.MALE for k in range(1, 32) if k != 5}

CORPUS = Corpus(
    id="baum1",
    name="BAUM-1",
    description="Audio-visual clips of Turkish speakers in affective and mental states: acted (BAUM-1a) and "
    "spontaneous reactions to pictures and videos (BAUM-1s).",
    languages=("tr",),
    sources=(Source.ACTED, Source.ELICITED),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="end-user licence agreement, to be signed",
    ),
    access=Access.REQUEST,
    homepage="https://doi.org/10.1109/TAFFC.2016.2553038",
    citation="""@article{zhalehpour2017baum,
  title = {{BAUM-1}: A Spontaneous Audio-Visual Face Database of Affective and Mental States},
  author = {Zhalehpour, Sara and Onder, Onur and Akhtar, Zahid and Erdem, Cigdem Eroglu},
  journal = {IEEE Transactions on Affective Computing},
  volume = {8},
  number = {3},
  pages = {300--313},
  year = {2017},
  doi = {10.1109/TAFFC.2016.2553038}
}""",
    how_to_get="Sign the licence agreement and get both folders of MP4 files and the two workbooks from the authors; "
    "their page moves often, so start from the paper.",
    layout="""
<root>/
    Annotations_BAUM1a.xlsx  Annotations_BAUM1s.xlsx   (or both saved as CSV)
    BAUM1a_MP4_all/      s001/ S001_001.mp4 ...        273 acted clips
    BAUM1s_MP4 - All/    s001/ S001_005.mp4 ...        1222 spontaneous ones, some with subtitles (.srt)
(either ending of the folders occurs with either part)
""",
    utterances=1423,
    emotions={
        "anger": "anger",
        "boredom": "boredom",
        "bothered": "bother",
        "concentrating": "concentration",
        "contempt": "contempt",
        "disgust": "disgust",
        "fear": "fear",
        "happiness": "happiness",
        "interest": "interest",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
        "thinking": "thinking",
        "unsure": "uncertainty",
    },
    speakers=SPEAKERS,
    partitions=serevals("baum1"),
    ignore=("*.wav", *(f"*{name}.mp4" for name in UNLABELED.split())),
    papers=("ser_evals",),
    traps=(
        "The parts have different codes: 5 is happiness in BAUM-1a and contempt in BAUM-1s, 8 surprise and happiness, "
        "9 unsure and neutral. The code decides here, and its word must resemble it.",
        "Words are misspelt and change case (Intrest, Contepmt, Sadnes, Surpise); their first three letters do not "
        "tell contempt from concentrating.",
        "8 acted and 64 spontaneous clips on the disk have no label and are left out: 265 + 1,158 of 273 + 1,222 "
        "remain.",
        "SER Evals used 1,398 clips, sorted into folders by label beforehand; which ones is not published. It calls "
        "all but the six basic emotions and neutral other, contempt included.",
        "Clip numbers of a speaker run through both parts.",
        "The scores of the annotators' intensity that the paper describes are not read.",
    ),
    errata=(
        Erratum(
            "Word and code of S015_007 contradict each other; it is happiness here, as one user decided "
            "(michen00/multilingual_speech_valence_classification_datasets).",
            drop=("baum1-BAUM1s_MP4 - All-s015-S015_007",),
        ),
        Erratum("The paper and SER Evals count 31 speakers; 005 does not occur, which leaves 30 (17 men, 13 women)."),
        Erratum("One public table calls the speaker of S019_023 male, against all other clips of S019."),
    ),
    facts_from=(
        "michen00/multilingual_speech_valence_classification_datasets: datasets/BAUM1 (tables, clips without a label)",
        "two further public loaders (codes, columns, names of folders)",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py",
    ),
)

GRAMMAR = re.compile(r"(?i)(?P<part>BAUM1[as])_MP4(?:_all| - All)/(?P<folder>s\d{3})/(?P<clip>(?P=folder)_\d{3})\.mp4")
CLIP = re.compile(r"(?i)(?P<clip>S\d{3}_\d{3})(?:\.mp4)?")

# Folders as the authors call them: ids are the same whatever a copy calls them.
FOLDERS = {"a": "BAUM1a_MP4_all", "s": "BAUM1s_MP4 - All"}


def find(root: Path) -> Iterator[Utterance]:
    """Yield every labeled clip below `root`.

    Raises:
        RawTreeError: the workbook of a part is missing or cannot be read.
        CorpusMismatchError: a workbook holds a label that it should not.
    """
    labels = cache(_labels)
    without = 0
    for path, name in match(root, GRAMMAR, "[Bb][Aa][Uu][Mm]1[AaSs]_[Mm][Pp]4*/[Ss]???"):
        part, clip = name["part"][-1].lower(), name["clip"].upper()
        emotion = labels(root, part).get(clip)
        if emotion is None:
            without += 1
            continue
        speaker = clip[1:4]
        yield Utterance(
            id=f"baum1-{FOLDERS[part]}-s{speaker}-{clip}",
            path=path,
            native=emotion,
            speaker=speaker,
            gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
            language="tr",
            transcript=_subtitles((root / path).with_suffix(".srt")),
        )
    if without:
        logger.info("%s: %d clips without a label were left out.", CORPUS.name, without)


def _labels(root: Path, part: str) -> dict[str, str]:
    """Return clip -> emotion of one part, from its workbook or a CSV file of the same name."""
    names = (f"Annotations_BAUM1{part}.xlsx", f"Annotations_BAUM1{part}.csv")
    path = beside([root], *names)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: the labels of its part BAUM-1{part} are read from "
            f"{root / names[0]}, which does not exist. Put the authors' workbook beside the folders of clips."
        )
    labels = {}
    for row in _first_sheet(path) if path.suffix.lower() == ".xlsx" else _text(path):
        cells = [cell.strip() for cell in row if cell.strip()]
        for place, cell in enumerate(cells):
            if named := CLIP.fullmatch(cell):
                clip = named["clip"].upper()
                labels[clip] = _emotion(path, part, clip, *(cells[place + 1 : place + 3] + ["", ""])[:2])
                break
    return labels


def _emotion(path: Path, part: str, clip: str, word: str, code: str) -> str:
    """Return the emotion of a code, whose word must be nearer to it than to any other of the part."""
    words = CODES[part]
    number = int(code.removesuffix(".0")) if code.removesuffix(".0").isdecimal() else 0
    emotion = words[number - 1] if 1 <= number <= len(words) else None
    if clip in CONTRADICTORY:
        return CONTRADICTORY[clip]
    if emotion is None or get_close_matches(word.casefold(), words, 1) != [emotion]:
        numbered = ", ".join(f"{k} {name}" for k, name in enumerate(words, 1))
        raise CorpusMismatchError(
            f"{CORPUS.name}: {path}, clip {clip}: behind its name stand a word and its code of {numbered}; found "
            f"{word!r} and {code!r}. Correct the table."
        )
    return emotion


def _first_sheet(path: Path) -> Iterator[list[str]]:
    _, rows = next(workbook.grids(path))
    return (list(row.values()) for row in rows)


def _text(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a workbook that was saved as text."""
    for line in path.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        yield re.split("[,;\t]", line.replace('"', ""))


def _subtitles(path: Path) -> str | None:
    """Return the text of a file of subtitles (SubRip), None where there is none."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1254", "replace")  # what Turkish editors wrote
    lines = [line.strip() for line in text.splitlines()]
    spoken = [line for line, below in pairwise([*lines, ""]) if line and "-->" not in line and "-->" not in below]
    return " ".join(spoken) or None
