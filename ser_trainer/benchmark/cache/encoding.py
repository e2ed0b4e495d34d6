"""Encoding: what an encoder gives for a batch is checked before it is stored; one bad clip does not stop a corpus."""

from collections.abc import Sequence

import numpy as np

from ...encoders.encoder import Clip, ClipError, Encoder, EncoderError
from .header import Header


def encoded(encoder: Encoder, clips: Sequence[Clip], header: Header) -> dict[str, np.ndarray | str]:
    """Return id -> float32 features (frames, width), or why there are none, in the order of the clips.

    A clip that the encoder refuses (`ClipError`) is left out, and the others are
    encoded without it. A batch that the device has no memory for is encoded in halves.

    Raises:
        EncoderError: the encoder refused the whole batch, or gave what is no feature.
    """
    failed: dict[str, str] = {}
    left = list(clips)
    while left:
        try:
            features = encoder.encode(left, header.layers)
            break
        except ClipError as error:
            if error.clip not in {one.id for one in left}:
                raise
            failed[error.clip] = str(error)
            left = [one for one in left if one.id != error.clip]
        except Exception as error:
            # By its name, as torch is not imported for an encoder that does not need it.
            if type(error).__name__ != "OutOfMemoryError" or len(left) == 1:
                raise
            half = len(left) // 2
            found = encoded(encoder, left[:half], header) | encoded(encoder, left[half:], header) | failed
            return {one.id: found[one.id] for one in clips}
    else:
        features = []
    if len(features) != len(left):
        raise EncoderError(
            f"Encoder {header.encoder}: must give features of each clip; it gave {len(features)} for {len(left)} clips."
        )
    found = {one.id: _checked(values, one, header) for one, values in zip(left, features, strict=True)} | failed
    return {one.id: found[one.id] for one in clips}


def _checked(values: np.ndarray, clip: Clip, header: Header) -> np.ndarray | str:
    """Return features, or why they are none; what would break every other clip too is raised."""
    values = np.asarray(values)
    rows = header.depth if header.layers == "all" else len(values) if values.ndim else 0
    if values.shape != (rows, header.width) or values.dtype != np.float32:
        wanted = f"({header.depth}, {header.width})" if header.layers == "all" else f"(frames, {header.width})"
        raise EncoderError(
            f"Encoder {header.encoder}, utterance {clip.id}: features must be float32 {wanted}; they are "
            f"{values.dtype} {values.shape}. Correct the encoder."
        )
    if not rows:
        return f"the encoder gave no frame for {len(clip.samples)} samples"
    if not np.isfinite(values).all():
        return f"{np.count_nonzero(~np.isfinite(values))} of {values.size} values are NaN or infinite"
    return values
