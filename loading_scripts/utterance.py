"""Utterances: what a corpus says of one recording."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Gender(StrEnum):
    """Gender of a speaker as far as the corpus tells."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


Channel = int | Literal["center"] | None
"""Channel of a file, from 0; the one that holds the speech of a film; None: the mean of all."""

CENTER: Literal["center"] = "center"


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One utterance as its corpus names it. `find` makes these from names and tables, never from audio.

    Args:
        id: unique in the corpus, Unicode NFC; EmoBox's key where EmoBox has the corpus.
        path: POSIX path of the audio file relative to the corpus root.
        native: emotion code as in the corpus.
        speaker: speaker code, or None where the corpus does not tell.
        gender: gender of the speaker.
        language: BCP 47 tag (``en``, ``en-NZ``).
        start: seconds into the file, or None for the whole file.
        end: seconds into the file, or None.
        channel: channel of the file that is read, from 0, or `CENTER`; None: the mean of all.
        arousal: rating on the corpus' own scale, or None.
        valence: rating, or None.
        dominance: rating, or None.
        transcript: what is said, or None.
        intensity: intensity as in the corpus, or None.
    """

    id: str
    path: str
    native: str
    speaker: str | None
    gender: Gender
    language: str
    start: float | None = None
    end: float | None = None
    channel: Channel = None
    arousal: float | None = None
    valence: float | None = None
    dominance: float | None = None
    transcript: str | None = None
    intensity: str | None = None
