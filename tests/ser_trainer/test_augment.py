import json
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loading_scripts.errors import UnknownNameError
from ser_trainer.finetune.augment import (
    SETTINGS,
    Augmentation,
    AugmentationError,
    add_noise,
    change_gain,
    change_speed,
    colored_noise,
    impulse_response,
    limit_band,
    reverberate,
)

RATE = 16_000
ALL = Augmentation.of([*SETTINGS], 1.0)
brief = settings(deadline=None, max_examples=40)


def noise(length, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, length).astype(np.float32)


def tone(hertz, seconds=1.0):
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


def energy(samples):
    return float(np.square(samples, dtype=np.float64).sum())


def band(samples, low, high):
    """Return the energy between two frequencies in Hz."""
    spectrum = np.fft.rfft(samples.astype(np.float64) * np.hanning(len(samples)))
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return energy(np.abs(spectrum[(hertz >= low) & (hertz < high)]))


def decibels(ratio):
    return 10 * math.log10(ratio)


@brief
@given(length=st.integers(1, 3000), seed=st.integers(0, 2**32), probability=st.floats(0, 1))
def test_a_seed_decides_the_clip(length, seed, probability):
    augmentation, clip = Augmentation.of([*SETTINGS], probability), noise(length)

    once, again = (augmentation(clip, np.random.default_rng(seed)) for _ in range(2))

    assert once.dtype == np.float32
    assert np.isfinite(once).all()
    assert len(once) in {length, math.ceil(length / 0.9), math.ceil(length / 1.1)}
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(clip, noise(length))  # the input is left alone


def test_other_seeds_give_other_clips():
    clips = [ALL(noise(2000), np.random.default_rng(seed)) for seed in range(8)]

    assert len({clip.tobytes() for clip in clips}) == 8


def test_effects_happen_as_often_as_their_probability_says_and_independently_of_others():
    alone, together = Augmentation(gain=0.3, gain_db=(-6, -6)), Augmentation(gain=0.3, gain_db=(-6, -6), noise=1.0)
    clip, seeds = noise(50), range(1000)

    quieter = [energy(alone(clip, np.random.default_rng(seed))) < energy(clip) for seed in seeds]

    assert np.mean(quieter) == pytest.approx(0.3, abs=0.05)
    for seed in seeds[:50]:
        unchanged = Augmentation(noise=1.0)(clip, np.random.default_rng(seed))
        both = together(clip, np.random.default_rng(seed))
        assert (energy(both) < energy(unchanged)) == quieter[seed]


@brief
@given(st.floats(-10, 40), st.floats(0, 2), st.integers(1, 5000), st.integers(0, 1000))
def test_noise_has_the_snr_that_was_drawn(snr_db, slope, length, seed):
    clip = noise(length)

    added = add_noise(clip, colored_noise(length, slope, np.random.default_rng(seed)), snr_db).astype(np.float64) - clip

    assert decibels(energy(clip) / energy(added)) == pytest.approx(snr_db, abs=0.01)


def test_the_range_of_snr_is_used():
    clip, measured = noise(4000), []
    for seed in range(200):
        heard = Augmentation(noise=1.0, snr_db=(3, 12))(clip, np.random.default_rng(seed))
        measured.append(decibels(energy(clip) / energy(heard.astype(np.float64) - clip)))

    assert 3 <= min(measured) < 4 < 11 < max(measured) <= 12.001


@pytest.mark.parametrize(("slope", "octaves"), [(0.0, 3), (1.0, 0)])
def test_white_noise_doubles_its_power_each_octave_and_pink_noise_keeps_it(slope, octaves):
    made = colored_noise(20 * RATE, slope, np.random.default_rng(0))

    assert decibels(band(made, 1600, 3200) / band(made, 200, 400)) == pytest.approx(decibels(2**octaves), abs=0.5)


