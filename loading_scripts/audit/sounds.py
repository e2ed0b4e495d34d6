"""Sounds: recordings that are silent, short, clipped, off centre, or unlike the rest of their corpus."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..corpus import Corpus
from ..utterance import Utterance
from .findings import (
    CLIPPED_SHARE,
    LARGEST_OFFSET,
    SHORT_SHARE,
    SHORTEST,
    SILENT_PEAK,
    Finding,
    Kind,
    finding,
    place,
)
from .measure import Sound


@dataclass(frozen=True, slots=True)
class Heard:
    """An utterance that could be decoded.

    Args:
        corpus: record of its corpus.
        one: the utterance.
        sound: what was measured.
    """

    corpus: Corpus
    one: Utterance
    sound: Sound


def check(heard: Sequence[Heard]) -> Iterator[Finding]:
    """Yield what is wrong with the recordings of one corpus; of each kind, the worst first."""
    if not heard:
        return
    least = least_seconds(heard)
    for one in sorted(heard, key=lambda one: one.sound.seconds):
        if one.sound.seconds < least:
            detail = f"{one.sound.seconds:.3f} s; expected at least {least:.3f} s"
            yield finding(Kind.TOO_SHORT, [place(one.corpus, one.one)], detail)
    for one in sorted(heard, key=lambda one: one.sound.peak):
        if one.sound.peak < SILENT_PEAK:
            detail = f"loudest sample {one.sound.peak:.5f} of full scale"
            yield finding(Kind.SILENT, [place(one.corpus, one.one)], detail)
    for one in sorted(heard, key=lambda one: -one.sound.full_scale):
        if one.sound.full_scale > 0:
            kind = Kind.CLIPPED if one.sound.full_scale > CLIPPED_SHARE else Kind.FULL_SCALE
            detail = f"{one.sound.full_scale:.3%} of the samples at full scale"
            yield finding(kind, [place(one.corpus, one.one)], detail)
    for one in sorted(heard, key=lambda one: -abs(one.sound.offset)):
        if abs(one.sound.offset) > LARGEST_OFFSET:
            detail = f"mean {one.sound.offset:+.4f} of full scale"
            yield finding(Kind.DC_OFFSET, [place(one.corpus, one.one)], detail)
    yield from _formats(heard)


def least_seconds(heard: Sequence[Heard]) -> float:
    """Return the duration below which a recording is too short for its corpus."""
    # method="higher": even among few recordings, the shortest does not set the measure for itself
    usual = np.quantile([one.sound.seconds for one in heard], 0.01, method="higher")
    return max(SHORTEST, SHORT_SHARE * float(usual))


def _formats(heard: Sequence[Heard]) -> Iterator[Finding]:
    """Find channel counts other than one, and rates other than that of most recordings."""
    channels = Counter(one.sound.channels for one in heard)
    for count in sorted(set(channels) - {1}):
        places = [place(one.corpus, one.one) for one in heard if one.sound.channels == count]
        yield finding(Kind.CHANNELS, places, f"{count} channels in {len(places)} of {len(heard)} utterances")
    rates = Counter(one.sound.rate for one in heard)
    (usual, most), *_ = rates.most_common(1)
    for rate in sorted(set(rates) - {usual}):
        places = [place(one.corpus, one.one) for one in heard if one.sound.rate == rate]
        detail = f"{rate} Hz in {len(places)} of {len(heard)} utterances; {usual} Hz in {most}"
        yield finding(Kind.RATE, places, detail)
