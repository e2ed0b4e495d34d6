"""Own files: what the paths of a user's table name in the raw folder, however accents and separators are written."""

import os
import posixpath
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..audio import SUFFIXES
from ..errors import SheetError, near


class OwnFiles:
    """The raw folder of a table; each of its folders is read once.

    Args:
        root: absolute path of the raw folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._listed: dict[str, dict[str, str]] = {}

    def find(self, cell: str, missing_allowed: bool = False) -> tuple[str, str]:
        """Return (POSIX path below the root, as spelled on disk; the same without suffix, in NFC) of a table's path.

        Args:
            cell: relative to the root, or absolute and inside it; a backslash separates folders too.
            missing_allowed: take the path as it is where there is no such file.

        Raises:
            SheetError: the path is empty, leaves the root, or names no file.
        """
        if not cell:
            raise SheetError("file is a path below the raw folder; it is empty. Name the file.")
        path = self._relative(cell)
        found = self._on_disk(path)
        if found is None and not missing_allowed:
            folder, _, name = path.rpartition("/")
            raise SheetError(
                f"file is a path below the raw folder {self.root}; {cell!r} does not exist there."
                f"{near(name, self._names(self._on_disk(folder) or folder))} Correct it, "
                "or add --skip-broken to leave out what is missing."
            )
        return found or path, str(PurePosixPath(unicodedata.normalize("NFC", path)).with_suffix(""))

    def _relative(self, cell: str) -> str:
        path = posixpath.normpath(cell.replace("\\", "/"))
        if path.startswith("/"):
            inside = [root for root in (self.root, self.root.resolve()) if PurePosixPath(path).is_relative_to(root)]
            path = PurePosixPath(path).relative_to(inside[0]).as_posix() if inside else ".."
        if path == "." or path.split("/")[0] == "..":
            raise SheetError(
                f"file is a path below the raw folder {self.root}; {cell!r} leaves it. Choose --raw so that it holds "
                "all files."
            )
        return path

    def _on_disk(self, path: str) -> str | None:
        """Return `path` as it is spelled on disk, or None: folder by folder, as any of them may hold an accent."""
        found = ""
        for part in path.split("/"):
            names = self._names(found)
            name = names.get(part) or names.get(unicodedata.normalize("NFC", part))
            if name is None:
                # a file system that ignores case opens what its listing spells otherwise
                return path if (self.root / path).is_file() else None
            found = f"{found}/{name}" if found else name
        return found

    def _names(self, folder: str) -> dict[str, str]:
        """Return name as a table may spell it -> name on disk, of everything in `folder`."""
        if folder not in self._listed:
            try:
                names = sorted(os.listdir(self.root / folder))  # noqa: PTH208  a Path per file costs a second in ESD
            except OSError:  # a file, or nothing: nobody has files there
                names = []
            self._listed[folder] = {unicodedata.normalize("NFC", name): name for name in names} | {
                name: name for name in names
            }
        return self._listed[folder]

    def unlisted(self, paths: Iterable[str]) -> list[str]:
        """Return the audio files that lie beside `paths` but are not among them, sorted."""
        taken = set(paths)
        beside = {
            f"{folder}/{name}" if folder else name
            for folder in {path.rpartition("/")[0] for path in taken}
            for name in self._names(folder).values()
            if PurePosixPath(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        }
        return sorted(beside - taken)
