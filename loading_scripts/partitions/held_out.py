"""Validation where a config has none: a part of train, the same for every encoder."""

from collections.abc import Sequence

from .hashed import ranked

_SPEAKERS = 5


def validation(corpus: str, ids: Sequence[str], speakers: Sequence[str | None], share: float = 0.2) -> list[bool]:
    """Return which rows of a train split validate instead.

    Whole speakers where train has at least five of them, else single utterances: in the order of their u
    (`hashed.unit`, partition ``validation``) the first round(share * n), at least one and never all. The order is the
    same in every fold. Rows without a speaker keep training where whole speakers are taken.

    Args:
        corpus: id of the corpus.
        ids: ids of the rows, in any order.
        speakers: their speakers, None where unknown.
        share: share of the speakers, or of the utterances.

    >>> validation("demo", ["a", "b", "c", "d", "e"], [None] * 5).count(True)
    1
    """
    known = {speaker for speaker in speakers if speaker is not None}
    keys = speakers if len(known) >= _SPEAKERS else ids
    order = ranked(corpus, "validation", (key for key in keys if key is not None))
    taken = set(order[: min(max(1, round(share * len(order))), len(order) - 1)])
    return [key in taken for key in keys]
