"""Sheets: a CSV, TSV or Parquet file as rows of text, however a spreadsheet program wrote it."""

import csv
import io
import math
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SheetError, near

_DELIMITERS = "\t;,"
_SHOWN = 5


@dataclass(frozen=True)
class Sheet:
    """The filled rows of a file.

    Args:
        name: name of the file, for messages.
        columns: names of all its columns: NFC, lower case, no blanks around.
        rows: (where, for messages: "line 7"; column -> cell) of every row with a filled cell. Cells are NFC without
            blanks around, "" if empty.
        decimal_comma: whether a comma may stand for the decimal point, as where cells are separated by semicolons.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, dict[str, str]], ...]
    decimal_comma: bool

    def refuse(self, wrong: Sequence[str]) -> None:
        """Refuse the file if rows are wrong.

        Args:
            wrong: a message for each wrong row.

        Raises:
            SheetError: counts the rows and shows the first ones.
        """
        if wrong:
            more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
            lines = "\n  ".join([*wrong[:_SHOWN], *more])
            raise SheetError(f"{self.name}: {len(wrong)} of {len(self.rows)} rows cannot be used:\n  {lines}")


def read(path: Path, needed: Collection[str], optional: Collection[str] = ()) -> Sheet:
    """Return the columns `needed` of the file, and those of `optional` that it has; others are not read.

    A name that ends in ``.parquet`` is Parquet; everything else is UTF-8 text with a header line, its cells separated
    by tabs, semicolons or commas, whichever splits the header most.

    Raises:
        SheetError: the file is missing, empty or unreadable, a needed column is missing, or a row has more or fewer
            cells than the header.
    """
    wanted = {*needed, *optional}
    path = path.expanduser()
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise SheetError(f"{path}: must be a CSV, TSV or Parquet file; it {what}. Name an existing file.")
    if path.suffix.lower() == ".parquet":
        columns, rows, comma = *_parquet(path, wanted), False
    else:
        columns, rows, comma = _text(path, wanted)
    _require(path, columns, needed)
    filled = tuple((where, cells) for where, cells in rows if any(cells.values()))
    if not filled:
        raise SheetError(f"{path.name}: must have a header and rows; it has no filled row. Fill it.")
    return Sheet(path.name, columns, filled, comma)


def _clean(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def _names(path: Path, header: Collection[str]) -> tuple[str, ...]:
    names = [_clean(name).lower() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise SheetError(f"{path.name}: column names are unique; {twice} occur more than once. Rename or remove one.")
    return tuple(names)


def _require(path: Path, columns: Collection[str], needed: Collection[str]) -> None:
    others = set(columns) - set(needed)
    missing = [f"{name!r} is missing.{near(name, others)}" for name in needed if name not in columns]
    if missing:
        raise SheetError(
            f"{path.name}: needs the columns {', '.join(needed)}; {' '.join(missing)} Its columns are "
            f"{', '.join(map(repr, columns)) or 'none'}: add or rename."
        )


def _text(path: Path, wanted: Collection[str]) -> tuple[tuple[str, ...], list[tuple[str, dict[str, str]]], bool]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SheetError(
            f"{path.name}: must be UTF-8 text, or Parquet with a name that ends in .parquet; byte {error.start} is "
            'neither. In a spreadsheet program, save it as "CSV UTF-8".'
        ) from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one), [])))
    lines = _lines(path, text, delimiter)
    names = _names(path, next(lines, ("", []))[1])
    rows = []
    for where, cells in lines:
        surplus = any(cell.strip() for cell in cells[len(names) :])
        if len(cells) < len(names) or surplus:
            raise SheetError(
                f"{path.name}, {where}: rows have {len(names)} cells, as the header has; this one has {len(cells)}. "
                "Quote cells that hold the separator, and leave no cell out."
            )
        rows.append((where, {name: _clean(cell) for name, cell in zip(names, cells, strict=False) if name in wanted}))
    return tuple(name for name in names if name), rows, delimiter == ";"


def _lines(path: Path, text: str, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (where, cells) of every line that is not blank; quoted cells may hold line ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"line {reader.line_num}", cells
    except csv.Error as error:
        raise SheetError(
            f"{path.name}, line {reader.line_num}: quotes stand around whole cells, doubled inside; {error}. "
            "Correct the line."
        ) from error


def _parquet(path: Path, wanted: Collection[str]) -> tuple[tuple[str, ...], list[tuple[str, dict[str, str]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        originals = file.schema_arrow.names
        names = _names(path, originals)
        taken = {name: original for name, original in zip(names, originals, strict=True) if name in wanted}
        for name, original in taken.items():
            kind = file.schema_arrow.field(original).type
            if pa.types.is_nested(kind) or pa.types.is_binary(kind):
                raise SheetError(f"{path.name}: column {name!r} holds text or numbers; its type is {kind}. Convert it.")
        table = file.read(list(taken.values()))
    except (pa.ArrowInvalid, OSError) as error:
        raise SheetError(f"{path.name}: must be Parquet, as its name says; {error}. Write it again.") from error
    cells = {name: [_cell(value) for value in table[original].to_pylist()] for name, original in taken.items()}
    rows = [
        (f"row {number}", {name: column[number - 1] for name, column in cells.items()})
        for number in range(1, table.num_rows + 1)
    ]
    return names, rows


def _cell(value: Any) -> str:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else _clean(str(value))
