"""Own card: what a user tells of an own corpus, written as a dataset card of the Hub, and what its licence allows."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCard

from model_cards.dataset import HUB_LICENCES

from ..corpus import Licence, Permission
from ..errors import SheetError, near

KEYS = ("pretty_name", "license", "language", "homepage", "citation")
"""Keys of the front matter; the first three are those of every card on the Hub."""

_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True, kw_only=True)
class OwnCard:
    """What a user tells of a corpus.

    Args:
        pretty_name: its name as people write it, or None.
        license: identifier of its licence, or None.
        language: BCP 47 tag of the rows that name none.
        homepage: where it lives, or "".
        citation: BibTeX, or "".
        description: the text below the front matter, or "".
    """

    pretty_name: str | None = None
    license: str | None = None
    language: str = "und"
    homepage: str = ""
    citation: str = ""
    description: str = ""


def read(path: Path) -> OwnCard:
    """Return what a Markdown file with a YAML front matter tells.

    Raises:
        SheetError: the file does not exist, its front matter is not YAML, or holds another key or a bad value.
    """
    path = path.expanduser()
    try:
        content = path.read_text(encoding="utf-8-sig")
        card = DatasetCard(content)
    except (OSError, UnicodeDecodeError) as error:
        raise SheetError(f"{path}: must be a Markdown file in UTF-8; {error}. Name or write such a file.") from error
    except Exception as error:  # what the YAML parser of huggingface_hub raises belongs to no public class
        line = " ".join(str(error).split())
        raise SheetError(f"{path.name}: its front matter must be YAML keys with values; {line}. Correct it.") from error
    if not content.lstrip().startswith("---"):
        raise SheetError(f"{path.name}: begins with YAML between two lines of '---'; found none. Add the lines.")
    try:
        return _told(card.data.to_dict(), card.text)
    except SheetError as error:
        raise SheetError(f"{path.name}: {error}") from error


def _told(stated: dict[str, Any], text: str) -> OwnCard:
    for key, value in stated.items():
        if key not in KEYS:
            raise SheetError(f"keys are {', '.join(KEYS)}; found {key!r}.{near(key, KEYS)} Rename or remove it.")
        if not isinstance(value, str):
            raise SheetError(f"{key} is one text; found {value!r}. Put it in quotes, or leave it out.")
    told = OwnCard(**{key: value.strip() for key, value in stated.items()}, description=text.strip())
    if told.citation and not told.citation.startswith("@"):
        raise SheetError(f"citation is BibTeX; found {told.citation!r}. Begin it with an entry such as @misc{{...}}.")
    check_language(told.language)
    return told


def check_language(tag: str) -> None:
    """Refuse what is no BCP 47 tag by its form.

    Raises:
        SheetError: names the tag.
    """
    if not _TAG.fullmatch(tag):
        raise SheetError(f"language is a BCP 47 tag such as de, en-NZ or yue; found {tag!r}. Write the tag.")


def licence(name: str | None) -> Licence:
    """Return what the licence with this name, SPDX's or the Hub's, allows; unclear if serbench does not know it.

    All that serbench knows allow to share adapted copies but for those without derivatives (ND), and commercial use
    but for those that say so (NC).

    >>> str(licence("cc-by-nc-nd-4.0").redistribution), str(licence("CC-BY-SA-4.0").redistribution)
    ('no', 'yes')
    >>> str(licence("on request").redistribution)
    'unclear'
    """
    by_name = {hub: spdx for spdx, hub in HUB_LICENCES.items()} | {spdx.casefold(): spdx for spdx in HUB_LICENCES}
    spdx = by_name.get((name or "").casefold())
    parts = (spdx or "").split("-")

    def allowed(unless: str) -> Permission:
        return Permission.UNCLEAR if spdx is None else Permission.NO if unless in parts else Permission.YES

    return Licence(
        id=spdx or name or "unknown",
        redistribution=allowed(unless="ND"),
        commercial=allowed(unless="NC"),
        note="as stated by whoever described the corpus",
    )
