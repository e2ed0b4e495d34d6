import json
import pickle
import random
import sys
from argparse import Namespace
from collections import OrderedDict
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import typer
import yaml
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import absolute_sum, rule_state, signal
from typer.testing import CliRunner

from ser_trainer.encoders import registry
from ser_trainer.encoders.convert_data2vec2 import convert, main
from ser_trainer.encoders.encoder import Clip, EncoderError, Exposure
from ser_trainer.encoders.families.data2vec2 import Data2Vec2Encoder
from ser_trainer.encoders.families.data2vec2 import open as open_family
from ser_trainer.encoders.models.data2vec2 import Data2Vec2, Data2Vec2Config, alibi, alibi_slopes
from ser_trainer.encoders.opening import Opening, open_encoder

ORACLES = SHARED / "oracles"
TOLERANCE = 5e-5
LENGTHS = (0.5, 1.0, 1.7, 3.0)
SMALL = {"norm_eps": 1e-5, "channels": 32}
CONFIGS = {
    "base_like": Data2Vec2Config(width=96, heads=12, depth=3, hidden=384, alibi_heads=12, **SMALL),
    "large_like": Data2Vec2Config(width=128, heads=16, depth=2, prenet_depth=2, hidden=512, alibi_heads=16, **SMALL),
    "emotion2vec_like": Data2Vec2Config(
        width=96, heads=12, depth=2, prenet_depth=2, hidden=384, extra_tokens=10, alibi_heads=12, **SMALL
    ),
    "options": Data2Vec2Config(
        width=96,
        heads=6,
        depth=2,
        prenet_depth=1,
        hidden=192,
        extra_tokens=2,
        norm_first=True,
        positional_norm=True,
        positional_kernel=5,
        positional_depth=4,
        alibi_layers=3,
        alibi_heads=6,
        **SMALL,
    ),
}
variants = pytest.mark.parametrize("variant", CONFIGS)


@cache
def described(variant: str) -> dict:
    return json.loads((ORACLES / "data2vec2.json").read_text())[variant]


@cache
def numbers(variant: str) -> dict[str, np.ndarray]:
    return dict(np.load(ORACLES / f"data2vec2_{variant}.npz"))


@cache
def model(variant: str) -> Data2Vec2:
    made = Data2Vec2(CONFIGS[variant]).eval()
    made.load_state_dict(rule_state(described(variant)["keys"]))
    return made


def encode(variant: str, *waves: np.ndarray, means: bool = False) -> list[np.ndarray]:
    net = model(variant)
    with torch.inference_mode():
        output = net([torch.from_numpy(wave) for wave in waves], means)
    if means:
        return list(output.means.numpy())
    return [row[: net.config.frames(len(wave))].numpy() for row, wave in zip(output.frames, waves, strict=True)]


def spoken(seconds: float, name: str = "clip") -> Clip:
    return Clip(name, np.clip(np.rint(signal(seconds) * 32768), -32768, 32767).astype(np.int16))


def test_the_oracles_inputs_can_be_made_again():
    inputs = np.load(ORACLES / "inputs.npz")
    for seconds in LENGTHS:
        np.testing.assert_allclose(signal(seconds), inputs[f"signal_{seconds}"], atol=1e-6)


@variants
def test_weights_are_those_of_the_oracle(variant):
    told = described(variant)
    state = model(variant).state_dict()
    assert {key: list(tensor.shape) for key, tensor in state.items()} == told["keys"]
    assert sum(tensor.numel() for tensor in state.values()) == told["parameters"]
    assert absolute_sum(state) == pytest.approx(told["weights_abs_sum"], rel=1e-6)


@variants
@pytest.mark.parametrize("seconds", LENGTHS)
def test_features_are_those_of_the_original(variant, seconds):
    (features,) = encode(variant, signal(seconds))
    np.testing.assert_allclose(features, numbers(variant)[f"x_{seconds}"], atol=TOLERANCE)


@variants
def test_stages_are_those_of_the_original(variant):
    net, told = model(variant), numbers(variant)
    audio = net.modality_encoders["AUDIO"]
    wave = torch.from_numpy(signal(0.5))
    with torch.inference_mode():
        stem = audio.local_encoder["conv_layers"](torch.nn.functional.layer_norm(wave, wave.shape)[None, None])
        projected = audio.project_features(stem)
        positions = audio.positions(projected, None)
    np.testing.assert_allclose(stem[0], told["conv_features_0.5"], atol=TOLERANCE)
    np.testing.assert_allclose(projected[0], told["projected_0.5"], atol=TOLERANCE)
    np.testing.assert_allclose(positions[0], told["positional_0.5"], atol=TOLERANCE)
    np.testing.assert_allclose(alibi(net.config.heads, 6), told["alibi_unscaled_T6"], atol=1e-6)


