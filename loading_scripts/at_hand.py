"""At hand: the raw tree of a corpus on this machine, for commands that look at it."""

from pathlib import Path

from datasets import DownloadManager

from .builder import code_digest
from .obtain import fetched, obtain
from .raw import locate
from .registry import CorpusModule


def at_hand(module: CorpusModule, folder: Path | None) -> Path | None:
    """Return the root of the corpus in `folder`, else where it was put or fetched, else made by itself, or None.

    Raises:
        RawTreeError: the folder does not hold the corpus.
    """
    folder = folder or fetched(module.CORPUS)
    if folder is not None:
        return locate(module, folder)
    return obtain(module, code_digest(module.CORPUS.id), DownloadManager()) if hasattr(module, "make") else None


def needed(module: CorpusModule, folder: Path | None) -> Path:
    """Return the root as `at_hand` does; a corpus that is not there is fetched where nobody has to be asked.

    Raises:
        RawTreeError: the corpus is not there and can only be had from its owners; says how.
        DownloadError: its archive cannot be fetched.
    """
    return at_hand(module, folder) or obtain(module, code_digest(module.CORPUS.id), DownloadManager())
