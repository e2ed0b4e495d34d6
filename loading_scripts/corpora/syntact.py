"""SyntAct: German sentences by six MBROLA voices, with prosody rules for basic emotions."""

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError
from ..metadata import sheet
from ..partitions import Table
from ..utterance import Gender, Utterance

SPEAKERS = {
    "de1": Gender.FEMALE,
    "de2": Gender.MALE,
    "de3": Gender.FEMALE,
    "de4": Gender.MALE,
    "de6": Gender.MALE,
    "de7": Gender.FEMALE,
}

CORPUS = Corpus(
    id="syntact",
    name="SyntAct",
    description="German sentences by six synthetic voices, their prosody set by rules for basic emotions.",
    languages=("de",),
    sources=(Source.SYNTHETIC,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="the database header says unrestricted; see the Zenodo record (unverified)",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/record/6573016",
    citation="""@inproceedings{burkhardt2022syntact,
  title = {{SyntAct}: A Synthesized Database of Basic Emotions},
  author = {Burkhardt, Felix and Eyben, Florian and Schuller, Björn},
  booktitle = {Proc. Workshop on Dataset Creation for Lower-Resourced Languages (DCLRL) at LREC},
  pages = {1--9},
  year = {2022}
}""",
    how_to_get="Download syntact_cat.zip from the Zenodo record "
    "(https://zenodo.org/record/6573016/files/syntact_cat.zip) and unpack it.",
    layout="""
syntact_cat/
    db.files.csv                                  file -> speaker
    db.emotion.categories.train.desired.csv       file -> emotion, voices de1 to de4
    db.emotion.categories.test.desired.csv        file -> emotion, voices de6 and de7
    synthesized_audio/  de1_happy_p000009.wav ...
""",
    utterances=997,
    emotions={
        "anger": "anger",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "boredom": "boredom",
        "fear": "fear",
    },
    speakers=SPEAKERS,
    partitions={
        "official": Table(
            keys={"train": frozenset(["de1", "de2", "de3", "de4"]), "test": frozenset(["de6", "de7"])},
            rule="the database's own split by voice: de6 and de7 test, de1 to de4 train",
        )
    },
    downloads=(Archive(url="https://zenodo.org/record/6573016/files/syntact_cat.zip"),),
    papers=("exhubert",),
    traps=(
        "Labels are read from the tables (nouns), never from file names (angry, happy, neutral, sad, bored, scared), "
        "whose form differs between versions of the generator. The emotion is the intended one; nobody rated it.",
        "Rule-based synthesis is nearly deterministic for an emotion: figures near 100 % are normal.",
        "Public recipes list four classes (anger, happiness, neutral, sadness); boredom and fear were added to the "
        "generator later. Which of them the archive has is unverified, as is its number of files.",
        "Genders are those of the generator's constants, not of db.yaml.",
    ),
    errata=(
        Erratum(
            "The generator's database builder writes the opposite gender for de1 to de4, so that db.yaml is probably "
            "wrong for these voices (felixbur/syntAct scripts/constant.py@18e083200599f8888947e255bf139665651ee121 "
            "against scripts/make_audformat_db.py@21a9f77cfaeaa604b8e4682ea9241d996704fa9f)."
        ),
    ),
    facts_from=(
        "felixbur/syntAct@adc7b64d2410bf042075476d0d2989662dfafe7d: README.md, scripts/{constant.py,"
        "make_audformat_db.py,make_wavs_categories.py}, demo_wavs/",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/syntact/{README.md,exp.ini} (address, names "
        "of the tables, four labels)",
        "SuperKogito/SER-datasets@d748699: src/ser-datasets.csv (997 files, second-hand)",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 2: one of six unseen corpora",
    ),
)

LABELS = ("db.emotion.categories.train.desired.csv", "db.emotion.categories.test.desired.csv")
VOICE = re.compile(r"(?:^|_)(de[1-7])_")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every file below `root` that the tables of labels name.

    Raises:
        RawTreeError: one of the two tables of labels is missing.
        CorpusMismatchError: neither table nor name tells the voice of a file.
    """
    tables = {name: beside([root], name) for name in LABELS}
    missing = [name for name, path in tables.items() if path is None]
    if len(missing) == len(LABELS) and not (root / "synthesized_audio").is_dir():
        return
    if missing:
        raise RawTreeError(
            f"{CORPUS.name}: the labels are read from {root / missing[0]}, which does not exist. Unpack the whole of "
            "syntact_cat.zip."
        )
    files = beside([root], "db.files.csv")
    voices = (
        {cells["file"]: cells["speaker"] for _, cells in sheet.read(files, ("file", "speaker")).rows} if files else {}
    )
    for table in tables.values():
        for where, cells in sheet.read(table, ("file", "emotion")).rows:
            path = posixpath.normpath(cells["file"])
            if not (root / path).is_file():
                continue
            in_name = VOICE.search(posixpath.basename(path))
            speaker = voices.get(cells["file"]) or (in_name and in_name[1])
            if not speaker:
                raise CorpusMismatchError(
                    f"Corpus syntact, {table.name}, {where}: the voice stands in db.files.csv or in the name of a "
                    f"file; {path!r} has none. Restore db.files.csv."
                )
            yield Utterance(
                id="syntact-" + path.rpartition(".")[0].replace("/", "-"),
                path=path,
                native=cells["emotion"],
                speaker=speaker,
                gender=SPEAKERS.get(speaker, Gender.UNKNOWN),
                language="de",
            )
