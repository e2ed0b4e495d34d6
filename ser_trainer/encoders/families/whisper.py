"""Whisper: the encoder of a checkpoint, and of what it gives the frames that are the clip, not the silence after it.

Whatever the clip, the encoder sees 30 s: log-mels every 10 ms, from which a convolution makes 50 frames per second
(Radford et al. 2023, section 2.2). Its attention has no mask, so speech attends to the padding; an input cut short
would change every value. Longer clips are cut into windows of 30 s, whose frames are joined.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..hub import checkpoint
from ..identity import identity_of
from ..joined import joined
from ..opening import Opening, Precision
from ..preprocessor import preprocessor
from ..weights import pretrained

if TYPE_CHECKING:
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

MODEL_TYPES = ("whisper", "exwhisper")


def open(opening: Opening) -> "Whisper":  # noqa: A001
    """Open a Whisper, also one that was fine-tuned to classify audio; the decoder is never read.

    Raises:
        EncoderError: weights or preprocessor are missing, or do not fit each other.
    """
    return Whisper(opening)


class Whisper:
    """An `Encoder`. For bfloat16 all weights are converted; log-mels are always float32, computed on the device."""

    def __init__(self, opening: Opening) -> None:
        from transformers import WhisperFeatureExtractor

        self._opening = opening
        model, self.revision = _load(opening, opening.precision)
        self._models = {opening.precision: model}
        self._extractor = preprocessor(WhisperFeatureExtractor, opening)
        self._extractor.dither = 0.0  # noise, meant for training
        self._check(model.config)
        self._stride = 2 * self._extractor.hop_length
        self.name, self.width, self.depth = opening.name, model.config.d_model, model.config.encoder_layers + 1
        self.frame_rate = SAMPLE_RATE / self._stride
        cut = f"{self._extractor.n_samples // SAMPLE_RATE} s windows, frames joined"
        self.identity = identity_of(opening, self.revision, model, self._extractor, cut=cut)

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """See `Encoder`; the last entry of "all" has passed the final norm, as "last" has."""
        return finite(self.name, clips, self._opening.precision, lambda some, how: self._compute(some, layers, how))

    def _check(self, config: "WhisperConfig") -> None:
        for what, found, wanted in (
            ("mel bands", self._extractor.feature_size, config.num_mel_bins),
            ("log-mels per window", self._extractor.nb_max_frames, 2 * config.max_source_positions),
            ("samples per second", self._extractor.sampling_rate, SAMPLE_RATE),
        ):
            if found != wanted:
                raise EncoderError(
                    f"Encoder {self._opening.name}: its preprocessor_config.json must state {wanted} {what}; it states "
                    f"{found}. Copy the file from the checkpoint that it was made from: large-v3 has 128 mel bands, "
                    "earlier ones have 80."
                )

    def _compute(self, clips: Sequence[Clip], layers: Layers, precision: Precision) -> list[np.ndarray]:
        import torch

        size = self._extractor.n_samples
        cut = [[clip.wave[start : start + size] for start in range(0, len(clip.samples), size)] for clip in clips]
        windows = [window for one in cut for window in one]
        if precision not in self._models:
            self._models[precision] = _load(self._opening, precision)[0]
        model, device = self._models[precision], self._opening.device
        with torch.inference_mode():
            log_mels = self._extractor(windows, sampling_rate=SAMPLE_RATE, return_tensors="pt", device=device)
            told = model(log_mels.input_features.to(device, model.dtype), output_hidden_states=layers == "all")
            outputs = told.hidden_states if layers == "all" else (told.last_hidden_state,)
            # 27,200 samples are 170 log-mels, 85 frames.
            return joined(outputs, [-(-len(one) // self._stride) for one in windows], list(map(len, cut)), layers)


def _load(opening: Opening, precision: Precision) -> "tuple[WhisperEncoder, str]":
    import torch
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    from ser_trainer.models.exhubert import ExWhisperEncoder

    config = json.loads((checkpoint(opening)[0] / "config.json").read_text(encoding="utf-8"))
    model, revision = pretrained(
        ExWhisperEncoder if config["model_type"] == "exwhisper" else WhisperEncoder,
        opening,
        key_mapping={r"^(model\.)?encoder\.": ""},
        dtype=getattr(torch, precision),
    )
    return model.to(opening.device), revision
