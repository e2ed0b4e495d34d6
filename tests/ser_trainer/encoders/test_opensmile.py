"""openSMILE: ComParE 2016 as the package computes it, samples that arrive as they are, clips that have no features."""

import builtins
import json

import numpy as np
import pytest
from conftest import SHARED
from oracle import signal

from loading_scripts.corpus import Permission
from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, ClipError, EncoderError, Exposure, ExtraError
from ser_trainer.encoders.families import opensmile as family
from ser_trainer.encoders.opening import Opening

RECORD = registry.load("opensmile")
OPENING = Opening(name="opensmile", place=RECORD.checkpoint, record=RECORD)


@pytest.fixture(scope="module")
def encoder() -> family.OpenSmileEncoder:
    pytest.importorskip("opensmile")
    return family.open(OPENING)


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """The test signal of 1.7 s, cut to int16 as the package cuts a float signal."""
    return (signal(1.7) * 32_768).astype(np.int16)


def test_values_are_the_packages(encoder: family.OpenSmileEncoder, samples: np.ndarray) -> None:
    oracle = json.loads((SHARED / "oracles" / "opensmile_compare2016.json").read_text())
    (values,) = encoder.encode([Clip("a", samples)])
    assert values.shape == (1, 6373) == (1, encoder.width) and values.dtype == np.float32
    np.testing.assert_allclose(values[0, :50], oracle["first_50"], rtol=1e-3)
    np.testing.assert_allclose(values[0, ::100], oracle["every_100th"], rtol=1e-3)


def test_full_scale_samples_keep_their_sign(encoder: family.OpenSmileEncoder, samples: np.ndarray) -> None:
    """SERAB's n / 32,767 gives the same samples, except that the package turns a full-scale one round."""
    smile = family._smile()

    def serab(one: np.ndarray) -> np.ndarray:
        return smile(one / np.float32(32_767), 16_000).ravel()

    np.testing.assert_array_equal(encoder.encode([Clip("a", samples)])[0][0], serab(samples))
    loud, turned = samples.copy(), samples.copy()
    loud[5000], turned[5000] = 32_767, -32_768
    np.testing.assert_array_equal(serab(loud), encoder.encode([Clip("a", turned)])[0][0])
    assert not np.array_equal(serab(loud), encoder.encode([Clip("a", loud)])[0][0])


def test_clips_without_features_are_named_and_silence_is_not_one(encoder: family.OpenSmileEncoder) -> None:
    short = Clip("s01", np.ones(959, np.int16))
    with pytest.raises(ClipError, match="960 samples.*utterance s01 has 959") as caught:
        encoder.encode([short])
    assert isinstance(caught.value, EncoderError) and caught.value.clip == "s01"
    for just in (Clip("s02", np.ones(960, np.int16)), Clip("s03", np.zeros(16_000, np.int16))):
        assert np.isfinite(encoder.encode([just], "all")[0]).all()


def test_960_samples_is_the_packages_own_limit(encoder: family.OpenSmileEncoder, monkeypatch) -> None:
    monkeypatch.setattr(family, "MINIMUM", 1)
    with pytest.raises(ClipError, match="utterance s01 gives 6373 values") as caught:
        encoder.encode([Clip("s01", np.ones(959, np.int16))])
    assert caught.value.clip == "s01"


def test_a_missing_package_says_which_line_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "opensmile":
            raise ModuleNotFoundError("No module named 'opensmile'")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraError, match=r"pip install 'serbench\[opensmile\]'.*research licence"):
        family.open(OPENING)


def test_the_record_shows_the_licence_and_has_seen_nothing(encoder: family.OpenSmileEncoder) -> None:
    assert RECORD.commercial is Permission.NO and "audEERING Research License" in RECORD.licence_note
    assert RECORD.exposure("cremad") is Exposure.NOT_SEEN
    assert RECORD.width == encoder.width and RECORD.extra == "opensmile"
    assert encoder.identity["revision"] == encoder.revision == "opensmile " + encoder.revision.split()[1]
