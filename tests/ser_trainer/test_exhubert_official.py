"""The converter of the published checkpoint, on made-up checkpoints in the layouts that the real one may have."""

import json

import pytest
import torch
from safetensors.torch import save_file
from test_expanded import inputs, one_thread, small_config  # noqa: F401
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification, HubertConfig
from transformers import HubertForSequenceClassification as Hubert

from loading_scripts.errors import SerbenchError
from ser_trainer.models import ExHubertForSequenceClassification, expanded_config
from ser_trainer.models.exhubert import official
from ser_trainer.models.exhubert.official import OfficialCheckpointError, convert

LAYERS = 4  # two originals, two copies
IN_TURN, IN_HALVES = [(0, 1), (2, 3)], [(0, 2), (1, 3)]


def published(pairs=IN_TURN, gate="hubert.encoder.layers.{}.zll", old_names=True, trained=True, **fields):
    """A HuBERT of 4 layers, 2 of them copies, with a gate each; as its modules, its gates and its state dict."""
    torch.manual_seed(0)
    labels = {index: f"LABEL_{index}" for index in range(6)}
    config = small_config(num_hidden_layers=LAYERS, id2label=labels, label2id=None, **fields)
    model = Hubert(config).eval()
    gates = [torch.nn.Linear(32, 32) for _ in range(LAYERS)]
    for original, copied in pairs:
        layers = model.hubert.encoder.layers
        layers[copied].load_state_dict(layers[original].state_dict())
        for index in (original, copied):
            torch.nn.init.zeros_(gates[index].weight)
            torch.nn.init.zeros_(gates[index].bias)
        if trained:
            with torch.no_grad():
                layers[copied].attention.q_proj.weight += 1e-3
            torch.nn.init.normal_(gates[copied].weight, std=0.1)
            torch.nn.init.normal_(gates[copied].bias, std=0.1)
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    for index, module in enumerate(gates):
        for kind, tensor in module.state_dict().items():
            state[f"{gate.format(index)}.{kind}"] = tensor.clone()
    if old_names:
        new = "parametrizations.weight.original"
        state = {key.replace(f"{new}0", "weight_g").replace(f"{new}1", "weight_v"): t for key, t in state.items()}
        assert any(key.endswith("pos_conv_embed.conv.weight_v") for key in state)
    return model, gates, state


def written(folder, state, config):
    """The two files of a published folder."""
    torch.save(state, folder / "pytorch_model.bin")
    stored = config.to_dict() | {"model_type": "hubert", "architectures": ["ExHuBERT"]}
    stored["auto_map"] = {"AutoModel": "ExHuBERT_model.ExHuBERT"}
    (folder / "config.json").write_text(json.dumps(stored))
    return folder / "pytorch_model.bin", folder / "out", folder / "config.json"


@torch.no_grad()
def by_the_paper(model, gates, pairs, waves):
    """Logits by section 3.2 of the paper, from stock modules: originals as they are, copies with skip and gate."""
    stem = model.hubert.feature_projection(model.hubert.feature_extractor(waves).transpose(1, 2))
    h = stem + model.hubert.encoder.pos_conv_embed(stem)
    for original, copied in pairs:
        h = model.hubert.encoder.layers[original](h)
        h = h + gates[copied](model.hubert.encoder.layers[copied](h))
    h = model.hubert.encoder.layer_norm(h)
    return model.classifier(model.projector(h).mean(dim=1))


@pytest.mark.parametrize(
    ("gate", "old_names", "pairs", "trained"),
    [
        ("hubert.encoder.layers.{}.zll", True, IN_TURN, True),
        ("hubert.encoder.layers.{}.zll", True, IN_TURN, False),
        ("hubert.encoder.layers.{}.zll", True, IN_HALVES, True),
        ("hubert.encoder.layers.{}.zll", True, IN_HALVES, False),
        ("hubert.encoder.layers.{}.skip.0.linear1", False, IN_TURN, True),
        ("hubert.encoder.zero_convs.{}", True, IN_HALVES, True),
        ("hubert.encoder.extra.{}.0", True, IN_TURN, True),
    ],
)
@torch.no_grad()
def test_logits_are_those_of_the_checkpoint(tmp_path, gate, old_names, pairs, trained):
    model, gates, state = published(pairs, gate, old_names, trained)
    checkpoint, out, config = written(tmp_path, state, model.config)
    assert convert(checkpoint, out, config) == pairs
    converted = AutoModelForAudioClassification.from_pretrained(out)
    waves = inputs()["input_values"]
    assert torch.equal(converted(waves).logits, by_the_paper(model, gates, pairs, waves))
    if not trained:
        layers = model.hubert.encoder.layers
        model.hubert.encoder.layers = torch.nn.ModuleList(layers[original] for original, _ in pairs)
        assert torch.equal(converted(waves).logits, model(waves).logits)
    assert list(converted.config.id2label.values()) == [
        "low_negative",
        "low_neutral",
        "low_positive",
        "high_negative",
        "high_neutral",
        "high_positive",
    ]
    assert sum(p.numel() for p in converted.parameters()) == sum(t.numel() for t in state.values()) - 2 * (32 * 32 + 32)


