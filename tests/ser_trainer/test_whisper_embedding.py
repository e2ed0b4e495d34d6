"""The classifier of Generalize: one vector from the decoder's start token, and a head of five layers on it."""

import json

import pytest
import torch
from transformers import (
    AutoModelForAudioClassification,
    WhisperConfig,
    WhisperForAudioClassification,
    WhisperForConditionalGeneration,
)
from transformers.dynamic_module_utils import get_class_from_dynamic_module

from ser_trainer.models import (
    WhisperEmbeddingConfig,
    WhisperEmbeddingForSequenceClassification,
    whisper_classifier,
)

TINY = {
    "d_model": 16,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "vocab_size": 60,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 7,
    "max_source_positions": 50,
    "num_mel_bins": 20,
}
NAMES = {"id2label": {0: "anger", 1: "neutral", 2: "sadness"}, "label2id": {"anger": 0, "neutral": 1, "sadness": 2}}

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def spectra():
    return torch.randn(3, 20, 100, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny Whisper as its authors publish theirs, decoder and output layer included."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("whisper")
    WhisperForConditionalGeneration(WhisperConfig(**TINY)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder):
    torch.manual_seed(1)
    return whisper_classifier(str(folder), head_sizes=(64, 32), **NAMES).eval()


def test_the_embedding_is_what_the_decoder_says_of_its_start_token(model, folder, spectra):
    whisper = WhisperForConditionalGeneration.from_pretrained(folder).eval()
    with torch.inference_mode():
        told = whisper(spectra, decoder_input_ids=torch.full((3, 1), 7), output_hidden_states=True)
        assert torch.equal(model.embed(spectra), told.decoder_hidden_states[-1][:, 0])


def test_the_head_of_the_paper_on_whisper_base():
    base = {"d_model": 512, "encoder_layers": 6, "decoder_layers": 6, "encoder_attention_heads": 8}
    base |= {"decoder_attention_heads": 8, "encoder_ffn_dim": 2048, "decoder_ffn_dim": 2048}
    with torch.device("meta"):
        found = WhisperEmbeddingForSequenceClassification(WhisperEmbeddingConfig(num_labels=4, **base))
    linear = [one for one in found.classifier if isinstance(one, torch.nn.Linear)]
    assert [one.out_features for one in linear] == [4096, 2048, 1024, 512, 4]
    assert sum(one.numel() for one in found.classifier.parameters()) == 13_114_880 + 513 * 4
    assert isinstance(found.classifier[-1], torch.nn.Linear)  # no ReLU behind the last
    assert sum(isinstance(one, torch.nn.ReLU) for one in found.classifier) == 4


def test_a_saved_model_gives_the_same_logits(model, spectra, tmp_path):
    model.save_pretrained(tmp_path)
    found = AutoModelForAudioClassification.from_pretrained(tmp_path).eval()
    assert isinstance(found, WhisperEmbeddingForSequenceClassification)
    with torch.inference_mode():
        assert torch.equal(found(spectra).logits, model(spectra).logits)
    held = json.loads((tmp_path / "config.json").read_text())
    assert (held["embedding"], held["head_sizes"]) == ("start_token", [64, 32])
    frozen = [name for name, one in found.named_parameters() if not one.requires_grad]
    assert frozen == ["model.encoder.embed_positions.weight"]  # sinusoids


def test_a_saved_model_brings_its_code_along(model, spectra, tmp_path):
    model.save_pretrained(tmp_path)
    for file in tmp_path.glob("*.py"):
        assert "ser_trainer" not in file.read_text()
    kind = get_class_from_dynamic_module(
        "modeling_whisper_embedding.WhisperEmbeddingForSequenceClassification", str(tmp_path)
    )
    assert kind.__module__.startswith("transformers_modules.")
    with torch.inference_mode():
        assert torch.equal(kind.from_pretrained(tmp_path).eval()(spectra).logits, model(spectra).logits)


def test_every_weight_but_the_sinusoids_gets_a_gradient(model, spectra):
    model.zero_grad()
    model(spectra, labels=torch.tensor([0, 1, 2])).loss.backward()
    without = {name for name, one in model.named_parameters() if one.requires_grad and one.grad is None}
    assert not without
    assert model.model.encoder.conv1.weight.grad.abs().sum() > 0
    assert model.model.decoder.embed_tokens.weight.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [7]


def test_the_loss_is_the_mean_over_the_batch(model, spectra):
    labels = torch.tensor([0, 1, 2])
    with torch.inference_mode():
        each = [model(spectra[at : at + 1], labels=labels[at : at + 1]).loss for at in range(3)]
        assert model(spectra, labels=labels).loss == pytest.approx(torch.stack(each).mean().item(), abs=1e-5)


def test_a_whisper_without_a_decoder_is_refused(tmp_path):
    WhisperForAudioClassification(WhisperConfig(**TINY)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="needs the weights of a whole Whisper.*decoder"):
        whisper_classifier(str(tmp_path), **NAMES)


@pytest.mark.parametrize(
    ("field", "told"), [({"embedding": "mean"}, "not 'mean'"), ({"head_sizes": (4096, 0)}, "not .4096, 0.")]
)
def test_a_configuration_that_cannot_be_is_refused(field, told):
    with pytest.raises(ValueError, match=told):
        WhisperEmbeddingConfig(**field)
