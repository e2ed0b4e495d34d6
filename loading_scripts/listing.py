"""Listing: the checked utterances of a corpus, and the splits of a config."""

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .corpus import Utterance
from .errors import CorpusMismatchError
from .registry import CorpusModule

logger = logging.getLogger(__name__)

_SHOWN = 5


def utterances(module: CorpusModule, root: Path) -> list[Utterance]:
    """Return every utterance of the corpus below `root`, sorted by id.

    A copy with fewer utterances than the corpus has is loaded, with a warning that says how many are missing.

    Raises:
        CorpusMismatchError: two files have the same id, or a speaker is not in the record.
    """
    corpus = module.CORPUS
    found = sorted(module.find(root), key=lambda one: one.id)
    twice = [name for name, count in Counter(one.id for one in found).items() if count > 1]
    if twice:
        paths = [one.path for one in found if one.id == twice[0]]
        raise CorpusMismatchError(
            f"Corpus {corpus.id} in {root}: ids are unique; {len(twice)} occur more than once, first {twice[0]!r} "
            f"at {paths}. Keep one copy of each file."
        )
    strangers = sorted({one.speaker for one in found if one.speaker is not None} - set(corpus.speakers))
    if corpus.speakers and strangers:
        raise CorpusMismatchError(
            f"Corpus {corpus.id} in {root}: speakers are those of the record; found {strangers[:_SHOWN]} as well. "
            "Remove their files, or add them to the record."
        )
    if len(found) < corpus.utterances:
        logger.warning(
            "Corpus %s in %s: %d of %d utterances found; %d are missing.",
            corpus.id, root, len(found), corpus.utterances, corpus.utterances - len(found),
        )  # fmt: skip
    return found


def split(module: CorpusModule, config: str, found: Sequence[Utterance]) -> dict[str, list[Utterance]]:
    """Return split -> utterances of `config`, in the order of `found`; every split of the config is a key."""
    corpus = module.CORPUS
    parts: dict[str, list[Utterance]] = {name: [] for name in corpus.splits(config)}
    if config == "all":
        return {"train": list(found)}
    for one, name in zip(found, corpus.partitions[config].assign(found), strict=True):
        if name is not None:
            parts[name].append(one)
    return parts
