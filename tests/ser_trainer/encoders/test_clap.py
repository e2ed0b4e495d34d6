"""CLAP's audio tower as an encoder: nothing is drawn at random, not even about long clips."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    ClapAudioConfig,
    ClapAudioModel,
    ClapAudioModelWithProjection,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    ClapTextConfig,
)

from loading_scripts.audio import resample
from ser_trainer.encoders.encoder import Clip, Encoder, EncoderError
from ser_trainer.encoders.opening import open_encoder

SIZES = {"hidden_size": 32, "patch_embeds_hidden_size": 4, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 1, 2, 2]}
TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 50}


def clip(samples: int, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).integers(-8000, 8000, samples, dtype=np.int16)
    return Clip(f"{samples}-{seed}", noise)


def save(model: torch.nn.Module, folder: Path, truncation: str = "rand_trunc") -> Path:
    model.save_pretrained(folder)
    ClapFeatureExtractor(truncation=truncation, frequency_min=50).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model() -> ClapAudioModel:
    torch.manual_seed(0)
    return ClapAudioModel(ClapAudioConfig(**SIZES)).eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    return save(model, tmp_path_factory.mktemp("clap") / "tiny")


@pytest.fixture(scope="module")
def encoder(folder) -> Encoder:
    return open_encoder(str(folder))


def test_frames_are_the_means_over_frequencies_of_the_last_stage(encoder):
    assert (encoder.width, encoder.depth, encoder.frame_rate) == (32, 1, 3.2)
    found = encoder.encode([clip(16_000), clip(1), clip(160_000)])
    assert [(one.shape, one.dtype) for one in found] == [((32, 32), np.float32)] * 3
    assert encoder.identity["cut"] == "10 s windows, frames joined"


def test_their_mean_is_what_transformers_pools(encoder, model):
    one = clip(16_000)
    extractor = ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50)
    log_mels = extractor(resample(one.wave, 16_000, 48_000), sampling_rate=48_000, return_tensors="pt").input_features
    with torch.inference_mode():
        pooled = model(log_mels.float()).pooler_output[0]
    np.testing.assert_allclose(encoder.encode([one], "all")[0][0], pooled, atol=1e-5)


def test_frames_follow_the_time(encoder):
    """A change in the last three seconds of ten leaves the first five as they are, nearly: windows of attention."""
    one = clip(160_000)
    changed = Clip("changed", np.where(np.arange(160_000) < 112_000, one.samples, 0))
    first, second = encoder.encode([one, changed])
    difference = np.abs(first - second).mean(axis=1)
    assert difference[24:].min() > 3 * difference[:16].max()


@pytest.mark.parametrize(("samples", "frames"), [(160_001, 33), (240_000, 48), (320_000, 64)])
def test_long_clips_are_cut_into_windows_and_not_at_random(encoder, samples, frames):
    long = clip(samples)
    np.random.seed(1)  # what the extractor would draw from  # noqa: NPY002
    found = encoder.encode([long, clip(800)])[0]
    assert found.shape == (frames, 32)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_allclose(encoder.encode([clip(800, 3), long])[1], found, atol=1e-5)


def test_a_clip_does_not_depend_on_its_company(encoder):
    clips = [clip(samples, seed) for seed, samples in enumerate((1, 16_000, 170_000, 27_200))]
    clips.append(Clip("silence", np.zeros(300, dtype=np.int16)))
    for one, found in zip(clips, encoder.encode(clips), strict=True):
        np.testing.assert_allclose(found, encoder.encode([one])[0], atol=1e-5)


def test_fused_checkpoints_get_no_random_window(tmp_path):
    fused = ClapAudioModel(ClapAudioConfig(**SIZES, enable_fusion=True)).eval()
    encoder = open_encoder(str(save(fused, tmp_path, "fusion")))
    clips = [clip(8_000, seed) for seed in range(2)]
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        for one, found in zip(clips, encoder.encode(clips), strict=True):
            np.testing.assert_allclose(found, encoder.encode([one])[0], atol=1e-5)


@pytest.mark.parametrize("whole", [False, True])
def test_checkpoints_with_other_parts_give_their_audio_tower(whole, encoder, model, tmp_path):
    audio = ClapAudioConfig(**SIZES)
    if whole:
        other = ClapModel(ClapConfig(audio_config=audio.to_dict(), text_config=ClapTextConfig(**TEXT).to_dict()))
    else:
        other = ClapAudioModelWithProjection(audio)
    other.audio_model.load_state_dict(model.state_dict())
    found = open_encoder(str(save(other, tmp_path))).encode([clip(3000)])[0]
    np.testing.assert_array_equal(found, encoder.encode([clip(3000)])[0])


def test_bfloat16_is_near(encoder, folder):
    one = encoder.encode([clip(27_200)])[0]
    other = open_encoder(str(folder), precision="bfloat16").encode([clip(27_200)])[0]
    assert other.dtype == np.float32
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosines.min() > 0.999


def test_the_preprocessor_must_be_the_checkpoints(model, tmp_path):
    save(model, tmp_path, "fusion")
    with pytest.raises(EncoderError, match=r"fused windows \(truncation\) False; it states True"):
        open_encoder(str(tmp_path))
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match="needs preprocessor_config.json of a ClapFeatureExtractor"):
        open_encoder(str(tmp_path))
