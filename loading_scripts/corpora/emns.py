"""EMNS: the Emotive Narrative Storytelling corpus, one speaker of British English."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..partitions import listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKER = "3"

CORPUS = Corpus(
    id="emns",
    name="EMNS",
    description="One woman reads sentences in seven emotions and neutral, for storytelling in games and television.",
    languages=("en-GB",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="two catalogues disagree: Apache-2.0 (SER-datasets) and CC BY 4.0 (nkululeko); the paper has Apache 2.0 "
        "for its recording tool only. Read the OpenSLR page before passing anything on",
    ),
    access=Access.OPEN,
    homepage="https://www.openslr.org/136/",
    citation="""@article{noriy2023emns,
  title = {{EMNS} /Imz/ Corpus: An emotive single-speaker dataset for narrative storytelling in games, television and
           graphic novels},
  author = {Noriy, Kari Ali and Yang, Xiaosong and Zhang, Jian Jun},
  journal = {arXiv preprint arXiv:2305.13137},
  year = {2023}
}""",
    how_to_get="Download https://www.openslr.org/resources/136/metadata.csv and the archive of the cleaned recordings "
    "(cleaned_webm.tar.xz in the same folder; name by analogy to raw_webm.tar.xz, unverified), and put metadata.csv "
    "beside the folder cleaned_webm.",
    layout="""
emns/
    metadata.csv
    cleaned_webm/  recorded_audio_RF6OuQ4.webm ...   1181 files (a folder called wavs, or wav files, are accepted too)
""",
    utterances=1181,
    emotions={
        "Angry": "anger",
        "Disgust": "disgust",
        "Excited": "excitement",
        "Happy": "happiness",
        "Neutral": "neutral",
        "Sad": "sadness",
        "Sarcastic": "irony",
        "Surprised": "surprise",
    },
    classes={
        "Angry": "Angry",
        "Disgust": "Disgust",
        "Excited": "Excited",
        "Happy": "Happy",
        "Neutral": "Neutral",
        "Sad": "Sad",
        "Sarcastic": "Sarcastic",
        "Surprised": "Surprise",
    },
    speakers={SPEAKER: Gender.FEMALE},
    partitions=listed_folds("emns", 1),
    downloads=(
        Archive(url="https://www.openslr.org/resources/136/metadata.csv"),
        Archive(url="https://www.openslr.org/resources/136/raw_webm.tar.xz"),
    ),
    papers=("emobox",),
    traps=(
        "The files are Opus in WebM, which libsndfile cannot read; they are decoded by FFmpeg's libraries, at 48 kHz.",
        "metadata.csv is separated by |, and names the files as wavs/<name>.webm, a folder that neither archive has.",
        "metadata.csv says Surprised where EmoBox writes Surprise.",
        "Names differ in letter case: recorded_audio_aB... is another file than recorded_audio_Ab...; one name, "
        "recorded_audio.webm, has no suffix.",
        "The uncleaned recordings (raw_webm, or EMNS in nkululeko's instructions) have the same names and are not "
        "read.",
        "The column level (0 to 10, strength of expression) is the intensity; the column description, an instruction "
        "in words with emphasized words in braces, is not read.",
    ),
    errata=(
        Erratum(
            "24 of the 1,205 lines of metadata.csv have the status Needs Updating and no cleaned recording; they are "
            "left out (the 1,181 Complete names equal EmoBox's, counted)."
        ),
        Erratum("EmoBox's fold1 shares the one speaker between train and test (counted in its lists)."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/emns, EmoBox/preprocess/scripts/emns.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/emns (README.md, process_database.py, CSV "
        "files)",
    ),
)

GRAMMAR = re.compile(r"(?:cleaned_webm|wavs)/(?P<clip>recorded_audio(?:_[A-Za-z0-9]{7})?)\.(?:webm|wav)")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that metadata.csv calls complete; the cleaned one where a clip is there twice.

    Raises:
        RawTreeError: metadata.csv is missing, or lacks a column.
    """
    seen = set()
    lines: dict[str, dict[str, str]] = {}
    for path, name in match(root, GRAMMAR, "cleaned_webm", "wavs"):
        lines = lines or _lines(root / "metadata.csv")
        line = lines.get(name["clip"])
        if line is None or line["status"] != "Complete" or name["clip"] in seen:
            continue
        seen.add(name["clip"])
        emotion = line["emotion"]
        yield Utterance(
            id=f"emns-{name['clip']}",
            path=path,
            native="Surprised" if emotion == "Surprise" else emotion,
            speaker=line["user_id"],
            gender=Gender.FEMALE,
            language="en-GB",
            transcript=line["utterance"],
            intensity=line["level"],
        )


def _lines(path: Path) -> dict[str, dict[str, str]]:
    """Return stem of the recording -> line of metadata.csv."""
    if not path.is_file():
        raise RawTreeError(
            f"{CORPUS.name}: the labels are read from {path}, which does not exist. Download it from "
            "https://www.openslr.org/resources/136/metadata.csv."
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file, delimiter="|")
        missing = {"audio_recording", "emotion", "status", "utterance", "level", "user_id"} - set(
            table.fieldnames or ()
        )
        if missing:
            raise RawTreeError(
                f"{CORPUS.name}: {path} has the columns of OpenSLR's metadata.csv, separated by |; {sorted(missing)} "
                f"are missing, found {table.fieldnames}. Download it again."
            )
        return {Path(line["audio_recording"]).stem: line for line in table}
