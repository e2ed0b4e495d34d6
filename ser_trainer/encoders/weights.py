"""Weights: where a file of them comes from, how it is read without running code, and that it fits key by key."""

import errno
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loading_scripts.corpus import Archive
from loading_scripts.errors import DiskFullError, DownloadError, RecordError

from .encoder import EncoderError
from .hub import checkpoint, hub_file, sha256_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from .opening import Opening

logger = logging.getLogger(__name__)

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".h5")
_NAMED = 3  # keys that a message names of each kind
_CONVERTER = 1  # one more whenever what `save_converted` writes of the same weights changes


def weights_file(opening: "Opening", name: str | None = None) -> Path:
    """Return the file of the weights on this machine.

    Args:
        opening: its place is a file, a folder, a Hub id, or the address of a file, which is fetched once.
        name: the file in a folder or Hub repository, or what a fetched file is called; None: the only file of
            weights in the folder, or the last part of the address.

    Raises:
        EncoderError: there is no such file, it cannot be fetched, or it is not the one that the record describes.
        DiskFullError: what was fetched is kept, and the next call continues.
    """
    if "://" in opening.place:
        return _fetched(opening, name)
    place = Path(opening.place).expanduser()
    if place.is_file():
        return place
    if place.is_dir():
        return _in_folder(opening, place, name)
    if name is None:
        raise EncoderError(
            f"Encoder {opening.name}: needs a file of weights; {opening.place} does not exist. Check the path."
        )
    return hub_file(opening, name)


