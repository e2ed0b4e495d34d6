"""Label maps: every emotion noun of the field -> unified8 and arousal_valence, each line with its basis.

The tables are data (`labels.csv`, `label_overrides.csv`, `label_aliases.csv`) that a person may correct; a corpus
override wins over the general line. A noun that is not in the table is an error, never silently "other".
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import UnknownNameError, near

UNIFIED8 = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "other")
"""Classes of the `unified8` column, in column order."""

AROUSAL_VALENCE = (
    "low_negative",
    "low_neutral",
    "low_positive",
    "high_negative",
    "high_neutral",
    "high_positive",
)
"""Classes of the `arousal_valence` column; index = 3 * arousal + valence, the output order of ExHuBERT's card."""

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Mapping:
    """What one noun means in one corpus.

    Args:
        unified8: one of `UNIFIED8`.
        arousal_valence: one of `AROUSAL_VALENCE`, or None where the noun has no place on the circle.
        basis_unified8: why, with the source.
        basis_arousal_valence: why, with the source.
    """

    unified8: str
    arousal_valence: str | None
    basis_unified8: str
    basis_arousal_valence: str


def _read(name: str) -> list[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def _nouns() -> dict[str, Mapping]:
    return {
        row["noun"]: Mapping(
            row["unified8"],
            row["arousal_valence"] or None,
            row["basis_unified8"],
            row["basis_arousal_valence"],
        )
        for row in _read("labels.csv")
    }


@cache
def _overrides() -> dict[tuple[str, str, str], tuple[str, str]]:
    return {
        (row["corpus"], row["noun"], row["column"]): (row["value"], row["basis"])
        for row in _read("label_overrides.csv")
    }


def nouns() -> frozenset[str]:
    """Return every canonical noun."""
    return frozenset(_nouns())


@cache
def aliases() -> dict[str, str]:
    """Return the common words that mean a noun (``happy``: ``happiness``), for labels that a user gives."""
    return {row["alias"]: row["noun"] for row in _read("label_aliases.csv")}


def noun_of(word: str) -> str | None:
    """Return the noun that a user's label means, if it is one, or an alias of one, in whatever case.

    >>> noun_of("Pleasant Surprise"), noun_of("happy"), noun_of("xyz")
    ('pleasant_surprise', 'happiness', None)
    """
    folded = "_".join(word.casefold().replace("-", " ").split())
    return folded if folded in _nouns() else aliases().get(folded)


@cache
def mapping(noun: str, corpus: str = "") -> Mapping:
    """Return what `noun` means, as the corpus with id `corpus` has it.

    Raises:
        UnknownNameError: `noun` is not in the table.

    >>> mapping("calm").unified8
    'neutral'
    >>> mapping("boredom").unified8, mapping("boredom", "emodb").unified8
    ('other', 'sadness')
    """
    if noun not in _nouns():
        raise UnknownNameError(
            f"Label {noun!r}: not one of the {len(_nouns())} nouns of labels.csv.{near(noun, _nouns())} "
            "Add a line there, with its basis, if it is a new emotion."
        )
    found = _nouns()[noun]
    unified8, basis8 = _overrides().get((corpus, noun, "unified8"), (found.unified8, found.basis_unified8))
    quadrant, basis = _overrides().get(
        (corpus, noun, "arousal_valence"), (found.arousal_valence, found.basis_arousal_valence)
    )
    return Mapping(unified8, quadrant, basis8, basis)
