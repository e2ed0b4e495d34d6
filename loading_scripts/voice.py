"""A source-filter voice: letters, a speaker and a manner of speaking go in, samples come out.

The chain is Klatt's: glottal pulses with jitter and shimmer, damped by a low-pass, and breath pass through a cascade
of formant resonators; noise in a band of its own makes fricatives and bursts. It speaks letters, not a language. All
that is random comes from the generator that is handed in, and numpy keeps the streams of a `RandomState` for good
(NEP 19), so a seed names the same sound everywhere.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # Hz
FRAME = 160  # samples between two settings of the vocal tract: 10 ms
SPAN = 5 * FRAME  # samples that a piece of two frames takes with its ringing

Samples = NDArray[np.float64]


class Phone(NamedTuple):
    """Targets of one stretch of sound.

    Args:
        formants: F1, F2 and F3 of a man, Hz.
        seconds: length at tempo 1.
        voicing: amplitude of the glottal pulses, 1 in a vowel.
        hiss: amplitude of frication noise.
        hiss_hz: centre of the band of that noise.
    """

    formants: tuple[float, float, float]
    seconds: float
    voicing: float
    hiss: float = 0.0
    hiss_hz: float = 4000.0


# Vowels: means of 33 men (Peterson & Barney 1952, table II, the vowels of heed, head, hod, hawed, who'd).
# Consonants: formants after Klatt 1980, table III. Lengths and amplitudes are ours.
VOWELS = {
    "a": Phone((730, 1090, 2440), 0.130, 1.0),
    "e": Phone((530, 1840, 2480), 0.120, 1.0),
    "i": Phone((270, 2290, 3010), 0.110, 1.0),
    "o": Phone((570, 840, 2410), 0.125, 1.0),
    "u": Phone((300, 870, 2240), 0.115, 1.0),
}
CONSONANTS = {
    "b": (Phone((200, 1100, 2150), 0.060, 0.25), Phone((200, 1100, 2150), 0.010, 0.5, 0.10, 1000)),
    "d": (Phone((200, 1600, 2600), 0.055, 0.25), Phone((200, 1600, 2600), 0.012, 0.5, 0.12, 3500)),
    "f": (Phone((340, 1100, 2080), 0.100, 0.0, 0.06, 5500),),
    "g": (Phone((200, 1990, 2850), 0.055, 0.25), Phone((200, 1990, 2850), 0.018, 0.5, 0.15, 2000)),
    "k": (Phone((300, 1990, 2850), 0.070, 0.0), Phone((300, 1990, 2850), 0.030, 0.0, 0.25, 2000)),
    "l": (Phone((310, 1050, 2880), 0.075, 0.7),),
    "m": (Phone((480, 1270, 2130), 0.085, 0.5),),
    "n": (Phone((480, 1340, 2470), 0.080, 0.5),),
    "r": (Phone((310, 1060, 1380), 0.070, 0.6),),
    "s": (Phone((320, 1390, 2530), 0.115, 0.0, 0.14, 5500),),
    "t": (Phone((400, 1600, 2600), 0.065, 0.0), Phone((400, 1600, 2600), 0.025, 0.0, 0.20, 4000)),
    "v": (Phone((220, 1100, 2080), 0.075, 0.4, 0.02, 5500),),
}
PAUSE = Phone((500, 1500, 2500), 0.060, 0.0)
UPPER_FORMANTS = (3500.0, 4500.0)  # Hz; of a uniform tube of 17.5 cm, like the formants of PAUSE
BANDWIDTHS = (90.0, 110.0, 170.0, 250.0, 300.0)  # Hz
OPEN = 0.6  # part of a period in which the glottis is open
GAIN = 0.03  # leaves an angry voice some decibels below full scale
ROOM = 1e-4  # amplitude of the noise that every recording has


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A speaker: how the neutral voice sounds.

    Args:
        pitch_hz: mean fundamental frequency.
        tract: formants relative to a man's (1.0); about 1.15 in women.
        accent: rise of pitch on a stressed syllable, semitones.
        tempo: speaking rate, 1.0 is usual.
        level_db: loudness, relative.
        tilt_db: how much the source is damped at 3 kHz.
        jitter: standard deviation of the period, relative.
        breath_db: level of aspiration noise, relative to the pulses.
    """

    pitch_hz: float
    tract: float
    accent: float = 3.0
    tempo: float = 1.0
    level_db: float = 0.0
    tilt_db: float = 12.0
    jitter: float = 0.008
    breath_db: float = -28.0


