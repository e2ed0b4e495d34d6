"""SER Evals' corpora: which are tested on which, and how many utterances of each class the paper had."""

from functools import cache

from ser_metrics.published import table

from .label_maps.serevals import CLASSES, CODES

ALIASES = {"baum": "baum1", "eekk": "ekk"}
"""The paper's name of a corpus, in lower case -> our id, where both differ."""

ELIGIBLE = ("emovo", "mesd", "demos", "baum1", "meld", "mead", "cafe", "expresso", "subesco")
"""The corpora that the paper tests on each other (Table 1), in the order of its code."""

GROUPS = (("emodb", "resd"), ELIGIBLE, ("urdu", "ekk"))
"""Corpora whose code tests each on the others of its group; the paper shows the second (serval fe66005)."""


def corpus_id(name: str) -> str:
    """Return our id of what SER Evals calls a corpus.

    >>> corpus_id("eekk"), corpus_id("CaFEDataset")
    ('ekk', 'cafe')
    """
    folded = name.casefold().removesuffix("dataset")
    return ALIASES.get(folded, folded)


@cache
def published_counts() -> dict[str, dict[str, int]]:
    """Return corpus -> class -> utterances that the paper had, after its map."""
    return {
        corpus_id(row["dataset"]): {name: int(row[name]) for name in CLASSES} for row in table("serevals_class_counts")
    }


def paired(source: str, test: str) -> bool:
    """Return whether one corpus is tested on another: both in a group of the paper, or one of them not in the paper."""
    if {source, test} <= set(CODES):
        return any({source, test} <= set(group) for group in GROUPS)
    return True
