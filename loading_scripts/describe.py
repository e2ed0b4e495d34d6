"""Describe: what the card of a built corpus says of its configs, labels, durations and broken files."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datasets import DatasetInfo, SplitDict, SplitInfo

from model_cards.dataset import ConfigSummary, LabelLine

from . import listing, rows
from .corpus import Corpus
from .labels import mapping
from .registry import CorpusModule
from .utterance import Utterance

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """A finished shard.

    Args:
        name: file name below ``data/``.
        rows: number of utterances.
        arrow_bytes: size of the rows in memory.
        file_bytes: size of the file.
    """

    name: str
    rows: int
    arrow_bytes: int
    file_bytes: int


def configs(
    module: CorpusModule, names: Sequence[str], listed: Sequence[Utterance], shard_of: Mapping[str, Shard]
) -> list[ConfigSummary]:
    """Describe the named configs of which no split is empty.

    Args:
        module: the corpus.
        names: configs.
        listed: every utterance of the raw tree.
        shard_of: id -> shard, of those that are in the folder.
    """
    corpus = module.CORPUS
    absent = frozenset(one.id for one in listed) - shard_of.keys()
    summaries = []
    for name in names:
        parts = listing.split(module, name, listed, absent)
        empty = [split for split, part in parts.items() if not part]
        if empty:
            logger.warning("Corpus %s: config %s is left out, as its split %s is empty here.", corpus.id, name, empty)
            continue
        shards = {split: list(dict.fromkeys(shard_of[one.id] for one in part)) for split, part in parts.items()}
        info = DatasetInfo(
            features=rows.features(corpus),
            splits=SplitDict(
                {
                    split: SplitInfo(
                        split,
                        num_bytes=sum(s.arrow_bytes for s in used),
                        num_examples=sum(s.rows for s in used),
                    )
                    for split, used in shards.items()
                }
            ),
            download_size=sum(s.file_bytes for used in shards.values() for s in used),
            dataset_size=sum(s.arrow_bytes for used in shards.values() for s in used),
        )
        summaries.append(
            ConfigSummary(
                name=name,
                info=info,
                files={split: [f"data/{s.name}" for s in used] for split, used in shards.items()},
                speakers={split: len({one.speaker for one in part} - {None}) for split, part in parts.items()},
                absent_classes=listing.absent_classes(corpus, parts),
                shared_speakers=listing.shared_speakers(parts),
                split_hash=listing.split_hash(listing.ids(parts)),
            )
        )
    return summaries


def label_lines(corpus: Corpus, found: Sequence[Utterance]) -> list[LabelLine]:
    """Return the label table with the number of utterances of each native code."""
    counts = Counter(one.native for one in found)
    names = corpus.emotion_names()
    lines = []
    for native, noun in corpus.emotions.items():
        columns = rows.labels(corpus, native)
        meaning = mapping(noun, corpus.id) if noun is not None else None
        lines.append(
            LabelLine(
                native=native,
                emotion=names[columns["emotion"]] if columns["emotion"] is not None else None,
                canonical=noun,
                unified8=meaning.unified8 if meaning else None,
                arousal_valence=meaning.arousal_valence if meaning else None,
                basis=f"{meaning.basis_unified8}; {meaning.basis_arousal_valence}" if meaning else "",
                count=counts[native],
            )
        )
    return lines
