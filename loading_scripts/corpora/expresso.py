"""Expresso: expressive read speech, and improvised dialogues of which each channel is one speaker."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import inf
from pathlib import Path

from ..annotations import beside
from ..corpus import Access, Archive, Corpus, Erratum, Licence, Permission, Source
from ..errors import CorpusMismatchError, RawTreeError
from ..partitions import Table, unit
from ..raw import match
from ..utterance import Gender, Utterance

SPEAKERS = dict.fromkeys(("ex01", "ex02", "ex03", "ex04"), Gender.UNKNOWN)

VAD = "VAD_segments.txt"

Times = list[tuple[float, float]]

SHORTEST = 0.5
"""Seconds; shorter segments are left out, as in the publisher's own preparation (create_short_segments_dataset.py)."""

# splits/*.txt. Style of read speech: for ex01 to ex04 the first number of dev and the first of test; all numbers before
# are train, and test goes to the end.
READ = {
    "confused": ((349, 366), (353, 367), (340, 361), (351, 367)),
    "default": ((341, 358), (342, 363), (331, 356), (339, 362)),
    "default_emphasis": ((157, 183), (160, 181), (155, 181), (162, 182)),
    "default_essentials": ((34, 37), (34, 37), (34, 37), (34, 37)),
    "enunciated": ((351, 366), (355, 370), (350, 369), (357, 370)),
    "happy": ((340, 357), (342, 363), (334, 359), (340, 363)),
    "laughing": ((349, 365), (352, 367), (338, 360), (351, 367)),
    "sad": ((342, 358), (343, 363), (342, 363), (345, 364)),
    "whisper": ((342, 359), (347, 364), (336, 360), (348, 366)),
}

# splits/*.txt. Dialogues and long read files: the number of the file whose opening is dev, that of the one whose
# opening is test, and the seconds of an opening. Where both are the same file, test follows dev. The rest is train.
_OPENINGS = """
ex01-ex02  default 7 8 60; enunciated 1 1 50.27; fast 4 3 60; projected 6 5 60; whisper 1 4 60
ex03-ex01  angry 5 6 60; awe 2 1 60; calm 2 1 60; confused 3 1 60; desire 4 4 60; disgusted 5 7 60; enunciated 1 1 60
ex03-ex01  happy 3 2 60; laughing 2 5 60; nonverbal 12 11 60; sarcastic 1 2 60; sleepy 1 3 60
ex03-ex02  animal-animaldir 4 7 60; animaldir-animal 11 10 60; child-childdir 3 2 60; childdir-child 4 5 60
ex03-ex02  laughing 1 1 27.25; narration 1 2 60; sad-sympathetic 3 4 60; sympathetic-sad 8 15 60
ex04-ex01  animal-animaldir 6 7 60; animaldir-animal 1 4 59.16; child-childdir 3 5 60; childdir-child 2 1 60
ex04-ex01  disgusted 3 1 60; laughing 6 3 60; narration 8 1 60; sad-sympathetic 6 2 60; sympathetic-sad 10 8 60
ex04-ex02  angry 4 3 60; awe 6 1 60; bored 5 3 60; calm 5 3 60; confused 2 1 60; desire 3 1 60; disgusted 10 12 60
ex04-ex02  enunciated 1 1 60; fearful 7 3 60; happy 13 12 60; laughing 3 2 60; nonverbal 6 4 60; sarcastic 4 1 60
ex04-ex03  default 10 5 60; enunciated 1 2 60; fast 5 2 60; projected 8 11 60; whisper 1 2 60
ex01  default_longform 1 1 16.49; narration_longform 1 1 16.99
ex02  default_longform 1 1 14.07; narration_longform 1 1 18.59
ex03  default_longform 1 1 13.39; narration_longform 1 1 14.98
ex04  default_longform 1 1 13.5; narration_longform 1 1 13.87
"""


def _openings(text: str) -> dict[str, tuple[int, int, float]]:
    openings = {}
    for line in text.strip().splitlines():
        who, _, rest = line.partition("  ")
        for entry in rest.split(";"):
            style, dev, test, seconds = entry.split()
            openings[f"{who}_{style}"] = int(dev), int(test), float(seconds)
    return openings


