"""Splits of EmoSet++, of which only the rule is published: 10 % validation and 10 % test, by speaker where known."""

from collections.abc import Collection

from .hashed import Hashed, ranked
from .partition import Partition
from .table import Condition, Table

_FEWEST = 3  # one speaker for each split


def emosetpp(corpus: str, speakers: Collection[str] = (), takes: Condition | None = None) -> dict[str, Partition]:
    """Return `emosetpp`: train, validation and test.

    Amiriparian et al., Interspeech 2024, section 2: speaker-independent where the speakers are known, else 10 % and
    10 % of the utterances at random. Speakers are ranked by a fixed hash, not cut at a bound of it, so that a corpus
    of four speakers has somebody in every split.

    Args:
        corpus: id of the corpus.
        speakers: all speakers of the corpus; fewer than three count as unknown.
        takes: utterance -> whether EmoSet++ uses it; None: it uses all.
    """
    if len(speakers) < _FEWEST:
        return {"emosetpp": Hashed(corpus, "emosetpp", {"train": 0.8, "validation": 0.9, "test": 1.0})}
    order = ranked(corpus, "emosetpp", speakers)
    share = max(1, round(0.1 * len(order)))
    keys = {"train": order[: -2 * share], "validation": order[-2 * share : -share], "test": order[-share:]}
    return {
        "emosetpp": Table(
            keys={split: frozenset(names) for split, names in keys.items()},
            takes=takes,
            rule=f"by speaker: the last {share} of {len(order)} in the order of u = blake2b({corpus}/emosetpp/speaker) "
            f"test, the {share} before them validate, all others train",
        )
    }
