"""Function: any Python function from samples to features is an encoder."""

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from loading_scripts.audio import SAMPLE_RATE
from loading_scripts.errors import near

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..identity import versions
from ..opening import Opening

Function = Callable[[np.ndarray], Any]
"""Float32 samples (n,) at 16 kHz -> array or tensor (T, D) or (D,)."""

_PROBE = SAMPLE_RATE  # samples, one second of noise, that tell width and frames per second


def open(opening: Opening) -> "FunctionEncoder":  # noqa: A001
    """Open ``module:function``, as Python would import it here, or ``file.py:function``.

    Raises:
        EncoderError: there is no such function, or it does not return features.
    """
    place, _, name = opening.place.rpartition(":")
    return open_function(_imported(opening.name, place, name), opening.name)


def open_function(function: Function, name: str) -> "FunctionEncoder":
    """Return an encoder that calls a function, one clip at a time.

    Args:
        function: float32 (n,) at 16 kHz -> (T, D) frames or a (D,) vector. The same samples must give the same values.
        name: what result lines call it. Features are kept under it and the source of the function; where something
            else changes what it returns, as weights that it reads, change the name.

    Raises:
        EncoderError: its source cannot be found, or it does not return features.
    """
    return FunctionEncoder(function, name)


class FunctionEncoder:
    """An `Encoder`; see `open_function`."""

    depth = 1

    def __init__(self, function: Function, name: str) -> None:
        self._function, self.name = function, name
        self.revision = _revision(function, name)
        self.identity = {"encoder": name, "revision": self.revision, **versions("numpy", "torch")}
        noise = np.random.default_rng(0).integers(-3000, 3000, _PROBE, dtype=np.int16)
        probe = self._features(Clip("a second of noise", noise))
        self.width = probe.shape[-1]
        self.frame_rate = None if probe.ndim == 1 else len(probe) * SAMPLE_RATE / _PROBE

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """See `Encoder`."""
        features = finite(self.name, clips, "float32", lambda some, _: [self._checked(clip) for clip in some])
        return [one.mean(axis=0, keepdims=True) for one in features] if layers == "all" else features

    def _checked(self, clip: Clip) -> np.ndarray:
        found = self._features(clip)
        if found.shape[-1] != self.width or (found.ndim == 1) != (self.frame_rate is None):
            wanted = f"({self.width},)" if self.frame_rate is None else f"(T, {self.width})"
            raise EncoderError(
                f"Encoder {self.name}: all features must be {wanted}, as those of a second of noise are; those of "
                f"utterance {clip.id} ({len(clip.samples)} samples) are {found.shape}. Correct the function."
            )
        return np.atleast_2d(found)

    def _features(self, clip: Clip) -> np.ndarray:
        import torch

        with torch.inference_mode():
            found = self._function(clip.wave)
            array = np.asarray(found.float().cpu() if isinstance(found, torch.Tensor) else found)
        if array.dtype.kind not in "fiu" or array.ndim not in (1, 2) or not array.size:
            raise EncoderError(
                f"Encoder {self.name}: must return numbers (T, D) or (D,); for utterance {clip.id} "
                f"({len(clip.samples)} samples) it returned {type(found).__name__} of shape {array.shape} and type "
                f"{array.dtype}. Correct the function."
            )
        return array.astype(np.float32)


def _imported(name: str, place: str, function: str) -> Function:
    try:
        if place.endswith(".py"):
            path = Path(place).expanduser().resolve()
            if not path.is_file():
                raise EncoderError(f"Encoder {name}: there is no file {place}. Check the path.")
            # Compiled here: Python's cache of bytecode can be older than the source that `_revision` reads.
            module = ModuleType(f"encoder_in_{path.stem}")
            module.__file__ = str(path)
            sys.modules[module.__name__] = module  # where inspect looks for what is defined in it
            exec(compile(path.read_bytes(), path, "exec"), vars(module))
        else:
            module = importlib.import_module(place)
    except ModuleNotFoundError as error:
        raise EncoderError(
            f"Encoder {name}: {error}. Install it, set PYTHONPATH to its folder, or give the file: file.py:{function}"
        ) from error
    found = getattr(module, function, None)
    if not callable(found):
        known = [one for one, value in vars(module).items() if callable(value) and not one.startswith("_")]
        raise EncoderError(f"Encoder {name}: {place} defines no function {function}.{near(function, known)}")
    return found


def _revision(function: Function, name: str) -> str:
    """Return 16 digits of the sha256 of the file that defines a function: what it calls there changes it too."""
    defined = inspect.unwrap(function)
    defined = defined if inspect.isroutine(defined) or inspect.isclass(defined) else type(defined)
    try:
        path = inspect.getsourcefile(defined)
        source = Path(path).read_bytes() if path and Path(path).is_file() else inspect.getsource(defined).encode()
    except (OSError, TypeError) as error:
        raise EncoderError(
            f"Encoder {name}: needs a function whose source Python finds, to tell its features from those of another; "
            f"{error}. Define it with def, in a file."
        ) from error
    return hashlib.sha256(source).hexdigest()[:16]
