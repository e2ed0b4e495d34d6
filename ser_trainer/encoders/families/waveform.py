"""Encoders of the wav2vec 2.0 kind: waveform, convolutional stem, transformer; plain, expanded, or fine-tuned by users.

The output of the last layer is `last_hidden_state`: after the final norm where layers are pre-norm (HuBERT Large). With
layers="all" it stands last too, in place of what the last layer gives to that norm. Only frames of true samples are
returned or averaged. A checkpoint with a head is opened without it.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from loading_scripts.audio import SAMPLE_RATE, resample
from loading_scripts.errors import near

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..hub import hub_file
from ..identity import identity_of, versions
from ..opening import Opening, Precision
from ..preprocessor import preprocessor
from ..weights import pretrained
from .padding import PaddedModel, frame_count, samples_per_frame, true_positions
from .wavlm_attention import fuse

MODEL_TYPES = (
    "data2vec-audio",
    "exdata2vec-audio",
    "exhubert",
    "exwav2vec2",
    "exwavlm",
    "hubert",
    "mert_model",
    "wav2vec2",
    "wavlm",
)


def open(opening: Opening) -> "Waveform":  # noqa: A001
    """Open a folder that `save_pretrained` wrote, or a Hub id.

    Raises:
        EncoderError: the checkpoint is not there, has weights or a configuration that do not fit, lacks
            preprocessor_config.json, or needs code of its own that was not trusted.
    """
    return Waveform(opening)


class Waveform:
    """An `Encoder`. Clips are run as one padded batch; in float32 a row gives what it gives alone, to 1e-5.

    In bfloat16 the weights have that type, and so has what flows between the layers. Waveforms are normalized, and the
    sums in norms and in means over frames are taken, in float32.
    """

    def __init__(self, opening: Opening) -> None:
        from transformers import Wav2Vec2FeatureExtractor

        from ser_trainer.finetune.collator import shortest_input

        self._opening, self.device = opening, torch.device(opening.device)
        self._extractor = preprocessor(Wav2Vec2FeatureExtractor, opening)
        self._class, self._settings = _model_class(opening)
        self._layers_known = "config" in self._settings
        self._runners: dict[str, Callable[..., Any]] = {}
        model, self.revision = self._open(opening.precision)
        self._config = model.config
        if not hasattr(self._config, "conv_kernel"):
            raise EncoderError(
                f"Encoder {opening.name}: config.json of a waveform encoder has conv_kernel and conv_stride, which "
                f"tell its frames; that of a {self._config.model_type!r} has none. Wrap it in a function, and "
                "name that, file.py:function."
            )
        self._shortest = shortest_input(self._config, training=False)
        self._rate = self._extractor.sampling_rate
        self.name, self.width, self.depth = opening.name, self._config.hidden_size, self._config.num_hidden_layers + 1
        self.frame_rate = self._rate / samples_per_frame(self._config)
        resampled = versions("torchaudio") if self._rate != SAMPLE_RATE else {}
        self.identity = identity_of(
            opening, self.revision, model, self._extractor, minimum_samples=self._shortest, **resampled
        )

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """See `Encoder`."""
        return finite(self.name, clips, self._opening.precision, lambda some, how: self._compute(some, layers, how))

    @torch.inference_mode()
    def _compute(self, clips: Sequence[Clip], layers: Layers, precision: Precision) -> list[np.ndarray]:
        if not self._layers_known and len(clips) > 1:  # who knows what its layers make of padding
            return [features for clip in clips for features in self._compute([clip], layers, precision)]
        if precision not in self._runners:
            self._open(precision)
        batch, samples = self._batch(clips)
        with _exact(precision, self.device):
            batch = batch.to(getattr(torch, precision))
            output = self._runners[precision](batch, samples, output_hidden_states=layers == "all")
        last = output.last_hidden_state
        frames = [frame_count(self._config, count) for count in samples] if self._layers_known else [last.shape[1]]
        true = true_positions(frames, last.shape[1], self.device)
        if layers == "last":
            return np.split(last[true].cpu().float().numpy(), np.cumsum(frames)[:-1])
        outputs = (*output.hidden_states[:-1], last)
        sums = [one.masked_fill(~true[..., None], 0).sum(dim=1, dtype=torch.float32) for one in outputs]
        means = torch.stack(sums, dim=1) / torch.tensor(frames, device=self.device)[:, None, None]
        return list(means.cpu().numpy())

    def _batch(self, clips: Sequence[Clip]) -> tuple[torch.Tensor, list[int]]:
        """Return the input, float32 (batch, samples) on the device, and the samples that each row counts.

        Clips are copied as they are stored, int16, and normalized as `Wav2Vec2FeatureExtractor` does it: to mean 0 and
        variance 1 over their own samples, with 1e-7 added to the variance. Sums in float64 do not feel the padding.
        """
        waves = [
            clip.samples if self._rate == SAMPLE_RATE else resample(clip.wave, SAMPLE_RATE, self._rate)
            for clip in clips
        ]
        samples = [max(len(wave), self._shortest) for wave in waves]
        padded = torch.from_numpy(np.zeros((len(waves), max(samples)), waves[0].dtype))
        if self.device.type == "cuda":
            padded = padded.pin_memory()
        for row, wave in zip(padded.numpy(), waves, strict=True):
            row[: len(wave)] = wave
        batch = padded.to(self.device, non_blocking=True)
        if batch.dtype == torch.int16:
            batch = batch.float() / 32768  # as `loading_scripts.audio.as_float`
        if self._extractor.do_normalize:
            own = true_positions([len(wave) for wave in waves], batch.shape[1], self.device)
            count = own.sum(dim=1, keepdim=True)
            centered = (batch - batch.sum(dim=1, keepdim=True, dtype=torch.float64) / count) * own
            variance = centered.square().sum(dim=1, keepdim=True) / count
            batch = (centered / (variance + 1e-7).sqrt()).float()
        return batch, samples

    def _open(self, precision: Precision) -> tuple[nn.Module, str]:
        """Read the weights, keep what runs them at a precision, and return the model and the weights' revision."""
        # The mask's embedding is for training.
        model, revision = pretrained(self._class, self._opening, ignore=(r"masked_spec_embed$",), **self._settings)
        for module in list(model.modules()):  # once and in float32, instead of for every batch
            if nn.utils.parametrize.is_parametrized(module, "weight"):
                nn.utils.parametrize.remove_parametrizations(module, "weight")
        model.to(self.device, getattr(torch, precision))
        if self._layers_known:
            fuse(model)
            self._runners[precision] = PaddedModel(model)
        else:
            self._runners[precision] = lambda waves, samples, **kwargs: model(waves, **kwargs)
        return model, revision


