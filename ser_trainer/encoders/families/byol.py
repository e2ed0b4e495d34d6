"""BYOL-A, BYOL-S and BYOL-S/CvT: one vector per utterance from a normalized log-mel spectrogram.

The log-mels are normalized by two numbers of the corpus: mean and deviation over its training clips. SERAB publishes
them for its nine tasks; elsewhere `ByolEncoder.fitted` computes them, from training clips only.
"""

import copy
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..encoder import Clip, EncoderError, Layers
from ..opening import Opening
from ..weights import load_strictly, read_state, revision_of, weights_file

if TYPE_CHECKING:
    from torch import Tensor, nn

MINIMUM = 1_120
"""Samples that a clip is zero-padded to: 8 frames, of which three poolings leave one."""

FULL_SCALE = np.float32(32_767)
"""What SERAB divides the samples by (``utils.py``, the greatest int16)."""

ROOTS = ("features.", "fc.", "layers.")
"""What keys begin with; training scripts put the name of their own module before it."""


class Statistics(NamedTuple):
    """Mean and deviation of log-mels over training clips."""

    mean: float
    std: float


SERAB = {
    "aesdd": Statistics(-4.1785407066, 4.3656463623),
    "cafe": Statistics(-7.9731621742, 5.1123399734),
    "cremad": Statistics(-4.9937281609, 3.1366026402),
    "emodb": Statistics(-2.6927330494, 4.1030712128),
    "emovo": Statistics(-6.7016167641, 4.6194076538),
    "iemocap": Statistics(-5.7522306442, 3.4032545090),
    "ravdess": Statistics(-10.3203477859, 4.9995517731),
    "savee": Statistics(-7.3620586395, 4.7177248001),
    "shemo": Statistics(-3.5331912041, 4.0278716087),
}
"""Of the training splits of config ``serab``, window 400: Neclow/serab@cc0ebd7, ``SERAB/settings.py``."""
SERAB_CONFIG, SERAB_WINDOW = "serab", 400