OPENINGS = _openings(_OPENINGS)


def parts(stem: str) -> list[tuple[str, float]]:
    """Return (split of `official`, its end in seconds) of the parts of a spoken file, in order.

    >>> parts("ex01-ex02_default_007")
    [('validation', 60.0), ('train', inf)]
    """
    kind, _, number = stem.rpartition("_")
    who, _, style = kind.partition("_")
    if style in READ and who in SPEAKERS:
        dev, test = READ[style][list(SPEAKERS).index(who)]
        return [("train" if int(number) < dev else "validation" if int(number) < test else "test", inf)]
    dev, test, seconds = OPENINGS.get(kind, (0, 0, 0.0))
    openings = [split for split, opened in (("validation", dev), ("test", test)) if opened == int(number)]
    return [(split, round(seconds * k, 2)) for k, split in enumerate(openings, 1)] + [("train", inf)]


def official_split(one: Utterance) -> str | None:
    """Return the split of the part of the file in which the utterance starts; None for singing."""
    if one.native == "singing":
        return None
    stem = one.path.rpartition("/")[2].removesuffix(".wav")
    return next(split for split, end in parts(stem) if (one.start or 0.0) < end)


def drawn(one: Utterance) -> str:
    """Return the split that a fixed hash of the file draws, 80 % train: a whole file is one sample of SER Evals."""
    whole = re.sub(r"(-channel\d)?@.*", "", one.id)
    return "train" if unit("expresso", "serevals", whole) < 0.8 else "test"