@brief
@given(steps=st.integers(10, 30), length=st.integers(1, 4000))
def test_speed_changes_the_duration_by_its_factor(steps, length):
    assert len(change_speed(noise(length), steps / 20)) == -(-length * 20 // steps)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_speed_shifts_pitch_by_its_factor(factor):
    faster = change_speed(tone(500), factor)

    assert band(faster, 500 * factor - 5, 500 * factor + 5) > 0.99 * band(faster, 0, 8000)
    drawn = Augmentation(speed=1.0, speed_factors=(factor,))(tone(500), np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, faster)


@brief
@given(st.floats(-30, 30), st.floats(0.01, 2))
def test_gain_is_exact_up_to_a_peak_of_1(gain_db, peak):
    clip = noise(100)
    clip *= np.float32(peak) / np.abs(clip).max()

    louder = change_gain(clip, gain_db)

    highest = float(np.abs(louder).max())
    assert highest <= max(1.0, peak) + 1e-6
    if peak * 10 ** (gain_db / 20) <= 1:
        assert decibels(energy(louder) / energy(clip)) == pytest.approx(gain_db, abs=1e-3)
    else:
        assert highest == pytest.approx(1.0 if peak < 1 else min(peak, peak * 10 ** (gain_db / 20)), rel=1e-5)


def test_a_line_removes_what_telephones_do_not_carry():
    clip = noise(2 * RATE)
    heard = limit_band(clip)

    assert heard.shape == clip.shape
    for low, high, most in [(4000, 8001, -20), (5000, 8001, -50), (0, 60, -30)]:
        assert decibels(band(heard, low, high) / band(clip, low, high)) < most
    assert decibels(band(heard, 500, 3000) / band(clip, 500, 3000)) == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("loud", [2.0**-10, 2.0, 64.0])
def test_a_line_clips_nothing(loud):
    clip = noise(4001)

    np.testing.assert_allclose(
        limit_band(clip * np.float32(loud)), limit_band(clip) * loud, rtol=1e-4, atol=1e-6 * loud
    )


@pytest.mark.parametrize(("rt60_seconds", "direct_db"), [(0.25, 0.0), (0.7, 12.0)])
def test_a_room_decays_by_60_db_in_its_reverberation_time(rt60_seconds, direct_db):
    response = impulse_response(rt60_seconds, direct_db, np.random.default_rng(0)).astype(np.float64)

    assert response[0] == 1
    assert decibels(1 / energy(response[1:])) == pytest.approx(direct_db, abs=1e-3)
    # Schroeder's backward integral; its first 30 dB, as T30 is measured, because the end is cut off.
    decay = 10 * np.log10(np.cumsum(response[:0:-1] ** 2)[::-1] / energy(response[1:]))
    early = (decay <= -5) & (decay >= -35)
    slope = np.polyfit(np.flatnonzero(early) / RATE, decay[early], 1)[0]
    assert -60 / slope == pytest.approx(rt60_seconds, rel=0.05)


def test_reverberation_keeps_length_level_and_time():
    click = np.zeros(8000, np.float32)
    click[1000] = 0.5
    response = impulse_response(0.3, 3.0, np.random.default_rng(0))

    heard = reverberate(click, response)

    assert heard.shape == click.shape
    assert energy(heard) == pytest.approx(energy(click), rel=1e-4)
    np.testing.assert_allclose(heard[:1000], 0, atol=1e-6)  # nothing before the direct path
    np.testing.assert_allclose(heard[1000:] / heard[1000], np.pad(response, (0, 7000))[:7000], atol=1e-5)


@pytest.mark.parametrize("effect", SETTINGS)
def test_silence_stays_silent(effect):
    heard = Augmentation.of([effect], 1.0)(np.zeros(3000, np.float32), np.random.default_rng(0))

    assert not heard.any()


def test_nothing_is_on_by_default():
    assert Augmentation().describe() == {}
    np.testing.assert_array_equal(Augmentation()(noise(100), np.random.default_rng(0)), noise(100))


def test_it_describes_itself_in_the_order_of_use():
    described = json.loads(json.dumps(Augmentation.of(["gain", "speed"]).describe()))

    assert [*described.items()] == [
        ("speed", {"probability": 0.5, "speed_factors": [0.9, 1.1]}),
        ("gain", {"probability": 0.5, "gain_db": [-18, 6]}),
    ]


def test_it_travels_to_workers():
    assert pickle.loads(pickle.dumps(ALL)) == ALL


def test_an_unknown_effect_is_refused_with_its_near_name():
    with pytest.raises(UnknownNameError, match=r"'band-limit': no such effect\. Did you mean 'band_limit'\?"):
        Augmentation.of(["noise", "band-limit"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": 1.5}, r"noise: a probability lies between 0 and 1; it is 1\.5"),
        ({"gain": math.nan}, "gain: a probability"),
        ({"snr_db": (15, 5)}, r"snr_db: a range is a lowest and a highest finite value; it is \(15, 5\)"),
        ({"gain_db": (-math.inf, 0)}, "gain_db: a range"),
        ({"gain_db": (0, math.nan)}, "gain_db: a range"),
        ({"rt60_seconds": (0, 1)}, r"rt60_seconds: .* from 0\.01 on"),
        ({"speed_factors": (0.9, 1.0937)}, "speed_factors: factors are above 0 and multiples of 1/20"),
        ({"speed_factors": (0.0,)}, "speed_factors"),
        ({"speed_factors": ()}, "speed_factors"),
    ],
)
def test_impossible_settings_are_refused(wrong, message):
    with pytest.raises(AugmentationError, match=message):
        Augmentation(**wrong)
