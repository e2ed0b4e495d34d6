"""RESD: the Russian Emotional Speech Dialogs."""

import csv
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError
from ..partitions import EMOBOX, Table, serevals
from ..raw import match
from ..utterance import Gender, Utterance

SPLITS = ("train", "test")


def split_of(one: Utterance) -> str:
    """Return the folder that holds the folder of the dialogue."""
    return one.path.split("/")[-3]


OFFICIAL = Table(
    keys={split: frozenset([split]) for split in SPLITS},
    key=split_of,
    rule="the corpus' own split, in whose two parts the same 50 dialogues occur",
)

CORPUS = Corpus(
    id="resd",
    name="RESD",
    description="Clips of 50 acted Russian dialogues, in each of which two actors show one emotion each; seven "
    "emotions.",
    languages=("ru",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="MIT",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as public descriptions of the Hub card state it (the card was not seen)",
    ),
    access=Access.OPEN,
    homepage="https://huggingface.co/datasets/Aniemore/resd_annotated",
    citation="""@misc{aniemore2022resd,
  title = {Open library of artificial intelligence for analysis and recognition of emotional shades of human speech
           ({Aniemore})},
  author = {Amentes, Artem and Lubenets, Ilya and Davidchuk, Nikita},
  publisher = {Hugging Face},
  year = {2022},
  doi = {10.57967/hf/1272}
}""",
    how_to_get="Download the two Parquet files (390 MB) from the folder data of the homepage and unpack them: "
    "python -m loading_scripts.corpora.resd FOLDER. The older packing, folders of WAV files (also "
    "https://huggingface.co/datasets/Aniemore/resd), is read as it is.",
    layout="""
<root>/
    train.csv  test.csv                                              optional: transcripts
    train/  happiness_enthusiasm_32/  32_happiness_enthusiasm_h_120.wav ...
            03_disgust_neutral/       03_disgust_neutral n_050.wav ...
    test/   the same 50 folders                                      1116 + 280 files
""",
    utterances=1396,
    emotions={
        "a": "anger",
        "d": "disgust",
        "e": "enthusiasm",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "s": "sadness",
    },
    classes={
        "a": "Angry",
        "d": "Disgust",
        "e": "Enthusiastic",
        "f": "Fear",
        "h": "Happy",
        "n": "Neutral",
        "s": "Sad",
    },
    partitions={
        "fold1": replace(OFFICIAL, rule=f"the corpus' own split, by the folders train and test, as in {EMOBOX}"),
        "official": OFFICIAL,
    }
    | serevals("resd"),
    papers=("emobox", "ser_evals"),
    traps=(
        "The letter before the last number is the label; the two words before it are the emotions of the dialogue.",
        "Who speaks is not told: 50 dialogues of two actors, all in train and in test. Dialogue and emotion together "
        "come close to a speaker, but a clip may hold both actors.",
        "The folders of the dialogues 01 to 11 have the number in front, and their files a blank before the letter.",
        "The files in 11_disgust_anger are called 11_anger_disgust.",
        "Sampling rates are mixed: 716 files have 16 kHz, 680 have 44.1 kHz, one rate in each folder.",
        "EmoBox's ids keep the suffix .wav.",
    ),
    errata=(
        Erratum(
            "Transcripts come from a recognizer and have many errors; in some clips several actors speak (a public "
            "evaluation of Russian recognizers)."
        ),
        Erratum("EmoBox and SER Evals print 200 speakers, other texts 20 or 240 actors; no clip names one."),
    ),
    facts_from=(
        "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b: data/resd, EmoBox/preprocess/scripts/resd.py",
        "public scripts that name the Parquet files, their columns and the sampling rates",
    ),
)

GRAMMAR = re.compile(
    r"(?:train|test)/[^/]+/(?P<name>(?P<stem>\d{2}_[a-z]+_[a-z]+[_ ](?P<emotion>[adefhns])_\d{3})\.wav)"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip below `root`.

    Raises:
        RawTreeError: the clips are still packed in Parquet files.
    """
    spoken: dict[str, str] | None = None
    for path, name in match(root, GRAMMAR, *(f"{split}/*" for split in SPLITS)):
        spoken = _spoken(root) if spoken is None else spoken
        yield Utterance(
            id=f"resd-{name['name']}",
            path=path,
            native=name["emotion"],
            speaker=None,
            gender=Gender.UNKNOWN,
            language="ru",
            transcript=spoken.get(name["stem"]),
        )
    packed = [path.parent for path in _packed(root) if not (path.parent / path.name.partition("-")[0]).is_dir()]
    if spoken is None and packed:
        raise RawTreeError(
            f"{CORPUS.name}: clips are WAV files; those of {packed[0]} lie inside Parquet files. Unpack them: "
            f"python -m loading_scripts.corpora.resd {root}"
        )


def _spoken(root: Path) -> dict[str, str]:
    """Return stem -> transcript from the tables that have a column of that sort; empty where there are none."""
    texts = {}
    for path in (beside([root], f"{split}.csv") for split in SPLITS):
        if path is not None:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for line in csv.DictReader(file):
                    if line.get("path") and line.get("text"):
                        texts[Path(line["path"]).stem] = line["text"].strip()
    return texts


def _packed(root: Path) -> list[Path]:
    """Return the Parquet files of both splits in `root` or its folder data."""
    folders = (root, root / "data")
    return sorted(path for folder in folders for split in SPLITS for path in folder.glob(f"{split}-*.parquet"))


def unpack(folder: Path) -> int:
    """Write the clips of the Parquet files in `folder`, or in its folder data, as train/ and test/ with their tables.

    A split that is there already is left alone; a killed run leaves none that is half written.

    Args:
        folder: where the Parquet files lie, and where train/ and test/ go.

    Returns:
        Number of clips written.

    Raises:
        RawTreeError: there are no Parquet files.
        CorpusMismatchError: a row names a path that is none of the corpus.
    """
    import pyarrow.parquet as pq

    packed = _packed(folder)
    if not packed:
        raise RawTreeError(f"{CORPUS.name}: no train-*.parquet or test-*.parquet in {folder}, nor in its folder data.")
    written = 0
    for split in SPLITS:
        if (folder / split).exists():
            continue
        part = folder / f"{split}.part"
        shutil.rmtree(part, ignore_errors=True)
        table = []
        for shard in (path for path in packed if path.name.startswith(f"{split}-")):
            for batch in pq.ParquetFile(shard).iter_batches(64):
                for row in batch.to_pylist():
                    if not GRAMMAR.fullmatch(f"{split}/{row['path']}"):
                        raise CorpusMismatchError(
                            f"{CORPUS.name}: {shard} has a clip {row['path']!r}, which is no DIALOGUE/NAME.wav of the "
                            "corpus. Download the file again."
                        )
                    clip = part / row["path"]
                    clip.parent.mkdir(parents=True, exist_ok=True)
                    clip.write_bytes(row["speech"]["bytes"])
                    table.append({name: row[name] for name in ("name", "path", "emotion", "text")})
        if not table:
            continue
        with (folder / f"{split}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, table[0])
            writer.writeheader()
            writer.writerows(table)
        part.replace(folder / split)
        written += len(table)
    return written


if __name__ == "__main__":
    print(f"{unpack(Path(sys.argv[1]))} clips written")
