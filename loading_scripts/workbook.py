"""Workbooks: the text cells of an Excel file (.xlsx), with the standard library alone."""

import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from .errors import RawTreeError

# ECMA-376, part 1: SpreadsheetML, and the relationships between the parts of a package.
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


Row = dict[str, str]
"""Column -> cell: NFC without blanks around, numbers as they are stored."""


def read(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield (name of the sheet, rows below its first one) of every sheet of an Excel file, in order.

    Columns are named by the first row, in lower case; empty cells are "". Rows without a filled cell are left out.

    Raises:
        RawTreeError: the file is no Excel workbook.
    """
    for sheet, rows in grids(path):
        names = {column: name.lower() for column, name in rows[0].items() if name} if rows else {}
        filled = (row for row in rows[1:] if any(row.values()))
        yield sheet, [{name: row.get(column, "") for column, name in names.items()} for row in filled]


def grids(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """Yield (name of the sheet, all its rows) of every sheet of an Excel file, in order; columns are "A", "B", ...

    Raises:
        RawTreeError: the file is no Excel workbook.
    """
    try:
        with zipfile.ZipFile(path) as package:
            strings = _strings(package)
            for name, part in _sheets(package):
                yield name, _rows(ElementTree.fromstring(package.read(part)), strings)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError) as error:
        raise RawTreeError(f"{path}: must be an Excel workbook (.xlsx); {error}. Copy it again.") from error


def _strings(package: zipfile.ZipFile) -> list[str]:
    """Return the strings that cells refer to by number; a file without text has none."""
    if "xl/sharedStrings.xml" not in package.namelist():
        return []
    return [_text(one) for one in ElementTree.fromstring(package.read("xl/sharedStrings.xml"))]


def _sheets(package: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    links = ElementTree.fromstring(package.read("xl/_rels/workbook.xml.rels"))
    part_of = {one.attrib["Id"]: one.attrib["Target"] for one in links}
    for one in ElementTree.fromstring(package.read("xl/workbook.xml")).iter(f"{_MAIN}sheet"):
        target = part_of[one.attrib[_ID]]
        yield one.attrib["name"], target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def _rows(sheet: ElementTree.Element, strings: list[str]) -> list[Row]:
    return [
        {_column(cell.attrib["r"]): _value(cell, strings) for cell in row.iter(f"{_MAIN}c")}
        for row in sheet.iter(f"{_MAIN}row")
    ]


def _column(reference: str) -> str:
    return re.sub(r"\d", "", reference)


def _value(cell: ElementTree.Element, strings: list[str]) -> str:
    if cell.attrib.get("t") == "inlineStr":
        return _text(cell)
    stored = cell.findtext(f"{_MAIN}v", default="")
    return strings[int(stored)] if cell.attrib.get("t") == "s" else _plain(stored)


def _text(element: ElementTree.Element) -> str:
    # Runs of differing fonts are several <t>; <rPh> holds how they are pronounced, which is no part of the text.
    heard = {one for phonetic in element.iter(f"{_MAIN}rPh") for one in phonetic.iter()}
    return _plain("".join(one.text or "" for one in element.iter(f"{_MAIN}t") if one not in heard))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace("\u00a0", " ")).strip()
