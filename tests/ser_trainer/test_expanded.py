"""Expanded models of all families: identity at initialization, zero gates, training, outputs."""

import copy
import json
from functools import partial

import pytest
import torch
from transformers import (
    Data2VecAudioConfig,
    HubertConfig,
    Trainer,
    TrainingArguments,
    Wav2Vec2Config,
    WavLMConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
)

from ser_trainer.models import FAMILIES, expand, expanded_config

EMOTIONS = {0: "anger", 1: "joy", 2: "sadness"}
SAMPLES = 8000  # half a second
FRAMES = 25
WHISPER_FRAMES = 50  # one second
KINDS = {
    "hubert-pre": HubertConfig,
    "hubert-post": HubertConfig,
    "wav2vec2-pre": Wav2Vec2Config,
    "wav2vec2-post": Wav2Vec2Config,
    "wavlm-pre": WavLMConfig,
    "wavlm-post": WavLMConfig,
    "data2vec-audio": Data2VecAudioConfig,
    "whisper": WhisperConfig,
}
ONE_OF_EACH = ["hubert-pre", "wav2vec2-pre", "wavlm-pre", "data2vec-audio", "whisper"]
every_kind = pytest.mark.parametrize("kind", KINDS)
one_of_each = pytest.mark.parametrize("kind", ONE_OF_EACH)
wave_and_whisper = pytest.mark.parametrize("kind", ["hubert-pre", "whisper"])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small run several times faster on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_config(kind="hubert-pre", **fields):
    """A plain configuration with 2 layers, in the shape of a Large (pre-norm) or of a Base model (group-norm stem)."""
    head = {"classifier_proj_size": 24, "id2label": EMOTIONS, "label2id": {v: k for k, v in EMOTIONS.items()}}
    if kind == "whisper":
        sizes = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 48}
        decoder = {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 40}
        tokens = dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id"), 1)
        length = {"max_source_positions": WHISPER_FRAMES, "num_mel_bins": 8, "begin_suppress_tokens": None}
        return WhisperConfig(**head | sizes | decoder | tokens | length | fields)
    common = {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "conv_dim": [16] * 3,  # three convolutions instead of seven, with the same 20 ms in all
        "conv_kernel": [10, 8, 4],
        "conv_stride": [5, 8, 8],
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
        "layerdrop": 0.0,
        "apply_spec_augment": False,
        "mask_time_prob": 0.0,
    }
    common |= dict.fromkeys(("hidden_dropout", "activation_dropout", "attention_dropout", "feat_proj_dropout"), 0.0)
    if kind == "data2vec-audio":
        common |= {"num_conv_pos_embeddings": 2, "conv_pos_kernel_size": 5}
    elif kind.endswith("pre"):
        common |= {"do_stable_layer_norm": True, "feat_extract_norm": "layer", "conv_bias": True}
    if kind == "wav2vec2-pre":
        common |= {"adapter_attn_dim": 4}  # the attention adapters of MMS
    return KINDS[kind](**head | common | fields)


def plain(kind="hubert-pre", **fields):
    """A plain classifier in eval mode."""
    torch.manual_seed(0)
    return family(kind).plain(small_config(kind, **fields)).eval()


def family(kind):
    return FAMILIES[KINDS[kind].model_type]


