"""Raw trees: list the files of a corpus, find its root, and say what is missing and how to get it."""

import os
import re
import unicodedata
from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from .corpus import Access, Corpus
from .errors import RawTreeError
from .registry import CorpusModule

DATA_VARIABLE = "SERBENCH_DATA"
"""Environment variable: the folder that holds one folder per raw corpus."""

# A folder with more subfolders than this is somebody's disk, not a corpus one level too high.
_WIDEST = 500


def match(root: Path, grammar: re.Pattern[str], *folders: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield (POSIX path below `root`, match) for the files of `folders` whose path fits `grammar`, sorted by path.

    Args:
        root: root of the corpus.
        grammar: pattern of the whole path below `root`; it sees the path in Unicode NFC, as archives made on other
            systems spell accents differently.
        folders: globs of the folders that hold files, relative to `root`; "." is the root itself.
    """
    found = {folder for pattern in folders for folder in (root.glob(pattern) if pattern != "." else [root])}
    for folder in sorted(found):
        if not folder.is_dir():
            continue
        prefix = "" if folder == root else folder.relative_to(root).as_posix() + "/"
        for name in sorted(entry.name for entry in os.scandir(folder)):
            path = prefix + name
            if fits := grammar.fullmatch(unicodedata.normalize("NFC", path)):
                yield path, fits


def _subfolders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    return [folder / name for name in names] if len(names) <= _WIDEST else []


def _candidates(folder: Path) -> Iterator[Path]:
    """Yield `folder`, then its subfolders down to two levels, then what lies above it, up to two levels."""
    yield folder
    below = _subfolders(folder)
    yield from below
    for one in below:
        yield from _subfolders(one)
    yield from islice(folder.parents, 2)


def locate(module: CorpusModule, folder: Path) -> Path:
    """Return the root of the corpus in `folder`, looking up to two levels below and above.

    Raises:
        RawTreeError: `folder` does not exist, is empty, or holds no file of the corpus.
    """
    corpus = module.CORPUS
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise RawTreeError(f"{corpus.name}: the raw folder {folder} {what}.\n{how_to_get(corpus)}")
    if not any(folder.iterdir()):
        raise RawTreeError(f"{corpus.name}: the raw folder {folder} is empty.\n{how_to_get(corpus)}")
    incomplete: RawTreeError | None = None
    for candidate in _candidates(folder):
        if incomplete is not None and candidate.is_relative_to(folder):
            continue  # a part of the corpus alone would load as if it were the whole
        try:
            if next(iter(module.find(candidate)), None) is not None:
                return candidate
        except RawTreeError as error:  # files are here, but a table that belongs to them is not: it may lie above
            incomplete = incomplete or error
    if incomplete is not None:
        raise incomplete
    raise RawTreeError(
        f"{corpus.name}: no file of the corpus in {folder}, nor up to two levels below or above it.\n"
        + how_to_get(corpus)
    )


def default_folder(corpus: Corpus) -> Path | None:
    """Return the raw folder of `corpus` in `$SERBENCH_DATA`, or None; case and the corpus' own name are accepted."""
    data = os.environ.get(DATA_VARIABLE)
    if not data or not Path(data).expanduser().is_dir():
        return None
    wanted = {corpus.id.casefold(), corpus.name.casefold()}
    exact = Path(data).expanduser() / corpus.id
    if exact.is_dir():
        return exact
    return next((one for one in _subfolders(exact.parent) if one.name.casefold() in wanted), None)


def how_to_get(corpus: Corpus) -> str:
    """Return what to do next, in a few lines: source, licence, expected tree, command."""
    if corpus.access is Access.EMBEDDED:
        return f'serbench makes this corpus itself: load_dataset("serbench/{corpus.id}", "all") without data_dir.'
    return "\n".join(
        [
            f"Get it: {corpus.how_to_get}",
            *([f"Or, as it is free to fetch: serbench download {corpus.id}"] if corpus.downloads else []),
            f"From: {corpus.homepage} (access: {corpus.access}; licence: {corpus.licence.id})",
            "Expected tree:",
            *("    " + line for line in corpus.layout.strip().splitlines()),
            f'Then: load_dataset("serbench/{corpus.id}", "{corpus.config_names()[:2][-1]}", data_dir="PATH/TO/IT"), '
            f"or serbench build {corpus.id} --raw PATH/TO/IT, or put it at ${DATA_VARIABLE}/{corpus.id}.",
        ]
    )


def fingerprint(root: Path) -> str:
    """Return a hash of relative path, size and modification time of every file below `root`; hidden ones left out."""
    digest = blake2b(digest_size=16)
    folders = [("", root)]
    while folders:
        prefix, folder = folders.pop()
        with os.scandir(folder) as entries:
            for entry in sorted(entries, key=lambda entry: entry.name):
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append((f"{prefix}{entry.name}/", Path(entry.path)))
                else:
                    status = entry.stat()
                    digest.update(
                        f"{prefix}{entry.name}\0{status.st_size}\0{status.st_mtime_ns}\n".encode(
                            errors="surrogateescape"
                        )
                    )
    return digest.hexdigest()
