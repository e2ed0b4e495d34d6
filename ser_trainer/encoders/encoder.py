"""Encoder: frozen, from utterances to frames or one vector; and its record, what is known without opening it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

import numpy as np

from loading_scripts.audio import as_float
from loading_scripts.corpus import PAPERS, Permission
from loading_scripts.errors import RecordError, SerbenchError

Layers = Literal["last", "all"]
"""Which layers are wanted: the output of the last one, frame by frame; or of each, as means over the frames."""


class EncoderError(SerbenchError, ValueError):
    """An encoder cannot be opened, or gave values that are no features."""


class ClipError(EncoderError):
    """An encoder has no features for one clip; others go on.

    Args:
        message: unit, rule, value and remedy.
        clip: id of the utterance.
    """

    def __init__(self, message: str, clip: str) -> None:
        super().__init__(message)
        self.clip = clip


class ExtraError(SerbenchError, ImportError):
    """An encoder needs a package that is not installed; the message has the line that installs it."""


@dataclass(frozen=True, eq=False)
class Clip:
    """One utterance.

    Args:
        id: its id; whatever an encoder draws at random about it is seeded by this.
        samples: int16 (n,), 16 kHz, mono, from `loading_scripts.audio.load`.
    """

    id: str
    samples: np.ndarray

    @property
    def wave(self) -> np.ndarray:
        """Float32 samples (n,) in [-1, 1)."""
        return as_float(self.samples)


class Encoder(Protocol):
    """A frozen encoder, opened by its family. Features of a clip do not depend on the clips beside it.

    Attributes:
        name: id of its record, or the name of a folder, Hub id or function; stands in result lines.
        revision: commit on the Hub, or sha256 of the weights (first 16 digits).
        identity: everything that changes a value: checkpoint, revision, preprocessing, precision, library versions. No
            path of this machine. Equal identities give equal features.
        width: values per frame, or per vector, D.
        depth: entries that layers="all" gives: input of the first block and output of each; 1 where there is no choice.
        frame_rate: frames per second; None: one vector per utterance.
    """

    name: str
    revision: str
    identity: Mapping[str, str | int | float | bool]
    width: int
    depth: int
    frame_rate: float | None

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return float32 features of each clip.

        (T, D) frames for "last", where T is 1 if there is one vector per utterance; (depth, D) for "all": the mean
        over frames of the input of the first block and of each block's output.
        """
        ...


class Exposure(StrEnum):
    """Whether an encoder has seen a corpus before it is benchmarked on it."""

    SEEN = "seen"
    NOT_SEEN = "not seen"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Seen:
    """A corpus that an encoder was trained on.

    Args:
        corpus: id of its record in `loading_scripts`, or its name where we have none.
        how: ``pre-training``, ``fine-tuning`` or ``pseudo-labels``.
        source: where that is written, with the place.
    """

    corpus: str
    how: str
    source: str


@dataclass(frozen=True, kw_only=True)
class EncoderRecord:
    """What is known of an encoder without opening it; checked when it is made.

    Args:
        id: name of its file.
        name: as papers write it.
        family: file in `families` that opens it.
        checkpoint: Hub id, address of a file, or package.
        width: values per frame or vector.
        layers: transformer blocks; 0 where there are no layers to choose from.
        parameters: how many, None for programs.
        licence: of the weights, SPDX id or ``custom``.
        commercial: whether the licence allows commercial use.
        licence_note: what a user has to know of the licence, with its source.
        papers: names among `loading_scripts.corpus.PAPERS`.
        rows: published table -> what the table calls this encoder, for example ``{"emobox_table4": "WavLM large"}``.
        trained_on: what it was trained on, in a sentence, with the source.
        seen: corpora of speech emotion recognition among that.
        complete: whether `trained_on` lists everything, so that a corpus outside `seen` was not seen; else nobody
            knows.
        doubtful: corpora cut from sources like those of `trained_on`: nobody can say that they were not seen.
        revision: commit or tag on the Hub; the checkpoint as it was when the figures were made, where that is known.
        extra: extra of serbench that installs what it needs, None if nothing is needed.
        options: what its family needs besides.
        traps: what a user has to know.
    """

    id: str
    name: str
    family: str
    checkpoint: str
    width: int
    layers: int
    parameters: int | None
    licence: str
    commercial: Permission
    licence_note: str = ""
    papers: tuple[str, ...] = ()
    rows: Mapping[str, str] = field(default_factory=dict)
    trained_on: str
    seen: tuple[Seen, ...] = ()
    complete: bool
    doubtful: tuple[str, ...] = ()
    revision: str = "main"
    extra: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    traps: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not set(self.papers) <= set(PAPERS):
            raise RecordError(f"Encoder {self.id}: papers are among {PAPERS}; found {self.papers}. Correct its record.")
        for name in ("name", "family", "checkpoint", "trained_on", "licence"):
            if not getattr(self, name):
                raise RecordError(f"Encoder {self.id}: needs {name}; it is empty. Complete its record.")
        if any(not one.source or not one.how for one in self.seen):
            raise RecordError(f"Encoder {self.id}: each corpus it has seen needs how and source. Complete its record.")

    def exposure(self, corpus: str) -> Exposure:
        """Return whether it has seen a corpus; what is not written down stays unknown.

        Args:
            corpus: id of a corpus record.
        """
        if any(one.corpus == corpus for one in self.seen):
            return Exposure.SEEN
        return Exposure.NOT_SEEN if self.complete and corpus not in self.doubtful else Exposure.UNKNOWN
