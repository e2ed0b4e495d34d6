"""AESI: the Athens Emotional States Inventory."""

from collections.abc import Iterator
from pathlib import Path

from .. import manifest
from ..corpus import Access, Corpus, Licence, Permission, Source
from ..utterance import Utterance

CORPUS = Corpus(
    id="aesi",
    name="AESI",
    description="Twenty Greek speakers, no actors, read sentences whose text itself suggests one of five emotional "
    "states; about 28 minutes.",
    languages=("el",),
    sources=(Source.ACTED,),
    licence=Licence(
        id="custom",
        redistribution=Permission.UNCLEAR,
        commercial=Permission.UNCLEAR,
        note="no public licence text was found",
    ),
    access=Access.REQUEST,
    homepage="https://doi.org/10.3109/15622975.2015.1012228",
    citation="""@article{chaspari2015development,
  title = {The development of the {Athens} Emotional States Inventory ({AESI}): collection, validation and automatic
           processing of emotionally loaded sentences},
  author = {Chaspari, Theodora and Soldatos, Constantin and Maragos, Petros},
  journal = {The World Journal of Biological Psychiatry},
  volume = {16},
  number = {5},
  pages = {312--322},
  year = {2015},
  doi = {10.3109/15622975.2015.1012228}
}""",
    how_to_get="Ask the authors (CVSP group, National Technical University of Athens), and write the table aesi.csv, "
    "as how the corpus names its files is not public.",
    layout=manifest.layout("aesi"),
    utterances=696,
    emotions={"anger": "anger", "fear": "fear", "joy": "happiness", "sadness": "sadness", "neutral": "neutral"},
    papers=("exhubert",),
    traps=(
        "The text carries the emotion: a model that hears words scores high.",
        "No public list of files was found: labels and speakers come from a table that the owner of a copy writes.",
        "The recordings are audio-visual; rates and channels are unverified. Containers (.mp4, .avi) are read too.",
        "The numbers of utterances per emotion are not published; the corpus is described as balanced.",
    ),
    facts_from=(
        "abstract of the paper: 696 utterances, 20 speakers, five states, 28 minutes",
        "ExHuBERT (Amiriparian et al., Interspeech 2024), Table 2, reference 30: one of six unseen corpora",
    ),
)


def find(root: Path) -> Iterator[Utterance]:
    """Yield the utterance of every row of ``aesi.csv``.

    Raises:
        SheetError: the table breaks a rule.
    """
    yield from manifest.find(CORPUS, root, language="el")