@variants
def test_all_layers_are_means_over_frames_prenet_first_and_end_in_the_features(variant):
    config, told = CONFIGS[variant], numbers(variant)
    (means,) = encode(variant, signal(0.5), means=True)
    assert means.shape == (1 + config.prenet_depth + config.depth, config.width)
    outputs = [f"prenet_block{block}_out_0.5" for block in range(config.prenet_depth)]
    outputs += [f"block{block}_out_0.5" for block in range(config.depth)]
    if config.norm_first:
        outputs.pop()  # the last block's output is followed by the final norm
    for layer, name in enumerate(outputs, start=1):
        np.testing.assert_allclose(means[layer], told[name][config.extra_tokens :].mean(axis=0), atol=TOLERANCE)
    np.testing.assert_allclose(means[-1], told["x_0.5"].mean(axis=0), atol=TOLERANCE)


def test_the_first_of_all_layers_is_what_the_first_block_reads():
    heard = []
    net = model("emotion2vec_like")
    hook = (
        net.modality_encoders["AUDIO"]
        .context_encoder.blocks[0]
        .register_forward_pre_hook(lambda block, inputs: heard.append(inputs[0]))
    )
    (means,) = encode("emotion2vec_like", signal(0.5), means=True)
    hook.remove()
    np.testing.assert_allclose(means[0], heard[0][0, 10:].mean(dim=0), atol=1e-6)


@variants
@settings(max_examples=4, deadline=None)
@given(data=st.data())
def test_an_utterance_does_not_depend_on_its_batch(variant, data):
    company = data.draw(st.lists(st.integers(400, 30_000), max_size=2))
    waves = [signal(seconds) for seconds in (0.5, 1.0, 1.7)] + [signal(3.0)[:samples] for samples in company]
    wanted = [numbers(variant)[f"x_{seconds}"] for seconds in (0.5, 1.0, 1.7)]
    order = list(range(len(waves)))
    random.Random(data.draw(st.integers(0, 99))).shuffle(order)
    features = encode(variant, *(waves[index] for index in order))
    means = encode(variant, *(waves[index] for index in order), means=True)
    for place, index in enumerate(order):
        if index < len(wanted):
            np.testing.assert_allclose(features[place], wanted[index], atol=TOLERANCE)
            np.testing.assert_allclose(means[place][-1], wanted[index].mean(axis=0), atol=TOLERANCE)


def test_equal_lengths_need_no_mask():
    wave = signal(1.0)
    for features in encode("base_like", wave, wave):
        np.testing.assert_allclose(features, numbers("base_like")["x_1.0"], atol=TOLERANCE)


