"""Findings: what an audit can find, as data."""

from dataclasses import dataclass
from enum import StrEnum

from ..corpus import Corpus
from ..utterance import Utterance


class Severity(StrEnum):
    """What a finding asks for, most urgent first."""

    ERROR = "error"  # files or labels are wrong: loading fails, or scores are
    WARNING = "warning"  # look at it before numbers are published
    NOTE = "note"  # worth knowing


class Kind(StrEnum):
    """What was found."""

    UNREADABLE = "unreadable"
    DUPLICATE_ID = "duplicate_id"
    UNKNOWN_SPEAKER = "unknown_speaker"
    UNKNOWN_LABEL = "unknown_label"
    LABEL_CONFLICT = "label_conflict"
    IDENTICAL_FILE = "identical_file"
    IDENTICAL_AUDIO = "identical_audio"
    NEAR_COPY = "near_copy"
    OVERLAPPING_CUTS = "overlapping_cuts"
    CONSECUTIVE_CUTS = "consecutive_cuts"
    MISSING = "missing"
    SURPLUS = "surplus"
    UNKNOWN_NAME = "unknown_name"
    SPEAKER_OVERLAP = "speaker_overlap"
    SILENT = "silent"
    TOO_SHORT = "too_short"
    CLIPPED = "clipped"
    FULL_SCALE = "full_scale"
    DC_OFFSET = "dc_offset"
    CHANNELS = "channels"
    RATE = "rate"


SILENT_PEAK = 1e-3
"""A recording whose loudest sample stays below this (-60 dB of full scale) is silent."""

SHORTEST = 0.1
"""Seconds: below, no speech can be judged and encoders have hardly a frame."""

SHORT_SHARE = 0.5
"""A recording shorter than this share of the corpus' 1st percentile of durations is taken to be cut short."""

CLIPPED_SHARE = 1e-3
"""Share of samples at full scale above which a recording is clipped; below, it only touches full scale."""

LARGEST_OFFSET = 0.01
"""Mean of the samples, as a share of full scale, above which a recording has a DC offset."""

MEANING: dict[Kind, tuple[Severity, str]] = {
    Kind.UNREADABLE: (Severity.ERROR, "files that cannot be decoded or hold no samples"),
    Kind.DUPLICATE_ID: (Severity.ERROR, "ids that more than one file has"),
    Kind.UNKNOWN_SPEAKER: (Severity.ERROR, "speakers who are not in the record"),
    Kind.UNKNOWN_LABEL: (Severity.ERROR, "emotion codes that are not in the record"),
    Kind.LABEL_CONFLICT: (Severity.ERROR, "one stretch of audio with different labels"),
    Kind.IDENTICAL_FILE: (Severity.WARNING, "files with the same bytes; an error across splits or corpora"),
    Kind.IDENTICAL_AUDIO: (
        Severity.WARNING,
        "different files with the same samples, but for zeros at either end; an error across splits or corpora",
    ),
    Kind.NEAR_COPY: (
        Severity.WARNING,
        "one recording twice but for gain, coding, rate or a cut; an error across splits, corpora or labels",
    ),
    Kind.OVERLAPPING_CUTS: (
        Severity.NOTE,
        "neighbors in one passage that share a stretch of audio; a warning across splits or corpora",
    ),
    Kind.CONSECUTIVE_CUTS: (
        Severity.NOTE,
        "neighbors in one passage by name and waveform, one cut after the other; a warning across splits",
    ),
    Kind.MISSING: (Severity.WARNING, "utterances that a complete copy has and this one lacks"),
    Kind.SURPLUS: (Severity.WARNING, "more utterances than a complete copy has"),
    Kind.UNKNOWN_NAME: (Severity.WARNING, "audio files beside the corpus' own whose names it does not use"),
    Kind.SPEAKER_OVERLAP: (Severity.WARNING, "test utterances whose speaker is also in train"),
    Kind.SILENT: (Severity.WARNING, f"no sample above {SILENT_PEAK} of full scale"),
    Kind.TOO_SHORT: (
        Severity.WARNING,
        f"below {SHORTEST} s, or below half of what 99 % of the corpus' utterances last",
    ),
    Kind.CLIPPED: (Severity.WARNING, f"more than {CLIPPED_SHARE:.1%} of the samples at full scale"),
    Kind.FULL_SCALE: (Severity.NOTE, f"samples at full scale, at most {CLIPPED_SHARE:.1%} of them"),
    Kind.DC_OFFSET: (Severity.NOTE, f"mean of the samples beyond {LARGEST_OFFSET} of full scale"),
    Kind.CHANNELS: (Severity.NOTE, "more than one channel; loading takes their mean"),
    Kind.RATE: (Severity.NOTE, "another sampling rate than most files of the corpus"),
}
"""Kind -> (usual severity, what it means)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found; without id and path, the corpus as a whole.

    Args:
        corpus: id of the corpus.
        id: id of the utterance, or None for a file that is none.
        path: POSIX path below the root of the corpus, or None where the file is missing.
    """

    corpus: str
    id: str | None
    path: str | None

    def __str__(self) -> str:
        return f"{self.corpus}: {self.path or self.id}" if self.path or self.id else self.corpus


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found.

    Args:
        kind: what.
        places: the utterances and files concerned, of one corpus or of several.
        detail: the measured values, in words.
        severity: what it asks for.
        offset: of two recordings with audio in common, seconds into the first at which the second starts.
        score: of two recordings with audio in common, share of their spectral peaks that both have.
    """

    kind: Kind
    places: tuple[Place, ...]
    detail: str
    severity: Severity
    offset: float | None = None
    score: float | None = None

    @property
    def corpora(self) -> tuple[str, ...]:
        """Ids of the corpora concerned, in order."""
        return tuple(dict.fromkeys(place.corpus for place in self.places))


def place(corpus: Corpus, one: Utterance) -> Place:
    """Return where an utterance lies."""
    return Place(corpus.id, one.id, one.path)


def finding(
    kind: Kind,
    places: list[Place],
    detail: str,
    severity: Severity | None = None,
    offset: float | None = None,
    score: float | None = None,
) -> Finding:
    """Return a finding, with the usual severity of its kind unless another is given."""
    return Finding(kind, tuple(places), detail, severity or MEANING[kind][0], offset, score)
