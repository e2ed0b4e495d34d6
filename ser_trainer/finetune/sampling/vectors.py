"""Vectors: how utterances sound on the whole, to find neighbors for SMOTE and ADASYN."""

import numpy as np
import torch
from datasets import Audio, Dataset
from torchaudio.transforms import MelSpectrogram
from tqdm.auto import tqdm

from loading_scripts import audio
from loading_scripts.errors import AudioError

_WINDOW, _HOP, _BANDS = 400, 160, 80  # samples at 16 kHz, and mel bands: Whisper's (Radford et al. 2022, section 2.2)
_FLOOR = 1e-10  # of a power before its logarithm, as in Whisper's feature extractor


def mel_vectors(rows: Dataset) -> np.ndarray:
    """Return the mean over time of the log10 mel powers of each row, float32 (rows, 80).

    Hann windows of 25 ms every 10 ms, 80 bands of Slaney's mel scale from 0 to 8 kHz: the input of Whisper, without its
    padding to 30 s and its scaling by the loudest frame.

    Args:
        rows: rows from `labelled`, with `id` and `audio`.

    Raises:
        AudioError: a file cannot be read; names the row and the file.
    """
    spectrogram = MelSpectrogram(
        audio.SAMPLE_RATE, n_fft=_WINDOW, hop_length=_HOP, n_mels=_BANDS, norm="slaney", mel_scale="slaney"
    )
    sounds = rows.select_columns(["id", "audio"]).cast_column("audio", Audio(decode=False))
    vectors = np.empty((len(rows), _BANDS), np.float32)
    progress = tqdm(sounds, total=len(rows), unit="utt", desc="Listening for neighbors", disable=None)
    with torch.inference_mode():
        for vector, row in zip(vectors, progress, strict=True):
            try:
                samples = audio.as_float(audio.load(row["audio"]))
            except AudioError as error:
                raise AudioError(f"Row {row['id']!r}: {error}") from error
            samples = np.pad(samples, (0, max(0, _WINDOW - len(samples))))  # a window must fit
            powers = spectrogram(torch.from_numpy(samples))
            vector[:] = powers.clamp(min=_FLOOR).log10().mean(dim=-1).numpy()
    return vectors
