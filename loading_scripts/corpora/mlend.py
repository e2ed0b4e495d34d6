"""MLEnd Spoken Numerals: numerals in four intonations, recorded by their speakers on devices of their own."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import RawTreeError
from ..metadata import sheet
from ..partitions import Table
from ..raw import match
from ..utterance import Gender, Utterance

ABSENT = (74, 123, 149)
SPEAKERS = {str(k): Gender.UNKNOWN for k in range(154) if k not in ABSENT}

# Read off 1,150 of its lines, in which every speaker occurs and none on both sides.
# fmt: off
BENCHMARK_A_TEST = (
    0, 1, 3, 4, 12, 13, 18, 19, 24, 32, 39, 40, 41, 43, 45, 46, 53, 57, 58, 61, 63, 69, 75, 80, 81, 82, 83, 84, 85, 86,
    89, 92, 93, 99, 103, 105, 106, 118, 122, 127, 131, 137, 139, 146, 148, 150, 152,
)
# fmt: on

CORPUS = Corpus(
    id="mlend",
    name="MLEnd Spoken Numerals",
    description="151 speakers of English of many origins say 32 numerals in a neutral, bored, excited or questioning "
    "way.",
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="see the Kaggle page (unverified)",
    ),
    access=Access.OPEN,
    homepage="https://mlenddatasets.github.io/spoken_numerals/",
    citation="""@misc{requena2021mlend,
  title = {{MLEnd} Spoken Numerals},
  author = {Requena Carrión, Jesús and Bajaj, Nikesh},
  howpublished = {Kaggle, jesusrequena/mlend-spoken-numerals},
  institution = {Queen Mary University of London},
  year = {2021}
}""",
    how_to_get="Download the Kaggle data set jesusrequena/mlend-spoken-numerals and unpack it; or clone "
    "https://github.com/MLEndDatasets/SpokenNumerals (1.2 GB) for the smaller benchmark release.",
    layout="""
<root>/                                              (Kaggle)
    MLEndSND_Audio_Attributes.csv                    (or inside MLEndSND_Public/)
    MLEndSND_Public/  00000.wav ... 47067.wav        32654 files (or MLEndSND_Public/MLEndSND_Public/)
SpokenNumerals/                                      (GitHub, benchmark release)
    MLEndSND_audio_attributes_benchmark.csv
    MLEndSND_audiofiles/  00000.wav ...              about 20000 files
""",
    utterances=32654,
    emotions={"neutral": "neutral", "bored": "boredom", "excited": "excitement", "question": "question"},
    speakers=SPEAKERS,
    partitions={
        "official": Table(
            keys={"test": frozenset(str(k) for k in BENCHMARK_A_TEST)},
            rest="train",
            rule="by speaker: column Benchmark_A of MLEndSND_audio_attributes_benchmark.csv, which tests 47 of 151 "
            "speakers; in the Kaggle release the clips that the benchmark lacks go with their speakers",
        )
    },
    papers=("exhubert",),
    traps=(
        "Ids are not consecutive: 00002, 00006 ... are withheld.",
        "The leading zeros of an id are part of it: read every column of the tables as text.",
        "A question is no emotion; ExHuBERT scores it as a class of its own. Which of the two releases and which split "
        "it used is not stated.",
        "The benchmark release has a second split, Benchmark_B, by utterance; it is not offered, as the list was not "
        "at hand in full.",
        "Crowd recordings: devices, noise and rates differ.",
        "Nationality and first languages of the speakers are in MLEndSND_Speakers_Demographics.csv, their gender "
        "nowhere: 2,362 clips are of speakers without a line there, 5,233 of speakers without a second language.",
        "The transcript is the numeral in digits.",
    ),
    errata=(
        Erratum(
            "MLEndSND_audio_attributes.csv of the GitHub repository holds the marks of an unfinished merge (<<<<<<< "
            "HEAD) and cannot be read as a table; the benchmark table beside it is read instead "
            "(MLEndDatasets/SpokenNumerals@03fdf06c201b2a3616e8a8911a3a69f386a9ef6f)."
        ),
    ),
    facts_from=(
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/mlendsnd/{README.md,process_database.py,"
        "mlendsnd.csv} (all 32,654 clips of the Kaggle release)",
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/MLEndSND/process.py",
        "MLEndDatasets/SpokenNumerals@d6dde88bcbb9f476f6a522abcc6c0afacbf92524: "
        "MLEndSND_audio_attributes_benchmark.csv (columns, Benchmark_A)",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 2, footnote 8: one of six unseen corpora",
    ),
)

FOLDERS = ("MLEndSND_Public", "MLEndSND_Public/MLEndSND_Public", "MLEndSND_audiofiles")
# The attributes of the two releases have the same name but for case; where both tables lie, the benchmark's is whole.
TABLES = ("MLEndSND_audio_attributes_benchmark.csv", "MLEndSND_Audio_Attributes.csv")

GRAMMAR = re.compile(r"(?:[^/]+/)+(?P<clip>\d{5})\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that the table of attributes lists.

    Raises:
        RawTreeError: there are clips, but no table of attributes.
    """
    clips = list(match(root, GRAMMAR, *FOLDERS))
    if not clips:
        return
    attributes = _attributes(root)
    for path, name in clips:
        if told := attributes.get(name["clip"]):
            yield Utterance(
                id=f"mlend-{name['clip']}",
                path=path,
                native=told["intonation"],
                speaker=told["speaker"],
                gender=Gender.UNKNOWN,
                language="en",
                transcript=told["numeral"],
            )


def _attributes(root: Path) -> dict[str, dict[str, str]]:
    """Return clip -> numeral, intonation and speaker."""
    path = beside((root, *(root / folder for folder in FOLDERS)), *TABLES)
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: labels and speakers are read from {root / TABLES[1]}, which does not exist. Copy it from "
            "the Kaggle data set."
        )
    # Kaggle: "Public filename", 00000; GitHub: "filename", 00000.wav
    rows = sheet.read(path, ("numeral", "intonation", "speaker"), ("public filename", "filename")).rows
    return {(cells.get("public filename") or cells["filename"]).removesuffix(".wav"): cells for _, cells in rows}