CORPUS = Corpus(
    id="expresso",
    name="Expresso",
    description="Four speakers read in eight styles and improvise dialogues in 26; the dialogues cut into the segments "
    "of each speaker.",
    languages=("en",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="CC-BY-NC-4.0", redistribution=Permission.YES, commercial=Permission.NO, note="LICENSE.txt of the corpus"
    ),
    access=Access.OPEN,
    homepage="https://speechbot.github.io/expresso/",
    citation="""@inproceedings{nguyen2023expresso,
  title = {{EXPRESSO}: A Benchmark and Analysis of Discrete Expressive Speech Resynthesis},
  author = {Nguyen, Tu Anh and Hsu, Wei-Ning and D'Avirro, Antony and Shi, Bowen and Gat, Itai and
            Fazel-Zarani, Maryam and Remez, Tal and Copet, Jade and Synnaeve, Gabriel and Hassid, Michael and
            Kreuk, Felix and Adi, Yossi and Dupoux, Emmanuel},
  booktitle = {Proc. Interspeech},
  year = {2023},
  eprint = {2308.05725},
  archiveprefix = {arXiv}
}""",
    how_to_get="Download https://dl.fbaipublicfiles.com/textless_nlp/expresso/data/expresso.tar (36 GB, MD5 "
    "6bf580a4cd4392ae2473626147b5307c) and unpack it.",
    layout="""
expresso/
    VAD_segments.txt  read_transcriptions.txt
    audio_48khz/
        read/ex01/happy/base/  ex01_happy_00001.wav ...                                mono
        read/ex01/default/longform/  ex01_default_longform_00001.wav                   mono, minutes long
        read/ex01/singing/  ...                                                        mono
        conversational/ex04-ex01/laughing/  ex04-ex01_laughing_001.wav ...             stereo, ex04 left
        conversational/ex04-ex01/animal-animaldir/  ex04-ex01_animal-animaldir_005.wav ...
""",
    utterances=26760,
    emotions={
        "angry": "anger",
        "animal": "other",
        "animaldir": "other",
        "awe": "awe",
        "bored": "boredom",
        "calm": "calm",
        "child": "other",
        "childdir": "other",
        "confused": "confusion",
        "default": "neutral",
        "desire": "desire",
        "disgusted": "disgust",
        "enunciated": "neutral",
        "fast": "neutral",
        "fearful": "fear",
        "happy": "happiness",
        "laughing": "laughter",
        "narration": "neutral",
        "nonverbal": "other",
        "projected": "neutral",
        "sad": "sadness",
        "sarcastic": "irony",
        "singing": "other",
        "sleepy": "sleepiness",
        "sympathetic": "sympathy",
        "whisper": "neutral",
    },
    speakers=SPEAKERS,
    partitions={
        "official": Table(
            keys={split: frozenset([split]) for split in ("train", "validation", "test")},
            key=official_split,
            rule="the corpus' own split (splits/{train,dev,test}.txt), about a minute of each speaker and style for "
            "dev and for test; segments that cross a border are cut there; singing is left out",
        ),
        "serevals": Table(
            keys={"train": frozenset(["train"]), "test": frozenset(["test"])},
            key=drawn,
            rule="by file: train below 0.8 of u = blake2b(expresso/serevals/id of the whole file), else test; speakers "
            "and styles on both sides",
        ),
    },
    downloads=(
        Archive(
            url="https://dl.fbaipublicfiles.com/textless_nlp/expresso/data/expresso.tar",
            md5="6bf580a4cd4392ae2473626147b5307c",
        ),
    ),
    papers=("ser_evals",),
    traps=(
        "Dialogues are stereo, one speaker on each side: a mix of both mixes voices and, in hyphenated styles, labels. "
        "Each channel is cut by VAD_segments.txt (pyannote), as are the long read files; the other speaker may leak "
        "into a channel.",
        "A segment that crosses a border of the official split is cut there, in every config, as the publisher does: "
        "dropping the 111 of them would take 17 of the 105 minutes of dev and test. Segments and pieces below 0.5 s "
        "are left out.",
        "15,153 of the 26,760 utterances are segments; they last up to 200 s, 437 of them over 30 s.",
        "Styles are no emotions: enunciated, fast, narration, projected and whisper are manners of speaking, called "
        "neutral here; other would be as defensible.",
        "SER Evals takes each of the 11,954 files as one sample, both channels mixed, the first 30 s, and its label "
        "from the first style that its list finds in the name: its awe, fear and disgust are 8, 8 and 24 dialogues.",
        "The official split shares speakers, and dialogues with disjoint times.",
        "emphasis and essentials are texts of the default style; their names stay in the ids.",
        "Two speakers are women and two are men; who is not stated in the read-me.",
        "A tree audio_16khz/ that the publisher's scripts made is not read.",
        "The names of the 11 singing files are unverified: every WAV file below read/*/singing is taken.",
    ),
    errata=(
        Erratum("The read-me's example of a path puts a file of ex04 into read/ex03/happy/base (textlesslib README)."),
        Erratum(
            "The table of styles in the read-me says animal_directed, child_directed and non_verbal where names say "
            "animaldir, childdir and nonverbal."
        ),
    ),
    facts_from=(
        "facebookresearch/textlesslib@ba33d669d8284b4f7bfe81e7384e83ab799fe384: examples/expresso/dataset/README.md, "
        "processing/{README.md,create_short_segments_dataset.py,expresso_splits/*,expresso_VAD_segments.txt}",
        "SER Evals (Osman et al., Interspeech 2024), Table 1 and section 3.1",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py",
    ),
)

SPOKEN = re.compile(
    r"audio_48khz/read/(?P<speaker>ex0[1-4])/(?!singing/)[a-z_]+/(?P<part>base|longform)/"
    r"(?P<stem>(?P=speaker)_(?P<style>[a-z]+)(?:_(?:emphasis|essentials|longform))?_\d{5})\.wav"
)
SUNG = re.compile(r"audio_48khz/read/(?P<speaker>ex0[1-4])/(?P<style>singing)/(?:[^/]+/)?[^/]+\.wav")
DIALOGUE = re.compile(
    r"audio_48khz/conversational/(?P<left>ex0[1-4])-(?P<right>ex0[1-4])/[a-z_-]+/"
    r"(?P<stem>(?P=left)-(?P=right)_(?P<style>[a-z]+)(?:-(?P<other>[a-z]+))?_\d{3})\.wav"
)
LINE = re.compile(r"(?P<name>[^\t]+)\t(?P<times>(?:\(\d+(?:\.\d+)?, ?\d+(?:\.\d+)?\)\s*)*)")
SEGMENT = re.compile(r"\(([\d.]+), ?([\d.]+)\)")


