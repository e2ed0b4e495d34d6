"""Obtain: the corpora that need nobody's permission come by themselves, synthesised or fetched."""

import errno
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from .corpus import Archive, Corpus
from .errors import DiskFullError, DownloadError, RawTreeError
from .fetch import fetch
from .raw import DATA_VARIABLE, default_folder, how_to_get, locate
from .registry import CorpusModule
from .unpack import is_archive, unpack

if TYPE_CHECKING:
    from datasets import DownloadManager

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the cache of serbench: `$SERBENCH_CACHE`, else `$HF_HOME/serbench`."""
    from huggingface_hub.constants import HF_HOME

    return Path(os.environ.get("SERBENCH_CACHE") or Path(HF_HOME) / "serbench").expanduser()


def obtain(module: CorpusModule, version: str, downloads: "DownloadManager") -> Path:
    """Return the root of a corpus for which the user named no folder.

    Args:
        module: the corpus.
        version: names what `make` of a synthesised corpus would write, so that another version is made anew.
        downloads: whose cache archives are fetched into, and whose wish to fetch anew is obeyed.

    Raises:
        RawTreeError: the corpus can only be had from its owners, or has no published checksums; says how.
        DownloadError: an archive cannot be fetched or is not the stated one.
        DiskFullError: what was fetched is kept.
    """
    corpus = module.CORPUS
    if hasattr(module, "make"):
        return _made(module, version)
    told = downloads.download_config
    if not told.force_download and (folder := fetched(corpus)) is not None:
        return locate(module, folder)
    if not corpus.downloads:
        raise RawTreeError(
            f"{corpus.name}: no raw folder was given, and the corpus cannot be fetched.\n{how_to_get(corpus)}"
        )
    unchecked = [archive.url for archive in corpus.downloads if archive.sha256 is None]
    if unchecked:
        raise RawTreeError(
            f"{corpus.name}: no raw folder was given, and nothing is fetched unasked that has no published sha256, as "
            f"{unchecked[0]}. If you trust it: serbench download {corpus.id}\n{how_to_get(corpus)}"
        )
    target = _place(corpus, Path(told.cache_dir) if told.cache_dir else _downloads_folder())
    _fetch_all(corpus, target, anew=told.force_download)
    return locate(module, target)


@dataclass(frozen=True)
class Download:
    """What `download` did.

    Args:
        root: root of the corpus.
        sha256: address -> checksum of every archive that was fetched now; empty where the corpus was there.
    """

    root: Path
    sha256: dict[str, str]


def download(module: CorpusModule, folder: Path | None) -> Download:
    """Fetch a corpus because the user said so; archives without a published checksum too.

    Args:
        module: the corpus.
        folder: where to; None: `$SERBENCH_DATA/<id>`, else the cache of `datasets`. `load_dataset` looks in both.

    Raises:
        RawTreeError: the corpus can only be had from its owners, or the folder holds something else.
        DownloadError: an archive cannot be fetched, is not the stated one, or cannot be unpacked.
        DiskFullError: what was fetched is kept.
    """
    corpus = module.CORPUS
    if not corpus.downloads:
        raise RawTreeError(f"{corpus.name}: cannot be fetched.\n{how_to_get(corpus)}")
    data = os.environ.get(DATA_VARIABLE)
    place = Path(data) / corpus.id if data else _place(corpus, _downloads_folder())
    target = (folder or fetched(corpus) or place).expanduser().absolute()
    found = {} if target.is_dir() and any(target.iterdir()) else _fetch_all(corpus, target)
    return Download(locate(module, target), found)


def fetched(corpus: Corpus) -> Path | None:
    """Return the raw folder of a corpus where the user put it (`$SERBENCH_DATA`) or `download` left it, or None."""
    if (folder := default_folder(corpus)) is not None or not corpus.downloads:
        return folder
    place = _place(corpus, _downloads_folder())
    return place if place.is_dir() else None


def _downloads_folder() -> Path:
    from datasets.config import DOWNLOADED_DATASETS_PATH

    return Path(DOWNLOADED_DATASETS_PATH)


def _place(corpus: Corpus, downloads: Path) -> Path:
    """Return where the archives of a record, and no others, are unpacked."""
    return downloads / "serbench" / f"{corpus.id}-{_key(*corpus.downloads)}"


def _key(*archives: Archive) -> str:
    return blake2b("\0".join(map(repr, archives)).encode(), digest_size=8).hexdigest()


def _made(module: CorpusModule, version: str) -> Path:
    """Synthesise the corpus once per version; a killed run leaves nothing that counts as the corpus."""
    target = cache_folder() / module.CORPUS.id / version
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            part = Path(tempfile.mkdtemp(prefix=f"{version}.", dir=target.parent))
            try:
                module.make(part)  # type: ignore[attr-defined]
                part.replace(target)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return target


def _fetch_all(corpus: Corpus, target: Path, anew: bool = False) -> dict[str, str]:
    """Fetch and unpack every archive into `target`, which appears whole or not at all; return address -> sha256.

    The archives lie in a hidden folder beside `target` until all are unpacked: a killed run continues, archive by
    archive and byte by byte.
    """
    part, tree = target.with_name(f".{target.name}.part"), target.with_name(f".{target.name}.tree")
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{part}.lock"), _explained(corpus, target):
        if target.is_dir() and any(target.iterdir()) and not anew:  # another process was faster
            return {}
        _announce(corpus, target)
        part.mkdir(exist_ok=True)
        _check_room(corpus, part)
        files = {archive: _fetch(corpus, archive, part / _key(archive)) for archive in corpus.downloads}
        shutil.rmtree(tree, ignore_errors=True)  # of a run that was killed while it unpacked
        try:
            for archive, (file, _) in files.items():
                _place_file(archive, file, tree)
            if anew:
                shutil.rmtree(target, ignore_errors=True)
            tree.rename(target)  # also onto an empty folder
        finally:
            shutil.rmtree(tree, ignore_errors=True)
        shutil.rmtree(part)
        return {archive.url: digest for archive, (_, digest) in files.items()}


def _fetch(corpus: Corpus, archive: Archive, folder: Path) -> tuple[Path, str]:
    folder.mkdir(exist_ok=True)
    try:
        return fetch(archive, folder)
    except DownloadError as error:
        raise DownloadError(f"{corpus.name}: {error}") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise DownloadError(
            f"{corpus.name}: {archive.url} could not be fetched ({error}). The same command continues where it "
            f"stopped; or:\n{how_to_get(corpus)}"
        ) from error


def _place_file(archive: Archive, file: Path, tree: Path) -> None:
    """Put a file where the record says, an archive unpacked; one that cannot be is fetched anew next time."""
    target = tree / archive.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if not is_archive(file):
        shutil.copyfile(file, target)
        return
    try:
        unpack(file, target.parent)
    except DownloadError:
        file.unlink()
        raise


@contextmanager
def _explained(corpus: Corpus, target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFullError(
            f"{corpus.name}: the disk that holds {target.parent} is full ({error}). Free some and run the same command "
            "again, which continues; or name a folder on another disk (serbench download --raw)."
        ) from error


def _announce(corpus: Corpus, target: Path) -> None:
    sizes = [archive.bytes for archive in corpus.downloads]
    size = "size unknown" if None in sizes else f"{sum(filter(None, sizes)) / 1e6:.0f} MB"
    note = f" ({corpus.licence.note})" if corpus.licence.note else ""
    logger.warning(
        "%s: %d file%s, %s, licence %s%s, from %s. Fetched once into %s.",
        *(corpus.name, len(sizes), "s" * (len(sizes) > 1), size, corpus.licence.id, note),
        *(corpus.downloads[0].url, target),
    )


def _check_room(corpus: Corpus, part: Path) -> None:
    """Refuse to begin what cannot end: the archives and at least as much again, unpacked."""
    here = sum(file.stat().st_size for file in part.glob("*/*") if file.is_file())
    needed = 2 * sum(archive.bytes or 0 for archive in corpus.downloads) - here
    free = shutil.disk_usage(part).free
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
