"""Fetch: one file from the net, continued where an interruption left it, and compared with its record."""

import hashlib
from pathlib import Path

from .corpus import Archive
from .errors import DownloadError

_AS_STORED = {"Accept-Encoding": "identity"}  # else servers compress on the fly, and neither size nor range holds
_BLOCK = 1 << 20


def fetch(archive: Archive, folder: Path) -> tuple[Path, str]:
    """Return the file of `archive` in `folder`, fetched unless it is there, and its sha256.

    Raises:
        DownloadError: the server has another file than the record describes; nothing of it is kept.
        OSError: the server or the disk fails; what came is kept, and the next call continues.
    """
    file = folder / Path(archive.path).name
    if not file.exists():
        _transfer(archive, file)
    found = _digests(file)
    for name, value in found.items():
        stated = getattr(archive, name)
        if stated is not None and value != stated:
            size = file.stat().st_size
            file.unlink()
            raise DownloadError(
                f"{archive.url} must have {name} {stated}; got {value} ({size} bytes). The file was removed; try "
                "again, and report it if it happens twice."
            )
    return file, found["sha256"]


def _transfer(archive: Archive, file: Path) -> None:
    import datasets.config
    from huggingface_hub.errors import HTTPError
    from huggingface_hub.file_download import http_get

    if datasets.config.HF_HUB_OFFLINE:
        raise OSError("offline mode is enabled: HF_HUB_OFFLINE or HF_DATASETS_OFFLINE is set")
    try:
        size, state = _announced(archive)
        unfinished = file.with_name(f"{file.name}.{state}.unfinished")
        if size is None:  # nobody could tell whether what is here is a part of the same file
            unfinished.unlink(missing_ok=True)
        with unfinished.open("ab") as opened:
            http_get(
                archive.url,
                opened,  # type: ignore[arg-type]
                resume_size=opened.tell(),
                headers=dict(_AS_STORED),
                expected_size=size,
                displayed_filename=file.name,
            )
    except OSError:
        raise
    except HTTPError as error:  # the base of what the client raises is no OSError
        raise OSError(str(error)) from error
    unfinished.rename(file)


def _announced(archive: Archive) -> tuple[int | None, str]:
    """Return the size that the server announces, and a name for the state of the file there.

    The record's checksum names the state as well as the server does, and two servers of one address agree on it. The
    size is None where nothing would tell that the file has changed between two calls.
    """
    from huggingface_hub.utils import get_session

    answer = get_session().head(archive.url, headers=_AS_STORED, follow_redirects=True)
    told = answer.headers if answer.is_success else {}  # some servers answer GET alone
    length = told.get("Content-Length")
    size = archive.bytes if length is None else int(length)
    if archive.bytes not in (None, size):
        raise DownloadError(
            f"{archive.url} must have {archive.bytes} bytes; the server announces {size}. It is no longer the file "
            "that the record describes: report it."
        )
    version = archive.sha256 or archive.md5 or told.get("ETag") or told.get("Last-Modified")
    if version is None:
        return None, "unknown"
    return size, hashlib.sha256(f"{archive.url}\0{version}\0{size}".encode()).hexdigest()[:16]


def _digests(file: Path) -> dict[str, str]:
    """Return sha256 and md5, from one reading."""
    digests = {"sha256": hashlib.sha256(), "md5": hashlib.md5(usedforsecurity=False)}
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            for digest in digests.values():
                digest.update(block)
    return {name: digest.hexdigest() for name, digest in digests.items()}
