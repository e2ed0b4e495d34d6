"""Collator: rows of a corpus become one padded batch."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
from transformers import FeatureExtractionMixin, PreTrainedConfig

from loading_scripts import audio
from loading_scripts.errors import AudioError, SerbenchError

from .augment import Augmentation
from .targets import LABELS

IDS = "ids"
"""Name under which a batch lists the ids of its rows; no tensor, so no model takes it."""

CHUNKS = "chunks"
"""Name under which a batch counts the chunks of each row, where clips are cut into chunks."""

Crop = Literal["random", "centre", "full", "chunks"]


class CollatorError(SerbenchError, ValueError):
    """Settings of a collator, or of a row, contradict each other."""


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


def chunked(samples: np.ndarray, longest: int) -> list[np.ndarray]:
    """Return a clip, (samples,), as the fewest chunks of `longest` samples that cover it; a shorter clip as it is.

    The chunks are spread evenly, the first at the start and the last at the end of the clip. They overlap where the
    clip is no multiple of them, rather than leave a rest that would count as much as a whole chunk, padding included.
    """
    count = -(-len(samples) // longest)
    starts = [index * (len(samples) - longest) // (count - 1) for index in range(count)] if count > 1 else [0]
    return [samples[start : start + longest] for start in starts]


@dataclass
class SerCollator:
    """Decodes, augments, cuts and pads; works in worker processes of a DataLoader.

    Args:
        extractor: feature extractor of the encoder; it decides whether the batch has an attention mask.
        max_seconds: longest clip that the encoder gets; None leaves all whole. Extractors that have a length of their
            own (Whisper 30 s, AST about 10 s) still drop what lies behind it.
        min_samples: shorter clips get zeros at their end, see `shortest_input`.
        crop: what becomes of clips longer than `max_seconds`. ``random``: a part of that length at a place that the
            row's `draw` decides; ``centre``: their middle; ``full``: they stay whole; ``chunks``: all of it, as several
            inputs of that length, see `chunked`.
        pad_to_max: pad clips to `max_seconds` at least, as ExHuBERT was trained: with an extractor that gives no mask,
            the padding is normalized and attended to as if it were speech.
        augmentation: what is done to rows that have a `draw`, before they are cut.

    Raises:
        CollatorError: the settings contradict each other.
    """

    extractor: FeatureExtractionMixin
    max_seconds: float | None = None
    min_samples: int = 1
    crop: Crop = "centre"
    pad_to_max: bool = False
    augmentation: Augmentation | None = None

    def __post_init__(self):
        if self.crop not in get_args(Crop):
            raise CollatorError(f"Collator: crop is one of {', '.join(get_args(Crop))}; it is {self.crop!r}.")
        needs_length = self.crop in ("random", "chunks") or self.pad_to_max
        if needs_length and self.max_seconds is None:
            raise CollatorError(
                f"Collator: crop={self.crop!r}, pad_to_max={self.pad_to_max} needs max_seconds; it is None. "
                "Set it, for example to 3, or take crop='centre' without pad_to_max."
            )
        if self.max_seconds is not None and self._longest < 1:
            raise CollatorError(
                f"Collator: max_seconds must hold a sample at {audio.SAMPLE_RATE} Hz; it is {self.max_seconds}."
            )
        if self.crop == "chunks" and self.augmentation is not None:
            raise CollatorError("Collator: chunks are for evaluation, which is not augmented. Leave augmentation out.")
        if self.pad_to_max and not (
            _pads_to_longest(self.extractor) and self.extractor.model_input_names[0] == "input_values"
        ):
            raise CollatorError(
                "Collator: pad_to_max needs an extractor that pads waveforms as the caller says; "
                f"{type(self.extractor).__name__} has lengths of its own. Leave pad_to_max out."
            )

    @property
    def _longest(self) -> int:
        return round(self.max_seconds * audio.SAMPLE_RATE)

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what the extractor makes of the rows, `ids`, and `labels` if they have any.

        Args:
            rows: dicts with `audio` (path, bytes or the storage of an undecoded column), `id`, and perhaps: `labels`, a
                class index or a list of D values with NaN where one is missing; `draw`, whole numbers from 0 on that
                seed everything random about the row, without which its crop is central and nothing is augmented;
                `other`, a row, and `share`: the input is then (1 - share) * this row's + share * the other's, mixed
                after the extractor, so as waveforms for wav2vec 2.0 and as log-mel spectra for Whisper.

        Returns:
            Tensors of the extractor, (batch, samples) or (batch, ...), where the batch counts chunks if clips are cut
            into them; `labels`, int64 (rows,) or float32 (rows, D); `ids`, a list of strings; with chunks, `chunks`,
            int64 (rows,), how many inputs in a row belong to each row.

        Raises:
            AudioError: a file cannot be read; names the row and the file. Nothing is put in its place.
            CollatorError: a mixture is to be cut into chunks.
        """
        pieces = [self._pieces(row) for row in rows]
        mixed = [index for index, row in enumerate(rows) if row.get("other") is not None]
        others = [self._other(rows[index]) for index in mixed]
        batch = self.pad([clip for clips in pieces for clip in clips] + others)
        if mixed:
            batch = _mix(batch, mixed, [rows[index]["share"] for index in mixed])
        if LABELS in rows[0]:
            labels = np.asarray([row[LABELS] for row in rows])
            classes = labels.ndim == 1 and labels.dtype.kind in "iu"
            batch[LABELS] = torch.from_numpy(labels.astype(np.int64 if classes else np.float32))
        if self.crop == "chunks":
            batch[CHUNKS] = torch.tensor([len(clips) for clips in pieces])
        return batch | {IDS: [row["id"] for row in rows]}

    def clip(self, row: Mapping[str, Any]) -> np.ndarray:
        """Return one row as the encoder gets it: float32 (samples,), 16 kHz, in [-1, 1) unless augmented.

        Where clips are cut into chunks this is the first of them.
        """
        return self._pieces(row)[0]

    def pad(self, clips: Sequence[np.ndarray]) -> dict[str, Any]:
        """Return what the extractor makes of clips from `clip`."""
        padding: dict[str, Any] = {}
        if self.pad_to_max:
            padding = {"padding": "max_length", "max_length": max(self._longest, *map(len, clips))}
        elif _pads_to_longest(self.extractor):
            padding = {"padding": True}
        return dict(self.extractor(list(clips), sampling_rate=audio.SAMPLE_RATE, return_tensors="pt", **padding))

    def _pieces(self, row: Mapping[str, Any]) -> list[np.ndarray]:
        draw = row.get("draw")
        return self._cut(row, None if draw is None else np.random.default_rng(draw))

    def _other(self, row: Mapping[str, Any]) -> np.ndarray:
        """Return the clip that is mixed into a row, cut and augmented independently of it."""
        if self.crop == "chunks":
            raise CollatorError(f"Row {row['id']!r}: a mixture cannot be cut into chunks. Evaluate rows as they are.")
        draw = row.get("draw")
        rng = None if draw is None else np.random.default_rng(draw).spawn(1)[0]
        try:
            return self._cut(row["other"], rng)[0]
        except AudioError as error:
            raise AudioError(f"Row {row['id']!r}, mixed with another: {error}") from error

    def _cut(self, row: Mapping[str, Any], rng: np.random.Generator | None) -> list[np.ndarray]:
        try:
            samples = audio.as_float(audio.load(row["audio"]))
        except AudioError as error:
            raise AudioError(f"Row {row.get('id')!r}: {error}") from error
        if rng is not None and self.augmentation is not None:
            samples = self.augmentation(samples, rng)
        pieces = [samples]
        if self.crop == "chunks":
            pieces = chunked(samples, self._longest)
        elif self.crop != "full" and self.max_seconds is not None:
            spare = max(0, len(samples) - self._longest)
            start = rng.integers(spare, endpoint=True) if self.crop == "random" and rng is not None else spare // 2
            pieces = [samples[start : start + self._longest]]
        missing = self.min_samples - len(pieces[0])  # chunks of a clip are equally long
        return [np.pad(piece, (0, missing)) for piece in pieces] if missing > 0 else pieces


def _mix(batch: dict[str, torch.Tensor], mixed: Sequence[int], shares: Sequence[float]) -> dict[str, torch.Tensor]:
    """Return a batch whose last rows are mixed into the rows at `mixed`, one each, by their shares."""
    own = {}
    for name, values in batch.items():
        first, other = values[: -len(mixed)], values[-len(mixed) :]
        if name == "attention_mask":
            first[mixed] = torch.maximum(first[mixed], other)
        else:
            share = torch.tensor(shares, dtype=values.dtype).view(-1, *[1] * (values.dim() - 1))
            first[mixed] = (1 - share) * first[mixed] + share * other
        own[name] = first
    return own
