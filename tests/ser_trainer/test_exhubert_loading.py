"""ExHuBERT through save_pretrained, from_pretrained, the Auto classes and the pipeline, with and without us."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_exhubert import (  # noqa: F401
    EMOTIONS,
    frozen,
    gates,
    one_thread,
    original_layers,
    small_config,
    small_hubert,
    speech,
)
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForAudioClassification,
    Wav2Vec2FeatureExtractor,
    pipeline,
)

from ser_trainer.models import ExHubertConfig, ExHubertForSequenceClassification, ExHubertModel, expand


def open_gates(model):
    """Give every gate values of its own, as training does."""
    torch.manual_seed(5)
    for layer in model.hubert.encoder.layers:
        if layer.gate is not None:
            torch.nn.init.normal_(layer.gate.weight, std=0.1)
            torch.nn.init.normal_(layer.gate.bias, std=0.1)
    return model


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder with a trained model of two copies and its feature extractor; and the model."""
    folder = tmp_path_factory.mktemp("exhubert")
    model = open_gates(expand(small_hubert(), num_copies=2)).eval()
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor(return_attention_mask=True).save_pretrained(folder)
    return folder, model


def rewrite(source, folder, change):
    """Copy a saved model with its weights changed: `change` maps a dictionary of tensors to another."""
    (folder / "config.json").write_text((source / "config.json").read_text())
    weights = change(load_file(source / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.mark.parametrize("loader", [ExHubertForSequenceClassification, AutoModelForAudioClassification])
def test_saving_and_loading_gives_the_same_model(saved, loader):
    folder, model = saved
    loaded, info = loader.from_pretrained(folder, output_loading_info=True)
    assert type(loaded) is ExHubertForSequenceClassification
    assert not any(info[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert torch.equal(loaded(speech()).logits, model(speech()).logits)
    assert loaded.config.num_copies == 2
    assert loaded.config.id2label == EMOTIONS


# Freezing


@pytest.mark.parametrize(
    "loader", [ExHubertForSequenceClassification, AutoModelForAudioClassification, ExHubertModel, AutoModel]
)
def test_originals_are_frozen_after_loading(saved, loader):
    loaded = loader.from_pretrained(saved[0])
    assert frozen(loaded) == original_layers(loaded, step=3) != set()
    open_ = loader.from_pretrained(saved[0], freeze_original=False)
    assert frozen(open_) == set()
    assert open_.config.freeze_original is False


def test_the_choice_not_to_freeze_is_saved(saved, tmp_path):
    model = ExHubertForSequenceClassification.from_pretrained(saved[0], freeze_original=False)
    model.save_pretrained(tmp_path)
    assert frozen(AutoModelForAudioClassification.from_pretrained(tmp_path)) == set()


def test_a_model_made_from_its_configuration_is_frozen_too():
    config = ExHubertConfig(**{**small_config().to_dict(), "model_type": "exhubert"})
    model = AutoModelForAudioClassification.from_config(config)
    assert frozen(model) == original_layers(model) != set()


# Missing and renamed tensors


def test_gates_missing_in_the_file_are_zero_and_others_keep_their_values(saved, tmp_path):
    def without_first_gate(weights):
        return {key: tensor for key, tensor in weights.items() if "layers.1.gate" not in key}

    loaded = ExHubertForSequenceClassification.from_pretrained(rewrite(saved[0], tmp_path, without_first_gate))
    expected = gates(saved[1])
    for key, tensor in gates(loaded).items():
        assert torch.equal(tensor, expected[key] * ("layers.1.gate" not in key)), key


@pytest.mark.parametrize("weighted", ["layer_mix.weight", "hubert.masked_spec_embed"])
def test_bare_parameters_missing_in_the_file_are_initialized(tmp_path, weighted):
    source = expand(small_hubert(use_weighted_layer_sum=True, mask_time_prob=0.1))
    (tmp_path / "whole").mkdir()
    (tmp_path / "part").mkdir()
    source.save_pretrained(tmp_path / "whole")
    part = rewrite(tmp_path / "whole", tmp_path / "part", lambda w: {k: t for k, t in w.items() if k != weighted})
    model = ExHubertForSequenceClassification.from_pretrained(part)
    value = model.get_parameter(weighted)
    if weighted == "layer_mix.weight":
        assert torch.equal(value, torch.full((5,), 1 / 5))
    else:
        assert ((value >= 0) & (value < 1)).all()
        assert value.std() > 0.1
    again = ExHubertForSequenceClassification.from_pretrained(tmp_path / "whole")
    assert torch.equal(again.get_parameter(weighted), source.get_parameter(weighted))


def test_old_names_of_weight_norm_load(saved, tmp_path):
    new = "hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original"
    old = "hubert.encoder.pos_conv_embed.conv.weight_"

    def old_names(weights):
        return {key.replace(f"{new}0", f"{old}g").replace(f"{new}1", f"{old}v"): t for key, t in weights.items()}

    folder = rewrite(saved[0], tmp_path, old_names)
    assert f"{old}g" in load_file(folder / "model.safetensors")
    loaded, info = ExHubertForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert torch.equal(loaded(speech()).logits, saved[1](speech()).logits)


def test_a_new_head_can_be_asked_for_as_usual(saved):
    id2label = {0: "calm", 1: "fear"}
    loaded, info = ExHubertForSequenceClassification.from_pretrained(
        saved[0],
        id2label=id2label,
        label2id={"calm": 0, "fear": 1},
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    assert {key[0] for key in info["mismatched_keys"]} == {"classifier.weight", "classifier.bias"}
    assert loaded(speech()).logits.shape == (2, 2)
    assert torch.equal(loaded.projector.weight, saved[1].projector.weight)


# Refusals


def test_a_plain_hubert_is_refused_by_every_door(tmp_path):
    plain = small_hubert()  # an even number of layers, which would load as originals and copies
    plain.save_pretrained(tmp_path)
    for load in (
        lambda: ExHubertForSequenceClassification.from_pretrained(tmp_path),
        lambda: ExHubertModel.from_pretrained(tmp_path),
        lambda: ExHubertConfig.from_pretrained(tmp_path),
        lambda: ExHubertForSequenceClassification.from_pretrained(tmp_path, config=plain.config),
        lambda: ExHubertForSequenceClassification(plain.config),
        lambda: ExHubertModel(plain.config),
    ):
        with pytest.raises(ValueError, match=r"'hubert' does not describe.*ser_trainer\.models\.expand"):
            load()


@pytest.mark.parametrize("fields", [{"num_copies": 1}, {"num_hidden_layers": 3}, {"gate_bias": False}])
def test_weights_that_contradict_the_configuration_are_refused(saved, fields):
    with pytest.raises(ValueError, match=r"have 'hubert\.encoder\.layers\.\d\.gate"):
        ExHubertForSequenceClassification.from_pretrained(saved[0], **fields)


# With our package: pipeline and Auto classes need no trust


def test_our_own_code_is_chosen_without_trust_and_with_it(saved):
    for trust in (None, False, True):
        config = AutoConfig.from_pretrained(saved[0], trust_remote_code=trust)
        model = AutoModelForAudioClassification.from_pretrained(saved[0], trust_remote_code=trust)
        assert type(config) is ExHubertConfig
        assert type(model) is ExHubertForSequenceClassification


def test_pipeline_takes_arrays(saved, caplog):
    folder, model = saved
    classify = pipeline("audio-classification", model=str(folder), top_k=None, device="cpu")
    waves = [np.sin(np.arange(length) / 9, dtype=np.float32) for length in (6000, 16000)]
    one = [classify(wave) for wave in waves]
    extractor = classify.feature_extractor
    for wave, answer in zip(waves, one, strict=True):
        with torch.no_grad():
            logits = model(**extractor(wave, sampling_rate=16000, return_tensors="pt")).logits[0]
        expected = dict(zip(EMOTIONS.values(), logits.softmax(-1).tolist(), strict=True))
        assert {entry["label"]: entry["score"] for entry in answer} == pytest.approx(expected, abs=1e-6)
    together = classify([{"raw": wave, "sampling_rate": 16000} for wave in waves], batch_size=2)
    for single, batched in zip(one, together, strict=True):
        for one_label, same_label in zip(single, batched, strict=True):
            assert one_label["label"] == same_label["label"]
            assert one_label["score"] == pytest.approx(same_label["score"], abs=1e-5)
    assert "not supported" not in caplog.text


# Without our package: the folder carries its code


def test_the_saved_folder_carries_its_code(saved):
    folder = saved[0]
    assert {path.name for path in folder.glob("*.py")} == {"configuration_exhubert.py", "modeling_exhubert.py"}
    assert json.loads((folder / "config.json").read_text())["auto_map"] == {
        "AutoConfig": "configuration_exhubert.ExHubertConfig",
        "AutoModelForAudioClassification": "modeling_exhubert.ExHubertForSequenceClassification",
    }


STRANGER = """
    import sys
    import numpy as np
    import torch
    from transformers import AutoModelForAudioClassification, pipeline

    folder, out = sys.argv[1:]
    try:
        AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=False)
    except ValueError as error:
        assert "trust_remote_code" in str(error), error
    else:
        raise AssertionError("code of a folder ran without trust")
    model = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=True)
    assert type(model).__module__.startswith("transformers_modules."), type(model).__module__
    assert not [name for name in sys.modules if name.startswith(("ser_trainer", "loading_scripts"))]
    wave = np.load(out + "/speech.npy")
    with torch.no_grad():
        np.save(out + "/logits.npy", model(torch.from_numpy(wave)).logits.numpy())
    frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
    answer = pipeline("audio-classification", model=folder, trust_remote_code=True, device="cpu")(wave[0])
    print(len(frozen), sorted(entry["label"] for entry in answer))
"""


def test_a_process_without_our_package_loads_the_folder(saved, tmp_path):
    folder, model = saved
    np.save(tmp_path / "speech.npy", speech().numpy())
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HF_"))}
    environment = {**clean, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(STRANGER), str(folder), str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{len(frozen(model))} {sorted(EMOTIONS.values())}"
    with torch.no_grad():
        assert np.array_equal(np.load(tmp_path / "logits.npy"), model(speech()).logits.numpy())
