"""Where audio comes from: files, folders, lists of paths, standard input."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from loading_scripts.audio import SUFFIXES
from loading_scripts.errors import SerbenchError


class PredictionError(SerbenchError, FileNotFoundError):
    """There is no such model, or no audio."""


def find_audio(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files among `paths` as they are, and the audio files below the folders among them, sorted.

    Raises:
        PredictionError: a path does not exist, or there is no audio at all.
    """
    paths, found = [Path(path) for path in paths], []
    for path in paths:
        if path.is_dir():
            found += sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file())
        elif path.exists():
            found.append(path)
        else:
            raise PredictionError(f"Audio {path}: no such file or folder. Check the path.")
    if not found:
        raise PredictionError(
            f"Audio: no file below {', '.join(map(str, paths)) or 'an empty list'} ends in "
            f"{', '.join(sorted(SUFFIXES))}. Name a file, which may have any ending, or another folder."
        )
    return found


def listed(lines: BinaryIO) -> list[str]:
    """Return the paths of a list, one a line, as `find` prints them; empty lines are left out."""
    return [os.fsdecode(line.rstrip(b"\r\n")) for line in lines if line.strip()]


@contextmanager
def spooled(stream: BinaryIO) -> Iterator[Path]:
    """Yield a temporary file with all that a stream holds: what decodes audio must seek, and a pipe cannot.

    Raises:
        PredictionError: the stream is empty.
    """
    import soundfile

    with TemporaryDirectory(prefix="predict-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
        if not path.stat().st_size:
            raise PredictionError("Audio -: standard input must be an audio file; it is empty.")
        try:
            soundfile.info(path)
        except soundfile.LibsndfileError:
            path = path.rename(path.with_suffix(".mkv"))  # a suffix that is left to FFmpeg, which looks at the bytes
        yield path
