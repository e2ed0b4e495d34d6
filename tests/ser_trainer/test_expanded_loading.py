"""Expanded models through save_pretrained, from_pretrained, the Auto classes and the pipeline, with and without us."""

import json
import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_expanded import (  # noqa: F401
    EMOTIONS,
    ONE_OF_EACH,
    family,
    frozen,
    gates,
    inputs,
    one_of_each,
    one_thread,
    open_gates,
    original_layers,
    plain,
    small_config,
    wave_and_whisper,
)
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForAudioClassification,
    Wav2Vec2FeatureExtractor,
    WhisperFeatureExtractor,
    pipeline,
)

from ser_trainer.models import expand, expanded_config


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """For each family a folder with a trained model of two copies and its feature extractor; and the model."""
    made = {}
    for kind in ONE_OF_EACH:
        folder = tmp_path_factory.mktemp(kind)
        model = open_gates(expand(plain(kind), num_copies=2)).eval()
        model.save_pretrained(folder)
        if kind == "whisper":
            extractor = WhisperFeatureExtractor(feature_size=8, chunk_length=1, return_attention_mask=True)
        else:
            extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
        extractor.save_pretrained(folder)
        made[kind] = (folder, model)
    return made


@pytest.fixture
def saved(models):
    """The folder and the model of ExHuBERT."""
    return models["hubert-pre"]