class ByolEncoder:
    """A network on normalized log-mels; encodes once it has the statistics of a corpus, see `fitted`."""

    depth = 1
    frame_rate = None

    def __init__(
        self, opening: Opening, network: "nn.Module", window: int, revision: str, statistics: Statistics | None = None
    ) -> None:
        """Take a network whose weights are loaded.

        Args:
            opening: name, device and precision are taken from it.
            network: normalized log-mels (B, 1, 64, T) and frames (B,) -> (B, width).
            window: of the front end, in samples.
            revision: of the weights.
            statistics: of the corpus; None: yet to be fitted.
        """
        from ..models.byol import LogMel

        self.name, self.revision, self.width = opening.name, revision, network.width
        self.statistics = statistics
        self._device, self._precision = opening.device, opening.precision
        self._network = network.to(opening.device).eval()
        self._log_mel = LogMel(window).to(opening.device)

    @property
    def identity(self) -> Mapping[str, str | int | float | bool]:
        """Everything that changes a value; without mean and std as long as there are none."""
        import torch

        return {
            "encoder": self.name,
            "revision": self.revision,
            "samples": "int16 / 32767",
            "minimum_samples": MINIMUM,
            "front_end": "log(power of 64 HTK mel bands, 60 to 7800 Hz, 1024 points, hop 160, + 1.19e-7)",
            "window": self._log_mel.window,
            "precision": self._precision,
            "torch": torch.__version__.partition("+")[0],
            **(self.statistics._asdict() if self.statistics else {}),
        }

    def fitted(self, config: str, corpus: str, clips: Iterable[Clip]) -> "ByolEncoder":
        """Return this encoder with the statistics of a corpus.

        Args:
            config: name of the config of the corpus; ``serab`` takes SERAB's constants where the corpus has some.
            corpus: id of its record.
            clips: its TRAINING clips, read only where statistics are computed: the mean of the clips' means, and the
                mean of their unbiased standard deviations. Statistics over test clips would leak.

        Raises:
            EncoderError: no clips, or none with sound.
        """
        fitted = copy.copy(self)
        if config == SERAB_CONFIG and self._log_mel.window == SERAB_WINDOW and corpus in SERAB:
            fitted.statistics = SERAB[corpus]
            return fitted
        import torch

        # In float64 and rounded, so that another number of threads gives the same identity.
        log_mel = copy.deepcopy(self._log_mel).double()
        with torch.inference_mode():
            maps = (log_mel(self._wave(clip).double()) for clip in clips)
            moments = [(one.mean().item(), one.std().item()) for one in maps]
        if not moments:
            raise EncoderError(
                f"Encoder {self.name}: needs training clips of {corpus}/{config} for the statistics of their log-mels; "
                "there are none. Name a config with a training split."
            )
        mean, std = (round(math.fsum(values) / len(moments), 6) for values in zip(*moments, strict=True))
        if not (math.isfinite(mean) and std > 0):
            raise EncoderError(
                f"Encoder {self.name}: the log-mels of the training clips of {corpus}/{config} must vary; their mean "
                f"is {mean}, their deviation {std}. Listen to the corpus: it is silent."
            )
        fitted.statistics = Statistics(mean, std)
        return fitted

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        """Return one float32 (1, width) per clip, the same for both choices of `layers`.

        Raises:
            EncoderError: no statistics yet, or a clip gives values that are not finite.
        """
        if self.statistics is None:
            raise EncoderError(
                f"Encoder {self.name}: log-mels are normalized by the statistics of the training clips, and there are "
                "none yet. Use encoder.fitted(config, corpus, training_clips); never clips that are tested on."
            )
        if not self._device.startswith("cuda"):  # a CPU gains nothing from a batch, and loses to its padding
            return [self._vectors([clip]) for clip in clips]
        return list(self._vectors(clips)[:, None]) if clips else []

    def _vectors(self, clips: Sequence[Clip]) -> np.ndarray:
        """Return finite float32 (len(clips), width), encoded in one batch."""
        import torch

        from ..models.byol import padded

        mean, std = self.statistics
        kind = torch.device(self._device).type
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            batch, frames = padded([(self._log_mel(self._wave(clip)) - mean) / std for clip in clips])
            with torch.autocast(kind, torch.bfloat16, enabled=self._precision == "bfloat16"):
                vectors = self._network(batch, frames).float().cpu().numpy()
        for clip, vector in zip(clips, vectors, strict=True):
            if not np.isfinite(vector).all():
                raise EncoderError(
                    f"Encoder {self.name}: features must be finite; utterance {clip.id} gives "
                    f"{np.count_nonzero(~np.isfinite(vector))} values that are not. Check the weights, or use float32."
                )
        return vectors

    def _wave(self, clip: Clip) -> "Tensor":
        """Return float32 samples (n,), n >= MINIMUM, on the device."""
        import torch

        wave = clip.samples.astype(np.float32) / FULL_SCALE
        return torch.from_numpy(np.pad(wave, (0, max(0, MINIMUM - len(wave))))).to(self._device)


def open(opening: Opening) -> ByolEncoder:  # noqa: A001
    """Return an encoder without statistics; options of its record: ``window``, and for a CvT ``stages`` and ``pool``.

    Raises:
        EncoderError: there is no record, or the weights do not fit.
    """
    from ..models.byol import ByolCNN
    from ..models.cvt import ByolCvT

    record = opening.record
    if record is None:
        raise EncoderError(
            f"Encoder {opening.name}: a file of BYOL weights does not say which network it belongs to. Name the record "
            "too, for example byols_512=FILE."
        )
    options = record.options
    network = ByolCvT(options["stages"], options["pool"]) if "stages" in options else ByolCNN(record.width)
    file = weights_file(opening)
    what = f"Encoder {opening.name} ({file.name})"
    load_strictly(network, without_prefix(read_state(file), what), what)
    return ByolEncoder(opening, network, options["window"], revision_of(file))


def without_prefix(state: "Mapping[str, Tensor]", what: str) -> "dict[str, Tensor]":
    """Return a state dict whose keys begin with the first of `ROOTS` in them.

    Args:
        state: tensors by key.
        what: names encoder and file in messages.

    Raises:
        EncoderError: two keys become one, as where a file holds an online and a target network.
    """
    found: dict[str, str] = {}
    for key in state:
        starts = [at for at in (f".{key}".find(f".{root}") for root in ROOTS) if at >= 0]
        own = key[min(starts, default=0) :]
        if own in found:
            raise EncoderError(
                f"{what}: must hold one network; {found[own]} and {key} are both {own}. Save the one that is wanted."
            )
        found[own] = key
    return {own: state[key] for own, key in found.items()}
