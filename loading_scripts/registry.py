"""The registry: every file in `corpora/` is a corpus; nothing is listed anywhere else."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

from . import corpora
from .corpus import Corpus
from .errors import UnknownNameError, near
from .utterance import Utterance

NAMESPACE = "serbench"
"""Hub namespace of the corpora, and the folder that `serbench build` writes."""


class CorpusModule(Protocol):
    """What a file in `corpora/` defines, and what a table of the user's own becomes (`metadata`).

    `make`, where present, writes the corpus itself below a folder; `version`, where present, names the state of what
    `find` knows from elsewhere than the raw folder; `CENTER_CHANNEL`, where present, says that six-channel files have
    their speech in the third, so that a user may choose it.
    """

    __name__: str
    CORPUS: Corpus

    def find(self, root: Path) -> Iterator[Utterance]:
        """Yield every utterance below `root`, from names and tables, in a fixed order."""


def ids() -> tuple[str, ...]:
    """Return the id of every corpus, sorted; imports none of them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(corpora.__path__)))


def load(corpus: str) -> CorpusModule:
    """Return the module of the corpus with this id.

    Raises:
        UnknownNameError: there is no such corpus.
    """
    if corpus not in ids():
        raise UnknownNameError(
            f"Corpus {corpus!r}: not known to serbench.{near(corpus, ids())} `serbench corpora` lists all {len(ids())}."
        )
    return cast(CorpusModule, importlib.import_module(f"{corpora.__name__}.{corpus}"))
