"""data2vec 2.0 for audio and emotion2vec, with our own network (`models.data2vec2`)."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..identity import versions
from ..opening import Opening, Precision

if TYPE_CHECKING:
    from torch import Tensor

    from ..models.data2vec2 import Data2Vec2, Data2Vec2Config

MODEL_TYPES = ("data2vec2",)


def open(opening: Opening) -> "Data2Vec2Encoder":  # noqa: A001
    """Open data2vec 2.0 or emotion2vec.

    Its weights are a folder that `convert_data2vec2` wrote, or a file of fairseq's or FunASR's that holds tensors and
    plain settings only.

    Raises:
        EncoderError: the weights cannot be read or do not fit, or must be converted first.
    """
    from ..convert_data2vec2 import assemble, convert
    from ..weights import read_state, revision_of

    path = _file(opening)
    if path.suffix == ".safetensors":
        config = _read_config(path.with_name("config.json"))
        model = assemble(config, read_state(path), f"Encoder {opening.name} (weights of {path.name})")
    else:
        model = convert(path)
    return Data2Vec2Encoder(opening, model, revision_of(path))


def _file(opening: Opening) -> Path:
    """Return the file of the weights; on the Hub, what tells the sizes is fetched to its side."""
    from ..hub import hub_file
    from ..weights import weights_file

    if "://" in opening.place or Path(opening.place).expanduser().exists():
        return weights_file(opening)
    if opening.record is None:
        hub_file(opening, "config.json")
        return weights_file(opening, "model.safetensors")
    hub_file(opening, "config.yaml")  # FunASR's
    return weights_file(opening, opening.record.options["file"])


def _read_config(path: Path) -> "Data2Vec2Config":
    from ..convert_data2vec2 import MODEL_TYPE
    from ..models.data2vec2 import Data2Vec2Config

    remedy = "Name a folder that ser_trainer.encoders.convert_data2vec2 wrote"
    if not path.is_file():
        raise EncoderError(f"Weights in {path.parent.name}: need config.json beside them; there is none. {remedy}.")
    told = json.loads(path.read_text(encoding="utf-8"))
    if told.pop("model_type", None) != MODEL_TYPE:
        raise EncoderError(
            f"{path.parent.name}/config.json: model_type must be {MODEL_TYPE!r}; it is another. {remedy}."
        )
    try:
        return Data2Vec2Config(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
        )
    except TypeError as error:
        raise EncoderError(f"{path.parent.name}/config.json: {error}. {remedy}.") from error


class Data2Vec2Encoder:
    """data2vec 2.0 or emotion2vec; see `encoder.Encoder`.

    Every transformer block is a layer, those of the prenet first: layers="all" gives the input of the first block (the
    prenet's where there is one), and the output of each prenet and main block: 13 entries for data2vec 2.0 base and
    emotion2vec (4 + 8), 25 for large (8 + 16). Extra tokens are in none of them.
    """

    def __init__(self, opening: Opening, model: "Data2Vec2", revision: str) -> None:
        import torch

        config = model.config
        self.name = opening.name
        self.revision = revision
        self.width = config.width
        self.depth = 1 + config.blocks
        self.frame_rate = SAMPLE_RATE / int(np.prod(config.strides))
        self.identity: Mapping[str, str | int | float | bool] = {
            "encoder": opening.name,
            "revision": revision,
            "normalization": "of the utterance, variance + 1e-5",
            "minimum_samples": config.field,
            # What the weights alone do not say.
            "norm_eps": config.norm_eps,
            "heads": config.heads,
            "strides": " ".join(map(str, config.strides)),
            "precision": opening.precision,
            **versions("torch"),
        }
        self._device = torch.device(opening.device)
        self._model = model.to(self._device)
        self._precision = opening.precision

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return features of each clip; see `encoder.Encoder.encode`.

        Raises:
            EncoderError: a value is not finite, in float32 too.
        """
        return finite(self.name, clips, self._precision, lambda some, how: self._compute(some, layers, how))

    def _compute(self, clips: Sequence[Clip], layers: Layers, precision: Precision) -> list[np.ndarray]:
        import torch

        waves = [self._wave(clip) for clip in clips]
        with (
            torch.inference_mode(),
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(self._device.type, torch.bfloat16, enabled=precision == "bfloat16"),
        ):
            output = self._model(waves, means=layers == "all")
        if output.means is not None:
            return list(output.means.cpu().numpy())
        frames = output.frames.cpu().numpy()
        return [row[: self._model.config.frames(len(wave))].copy() for row, wave in zip(frames, waves, strict=True)]

    def _wave(self, clip: Clip) -> "Tensor":
        import torch

        missing = self._model.config.field - len(clip.samples)
        samples = np.pad(clip.samples, (0, max(missing, 0)))
        return torch.from_numpy(samples).to(self._device).float() / 32768
