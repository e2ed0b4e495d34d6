"""TRILL, layer 19: a SavedModel of TensorFlow, averaged over its frames; Shor et al. 2020 (arXiv:2002.12764)."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, EncoderError, ExtraError, Layers
from ..opening import Opening

OUTPUT = "layer19"

MINIMUM = 128
"""Samples that a clip is zero-padded to: the shortest input that the page of the model shows; it pads on its own."""

FULL_SCALE = np.float32(32_767)
"""What SERAB divides the samples by (``utils.py``, the greatest int16)."""


class TrillEncoder:
    """A SavedModel that is called as ``model(samples, sample_rate=16000)["layer19"]`` -> (frames, width)."""

    depth = 1
    frame_rate = None

    def __init__(self, opening: Opening, model: Any, revision: str) -> None:
        import tensorflow  # called tensorflow-cpu where no GPU is wanted, so the metadata of a package are no guide

        self.name, self.revision = opening.name, revision
        self._model = model
        self.identity = {
            "encoder": opening.name,
            "revision": revision,
            "output": OUTPUT,
            "samples": "int16 / 32767",
            "minimum_samples": MINIMUM,
            "precision": "float32",
            "tensorflow": tensorflow.__version__,
        }
        self.width = self.encode([Clip("silence", np.zeros(MINIMUM, np.int16))])[0].shape[1]

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return one float32 (1, width) per clip, the same for both choices of `layers`: the mean over the frames.

        Raises:
            EncoderError: the model has no such output, or a clip gives values that are not finite.
        """
        return [self._mean(clip) for clip in clips]

    def _mean(self, clip: Clip) -> np.ndarray:
        wave = clip.samples.astype(np.float32) / FULL_SCALE
        wave = np.pad(wave, (0, max(0, MINIMUM - len(wave))))
        try:
            frames = np.asarray(self._model(wave, sample_rate=SAMPLE_RATE)[OUTPUT])
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderError(
                f"Encoder {self.name}: the SavedModel must take samples and sample_rate and return {OUTPUT!r}; "
                f"{type(error).__name__}: {str(error).strip().splitlines()[0]}. Use version 3 of TRILL."
            ) from error
        if frames.ndim != 2 or not len(frames) or not np.isfinite(frames).all():
            raise EncoderError(
                f"Encoder {self.name}: {OUTPUT} must be finite frames (T, D); utterance {clip.id} gives shape "
                f"{frames.shape}, {np.count_nonzero(~np.isfinite(frames))} values not finite. Use version 3 of TRILL."
            )
        return frames.mean(axis=0, keepdims=True, dtype=np.float32)


def open(opening: Opening) -> TrillEncoder:  # noqa: A001
    """Return the encoder from the folder of an unpacked SavedModel; the device is TensorFlow's choice.

    Raises:
        EncoderError: the place is no such folder, or TensorFlow cannot read it.
        ExtraError: TensorFlow is not installed.
    """
    try:
        import tensorflow
    except ImportError as error:
        raise ExtraError(
            f"Encoder {opening.name}: needs TensorFlow ({error}). pip install 'serbench[trill]'"
        ) from error
    folder = Path(opening.place).expanduser()
    if not (folder / "saved_model.pb").is_file():
        raise EncoderError(
            f"Encoder {opening.name}: needs a folder with saved_model.pb; {opening.place} is none. Download version 3 "
            "of google/nonsemantic-speech-benchmark/trill from tfhub.dev, unpack it, and name it: trill=FOLDER."
        )
    try:
        model = tensorflow.saved_model.load(str(folder))
    except Exception as error:  # TensorFlow has errors of its own for each part of the format
        raise EncoderError(
            f"Encoder {opening.name}: {folder.name} must be a SavedModel that TensorFlow {tensorflow.__version__} "
            f"reads; {type(error).__name__}: {error} Unpack the download again."
        ) from error
    return TrillEncoder(opening, model, _revision(folder))


def _revision(folder: Path) -> str:
    """Return 16 digits of sha256 over graph and variables, each with its name."""
    digest = sha256()
    for path in sorted([folder / "saved_model.pb", *folder.glob("variables/*")]):
        digest.update(f"{path.name}\n{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
