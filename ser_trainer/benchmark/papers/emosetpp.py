"""EmoSet++: the 37 corpora that ExHuBERT was trained on, which of them have a record here, and the six unseen ones.

Names are those of the model card (huggingface.co/amiriparian/ExHuBERT); which 26 are EmoSet is in EmoNet's code
(EIHW/EmoNet at e76dd53, train.py). The recordings that the paper used and their splits are published nowhere.
"""

from collections.abc import Collection
from dataclasses import dataclass

from loading_scripts import registry

from ..results.beside import corpus_id

UNSEEN = ("aesi", "asvpesd", "jlcorpus", "mlend", "syntact", "vivae")
"""Corpora of Table 2, which are no members."""

_CLOSED = "closed, as far as is known"
_UNVERIFIED = "no list of its files and labels has been verified"


@dataclass(frozen=True)
class Member:
    """A corpus of EmoSet++.

    Args:
        name: as the card calls it.
        emoset: whether it is one of the 26 of EmoSet.
        missing: why there is no record of it here; empty where there is one.
    """

    name: str
    emoset: bool = True
    missing: str = ""

    @property
    def id(self) -> str:
        """Its id: that of its record, or of a corpus that a user built from a copy of their own."""
        return corpus_id(self.name)


MEMBERS = (
    Member("ABC", missing=_UNVERIFIED),
    Member("AD", missing=_CLOSED),
    Member("BES", missing=_UNVERIFIED),
    Member("CASIA"),
    Member("CVE", missing=_UNVERIFIED),
    Member("Crema-D", emoset=False),
    Member("DES", missing=_UNVERIFIED),
    Member("DEMoS"),
    Member("EA-ACT", missing=_CLOSED),
    Member("EA-BMW", missing=_CLOSED),
    Member("EA-WSJ", missing=_CLOSED),
    Member("EMO-DB"),
    Member("EmoFilm"),
    Member("EmotiW-2014"),
    Member("EMOVO", emoset=False),
    Member("eNTERFACE"),
    Member("ESD", emoset=False),
    Member("EU-EmoSS", missing=_UNVERIFIED),
    Member("EU-EV", emoset=False, missing=_UNVERIFIED),
    Member("FAU Aibo", missing=_UNVERIFIED),
    Member("GEMEP", missing=_CLOSED),
    Member("GVESS", missing=_UNVERIFIED),
    Member("IEMOCAP"),
    Member("MES"),
    Member("MESD", emoset=False),
    Member("MELD"),
    Member("PPMMK", missing=_CLOSED),
    Member("RAVDESS", emoset=False),
    Member("SAVEE", emoset=False),
    Member("ShEMO", emoset=False),
    Member("SmartKom", missing=_CLOSED),
    Member("SIMIS", missing=_CLOSED),
    Member("SUSAS", missing=_CLOSED),
    Member("SUBESCO", emoset=False),  # the card spells it SUBSECO
    Member("TESS", emoset=False),
    Member("TurkishEmo", missing=_UNVERIFIED),
    Member("Urdu", emoset=False),
)

EMOSETPP = tuple(member.id for member in MEMBERS)
"""Ids of the 37."""

EMOSET = tuple(member.id for member in MEMBERS if member.emoset)
"""Ids of the 26."""

RECORDED = tuple(member.id for member in MEMBERS if member.id in registry.ids())
"""Ids of those that have a record here."""


def coverage(corpora: Collection[str], emoset: bool = False) -> str:
    """Return how many of the 37, or of the 26 of EmoSet, are among corpora that trained; for result lines.

    >>> coverage(["urdu", "demo"])
    '1 of 37 corpora of EmoSet++ trained'
    """
    name, members = ("EmoSet", EMOSET) if emoset else ("EmoSet++", EMOSETPP)
    return f"{len(set(members) & set(corpora))} of {len(members)} corpora of {name} trained"


def shortfall(corpora: Collection[str]) -> list[str]:
    """Return what some corpora lack of the 37, a sentence for each reason; for the terminal."""
    absent = [member for member in MEMBERS if member.id not in corpora]
    reasons = {"not given": [member.id for member in absent if not member.missing]}
    for member in absent:
        if member.missing:
            reasons.setdefault(f"no record here, {member.missing}", []).append(member.name)
    return [f"{len(names)} {why}: {', '.join(names)}" for why, names in reasons.items() if names]