@pytest.mark.parametrize(
    ("heads", "exponents"),
    [
        (1, [8]),
        (2, [4, 8]),
        (6, [2, 4, 6, 8, 1, 3]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (12, [1, 2, 3, 4, 5, 6, 7, 8, 0.5, 1.5, 2.5, 3.5]),
        (16, [half / 2 for half in range(1, 17)]),
    ],
)
def test_slopes(heads, exponents):
    np.testing.assert_allclose(alibi_slopes(heads), [2.0**-exponent for exponent in exponents], rtol=1e-6)


def test_extra_tokens_are_at_distance_zero_from_everything():
    bias = alibi(2, frames=3, extra_tokens=2)
    assert not bias[:, :2].any() and not bias[:, :, :2].any()
    assert torch.equal(bias[:, 2:, 2:], alibi(2, frames=3))


def test_a_negative_alibi_scale_counts_as_zero():
    net = Data2Vec2(CONFIGS["base_like"]).eval()
    with torch.no_grad():
        scale = net.modality_encoders["AUDIO"].alibi_scale
        scale[:, :, 0] = -3
        scale[:, :, 1] = 2
    (bias,) = net._biases(5, None)
    assert not bias[0, 0].any()
    assert torch.equal(bias[0, 1], 2 * alibi(12, 5)[1])


def settings_of(config: Data2Vec2Config) -> dict:
    """What fairseq and FunASR write down of a model."""
    return {
        "depth": config.depth,
        "embed_dim": config.width,
        "num_heads": config.heads,
        "norm_eps": config.norm_eps,
        "mlp_ratio": config.hidden / config.width,
        "layer_norm_first": config.norm_first,
        "modalities": {
            "audio": {
                "prenet_depth": config.prenet_depth,
                "num_extra_tokens": config.extra_tokens,
                "conv_pos_width": config.positional_kernel * config.positional_depth,
                "conv_pos_depth": config.positional_depth,
                "conv_pos_groups": config.positional_groups,
                "conv_pos_pre_ln": config.positional_norm,
                "feature_encoder_spec": "[(32, 10, 5)] + [(32, 3, 2)] * 4 + [(32,2,2)] + [(32,2,2)]",
            }
        },
    }


def fairseq(variant: str, prefix: str = "module.", **changed: torch.Tensor | None) -> dict:
    """A checkpoint as fairseq writes it, with what only training needs; None removes a key."""
    state = rule_state(described(variant)["keys"]) | changed
    state = {key: tensor for key, tensor in state.items() if tensor is not None}
    training = {
        "modality_encoders.AUDIO.decoder.blocks.0.0.weight": torch.ones(2, 2),
        "modality_encoders.IMAGE.alibi_scale": torch.ones(1),
        "shared_decoder.proj.weight": torch.ones(2),
        "recon_proj.weight": torch.ones(2),
        "proj.weight": torch.ones(9, 2),
    }
    wrapped = OrderedDict((prefix + key, tensor) for key, tensor in (state | training).items())
    wrapped[prefix + "_ema"] = {"blocks.0.norm1.weight": torch.ones(2, dtype=torch.float64)}
    return {
        "cfg": {"model": settings_of(CONFIGS[variant]), "task": {"normalize": True}},
        "model": wrapped,
        "optimizer_history": [{"num_updates": 3}],
        "last_optimizer_state": {"step": torch.zeros(3)},
    }


def saved(path: Path, content: dict) -> Path:
    torch.save(content, path)
    return path


@variants
def test_a_fairseq_checkpoint_is_converted_and_opened(variant, tmp_path):
    path = saved(tmp_path / "base_libri.pt", fairseq(variant))
    result = CliRunner().invoke(app(), [str(path), str(tmp_path / "converted"), "--licence", "MIT"])
    assert result.exit_code == 0, result.output
    told = json.loads((tmp_path / "converted" / "source.json").read_text())
    assert (told["file"], told["licence"]) == ("base_libri.pt", "MIT")

    encoder = open_encoder(str(tmp_path / "converted"))
    assert encoder._model.config == CONFIGS[variant]
    clip = spoken(1.0)
    (features,) = encoder.encode([clip])
    np.testing.assert_allclose(features, encode(variant, clip.wave)[0], atol=TOLERANCE)
    np.testing.assert_allclose(features, numbers(variant)["x_1.0"], atol=0.01)  # int16 is all that differs
    assert str(tmp_path) not in str(encoder.identity)
    of_record = open_encoder(f"data2vec2_base={tmp_path / 'converted'}")
    assert of_record.name == "data2vec2_base" and of_record.revision == encoder.revision


def app() -> typer.Typer:
    cli = typer.Typer()
    cli.command()(main)
    return cli


def test_a_funasr_checkpoint_takes_its_settings_from_config_yaml(tmp_path):
    content = fairseq("emotion2vec_like", prefix="d2v_model.")
    path = saved(tmp_path / "emotion2vec_base.pt", {"model": content["model"]})
    with pytest.raises(EncoderError, match=r"needs the model's settings.*config\.yaml"):
        convert(path)
    stated = settings_of(CONFIGS["emotion2vec_like"]) | {"normalize": True}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model": "Emotion2vec", "model_conf": stated}))
    encoder = open_family(Opening(name="emotion2vec", place=str(path), record=registry.load("emotion2vec")))
    clip = spoken(0.5)
    np.testing.assert_allclose(encoder.encode([clip])[0], encode("emotion2vec_like", clip.wave)[0], atol=TOLERANCE)


def test_the_records_file_on_the_hub_is_fetched_with_its_settings(monkeypatch, tmp_path):
    saved(tmp_path / "emotion2vec_base.pt", {"model": fairseq("emotion2vec_like")["model"]})
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"model_conf": settings_of(CONFIGS["emotion2vec_like"])}))
    asked = []

    def download(repository: str, name: str, revision: str) -> str:
        asked.append((repository, name, revision))
        return str(tmp_path / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", download)
    assert open_encoder("emotion2vec").width == 96
    place, revision = "emotion2vec/emotion2vec_base", registry.load("emotion2vec").revision
    assert asked == [(place, "config.yaml", revision), (place, "emotion2vec_base.pt", revision)]


def test_older_forms_are_read(tmp_path):
    # Settings as argparse's Namespace; a state dict in a dict; one ALiBi scale for all layers without their axis.
    key = "modality_encoders.AUDIO.alibi_scale"
    content = fairseq("base_like", prefix="", **{key: torch.full((1, 12, 1, 1), 2.0)})
    content["args"] = Namespace(**content.pop("cfg")["model"], normalize=True)
    content["model"] = {"state_dict": content["model"]}
    net = convert(saved(tmp_path / "old.pt", content), trust=True)
    assert net.state_dict()[key].shape == (1, 1, 12, 1, 1)


BLOCK = "blocks.1.mlp.fc1.weight"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({BLOCK: None}, rf"1 missing: {BLOCK}"),
        ({"blocks.1.extra.weight": torch.ones(1)}, r"1 left over: blocks\.1\.extra\.weight"),
        ({BLOCK: torch.ones(2, 3)}, rf"{BLOCK} \(2, 3\), needs \(384, 96\)"),
        ({"modality_encoders.AUDIO.alibi_scale": torch.ones(12)}, r"alibi_scale must have 4 or 5 axes.*\(12,\)"),
        ({"modality_encoders.AUDIO.alibi_scale": torch.ones(2, 1, 12, 1, 1)}, r"12 for heads and 2 for blocks"),
        ({"modality_encoders.AUDIO.project_features.2.weight": None}, r"needs the key .*project_features\.2\.weight"),
        (
            {key: None for key in described("base_like")["keys"] if key.startswith("blocks.2.")},
            r"depth is 2 by .* 3 by",
        ),
    ],
    ids=["missing", "left over", "wrong shape", "axes", "scales", "shows a size", "a whole block"],
)
def test_keys_that_do_not_fit_are_named(changed, message, tmp_path):
    with pytest.raises(EncoderError, match=message):
        convert(saved(tmp_path / "broken.pt", fairseq("base_like", **changed)))


