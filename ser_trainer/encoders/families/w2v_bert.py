"""w2v-BERT 2.0: a conformer on stacked filter banks (Seamless Communication 2023), 50 frames per second."""

from collections.abc import Sequence

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, EncoderError, Layers
from ..finite import finite
from ..identity import identity_of
from ..joined import joined
from ..opening import Opening, Precision
from ..preprocessor import preprocessor
from ..weights import pretrained

MODEL_TYPES = ("wav2vec2-bert",)

MINIMUM = 560
"""Samples of two filter banks of 25 ms, 10 ms apart, which make one frame."""


def open(opening: Opening) -> "W2vBert":  # noqa: A001
    """Open a w2v-BERT 2.0, also one that was fine-tuned; an adapter between encoder and head is left out.

    Raises:
        EncoderError: weights or preprocessor are missing, or do not fit each other.
    """
    return W2vBert(opening)


class W2vBert:
    """An `Encoder`. Bfloat16 is autocast: norms and the sums between layers stay in float32."""

    def __init__(self, opening: Opening) -> None:
        from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertModel

        self._opening = opening
        model, self.revision = pretrained(
            Wav2Vec2BertModel,
            opening,
            # The mask's embedding is for training; adapters change the frame rate.
            ignore=(r"masked_spec_embed$", r"(^|\.)adapter\.", r"(^|\.)intermediate_ffn\."),
            add_adapter=False,
            use_intermediate_ffn_before_adapter=False,
        )
        self._model = model.to(opening.device)
        self._extractor = preprocessor(SeamlessM4TFeatureExtractor, opening)
        config, given = model.config, self._extractor.num_mel_bins * self._extractor.stride
        if given != config.feature_projection_input_dim:
            raise EncoderError(
                f"Encoder {opening.name}: its preprocessor_config.json must state "
                f"{config.feature_projection_input_dim} values per frame (num_mel_bins x stride); it states {given}. "
                "Copy the file from the checkpoint that it was made from."
            )
        self.name, self.width, self.depth = opening.name, config.hidden_size, config.num_hidden_layers + 1
        self.frame_rate = 100 / self._extractor.stride
        self.identity = identity_of(opening, self.revision, model, self._extractor, minimum_samples=MINIMUM)

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """See `Encoder`."""
        return finite(self.name, clips, self._opening.precision, lambda some, how: self._compute(some, layers, how))

    def _compute(self, clips: Sequence[Clip], layers: Layers, precision: Precision) -> list[np.ndarray]:
        import torch

        device = torch.device(self._opening.device)
        waves = [np.pad(clip.wave, (0, max(0, MINIMUM - len(clip.samples)))) for clip in clips]
        banks = self._extractor(waves, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        # A last filter bank without a partner makes no frame.
        counts = banks.attention_mask.sum(dim=1)
        length = int(counts.max())
        mask = banks.attention_mask[:, :length].to(device) if (counts < length).any() else None
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            told = self._model(
                banks.input_features[:, :length].to(device),
                attention_mask=mask,
                output_hidden_states=layers == "all",
            )
            outputs = told.hidden_states if layers == "all" else (told.last_hidden_state,)
            return joined(outputs, counts.tolist(), [1] * len(clips), layers)