def read_state(path: Path) -> "dict[str, Tensor]":
    """Return the tensors in a file, by key; nothing in the file is run.

    A state dict that lies in a dict beside other entries, as training scripts store it, is taken out of it.

    Args:
        path: ``.safetensors``, or anything `torch.save` wrote.

    Raises:
        EncoderError: the file cannot be read so, or holds something else.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not path.is_file():
        raise EncoderError(f"Weights {path.name}: no such file in {path.parent}. Check the path.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise EncoderError(f"Weights {path.name}: must be safetensors; {error}. Fetch or save them again.") from error
    except Exception as error:  # a damaged file raises what its bytes happen to mean
        raise EncoderError(
            f"Weights {path.name}: must be tensors that torch.load(weights_only=True) reads, so that nothing in the "
            f"file is run; {_first_line(error)} Convert them to safetensors where you trust them."
        ) from error
    if not _is_state(state):
        inner = [value for value in state.values() if _is_state(value)] if isinstance(state, dict) else []
        if len(inner) != 1:
            holds = f"a dict of {sorted(map(str, state))[:_NAMED]}" if isinstance(state, dict) else type(state).__name__
            raise EncoderError(
                f"Weights {path.name}: must hold one dict of tensors; it holds {holds}. Save a state_dict."
            )
        state = inner[0]
    return dict(state)


def load_strictly(module: "nn.Module", state: "Mapping[str, Tensor]", what: str) -> None:
    """Load a state dict whose keys and shapes are exactly those of a module.

    Args:
        module: gets the weights.
        state: tensors by key.
        what: names encoder and file in messages.

    Raises:
        EncoderError: names keys that are missing or left over and shapes that differ, and what would fit.
    """
    own = module.state_dict()
    shapes = [(key, tuple(state[key].shape), tuple(own[key].shape)) for key in own if key in state]
    _check_fit(
        what,
        missing=[key for key in own if key not in state],
        left_over=[key for key in state if key not in own],
        wrong=[one for one in shapes if one[1] != one[2]],
        fits=[f"{key} {tuple(value.shape)}" for key, value in own.items()],
    )
    module.load_state_dict(state)


def revision_of(path: Path) -> str:
    """Return the first 16 digits of the sha256 of a file."""
    return sha256_of(path)[:16]


def save_converted(
    state: "Mapping[str, Tensor]",
    config: Mapping[str, Any],
    folder: Path,
    *,
    source: Path,
    licence: str,
    address: str | None = None,
) -> None:
    """Write ``model.safetensors``, ``config.json`` and ``source.json`` into a new folder, which appears whole or not.

    Args:
        state: tensors by key.
        config: what the module is built from.
        folder: must not exist, or be empty.
        source: the file that was converted; its name, size and sha256 are noted.
        licence: of the weights.
        address: where the file came from.

    Raises:
        EncoderError: the folder holds something.
        DiskFullError: nothing is left of what was written.
    """
    from safetensors.torch import save_file

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EncoderError(f"Converted weights {folder}: are written into a new folder; it exists. Name another one.")
    told = {
        "source": address or source.name,
        "file": source.name,
        "sha256": sha256_of(source),
        "bytes": source.stat().st_size,
        "tensors": len(state),
        "values": sum(tensor.numel() for tensor in state.values()),
        "converter": _CONVERTER,
        "licence": licence,
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        with _disk_full_explained(folder):
            part.mkdir(exist_ok=True)
            own = {key: tensor.detach().cpu().clone().contiguous() for key, tensor in state.items()}
            save_file(own, part / "model.safetensors", metadata={"format": "pt"})
            for name, content in (("config.json", dict(config)), ("source.json", told)):
                (part / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            part.rename(folder)  # also onto an empty folder
    finally:
        shutil.rmtree(part, ignore_errors=True)


def pretrained(model_class: Any, opening: "Opening", ignore: Iterable[str] = (), **kwargs: Any) -> tuple[Any, str]:
    """Return a model of `transformers` in eval mode whose every weight came from the checkpoint, and its revision.

    `from_pretrained` alone fills what a checkpoint lacks with random numbers, and drops what it has too much. Here
    only what lies outside the model may be left over: heads, decoders.

    Args:
        model_class: a class with `from_pretrained`.
        opening: its place is a folder or Hub id.
        ignore: regular expressions (`re.search`) for keys of the model that may be missing or left over all the same.
        kwargs: for `from_pretrained`; weights are float32 unless `dtype` is among them.

    Returns:
        The model on the CPU; the commit on the Hub, or the sha256 of the weights (first 16 digits).

    Raises:
        EncoderError: the checkpoint is not there, cannot be read without running code, or does not fit.
    """
    import torch

    folder, revision = checkpoint(opening)
    what = f"Encoder {opening.name} (weights of {opening.place})"
    try:
        with _quiet():
            model, told = model_class.from_pretrained(
                folder, output_loading_info=True, ignore_mismatched_sizes=True, **{"dtype": torch.float32} | kwargs
            )
    except Exception as error:  # each format and each config has errors of its own
        raise EncoderError(
            f"{what}: {model_class.__name__} must be able to read them, running no code in them; "
            f"{type(error).__name__}: {_first_line(error)} Name what save_pretrained wrote, with safetensors."
        ) from error
    ignored = re.compile("|".join(f"(?:{one})" for one in ignore) or r"(?!)")
    own, prefix = {key.partition(".")[0] for key in model.state_dict()}, f"{model.base_model_prefix}."
    left_over = sorted(key for key in told["unexpected_keys"] if not ignored.search(key))
    _check_fit(
        what,
        missing=sorted(key for key in told["missing_keys"] if not ignored.search(key)),
        left_over=[key for key in left_over if key.removeprefix(prefix).partition(".")[0] in own],
        wrong=sorted((key, tuple(one), tuple(other)) for key, one, other in told["mismatched_keys"]),
        fits=[f"{key} {tuple(value.shape)}" for key, value in model.state_dict().items()],
    )
    if dropped := sorted({key.rpartition(".")[0] for key in left_over}):
        logger.info(
            "%s: %d modules are not part of the encoder and left out: %s.", what, len(dropped), ", ".join(dropped)
        )
    return model.eval(), revision


def _fetched(opening: "Opening", name: str | None) -> Path:
    """Return the file at an address, fetched once; a cut transfer is continued."""
    from filelock import FileLock

    from loading_scripts.fetch import fetch
    from loading_scripts.obtain import cache_folder

    record = opening.record
    own = (
        f"fetch it by other means and name it: {record.id}=FILE"
        if record
        else "fetch it by other means and name the file"
    )
    try:
        archive = Archive(url=opening.place, sha256=record.options.get("sha256") if record else None, path=name or "")
    except RecordError as error:
        raise EncoderError(f"Encoder {opening.name}: {error} Correct its record.") from error
    folder = cache_folder() / "encoders" / opening.name
    file = folder / Path(archive.path).name
    with _disk_full_explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{file}.lock"):
            if not file.exists():
                licence = f", licence {record.licence}" if record else ""
                logger.warning(
                    "%s: weights%s, from %s. Fetched once into %s.", opening.name, licence, archive.url, folder
                )
            try:
                return fetch(archive, folder)[0]
            except DownloadError as error:
                raise EncoderError(f"Encoder {opening.name}: {error}") from error
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise
                raise EncoderError(
                    f"Encoder {opening.name}: {archive.url} could not be fetched ({error}). The same command continues "
                    f"where it stopped; or {own}."
                ) from error


def _in_folder(opening: "Opening", folder: Path, name: str | None) -> Path:
    if name is not None:
        if (folder / name).is_file():
            return folder / name
        raise EncoderError(
            f"Encoder {opening.name}: needs {name}; {opening.place} has none. Name the folder that holds it."
        )
    found = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    if len(found) != 1:
        listed = ", ".join(path.name for path in found[:_NAMED]) or "none"
        raise EncoderError(
            f"Encoder {opening.name}: {opening.place} must hold one file of weights ({', '.join(_SUFFIXES)}); it holds "
            f"{len(found)}: {listed}. Name the file."
        )
    return found[0]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _is_state(value: Any) -> bool:
    import torch

    return isinstance(value, Mapping) and bool(value) and all(isinstance(one, torch.Tensor) for one in value.values())


def _check_fit(
    what: str, missing: list[str], left_over: list[str], wrong: list[tuple[str, tuple, tuple]], fits: list[str]
) -> None:
    """Raise an error that names the first keys of each kind, if there are any."""
    parts = [
        f"{len(found)} {kind}: {', '.join(found[:_NAMED])}{', ...' if len(found) > _NAMED else ''}"
        for kind, found in (
            ("missing", missing),
            ("left over", left_over),
            ("of another shape", [f"{key} {one}, needs {other}" for key, one, other in wrong]),
        )
        if found
    ]
    if parts:
        raise EncoderError(
            f"{what}: the keys must be those of the encoder, as what is missing would be random; {'; '.join(parts)}. "
            f"Weights with {len(fits)} tensors fit, as {', '.join(fits[:_NAMED])}."
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep `from_pretrained` from printing a progress bar, and its table of keys, which `_check_fit` judges."""
    from transformers.utils import logging as told

    level, bar = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        yield
    finally:
        told.set_verbosity(level)
        if bar:
            told.enable_progress_bar()


@contextmanager
def _disk_full_explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFullError(
            f"Weights in {folder}: the disk is full ({error}). Free some and run the same command again; or set "
            "SERBENCH_CACHE to a folder on another disk."
        ) from error
