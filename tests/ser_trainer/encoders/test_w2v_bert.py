"""w2v-BERT 2.0 as an encoder: the frames of transformers, in any batch, without adapter and head."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertForCTC, Wav2Vec2BertModel

from ser_trainer.encoders.encoder import Clip, Encoder, EncoderError
from ser_trainer.encoders.opening import open_encoder


def config(**changes: object) -> Wav2Vec2BertConfig:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return Wav2Vec2BertConfig(**sizes | {"output_hidden_size": 16, "vocab_size": 10} | changes)


def clip(samples: int, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).integers(-8000, 8000, samples, dtype=np.int16)
    return Clip(f"{samples}-{seed}", noise)


def save(model: torch.nn.Module, folder: Path) -> Path:
    model.save_pretrained(folder)
    SeamlessM4TFeatureExtractor(padding_value=1).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model() -> Wav2Vec2BertModel:
    torch.manual_seed(0)
    return Wav2Vec2BertModel(config()).eval()


@pytest.fixture(scope="module")
def folder(model, tmp_path_factory) -> Path:
    return save(model, tmp_path_factory.mktemp("w2v-bert") / "tiny")


@pytest.fixture(scope="module")
def encoder(folder) -> Encoder:
    return open_encoder(str(folder))


@pytest.mark.parametrize(
    ("samples", "frames"), [(1, 1), (399, 1), (559, 1), (560, 1), (879, 1), (880, 2), (16_000, 49), (27_200, 84)]
)
def test_true_frames(encoder, samples, frames):
    for given_clip in (clip(samples), Clip("silence", np.zeros(samples, dtype=np.int16))):
        found = encoder.encode([given_clip])[0]
        assert (found.shape, found.dtype) == ((frames, 16), np.float32)
        assert np.isfinite(found).all()


def test_frames_are_those_of_transformers(encoder, model):
    one = clip(16_000)
    banks = SeamlessM4TFeatureExtractor(padding_value=1)(one.wave, sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        told = model(**banks, output_hidden_states=True)
    frames = int(banks.attention_mask.sum())
    np.testing.assert_allclose(encoder.encode([one])[0], told.last_hidden_state[0, :frames], atol=1e-5)
    means = [entry[0, :frames].mean(dim=0) for entry in told.hidden_states]
    np.testing.assert_allclose(encoder.encode([one], "all")[0], np.stack(means), atol=1e-5)
    assert (encoder.depth, encoder.width, encoder.frame_rate) == (3, 16, 50)


@settings(max_examples=8, deadline=None)
@given(lengths=st.lists(st.sampled_from([1, 560, 719, 880, 3_000, 27_200]), min_size=1, max_size=4), data=st.data())
def test_a_clip_does_not_depend_on_its_company(encoder, lengths, data):
    clips = data.draw(st.permutations([clip(samples, seed) for seed, samples in enumerate(lengths)]))
    last, means = encoder.encode(clips), encoder.encode(clips, "all")
    for one, frames, mean in zip(clips, last, means, strict=True):
        np.testing.assert_allclose(frames, encoder.encode([one])[0], atol=2e-5)
        np.testing.assert_allclose(mean[-1], frames.mean(axis=0), atol=1e-5)


def test_an_adapter_and_a_head_are_left_out(encoder, model, tmp_path):
    tuned = Wav2Vec2BertForCTC(config(add_adapter=True, use_intermediate_ffn_before_adapter=True))
    tuned.wav2vec2_bert.load_state_dict(model.state_dict(), strict=False)
    found = open_encoder(str(save(tuned, tmp_path)))
    np.testing.assert_array_equal(found.encode([clip(3000)])[0], encoder.encode([clip(3000)])[0])


def test_bfloat16_is_near(encoder, folder):
    one = encoder.encode([clip(27_200)])[0]
    other = open_encoder(str(folder), precision="bfloat16").encode([clip(27_200)])[0]
    assert other.dtype == np.float32
    cosines = (one * other).sum(1) / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)
    assert cosines.min() > 0.999


def test_what_does_not_fit_is_refused(model, tmp_path):
    save(model, tmp_path)
    SeamlessM4TFeatureExtractor(stride=1).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"must state 160 values per frame .*; it states 80"):
        open_encoder(str(tmp_path))
    changed = json.loads((tmp_path / "config.json").read_text()) | {"num_hidden_layers": 3}
    (tmp_path / "config.json").write_text(json.dumps(changed))
    with pytest.raises(EncoderError, match=r"missing: encoder\.layers\.2\."):
        open_encoder(str(tmp_path))
