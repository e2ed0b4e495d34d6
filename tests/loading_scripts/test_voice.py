import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from loading_scripts import voice
from loading_scripts.voice import RATE, Manner, Voice, speak

WOMAN = Voice(pitch_hz=200, tract=1.15)
MAN = Voice(pitch_hz=120, tract=1.0)
WORDS = st.text(sorted(voice.VOWELS | voice.CONSONANTS), min_size=1, max_size=6)
MANNERS = st.builds(
    Manner,
    pitch=st.floats(-8, 10),
    range=st.floats(-1.5, 1.5),
    final=st.floats(-8, 12),
    tempo=st.floats(-0.5, 0.5),
    level_db=st.floats(-15, 6),
    tilt_db=st.floats(-20, 20),
    jitter=st.floats(-1, 1.5),
    breath_db=st.floats(-10, 12),
)
few = settings(max_examples=15, deadline=None)


def say(text="mano seli", speaker=MAN, seed=1, **manner):
    return speak(text, speaker, Manner(**manner), np.random.RandomState(seed))


def f0(samples):
    """F0 of a vowel: the highest peak of the autocorrelation between 60 and 600 Hz."""
    r = np.correlate(samples, samples, "full")[samples.size - 1 :]
    lags = np.arange(RATE // 600, RATE // 60)
    return RATE / lags[r[lags].argmax()]


def middle(samples):
    return samples[samples.size // 2 - 480 : samples.size // 2 + 480]


@few
@given(st.lists(WORDS, min_size=1, max_size=3).map(" ".join), st.sampled_from([WOMAN, MAN]), MANNERS)
def test_any_text_in_any_manner_is_finite_and_fits_into_full_scale(text, speaker, manner):
    samples = speak(text, speaker, manner, np.random.RandomState(0))
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() < 1
    assert samples.std() > 0


@few
@given(st.integers(0, 2**32 - 2))
def test_the_seed_alone_decides(seed):
    assert np.array_equal(say(seed=seed), say(seed=seed))
    assert not np.array_equal(say(seed=seed)[:8000], say(seed=seed + 1)[:8000])


def test_no_global_generator():
    before = np.random.get_state()[1].copy()
    say()
    assert np.array_equal(np.random.get_state()[1], before)


@few
@given(st.floats(-0.4, 0.4))
def test_tempo_divides_the_length(tempo):
    assert say(tempo=tempo).size == pytest.approx(say().size / np.exp(tempo), abs=2)


@few
@given(st.floats(-20, 6))
def test_level_scales_the_speech(level):
    difference = 20 * np.log10(say(level_db=level).std() / say().std())
    assert difference == pytest.approx(level, abs=0.1)


@pytest.mark.parametrize("speaker", [WOMAN, MAN])
@pytest.mark.parametrize("semitones", [-4, 3, 7])
def test_pitch_moves_f0(speaker, semitones):
    heard = f0(middle(say("aaa", speaker, pitch=semitones))) / f0(middle(say("aaa", speaker)))
    assert 12 * np.log2(heard) == pytest.approx(semitones, abs=0.5)


def test_final_movement_raises_the_end_only():
    flat, rising = say("a" * 8), say("a" * 8, final=6.0)
    ends = [slice(1600, 2600), slice(flat.size - 2000, flat.size - 1000)]
    start, end = (12 * np.log2(f0(rising[part]) / f0(flat[part])) for part in ends)
    assert abs(start) < 0.3
    assert 4 < end < 6


@pytest.mark.parametrize("vowel", "aeiou")
@pytest.mark.parametrize("tract", [1.0, 1.15])
def test_vowels_peak_at_their_first_formant(vowel, tract):
    # A voice of 40 Hz has harmonics dense enough to see the filter; no tilt keeps them even.
    samples = say(vowel * 6, Voice(pitch_hz=40, tract=tract, accent=0, tilt_db=1), range=-9.0)
    power = np.abs(np.fft.rfft(samples * np.hanning(samples.size))) ** 2
    smooth = np.convolve(power, np.hanning(int(80 * samples.size / RATE)), "same")
    hz = np.fft.rfftfreq(samples.size, 1 / RATE)
    first, second = (tract * one for one in voice.VOWELS[vowel].formants[:2])
    below = (hz > 150) & (hz < (first + second) / 2)
    assert hz[below][smooth[below].argmax()] == pytest.approx(first, abs=60)


@pytest.mark.parametrize("decibel", [3, 12, 30])
def test_tilt_is_the_loss_at_3_khz(decibel):
    impulse = np.zeros(16_000)
    impulse[100] = 1
    response = np.abs(np.fft.rfft(voice._tilt(impulse, decibel)))  # one bin for each Hz
    assert 20 * np.log10(response[0] / response[3000]) == pytest.approx(decibel, abs=0.1)


def test_resonators_at_rest_equal_the_recursion_of_klatt():
    signal = np.random.RandomState(0).uniform(-1, 1, 4000)
    centres, bandwidths = (500.0, 1500.0, 2500.0), (90.0, 110.0, 170.0)
    expected = signal
    for hz, bandwidth in zip(centres, bandwidths, strict=True):
        c = -np.exp(-2 * np.pi * bandwidth / RATE)
        b = 2 * np.exp(-np.pi * bandwidth / RATE) * np.cos(2 * np.pi * hz / RATE)
        expected = lfilter([1 - b - c], [1, -b, -c], expected)
    frames = np.tile(centres, (4000 // voice.FRAME + 1, 1))
    error = voice._resonate(signal, frames, bandwidths) - expected
    assert 20 * np.log10(error.std() / expected.std()) < -60


def test_fricatives_have_no_pitch_and_lie_high():
    samples = say("sss")
    power = np.abs(np.fft.rfft(middle(samples))) ** 2
    hz = np.fft.rfftfreq(960, 1 / RATE)
    assert power[hz > 4000].sum() > 0.8 * power.sum()


def test_an_unknown_letter_is_named():
    with pytest.raises(ValueError, match=r"text 'mano quit'.*'q'.*abdefgiklmnorstuv"):
        say("mano quit")
