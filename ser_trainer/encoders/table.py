"""Tables: the encoders of the papers, and all that is known of one."""

from collections.abc import Sequence

from .encoder import EncoderRecord

Table = tuple[list[str], list[list[object]]]
"""Names of the columns, and the rows."""


def overview(records: Sequence[EncoderRecord]) -> Table:
    """Return a line for each encoder: what it gives, how large it is, who may use it, what it has seen."""
    header = ["id", "name", "family", "width", "layers", "parameters", "licence", "papers", "has seen", "other corpora"]
    return header, [
        [
            one.id,
            one.name,
            one.family,
            one.width,
            one.layers or "-",
            "-" if one.parameters is None else f"{one.parameters / 1e6:.1f} M",
            one.licence,
            ", ".join(one.papers),
            ", ".join(sorted({seen.corpus for seen in one.seen})) or "-",
            _others(one),
        ]
        for one in records
    ]


def details(one: EncoderRecord) -> Table:
    """Return all that is known of an encoder, a line for each fact."""
    facts = {
        "id": one.id,
        "name": one.name,
        "family": one.family,
        "checkpoint": one.checkpoint,
        "revision": one.revision,
        "width": one.width,
        "layers": one.layers or "none to choose from",
        "parameters": "none" if one.parameters is None else f"{one.parameters:,}",
        "licence": f"{one.licence}; commercial use {one.commercial}. {one.licence_note}".strip(),
        "papers": ", ".join(one.papers),
        "needs": "nothing more" if one.extra is None else f"pip install 'serbench[{one.extra}]'",
        "trained on": one.trained_on,
    }
    rows = [[name, value] for name, value in facts.items()]
    rows += [["has seen", f"{seen.corpus} ({seen.how}; {seen.source})"] for seen in one.seen]
    rows.append(["other corpora", _others(one)])
    rows += [["note", trap] for trap in one.traps]
    return ["", one.id], [list(row) for row in rows]


def _others(one: EncoderRecord) -> str:
    if not one.complete:
        return "unknown"
    return "not seen" + (f"; unknown: {', '.join(one.doubtful)}" if one.doubtful else "")
