"""Hub: the folder or file of a checkpoint, from this machine or the Hub, with what to do where it does not come."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from loading_scripts.errors import DiskFullError

from .encoder import EncoderError

if TYPE_CHECKING:
    from .opening import Opening

# Exact names: a repository can hold the same weights several times, as `model.fp32-00001-of-00002.safetensors`.
_SHARD = "[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]"
_SAFE = ("model.safetensors", f"model-{_SHARD}.safetensors")
_PICKLED = ("pytorch_model.bin", f"pytorch_model-{_SHARD}.bin")
_BESIDE = ("config.json", "preprocessor_config.json", "processor_config.json", "*.index.json", "*.py")


def checkpoint(opening: "Opening") -> tuple[Path, str]:
    """Return the folder of a checkpoint as `save_pretrained` writes it, and its revision.

    Of the Hub's files those are fetched that an encoder needs; safetensors where there are any, else pickles.

    Returns:
        The folder; the commit on the Hub, or the sha256 of the weights (first 16 digits) of a folder on this machine.

    Raises:
        EncoderError: there is no such folder or repository, or it holds no weights.
    """
    folder = Path(opening.place).expanduser()
    if folder.is_dir():
        return folder, _revision(opening, folder)
    if folder.is_file():
        raise EncoderError(
            f"Encoder {opening.name}: is opened from a folder with config.json and weights; {opening.place} is a file. "
            "Name the folder that holds it."
        )
    with _explained(opening):
        from huggingface_hub import snapshot_download

        folder = Path(snapshot_download(opening.place, revision=opening.revision, allow_patterns=[*_BESIDE, *_SAFE]))
        if not _weights(folder):
            snapshot_download(opening.place, revision=folder.name, allow_patterns=list(_PICKLED))
    _check_weights(opening, folder)
    return folder, folder.name


def hub_file(opening: "Opening", name: str) -> Path:
    """Return one file of a repository on the Hub, from the cache if it is there.

    Raises:
        EncoderError: there is no such repository or file, or the Hub does not give it.
    """
    with _explained(opening, name):
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(opening.place, name, revision=opening.revision))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, hexadecimal; a file that did not change is read once."""
    state = path.stat()
    return _sha256(path.resolve(), state.st_size, state.st_mtime_ns)


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _weights(folder: Path) -> list[Path]:
    """Return the weights that `from_pretrained` reads from a folder, sorted by name."""
    for patterns in (_SAFE, _PICKLED):
        if found := sorted(path for pattern in patterns for path in folder.glob(pattern)):
            return found
    return []


def _check_weights(opening: "Opening", folder: Path) -> list[Path]:
    found = _weights(folder)
    if not found:
        raise EncoderError(
            f"Encoder {opening.name}: needs weights, {_SAFE[0]} or {_PICKLED[0]}; {opening.place} has none. Name what "
            "save_pretrained wrote."
        )
    return found


def _revision(opening: "Opening", folder: Path) -> str:
    sums = [sha256_of(path) for path in _check_weights(opening, folder)]
    return (sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest())[:16]


@contextmanager
def _explained(opening: "Opening", name: str = "") -> Iterator[None]:
    """Turn what the Hub's client raises into an `EncoderError` that says what to do."""
    from huggingface_hub import errors

    what = f"Encoder {opening.name}: {opening.place}"
    own = f"{opening.record.id}=FOLDER" if opening.record else "its folder"
    try:
        yield
    except errors.GatedRepoError as error:
        raise EncoderError(
            f"{what} is given by the Hub to those who accepted its terms. Accept them on "
            f"https://huggingface.co/{opening.place} and set HF_TOKEN (or: hf auth login); or name {own}."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise EncoderError(
            f"{what} has no revision {opening.revision!r} on the Hub. Name a branch, tag or commit."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise EncoderError(
            f"{what} is no folder here, and no model on the Hub that one may read. Check the name; for a private one "
            f"set HF_TOKEN (or: hf auth login); or name {own}."
        ) from error
    except errors.HFValidationError as error:
        raise EncoderError(f"{what} is no folder here, and no name that the Hub allows ({error}). Check it.") from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise EncoderError(
            f"{what} is not in the cache, and the Hub cannot be reached, or HF_HUB_OFFLINE is set. Try again with a "
            f"connection, or name {own}."
        ) from error
    except errors.EntryNotFoundError as error:
        raise EncoderError(
            f"{what} has no file {name} on the Hub. Choose a checkpoint that save_pretrained wrote."
        ) from error
    except (errors.HfHubHTTPError, errors.HTTPError, ConnectionError, TimeoutError) as error:
        raise EncoderError(
            f"{what} was not given by the Hub ({str(error).strip().splitlines()[0]}). Try again later, or name {own}."
        ) from error
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFullError(
            f"{what}: the disk that holds the cache of the Hub is full ({error}). Free some and run the same command "
            "again; or set HF_HOME to a folder on another disk."
        ) from error
