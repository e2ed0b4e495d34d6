"""Rows: one schema for every corpus, door and config (docs/design.md)."""

import logging
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Audio, ClassLabel, Features, Value

from . import audio
from .corpus import Corpus
from .errors import AudioError, CorpusMismatchError, near
from .labels import AROUSAL_VALENCE, UNIFIED8, mapping
from .utterance import Utterance

TARGETS = ("emotion", "unified8", "arousal_valence")
"""The label columns a classifier can be trained on."""

logger = logging.getLogger(__name__)

_SHOWN = 5


def features(corpus: Corpus) -> Features:
    """Return the columns of every config of `corpus`."""
    return Features(
        {
            "id": Value("string"),
            "audio": Audio(sampling_rate=audio.SAMPLE_RATE, num_channels=1),
            "emotion": ClassLabel(names=list(corpus.emotion_names())),
            "canonical": Value("string"),
            "native": Value("string"),
            "unified8": ClassLabel(names=list(UNIFIED8)),
            "arousal_valence": ClassLabel(names=list(AROUSAL_VALENCE)),
            "speaker": Value("string"),
            "gender": Value("string"),
            "language": Value("string"),
            "duration": Value("float32"),
            "arousal": Value("float32"),
            "valence": Value("float32"),
            "dominance": Value("float32"),
            "transcript": Value("string"),
        }
    )


def labels(corpus: Corpus, native: str) -> dict[str, Any]:
    """Return the label columns that the code `native` gives in `corpus`; all but `native` are None for "no label".

    Raises:
        CorpusMismatchError: the record does not know the code.
    """
    if native not in corpus.emotions:
        raise CorpusMismatchError(
            f"Corpus {corpus.id}: native emotion codes are {sorted(corpus.emotions)}; found {native!r}."
            f"{near(native, corpus.emotions)} Correct the file's name, or add the code to the record."
        )
    noun = corpus.emotions[native]
    name = corpus.classes.get(native) if corpus.classes else noun
    meaning = mapping(noun, corpus.id) if noun is not None else None
    quadrant = meaning.arousal_valence if meaning else None
    return {
        "emotion": corpus.emotion_names().index(name) if name is not None else None,
        "canonical": noun,
        "native": native,
        "unified8": UNIFIED8.index(meaning.unified8) if meaning else None,
        "arousal_valence": AROUSAL_VALENCE.index(quadrant) if quadrant else None,
    }


Store = Callable[[Utterance, Path], tuple[dict[str, Any], float]]
"""Utterance, root -> storage of its audio column, and its duration in seconds."""


def table(
    corpus: Corpus, utterances: Iterable[Utterance], root: Path, store: Store, skip_broken: bool = False
) -> pa.Table:
    """Return the rows of `utterances` as an Arrow table.

    Args:
        corpus: the record.
        utterances: what to make rows of.
        root: root of the raw tree.
        store: what the audio column holds, `stored.as_path` or `stored.embedded`.
        skip_broken: leave out utterances whose audio cannot be read, with a warning that names them.

    Raises:
        AudioError: files are unreadable or empty; all of them are counted, the first ones named.
    """
    label_columns = cache(lambda native: labels(corpus, native))
    rows, broken = [], []
    for one in utterances:
        try:
            storage, seconds = store(one, root)
        except AudioError as error:
            broken.append(str(error))
            continue
        rows.append(
            {
                "id": one.id,
                "audio": storage,
                **label_columns(one.native),
                "speaker": one.speaker,
                "gender": str(one.gender),
                "language": one.language,
                "duration": seconds,
                "arousal": one.arousal,
                "valence": one.valence,
                "dominance": one.dominance,
                "transcript": one.transcript,
            }
        )
    for message in broken if skip_broken else ():
        logger.warning("Corpus %s: left out. %s", corpus.id, message)
    if broken and not skip_broken:
        raise AudioError(
            f"Corpus {corpus.id}: {len(broken)} of {len(rows) + len(broken)} files read so far are broken:\n  "
            + "\n  ".join(broken[:_SHOWN])
        )
    return pa.Table.from_pylist(rows, schema=features(corpus).arrow_schema)
