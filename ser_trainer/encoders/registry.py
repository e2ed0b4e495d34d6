"""Registry: the encoders that have a record, each a file in `records/`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from loading_scripts.errors import RecordError, UnknownNameError, near

from . import records
from .encoder import EncoderRecord


@cache
def ids() -> tuple[str, ...]:
    """Return the ids of all records, sorted."""
    return tuple(sorted(one.name for one in iter_modules(records.__path__)))


@cache
def load(encoder: str) -> EncoderRecord:
    """Return a record.

    Raises:
        UnknownNameError: there is none; the message lists near names.
        RecordError: the record does not carry the name of its file.
    """
    if encoder not in ids():
        raise UnknownNameError(
            f"Encoder {encoder!r}: has no record.{near(encoder, ids())} `serbench encoders` lists all {len(ids())}; a "
            "folder, a Hub id with a slash, or module:function works too."
        )
    record: EncoderRecord = import_module(f"{records.__name__}.{encoder}").ENCODER
    if record.id != encoder:
        raise RecordError(
            f"Encoder {encoder}: the id is the name of the file; the record says {record.id!r}. Rename one."
        )
    return record