def _model_class(opening: Opening) -> tuple[Any, dict[str, Any]]:
    """Return the class that opens a checkpoint, and what its `from_pretrained` needs besides.

    Raises:
        EncoderError: no class of `transformers` or of ours opens it, and code of its own is not there or not trusted.
    """
    from transformers import AutoModel

    stored, what, classes = _stored(opening), f"Encoder {opening.name}", _classes()
    model_type = stored.get("model_type")
    if "ExHuBERT" in (stored.get("architectures") or ()):
        raise EncoderError(
            f"{what}: the tensors of the published ExHuBERT fit its own code only. Convert its files once: `python -m "
            "ser_trainer.models.exhubert.official pytorch_model.bin FOLDER --config config.json`. Then name FOLDER."
        )
    # A MERT computes what a HuBERT does, unless one of these is set (modeling_MERT.py of m-a-p/MERT-v1-330M).
    of_mert = ("feature_extractor_cqt", "deepnorm") if model_type == "mert_model" else ()
    own_code = [name for name in of_mert if stored.get(name)]
    if model_type in classes and not own_code:
        known = classes[model_type]
        fields = {key: value for key, value in stored.items() if key not in ("auto_map", "model_type")}
        try:  # without the convolutions that an adapter puts behind the encoder: they change the frame rate
            return known, {"config": known.config_class.from_dict(fields | {"add_adapter": False})}
        except (TypeError, ValueError) as error:
            raise EncoderError(f"{what}: config.json must be that of a {model_type}; {error}") from error
    if "AutoModel" not in (stored.get("auto_map") or ()):
        raise EncoderError(
            f"{what}: model_type in config.json must be one of {', '.join(classes)}; it is {model_type!r}."
            f"{near(str(model_type), classes)} Name another checkpoint, or a function, file.py:function."
        )
    if not opening.trust_remote_code:
        why = f" with {' and '.join(own_code)}" if own_code else ""
        raise EncoderError(
            f"{what}: a {model_type!r}{why} runs only with the code in {opening.place}. --trust-remote-code runs that "
            "code on this machine with all your rights: read it first."
        )
    return AutoModel, {"trust_remote_code": True}


def _stored(opening: Opening) -> dict[str, Any]:
    """Return the content of config.json."""
    folder = Path(opening.place).expanduser()
    path = folder / "config.json" if folder.is_dir() else hub_file(opening, "config.json")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {**stored}
    except (OSError, TypeError, ValueError) as error:
        raise EncoderError(
            f"Encoder {opening.name}: {opening.place} must have a config.json, as save_pretrained writes it; {error}."
        ) from error


def _classes() -> dict[str, Any]:
    """Return the model without head for each of `MODEL_TYPES`."""
    from ser_trainer.models.exhubert import FAMILIES

    kinds = {kind: family for kind, family in FAMILIES.items() if kind != "whisper"}
    expanded = [family.expanded.model_class for family in kinds.values()]
    plain = {kind: family.plain_model for kind, family in kinds.items()}
    return plain | {one.config_class.model_type: one for one in expanded} | {"mert_model": plain["hubert"]}


def _exact(precision: Precision, device: torch.device) -> AbstractContextManager[Any]:
    """Return a context in which float32 is float32 on a GPU too: torch lets convolutions there round to TF32."""
    if precision == "float32" and device.type == "cuda":
        return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)
    return nullcontext()
