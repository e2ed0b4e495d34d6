"""Obtain: the corpora that need nobody's permission come by themselves, synthesised or downloaded."""

import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

import datasets
from filelock import FileLock

from .corpus import Archive, Corpus
from .errors import DownloadError, RawTreeError
from .raw import how_to_get, locate
from .registry import CorpusModule

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """Return the cache of serbench: `$SERBENCH_CACHE`, else `$HF_HOME/serbench`."""
    from huggingface_hub.constants import HF_HOME

    return Path(os.environ.get("SERBENCH_CACHE") or Path(HF_HOME) / "serbench").expanduser()


def obtain(module: CorpusModule, version: str, downloads: datasets.DownloadManager) -> Path:
    """Return the root of a corpus for which the user named no folder.

    Args:
        module: the corpus.
        version: names what `make` of a synthesised corpus would write, so that another version is made anew.
        downloads: where archives are fetched with; its settings and cache are obeyed.

    Raises:
        RawTreeError: the corpus can only be had from its owners; says how.
        DownloadError: an archive cannot be fetched or is not the stated one.
    """
    corpus = module.CORPUS
    if hasattr(module, "make"):
        return _made(module, version)
    if corpus.downloads:
        return locate(module, _downloaded(corpus, downloads))
    raise RawTreeError(
        f"{corpus.name}: no raw folder was given, and the corpus cannot be fetched.\n{how_to_get(corpus)}"
    )


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


def _downloaded(corpus: Corpus, downloads: datasets.DownloadManager) -> Path:
    """Fetch and unpack the corpus' archives; return the folder they were unpacked to."""
    if len(corpus.downloads) > 1:
        raise DownloadError(
            f"{corpus.name}: one archive can be fetched by itself; the record names {len(corpus.downloads)}. "
            f"{how_to_get(corpus)}"
        )
    archive = corpus.downloads[0]
    logger.warning(
        "%s: %s, %.0f MB, licence %s%s. It is fetched once into %s.",
        corpus.name, archive.url, archive.bytes / 1e6, corpus.licence.id,
        f" ({corpus.licence.note})" if corpus.licence.note else "", downloads.download_config.cache_dir,
    )  # fmt: skip
    try:
        file = Path(downloads.download(archive.url))
    except (OSError, ValueError) as error:
        raise DownloadError(
            f"{corpus.name}: {archive.url} could not be fetched ({error}). Try again with a connection, or:\n"
            f"{how_to_get(corpus)}"
        ) from error
    _verify(corpus, archive, file)
    _refuse_escapes(corpus, archive, file)
    folder = Path(downloads.extract(str(file)))
    if not _complete(file, folder):  # a killed run leaves a half-unpacked folder, which datasets takes for whole
        shutil.rmtree(folder)
        folder = Path(downloads.extract(str(file)))
    return folder


def _verify(corpus: Corpus, archive: Archive, file: Path) -> None:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != archive.sha256:
        size = file.stat().st_size
        file.unlink()
        raise DownloadError(
            f"{corpus.name}: {archive.url} must have sha256 {archive.sha256} ({archive.bytes} bytes); got {found} "
            f"({size} bytes). The file was removed; try again, and report it if it happens twice."
        )


def _refuse_escapes(corpus: Corpus, archive: Archive, file: Path) -> None:
    """Refuse an archive whose entries lead out of the folder it is unpacked to."""
    names = []
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened:
            names = opened.namelist()
    elif tarfile.is_tarfile(file):
        with tarfile.open(file) as opened:
            names = opened.getnames()
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name.replace("\\", "/")).parts:
            raise DownloadError(
                f"{corpus.name}: entries of an archive stay below its folder; {archive.url} has {name!r}. Nothing was "
                "unpacked; report it."
            )


def _complete(file: Path, folder: Path) -> bool:
    if not zipfile.is_zipfile(file):
        return True
    with zipfile.ZipFile(file) as opened:
        members = [one for one in opened.infolist() if not one.is_dir()]
    return all(
        (folder / one.filename).is_file() and (folder / one.filename).stat().st_size == one.file_size for one in members
    )
