"""The metadata door: a table of the user's own becomes a corpus, with the checks, configs and card of all others."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

from .. import registry
from ..corpus import Access, Corpus
from ..errors import RawTreeError, SheetError, UnknownNameError, near
from ..utterance import Gender, Utterance
from . import card as cards
from . import sheet
from .files import OwnFiles
from .label_column import emotions_of
from .sheet import Sheet
from .splits import OwnSplit, folds, official

NEEDED = ("file", "emotion", "speaker")
"""Columns that every table has; cells of `speaker` may be empty."""

OPTIONAL = (
    *("split", "fold", "gender", "language", "arousal", "valence", "dominance"),
    *("start", "end", "transcript"),
)
"""Columns that a table may have; all of their cells may be empty."""

_RATINGS = ("arousal", "valence", "dominance")
_GENDERS = {
    **dict.fromkeys(("f", "female", "w", "woman"), Gender.FEMALE),
    **dict.fromkeys(("m", "male", "man"), Gender.MALE),
    **dict.fromkeys(("", "u", "unknown"), Gender.UNKNOWN),
}
_SHOWN = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnCorpus:
    """What a table becomes: the same as a file in `corpora/`.

    Args:
        CORPUS: the record.
        utterances: what `find` yields.
        version: names the state of the table and of what came with it.
    """

    CORPUS: Corpus
    utterances: tuple[Utterance, ...]
    version: str

    def find(self, root: Path) -> Iterator[Utterance]:
        """Yield every utterance of the table; the table was read for one raw folder, which `root` is."""
        yield from self.utterances


def read(
    corpus: str,
    table: Path,
    raw: Path,
    label_map: Path | None = None,
    card: Path | None = None,
    skip_broken: bool = False,
) -> OwnCorpus:
    """Return the corpus that a table describes.

    Args:
        corpus: its id: lower-case letters and digits, and no corpus that serbench knows.
        table: CSV, TSV or Parquet with the columns `NEEDED`, and any of `OPTIONAL`; a row is an utterance.
        raw: folder that the paths of the table start from.
        label_map: table with the columns ``label`` (as in the table) and ``noun`` (of labels.csv; empty: no label).
            Labels that it leaves out must be nouns or their aliases.
        card: name, licence, language, homepage, citation and description (`card.py`).
        skip_broken: leave rows whose file is missing to the build, which leaves them out and lists them.

    Raises:
        SheetError: table, map or card break a rule; rows are counted, the first ones shown, unknown labels all listed.
        UnknownNameError: the name is taken or not well-formed.
        RawTreeError: the raw folder does not exist.
    """
    _check_name(corpus)
    files = OwnFiles(_folder(corpus, raw))
    rows = sheet.read(table, NEEDED, OPTIONAL)
    _tell_ignored(rows)
    told = cards.read(card) if card else cards.OwnCard()
    utterances = _utterances(corpus, rows, files, told.language, skip_broken)
    if not any((files.root / one.path).exists() for one in utterances):
        raise RawTreeError(
            f"Corpus {corpus}: none of the {len(utterances)} files of {rows.name} lies below {files.root}, first "
            f"{utterances[0].path!r}. Name the folder that the paths start from."
        )
    utterances, speakers = _with_genders(rows, utterances)
    emotions = emotions_of(rows, utterances, label_map)
    if unlisted := files.unlisted(one.path for one in utterances):
        logger.warning(
            "Corpus %s: %d audio files beside those of %s are not in it, first %s; they are left out.",
            *(corpus, len(unlisted), rows.name, unlisted[:_SHOWN]),
        )
    columns = {
        name: {one.id: cells[name] for one, (_, cells) in zip(utterances, rows.rows, strict=True) if cells.get(name)}
        for name in ("split", "fold")
    }
    own_folds = folds(rows.name, columns["fold"]) if columns["fold"] else {}
    own_split = official(rows.name, columns["split"]) if columns["split"] else {}
    contents = [path.expanduser().read_bytes() if path else b"" for path in (table, label_map, card)]
    return OwnCorpus(
        _record(corpus, told, utterances, speakers, emotions, own_split | own_folds),
        tuple(utterances),
        "".join(blake2b(content, digest_size=16).hexdigest() for content in contents),
    )


def _record(
    corpus: str,
    told: cards.OwnCard,
    utterances: Sequence[Utterance],
    speakers: Mapping[str, Gender],
    emotions: Mapping[str, str | None],
    partitions: Mapping[str, OwnSplit],
) -> Corpus:
    return Corpus(
        id=corpus,
        name=told.pretty_name or corpus,
        description=told.description or "A corpus that its owner described by a table.",
        languages=tuple(sorted({one.language for one in utterances})),
        sources=(),
        licence=cards.licence(told.license),
        access=Access.OWNER,
        homepage=told.homepage,
        citation=told.citation,
        how_to_get="Ask whoever built this folder from it.",
        layout="the files that the table names",
        utterances=len(utterances),
        emotions=emotions,
        speakers=speakers,
        partitions=partitions,
        traps=tuple(
            f"{name}: {partition.rule}."
            for name, partition in partitions.items()
            if name != "official" and partition.split_of.get(name.removeprefix("fold")) != "test"  # not 1..N
        ),
        ignore=("*",),  # a table may leave files out; `read` counts them
        rating_scale=_scale(utterances),
    )


def _check_name(corpus: str) -> None:
    if corpus in registry.ids():
        raise UnknownNameError(
            f"Corpus {corpus!r}: a table (--metadata) describes a corpus of your own; serbench has one of this name. "
            "Choose another name, or leave out --metadata."
        )
    if not (corpus.isascii() and corpus.isalnum() and corpus.islower() and corpus[0].isalpha()):
        raise UnknownNameError(
            f"Corpus {corpus!r}: names are lower-case letters and digits, a letter first. Choose such a name."
        )


def _folder(corpus: str, raw: Path) -> Path:
    folder = raw.expanduser().absolute()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise RawTreeError(f"Corpus {corpus}: the raw folder {folder} {what}. Name the one that the paths start from.")
    return folder


def _tell_ignored(rows: Sheet) -> None:
    known = {*NEEDED, *OPTIONAL}
    ignored = [f"{name!r}.{near(name, known - set(rows.columns))}" for name in rows.columns if name not in known]
    if ignored:
        logger.warning("%s: columns that are not read: %s", rows.name, " ".join(ignored))


def _utterances(corpus: str, rows: Sheet, files: OwnFiles, language: str, skip_broken: bool) -> list[Utterance]:
    """Return the utterance of every row, or refuse the table with all rows that break a rule."""
    found: list[Utterance] = []
    wrong: list[str] = []
    where_of: dict[str, str] = {}
    for where, cells in rows.rows:
        try:
            one = _utterance(corpus, cells, files, language, rows.decimal_comma, skip_broken)
            if one.id in where_of:
                raise SheetError(
                    f"ids, which come from file, start and end, are unique; found {one.id!r} in {where_of[one.id]} "
                    "too. Remove one, or rename its file."
                )
        except SheetError as error:
            wrong.append(f"{where}: {error}")
            continue
        where_of[one.id] = where
        found.append(one)
    rows.refuse(wrong)
    return found


def _utterance(
    corpus: str, cells: Mapping[str, str], files: OwnFiles, language: str, decimal_comma: bool, skip_broken: bool
) -> Utterance:
    if not cells["emotion"]:
        raise SheetError(
            "emotion has a label in every row; it is empty. For an utterance without a label, write a word and map it "
            "to an empty noun (--labels)."
        )
    numbers = {name: _number(name, cells.get(name, ""), decimal_comma) for name in (*_RATINGS, "start", "end")}
    start, end = numbers["start"], numbers["end"]
    if (start or 0) < 0 or (end is not None and end <= (start or 0)):
        raise SheetError(f"start and end are seconds, 0 <= start < end; found {start} and {end}. Correct them.")
    gender = _GENDERS.get(cells.get("gender", "").casefold())
    if gender is None:
        raise SheetError(
            f"gender is female, male, unknown (f, m, u) or empty; found {cells['gender']!r}."
            f"{near(cells['gender'], filter(None, _GENDERS))} Correct it."
        )
    tag = cells.get("language") or language
    cards.check_language(tag)
    path, stem = files.find(cells["file"], missing_allowed=skip_broken)
    return Utterance(
        id=f"{corpus}-{stem.replace('/', '-')}{_segment(start, end)}",
        path=path,
        native=cells["emotion"],
        speaker=cells["speaker"] or None,
        gender=gender,
        language=tag,
        transcript=cells.get("transcript") or None,
        **numbers,
    )


def _number(name: str, text: str, decimal_comma: bool) -> float | None:
    if not text:
        return None
    try:
        number = float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise SheetError(f"{name} is a number; found {text!r}. Correct or empty the cell.")
    return number


def _segment(start: float | None, end: float | None) -> str:
    """Return what the id of a part of a file ends in: its span in milliseconds."""
    if start is None and end is None:
        return ""
    return f"@{round(1000 * (start or 0))}-{'' if end is None else round(1000 * end)}"


def _with_genders(rows: Sheet, utterances: Sequence[Utterance]) -> tuple[list[Utterance], dict[str, Gender]]:
    """Return the utterances with the gender that any row of their speaker states, and speaker -> gender."""
    stated: dict[str, tuple[Gender, str]] = {}
    wrong = []
    for one, (where, _) in zip(utterances, rows.rows, strict=True):
        if one.speaker is None or one.gender is Gender.UNKNOWN:
            continue
        gender, first = stated.setdefault(one.speaker, (one.gender, where))
        if gender is not one.gender:
            wrong.append(
                f"{where}: a speaker has one gender; {one.speaker!r} is {one.gender} here and {gender} in {first}. "
                "Correct one."
            )
    rows.refuse(wrong)
    names = sorted({one.speaker for one in utterances if one.speaker is not None})
    speakers = {name: stated[name][0] if name in stated else Gender.UNKNOWN for name in names}
    completed = [
        replace(one, gender=speakers[one.speaker]) if one.speaker and one.gender is Gender.UNKNOWN else one
        for one in utterances
    ]
    return completed, speakers


def _scale(utterances: Sequence[Utterance]) -> str:
    """Return the range of every rating that the table has, for the card."""
    ranges = []
    for name in _RATINGS:
        values = [value for one in utterances if (value := getattr(one, name)) is not None]
        if values:
            ranges.append(f"{name} {min(values):g} to {max(values):g}")
    return ", ".join(ranges) + " (as found in the table)" if ranges else ""
