"""Expansion of every kind of model, and back."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from test_expanded import (  # noqa: F401
    EMOTIONS,
    KINDS,
    ONE_OF_EACH,
    encoder,
    family,
    frozen,
    gates,
    inputs,
    one_of_each,
    one_thread,
    plain,
    small_config,
    wave_and_whisper,
)
from transformers import (
    ASTConfig,
    ASTModel,
    Data2VecAudioForCTC,
    Data2VecAudioModel,
    HubertForCTC,
    HubertForSequenceClassification,
    HubertModel,
    Wav2Vec2ForCTC,
    Wav2Vec2ForPreTraining,
    Wav2Vec2Model,
    WavLMForCTC,
    WavLMModel,
    WhisperForConditionalGeneration,
    WhisperModel,
)

from ser_trainer.models import contract, expand
from ser_trainer.models.exhubert.families import EXPANDED_TYPES, FAMILIES
from ser_trainer.models.tiny import tiny_hubert_config


@torch.no_grad()
def states(model, kind):
    """Last hidden state of the encoder, whatever the head."""
    return encoder(model, kind)(**inputs(kind)).last_hidden_state


@settings(max_examples=8, deadline=None)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    layers=st.integers(1, 3),
    num_copies=st.integers(1, 3),
    gate_bias=st.booleans(),
    mask_time_prob=st.sampled_from([0.0, 0.1]),
)
def test_contract_undoes_expand_bit_by_bit(kind, layers, num_copies, gate_bias, mask_time_prob):
    source = plain(kind, num_hidden_layers=layers, mask_time_prob=mask_time_prob)
    model = expand(source, num_copies, gate_bias=gate_bias)
    assert model.config.num_original_layers == layers
    back = contract(model)
    assert type(back) is family(kind).plain
    assert back.state_dict().keys() == source.state_dict().keys()
    for key, tensor in source.state_dict().items():
        assert torch.equal(tensor, back.state_dict()[key]), key
    written = {"dtype", "architectures"}  # filled in by saving and loading
    assert all(back.config.to_dict()[k] == v for k, v in source.config.to_dict().items() if k not in written)


SOURCES = [
    ("hubert-pre", HubertModel),
    ("hubert-post", HubertForCTC),
    ("wav2vec2-pre", Wav2Vec2ForCTC),
    ("wav2vec2-pre", Wav2Vec2ForPreTraining),
    ("wav2vec2-post", Wav2Vec2Model),
    ("wavlm-pre", WavLMModel),
    ("wavlm-post", WavLMForCTC),
    ("data2vec-audio", Data2VecAudioModel),
    ("data2vec-audio", Data2VecAudioForCTC),
    ("whisper", WhisperModel),
    ("whisper", WhisperForConditionalGeneration),
]


@pytest.mark.parametrize(
    ("kind", "task", "stored"),
    [
        *((kind, task, True) for kind, task in SOURCES),
        *((kind, task, False) for kind, task in SOURCES[::2]),
        *((kind, family(kind).plain, True) for kind in ONE_OF_EACH),
    ],
)
def test_every_source_can_be_expanded(tmp_path, kind, task, stored):
    torch.manual_seed(0)
    source = task(small_config(kind, vocab_size=40)).eval().requires_grad_(not kind.startswith("wavlm"))
    source.save_pretrained(tmp_path)
    model = expand(tmp_path if stored else source, num_copies=2)
    assert type(model) is family(kind).expanded
    assert torch.equal(states(source, kind), states(model, kind))
    assert model(**inputs(kind)).logits.isfinite().all()
    assert model.config.id2label == EMOTIONS
    assert not model.training
    if task is family(kind).plain:
        with torch.no_grad():
            assert torch.equal(source(**inputs(kind)).logits, model(**inputs(kind)).logits)


def test_a_bare_encoder_of_whisper_can_be_expanded():
    source = plain("whisper").encoder
    assert torch.equal(states(source, "whisper"), states(expand(source), "whisper"))


@one_of_each
def test_tensors_are_shared_neither_with_the_source_nor_among_copies(kind):
    source = plain(kind)
    model = expand(source, 2)
    tensors = [*source.state_dict().values(), *model.state_dict().values()]
    assert len({tensor.data_ptr() for tensor in tensors}) == len(tensors)
    assert frozen(source) == set()


def test_dtype_is_that_of_the_source_unless_given(tmp_path):
    plain().to(torch.bfloat16).save_pretrained(tmp_path)
    assert expand(tmp_path).dtype == torch.bfloat16
    assert {p.dtype for p in expand(tmp_path, dtype=torch.float32).parameters()} == {torch.float32}


@wave_and_whisper
def test_other_labels_get_a_fresh_classifier_and_keep_the_projector(kind):
    source = plain(kind)
    same, other = expand(source, id2label=dict(EMOTIONS)), expand(source, id2label={0: "calm", 1: "fear"})
    assert torch.equal(same.classifier.weight, source.classifier.weight)
    assert other.config.label2id == {"calm": 0, "fear": 1}
    assert other.classifier.weight.shape == (2, 24)
    assert torch.equal(other.projector.weight, source.projector.weight)
    renamed = expand(source, id2label={0: "calm", 1: "fear", 2: "boredom"})
    assert not torch.equal(renamed.classifier.weight, source.classifier.weight)


@one_of_each
def test_weighted_layer_sum_survives_and_trains(kind):
    """The sum is over the input and the blocks, so it has the weights of the source."""
    source = plain(
        kind, use_weighted_layer_sum=True, **{"encoder_layerdrop" if kind == "whisper" else "layerdrop": 0.1}
    )
    torch.nn.init.normal_(source.layer_weights)
    model = expand(source, 2)
    assert model.config.layerdrop == 0.0
    torch.testing.assert_close(model(**inputs(kind)).logits, source(**inputs(kind)).logits, atol=1e-6, rtol=1e-5)
    assert torch.equal(contract(model).layer_weights, source.layer_weights)
    model.train()(**inputs(kind), labels=torch.tensor([0, 1])).loss.backward()
    assert model.layer_mix.weight.grad.shape == (3,)
    assert model.layer_mix.weight.grad.all()


def test_peft_trains_and_saves_the_layer_weights(tmp_path):
    model = expand(plain(use_weighted_layer_sum=True))
    head = ["layer_mix", "projector", "classifier"]
    lora = LoraConfig(target_modules=["q_proj", "v_proj"], modules_to_save=head, init_lora_weights=False)
    adapted = get_peft_model(model, lora).eval()
    with torch.no_grad():
        adapted.base_model.model.layer_mix.modules_to_save["default"].weight.normal_()
    adapted(**inputs(), labels=torch.tensor([0, 1])).loss.backward()
    trainable = {name: p for name, p in adapted.named_parameters() if p.requires_grad}
    assert any("layer_mix" in name for name in trainable)
    assert [name for name, p in trainable.items() if p.grad is None] == []
    adapted.save_pretrained(tmp_path)
    assert any("layer_mix" in key for key in load_file(tmp_path / "adapter_model.safetensors"))
    merged = adapted.merge_and_unload()
    torch.testing.assert_close(merged(**inputs()).logits, adapted(**inputs()).logits)


@wave_and_whisper
def test_contract_refuses_a_trained_gate(kind):
    model = expand(plain(kind))
    with torch.no_grad():
        model.encoder_layers[3].gate.bias[5] = 0.25
    with pytest.raises(ValueError, match=r"layers\.3\.gate\.bias is not zero \(largest magnitude 0\.25\)"):
        contract(model)
    with pytest.raises(TypeError, match="a classifier that expand returned"):
        contract(model.base_model)


# Refusals


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"num_copies": "2"}, TypeError, "an int >= 1, not '2'"),
        ({"num_copies": 0}, ValueError, "at least one copy"),
        ({"freeze_originals": True}, ValueError, "Did you mean 'freeze_original'"),
        ({"num_labels": 4}, ValueError, "id2label="),
        ({"use_weighted_layer_sum": True, "layerdrop": 0.1}, ValueError, "Set layerdrop=0.0"),
    ],
)
@wave_and_whisper
@pytest.mark.parametrize("stored", [True, False], ids=["folder", "memory"])
def test_expand_refuses_wrong_arguments(tmp_path, stored, kind, arguments, error, message):
    source = plain(kind)
    source.config.save_pretrained(tmp_path)
    with pytest.raises(error, match=message):
        expand(tmp_path if stored else source, **arguments)


@one_of_each
def test_expand_refuses_what_is_expanded_already(tmp_path, kind):
    model = expand(plain(kind))
    model.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="expanded already"):
        expand(tmp_path)
    with pytest.raises(TypeError, match=f"not {type(model).__name__}"):
        expand(model)


def test_expand_refuses_other_models_and_says_which_it_takes(tmp_path):
    config = ASTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_length=32)
    config.save_pretrained(tmp_path)
    for source in (tmp_path, ASTModel(config)):
        with pytest.raises(ValueError, match="'audio-spectrogram-transformer' cannot be expanded") as error:
            expand(source)
        assert all(repr(model_type) in str(error.value) for model_type in FAMILIES)
    with pytest.raises(TypeError, match="not Linear"):
        expand(torch.nn.Linear(2, 2))


def test_every_family_has_a_type_of_its_own():
    assert {"exhubert", "exwav2vec2", "exwavlm", "exdata2vec-audio", "exwhisper"} == EXPANDED_TYPES


@pytest.mark.parametrize("change", ["gates", "truncated"])
def test_expand_refuses_weights_of_another_encoder(tmp_path, change):
    """The published checkpoint calls itself a HuBERT and has gates of another name in all of its layers."""
    plain().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    if change == "gates":
        weights["hubert.encoder.layers.0.zero_linear.weight"] = torch.zeros(32, 32)
        message = r"unknown '.*zero_linear\.weight' \(1 such"
    else:
        weights = {key: tensor for key, tensor in weights.items() if ".layers.1." not in key}
        message = r"lack 'hubert\.encoder\.layers\.1\..* \(16 such"
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=message):
        expand(tmp_path)


# The demo's model


def test_tiny_hubert_gives_a_frame_every_40_ms_and_takes_the_labels():
    model = HubertForSequenceClassification(tiny_hubert_config(EMOTIONS)).eval()
    assert model.hubert(torch.randn(1, 16000)).last_hidden_state.shape == (1, 23, 64)
    assert model.config.label2id == {"anger": 0, "joy": 1, "sadness": 2}
    expanded = expand(model, freeze_original=False).train()
    expanded(**inputs(), labels=torch.tensor([0, 1])).loss.backward()
    assert gates(expanded)
    assert [name for name, p in expanded.named_parameters() if p.grad is None] == []
