"""Provenance: what results were tested on and made of, as tables."""

from collections.abc import Sequence

from model_cards.table import Table, percent

from .line import Line
from .outcomes import Outcome, System


def tests_table(lines: Sequence[Line]) -> Table:
    """Return the test sets: sizes, hashes, shared speakers."""
    tests = {(line.protocol, line.variant, line.corpus, line.config, line.content, line.split): line for line in lines}
    rows = []
    for (*place, content, split), line in tests.items():
        sizes = " / ".join(map(str, line.sizes.values()))
        shared = "unknown" if line.shared_speakers is None else percent(line.shared_speakers)
        lost = ", ".join(f"{number} {why}" for why, number in line.dropped.items())
        rows.append((*place, sizes, f"{line.seconds['used'] / 3600:.2f}", lost, shared, content, split))
    counted: dict[tuple[str, ...], int] = {}
    for row in rows:
        counted[row[:4]] = counted.get(row[:4], 0) + 1
    twice = [" ".join(place) for place, number in counted.items() if number > 1]
    header = ["protocol", "variant", "corpus", "config", "sizes", "hours", "left out", "shared, %", "content", "split"]
    notes = [
        "sizes: train / validation / test; shared: test utterances whose speaker trains; content: hash of the audio; "
        "split: hash of the ids of each split.",
        *([f"Not all results are about the same test set: {', '.join(twice)}."] if twice else []),
    ]
    return Table(title="Test sets", header=header, rows=rows, notes=notes)


def systems_table(found: Sequence[Outcome]) -> Table:
    """Return the systems: revisions, feature hashes, options, versions, dates, how heads were selected."""
    about: dict[System, list[Line]] = {}
    for one in found:
        about.setdefault(one.system, []).extend(one.lines)
    rows = []
    for system, lines in about.items():
        features = dict.fromkeys(line.features for line in lines)
        versions = dict.fromkeys(tuple(line.versions.items()) for line in lines)
        told = "; or ".join(", ".join(f"{name} {one}" for name, one in each) for each in versions)
        selection = "; or ".join(dict.fromkeys(line.selection for line in lines))
        where = [f"{system.protocol}, {system.variant}", str(system), system.revision, ", ".join(features)]
        rows.append([*where, ", ".join(system.options), selection, told, span_of(lines)])
    header = ["protocol", "system", "revision", "features", "options", "selection", "versions", "dates"]
    return Table(title="Systems", header=header, rows=rows)


def span_of(lines: Sequence[Line]) -> str:
    """Return the first and the last day of lines."""
    days = {line.date[:10] for line in lines}
    return " to ".join(dict.fromkeys((min(days), max(days))))
