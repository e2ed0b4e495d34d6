"""Annotations: the files that a corpus ships beside its audio, found however a copy spells their names."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path


def beside(folders: Iterable[Path], *names: str) -> Path | None:
    """Return the first file in `folders` that has one of `names`, earlier names first; None if there is none.

    Case and the Unicode form of a name do not matter, as archives and file systems change both.
    """
    folders = [folder for folder in folders if folder.is_dir()]
    for name in names:
        for folder in folders:
            exact = folder / name
            if exact.is_file():
                return exact
            for other in sorted(folder.iterdir()):
                if _plain(other.name) == _plain(name) and other.is_file():
                    return other
    return None


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
