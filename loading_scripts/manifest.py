"""Manifests: the table that takes the place of file names where nobody published how a corpus names its files."""

from collections.abc import Iterator
from pathlib import Path

from .annotations import beside
from .corpus import Corpus
from .errors import SheetError, near
from .metadata import sheet
from .metadata.files import OwnFiles
from .utterance import Gender, Utterance

NEEDED = ("file", "emotion", "speaker")
"""Columns of every manifest, named as in the metadata door; cells of `speaker` may be empty."""

OPTIONAL = ("gender", "transcript")
"""Columns that a manifest may have."""

_GENDERS = {
    "": Gender.UNKNOWN,
    "f": Gender.FEMALE,
    "female": Gender.FEMALE,
    "m": Gender.MALE,
    "male": Gender.MALE,
    "unknown": Gender.UNKNOWN,
}


def layout(corpus: str) -> str:
    """Return the tree that `find` expects, for the record of a corpus."""
    return f"""
<root>/
    {corpus}.csv     a table of yours with the columns {", ".join(NEEDED)} (and {", ".join(OPTIONAL)}, if known)
    ...           the audio files, in whatever folders; `file` is the path below <root>
"""


def find(corpus: Corpus, root: Path, language: str) -> Iterator[Utterance]:
    """Yield the utterance of every row of the table ``<id>.csv`` in `root`; nothing where there is no such table.

    Args:
        corpus: the record; `emotion` cells are its native codes, in whatever case.
        root: folder that the paths in the table start from.
        language: BCP 47 tag of every utterance.

    Raises:
        SheetError: columns are missing, or rows break a rule; they are counted, the first ones shown.
    """
    path = beside([root], f"{corpus.id}.csv")
    if path is None:
        return
    table, files = sheet.read(path, NEEDED, OPTIONAL), OwnFiles(root)
    found, wrong = [], []
    for where, cells in table.rows:
        try:
            found.append(_utterance(corpus, cells, files, language))
        except SheetError as error:
            wrong.append(f"{where}: {error}")
    table.refuse(wrong)
    yield from found


def _utterance(corpus: Corpus, cells: dict[str, str], files: OwnFiles, language: str) -> Utterance:
    code_of = {code.casefold(): code for code in corpus.emotions}
    if cells["emotion"].casefold() not in code_of:
        raise SheetError(
            f"emotion is one of {', '.join(corpus.emotions)}; found {cells['emotion']!r}."
            f"{near(cells['emotion'], corpus.emotions)} Correct it."
        )
    gender = cells.get("gender", "").casefold()
    if gender not in _GENDERS:
        raise SheetError(f"gender is female, male, unknown or empty; found {cells['gender']!r}. Correct it.")
    path, stem = files.find(cells["file"])
    return Utterance(
        id=f"{corpus.id}-{stem.replace('/', '-')}",
        path=path,
        native=code_of[cells["emotion"].casefold()],
        speaker=cells["speaker"] or None,
        gender=_GENDERS[gender],
        language=language,
        transcript=cells.get("transcript") or None,
    )
