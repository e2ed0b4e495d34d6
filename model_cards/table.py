"""A table of results: the same one for a terminal and for a page."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

NOTHING = "-"
"""A cell without a value."""

_NUMBER = re.compile(r"-|[-+]?\d.*")


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under a header; columns whose cells all start with a number, or are ``-`` for none, are set to the right.

    Args:
        title: what it shows.
        header: names of the columns.
        rows: cells, as they are shown.
        notes: what a reader must know, a sentence or two each.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers."""
        if not self.rows:
            return [False] * len(self.header)
        columns = zip(*self.rows, strict=True)
        return [all(_NUMBER.fullmatch(one) for one in column if one) and any(column) for column in columns]

    def text(self) -> str:
        """Return it for a terminal: title, ruled header, rows, notes.

        >>> print(Table(title="Scores", header=["task", "n", "WA"], rows=[["AES", "207", "70.0"]]).text())
        Scores
        task    n    WA
        ---------------
        AES   207  70.0
        """
        widths = [max(map(len, column)) for column in zip(self.header, *self.rows, strict=True)]
        lines = ["  ".join(_aligned(row, widths, self.numeric)).rstrip() for row in (self.header, *self.rows)]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        notes = [line for note in self.notes for line in textwrap.wrap(note, 118, subsequent_indent="  ")]
        return "\n".join([self.title, lines[0], rule, *lines[1:], *notes])


def percent(fraction: float | None) -> str:
    """Return a fraction in percent with one digit; `NOTHING` for None."""
    return NOTHING if fraction is None else f"{100 * fraction:.1f}"


def _aligned(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> list[str]:
    return [f"{cell:>{width}}" if to else f"{cell:{width}}" for cell, width, to in zip(row, widths, right, strict=True)]
