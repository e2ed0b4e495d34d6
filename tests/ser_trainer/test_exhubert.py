"""ExHuBERT: identity at initialization, zero gates, training, outputs."""

import copy

import pytest
import torch
from transformers import HubertForSequenceClassification, Trainer, TrainingArguments

from ser_trainer.models import ExHubertForSequenceClassification, ExHubertModel, expand
from ser_trainer.models.exhubert import expanded_config
from ser_trainer.models.tiny import tiny_hubert_config

EMOTIONS = {0: "anger", 1: "joy", 2: "sadness"}
SAMPLES = 8000  # half a second: 24 frames


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Models this small run several times faster on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def small_config(pre_norm=True, **fields):
    """A HuBERT with 2 layers, in the shape of Large (pre-norm) or of Base (post-norm, group-norm stem)."""
    config = tiny_hubert_config(EMOTIONS)
    stem = {"conv_dim": [16] * 7, "conv_kernel": [10, 3, 3, 3, 3, 2, 2], "conv_stride": [5, 2, 2, 2, 2, 2, 2]}
    config.update(stem | {"num_feat_extract_layers": 7, "initializer_range": 0.02})
    config.update({"hidden_size": 32, "intermediate_size": 48, "classifier_proj_size": 24})
    if not pre_norm:
        config.update({"do_stable_layer_norm": False, "feat_extract_norm": "group", "conv_bias": False})
    config.update(fields)
    return config


def small_hubert(pre_norm=True, **fields):
    torch.manual_seed(0)
    return HubertForSequenceClassification(small_config(pre_norm, **fields)).eval()


def speech(batch=2, dtype=torch.float32):
    return torch.randn(batch, SAMPLES, generator=torch.Generator().manual_seed(1)).to(dtype)


def padded(mask):
    return torch.tensor([[1] * SAMPLES, [1] * 5000 + [0] * (SAMPLES - 5000)]) if mask else None


def gates(model):
    return {key: tensor for key, tensor in model.state_dict().items() if ".gate." in key}


def frozen(model):
    return {name for name, parameter in model.named_parameters() if not parameter.requires_grad}


def original_layers(model, step=2):
    """Names of the parameters of the layers at positions 0, step, 2 * step, ..."""
    layers = [name for name, _ in model.named_parameters() if "encoder.layers." in name]
    return {name for name in layers if int(name.split("layers.")[1].split(".")[0]) % step == 0}


# Identity at initialization


