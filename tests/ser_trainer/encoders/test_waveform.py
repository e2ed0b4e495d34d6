"""Encoders of the wav2vec 2.0 kind, on tiny random checkpoints of every model type."""

import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import (
    Data2VecAudioConfig,
    Data2VecAudioModel,
    HubertConfig,
    HubertForSequenceClassification,
    HubertModel,
    PreTrainedModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2Model,
    WavLMConfig,
    WavLMModel,
)

from ser_trainer.encoders.encoder import Clip, EncoderError
from ser_trainer.encoders.families import waveform
from ser_trainer.encoders.families.waveform import _classes
from ser_trainer.encoders.opening import Opening
from ser_trainer.models import expand, tiny_hubert_config

torch.set_num_threads(1)  # models this small only lose time to more

SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (12,) * 7,
    "num_conv_pos_embedding_groups": 4,
    "initializer_range": 0.2,
}
LARGE = SMALL | {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
POSITIONS = {"num_conv_pos_embeddings": 16}

MODELS: dict[str, Callable[[], PreTrainedModel]] = {
    "wav2vec2": lambda: Wav2Vec2Model(Wav2Vec2Config(**SMALL, **POSITIONS)),
    "xls_r": lambda: Wav2Vec2Model(Wav2Vec2Config(**LARGE, **POSITIONS)),
    "hubert": lambda: HubertModel(HubertConfig(**SMALL, **POSITIONS)),
    "hubert_large": lambda: HubertModel(HubertConfig(**LARGE, **POSITIONS)),
    "hubert_batch_norm": lambda: HubertModel(HubertConfig(**LARGE, **POSITIONS, conv_pos_batch_norm=True)),
    "wavlm": lambda: WavLMModel(WavLMConfig(**SMALL, **POSITIONS)),
    "wavlm_large": lambda: WavLMModel(WavLMConfig(**LARGE, **POSITIONS)),
    "data2vec": lambda: Data2VecAudioModel(Data2VecAudioConfig(**SMALL)),
    "mert": lambda: HubertModel(HubertConfig(**SMALL, **POSITIONS, do_stable_layer_norm=True)),
    "exhubert": lambda: expanded(HubertModel(HubertConfig(**LARGE, **POSITIONS))),
    "exwav2vec2": lambda: expanded(Wav2Vec2Model(Wav2Vec2Config(**SMALL, **POSITIONS))),
    "exwavlm": lambda: expanded(WavLMModel(WavLMConfig(**LARGE, **POSITIONS))),
    "exdata2vec": lambda: expanded(Data2VecAudioModel(Data2VecAudioConfig(**SMALL))),
}
PRE_NORM = {"xls_r", "hubert_large", "hubert_batch_norm", "wavlm_large", "mert", "exhubert", "exwavlm"}
NOT_NORMALIZED = {"hubert", "wavlm", "mert"}


def expanded(model: PreTrainedModel) -> PreTrainedModel:
    """Return an expanded classifier whose copies take part."""
    classifier = expand(model)
    with torch.no_grad():
        for layer in classifier.encoder_layers:
            if layer.gate is not None:
                layer.gate.weight.normal_(0, 0.2)
    return classifier


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory) -> Callable[[str], Path]:
    """Return a function from a name of `MODELS` to a folder of that model with random weights."""

    @cache
    def folder(name: str) -> Path:
        torch.manual_seed(0)
        path = tmp_path_factory.mktemp(name)
        model = MODELS[name]()
        with torch.no_grad():  # as trained models have them; as initialized, many are 0 or 1
            for parameter in model.parameters():
                if parameter.dim() == 1:
                    parameter.add_(torch.randn_like(parameter), alpha=0.1)
            for key, buffer in model.named_buffers():
                if key.endswith("running_mean"):
                    buffer.normal_()
        model.save_pretrained(path)
        rate = 24_000 if name == "mert" else 16_000
        Wav2Vec2FeatureExtractor(
            sampling_rate=rate, do_normalize=name not in NOT_NORMALIZED, return_attention_mask=name in PRE_NORM
        ).save_pretrained(path)
        if name == "mert":
            edit(path / "config.json", model_type="mert_model", feature_extractor_cqt=False, deepnorm=False,
                 auto_map={"AutoModel": "modeling_MERT.MERTModel"})  # fmt: skip
        return path

    return folder