def find(root: Path) -> Iterator[Utterance]:
    """Yield every read file below `root`, and every segment of the dialogues and the long read files.

    Raises:
        RawTreeError: there are dialogues or long files, but no VAD_segments.txt.
        CorpusMismatchError: VAD_segments.txt lacks a file, or has a line of another form.
    """
    texts, speech = _transcripts(root), cache(_speech)
    for path, name in match(root, SPOKEN, "audio_48khz/read/*/*/base", "audio_48khz/read/*/*/longform"):
        whole = _whole(path, name["speaker"], name["style"], texts.get(name["stem"]))
        yield from [whole] if name["part"] == "base" else _segments(whole, name["stem"], speech(root), None)
    for path, name in match(root, SUNG, "audio_48khz/read/*/singing", "audio_48khz/read/*/singing/*"):
        yield _whole(path, name["speaker"], name["style"], None)
    for path, name in match(root, DIALOGUE, "audio_48khz/conversational/*/*"):
        styles = name["style"], name["other"] or name["style"]
        for channel, (speaker, style) in enumerate(zip((name["left"], name["right"]), styles, strict=True)):
            yield from _segments(_whole(path, speaker, style, None), name["stem"], speech(root), channel)


def _whole(path: str, speaker: str, style: str, transcript: str | None) -> Utterance:
    return Utterance(
        id="expresso-" + path.removesuffix(".wav").replace("/", "-"),
        path=path,
        native=style,
        speaker=speaker,
        gender=SPEAKERS[speaker],
        language="en",
        transcript=transcript,
    )


def _segments(whole: Utterance, stem: str, speech: dict[str, Times], channel: int | None) -> Iterator[Utterance]:
    """Yield the segments of one speaker in a file, cut where the official split changes."""
    name, suffix = (stem, "") if channel is None else (f"{stem}/channel{channel + 1}", f"-channel{channel + 1}")
    if name not in speech:
        raise CorpusMismatchError(
            f"Corpus expresso: {VAD} has a line for each long read file and each channel of a dialogue; {name!r} has "
            "none. Copy the table again, or remove the file."
        )
    borders = [end for _, end in parts(stem)]
    for start, end in speech[name]:
        cuts = [start, *(border for border in borders if start < border < end), end]
        for first, last in pairwise(cuts):
            if round(last - first, 2) >= SHORTEST:
                span = f"{round(1000 * first)}-{round(1000 * last)}"
                yield replace(
                    whole, id=f"{whole.id}{suffix}@{span}", start=first, end=last, channel=channel, transcript=None
                )


def _speech(root: Path) -> dict[str, Times]:
    """Return name of a long file (and channel) -> start and end of its segments in seconds."""
    path = beside([root], VAD, f"expresso_{VAD}")
    if path is None:
        raise RawTreeError(
            f"{CORPUS.name}: dialogues and long read files are cut by {root / VAD}, which does not exist. Copy it from "
            "the archive, or expresso_VAD_segments.txt from https://github.com/facebookresearch/textlesslib."
        )
    speech = {}
    for number, text in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not text.strip() or text.startswith("#"):
            continue
        line = LINE.fullmatch(text.rstrip())
        if not line:
            raise CorpusMismatchError(
                f"Corpus expresso, {path.name}, line {number}: a line is a name, a tab and segments (start, end) in "
                f"seconds; found {text[:60]!r}. Copy the table again."
            )
        speech[line["name"]] = [(float(start), float(end)) for start, end in SEGMENT.findall(line["times"])]
    return speech


def _transcripts(root: Path) -> dict[str, str]:
    """Return name -> text of the read files, emphasis between asterisks; empty where the table is missing."""
    path = beside([root], "read_transcriptions.txt")
    if path is None:
        return {}
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    return {name: text for name, _, text in (line.partition("\t") for line in lines) if text}
