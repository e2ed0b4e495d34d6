"""Checkpoints: whole or not at all, and resumed only by the run that wrote them.

A checkpoint folder is whole once it holds the manifest, which is written last and says what the run was started with.
Older checkpoints are deleted after that, so a run that is killed or finds the disk full always has one to return to.
"""

import errno
import hashlib
import json
import logging
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from datasets import Dataset

from loading_scripts.errors import DiskFullError, SerbenchError

from .targets import CORPUS, LABELS

logger = logging.getLogger(__name__)

MANIFEST = "serbench_run.json"

_NAME = re.compile(r"checkpoint-(\d+)")
# "File too large" is what a quota of one file says.
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class ResumeError(SerbenchError, ValueError):
    """A checkpoint is not whole, or was written by a run with other arguments."""


def fingerprint(rows: Dataset) -> str:
    """Return a hash of ids, labels and corpora of prepared rows, in their order; 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in ("id", LABELS, CORPUS):
        if name in rows.column_names:
            digest.update(json.dumps(rows.select_columns([name])[name][:]).encode())
    return digest.hexdigest()[:16]


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Mark a checkpoint as whole."""
    unfinished = folder / f".{MANIFEST}"
    unfinished.write_text(json.dumps(manifest, indent=1, sort_keys=True, default=str), encoding="utf-8")
    unfinished.rename(folder / MANIFEST)


def checkpoints(output_dir: Path) -> list[Path]:
    """Return the whole checkpoints of a run, oldest first."""
    found = [(int(match[1]), path) for path in output_dir.glob("checkpoint-*") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found) if (path / MANIFEST).exists()]


def discard_partial(output_dir: Path) -> None:
    """Delete the checkpoints that a killed run left half-written."""
    for path in output_dir.glob("checkpoint-*"):
        if _NAME.fullmatch(path.name) and not (path / MANIFEST).exists():
            logger.warning("%s is half-written, as a killed run leaves it; it is deleted.", path)
            shutil.rmtree(path)


def check(checkpoint: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse to resume from a checkpoint that is not whole or that another run wrote.

    Raises:
        ResumeError: says what differs.
    """
    path = checkpoint / MANIFEST
    if not path.exists():
        whole = [str(one) for one in checkpoints(checkpoint.parent)]
        raise ResumeError(
            f"--resume_from_checkpoint {checkpoint}: has no {MANIFEST}, so it is not whole, or not one of ours. "
            f"Whole ones beside it: {', '.join(whole) or 'none'}."
        )
    before = json.loads(path.read_text(encoding="utf-8"))
    now = json.loads(json.dumps(manifest, default=str))
    differing = [
        f"{name}: {before.get(name)!r} then, {now.get(name)!r} now"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise ResumeError(
            f"Checkpoint {checkpoint}: was written by a run with other arguments. {'; '.join(differing)}. Give the "
            "same arguments to continue it, or another --output_dir to start anew."
        )


@contextmanager
def whole(folder: Path) -> Iterator[None]:
    """Remove what was written of a checkpoint if writing it fails.

    Raises:
        DiskFullError: there is no space for it.
    """
    try:
        yield
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        if _is_disk_full(error, folder.parent):
            last = checkpoints(folder.parent)
            raise DiskFullError(
                f"Checkpoint {folder}: no space left to write it. "
                f"{f'{last[-1]} is whole' if last else 'There is no earlier one'}. Free some space, or keep fewer with "
                "--save_total_limit 1, then run the same command."
            ) from error
        raise


def _is_disk_full(error: Exception, folder: Path) -> bool:
    """Return whether an error means that the disk is full: safetensors and torch wrap it in errors of their own."""
    number = getattr(error, "errno", None) or next(map(int, re.findall(r"os error (\d+)", str(error))), None)
    if number is not None:
        return number in _NO_SPACE
    return "PytorchStreamWriter" in str(error) and shutil.disk_usage(folder).free < 1 << 20