@pytest.fixture(scope="session")
def opened(checkpoint) -> Callable[..., waveform.Waveform]:
    return cache(lambda name, precision="float32": waveform.open(opening(checkpoint(name), name, precision)))


def opening(folder: Path, name: str = "mine", precision: str = "float32", **fields) -> Opening:
    return Opening(name=name, place=str(folder), precision=precision, **fields)


def edit(path: Path, **entries) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def copied(folder: Path, target: Path) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


def clip(samples: int, seed: int = 0) -> Clip:
    noise = np.random.default_rng(seed).normal(200, 3000, samples)  # with a mean, as cheap recorders have it
    return Clip(f"{samples}-{seed}", noise.astype(np.int16))


def with_state(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> Path:
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_every_model_type_is_listed_and_tried():
    assert set(waveform.MODEL_TYPES) == set(_classes())
    assert {waveform_type(model) for model in MODELS} == set(waveform.MODEL_TYPES)


def waveform_type(name: str) -> str:
    types = {"xls_r": "wav2vec2", "mert": "mert_model", "data2vec": "data2vec-audio", "exdata2vec": "exdata2vec-audio"}
    return types.get(name, name.removesuffix("_large").removesuffix("_batch_norm"))


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=2, deadline=None)
@example(lengths=[3200, 1, 8000])
@given(lengths=st.lists(st.sampled_from([1, 399, 400, 401, 3200, 4321, 5000, 8000]), min_size=2, max_size=4))
def test_features_do_not_depend_on_company_or_order(opened, name, lengths):
    encoder = opened(name)
    clips = [clip(length, seed) for seed, length in enumerate(lengths)]
    for layers in ("last", "all"):
        for one, features in zip(clips, encoder.encode(clips, layers), strict=True):
            np.testing.assert_allclose(features, encoder.encode([one], layers)[0], atol=1e-5, rtol=1e-5)
    for features, other in zip(encoder.encode(clips), reversed(encoder.encode(clips[::-1])), strict=True):
        np.testing.assert_allclose(features, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_a_clip_gives_what_its_own_model_and_extractor_give(checkpoint, opened, name):
    folder, encoder, one = checkpoint(name), opened(name), clip(4000)
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    config = dict(json.loads((folder / "config.json").read_text()))
    reference = _classes()[config["model_type"]].from_pretrained(
        folder, **({"config": HubertConfig(**SMALL, **POSITIONS, do_stable_layer_norm=True)} if name == "mert" else {})
    ).eval()  # fmt: skip
    wave = one.wave
    if name == "mert":
        from torchaudio.functional import resample

        wave = resample(torch.from_numpy(wave), 16_000, 24_000).numpy()
    inputs = extractor(wave, sampling_rate=extractor.sampling_rate, return_tensors="pt")["input_values"]
    with torch.no_grad():
        output = reference(inputs, output_hidden_states=True)
    np.testing.assert_allclose(encoder.encode([one])[0], output.last_hidden_state[0], atol=2e-5, rtol=1e-4)
    every = encoder.encode([one], "all")[0]
    means = torch.stack([state[0].mean(0) for state in output.hidden_states])
    np.testing.assert_allclose(every[:-1], means[:-1], atol=2e-5, rtol=1e-4)
    assert np.allclose(every[-1], means[-1], atol=1e-4) == (name not in PRE_NORM)
    assert encoder.frame_rate == (75 if name == "mert" else 50)


@pytest.mark.parametrize("name", MODELS)
def test_shapes_short_clips_and_silence(opened, name):
    encoder = opened(name)
    rate = 24_000 if name == "mert" else 16_000
    lengths = (1, 399, 400, 401, 719, 720, 16_000)
    clips = [clip(length) for length in lengths] + [Clip("silence", np.zeros(1600, np.int16))]
    frames = [max(400, -(-length * rate // 16_000)) for length in (*lengths, 1600)]
    last, every = encoder.encode(clips), encoder.encode(clips, "all")
    for count, features, means in zip(frames, last, every, strict=True):
        assert features.shape == ((count - 400) // 320 + 1, encoder.width)
        assert means.shape == (encoder.depth, encoder.width)
        assert features.dtype == means.dtype == np.float32
        assert np.isfinite(features).all() and np.isfinite(means).all()
        np.testing.assert_allclose(means[-1], features.mean(0), atol=1e-5)
    assert encoder.encode([]) == []


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_is_near_float32(opened, name):
    clips = [clip(length) for length in (400, 3000, 8000)]
    for exact, rounded in zip(opened(name).encode(clips), opened(name, "bfloat16").encode(clips), strict=True):
        cosine = (exact * rounded).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
        assert cosine.mean() >= 0.999
        assert rounded.dtype == np.float32
    assert opened(name).identity != opened(name, "bfloat16").identity


def test_what_bfloat16_cannot_hold_is_encoded_in_float32(checkpoint):
    encoder, exact = (waveform.open(opening(checkpoint("hubert"), precision=one)) for one in ("bfloat16", "float32"))
    encoder._runners["bfloat16"].model.encoder.layer_norm.bias.data[0] = torch.inf
    clips = [clip(4000), clip(800)]
    for one, other in zip(encoder.encode(clips), exact.encode(clips), strict=True):
        np.testing.assert_array_equal(one, other)


def test_features_that_are_not_finite_are_refused(checkpoint, tmp_path):
    def spoil(state):
        state["encoder.layer_norm.bias"][0] = torch.nan

    encoder = waveform.open(opening(with_state(copied(checkpoint("hubert"), tmp_path / "mine"), spoil)))
    for layers in ("last", "all"):
        with pytest.raises(EncoderError, match="features must be finite; of utterance 4000-0"):
            encoder.encode([clip(4000)], layers)


def test_clips_of_equal_length_are_run_without_a_mask(checkpoint):
    encoder, masks = waveform.open(opening(checkpoint("xls_r"))), []
    encoder._runners["float32"].model.register_forward_pre_hook(
        lambda model, args, kwargs: masks.append(kwargs["attention_mask"]), with_kwargs=True
    )
    encoder.encode([clip(4000), clip(4000, 1)])
    encoder.encode([clip(4000), clip(4001)])
    assert masks[0] is None
    assert masks[1].sum(1).tolist() == [4000, 4001]


def test_a_fine_tuned_checkpoint_of_ours_gives_the_frames_of_the_model_inside(tmp_path, caplog):
    torch.manual_seed(0)
    model = HubertForSequenceClassification(tiny_hubert_config({0: "anger", 1: "sadness"})).eval()
    model.save_pretrained(tmp_path)
    extractor = Wav2Vec2FeatureExtractor()
    extractor.save_pretrained(tmp_path)
    with caplog.at_level(logging.INFO, "ser_trainer"):
        encoder = waveform.open(opening(tmp_path))
    assert "left out: classifier, projector." in caplog.text
    one = clip(8000)
    inputs = extractor(one.wave, sampling_rate=16_000, return_tensors="pt")["input_values"]
    with torch.no_grad():
        expected = model.hubert(inputs).last_hidden_state[0]
    np.testing.assert_allclose(encoder.encode([one])[0], expected, atol=1e-5)


def test_of_a_head_that_transformers_does_not_know_only_the_encoder_is_used(checkpoint, opened, tmp_path):
    # As in audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim: a pickle, weight norm under its old names.
    folder = copied(checkpoint("xls_r"), tmp_path / "emotion")
    state = load_file(folder / "model.safetensors")
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    renamed = {f"wav2vec2.{key}": value for key, value in state.items()}
    for new, name in old.items():
        renamed = {key.replace(new, name): value for key, value in renamed.items()}
    renamed |= {f"classifier.{layer}.bias": torch.zeros(3) for layer in ("dense", "out_proj")}
    (folder / "model.safetensors").unlink()
    torch.save(renamed, folder / "pytorch_model.bin")
    one = clip(4000)
    np.testing.assert_array_equal(waveform.open(opening(folder)).encode([one])[0], opened("xls_r").encode([one])[0])


def test_the_convolutions_behind_an_encoder_are_left_out(tmp_path):
    torch.manual_seed(0)
    model = Wav2Vec2Model(Wav2Vec2Config(**LARGE, **POSITIONS, add_adapter=True)).eval()
    model.save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    encoder = waveform.open(opening(tmp_path))
    assert encoder.encode([clip(16_000)])[0].shape == (49, 24)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda state: state.pop("hubert.encoder.layers.1.final_layer_norm.bias"),
            "1 missing: encoder.layers.1.final_layer",
        ),
        (
            lambda state: state.update({"hubert.encoder.layers.0.gate.bias": torch.zeros(2)}),
            "left over: hubert.encoder.layers.0.gate",
        ),
        (
            lambda state: state.update({"hubert.encoder.layer_norm.bias": torch.zeros(5)}),
            r"of another shape: encoder.layer_n",
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, change, told):
    torch.manual_seed(0)
    HubertForSequenceClassification(HubertConfig(**SMALL, **POSITIONS)).save_pretrained(tmp_path)
    Wav2Vec2FeatureExtractor().save_pretrained(tmp_path)
    with_state(tmp_path, change)
    with pytest.raises(EncoderError, match=told):
        waveform.open(opening(tmp_path))


def test_weights_of_another_family_are_refused(checkpoint, tmp_path):
    folder = copied(checkpoint("wav2vec2"), tmp_path / "mine")
    state = {f"wav2vec2.{key}": value for key, value in load_file(folder / "model.safetensors").items()}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    edit(folder / "config.json", model_type="hubert")
    with pytest.raises(EncoderError, match=r"50 missing: encoder\.layer_norm"):
        waveform.open(opening(folder))


def test_identity_follows_what_changes_a_value(checkpoint, opened, tmp_path):
    plain = opened("hubert")
    moved = copied(checkpoint("hubert"), tmp_path / "moved")
    edit(moved / "config.json", id2label={"0": "anger", "1": "joy"}, transformers_version="4.30.0")
    assert waveform.open(opening(moved, "hubert")).identity == plain.identity
    assert str(tmp_path) not in str(plain.identity)
    edit(moved / "config.json", hidden_act="relu")
    assert waveform.open(opening(moved, "hubert")).identity["config"] != plain.identity["config"]
    with_state(moved, lambda state: state["encoder.layer_norm.bias"].add_(1e-3))
    assert waveform.open(opening(moved, "hubert")).revision != plain.revision
    edit(moved / "preprocessor_config.json", do_normalize=True)
    assert waveform.open(opening(moved, "hubert")).identity["preprocessor"] != plain.identity["preprocessor"]


def test_a_checkpoint_without_preprocessor_config_is_refused(checkpoint, tmp_path):
    folder = copied(checkpoint("hubert"), tmp_path / "mine")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match="needs preprocessor_config.json of a Wav2Vec2FeatureExtractor"):
        waveform.open(opening(folder))


def test_a_configuration_that_nothing_opens_is_refused(checkpoint, tmp_path):
    folder = copied(checkpoint("hubert"), tmp_path / "mine")
    edit(folder / "config.json", model_type="wav2vec")
    with pytest.raises(EncoderError, match="it is 'wav2vec'. Did you mean 'wav2vec2'"):
        waveform.open(opening(folder))
    edit(folder / "config.json", model_type="hubert", architectures=["ExHuBERT"])
    with pytest.raises(EncoderError, match="ser_trainer.models.exhubert.official"):
        waveform.open(opening(folder))
    (folder / "config.json").write_text("{")
    with pytest.raises(EncoderError, match="must have a config.json"):
        waveform.open(opening(folder))


def test_code_of_a_checkpoint_runs_only_when_it_is_trusted(checkpoint, opened, tmp_path):
    folder = copied(checkpoint("mert"), tmp_path / "mert")
    (folder / "modeling_MERT.py").write_text(
        "from transformers import HubertConfig, HubertModel\n"
        "class MERTConfig(HubertConfig):\n    model_type = 'mert_model'\n"
        "class MERTModel(HubertModel):\n    config_class = MERTConfig\n"
    )
    code = {"AutoConfig": "modeling_MERT.MERTConfig", "AutoModel": "modeling_MERT.MERTModel"}
    edit(folder / "config.json", feature_extractor_cqt=True, auto_map=code)
    with pytest.raises(EncoderError, match="'mert_model' with feature_extractor_cqt.*--trust-remote-code"):
        waveform.open(opening(folder))
    encoder = waveform.open(opening(folder, trust_remote_code=True))
    clips = [clip(4000), clip(900)]
    for layers in ("last", "all"):
        for one, other in zip(encoder.encode(clips, layers), opened("mert").encode(clips, layers), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
