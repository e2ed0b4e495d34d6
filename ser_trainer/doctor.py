"""What an installation lacks, and the line that mends it."""

import importlib.metadata
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from loading_scripts import audio, raw, registry
from loading_scripts.obtain import cache_folder
from ser_metrics import seed

MEND_TORCH = "pip install 'torch==2.11.*' 'torchaudio==2.11.*'"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Args:
        what: its name.
        good: whether it is as it should be.
        found: what was found.
        mend: the command that mends it, empty where nothing is to be done.
        needed: whether serbench needs it; otherwise it is a comfort.
    """

    what: str
    good: bool
    found: str
    mend: str = ""
    needed: bool = True

    def line(self) -> list[object]:
        """Return the cells of a table row."""
        mark = "ok" if self.good else "MISSING" if self.needed else "optional"
        return [mark, self.what, self.found, "" if self.good else self.mend]


def examine() -> list[Finding]:
    """Look at everything serbench depends on."""
    return [*_packages(), _torch(), _soundfile(), _torchcodec(), _ffmpeg(), _metric(), _cache(), *_data()]


def _packages() -> Iterator[Finding]:
    """Compare the installed versions with those that serbench was installed for."""
    try:
        wanted = [Requirement(line) for line in importlib.metadata.requires("serbench") or ()]
    except importlib.metadata.PackageNotFoundError:
        yield Finding("serbench", False, "not installed, only on the path", "pip install -c constraints.txt .")
        return
    for one in wanted:
        if one.marker and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            version = importlib.metadata.version(one.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(one.name, False, "not installed", f"pip install '{one}'")
            continue
        good = one.specifier.contains(version, prereleases=True)
        yield Finding(one.name, good, version if good else f"{version}, needs {one.specifier}", f"pip install '{one}'")


def _torch() -> Finding:
    """Import both: they are built for each other, and pip does not know it."""
    try:
        import torch
        import torchaudio
    except Exception as error:  # a missing package, or a shared library of the wrong build
        return Finding("torch with torchaudio", False, f"{type(error).__name__}: {error}", MEND_TORCH)
    return Finding("torch with torchaudio", True, f"torch {torch.__version__}, torchaudio {torchaudio.__version__}")


def _soundfile() -> Finding:
    import numpy as np

    try:
        good = len(audio.load({"bytes": audio.flac(np.zeros(160, np.int16)), "path": None})) == 160
    except Exception as error:
        return Finding("FLAC through soundfile", False, f"{type(error).__name__}: {error}", "pip install -U soundfile")
    return Finding("FLAC through soundfile", good, "reads what it wrote", "pip install -U soundfile")


def _torchcodec() -> Finding:
    if audio.torchcodec_works():
        return Finding("torchcodec", True, "works; datasets decodes audio with it", needed=False)
    try:
        version = importlib.metadata.version("torchcodec")
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "torchcodec",
            True,
            "not installed; audio rows are read through soundfile once loading_scripts is imported",
            needed=False,
        )
    return Finding(
        "torchcodec",
        False,
        f"{version} is installed but cannot be imported (FFmpeg's libraries are missing); soundfile is used instead",
        "pip uninstall torchcodec   # or install FFmpeg: apt-get install ffmpeg, brew install ffmpeg",
        needed=False,
    )


def _ffmpeg() -> Finding:
    found = shutil.which("ffmpeg")
    return Finding(
        "ffmpeg program",
        found is not None,
        found
        or 'not on the path; pipeline("audio-classification") cannot open files by name (examples/predict.py can)',
        "apt-get install ffmpeg   # or: brew install ffmpeg",
        needed=False,
    )


def _metric() -> Finding:
    good = seed.is_seeded()
    return Finding(
        'evaluate.load("ser_metrics")',
        good,
        "works from any directory" if good else "works from the repository root and where serbench is imported",
        "serbench setup",
        needed=False,
    )


def _cache() -> Finding:
    folder = cache_folder()
    existing = next(one for one in (folder, *folder.parents) if one.exists())
    good = os.access(existing, os.W_OK)
    return Finding("cache", good, f"{folder}{'' if good else ' cannot be written'}", "export SERBENCH_CACHE=A/FOLDER")


def _data() -> Iterator[Finding]:
    data = os.environ.get(raw.DATA_VARIABLE)
    if not data:
        return
    if not Path(data).expanduser().is_dir():
        yield Finding(f"${raw.DATA_VARIABLE}", False, f"{data} is not a folder", f"mkdir -p {data}")
        return
    here = [name for name in registry.ids() if raw.default_folder(registry.load(name).CORPUS)]
    yield Finding(f"${raw.DATA_VARIABLE}", True, f"{data}: {', '.join(here) or 'no corpus yet'}")
