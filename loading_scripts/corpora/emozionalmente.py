"""Emozionalmente: Italian emotional speech that amateurs recorded at home."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..annotations import beside
from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError
from ..partitions import Table, listed_folds
from ..raw import match
from ..utterance import Gender, Utterance

# 431 names of 64 digits; their genders stand in a table of the corpus, which is read with it.
_NAMES = Path(__file__).parent.parent / "speakers" / "emozionalmente.txt"
SPEAKERS = dict.fromkeys(_NAMES.read_text(encoding="utf-8").splitlines()[1:], Gender.UNKNOWN)

GENDERS = dict.fromkeys(("f", "female", "femmina", "donna", "woman"), Gender.FEMALE) | dict.fromkeys(
    ("m", "male", "maschio", "uomo", "man"), Gender.MALE
)

# Split -> what its table may be called; version 1.1 has them in metadata/split/.
SPLITS = {"train": ("train",), "validation": ("dev", "valid", "validation", "val"), "test": ("test",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip(Utterance):
    """An utterance that knows which table of the corpus' own split lists it.

    Args:
        split: a key of `SPLITS`, or None in version 1, which has no such tables.
    """

    split: str | None


def own_split(one: Utterance) -> str | None:
    """Return the corpus' own split of an utterance."""
    return one.split if isinstance(one, Clip) else None


CORPUS = Corpus(
    id="emozionalmente",
    name="Emozionalmente",
    description="431 amateurs speak 18 Italian sentences in seven emotions, recorded at home; rated by a crowd.",
    languages=("it",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-4.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as stated in two catalogues (nkululeko@a1e2bd1, SuperKogito/SER-datasets@d748699)",
    ),
    access=Access.OPEN,
    homepage="https://zenodo.org/records/6569824",
    citation="""@article{catania2025emozionalmente,
  title = {Emozionalmente: A Crowdsourced Corpus of Simulated Emotional Speech in {Italian}},
  author = {Catania, Fabio and Wilke, Jordan W. and Garzotto, Franca},
  journal = {IEEE Transactions on Audio, Speech and Language Processing},
  volume = {33},
  pages = {1142--1155},
  year = {2025},
  doi = {10.1109/TASLPRO.2025.3540662}
}""",
    how_to_get="Download emozionalmente.zip of version 1.1 from https://zenodo.org/records/12616095 (558.9 MB, md5 "
    "398c6502dd2b0e1e810f927c12897547), or emozionalmente_dataset.zip of version 1, and unpack it.",
    layout="""
emozionalmente/                (emozionalmente_dataset/ in version 1)
    audio/     1612871026347.wav ...   6902 files
    metadata/  samples.csv  users.csv
               split/          train, dev and test, in version 1.1 only
""",
    utterances=6902,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "happiness",
        "neutrality": "neutral",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    classes={
        "anger": "Angry",
        "disgust": "Disgust",
        "fear": "Fear",
        "joy": "Happy",
        "neutrality": "Neutral",
        "sadness": "Sad",
        "surprise": "Surprise",
    },
    speakers=SPEAKERS,
    partitions=listed_folds("emozionalmente", 1)
    | {
        "official": Table(
            keys={split: frozenset([split]) for split in SPLITS},
            key=own_split,
            rule="the split by speaker of version 1.1, tables in metadata/split/; empty in version 1, which has none",
        )
    },
    downloads=(Archive(url="https://zenodo.org/record/6569824/files/emozionalmente_dataset.zip"),),
    papers=("emobox",),
    traps=(
        "The label is what the actor meant to express. Five votes of listeners for each clip are in "
        "metadata/evaluations.csv; they recognize it in 66 % (unweighted mean over the emotions).",
        "Speakers are named by hashes of 64 digits, and have 1 to 105 utterances each.",
        "Names of the files are times in milliseconds and say nothing else; labels, speakers and texts stand in "
        "metadata/samples.csv, genders in metadata/users.csv.",
        "The split of version 1.1 keeps speakers apart (274, 69 and 88 of them, 4,366, 1,202 and 1,334 utterances); "
        "version 1 lacks its tables, and `official` is empty there.",
        "Three of the 18 sentences are sentences of EMOVO (b1, b3, l4).",
    ),
    errata=(
        Erratum("150 clips are at 44.1 kHz, although the page promises 16 kHz (EmoBox's list)."),
        Erratum("EmoBox's paper counts six emotions, its list has seven."),
        Erratum(
            "315 of the 329 test speakers of EmoBox's fold1 are also in train, with 99 % of the utterances (counted)."
        ),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/emozionalmente, "
        "EmoBox/preprocess/scripts/emozionalmente.py",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/emozionalmente",
        "ESPnet, egs3/emozionalmente: README.md (version 1.1, its split, sentences shared with EMOVO)",
        "Zenodo record 6569824 (description, checksum)",
    ),
)

GRAMMAR = re.compile(r"audio/(?P<clip>\d{13}\.wav)")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root` that has a line in the table of samples.

    Raises:
        RawTreeError: a table is missing.
        CorpusMismatchError: a table lacks a column, or has an unknown emotion.
    """
    clips = list(match(root, GRAMMAR, "audio"))
    if not clips:
        return
    metadata = root / "metadata"
    samples = _by_clip(_table(metadata, ("samples",), "file_name", "actor", "sentence", "emotion_expressed"))
    users = {line["username"]: line["gender"] for line in _table(metadata, ("users",), "username", "gender")}
    splits = {clip: split for split, names in SPLITS.items() for clip in _listed(metadata / "split", names)}
    for path, name in clips:
        line = samples.get(name["clip"])
        if line is None:
            continue
        if line["emotion_expressed"] not in CORPUS.emotions:
            raise CorpusMismatchError(
                f"{CORPUS.name}: emotions are {sorted(CORPUS.emotions)}; {metadata / 'samples.csv'} has "
                f"{line['emotion_expressed']!r} for {name['clip']}. Copy the table from {CORPUS.homepage} again."
            )
        yield Clip(
            id=f"emozionalmente-{name['clip'].removesuffix('.wav')}",
            path=path,
            native=line["emotion_expressed"],
            speaker=line["actor"],
            gender=GENDERS.get(users.get(line["actor"], "").strip().lower(), Gender.UNKNOWN),
            language="it",
            transcript=line["sentence"] or None,
            split=splits.get(name["clip"]),
        )


def _by_clip(lines: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {PurePosixPath(line["file_name"]).name: line for line in lines}


def _listed(folder: Path, names: tuple[str, ...]) -> Iterable[str]:
    """Return the clips of one split; none in version 1."""
    return _by_clip(_table(folder, names, "file_name")) if folder.is_dir() else ()


def _table(folder: Path, names: tuple[str, ...], *columns: str) -> list[dict[str, str]]:
    """Return the lines of a table, which has one of `names`, after checking its columns."""
    path = beside([folder], *(f"{name}.csv" for name in names))
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: what the names of the clips do not say is read from {folder / names[0]}.csv, which does "
            f"not exist. Copy it from the archive, see {CORPUS.homepage}."
        )
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        lines = csv.DictReader(file)
        missing = sorted(set(columns) - set(lines.fieldnames or ()))
        if missing:
            raise CorpusMismatchError(
                f"{CORPUS.name}: {path} has columns {', '.join(columns)}; {', '.join(missing)} not found among "
                f"{lines.fieldnames}. Copy it from the archive, see {CORPUS.homepage}."
            )
        return list(lines)
