"""Augmentation: training clips as other talkers, rooms and lines would have given them.

Waveforms in, waveforms out, and everything random comes from one generator that the caller seeds: the same seed gives
the same clip, in any worker process and after a resume. Bit for bit, as long as torch has the same number of threads
(worker processes have one each): the resampler's last bits depend on it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import fft

from loading_scripts.audio import SAMPLE_RATE, resample
from loading_scripts.errors import SerbenchError, UnknownNameError, near

SETTINGS = {
    "speed": ("speed_factors",),
    "reverberation": ("rt60_seconds", "direct_db"),
    "noise": ("snr_db", "noise_slope"),
    "band_limit": (),
    "gain": ("gain_db",),
}
"""Effect -> its settings. The order is the way of sound: talker, room, noise in the room, line, recording level."""

FINEST_SPEED = 20
"""Largest denominator of a speed factor: the resampler keeps a filter for each output phase, 10,000 for 1.0937."""

LINE_RATE = 8_000
"""Hz; telephone lines are sampled at this rate (ITU-T G.711), which ends their band below 4 kHz."""

LINE_START = 300.0
"""Hz; lower end of the telephone band (ITU-T G.712)."""

SPEECH_START = 50.0
"""Hz; below this, where speech has no energy, colored noise stays flat, lest most of its power be inaudible."""


class AugmentationError(SerbenchError, ValueError):
    """A probability or range of an augmentation is outside what its effect allows."""


@dataclass(frozen=True)
class Augmentation:
    """Changes clips at random; called with samples, float32 (n,) at 16 kHz, and a generator it gives float32 (m,).

    Each effect has a probability of its own, 0 by default, and they are independent of one another. Speed shifts pitch
    and tempo, which carry emotion: factors beyond the defaults can change what is heard. Extractors that normalize each
    clip undo gain.

    Args:
        speed: probability of another speed, and with it pitch and duration.
        reverberation: probability of a synthetic room.
        noise: probability of stationary noise.
        band_limit: probability of a telephone line, 300 to 3,500 Hz.
        gain: probability of another level.
        speed_factors: factors to choose from, multiples of 1/20 or as simple. Ko et al., Audio augmentation for speech
            recognition, Interspeech 2015: 0.9, 1 and 1.1.
        rt60_seconds: range of reverberation times, seconds for 60 dB. The three rooms of the REVERB challenge
            (Kinoshita et al., WASPAA 2013) have about 0.25, 0.5 and 0.7 s.
        direct_db: range of direct-to-reverberant ratios in dB; ours, a talker no farther off than where both are equal.
        snr_db: range of signal-to-noise ratios in dB. Snyder et al., X-vectors, ICASSP 2018: noise at 0 to 15 dB.
        noise_slope: range of exponents a in a noise power of 1 / frequency^a: 0 is white, 1 pink.
        gain_db: range of gains in dB; the defaults of torch-audiomentations. Gain stops where the peak reaches 1.

    Raises:
        AugmentationError: a probability or range is impossible.
    """

    speed: float = 0.0
    reverberation: float = 0.0
    noise: float = 0.0
    band_limit: float = 0.0
    gain: float = 0.0
    speed_factors: tuple[float, ...] = (0.9, 1.1)
    rt60_seconds: tuple[float, float] = (0.25, 0.7)
    direct_db: tuple[float, float] = (0.0, 15.0)
    snr_db: tuple[float, float] = (0.0, 15.0)
    noise_slope: tuple[float, float] = (0.0, 1.0)
    gain_db: tuple[float, float] = (-18.0, 6.0)

    def __post_init__(self):
        for effect, settings in SETTINGS.items():
            if not 0 <= getattr(self, effect) <= 1:
                raise AugmentationError(
                    f"Augmentation {effect}: a probability lies between 0 and 1; it is {getattr(self, effect)}."
                )
            for name in settings:
                _check(name, getattr(self, name))

    @classmethod
    def of(cls, names: Sequence[str], probability: float = 0.5) -> "Augmentation":
        """Return an augmentation with these effects, each with this probability.

        Args:
            names: keys of `SETTINGS`.
            probability: 0 to 1.

        Raises:
            UnknownNameError: there is no such effect.
            AugmentationError: the probability is impossible.
        """
        for name in names:
            if name not in SETTINGS:
                raise UnknownNameError(
                    f"Augmentation {name!r}: no such effect.{near(name, SETTINGS)} Effects: {', '.join(SETTINGS)}."
                )
        return cls(**dict.fromkeys(names, probability))

    def describe(self) -> dict[str, dict[str, float | list[float]]]:
        """Return effect -> its probability and settings, for those that are on, in the order of their use."""
        return {
            effect: {"probability": getattr(self, effect)} | {name: list(getattr(self, name)) for name in settings}
            for effect, settings in SETTINGS.items()
            if getattr(self, effect) > 0
        }

    def __call__(self, samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the clip as these effects leave it.

        Args:
            samples: float32 (n,) at 16 kHz.
            rng: decides everything; all five dice are cast first, so each falls the same whichever effects are on.

        Returns:
            float32 (m,); m differs from n after a change of speed. Nothing is clipped: noise, rooms and filters may
            lift single samples beyond 1, which float samples and extractors bear.
        """
        on = {effect: die < getattr(self, effect) for effect, die in zip(SETTINGS, rng.random(5), strict=True)}
        if on["speed"]:
            samples = change_speed(samples, float(rng.choice(self.speed_factors)))
        if on["reverberation"]:
            response = impulse_response(rng.uniform(*self.rt60_seconds), rng.uniform(*self.direct_db), rng)
            samples = reverberate(samples, response)
        if on["noise"]:
            snr_db = rng.uniform(*self.snr_db)
            samples = add_noise(samples, colored_noise(len(samples), rng.uniform(*self.noise_slope), rng), snr_db)
        if on["band_limit"]:
            samples = limit_band(samples)
        if on["gain"]:
            samples = change_gain(samples, rng.uniform(*self.gain_db))
        return samples