class Manner(NamedTuple):
    """A manner of speaking: departures from a speaker's neutral voice, all zero for none.

    Args:
        pitch: shift of the whole contour, semitones.
        range: stretch of accents and wander, natural logarithm of a factor.
        final: movement of pitch at the end, semitones; positive rises.
        tempo: speaking rate, natural logarithm of a factor.
        level_db: loudness.
        tilt_db: damping of the source at 3 kHz.
        jitter: irregularity of the periods, natural logarithm of a factor.
        breath_db: aspiration noise.
    """

    pitch: float = 0.0
    range: float = 0.0
    final: float = 0.0
    tempo: float = 0.0
    level_db: float = 0.0
    tilt_db: float = 0.0
    jitter: float = 0.0
    breath_db: float = 0.0


def speak(text: str, voice: Voice, manner: Manner, rng: np.random.RandomState) -> Samples:
    """Speak a text of made-up words.

    Args:
        text: letters of `VOWELS` and `CONSONANTS`; a space starts a word, whose first vowel is stressed.
        voice: who speaks.
        manner: in which manner.
        rng: the source of everything that differs between two takes.

    Returns:
        Samples at `RATE`, (samples,), full scale 1.0.

    Raises:
        ValueError: a letter has no phone.
    """
    phones, stressed = _phones(text)
    tempo = voice.tempo * np.exp(manner.tempo)
    seconds = np.array([phone.seconds for phone in phones]) / tempo
    seconds *= np.exp(0.08 * rng.standard_normal(len(phones)))
    seconds[-2] *= 1.3  # the last syllable before a pause is drawn out
    edges = np.concatenate(([0.0], np.cumsum(seconds)))
    time = np.arange(int(edges[-1] * RATE)) / RATE

    f0 = voice.pitch_hz * 2 ** (_contour(time, edges, stressed, voice, manner, rng) / 12)
    voicing = _glide(time, edges, [phone.voicing for phone in phones], 0.010)
    voicing *= 10 ** (-4 * time / time[-1] / 20)  # breath pressure falls by 4 dB towards the end
    pulses, open_glottis = _glottis(f0, voice.jitter * np.exp(manner.jitter), rng)
    breath = 10 ** ((voice.breath_db + manner.breath_db) / 20) * _noise(time.size, rng)
    source = _tilt(pulses, voice.tilt_db + manner.tilt_db) + breath * (0.3 + 0.7 * open_glottis)

    frames = np.arange(-(-time.size // FRAME) + 1) * FRAME / RATE
    formants = [_glide(frames, edges, [phone.formants[i] for phone in phones], 0.035) for i in range(3)]
    formants += [np.full(frames.size, hz) for hz in UPPER_FORMANTS]
    sound = _resonate(voicing * source, voice.tract * np.stack(formants, 1), BANDWIDTHS)

    hiss = _glide(time, edges, [phone.hiss for phone in phones], 0.006) * _noise(time.size, rng)
    hiss = np.diff(hiss, prepend=0.0)  # radiation from the lips
    centre = _glide(frames, edges, [phone.hiss_hz for phone in phones], 0.006)
    sound += _resonate(hiss, centre[:, None], (1500.0,))

    gain = GAIN * 10 ** ((voice.level_db + manner.level_db) / 20)
    return gain * sound + ROOM * _noise(time.size, rng)


def _phones(text: str) -> tuple[list[Phone], list[int]]:
    """Return the phones of a text between two pauses, and the places of the stressed ones."""
    phones, stressed = [PAUSE], []
    for word in text.split():
        fresh = True
        for letter in word:
            if letter in VOWELS:
                if fresh:
                    stressed.append(len(phones))
                    fresh = False
                phones.append(VOWELS[letter])
            elif letter in CONSONANTS:
                phones.extend(CONSONANTS[letter])
            else:
                known = "".join(sorted(VOWELS | CONSONANTS))
                raise ValueError(f"text {text!r}: no phone for the letter {letter!r}; use letters of {known!r}")
    return [*phones, PAUSE], stressed


def _noise(size: int, rng: np.random.RandomState) -> Samples:
    """Return white noise with variance 1; uniform, which sounds like a normal one and takes a tenth of the time."""
    return rng.uniform(-np.sqrt(3), np.sqrt(3), size)


def _glide(time: Samples, edges: Samples, targets: list[float], seconds: float) -> Samples:
    """Hold each phone's target and move in a straight line between two, `seconds` before to after their edge."""
    inset = np.minimum(seconds, np.diff(edges) / 3)
    knots = np.stack((edges[:-1] + inset, edges[1:] - inset), 1)
    return np.interp(time, knots.ravel(), np.repeat(targets, 2))


def _contour(
    time: Samples, edges: Samples, stressed: list[int], voice: Voice, manner: Manner, rng: np.random.RandomState
) -> Samples:
    """Return the pitch contour in semitones about the voice's mean: declination, accents, final movement, wander."""
    stretch = np.exp(manner.range)
    progress = time / time[-1]
    contour = manner.pitch + stretch * 2 * (0.5 - progress)
    for phone in stressed:
        peak = (edges[phone] + edges[phone + 1]) / 2
        height = voice.accent * stretch * np.exp(0.2 * rng.standard_normal())
        contour += height * np.exp(-0.5 * ((time - peak) / 0.07) ** 2)
    contour += manner.final * np.clip((progress - 0.7) / 0.25, 0, 1) ** 2
    knots = np.arange(0, time[-1] + 0.12, 0.12)
    return contour + 0.4 * stretch * np.interp(time, knots, rng.standard_normal(knots.size))


def _glottis(f0: Samples, jitter: float, rng: np.random.RandomState) -> tuple[Samples, Samples]:
    """Return the derivative of the glottal flow, and where the glottis is open (0 or 1).

    The flow of one open phase is x^2 - x^3 (the KLGLOTT88 source of Klatt & Klatt 1990). Its differences are
    taken, not samples of its derivative: they average over a sample, which keeps aliasing low.
    """
    cycle = np.floor(np.cumsum(f0) / RATE).astype(int)
    phase = np.cumsum(f0 * (1 + jitter * rng.standard_normal(cycle[-1] + 1)[cycle])) / RATE
    cycle = np.floor(phase).astype(int)
    shimmer = 1 + 4 * jitter * rng.standard_normal(cycle[-1] + 1)[cycle]
    x = np.minimum((phase - cycle) / OPEN, 1)
    flow = shimmer * (x**2 - x**3)
    return np.diff(flow, prepend=0.0) * RATE / f0, (x < 1).astype(float)


def _tilt(pulses: Samples, decibel: float) -> Samples:
    """Damp the source by a one-pole low-pass with `decibel` of loss at 3 kHz (Klatt & Klatt 1990, TL)."""
    loss = 10 ** (-max(decibel, 1.0) / 10)
    b = (1 - loss * np.cos(2 * np.pi * 3000 / RATE)) / (1 - loss)
    pole = b - np.sqrt(b * b - 1)
    span = (pulses.size // FRAME + 1) * FRAME  # never a large prime
    turn = np.exp(-2j * np.pi * np.arange(span // 2 + 1) / span)
    return np.fft.irfft(np.fft.rfft(pulses, span) * (1 - pole) / (1 - pole * turn), span)[: pulses.size]


def _resonate(signal: Samples, centres: Samples, bandwidths: tuple[float, ...]) -> Samples:
    """Send a signal through a cascade of resonators that move.

    Args:
        signal: (samples,).
        centres: resonance frequencies in Hz, (frames, resonators), one frame for `FRAME` samples.
        bandwidths: Hz, one for each resonator.

    Returns:
        (samples,). Each resonator is Klatt 1980, eq. 1 and 2, with unit gain at 0 Hz; overlapping pieces of the signal
        pass through the resonators of their frame and are added up.
    """
    window = np.hanning(2 * FRAME + 1)[:-1]  # two neighbors add up to 1
    padded = np.pad(signal, (FRAME, 2 * FRAME))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, 2 * FRAME)[::FRAME][: len(centres)]
    sounding = pieces.any(axis=1)  # no filter for the frames without frication

    radius = np.exp(-np.pi * np.asarray(bandwidths) / RATE)
    cosine = np.cos(2 * np.pi * centres[sounding] / RATE)
    denominator = np.ones((len(cosine), 1))
    for r, cos in zip(radius, cosine.T[..., None], strict=True):
        longer = np.pad(denominator, ((0, 0), (0, 2)))
        longer[:, 1:-1] -= 2 * r * cos * denominator
        longer[:, 2:] += r**2 * denominator
        denominator = longer
    response = denominator.sum(axis=1, keepdims=True) / np.fft.rfft(denominator, SPAN)

    rung = np.zeros((len(centres), SPAN))
    rung[sounding] = np.fft.irfft(np.fft.rfft(pieces[sounding] * window, SPAN) * response, SPAN)
    out = np.zeros((len(centres) + SPAN // FRAME) * FRAME)
    for part in range(0, SPAN, FRAME):  # the same stretch of every piece lies end to end
        out[part : part + len(centres) * FRAME] += rung[:, part : part + FRAME].ravel()
    return out[FRAME : FRAME + signal.size]
