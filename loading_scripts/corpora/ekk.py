"""EKK: the Estonian Emotional Speech Corpus."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from ..corpus import Access, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError, near
from ..partitions import serevals
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKER = "reader"

CORPUS = Corpus(
    id="ekk",
    name="EKK",
    description="One woman reads Estonian sentences from newspapers without being told an emotion; listeners named it.",
    languages=("et",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="listed by META-SHARE Estonia, with a copy on DagsHub; no licence text was found",
    ),
    access=Access.OPEN,
    homepage="https://metashare.ut.ee/repository/browse/estonian-emotional-speech-corpus/"
    "4d42d7a8463411e2a6e4005056b40024a19021a316b54b7fb707757d43d1a889/",
    citation="""@inproceedings{altrov2012estonian,
  title = {{Estonian} Emotional Speech Corpus: theoretical base and implementation},
  author = {Altrov, Rene and Pajupuu, Hille},
  booktitle = {4th International Workshop on Corpora for Research on Emotion Sentiment \\& Social Signals (ES3), LREC},
  pages = {50--53},
  year = {2012}
}""",
    how_to_get="Get the corpus from META-SHARE Estonia, or the copy on DagsHub "
    "(https://dagshub.com/kingabzpro/Estonian-Emotional-Speech-Corpus), and unpack the archive of WAV and TextGrid "
    "files.",
    layout="""
EKORPUS/
    37.wav  37.TextGrid ... 121330.wav  121330.TextGrid   1164 pairs in one folder
""",
    utterances=1164,
    emotions={"anger": "anger", "joy": "happiness", "neutral": "neutral", "sadness": "sadness"},
    speakers={SPEAKER: Gender.FEMALE},
    partitions=serevals("ekk"),
    papers=("ser_evals",),
    traps=(
        "The label is the first interval of the tier emotion in the TextGrid of the same name; tiers are taken by "
        "name, not by position.",
        "Names are numbers of two to six digits without padding: pair files by name, never two listings by order.",
        "One speaker: nothing here is speaker-independent.",
        "The percentages of the listeners are on the corpus' site, not among the files.",
    ),
    errata=(
        Erratum(
            "The corpus' description counts 1,234 sentences; the folder that is passed on has 1,164 (names counted)."
        ),
        Erratum("SER Evals prints ten speakers; the corpus' description says one woman."),
        Erratum(
            "A public table of labels (felixbur/nkululeko, data/ekorpus) pairs two listings by order: its totals are "
            "right, single labels may be shifted."
        ),
    ),
    facts_from=(
        "Strong-AI-Lab/emotion@30815b104356146498a067627425be845c03591a: datasets/EESC/process.py, docs/datasets.rst",
        "felixbur/nkululeko@a1e2bd19f7277135e548d4f6d4e73c8194aff299: data/ekorpus (description, 1,164 names)",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py",
    ),
)

GRAMMAR = re.compile(r"(?P<clip>\d+)\.wav")

# A tier and the text of its first interval. Between the strings of a TextGrid stand numbers and, in the long form,
# words.
TIER = re.compile(r'"IntervalTier"[^"]*"\s*(?P<tier>[^"]*?)\s*"[^"]*"(?P<text>(?:[^"]|"")*)"')


def find(root: Path) -> Iterator[Utterance]:
    """Yield every clip in `root` that has a TextGrid.

    Raises:
        RawTreeError: there are clips, but no TextGrids.
        CorpusMismatchError: a TextGrid names no emotion of the corpus.
    """
    clips = list(match(root, GRAMMAR, "."))
    grids = {path.stem: path for path in root.iterdir() if path.suffix.lower() == ".textgrid"} if clips else {}
    if clips and not grids:
        raise RawTreeError(
            f"{CORPUS.name}: the label of {root / clips[0][0]} is read from {clips[0][1]['clip']}.TextGrid beside it; "
            f"{root} has no TextGrid files. Unpack those of the archive as well."
        )
    for path, name in clips:
        if (grid := grids.get(name["clip"])) is None:
            continue  # no utterance; listing names such files, and refuses the tree where they are many
        tiers = _tiers(grid)
        emotion = tiers.get("emotion", "").casefold()
        if emotion not in CORPUS.emotions:
            raise CorpusMismatchError(
                f"{CORPUS.name}: the tier emotion of {grid} starts with one of {', '.join(CORPUS.emotions)}; found "
                f"{emotion!r}.{near(emotion, CORPUS.emotions)} Copy the file from the archive again, or correct it."
            )
        yield Utterance(
            id=f"ekk-{name['clip']}",
            path=path,
            native=emotion,
            speaker=SPEAKER,
            gender=Gender.FEMALE,
            language="et",
            transcript=tiers.get("sentence") or None,
        )


def _tiers(path: Path) -> dict[str, str]:
    """Return tier -> text of its first interval, of a TextGrid in Praat's long or short form."""
    data = path.read_bytes()
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = data.decode("utf-16" if utf16 else "utf-8-sig", "replace")
    return {
        tier["tier"].casefold(): tier["text"].replace('""', '"').strip() for tier in reversed([*TIER.finditer(text)])
    }