@pytest.mark.parametrize(
    ("model_settings", "task", "message"),
    [
        ({"norm_eps": None}, {"normalize": True}, "needs norm_eps"),
        ({"num_heads": 7}, {"normalize": True}, "7 heads of 3 blocks share 96 values"),
        ({"embed_dim": 768}, {"normalize": True}, "width is 96 by the tensors and 768 by the settings"),
        ({}, {"normalize": False}, "normalized audio"),
    ],
)
def test_settings_that_do_not_fit_are_named(model_settings, task, message, tmp_path):
    content = fairseq("base_like")
    stated = content["cfg"]["model"] | model_settings
    content["cfg"] = {"model": {key: one for key, one in stated.items() if one is not None}, "task": task}
    with pytest.raises(EncoderError, match=message):
        convert(saved(tmp_path / "broken.pt", content))


@pytest.fixture
def strangers(monkeypatch):
    """Classes that can be pickled here and are gone when the file is read, as OmegaConf's and fairseq's."""
    module = ModuleType("fairseq_of_another_machine")
    for name in ("DictConfig", "AnyNode", "AverageMeter", "Trap"):
        setattr(module, name, type(name, (), {"__module__": module.__name__}))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def node(module: ModuleType, value: object) -> object:
    if isinstance(value, dict):
        wrapped = module.DictConfig()
        wrapped._content = {key: node(module, one) for key, one in value.items()}
    else:
        wrapped = module.AnyNode()
        wrapped._val = value
    return wrapped


def test_objects_of_other_classes_are_read_when_trusted_and_never_run(strangers, monkeypatch, tmp_path):
    content = fairseq("base_like")
    content["cfg"] = node(strangers, content["cfg"])
    content["meter"] = strangers.AverageMeter()
    content["meter"].value = 3.0
    victim = tmp_path / "victim"
    strangers.Trap.__reduce__ = lambda self: (strangers.write, (str(victim),))
    strangers.write = lambda path: Path(path).touch()
    strangers.write.__qualname__ = strangers.write.__name__ = "write"
    strangers.write.__module__ = strangers.__name__
    content["trap"] = strangers.Trap()
    path = saved(tmp_path / "base_libri.pt", content)

    with pytest.raises(EncoderError, match=r"AnyNode.*\n?.*--trust"):
        convert(path)
    with pytest.raises(EncoderError, match="--trust"):
        open_family(Opening(name="data2vec2_base", place=str(path)))
    for present in (True, False):  # with the module installed, and without
        if not present:
            monkeypatch.delitem(sys.modules, strangers.__name__)
        assert convert(path, trust=True).config == CONFIGS["base_like"]
    assert not victim.exists()


