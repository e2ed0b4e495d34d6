"""Page: an audit as one HTML file with pictures, for people."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from model_cards.audit_page import CorpusPage, Group, Levels, Waveform, render_audit_page

from .. import audio
from .findings import CLIPPED_SHARE, LARGEST_OFFSET, MEANING, Finding, Kind
from .report import count, grouped
from .run import Audit, CorpusAudit
from .sounds import least_seconds

_AUDIBLE = frozenset([Kind.SILENT, Kind.TOO_SHORT, Kind.CLIPPED, Kind.DC_OFFSET])
"""Kinds of which the worst recording is drawn."""

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
        worst=_waveform(by_id[first.corpora[0]], first) if first.kind in _AUDIBLE else None,
    )


def _waveform(audited: CorpusAudit, finding: Finding) -> Waveform:
    """Return the outline of the recording in which something was found."""
    heard = next(one for one in audited.heard if one.one.id == finding.places[0].id)
    samples, rate = audio.read(audited.root / heard.one.path, heard.one.start, heard.one.end, heard.one.channel)
    columns = np.array_split(samples.mean(axis=1), min(_COLUMNS, len(samples)))
    return Waveform(
        path=heard.one.path,
        seconds=len(samples) / rate,
        low=[float(one.min()) for one in columns],
        high=[float(one.max()) for one in columns],
    )
