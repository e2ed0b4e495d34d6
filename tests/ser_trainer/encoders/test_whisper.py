"""Whisper as an encoder: true frames of padded windows, whatever the company, from any checkpoint that holds one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
    WhisperForConditionalGeneration,
    WhisperModel,
)

from ser_trainer.encoders.encoder import Clip, Encoder, EncoderError
from ser_trainer.encoders.opening import open_encoder

WINDOW = 480_000


def config(**changes: int) -> WhisperConfig:
    return WhisperConfig(
        **{
            "d_model": 16,
            "encoder_layers": 2,
            "decoder_layers": 1,
            "encoder_attention_heads": 2,
            "decoder_attention_heads": 2,
            "encoder_ffn_dim": 32,
            "decoder_ffn_dim": 32,
            "vocab_size": 60,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "decoder_start_token_id": 1,
        }
        | changes
    )


def clip(samples: int, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).integers(-8000, 8000, samples, dtype=np.int16)
    return Clip(f"{samples}-{seed}", noise)


def save(model: torch.nn.Module, folder: Path) -> Path:
    model.save_pretrained(folder)
    WhisperFeatureExtractor(feature_size=model.config.num_mel_bins).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model() -> WhisperModel:
    torch.manual_seed(0)
    return WhisperModel(config()).eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    return save(model, tmp_path_factory.mktemp("whisper") / "tiny-whisper")


@pytest.fixture(scope="module")
def encoder(folder) -> Encoder:
    return open_encoder(str(folder))


@pytest.mark.parametrize(
    ("samples", "frames"),
    [(1, 1), (320, 1), (321, 2), (27_200, 85), (WINDOW, 1500), (WINDOW + 1, 1501), (2 * WINDOW - 1, 3000)],
)
def test_true_frames(encoder, samples, frames):
    found = encoder.encode([clip(samples)])[0]
    assert (found.shape, found.dtype) == ((frames, 16), np.float32)


def test_frames_are_those_of_transformers(encoder, model):
    one = clip(27_200)
    log_mels = WhisperFeatureExtractor()(one.wave, sampling_rate=16_000, return_tensors="pt").input_features
    with torch.inference_mode():
        told = model.encoder(log_mels, output_hidden_states=True)
    np.testing.assert_allclose(encoder.encode([one])[0], told.last_hidden_state[0, :85], atol=1e-6)
    means = [entry[0, :85].mean(dim=0) for entry in told.hidden_states]
    np.testing.assert_allclose(encoder.encode([one], "all")[0], np.stack(means), atol=1e-6)
    assert (encoder.depth, encoder.width, encoder.frame_rate) == (3, 16, 50)


def test_a_long_clip_is_its_windows_joined(encoder):
    long = clip(WINDOW + 5_000)
    parts = [Clip("a", long.samples[:WINDOW]), Clip("b", long.samples[WINDOW:])]
    np.testing.assert_allclose(encoder.encode([long])[0], np.concatenate(encoder.encode(parts)), atol=1e-6)
    np.testing.assert_allclose(encoder.encode([long], "all")[0][-1], encoder.encode([long])[0].mean(0), atol=1e-5)
    assert "30 s windows" in encoder.identity["cut"]


@settings(max_examples=3, deadline=None)
@given(lengths=st.lists(st.sampled_from([1, 399, 8_000, 27_200, WINDOW + 1]), min_size=1, max_size=3), data=st.data())
def test_a_clip_does_not_depend_on_its_company(encoder, lengths, data):
    clips = data.draw(st.permutations([clip(samples, seed) for seed, samples in enumerate(lengths)]))
    for layers in ("last", "all"):
        for one, found in zip(clips, encoder.encode(clips, layers), strict=True):
            np.testing.assert_allclose(found, encoder.encode([one], layers)[0], atol=1e-5)


def test_silence_is_finite(encoder):
    assert np.isfinite(encoder.encode([Clip("silence", np.zeros(500, dtype=np.int16))])[0]).all()


@pytest.mark.parametrize("kind", [WhisperForConditionalGeneration, WhisperForAudioClassification])
def test_checkpoints_with_other_parts_give_their_encoder(kind, encoder, model, tmp_path):
    other = kind(config())
    (other.encoder if hasattr(other, "encoder") else other.model.encoder).load_state_dict(model.encoder.state_dict())
    found = open_encoder(str(save(other, tmp_path))).encode([clip(3000)])[0]
    np.testing.assert_array_equal(found, encoder.encode([clip(3000)])[0])


def test_bfloat16_is_near_and_another_identity(encoder, folder):
    short = open_encoder(str(folder), precision="bfloat16")
    one, other = encoder.encode([clip(27_200)])[0], short.encode([clip(27_200)])[0]
    assert other.dtype == np.float32
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosines.min() > 0.999
    assert not np.array_equal(one, other)
    assert dict(encoder.identity.items() ^ short.identity.items()).keys() == {"precision"}


def test_what_overflows_in_bfloat16_is_computed_with_the_weights_in_float32(folder, encoder, monkeypatch):
    short = open_encoder(str(folder), precision="bfloat16")
    compute = short._compute

    def overflowing(clips, layers, precision):
        found = compute(clips, layers, precision)
        return [np.full_like(one, np.inf) for one in found] if precision == "bfloat16" else found

    monkeypatch.setattr(short, "_compute", overflowing)
    np.testing.assert_array_equal(short.encode([clip(800)])[0], encoder.encode([clip(800)])[0])


def test_mel_bands_follow_the_checkpoint(tmp_path):
    save(WhisperModel(config(num_mel_bins=128)), tmp_path)
    assert open_encoder(str(tmp_path)).encode([clip(800)])[0].shape == (3, 16)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"must state 128 mel bands; it states 80.*large-v3"):
        open_encoder(str(tmp_path))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match="needs preprocessor_config.json of a WhisperFeatureExtractor"):
        open_encoder(str(tmp_path))


@pytest.mark.parametrize(("layers", "message"), [(1, r"15 left over: layers\.1\."), (3, r"15 missing: layers\.2\.")])
def test_weights_of_another_depth_are_refused(layers, message, model, tmp_path):
    save(model, tmp_path)
    changed = json.loads((tmp_path / "config.json").read_text()) | {"encoder_layers": layers}
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(EncoderError, match=message):
        open_encoder(str(tmp_path))


def test_the_identity_has_what_changes_a_value_and_no_path(encoder, folder, model, tmp_path):
    identity = dict(encoder.identity)
    assert str(folder.parent) not in json.dumps(identity)
    assert {"transformers", "torch", "preprocessor", "revision", "precision"} <= identity.keys()
    save(model, tmp_path / folder.name)
    assert open_encoder(str(tmp_path / folder.name)).identity == identity
    WhisperFeatureExtractor(n_fft=512).save_pretrained(tmp_path / folder.name)
    changed = open_encoder(str(tmp_path / folder.name)).identity
    assert dict(changed.items() ^ identity.items()).keys() == {"preprocessor"}
