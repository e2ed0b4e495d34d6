"""Report: an audit as tables for people and as JSON for programs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from .findings import MEANING, Finding, Severity
from .run import Audit

_SHOWN = 3

Table = tuple[list[str], list[list[object]]]
"""Header, rows."""


def overlap_table(audit: Audit) -> Table:
    """Return a line for every config with a train and a test split."""
    header = ["corpus", "config", "test utterances", "speaker in train", "sentence in train", "both in train"]
    return header, [
        [one.corpus.id, shares.config, shares.test, *map(percent, (shares.speaker, shares.sentence, shares.both))]
        for one in audit.corpora
        for shares in one.overlaps
    ]


def finding_table(audit: Audit) -> Table:
    """Return a line for everything of one severity and kind that was found in one corpus, with the first examples."""
    header = ["severity", "finding", "corpus", "count", "meaning", "worst or first"]
    return header, [
        [
            group[0].severity,
            group[0].kind,
            "+".join(group[0].corpora),
            count(group),
            MEANING[group[0].kind][1],
            "; ".join(example(one) for one in islice(group, _SHOWN)) + ("; ..." if len(group) > _SHOWN else ""),
        ]
        for group in grouped(audit.findings)
    ]


def erratum_table(audit: Audit) -> Table:
    """Return a line for every defect that the records know already."""
    return ["corpus", "known defects, from the record"], [
        [one.corpus.id, erratum.what] for one in audit.corpora for erratum in one.corpus.errata
    ]


def verdict(audit: Audit) -> str:
    """Return how much was found, in a line."""
    heard = ", ".join(f"{len(one.heard)} of {one.utterances} utterances of {one.corpus.id}" for one in audit.corpora)
    counts = Counter(one.severity for one in audit.findings)
    return f"Listened to {heard}: " + ", ".join(f"{severity}s {counts[severity]}" for severity in Severity)


def grouped(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return the findings in groups of one severity, kind and corpus, in order of appearance."""
    groups = defaultdict(list)
    for one in findings:
        groups[one.severity, one.kind, one.corpora].append(one)
    return list(groups.values())


def count(findings: Sequence[Finding]) -> int:
    """Return the number of utterances and files that some findings concern."""
    return len({place for one in findings for place in one.places})


def example(one: Finding) -> str:
    """Return a finding in a line: what was measured, and where."""
    first = one.places[0].path or one.places[0].id or one.places[0].corpus
    return f"{first}: {one.detail}" if len(one.places) == 1 else f"{one.detail} (first {first})"


def percent(share: float | None) -> str:
    """Return a share as people write it; None is unknown."""
    return "unknown" if share is None else f"{share:.1%}"


def as_json(audit: Audit) -> dict[str, Any]:
    """Return the whole audit, every finding with all its places, as values that JSON has."""
    return {
        "corpora": [
            {
                "id": one.corpus.id,
                "root": str(one.root),
                "utterances": one.utterances,
                "utterances_of_a_complete_copy": one.corpus.utterances,
                "decoded": len(one.heard),
                "seconds": round(sum(heard.sound.seconds for heard in one.heard), 3),
                "overlaps": [asdict(shares) for shares in one.overlaps],
                "errata": list(map(asdict, one.corpus.errata)),
            }
            for one in audit.corpora
        ],
        "findings": [
            {
                "kind": one.kind,
                "severity": one.severity,
                "corpora": list(one.corpora),
                "detail": one.detail,
                "offset": one.offset,
                "score": one.score,
                "places": [asdict(place) for place in one.places],
            }
            for one in audit.findings
        ],
    }
