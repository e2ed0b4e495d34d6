"""MES: Mandarin Emotional Speech, recorded by Nwe, Foo and De Silva."""

from collections.abc import Iterator
from pathlib import Path

from .. import manifest
from ..corpus import Access, Corpus, Licence, Permission, Source
from ..partitions.linked import emosetpp
from ..partitions.table import speaker_of
from ..utterance import Utterance

CORPUS = Corpus(
    id="mes",
    name="MES",
    description="The Mandarin half of Nwe, Foo and De Silva's recordings in Burmese and Mandarin: six emotions, acted.",
    languages=("zh",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="no public licence text was found",
    ),
    access=Access.REQUEST,
    homepage="https://doi.org/10.1016/S0167-6393(03)00099-2",
    citation="""@article{nwe2003speech,
  title = {Speech emotion recognition using hidden {Markov} models},
  author = {Nwe, Tin Lay and Foo, Say Wei and De Silva, Liyanage C.},
  journal = {Speech Communication},
  volume = {41},
  number = {4},
  pages = {603--623},
  year = {2003},
  doi = {10.1016/S0167-6393(03)00099-2}
}""",
    how_to_get="Not distributed publicly: ask the authors, and write the table mes.csv, as how the corpus names its "
    "files is not public.",
    layout=manifest.layout("mes"),
    utterances=360,
    emotions={
        "anger": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "joy": "happiness",
        "sadness": "sadness",
        "surprise": "surprise",
    },
    partitions=emosetpp("mes", speaker=speaker_of),
    papers=("exhubert",),
    traps=(
        "No public list of files was found: labels and speakers come from a table that the owner of a copy writes. "
        "Without speakers in it, `emosetpp` splits single utterances.",
        "Six speakers, three of them women, ten sentences for each of six emotions: that makes 360, but is unverified.",
        "22.05 kHz and 16 bit according to the paper (unverified).",
        "Not MES-P (Xiao et al. 2018), and not MASC.",
    ),
    facts_from=(
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 1, reference 27, and its model card (MES and BES share "
        "reference 3)",
    ),
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield the utterance of every row of ``mes.csv``.

    Raises:
        SheetError: the table breaks a rule.
    """
    yield from manifest.find(CORPUS, root, language="zh")
