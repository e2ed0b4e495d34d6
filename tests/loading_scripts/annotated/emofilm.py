"""EmoFilm: clips and the workbook that names speakers and films."""

import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from annotated_trees import Tones

LEGEND = "f_m_corpus_it_es_en_legend.xlsx"

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples and the workbook, with one sheet of women and one of men."""
    tones(root, [one["path"] for one in examples if one["path"] != LEGEND])
    clips = [one for one in examples if not one.get("ignored")]
    sheets = {
        name: [
            (Path(one["path"]).stem, (one["speaker"] or "????").title().replace(" ", "\u00a0 "), "Some Film")
            for one in clips
            if one["gender"] == name
        ]
        for name in ("female", "male")
    }
    write_workbook(root / LEGEND, {name: [("File", "Speaker", "Film"), *rows] for name, rows in sheets.items()})


def write_workbook(path: Path, sheets: dict[str, list[tuple[str, ...]]]) -> None:
    """Write an Excel file as Excel does: text in a table of strings, empty cells left out."""
    strings = sorted({cell for rows in sheets.values() for row in rows for cell in row if cell})
    numbered = [(f"rId{k}", f"worksheets/sheet{k}.xml", name) for k, name in enumerate(sheets, 1)]
    parts = {
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{LINKS}"><sheets>'
        + "".join(f'<sheet name="{name}" sheetId="1" r:id="{link}"/>' for link, _, name in numbered)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships">'
        + "".join(f'<Relationship Id="{link}" Target="{part}"/>' for link, part, _ in numbered)
        + "</Relationships>",
        "xl/sharedStrings.xml": f"<sst {MAIN}>"
        + "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
        + "</sst>",
    }
    for _, part, name in numbered:
        rows = "".join(_row(number, row, strings) for number, row in enumerate(sheets[name], 1))
        parts[f"xl/{part}"] = f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>"
    with zipfile.ZipFile(path, "w") as package:
        for part, text in parts.items():
            package.writestr(part, text)


def _row(number: int, cells: Iterable[str], strings: list[str]) -> str:
    filled = [
        f'<c r="{chr(65 + column)}{number}" t="s"><v>{strings.index(cell)}</v></c>'
        for column, cell in enumerate(cells)
        if cell
    ]
    return f'<row r="{number}">{"".join(filled)}</row>'
