"""Opened encoders: an encoder, its record, and whether it has seen a corpus."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard

from loading_scripts import registry
from loading_scripts.audio import load

from ..encoders.encoder import Clip, Encoder, EncoderRecord, Exposure
from ..encoders.opening import Opening, open_encoder, resolve
from .corpora import CorpusRows
from .tasks import Task


@dataclass(frozen=True, eq=False)
class Opened:
    """An encoder that is ready, and what lines say of it.

    Args:
        word: what the user called it.
        encoder: ready to encode.
        record: what is known of it, None for a user's own.
        trained_on: ids of corpora that the card of a user's own model names.
        settings: device, precision and trust, as `open_encoder` takes them.
    """

    word: str
    encoder: Encoder
    record: EncoderRecord | None
    trained_on: frozenset[str]
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What result lines call it."""
        return self.encoder.name

    def opener(self, processes: int) -> Encoder | partial[Encoder]:
        """Return the encoder, or, for several processes, what each of them opens it with."""
        return self.encoder if processes == 1 else partial(open_encoder, self.word, **self.settings)

    @property
    def fits(self) -> bool:
        """Whether it needs statistics of a training set before it encodes."""
        return hasattr(self.encoder, "fitted")

    def fitted(self, task: Task) -> Encoder:
        """Return the encoder with statistics of the training part of a task."""
        corpus = task.corpus
        place = {one: at for at, one in enumerate(corpus.ids)}
        clips = (Clip(one, load(corpus.rows[place[one]]["audio"])) for one in task.parts["train"])
        return self.encoder.fitted(task.config, corpus.id, clips)  # type: ignore[attr-defined]

    def exposure(self, corpus: CorpusRows) -> Exposure:
        """Return whether it has seen a corpus; unknown where nobody says."""
        if corpus.id in self.trained_on:
            return Exposure.SEEN
        return self.record.exposure(corpus.id) if self.record else Exposure.UNKNOWN


def opened(word: str, device: str, bf16: bool = False, trust_remote_code: bool = False) -> Opened:
    """Open an encoder by what a user calls it; see `open_encoder` for what can go wrong."""
    settings = {
        "device": device,
        "precision": "bfloat16" if bf16 else "float32",
        "trust_remote_code": trust_remote_code,
    }
    record, opening = resolve(word, **settings)
    return Opened(word, open_encoder(word, **settings), record, _trained_on(opening), settings)


def _trained_on(opening: Opening) -> frozenset[str]:
    """Return the corpora that the card beside a model names as its training data."""
    card = Path(opening.place).expanduser() / "README.md"
    if opening.record is not None or not card.is_file():
        return frozenset()
    try:
        named = ModelCard.load(card, ignore_metadata_errors=True).data.get("datasets") or []
    except Exception:  # no front matter, no YAML: huggingface_hub promises no class of error
        return frozenset()
    words = [named] if isinstance(named, str) else [str(one) for one in named]
    return frozenset(word.rpartition("/")[2] for word in words) & frozenset(registry.ids())
