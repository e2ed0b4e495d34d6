"""The errors of serbench: each message names the unit, the rule, the offending value and the remedy."""

import difflib
from collections.abc import Iterable


def near(value: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the known names closest to `value`, or an empty string.

    >>> near("ravdes", ["ravdess", "emodb"])
    " Did you mean 'ravdess'?"
    """
    known = sorted(known)
    by_folded = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(value.casefold(), by_folded, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(repr(by_folded[name]) for name in close)}?" if close else ""


class SerbenchError(Exception):
    """What a user can mend; the command line prints it without a traceback."""


class RecordError(SerbenchError, ValueError):
    """A corpus record breaks a rule of its own vocabulary; raised when the corpus file is imported."""


class UnknownNameError(SerbenchError, ValueError):
    """A corpus, config, target or label name that does not exist; the message lists near names."""


class RawTreeError(SerbenchError, FileNotFoundError):
    """The raw folder of a corpus is missing, empty or not the corpus; the message says how to get it."""


class CorpusMismatchError(SerbenchError, ValueError):
    """A raw tree and the record or list of its corpus disagree."""


class SheetError(SerbenchError, ValueError):
    """A table or card that the user wrote cannot be used; the message names file, row, rule and value."""


class AudioError(SerbenchError, ValueError):
    """An audio file cannot be read, or holds no samples; the message names the file."""


class DiskFullError(SerbenchError, OSError):
    """The disk is full; what was finished is kept, and the same command continues."""


class DownloadError(SerbenchError, OSError):
    """An archive could not be fetched, or is not the one whose checksum the record states."""