def test_the_command_writes_a_folder_with_licence_and_extractor(tmp_path, capsys):
    model, _, state = published()
    checkpoint, out, config = written(tmp_path, state, model.config)
    official.main([str(checkpoint), str(out), "--config", str(config)])
    assert "0+1, 2+3" in capsys.readouterr().out
    readme = (out / "README.md").read_text()
    assert "license: cc-by-nc-sa-4.0" in readme
    assert "huggingface.co/amiriparian/ExHuBERT" in readme
    assert "The gates of the copies are not zero" in readme
    assert "| 3 | high_negative |" in readme
    extractor = AutoFeatureExtractor.from_pretrained(out)
    assert (extractor.sampling_rate, extractor.do_normalize) == (16_000, True)
    assert (out / "model.safetensors").exists()
    assert not (out / "pytorch_model.bin").exists()
    checkpoint.unlink()
    with pytest.raises(SystemExit) as stop:
        official.main([str(checkpoint), str(out)])
    assert stop.value.code == 2
    assert "must be a file of tensors" in capsys.readouterr().err


def test_safetensors_are_read_too(tmp_path):
    model, _, state = published(trained=False)
    _, out, config = written(tmp_path, state, model.config)
    save_file(state, tmp_path / "model.safetensors")
    assert convert(tmp_path / "model.safetensors", out, config) == IN_TURN
    assert "All gates of the copies are zero" in (out / "README.md").read_text()


# Refusals


def without(state, *names):
    return {name: tensor for name, tensor in state.items() if name not in names}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "projector.bias"), r"missing \(1\): projector\.bias"),
        (lambda s: s | {"hubert.encoder.what": torch.zeros(3)}, r"unexpected \(1\): hubert\.encoder\.what"),
        (lambda s: s | {"classifier.bias": torch.zeros(7)}, r"another shape \(1\): classifier\.bias \(7,\) instead of"),
        (lambda s: without(s, "hubert.encoder.layers.3.zll.bias"), r"unexpected \(1\): .*layers\.3\.zll\.weight"),
        (
            lambda s: without(s, *(f"hubert.encoder.layers.3.zll.{kind}" for kind in ("weight", "bias"))),
            r"like gates, but not one for each layer \(3\)",
        ),
        (
            lambda s: s | {"hubert.other.weight": torch.zeros(32, 32), "hubert.other.bias": torch.zeros(32)},
            r"like gates, but not one for each layer \(5\): hubert\.encoder.*hubert\.other",
        ),
        (lambda s: {name: t for name, t in s.items() if "zll" not in name}, "no square weight with a bias"),
    ],
)
def test_wrong_tensors_are_listed_and_refused(tmp_path, change, message):
    model, _, state = published()
    with pytest.raises(OfficialCheckpointError, match=message) as error:
        convert(*written(tmp_path, change(state), model.config))
    assert isinstance(error.value, SerbenchError)
    assert not (tmp_path / "out").exists()


def test_an_original_with_a_gate_that_is_not_zero_is_refused(tmp_path):
    model, _, state = published()
    state["hubert.encoder.layers.2.zll.bias"][4] = 0.5
    with pytest.raises(OfficialCheckpointError, match=r"layers\.2\.zll' is the gate of original layer 2.* is 0\.5"):
        convert(*written(tmp_path, state, model.config))


@pytest.mark.parametrize("kind", ["independent", "all alike"])
def test_layers_that_do_not_pair_are_refused(tmp_path, kind):
    model, _, state = published(IN_TURN)
    for name in [name for name in state if ".layers.1." in name]:
        other = name.replace(".layers.1.", ".layers.3.")
        state[name if kind == "independent" else other] = torch.randn_like(state[name])
    if kind == "all alike":
        for name in [name for name in state if ".layers.0." in name and ".zll" not in name]:
            for index in (1, 2, 3):
                state[name.replace(".layers.0.", f".layers.{index}.")] = state[name]
    with pytest.raises(OfficialCheckpointError, match="Which layers are copies cannot be told"):
        convert(*written(tmp_path, state, model.config))


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"not a checkpoint", "must be a file of tensors"), (None, "must map names to tensors")],
)
def test_files_of_something_else_are_refused(tmp_path, content, message):
    path = tmp_path / "pytorch_model.bin"
    torch.save({"epoch": 3}, path) if content is None else path.write_bytes(content)
    with pytest.raises(OfficialCheckpointError, match=message):
        convert(path, tmp_path / "out")