def rewrite(source, folder, change):
    """Copy a saved model with its weights changed: `change` maps a dictionary of tensors to another."""
    (folder / "config.json").write_text((source / "config.json").read_text())
    weights = change(load_file(source / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@one_of_each
def test_saving_and_loading_gives_the_same_model(models, kind):
    folder, model = models[kind]
    loaded, info = type(model).from_pretrained(folder, output_loading_info=True)
    assert not any(info[problem] for problem in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert torch.equal(loaded(**inputs(kind)).logits, model(**inputs(kind)).logits)
    assert loaded.config.num_copies == 2
    assert loaded.config.id2label == EMOTIONS


@one_of_each
@torch.no_grad()
def test_the_model_without_head_can_be_loaded(models, kind):
    folder, model = models[kind]
    loaded = AutoModel.from_pretrained(folder)
    assert type(loaded) is type(model).model_class
    expected = model.base_model(**inputs(kind)).last_hidden_state
    assert torch.equal(loaded(**inputs(kind)).last_hidden_state, expected)


# Freezing


@one_of_each
def test_originals_are_frozen_after_loading(models, kind):
    folder, model = models[kind]
    for loader in (type(model), type(model).model_class, AutoModelForAudioClassification, AutoModel):
        loaded = loader.from_pretrained(folder)
        assert frozen(loaded) == original_layers(loaded, step=3) != set()
    open_ = AutoModelForAudioClassification.from_pretrained(folder, freeze_original=False)
    assert frozen(open_) == set()
    assert open_.config.freeze_original is False


def test_the_choice_not_to_freeze_is_saved(saved, tmp_path):
    model = AutoModelForAudioClassification.from_pretrained(saved[0], freeze_original=False)
    model.save_pretrained(tmp_path)
    assert frozen(AutoModelForAudioClassification.from_pretrained(tmp_path)) == set()


@one_of_each
def test_a_model_made_from_its_configuration_is_frozen_too(kind):
    model = AutoModelForAudioClassification.from_config(expanded_config(small_config(kind)))
    assert frozen(model) == original_layers(model) != set()


# Missing and renamed tensors


@one_of_each
def test_gates_missing_in_the_file_are_zero_and_others_keep_their_values(models, kind, tmp_path):
    def without_first_gate(weights):
        return {key: tensor for key, tensor in weights.items() if "layers.1.gate" not in key}

    folder, model = models[kind]
    loaded = type(model).from_pretrained(rewrite(folder, tmp_path, without_first_gate))
    expected = gates(model)
    for key, tensor in gates(loaded).items():
        assert torch.equal(tensor, expected[key] * ("layers.1.gate" not in key)), key


@one_of_each
def test_bare_parameters_missing_in_the_file_are_initialized(tmp_path, kind):
    source = expand(plain(kind, use_weighted_layer_sum=True, mask_time_prob=0.1))
    source.save_pretrained(tmp_path)
    assert torch.equal(type(source).from_pretrained(tmp_path).layer_mix.weight, source.layer_mix.weight)

    def without(weights):
        return {key: t for key, t in weights.items() if "layer_mix" not in key and "masked_spec" not in key}

    (tmp_path / "part").mkdir()
    model = type(source).from_pretrained(rewrite(tmp_path, tmp_path / "part", without))
    assert torch.equal(model.layer_mix.weight, torch.full((3,), 1 / 3))
    if kind != "whisper":  # whose classifier has no SpecAugment
        value = model.base_model.masked_spec_embed
        assert ((value >= 0) & (value < 1)).all()
        assert value.std() > 0.1


def test_old_names_of_weight_norm_load(saved, tmp_path):
    new = "hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original"
    old = "hubert.encoder.pos_conv_embed.conv.weight_"

    def old_names(weights):
        return {key.replace(f"{new}0", f"{old}g").replace(f"{new}1", f"{old}v"): t for key, t in weights.items()}

    folder = rewrite(saved[0], tmp_path, old_names)
    assert f"{old}g" in load_file(folder / "model.safetensors")
    loaded, info = AutoModelForAudioClassification.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert torch.equal(loaded(**inputs()).logits, saved[1](**inputs()).logits)


def test_a_new_head_can_be_asked_for_as_usual(saved):
    id2label = {0: "calm", 1: "fear"}
    loaded, info = AutoModelForAudioClassification.from_pretrained(
        saved[0],
        id2label=id2label,
        label2id={"calm": 0, "fear": 1},
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    assert {key[0] for key in info["mismatched_keys"]} == {"classifier.weight", "classifier.bias"}
    assert loaded(**inputs()).logits.shape == (2, 2)
    assert torch.equal(loaded.projector.weight, saved[1].projector.weight)


# Refusals


@one_of_each
def test_a_plain_model_is_refused_by_every_door(tmp_path, kind):
    source = plain(kind)  # an even number of layers, which would load as originals and copies
    source.save_pretrained(tmp_path)
    classifier = family(kind).expanded
    for load in (
        lambda: classifier.from_pretrained(tmp_path),
        lambda: classifier.model_class.from_pretrained(tmp_path),
        lambda: classifier.config_class.from_pretrained(tmp_path),
        lambda: classifier.from_pretrained(tmp_path, config=source.config),
        lambda: classifier(source.config),
        lambda: classifier.model_class(source.config),
    ):
        with pytest.raises(ValueError, match=rf"'{source.config.model_type}' does not describe.*models\.expand"):
            load()


@pytest.mark.parametrize("fields", [{"num_copies": 1}, {"num_hidden_layers": 3}, {"gate_bias": False}])
def test_weights_that_contradict_the_configuration_are_refused(saved, fields):
    with pytest.raises(ValueError, match=r"have 'hubert\.encoder\.layers\.\d\.gate"):
        AutoModelForAudioClassification.from_pretrained(saved[0], **fields)


# With our package: pipeline and Auto classes need no trust


@wave_and_whisper
def test_our_own_code_is_chosen_without_trust_and_with_it(models, kind):
    folder, model = models[kind]
    for trust in (None, True):
        config = AutoConfig.from_pretrained(folder, trust_remote_code=trust)
        loaded = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=trust)
        assert type(config) is type(model.config)
        assert type(loaded) is type(model)


@wave_and_whisper
def test_pipeline_takes_arrays(models, kind, caplog):
    folder, model = models[kind]
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


@one_of_each
def test_the_saved_folder_carries_its_code(models, kind):
    folder, model = models[kind]
    module = type(model).__module__.rpartition(".")[2]
    files = {"configuration_expanded.py", "modeling_expanded.py", f"{module}.py"}
    assert {path.name for path in folder.glob("*.py")} == files
    assert json.loads((folder / "config.json").read_text())["auto_map"] == {
        "AutoConfig": f"configuration_expanded.{type(model.config).__name__}",
        "AutoModelForAudioClassification": f"{module}.{type(model).__name__}",
    }


STRANGER = """
    import sys
    import numpy as np
    import torch
    from transformers import AutoModelForAudioClassification, pipeline

    out, *folders = sys.argv[1:]
    try:
        AutoModelForAudioClassification.from_pretrained(folders[0], trust_remote_code=False)
    except ValueError as error:
        assert "trust_remote_code" in str(error), error
    else:
        raise AssertionError("code of a folder ran without trust")
    for number, folder in enumerate(folders):
        model = AutoModelForAudioClassification.from_pretrained(folder, trust_remote_code=True)
        assert type(model).__module__.startswith("transformers_modules."), type(model).__module__
        values = torch.from_numpy(np.load(f"{out}/values{number}.npy"))
        with torch.no_grad():
            np.save(f"{out}/logits{number}.npy", model(values).logits.numpy())
        frozen = [name for name, parameter in model.named_parameters() if not parameter.requires_grad]
        print(len(frozen))
    assert not [name for name in sys.modules if name.startswith(("ser_trainer", "loading_scripts"))]
    wave = np.sin(np.arange(8000) / 9, dtype=np.float32)
    answer = pipeline("audio-classification", model=folders[0], trust_remote_code=True, device="cpu")(wave)
    print(sorted(entry["label"] for entry in answer))
"""


def test_a_process_without_our_package_loads_the_folders(models, tmp_path):
    for number, kind in enumerate(models):
        np.save(tmp_path / f"values{number}.npy", next(iter(inputs(kind).values())).numpy())
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "HF_"))}
    environment = {**clean, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(STRANGER), str(tmp_path), *(str(f) for f, _ in models.values())],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = [sum(not p.requires_grad for p in model.parameters()) for _, model in models.values()]
    assert done.stdout.split("\n")[:-1] == [*map(str, counts), str(sorted(EMOTIONS.values()))]
    for number, (kind, (_, model)) in enumerate(models.items()):
        with torch.no_grad():
            assert np.array_equal(np.load(tmp_path / f"logits{number}.npy"), model(**inputs(kind)).logits.numpy())
