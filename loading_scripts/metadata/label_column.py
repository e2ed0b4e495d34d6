"""Own labels: what the emotion column of a user's table means, by itself or by a map."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .. import labels
from ..errors import SheetError, near
from ..utterance import Utterance
from . import sheet
from .sheet import Sheet

_SHOWN = 50


def emotions_of(rows: Sheet, utterances: Sequence[Utterance], label_map: Path | None) -> dict[str, str | None]:
    """Return label -> noun of every label in the table, sorted by noun and label; None for "no label".

    Args:
        rows: the table.
        utterances: what its rows became, in their order.
        label_map: file with the columns label and noun; it wins over what a label means by itself.

    Raises:
        SheetError: labels are neither nouns, aliases nor in the map, all of them listed; or the map breaks a rule.
    """
    mapped = _read_map(label_map) if label_map else {}
    counts = Counter(one.native for one in utterances)
    emotions = {label: mapped[label] if label in mapped else labels.noun_of(label) for label in counts}
    unknown = [label for label, noun in emotions.items() if noun is None and label not in mapped]
    if unknown:
        first: dict[str, str] = {}
        for one, (where, _) in zip(utterances, rows.rows, strict=True):
            first.setdefault(one.native, where)
        lines = [
            f"{label!r} ({counts[label]} rows, first {first[label]}).{_near_noun(label)}" for label in unknown[:_SHOWN]
        ]
        more = [f"and {len(unknown) - _SHOWN} more"] if len(unknown) > _SHOWN else []
        raise SheetError(
            f"{rows.name}: labels are nouns of labels.csv or in the map (--labels); {len(unknown)} are neither:\n  "
            + "\n  ".join(lines + more)
            + "\nMap them: a CSV file with the columns label and noun, an empty noun for no label. The nouns: "
            + ", ".join(sorted(labels.nouns()))
        )
    if not any(emotions.values()):
        raise SheetError(f"{rows.name}: some rows must have a label; {label_map} maps all of them to none. Map one.")
    return dict(sorted(emotions.items(), key=lambda item: (item[1] or "", item[0])))


def _read_map(path: Path) -> dict[str, str | None]:
    rows = sheet.read(path, ("label", "noun"))
    mapped: dict[str, str | None] = {}
    wrong = []
    for where, cells in rows.rows:
        label, noun = cells["label"], labels.noun_of(cells["noun"])
        if cells["noun"] and noun is None:
            wrong.append(
                f"{where}: noun is one of labels.csv; found {cells['noun']!r}.{_near_noun(cells['noun'])} Correct it."
            )
        elif mapped.setdefault(label, noun) != noun:
            wrong.append(f"{where}: a label has one noun; {label!r} has {mapped[label]!r} above. Remove one.")
    rows.refuse(wrong)
    return mapped


def _near_noun(word: str) -> str:
    return near(word, labels.nouns() | labels.aliases().keys())
