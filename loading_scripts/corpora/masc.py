"""MASC: Mandarin Affective Speech (LDC2007S09)."""

import re
from collections.abc import Iterator
from pathlib import Path

from .. import manifest
from ..annotations import beside
from ..corpus import Access, Corpus, Licence, Permission, Source
from ..partitions import serevals
from ..raw import match
from ..utterance import Gender, Utterance

CORPUS = Corpus(
    id="masc",
    name="MASC",
    description="68 speakers of Mandarin read phrases, sentences and paragraphs after scenarios that call for one of "
    "five emotional states.",
    languages=("zh",),
    sources=(Source.ELICITED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.NO,
        commercial=Permission.NO,
        note="Mandarin Affective Speech Agreement of the Linguistic Data Consortium",
    ),
    access=Access.PURCHASE,
    homepage="https://catalog.ldc.upenn.edu/LDC2007S09",
    citation="""@inproceedings{wu2006masc,
  title = {{MASC}: A Speech Corpus in {Mandarin} for Emotion Analysis and Affective Speaker Recognition},
  author = {Wu, Tian and Yang, Yingchun and Wu, Zhaohui and Li, Dongdong},
  booktitle = {IEEE Odyssey: The Speaker and Language Recognition Workshop},
  pages = {1--5},
  year = {2006},
  doi = {10.1109/ODYSSEY.2006.248084}
}""",
    how_to_get="License LDC2007S09 from the Linguistic Data Consortium (web download). If your copy has another tree, "
    "put a table masc.csv beside the audio, with the columns file, emotion and speaker.",
    layout="""
MASC/
    data/
        <speaker>/{anger,elation,neutral,panic,sadness}/<kind of text>/<item>.wav
(only the emotion is certain: it is the folder two levels above the file)
""",
    utterances=25636,
    emotions={
        "anger": "anger",
        "elation": "happiness",
        "neutral": "neutral",
        "panic": "fear",
        "sadness": "sadness",
    },
    partitions=serevals("masc"),
    papers=("ser_evals",),
    traps=(
        "Every text is repeated three times by every speaker in every emotion: split by speaker.",
        "The 136 neutral paragraphs (two of each speaker) are much longer than the rest; SER Evals keeps them.",
        "The speaker is taken from the folder above the emotion, which is unverified; where the emotion lies directly "
        "below data/, the speaker is unknown. 23 of the 68 speakers are women; which is not known here.",
        "Other corpora are called MASC as well.",
    ),
    facts_from=(
        "LDC catalogue page LDC2007S09 (22,050 Hz, licence, 68 speakers, five states, DOI 10.35111/652a-3x97)",
        "abstract of the Odyssey paper, which says 10 sentences where the count of the release needs 20: 25,636 = 68 "
        "speakers x (5 emotions x 25 texts x 3 repetitions + 2 paragraphs)",
        "spaghettiSystems/serval@fe6600542d8ab5b0531e8845bbdfd7118c85bb23: cleaner_datasets.py, constants.py (tree, "
        "label map, class distribution)",
    ),
)

GRAMMAR = re.compile(
    r"(?i)data/(?:(?:.+/)?(?P<speaker>[^/]+)/)?(?P<emotion>anger|elation|neutral|panic|sadness)/[^/]+/[^/]+\.wav"
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield every utterance below `root`, or every row of ``masc.csv`` where there is one.

    Raises:
        SheetError: the table breaks a rule.
    """
    if beside([root], "masc.csv"):
        yield from manifest.find(CORPUS, root, language="zh")
        return
    for path, name in match(root, GRAMMAR, "data/**"):
        yield Utterance(
            id="masc-" + name[0].rpartition(".")[0].replace("/", "-"),
            path=path,
            native=name["emotion"].lower(),
            speaker=name["speaker"],
            gender=Gender.UNKNOWN,
            language="zh",
        )
