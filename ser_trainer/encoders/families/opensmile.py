"""openSMILE: the 6,373 functionals of ComParE 2016, one vector per utterance; Eyben et al. 2010."""

import warnings
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from loading_scripts.audio import SAMPLE_RATE

from ..encoder import Clip, ClipError, ExtraError, Layers
from ..opening import Opening

if TYPE_CHECKING:
    import opensmile

MINIMUM = 960
"""Samples (0.06 s) that openSMILE needs for a frame of pitch; from a shorter clip no value is defined (2.6.0)."""


class OpenSmileEncoder:
    """Signal processing only: nothing was learned from data, and nothing runs on a GPU."""

    depth = 1
    frame_rate = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.revision = f"opensmile {version('opensmile')}"
        self.width = _smile().num_features
        # A package that multiplies by 32,768 and cuts gets the int16 samples of the file back from n / 32,768. SERAB
        # gives it n / 32,767: the same samples, but a full-scale one turns round to the other sign.
        self.identity = {
            "encoder": name,
            "revision": self.revision,
            "feature_set": "ComParE_2016 functionals",
            "samples": "int16 as they are",
            "minimum_samples": MINIMUM,
        }

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return one float32 (1, 6373) per clip, the same for both choices of `layers`.

        Raises:
            ClipError: a clip is shorter than 0.06 s, or a value is not finite.
        """
        return [self._functionals(clip) for clip in clips]

    def _functionals(self, clip: Clip) -> np.ndarray:
        if len(clip.samples) < MINIMUM:
            raise ClipError(
                f"Encoder {self.name}: functionals need {MINIMUM} samples (0.06 s); utterance {clip.id} has "
                f"{len(clip.samples)}. Leave it out.",
                clip.id,
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Segment too short, filling with NaN": refused below
            values = _smile()(clip.wave, SAMPLE_RATE).reshape(1, -1).astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ClipError(
                f"Encoder {self.name}: features must be finite; utterance {clip.id} gives "
                f"{np.count_nonzero(~np.isfinite(values))} values that are not. Leave it out.",
                clip.id,
            )
        return values


def open(opening: Opening) -> OpenSmileEncoder:  # noqa: A001
    """Return the encoder; there are no weights, device and precision do not matter.

    Raises:
        ExtraError: the package is not installed.
    """
    try:
        import opensmile  # noqa: F401
    except ImportError as error:
        raise ExtraError(
            f"Encoder {opening.name}: needs the package opensmile ({error}). pip install 'serbench[opensmile]' "
            "(audEERING research licence: research and other non-commercial use)."
        ) from error
    return OpenSmileEncoder(opening.name)


@cache
def _smile() -> "opensmile.Smile":
    """Return the extractor of this process."""
    import opensmile

    return opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals)