def inputs(kind="hubert-pre", batch=2, masked=False, dtype=torch.float32):
    """Keyword arguments of a forward pass; a mask pads the second recording."""
    shape, length, short = ((8, 100), 100, 61) if kind == "whisper" else ((SAMPLES,), SAMPLES, 5000)
    values = torch.randn(batch, *shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    name = "input_features" if kind == "whisper" else "input_values"
    mask = torch.tensor([[1] * length, [1] * short + [0] * (length - short)])
    return {name: values} | ({"attention_mask": mask} if masked else {})


def encoder(model, kind):
    """The model without its head."""
    return next(module for module in model.modules() if isinstance(module, family(kind).plain_model))


def gates(model):
    return {key: tensor for key, tensor in model.state_dict().items() if ".gate." in key}


def open_gates(model):
    """Give every gate values of its own, as training does."""
    torch.manual_seed(5)
    for layer in model.encoder_layers:
        if layer.gate is not None:
            torch.nn.init.normal_(layer.gate.weight, std=0.1)
            torch.nn.init.normal_(layer.gate.bias, std=0.1)
    return model


def frozen(model):
    """Names of the frozen parameters, without the sinusoids of Whisper, which nobody trains."""
    names = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return {name for name in names if not name.endswith("embed_positions.weight")}


def original_layers(model, step=2):
    """Names of the parameters of the layers at positions 0, step, 2 * step, ..."""
    prefixes = ("encoder.layers.", "hubert.encoder.layers.") + tuple(
        f"{one.expanded.base_model_prefix}.encoder.layers." for one in FAMILIES.values()
    )
    layers = [name for name, _ in model.named_parameters() if name.startswith((*prefixes, "layers."))]
    return {name for name in layers if int(name.split("layers.")[1].split(".")[0]) % step == 0}


# Identity at initialization


@pytest.mark.parametrize(
    ("num_copies", "dtype"), [(1, torch.float32), (2, torch.float32), (1, torch.bfloat16)], ids=["1", "2", "1-bf16"]
)
@every_kind
@torch.no_grad()
def test_identity_at_initialization_is_bitwise(kind, num_copies, dtype):
    source = plain(kind).to(dtype)
    model = expand(source, num_copies)
    assert type(model) is family(kind).expanded
    # Torch multiplies WavLM's transposed states by another kernel, even without gradients, if the weight is frozen.
    source.requires_grad_(not kind.startswith("wavlm"))
    # transformers has one kernel for WavLM
    for attention in ("eager",) if kind.startswith("wavlm") else ("sdpa", "eager"):
        for one in (source, model):
            one.set_attn_implementation(attention)
        for masked in (False, True):
            check_identity(kind, source, model, inputs(kind, masked=masked, dtype=dtype))


def check_identity(kind, source, model, batch):
    block = 1 + model.config.num_copies
    old = source(**batch, output_hidden_states=True)
    new = model(**batch, output_hidden_states=True)
    assert new.logits.dtype == source.dtype
    if not ("attention_mask" in batch and kind == "whisper"):  # where stock Whisper averages the padding as well
        assert torch.equal(old.logits, new.logits)
    assert torch.equal(*(encoder(one, kind)(**batch).last_hidden_state for one in (source, model)))
    assert len(new.hidden_states) == model.config.num_hidden_layers + 1 == 2 * block + 1
    assert torch.equal(old.hidden_states[0], new.hidden_states[0])
    for index, state in enumerate(new.hidden_states[1:]):
        if kind == "whisper" and block <= index < 2 * block - 1:
            state = model.encoder.layer_norm(state)  # transformers shows the last state of Whisper normalized
        assert torch.equal(old.hidden_states[1 + index // block], state), f"layer {index}"


def test_the_attention_kernel_of_the_source_is_kept():
    source = plain()
    source.set_attn_implementation("eager")
    assert expand(source).config._attn_implementation == "eager"


@one_of_each
def test_a_gate_that_opens_changes_the_function(kind):
    model = expand(plain(kind))
    before = model(**inputs(kind)).logits
    assert not torch.allclose(before, open_gates(model)(**inputs(kind)).logits)


@every_kind
@torch.no_grad()
def test_a_copy_adds_the_gated_output_of_its_layer(kind):
    """h + W f(h) + b, with all of f(h), the residual stream of the copy included (paper, figure 2)."""
    source = plain(kind)
    original, copied = open_gates(expand(source, freeze_original=False)).encoder_layers[2:]
    layers = getattr(encoder(source, kind), "encoder", encoder(source, kind)).layers
    h = torch.randn(2, FRAMES, 32)
    bias = torch.randn(2 * 4, FRAMES, FRAMES)
    if kind.startswith("wavlm"):
        (stock, _), (same, one), (gated, other) = (
            layer(h, position_bias=bias) for layer in (layers[1], original, copied)
        )
        assert one is bias
        assert other is bias
    else:
        stock, same, gated = (layer(h, None) for layer in (layers[1], original, copied))
    assert torch.equal(same, stock)
    torch.testing.assert_close(gated, h + stock @ copied.gate.weight.T + copied.gate.bias)


# Gates


@pytest.mark.parametrize("bias", [True, False])
@every_kind
def test_only_copies_have_gates_and_they_start_as_zeros(kind, bias):
    config = expanded_config(small_config(kind), 2, gate_bias=bias)
    for model_class in (family(kind).expanded, family(kind).expanded.model_class):
        model = model_class(config)
        kinds = ("weight", "bias") if bias else ("weight",)
        expected = {f"layers.{layer}.gate.{kind}" for layer in (1, 2, 4, 5) for kind in kinds}
        assert {"layers." + key.split("layers.")[1] for key in gates(model)} == expected
        assert not any(tensor.any() for tensor in gates(model).values())
        others = [p for name, p in model.named_parameters() if name.endswith("q_proj.weight")]
        assert all(parameter.std() > 0.01 for parameter in others)  # the rest is initialized as in the stock model


@pytest.mark.parametrize("kind", ["wavlm-pre", "wavlm-post"])
def test_only_the_first_layer_of_wavlm_embeds_relative_positions(kind):
    keys = [key for key in expand(plain(kind), 2).state_dict() if "rel_attn_embed" in key]
    assert keys == ["wavlm.encoder.layers.0.attention.rel_attn_embed.weight"]


def test_attention_adapters_are_copied_along():
    source = plain("wav2vec2-pre")
    model = expand(source, 2)
    for index, layer in enumerate(model.encoder_layers):
        adapter = source.wav2vec2.encoder.layers[index // 3].adapter_layer
        assert torch.equal(layer.adapter_layer.linear_1.weight, adapter.linear_1.weight)


# Training


def loss_of(model, kind="hubert-pre"):
    return model(**inputs(kind, batch=4), labels=torch.tensor([0, 1, 2, 0])).loss


@every_kind
def test_first_steps_move_gates_then_copies_and_never_originals(kind):
    model = expand(plain(kind)).train()
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    originals = original_layers(model)
    copies = {name for name in start if "encoder.layers." in name and ".gate." not in name} - originals
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.0)

    def moved(names):
        return {name for name in names if not torch.equal(start[name], model.get_parameter(name))}

    assert originals
    assert copies
    loss_of(model, kind).backward()
    assert all(not model.get_parameter(name).grad.any() for name in copies)
    assert all(model.get_parameter(name).grad.any() for name in gates(model))
    optimizer.step()
    assert moved(gates(model)) == set(gates(model))
    assert moved(copies) == set()
    optimizer.zero_grad()
    loss_of(model, kind).backward()
    optimizer.step()
    matrices = ("q_proj.weight", "output_dense.weight", "fc2.weight")
    assert {name for name in copies if name.endswith(matrices)} <= moved(copies)
    assert moved(originals) == set()
    assert {"projector.weight", "classifier.weight"} <= moved(start)


@one_of_each
def test_freeze_original_can_be_taken_back(kind):
    model = expand(plain(kind))
    assert frozen(model) == original_layers(model) != set()
    model.freeze_original(False)
    assert frozen(model) == set()
    assert model.config.freeze_original is False
    assert frozen(expand(plain(kind), freeze_original=False)) == set()


def test_the_sinusoids_of_whisper_are_never_trained(tmp_path):
    model = expand(plain("whisper"), freeze_original=False)
    model.save_pretrained(tmp_path)
    for one in (model, type(model)(model.config), type(model).from_pretrained(tmp_path)):
        assert not one.encoder.embed_positions.weight.requires_grad


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # the frozen convolutions
@pytest.mark.parametrize("options", [None, {"use_reentrant": True}], ids=["default", "reentrant"])
@one_of_each
def test_activation_checkpointing_changes_neither_loss_nor_gradients(kind, options):
    dropout = {"dropout": 0.1} if kind == "whisper" else {"hidden_dropout": 0.1}
    one = open_gates(expand(plain(kind, **dropout)))  # so that gradients reach the copies
    if kind != "whisper":
        one.freeze_feature_encoder()
    other = copy.deepcopy(one)
    other.activation_checkpointing_enable(options)
    losses = []
    for model in (one, other):
        torch.manual_seed(3)
        losses.append(loss_of(model.train(), kind))
        losses[-1].backward()
    assert torch.equal(*losses)
    exact = {"rtol": 0, "atol": 0} if options is None else {"rtol": 1e-5, "atol": 1e-8}  # another order of the sums
    for (name, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None) == (not a.requires_grad), name
        if a.grad is not None:
            torch.testing.assert_close(a.grad, b.grad, **exact, msg=lambda text, name=name: f"{name}: {text}")


def test_gradient_accumulation_leaves_the_logged_loss_alone(tmp_path):
    waves = inputs(batch=8)["input_values"]
    rows = [{"input_values": wave, "labels": index % 3} for index, wave in enumerate(waves)]
    logged = []
    for batch, accumulation in ((8, 1), (2, 4)):
        arguments = TrainingArguments(
            str(tmp_path),
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
            learning_rate=0.0,
            num_train_epochs=1,
            logging_steps=1,
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        )
        trainer = Trainer(expand(plain()), arguments, train_dataset=rows)
        trainer.train()
        logged.append(trainer.state.log_history[0])
    assert logged[1]["loss"] == pytest.approx(logged[0]["loss"], rel=1e-3)
    assert logged[1]["grad_norm"] == pytest.approx(logged[0]["grad_norm"], rel=1e-3)


@pytest.mark.parametrize("kind", ONE_OF_EACH[:-1])
def test_spec_augment_masks_and_lets_short_batches_through(kind):
    model = expand(plain(kind, apply_spec_augment=True, mask_time_prob=0.2)).train()
    loss_of(model, kind).backward()
    assert model.base_model.masked_spec_embed.grad.any()
    short = inputs()["input_values"][:, :1600]  # 5 frames, where one masked span has 10
    assert model(short).logits.isfinite().all()


# Outputs


@pytest.mark.parametrize("kind", ["hubert-pre", "wav2vec2-pre", "wavlm-pre"])
def test_padding_is_left_out_of_attention_and_mean(kind):
    model = open_gates(expand(plain(kind)))
    batch = inputs(kind, masked=True)
    waves = batch["input_values"]
    waves[1, 5000:] = 0
    together = model(**batch).logits[1]
    torch.testing.assert_close(together, model(waves[1:, :5000]).logits[0], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(together, model(waves).logits[1], atol=1e-4)


@torch.no_grad()
def test_whisper_averages_the_frames_of_the_recording_alone():
    recordings = [torch.randn(length).numpy() for length in (16_000, 6_080)]
    extract = partial(WhisperFeatureExtractor(feature_size=8, chunk_length=1), sampling_rate=16_000)
    batch = dict(extract(recordings, return_attention_mask=True, return_tensors="pt"))
    assert batch["attention_mask"].sum(dim=1).tolist() == [100, 38]  # mel frames of 10 ms
    model = open_gates(expand(plain("whisper")))
    states = model.encoder(batch["input_features"]).last_hidden_state
    expected = [model.classifier(model.projector(state).mean(0)) for state in (states[0], states[1, :19])]
    torch.testing.assert_close(model(**batch).logits, torch.stack(expected))
    unmasked = model(batch["input_features"]).logits
    torch.testing.assert_close(unmasked[0], expected[0])
    assert not torch.allclose(unmasked[1], expected[1], atol=1e-4)
    # An extractor that is configured to return a mask returns one of samples, transformers 5.23.
    extract = WhisperFeatureExtractor(feature_size=8, chunk_length=1, return_attention_mask=True)
    of_samples = dict(extract(recordings, sampling_rate=16_000, return_tensors="pt"))
    assert of_samples["attention_mask"].shape == (2, 16_000)
    assert torch.equal(model(**of_samples).logits, model(**batch).logits)
    with pytest.raises(ValueError, match=r"shape \(2, 99\): its length must be a multiple of the 50 frames"):
        model(batch["input_features"], attention_mask=batch["attention_mask"][:, 1:])


@one_of_each
def test_attention_maps_come_from_every_layer(kind):
    source = plain(kind)
    source.set_attn_implementation("eager")
    maps = expand(source)(**inputs(kind), output_attentions=True).attentions
    frames = WHISPER_FRAMES if kind == "whisper" else FRAMES
    assert [tuple(one.shape) for one in maps] == [(2, 4, frames, frames)] * 4


@pytest.mark.parametrize("kind", ["hubert-pre", "wav2vec2-post", "data2vec-audio", "whisper"])
def test_the_attention_kernel_can_be_changed_later(kind):
    model = expand(plain(kind), attn_implementation="sdpa")
    fast = model(**inputs(kind, masked=True)).logits
    model.set_attn_implementation("eager")
    slow = model(**inputs(kind, masked=True)).logits
    torch.testing.assert_close(fast, slow, atol=1e-6, rtol=1e-5)


@one_of_each
def test_device_maps_split_between_layers_only(kind):
    accelerate = pytest.importorskip("accelerate")
    model = expand(plain(kind), num_copies=2)
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    device_map = accelerate.infer_auto_device_map(
        model, {"cpu": size // 2, "disk": size}, no_split_module_classes=list(model._no_split_modules)
    )
    assert set(device_map.values()) == {"cpu", "disk"}
    inside = [name for name in device_map if "layers." in name and name.split("layers.")[1].count(".")]
    assert not [name for name in inside if "encoder.layers." in name], device_map


def test_configurations_are_written_whole(tmp_path):
    """num_hidden_layers of Whisper is an alias; layerdrop too, of ours."""
    config = expanded_config(small_config("whisper"), 2, layerdrop=0.1)
    assert (config.encoder_layers, config.num_hidden_layers, config.encoder_layerdrop) == (6, 6, 0.1)
    config.save_pretrained(tmp_path)
    stored = json.loads((tmp_path / "config.json").read_text())
    assert (stored["encoder_layers"], stored["num_copies"], stored["model_type"]) == (6, 2, "exwhisper")
    assert type(config).from_pretrained(tmp_path).to_dict() == config.to_dict()
