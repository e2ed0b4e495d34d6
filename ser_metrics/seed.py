"""Write the metric into evaluate's module cache, for the processes that never import this package.

evaluate falls back to ``<modules>/evaluate_modules/metrics/evaluate-metric--ser_metrics/<64 characters>/`` when a
name is neither a local folder nor on the Hub, and takes the folder there whose ``ser_metrics.py`` is the youngest
(`evaluate.loading.CachedEvaluationModuleFactory`, evaluate 0.4.6). evaluate itself is not imported here.
"""

import hashlib
import os
import shutil
import uuid
from pathlib import Path

SOURCES = ("columns.py", "core.py", "decisions.py", "dimensional.py", "intervals.py", "rates.py", "ser_metrics.py")
"""What travels to the cache: the module and the files that it imports."""


def seed_cache() -> Path:
    """Write this version of the metric into evaluate's module cache and make it the one that evaluate finds.

    The folder appears under its name complete or not at all, so a load or a second call may run at the same time;
    a second call repairs what is damaged and otherwise changes nothing.

    Returns:
        The folder that holds the metric.

    Raises:
        OSError: The cache cannot be written; HF_HOME or HF_MODULES_CACHE names another place.
    """
    folder = _folder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    for package in (folder.parent, *folder.parent.parents[:3]):
        (package / "__init__.py").touch()
    if not _is_intact(folder):
        _write(folder)
    if not _is_youngest(folder):  # another version was seeded later: overtake it
        after = max(_time(version) for version in _versions(folder.parent)) + 1
        os.utime(folder / "ser_metrics.py", (after, after))
    return folder


def is_seeded() -> bool:
    """Tell whether evaluate finds exactly this version in its module cache."""
    folder = _folder()
    return _is_intact(folder) and _is_youngest(folder)


def fingerprint() -> str:
    """Return the SHA-256 of the files that travel, 64 hexadecimal digits: the folder name evaluate expects."""
    digest = hashlib.sha256()
    for name, content in _contents().items():
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _folder() -> Path:
    """Name the folder of this version, in the cache that `evaluate.config` would read from the environment."""
    home = Path(os.getenv("HF_HOME", Path(os.getenv("XDG_CACHE_HOME", "~/.cache"), "huggingface"))).expanduser()
    modules = Path(os.getenv("HF_MODULES_CACHE", home / "modules"))
    return modules / "evaluate_modules" / "metrics" / "evaluate-metric--ser_metrics" / fingerprint()


def _contents() -> dict[str, bytes]:
    here = Path(__file__).parent
    return {"__init__.py": b""} | {name: (here / name).read_bytes() for name in SOURCES}


def _is_intact(folder: Path) -> bool:
    return all(
        (folder / name).is_file() and (folder / name).read_bytes() == content for name, content in _contents().items()
    )


def _versions(parent: Path) -> list[Path]:
    return [version for version in parent.iterdir() if len(version.name) == 64]


def _time(version: Path) -> float:
    return (version / "ser_metrics.py").stat().st_mtime


def _is_youngest(folder: Path) -> bool:
    others = [version for version in _versions(folder.parent) if version != folder]
    return all(_time(folder) > _time(version) for version in others)


def _write(folder: Path) -> None:
    """Write all files under a name that evaluate passes over, then rename their folder."""
    draft = folder.with_name(f".{uuid.uuid4().hex}")
    draft.mkdir()
    try:
        for name, content in _contents().items():
            with (draft / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        try:
            draft.rename(folder)
        except OSError:  # it exists: another process was faster, or it is damaged
            for file in list(draft.iterdir()):
                file.replace(folder / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
