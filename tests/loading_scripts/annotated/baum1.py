"""BAUM-1: clips and the two workbooks that label them."""

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

from annotated_trees import Tones

from loading_scripts.corpora import baum1

MISSPELT = {"interest": "Intrest", "contempt": "Contepmt", "thinking": "thinking"}

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def plant_examples(root: Path, examples: list[dict], tones: Tones) -> None:
    """Plant examples, both workbooks with the labels of those that have one, and the subtitles that they state."""
    clips = [example for example in examples if example["path"].endswith((".mp4", ".wav"))]
    tones(root, [example["path"] for example in clips])
    labeled = [example for example in clips if not example.get("ignored")]
    above = root / Path(clips[0]["path"]).parent.parent.parent
    for part, words in baum1.CODES.items():
        rows = []
        for example in labeled:
            clip = Path(example["path"])
            if f"BAUM1{part}_" in example["path"]:
                word = next(one for one in words if baum1.CORPUS.emotions[one] == example["noun"])
                code = words.index(word) + 1
                shown = "Neutral" if clip.stem in baum1.CONTRADICTORY else MISSPELT.get(word, word.capitalize())
                rows.append([len(rows) + 1, int(clip.stem[1:4]), "", clip.stem.upper(), shown, code])
        workbook(above / f"Annotations_BAUM1{part}.xlsx", [["No", "Subject", "", "Clip", "Emotion", "Code"], *rows])
    for example in labeled:
        if text := example.get("transcript"):
            lines = [
                f"{k}\r\n00:00:0{k},000 --> 00:00:0{k},900\r\n{one}\r\n" for k, one in enumerate(text.split(". "), 1)
            ]
            lines[0] = lines[0].rstrip() + ".\r\n" if len(lines) > 1 else lines[0]
            (root / example["path"]).with_suffix(".srt").write_bytes("\r\n".join(lines).encode("cp1254"))


def workbook(path: Path, rows: list[list[str | int]]) -> None:
    """Write an Excel workbook whose first sheet, stored last, holds `rows`; empty cells are left out."""
    strings = sorted({cell for row in rows for cell in row if isinstance(cell, str)})
    shared = "".join(f"<si><r><t>{escape(one[:2])}</t></r><r><t>{escape(one[2:])}</t></r></si>" for one in strings)
    cells = [
        "".join(
            f'<c r="{chr(65 + column)}{number}" t="s"><v>{strings.index(cell)}</v></c>'
            if isinstance(cell, str)
            else f'<c r="{chr(65 + column)}{number}"><v>{cell}</v></c>'
            for column, cell in enumerate(row)
            if cell != ""
        )
        for number, row in enumerate(rows, 1)
    ]
    sheet = "".join(f'<row r="{number}">{row}</row>' for number, row in enumerate(cells, 1))
    with zipfile.ZipFile(path, "w") as book:
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets><sheet name="Labels" sheetId="2" r:id="rId2"/>'
            '<sheet name="Notes" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            '<Relationship Id="rId1" Target="worksheets/sheet1.xml"/>'
            '<Relationship Id="rId2" Target="worksheets/sheet2.xml"/></Relationships>',
        )
        book.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{shared}</sst>')
        book.writestr("xl/worksheets/sheet1.xml", f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>')
        book.writestr(
            "xl/worksheets/sheet2.xml", f'<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
        )
