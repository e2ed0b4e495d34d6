"""Unpack: an archive, and the archives in it, become plain files below a folder, whatever the archive says."""

import gzip
import logging
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from .errors import DownloadError

logger = logging.getLogger(__name__)

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""How the names of archives end, in lower case."""

GROWTH = 50
"""What comes out of an archive is at most this many times as large: speech hardly shrinks, tables do ten-fold."""

_BLOCK = 1 << 20
_DAMAGED = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError),
    *(EOFError, ValueError),
    RuntimeError,  # encrypted, or NotImplementedError: packed by a method that Python lacks
)


def is_archive(file: Path) -> bool:
    """Return whether the name is that of an archive. Content tells less: a spreadsheet is a ZIP file too."""
    return file.name.lower().endswith(SUFFIXES)


def unpack(file: Path, folder: Path, allowed: int | None = None) -> int:
    """Write the files of an archive below `folder` and return their bytes; archives among them are unpacked in place.

    Files alone are written: of a link, what it links to in the archive. A path that exists is kept, as several archives
    of a corpus come with one and the same licence or list; it is counted in a warning.

    Args:
        file: ZIP or tar file.
        folder: where to; it need not exist.
        allowed: bytes that may be written; None: `GROWTH` times the size of the file.

    Raises:
        DownloadError: an entry leads out of the folder, too much comes out, or the archive is damaged.
        OSError: as the system has it, as when the disk is full.
    """
    allowed = GROWTH * file.stat().st_size if allowed is None else allowed
    written, inner, kept = 0, [], []
    try:
        for name, stream in _entries(file):
            target = folder.joinpath(*_inside(file, name))
            if target.exists():
                kept.append(name)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            written += _copy(file, stream, target, allowed - written)
            if is_archive(target):
                inner.append(target)
    except _DAMAGED as error:
        why = str(error).partition("\n")[0]
        with file.open("rb") as opened:
            start = opened.read(16)
        raise DownloadError(
            f"Archive {file.name}: must be a whole, unencrypted ZIP or tar file; {why} (it begins with {start!r})."
        ) from error
    if kept:
        logger.warning(
            "Archive %s: %d of its files exist already and are kept, first %s.", file.name, len(kept), kept[0]
        )
    for one in inner:
        written += unpack(one, one.parent, allowed - written)
        one.unlink()
    return written


def _entries(file: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield name and content of every file."""
    if file.name.lower().endswith(".zip"):
        with zipfile.ZipFile(file) as opened:
            for one in opened.infolist():
                name = _spelled(one)
                if name.endswith("/") or stat.S_ISLNK(one.external_attr >> 16):
                    continue
                with opened.open(one) as stream:
                    yield name, stream
        return
    with tarfile.open(file) as opened:
        for member in opened:
            try:
                content = opened.extractfile(member)
            except KeyError as error:
                raise DownloadError(
                    f"Archive {file.name}: links lead to files of the archive; {member.name!r} leads to "
                    f"{member.linkname!r}. Nothing was unpacked; report it."
                ) from error
            if content is not None:  # a folder, a link to one, a device
                with content:
                    yield member.name, content


def _spelled(entry: zipfile.ZipInfo) -> str:
    """Return the name as its author wrote it: many programs write UTF-8 without the flag that says so."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with suppress(UnicodeError):  # else it is cp437, as the format has it
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _inside(file: Path, name: str) -> tuple[str, ...]:
    """Return the parts of the path of an entry, which stays below the folder it is unpacked to."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or PureWindowsPath(name).drive:
        raise DownloadError(
            f"Archive {file.name}: entries of an archive stay below its folder; found {name!r}. Nothing was unpacked; "
            "report it."
        )
    return path.parts


def _copy(file: Path, stream: IO[bytes], target: Path, allowed: int) -> int:
    written = 0
    with target.open("xb") as copy:
        while block := stream.read(_BLOCK):
            written += len(block)
            if written > allowed:
                raise DownloadError(
                    f"Archive {file.name}: at most {GROWTH} times its size may come out of an archive; {target.name!r} "
                    "exceeds that. Nothing was unpacked; report it."
                )
            copy.write(block)
    return written
