"""Near copies: one recording in several files after gain, coding, another rate or a cut, and cuts that overlap."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from .copies import Splits, crossings, noun
from .findings import SILENT_PEAK, Finding, Kind, Severity, finding, place
from .matching import Match, matches
from .sounds import Heard

_WITHIN = 2 / 3
"""Share of the shorter recording that lies in the longer one from which it is a copy; below, both are cuts."""


def check(heard: Sequence[Heard], splits: Splits) -> Iterator[Finding]:
    """Yield the recordings that are one but for a change, and those that overlap, of one corpus or across corpora.

    Exact copies are compared as one recording. Utterances of one file are not compared: their times tell.

    Args:
        heard: every utterance of every corpus of the audit.
        splits: where the configs put them, to tell what lies in train and test.
    """
    by_digest = defaultdict(list)
    for one in heard:
        if one.sound.peak >= SILENT_PEAK and one.sound.peaks:
            by_digest[one.sound.digest].append(one)
    alike = list(by_digest.values())
    prints = [np.frombuffer(same[0].sound.peaks, np.float32).reshape(-1, 2) for same in alike]
    seconds = [same[0].sound.seconds for same in alike]
    for match in sorted(matches(prints, seconds), key=lambda match: -match.score):
        first, second = alike[match.first], alike[match.second]
        if {(one.corpus.id, one.one.path) for one in first}.isdisjoint((one.corpus.id, one.one.path) for one in second):
            yield _finding(match, first, second, splits)


def _finding(match: Match, first: Sequence[Heard], second: Sequence[Heard], splits: Splits) -> Finding:
    both = [*first, *second]
    across, labels = crossings(both, splits), {noun(one) or "unlabelled" for one in both}
    speakers = {one.one.speaker for one in both if one.one.speaker is not None}
    one_corpus = len({one.corpus.id for one in both}) == 1  # else codes of speakers cannot be compared
    lengths = first[0].sound.seconds, second[0].sound.seconds
    if match.shared >= _WITHIN * min(lengths):
        kind, severity = Kind.NEAR_COPY, Severity.ERROR if across or len(labels) > 1 else None
    else:
        kind, severity = Kind.OVERLAPPING_CUTS, Severity.WARNING if across else None
    told = [
        f"score {match.score:.2f} ({match.peaks} peaks), offset {match.offset:+.3f} s, {match.shared:.2f} s in common "
        f"of {lengths[0]:.2f} and {lengths[1]:.2f} s",
        *([f"labels {' and '.join(sorted(labels))}"] if len(labels) > 1 else []),
        *([f"speakers {' and '.join(sorted(speakers))}"] if one_corpus and len(speakers) > 1 else []),
        *across,
    ]
    return finding(
        kind,
        [place(one.corpus, one.one) for one in both],
        "; ".join(told),
        severity,
        offset=round(match.offset, 3),
        score=round(match.score, 3),
    )