def _check(name: str, values: Sequence[float]) -> None:
    """Raise AugmentationError where a setting is no range, or no set of speed factors."""
    if name == "speed_factors":
        if not values or not all(value > 0 and math.isclose(_ratio(value), value) for value in values):
            raise AugmentationError(
                f"Augmentation {name}: factors are above 0 and multiples of 1/{FINEST_SPEED} or simpler, as 0.95; "
                f"they are {values}. Round them."
            )
        return
    lowest = {"rt60_seconds": 0.01, "noise_slope": 0.0}.get(name, -math.inf)
    if len(values) != 2 or not lowest <= values[0] <= values[1] < math.inf or values[0] == -math.inf:
        least = "" if lowest == -math.inf else f", from {lowest} on"
        raise AugmentationError(
            f"Augmentation {name}: a range is a lowest and a highest finite value{least}; it is {values}."
        )


def _ratio(factor: float) -> Fraction:
    return Fraction(factor).limit_denominator(FINEST_SPEED)


def change_speed(samples: np.ndarray, factor: float) -> np.ndarray:
    """Return the samples `factor` times as fast: (ceil(n / factor),), pitch and formants shifted with them.

    As if recorded at factor * 16 kHz and resampled. torchaudio's `speed` truncates that rate to whole hertz, which for
    factors such as 1.15 makes it coprime to 16,000 and the filter bank huge; the simple ratio itself keeps it small.
    """
    ratio = _ratio(factor)
    return resample(samples, ratio.numerator, ratio.denominator)


def impulse_response(rt60_seconds: float, direct_db: float, rng: np.random.Generator) -> np.ndarray:
    """Return the response of a room, float32 (samples,): a direct path of 1 at sample 0, then decaying noise.

    Polack's model (La transmission de l'énergie sonore dans les salles, 1988): white Gaussian noise under an
    exponential, here down by 60 dB after `rt60_seconds`, where it ends.

    Args:
        rt60_seconds: reverberation time.
        direct_db: energy of the direct path over that of the tail.
        rng: draws the noise.
    """
    length = math.ceil(rt60_seconds * SAMPLE_RATE)
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(1, length + 1) / (rt60_seconds * SAMPLE_RATE))
    tail *= 10 ** (-direct_db / 20) / math.sqrt(_energy(tail))
    return np.concatenate([[1.0], tail]).astype(np.float32)


def reverberate(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return the samples in a room, (n,): in time with the input, as loud (root mean square), the last echo cut off."""
    # Lengths that are fast to transform and float32 throughout: four times as fast as torchaudio's fftconvolve.
    size = fft.next_fast_len(len(samples) + len(response) - 1, real=True)
    heard = fft.irfft(fft.rfft(samples, size) * fft.rfft(response, size), size)[: len(samples)]
    energy = _energy(heard)
    return heard * np.float32(math.sqrt(_energy(samples) / energy)) if energy > 0 else samples


def colored_noise(length: int, slope: float, rng: np.random.Generator) -> np.ndarray:
    """Return Gaussian noise, float32 (length,), with a power of 1 / frequency^slope above 50 Hz, flat below."""
    size = fft.next_fast_len(length, real=True)  # a prime length takes ten times as long
    spectrum = fft.rfft(rng.standard_normal(size, dtype=np.float32))
    hertz = np.maximum(fft.rfftfreq(size, 1 / SAMPLE_RATE), SPEECH_START).astype(np.float32)
    return fft.irfft(spectrum * hertz ** (-slope / 2), n=size)[:length]


def add_noise(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Return samples plus noise, (n,), at this ratio of their energies over the clip; silence stays silent."""
    scale = math.sqrt(_energy(samples) / _energy(noise)) * 10 ** (-snr_db / 20)
    return samples + noise * np.float32(scale)


def _energy(samples: np.ndarray) -> float:
    # Not by a dot product or torchaudio's add_noise: their last bits depend on the number of threads.
    return float(np.square(samples, dtype=np.float64).sum())


def limit_band(samples: np.ndarray) -> np.ndarray:
    """Return the samples, (n,), as a telephone line passes them: 300 to 3,500 Hz, and under 1 % of all above 4 kHz."""
    import torch
    from torchaudio.functional import highpass_biquad

    narrow = resample(samples, SAMPLE_RATE, LINE_RATE)
    # torchaudio's filters clip at 1. This one can make peaks 2.2 times as high; a power of two keeps precision.
    room = 2.0 ** (math.frexp(float(np.abs(narrow).max()))[1] + 2)
    line = highpass_biquad(torch.from_numpy(narrow / room), LINE_RATE, LINE_START).numpy() * room
    return resample(line, LINE_RATE, SAMPLE_RATE)[: len(samples)]


def change_gain(samples: np.ndarray, gain_db: float) -> np.ndarray:
    """Return the samples, (n,), louder by `gain_db`, but no louder than a peak of 1 unless they were already."""
    peak = float(np.abs(samples).max())
    highest = max(1.0, 1.0 / peak) if peak > 0 else math.inf
    return samples * np.float32(min(10 ** (gain_db / 20), highest))
