"""Collator: rows of a corpus become one padded batch."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from transformers import FeatureExtractionMixin, PreTrainedConfig

from loading_scripts import audio
from loading_scripts.errors import AudioError

from .targets import LABELS


def shortest_input(config: PreTrainedConfig, training: bool) -> int:
    """Return the number of samples that an encoder needs: for one frame, and for a span of SpecAugment in training.

    The stem's convolutions do not pad: n_in = (n_out - 1) * stride + kernel, from the last to the first. HuBERT's need
    400 samples for a frame, and 3280 for the 10 frames that its SpecAugment masks at once.
    """
    kernels, strides = getattr(config, "conv_kernel", None), getattr(config, "conv_stride", None)
    if not isinstance(kernels, Sequence) or not isinstance(strides, Sequence):
        return 1  # encoders of spectrograms have a length of their own
    masks = training and getattr(config, "apply_spec_augment", False) and config.mask_time_prob > 0
    length = config.mask_time_length if masks else 1
    for kernel, stride in zip(reversed(kernels), reversed(strides), strict=True):
        length = (length - 1) * stride + kernel
    return length


def padding_matters(extractor: FeatureExtractionMixin, config: PreTrainedConfig) -> bool:
    """Return whether padding a clip changes its logits, so that clips must be scored one by one.

    It does for encoders that take no attention mask, that normalize their first layer over time (HuBERT Base), or whose
    positional convolutions reach into the padding (data2vec).
    """
    if not _pads_to_longest(extractor):
        return False  # every clip gets the same length anyway
    return (
        not getattr(extractor, "return_attention_mask", True)
        or getattr(config, "feat_extract_norm", "layer") == "group"
        or config.model_type == "data2vec-audio"
    )


def _pads_to_longest(extractor: FeatureExtractionMixin) -> bool:
    """Return whether the caller decides on padding; Whisper's and AST's extractors have a length of their own."""
    padding = inspect.signature(extractor.__call__).parameters.get("padding")
    return padding is not None and isinstance(padding.default, bool)


@dataclass
class SerCollator:
    """Decodes, cuts and pads; works in worker processes of a DataLoader.

    Args:
        extractor: feature extractor of the encoder; it decides whether the batch has an attention mask.
        max_seconds: longer clips are cut to their middle; None leaves them whole.
        min_samples: shorter clips get zeros at their end, see `shortest_input`.
    """

    extractor: FeatureExtractionMixin
    max_seconds: float | None = None
    min_samples: int = 1

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """Return what the extractor makes of the rows, (batch, samples) or (batch, ...), and `labels`, (batch,).

        Args:
            rows: dicts with `audio` (path, bytes or the storage of an undecoded column), `id`, and perhaps `labels`.

        Raises:
            AudioError: a file cannot be read; names the row and the file. Nothing is put in its place.
        """
        batch = self.pad([self.clip(row) for row in rows])
        if LABELS in rows[0]:
            batch[LABELS] = torch.tensor([row[LABELS] for row in rows])
        return batch

    def clip(self, row: Mapping[str, Any]) -> np.ndarray:
        """Return the samples of one row: float32 in [-1, 1), (samples,), 16 kHz."""
        try:
            samples = audio.load(row["audio"])
        except AudioError as error:
            raise AudioError(f"Row {row.get('id')!r}: {error}") from error
        if self.max_seconds is not None:
            longest = round(self.max_seconds * audio.SAMPLE_RATE)
            start = max(0, len(samples) - longest) // 2
            samples = samples[start : start + longest]
        return audio.as_float(np.pad(samples, (0, max(0, self.min_samples - len(samples)))))

    def pad(self, clips: Sequence[np.ndarray]) -> dict[str, torch.Tensor]:
        """Return what the extractor makes of clips from `clip`."""
        padding = {"padding": True} if _pads_to_longest(self.extractor) else {}
        return dict(self.extractor(list(clips), sampling_rate=audio.SAMPLE_RATE, return_tensors="pt", **padding))
