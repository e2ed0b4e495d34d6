"""Thorsten-Voice: the emotional recordings of 2021.06."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..partitions import serevals
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKER = "thorsten"
TABLE = "thorsten-emotional-metadata.csv"

CORPUS = Corpus(
    id="thorsten",
    name="Thorsten-Voice emotional",
    description="One man reads 300 German sentences in eight styles: five emotions, sleepy, drunk and whispering.",
    languages=("de",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC0-1.0",
        redistribution=Permission.YES,
        commercial=Permission.YES,
        note="as the publisher states for all Thorsten-Voice sets; one third party says CC BY 4.0",
    ),
    access=Access.OPEN,
    homepage="https://www.thorsten-voice.de/",
    citation="""@misc{mueller2021thorsten,
  title = {Thorsten-Voice - emotional dataset 2021.06},
  author = {Müller, Thorsten and Kreutz, Dominik},
  publisher = {Zenodo},
  year = {2021},
  doi = {10.5281/zenodo.5525023}
}""",
    how_to_get="Download thorsten-emotional_v02.tgz from "
    "https://www.openslr.org/resources/110/thorsten-emotional_v02.tgz or Zenodo record 5525023 (sha256 "
    "ff17a96a8c11742a7798e7800386159ada2ceb682ebef6402ecc68abf8c6e9bf) and unpack it.",
    layout=f"""
thorsten-emotional_v02/
    amused/  angry/  disgusted/  drunk/  neutral/  sleepy/  surprised/   300 files each: <32 hex digits>.wav
    whisper/                                                             299
    {TABLE}                                      transcripts
""",
    utterances=2399,
    emotions={
        "amused": "amusement",
        "angry": "anger",
        "disgusted": "disgust",
        "drunk": "drunkenness",
        "neutral": "neutral",
        "sleepy": "sleepiness",
        "surprised": "surprise",
        "whisper": "whispering",
    },
    speakers={SPEAKER: Gender.MALE},
    partitions=serevals("thorsten"),
    downloads=(
        Archive(
            url="https://zenodo.org/records/5525023/files/thorsten-emotional_v02.tgz?download=1",
            sha256="ff17a96a8c11742a7798e7800386159ada2ceb682ebef6402ecc68abf8c6e9bf",
            md5="f19585f3759c6d026757c46024a37aa4",
        ),
    ),
    papers=("ser_evals",),
    traps=(
        "The name of a file is a hash of its sentence and the same in all styles: alone it is no key, and `serevals` "
        "shares sentences between train and test.",
        "Whisper, drunk and sleepy are styles and states, not emotions; SER Evals calls them other.",
        "The later release at 44.1 kHz (Thorsten-Voice/TV-44kHz-Full, TV-2021.06-Emotional) has 2,020 rows: another "
        "set.",
        "One speaker: nothing here is speaker-independent.",
    ),
    errata=(
        Erratum(
            "Sentence 2cc2cc4a34b961ef1657cc82dbd18875 has no whispered take: 2,399 files instead of 2,400 (counted)."
        ),
        Erratum(
            "SER Evals cites the neutral set 2021.02; its 2,399 samples in six classes fit the emotional set only."
        ),
    ),
    facts_from=(
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/thorsten-emotional (2,399 names, address)",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py",
        "a public preparation script for Zenodo record 5525023 (checksums, table, missing file)",
    ),
)

GRAMMAR = re.compile(rf"(?P<emotion>{'|'.join(CORPUS.emotions)})/(?P<sentence>[0-9a-f]{{32}})\.wav")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`."""
    texts: dict[str, str] | None = None
    for path, name in match(root, GRAMMAR, *CORPUS.emotions):
        texts = _texts(beside([root], TABLE)) if texts is None else texts
        yield Utterance(
            id=f"thorsten-{name['emotion']}-{name['sentence']}",
            path=path,
            native=name["emotion"],
            speaker=SPEAKER,
            gender=Gender.MALE,
            language="de",
            transcript=texts.get(name["sentence"]),
        )


def _texts(path: Path | None) -> dict[str, str]:
    """Return hash -> sentence; empty where there is no table."""
    if path is None:
        return {}
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return {sentence.strip(): text.strip() for sentence, bar, text in (line.partition("|") for line in lines) if bar}