def test_what_is_no_checkpoint_is_refused(tmp_path):
    (tmp_path / "page.pt").write_text("<html>not found</html>")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"model": {}}, protocol=2))
    torch.save([1, 2], tmp_path / "list.pt")
    for name in ("page.pt", "plain.pt", "list.pt", "nowhere.pt"):
        with pytest.raises(EncoderError, match=name):
            convert(tmp_path / name, trust=True)


def encoder_of(variant: str = "base_like", **settings: str) -> Data2Vec2Encoder:
    return Data2Vec2Encoder(Opening(name=variant, place="", **settings), model(variant), "0" * 16)


def test_short_clips_and_silence_give_finite_frames():
    encoder = encoder_of("emotion2vec_like")
    samples = spoken(0.5).samples
    clips = [Clip(f"first {count}", samples[:count]) for count in (1, 399, 400, 401, 719, 720)]
    clips.append(Clip("silence", np.zeros(8_000, np.int16)))
    features = encoder.encode(clips)
    assert [len(one) for one in features] == [1, 1, 1, 1, 1, 2, 24]
    assert all(np.isfinite(one).all() and one.dtype == np.float32 for one in features)
    (padded,) = encoder.encode([Clip("padded", np.append(samples[:399], np.int16(0)))])
    np.testing.assert_allclose(features[1], padded, atol=TOLERANCE)


def test_an_encoder_tells_its_sizes():
    encoder = encoder_of("large_like")
    clips = [spoken(0.5, "a"), spoken(1.0, "b")]
    assert (encoder.width, encoder.depth, encoder.frame_rate) == (128, 5, 50)
    assert [one.shape for one in encoder.encode(clips)] == [(24, 128), (49, 128)]
    assert [one.shape for one in encoder.encode(clips, "all")] == [(5, 128)] * 2
    assert encoder.encode([]) == []


def test_bfloat16_stays_close():
    clips = [spoken(1.0, "a"), spoken(1.7, "b")]
    for exact, short in zip(encoder_of().encode(clips), encoder_of(precision="bfloat16").encode(clips), strict=True):
        cosines = torch.cosine_similarity(torch.from_numpy(exact), torch.from_numpy(short), dim=-1)
        assert cosines.min() >= 0.999 and short.dtype == np.float32 and not np.array_equal(exact, short)


def test_damaged_weights_name_the_utterance():
    net = Data2Vec2(CONFIGS["base_like"]).eval()
    torch.nn.init.constant_(net.blocks[0].norm1.weight, float("nan"))
    encoder = Data2Vec2Encoder(Opening(name="damaged", place=""), net, "0" * 16)
    with pytest.raises(EncoderError, match="damaged.*utterance a1b"):
        encoder.encode([spoken(0.5, "a1b")])


def test_what_a_config_changes_is_in_the_identity():
    changed = Data2Vec2(replace(CONFIGS["base_like"], norm_eps=1e-6))
    other = Data2Vec2Encoder(Opening(name="base_like", place=""), changed, "0" * 16)
    assert other.identity != encoder_of().identity


@pytest.mark.parametrize(
    ("encoder", "sizes"),
    [
        ("data2vec2_base", {"depth": 12}),
        ("data2vec2_large", {"depth": 16, "prenet_depth": 8}),
        ("emotion2vec", {"depth": 8, "prenet_depth": 4, "extra_tokens": 10}),
    ],
)
def test_records_agree_with_the_network(encoder, sizes):
    record = registry.load(encoder)
    heads = record.width // 64
    config = Data2Vec2Config(
        width=record.width, heads=heads, alibi_heads=heads, hidden=4 * record.width, norm_eps=1e-5, **sizes
    )
    with torch.device("meta"):
        net = Data2Vec2(config)
    assert sum(parameter.numel() for parameter in net.parameters()) == record.parameters
    assert config.blocks == record.layers and config.field == 400
    assert record.exposure("emodb") is Exposure.NOT_SEEN
    assert (record.exposure("iemocap") is Exposure.SEEN) == (encoder == "emotion2vec")
