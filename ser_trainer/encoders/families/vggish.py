"""VGGish, with our own network (`models.vggish`); and the encoder that it shares with YAMNet."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, Layers
from ..finite import finite
from ..identity import versions
from ..opening import Opening, Precision

if TYPE_CHECKING:
    from torch import Tensor, nn

SHORTEST = SAMPLE_RATE
"""Samples to which SERAB fills up shorter clips: 1.0 s, of which the first 0.96 s are an example."""

_AT_ONCE = 256
"""Examples that go through the network together; the first map of one has 1.5 MB."""


def open(opening: Opening) -> "ExampleEncoder":  # noqa: A001
    """Open VGGish from a state dict with the keys of torchvggish.

    Raises:
        EncoderError: the weights cannot be read or do not fit.
    """
    from ..models.vggish import EXAMPLE, HOP, WIDTH, VGGish
    from ..weights import load_strictly, read_state, revision_of, weights_file

    path = weights_file(opening)
    model = VGGish()
    load_strictly(model, read_state(path), f"Encoder {opening.name} (weights of {path.name})")
    return ExampleEncoder(
        opening,
        model,
        cut,
        revision=revision_of(path),
        width=WIDTH,
        hop=EXAMPLE * HOP,
        output="before activation",
        short=f"zeros to {SHORTEST} samples, split by the utterance id",
        rest="dropped",
    )


def cut(clip: Clip) -> "Tensor":
    """Return the examples of a clip, float32 (E, 1, 96, 64); an incomplete last one is dropped.

    A clip shorter than 1.0 s gets zeros before and after it, as in SERAB (section 3.2), which draws the split; here the
    clip's id decides it, so that it is the same in every run.
    """
    import torch

    from ..models.vggish import examples, log_mel

    wave = clip.wave
    missing = SHORTEST - len(wave)
    if missing > 0:
        drawn = int.from_bytes(hashlib.sha256(clip.id.encode()).digest()[:8])
        before = drawn % (missing + 1)
        wave = np.pad(wave, (before, missing - before))
    return examples(log_mel(torch.from_numpy(wave)))


class ExampleEncoder:
    """A network over pieces of 0.96 s, each of which gives a frame; see `encoder.Encoder`.

    Args:
        opening: how it was opened.
        model: (E, 1, 96, 64) -> (E, width), its weights loaded.
        cut: clip -> its pieces, log-mels (E, 1, 96, 64), computed in float64 on the CPU.
        revision: of the weights.
        width: values per piece.
        hop: samples between pieces.
        rules: what else decides the values, for the identity.
    """

    depth = 1

    def __init__(
        self,
        opening: Opening,
        model: "nn.Module",
        cut: "Callable[[Clip], Tensor]",
        *,
        revision: str,
        width: int,
        hop: int,
        **rules: str | int,
    ) -> None:
        import torch

        self.name = opening.name
        self.revision = revision
        self.width = width
        self.frame_rate = SAMPLE_RATE / hop
        self.identity: Mapping[str, str | int | float | bool] = {
            "encoder": opening.name,
            "revision": revision,
            "hop": hop,
            **rules,
            "precision": opening.precision,
            **versions("torch"),
        }
        self._device = torch.device(opening.device)
        self._model = model.eval().to(self._device)
        self._cut = cut
        self._precision = opening.precision

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return features of each clip; see `encoder.Encoder.encode`. "all" is the mean over the pieces, alone.

        Raises:
            EncoderError: a value is not finite, in float32 too.
        """
        features = finite(self.name, clips, self._precision, self._compute)
        return [one.mean(axis=0, keepdims=True) for one in features] if layers == "all" else features

    def _compute(self, clips: Sequence[Clip], precision: Precision) -> list[np.ndarray]:
        import torch

        pieces = [self._cut(clip) for clip in clips]
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(self._device.type, torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            parts = torch.cat(pieces).split(_AT_ONCE)
            frames = torch.cat([self._model(part.to(self._device)).float().cpu() for part in parts])
        return [one.numpy().copy() for one in frames.split([len(piece) for piece in pieces])]
