"""CLAP: the audio tower, on log-mels of 10 s at 48 kHz (Wu et al. 2023, "Large-scale contrastive language-audio").

Shorter clips are repeated to 10 s, as in training, and all frames kept. Training cuts longer ones at random; here they
are cut into windows of 10 s, so that features can be had again, and the last window keeps the frames of its own time.
Our clips have 16 kHz: above 8 kHz there is nothing to hear.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.audio import SAMPLE_RATE, resample

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..identity import identity_of, versions
from ..joined import joined
from ..opening import Opening, Precision
from ..preprocessor import preprocessor
from ..weights import pretrained

if TYPE_CHECKING:
    import torch

MODEL_TYPES = ("clap", "clap_audio_model")


def open(opening: Opening) -> "Clap":  # noqa: A001
    """Open the audio tower of a CLAP; the text tower is never read.

    Raises:
        EncoderError: weights or preprocessor are missing, or do not fit each other.
    """
    return Clap(opening)


class Clap:
    """An `Encoder`; a frame is the mean of the last stage over its frequencies. Bfloat16 is autocast.

    The stages of the tower have different widths, so there are no layers to choose from.
    """

    depth = 1

    def __init__(self, opening: Opening) -> None:
        import torch
        from transformers import ClapAudioModel, ClapFeatureExtractor

        self._opening = opening
        model, self.revision = pretrained(ClapAudioModel, opening, key_mapping={r"^(clap\.)?audio_model\.": ""})
        self._model = model.to(opening.device)
        self._extractor = preprocessor(ClapFeatureExtractor, opening)
        self._check()
        self.name, self.width = opening.name, model.config.hidden_size
        with torch.inference_mode():
            self._steps = self._forward([np.zeros(1, np.float32)]).shape[1]
        self.frame_rate = self._steps / self._extractor.max_length_s
        self.identity = identity_of(
            opening,
            self.revision,
            model,
            self._extractor,
            cut=f"{self._extractor.max_length_s} s windows, frames joined",
            frames="mean over frequencies",
            resampling="torchaudio",
            **versions("torchaudio"),
        )

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """See `Encoder`."""
        return finite(self.name, clips, self._opening.precision, lambda some, how: self._compute(some, layers, how))

    def _check(self) -> None:
        config, extractor = self._model.config, self._extractor
        for what, found, wanted in (
            ("mel bands (feature_size)", extractor.feature_size, config.num_mel_bins),
            ("fused windows (truncation)", extractor.truncation == "fusion", config.enable_fusion),
        ):
            if found != wanted:
                raise EncoderError(
                    f"Encoder {self._opening.name}: its preprocessor_config.json must state {what} {wanted}; it states "
                    f"{found}. Copy the file from the checkpoint that it was made from."
                )

    def _compute(self, clips: Sequence[Clip], layers: Layers, precision: Precision) -> list[np.ndarray]:
        import torch

        size, rate = self._extractor.nb_max_samples, self._extractor.sampling_rate
        waves = [resample(clip.wave, SAMPLE_RATE, rate) for clip in clips]
        cut = [[wave[start : start + size] for start in range(0, len(wave), size)] for wave in waves]
        counts = [
            self._steps if len(one) == 1 else -(-self._steps * len(window) // size) for one in cut for window in one
        ]
        device = torch.device(self._opening.device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            frames = self._forward([window for one in cut for window in one])
            return joined((frames,), counts, list(map(len, cut)), layers)

    def _forward(self, windows: Sequence[np.ndarray]) -> "torch.Tensor":
        """Return (windows, steps, D)."""
        import torch

        log_mels = self._extractor(windows, sampling_rate=self._extractor.sampling_rate, return_tensors="pt")
        # The extractor marks a window at random as longer than it is, if none of a batch is; none is here.
        told = self._model(
            log_mels.input_features.to(self._opening.device, torch.float32),
            is_longer=torch.zeros(len(windows), 1, dtype=torch.bool),
        )
        return told.last_hidden_state.mean(dim=2).transpose(1, 2)
