"""Workbooks: what an Excel file holds, cell by cell."""

import zipfile

import pytest
from annotated.emofilm import write_workbook

from loading_scripts import workbook
from loading_scripts.errors import RawTreeError


def test_sheets_rows_and_cells_are_read_in_order(tmp_path):
    path = tmp_path / "legend.xlsx"
    sheets = {
        "female": [
            ("File", "Speaker", "Film"),
            ("f_1", "Jose\u0301\u00a0 R. ", "A & B"),
            ("", "", ""),
            ("f_2", "", "<C>"),
        ],
        "male": [("file", "speaker", "film")],
        "empty": [],
    }
    write_workbook(path, sheets)
    assert dict(workbook.read(path)) == {
        "female": [
            {"file": "f_1", "speaker": "José  R.", "film": "A & B"},
            {"file": "f_2", "speaker": "", "film": "<C>"},
        ],
        "male": [],
        "empty": [],
    }


def test_text_in_the_cell_itself_and_text_of_several_fonts_are_read(tmp_path):
    path = tmp_path / "other.xlsx"
    write_workbook(path, {"only": [("file",), ("one",)]})
    write_workbook(tmp_path / "same.xlsx", {"only": [("file",), ("one",)]})
    with zipfile.ZipFile(tmp_path / "same.xlsx") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            text = text.replace(
                '<t xml:space="preserve">one</t>', "<r><t>o</t></r><r><t>ne</t></r><rPh><t>wan</t></rPh>"
            )
            inside = '<row r="3"><c r="A3" t="inlineStr"><is><t>two</t></is></c></row>'
            number = '<row r="4"><c r="A4"><v>3</v></c></row>'
            new.writestr(name, text.replace("</sheetData>", f"{inside}{number}</sheetData>"))
    assert dict(workbook.read(path)) == {"only": [{"file": "one"}, {"file": "two"}, {"file": "3"}]}


@pytest.mark.parametrize("content", [b"file,speaker\n", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_refused_by_name(content, tmp_path):
    path = tmp_path / "legend.xlsx"
    path.write_bytes(content)
    with pytest.raises(RawTreeError, match=r"legend\.xlsx: must be an Excel workbook"):
        dict(workbook.read(path))