@pytest.mark.parametrize("num_copies", [1, 2])
@pytest.mark.parametrize("pre_norm", [True, False], ids=["pre", "post"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=["fp32", "bf16"])
def test_identity_at_initialization_is_bitwise(dtype, attention, pre_norm, num_copies):
    source = small_hubert(pre_norm).to(dtype)
    source.set_attn_implementation(attention)
    model = expand(source, num_copies)
    assert model.config._attn_implementation == attention
    waves = speech(dtype=dtype)
    for mask in (padded(False), padded(True)):
        with torch.no_grad():
            old = source(waves, attention_mask=mask, output_hidden_states=True)
            new = model(waves, attention_mask=mask, output_hidden_states=True)
            old_end = source.hubert(waves, attention_mask=mask).last_hidden_state
            new_end = model.hubert(waves, attention_mask=mask).last_hidden_state
        assert new.logits.dtype == dtype
        assert torch.equal(old.logits, new.logits)
        assert torch.equal(old_end, new_end)
        assert len(new.hidden_states) == model.config.num_hidden_layers + 1 == 2 * (1 + num_copies) + 1
        assert torch.equal(old.hidden_states[0], new.hidden_states[0])
        for index, state in enumerate(new.hidden_states[1:]):
            assert torch.equal(old.hidden_states[1 + index // (1 + num_copies)], state), f"layer {index}"


def test_a_gate_that_opens_changes_the_function():
    model = expand(small_hubert())
    before = model(speech()).logits
    torch.nn.init.normal_(model.hubert.encoder.layers[1].gate.weight)
    assert not torch.allclose(before, model(speech()).logits)


@pytest.mark.parametrize("pre_norm", [True, False], ids=["pre", "post"])
def test_a_copy_adds_the_gated_output_of_its_layer(pre_norm):
    """h + W f(h) + b, with all of f(h), the residual stream of the copy included (paper, figure 2)."""
    source = small_hubert(pre_norm)
    original, copied = expand(source).hubert.encoder.layers[2:]
    torch.nn.init.normal_(copied.gate.weight)
    torch.nn.init.normal_(copied.gate.bias)
    h = torch.randn(2, 24, 32)
    stock = source.hubert.encoder.layers[1](h)
    assert torch.equal(original(h), stock)
    torch.testing.assert_close(copied(h), h + stock @ copied.gate.weight.T + copied.gate.bias)


# Gates


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("model_class", [ExHubertModel, ExHubertForSequenceClassification])
def test_only_copies_have_gates_and_they_start_as_zeros(model_class, bias):
    config = expanded_config(small_config(), 2, gate_bias=bias)
    model = model_class(config)
    kinds = ("weight", "bias") if bias else ("weight",)
    expected = {f"encoder.layers.{layer}.gate.{kind}" for layer in (1, 2, 4, 5) for kind in kinds}
    assert {key.removeprefix("hubert.") for key in gates(model)} == expected
    assert not any(tensor.any() for tensor in gates(model).values())
    others = [p for name, p in model.named_parameters() if name.endswith("q_proj.weight")]
    assert all(parameter.std() > 0.01 for parameter in others)  # the rest is initialized as in HuBERT


# Training


def loss_of(model):
    return model(speech(4), labels=torch.tensor([0, 1, 2, 0])).loss


def test_first_steps_move_gates_then_copies_and_never_originals():
    model = expand(small_hubert(attention_dropout=0.0, hidden_dropout=0.0, activation_dropout=0.0)).train()
    start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    originals = original_layers(model)
    copies = {name for name in start if "encoder.layers." in name and ".gate." not in name} - originals
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.0)

    def moved(names):
        return {name for name in names if not torch.equal(start[name], model.get_parameter(name))}

    loss_of(model).backward()
    assert all(not model.get_parameter(name).grad.any() for name in copies)
    assert all(model.get_parameter(name).grad.any() for name in gates(model))
    optimizer.step()
    assert moved(gates(model)) == set(gates(model))
    assert moved(copies) == set()
    optimizer.zero_grad()
    loss_of(model).backward()
    optimizer.step()
    assert {name for name in copies if name.endswith(("q_proj.weight", "output_dense.weight"))} <= moved(copies)
    assert moved(originals) == set()
    assert {"projector.weight", "classifier.weight"} <= moved(start)


def test_freeze_original_can_be_taken_back():
    model = expand(small_hubert())
    assert frozen(model) == original_layers(model)
    model.freeze_original(False)
    assert frozen(model) == set()
    assert model.config.freeze_original is False
    assert frozen(expand(small_hubert(), freeze_original=False)) == set()


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")  # the frozen convolutions
@pytest.mark.parametrize("options", [None, {"use_reentrant": True}, {"use_reentrant": False}])
@pytest.mark.parametrize("pre_norm", [True, False], ids=["pre", "post"])
def test_activation_checkpointing_changes_neither_loss_nor_gradients(pre_norm, options):
    plain = expand(small_hubert(pre_norm))
    for gate in (layer.gate for layer in plain.hubert.encoder.layers if layer.gate is not None):
        torch.nn.init.normal_(gate.weight, std=0.1)  # so that gradients reach the copies
    plain.freeze_feature_encoder()
    checkpointed = copy.deepcopy(plain)
    checkpointed.activation_checkpointing_enable(options)
    losses = []
    for model in (plain, checkpointed):
        torch.manual_seed(3)  # dropout is on
        losses.append(loss_of(model.train()))
        losses[-1].backward()
    assert torch.equal(*losses)
    for (name, one), other in zip(plain.named_parameters(), checkpointed.parameters(), strict=True):
        assert (one.grad is None) == (other.grad is None) == (not one.requires_grad), name
        assert one.grad is None or torch.equal(one.grad, other.grad), name


def test_gradient_accumulation_leaves_the_logged_loss_alone(tmp_path):
    rows = [{"input_values": wave, "labels": index % 3} for index, wave in enumerate(speech(8))]
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
        model = expand(small_hubert(attention_dropout=0.0, hidden_dropout=0.0, activation_dropout=0.0))
        trainer = Trainer(model, arguments, train_dataset=rows)
        trainer.train()
        logged.append(trainer.state.log_history[0])
    assert logged[1]["loss"] == pytest.approx(logged[0]["loss"], rel=1e-3)
    assert logged[1]["grad_norm"] == pytest.approx(logged[0]["grad_norm"], rel=1e-3)


def test_spec_augment_masks_and_lets_short_batches_through():
    model = expand(small_hubert(apply_spec_augment=True, mask_time_prob=0.2)).train()
    loss_of(model).backward()
    assert model.hubert.masked_spec_embed.grad.any()
    assert model(speech()[:, :1600]).logits.isfinite().all()  # 4 frames, where one masked span has 10


# Outputs


def test_padding_is_left_out_of_attention_and_mean():
    model = expand(small_hubert())
    for layer in (1, 3):
        torch.nn.init.normal_(model.hubert.encoder.layers[layer].gate.weight, std=0.1)
        torch.nn.init.ones_(model.hubert.encoder.layers[layer].gate.bias)
    waves = speech()
    waves[1, 5000:] = 0
    together = model(waves, attention_mask=padded(True)).logits[1]
    torch.testing.assert_close(together, model(waves[1:, :5000]).logits[0], atol=1e-6, rtol=1e-5)
    assert not torch.allclose(together, model(waves).logits[1], atol=1e-4)


def test_attention_maps_come_from_every_layer():
    source = small_hubert()
    source.set_attn_implementation("eager")
    maps = expand(source)(speech(), output_attentions=True).attentions
    assert [tuple(one.shape) for one in maps] == [(2, 4, 24, 24)] * 4


def test_the_attention_kernel_can_be_changed_later():
    model = expand(small_hubert(), attn_implementation="sdpa")
    fast = model(speech(), attention_mask=padded(True)).logits
    model.set_attn_implementation("eager")
    slow = model(speech(), attention_mask=padded(True)).logits
    torch.testing.assert_close(fast, slow, atol=1e-6, rtol=1e-5)


def test_device_maps_split_between_layers_only():
    accelerate = pytest.importorskip("accelerate")
    model = expand(small_hubert(), num_copies=2)
    size = sum(p.numel() * p.element_size() for p in model.parameters())
    device_map = accelerate.infer_auto_device_map(
        model, {"cpu": size // 2, "disk": size}, no_split_module_classes=list(model._no_split_modules)
    )
    assert set(device_map.values()) == {"cpu", "disk"}
    inside = [name for name in device_map if "layers." in name and name.split("layers.")[1].count(".")]
    assert not [name for name in inside if "encoder.layers." in name], device_map