class Trojan:
    """Pickled code: what loading must not run."""

    def __reduce__(self):
        return (pytest.fail, ("code of a checkpoint ran",))


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    torch.save({"weight": Trojan()}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OfficialCheckpointError, match="must be a file of tensors"):
        convert(tmp_path / "pytorch_model.bin", tmp_path / "out")


@pytest.mark.parametrize("stored", ["{", "[]", '{"model_type": "wav2vec2", "num_hidden_layers": 4}'])
def test_another_configuration_is_refused(tmp_path, stored):
    (tmp_path / "config.json").write_text(stored)
    with pytest.raises(OfficialCheckpointError, match="must be the published config.json"):
        convert(tmp_path / "pytorch_model.bin", tmp_path / "out", tmp_path / "config.json")


# Full size: the key layout, without values


def full_size_layout(gate):
    """Names and shapes of the published checkpoint, reconstructed from its size, Table 2 and its configuration."""
    size, inner, stem = 1024, 4096, 512
    shapes = {"hubert.masked_spec_embed": (size,)}

    def both(name, *shape):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = shape, shape[:1]

    for index, kernel in enumerate((10, 3, 3, 3, 3, 2, 2)):
        both(f"hubert.feature_extractor.conv_layers.{index}.conv", stem, stem if index else 1, kernel)
        both(f"hubert.feature_extractor.conv_layers.{index}.layer_norm", stem)
    both("hubert.feature_projection.layer_norm", stem)
    both("hubert.feature_projection.projection", size, stem)
    shapes["hubert.encoder.pos_conv_embed.conv.bias"] = (size,)
    shapes["hubert.encoder.pos_conv_embed.conv.weight_g"] = (1, 1, 128)
    shapes["hubert.encoder.pos_conv_embed.conv.weight_v"] = (size, size // 16, 128)
    both("hubert.encoder.layer_norm", size)
    for layer in range(48):
        for projection in "kvq":
            both(f"hubert.encoder.layers.{layer}.attention.{projection}_proj", size, size)
        both(f"hubert.encoder.layers.{layer}.attention.out_proj", size, size)
        both(f"hubert.encoder.layers.{layer}.layer_norm", size)
        both(f"hubert.encoder.layers.{layer}.feed_forward.intermediate_dense", inner, size)
        both(f"hubert.encoder.layers.{layer}.feed_forward.output_dense", size, inner)
        both(f"hubert.encoder.layers.{layer}.final_layer_norm", size)
        both(gate.format(layer), size, size)
    both("projector", 256, size)
    both("classifier", 6, 256)
    return shapes


@pytest.mark.parametrize(
    ("gate", "order"), [("hubert.encoder.layers.{}.zll", "turn"), ("hubert.encoder.zlls.{}", "halves")]
)
def test_the_full_size_layout_is_understood(gate, order):
    layout = full_size_layout(gate)
    with torch.device("meta"):
        tensors = {official.new_name(name): torch.empty(shape) for name, shape in layout.items()}
    assert len(tensors) == 906
    assert sum(tensor.numel() for tensor in tensors.values()) == 668_392_838  # fits the 2,673,871,413 bytes of the file
    config = expanded_config(HubertConfig(**official.HUBERT_LARGE), id2label=dict(enumerate(official.EMOTIONS)))
    gates = official.find_gates({name: tensor.shape for name, tensor in tensors.items()}, config)
    assert gates == {layer: gate.format(layer) for layer in range(48)}
    pairs = [(2 * i, 2 * i + 1) if order == "turn" else (i, i + 24) for i in range(24)]
    taken = official.our_names(tensors, gates, pairs)
    left = tensors.keys() - taken.keys()
    assert left == {f"{gates[original]}.{kind}" for original, _ in pairs for kind in ("weight", "bias")}
    with torch.device("meta"):
        expected = ExHubertForSequenceClassification(config).state_dict()
    found = {ours: tensors[name].shape for name, ours in taken.items()}
    assert found == {name: tensor.shape for name, tensor in expected.items()}
    assert sum(tensors[name].numel() for name in taken) == 643_202_438
