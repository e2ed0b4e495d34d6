"""Page: an audit as one HTML file with pictures, for people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_cards.audit_page import CorpusPage, Group, Levels, Waveform, render_audit_page

from .. import audio
from .findings import CLIPPED_SHARE, LARGEST_OFFSET, MEANING, Finding, Kind, Place
from .report import count, grouped
from .run import Audit, CorpusAudit
from .sounds import least_seconds

_AUDIBLE = frozenset([Kind.SILENT, Kind.TOO_SHORT, Kind.CLIPPED, Kind.DC_OFFSET])
"""Kinds of which the worst recording is drawn."""

_ALIKE = frozenset([Kind.NEAR_COPY, Kind.OVERLAPPING_CUTS])
"""Kinds of which the two recordings that are most alike are drawn, one above the other."""

_COLUMNS = 600
"""Columns of a drawn waveform."""


def write(audit: Audit, path: Path) -> None:
    """Write the audit to one HTML file that needs no other file."""
    groups = grouped(audit.findings)
    by_id = {one.corpus.id: one for one in audit.corpora}
    pages = [
        CorpusPage(
            name=one.corpus.name,
            utterances=one.utterances,
            complete=one.corpus.utterances,
            overlaps=[
                (shares.config, shares.test, shares.speaker, shares.sentence, shares.both) for shares in one.overlaps
            ],
            levels=_levels(one),
            groups=[_group(group, by_id) for group in groups if group[0].corpora == (one.corpus.id,)],
            errata=[erratum.what for erratum in one.corpus.errata],
        )
        for one in audit.corpora
    ]
    content = render_audit_page(pages, [_group(group, by_id) for group in groups if len(group[0].corpora) > 1])
    part = path.with_name(f".{path.name}.part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)


def _levels(one: CorpusAudit) -> Levels | None:
    if not one.heard:
        return None
    sounds = [heard.sound for heard in one.heard]
    return Levels(
        seconds=[sound.seconds for sound in sounds],
        least_seconds=least_seconds(one.heard),
        rms=[sound.rms for sound in sounds],
        full_scale=[sound.full_scale for sound in sounds],
        clipped_share=CLIPPED_SHARE,
        offsets=[sound.offset for sound in sounds],
        largest_offset=LARGEST_OFFSET,
    )


def _group(group: Sequence[Finding], by_id: dict[str, CorpusAudit]) -> Group:
    first = group[0]
    several = len(first.corpora) > 1
    return Group(
        severity=first.severity,
        kind=first.kind,
        meaning=MEANING[first.kind][1],
        count=count(group),
        lines=[
            ([str(place) if several else place.path or place.id or place.corpus for place in one.places], one.detail)
            for one in group
        ],
        worst=_worst(first, by_id),
    )


def _worst(first: Finding, by_id: dict[str, CorpusAudit]) -> list[Waveform]:
    """Return what is drawn of a group's first finding."""
    if first.kind in _AUDIBLE:
        return [_waveform(by_id, first.places[0])]
    if first.kind in _ALIKE:
        return [_waveform(by_id, first.places[0]), _waveform(by_id, first.places[-1], first.offset or 0.0)]
    return []


def _waveform(by_id: dict[str, CorpusAudit], place: Place, start: float = 0.0) -> Waveform:
    """Return the outline of the recording at a place, which starts so many seconds from the left of the picture."""
    audited = by_id[place.corpus]
    one = next(heard.one for heard in audited.heard if heard.one.id == place.id)
    samples, rate = audio.read(audited.root / one.path, one.start, one.end, one.channel)
    columns = np.array_split(samples.mean(axis=1), min(_COLUMNS, len(samples)))
    return Waveform(
        path=one.path,
        start=start,
        seconds=len(samples) / rate,
        low=[float(column.min()) for column in columns],
        high=[float(column.max()) for column in columns],
    )
