"""Weights: fetched once and whole, read without running what is in them, and refused where they do not fit."""

import hashlib
import json
import logging
import pickle
import re
from pathlib import Path

import datasets
import pytest
import torch
from file_server import FileServer
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import HubertConfig, HubertForSequenceClassification, HubertModel

from loading_scripts.errors import DiskFullError
from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import EncoderError, EncoderRecord
from ser_trainer.encoders.opening import Opening
from ser_trainer.encoders.weights import (
    load_strictly,
    pretrained,
    read_state,
    revision_of,
    save_converted,
    weights_file,
)

CONTENT = bytes(range(256)) * 400  # 102,400 bytes
STATE = {"one.weight": torch.arange(6.0).reshape(2, 3), "one.bias": torch.ones(2)}


@pytest.fixture
def server(monkeypatch, tmp_path):
    with FileServer({"tiny.pth": CONTENT}) as running:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
        monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
        yield running


def record(url: str, **options: str) -> EncoderRecord:
    return EncoderRecord(
        id="tiny",
        name="Tiny",
        family="byol",
        checkpoint=url,
        width=2,
        layers=0,
        parameters=8,
        licence="MIT",
        commercial="yes",
        trained_on="nothing",
        complete=True,
        options=options,
    )


def opening(place: str | Path, known: EncoderRecord | None = None) -> Opening:
    return Opening(name="tiny", place=str(place), record=known)


def test_a_file_is_fetched_once_and_a_transfer_that_broke_off_goes_on(server, tmp_path):
    url = f"{server.url}/tiny.pth"
    known = opening(url, record(url, sha256=hashlib.sha256(CONTENT).hexdigest()))
    server.broken = [("cut", 30_000), ("status", 404)]
    with pytest.raises(EncoderError, match=r"(?s)Encoder tiny: .*tiny.pth could not be fetched.*continues.*tiny=FILE"):
        weights_file(known)
    path = weights_file(known)
    assert path == tmp_path / "cache" / "encoders" / "tiny" / "tiny.pth"
    assert path.read_bytes() == CONTENT
    assert server.gets()[-1] == ("tiny.pth", "bytes=30000-")
    asked = len(server.requested)
    assert weights_file(known) == path
    assert len(server.requested) == asked


def test_another_file_than_the_record_describes_is_refused_and_not_kept(server, tmp_path):
    url = f"{server.url}/tiny.pth"
    with pytest.raises(EncoderError, match=rf"Encoder tiny: .*must have sha256 {'0' * 64}; got .*102400 bytes"):
        weights_file(opening(url, record(url, sha256="0" * 64)))
    assert not list((tmp_path / "cache").rglob("*.pth"))


def test_offline_says_how_to_bring_the_file(server, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    url = f"{server.url}/tiny.pth"
    with pytest.raises(EncoderError, match=r"offline.*tiny=FILE"):
        weights_file(opening(url, record(url)))


def test_files_and_folders_of_ones_own(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "a.pth").write_bytes(b"a")
    assert weights_file(opening(tmp_path / "a.pth")) == tmp_path / "a.pth"
    assert weights_file(opening(tmp_path)) == tmp_path / "a.pth"
    assert weights_file(opening(tmp_path), "config.json") == tmp_path / "config.json"
    (tmp_path / "b.safetensors").write_bytes(b"b")
    for place, name, message in (
        (tmp_path, None, r"must hold one file of weights.*it holds 2: a.pth, b.safetensors"),
        (tmp_path, "c.pt", r"needs c.pt; .* has none"),
        (tmp_path / "nowhere", None, r"does not exist"),
    ):
        with pytest.raises(EncoderError, match=message):
            weights_file(opening(place), name)


@pytest.mark.parametrize("wrapped", [False, True])
def test_state_dicts_are_read_back(wrapped, tmp_path):
    save_file(STATE, tmp_path / "a.safetensors")
    torch.save({"epoch": 3, "model": STATE} if wrapped else STATE, tmp_path / "a.pth")
    for name in ("a.safetensors", "a.pth"):
        read = read_state(tmp_path / name)
        assert read.keys() == STATE.keys()
        assert all(torch.equal(read[key], value) for key, value in STATE.items())


class Malicious:
    """Deletes nothing, but could: what it names is called where it is unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return Path.touch, (self.witness,)


def test_a_pickle_that_runs_code_is_refused(tmp_path):
    witness = tmp_path / "it ran"
    torch.save({"one.weight": torch.ones(1), "else": Malicious(witness)}, tmp_path / "a.pth")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Malicious(witness), protocol=2))
    for name in ("a.pth", "plain.pt"):
        with pytest.raises(
            EncoderError, match=rf"Weights {name}: must be tensors .*nothing in the file is run.*safetensors"
        ):
            read_state(tmp_path / name)
    assert not witness.exists()


def test_files_that_hold_something_else_are_named(tmp_path):
    (tmp_path / "page.safetensors").write_text("<html>Not found</html>")
    (tmp_path / "page.pth").write_text("<html>Not found</html>")
    torch.save([torch.ones(1)], tmp_path / "list.pth")
    torch.save({"lr": 0.1}, tmp_path / "settings.pth")
    for name, message in (
        ("page.safetensors", "must be safetensors"),
        ("page.pth", "must be tensors that torch.load"),
        ("list.pth", "must hold one dict of tensors; it holds list"),
        ("settings.pth", r"must hold one dict of tensors; it holds a dict of \['lr'\]"),
        ("none.pth", "no such file"),
    ):
        with pytest.raises(EncoderError, match=f"Weights {name}: {message}"):
            read_state(tmp_path / name)


def test_strict_loading_names_what_is_missing_left_over_and_of_another_shape():
    module = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 4))
    good = {key: value + 1 for key, value in module.state_dict().items()}
    load_strictly(module, good, "Tiny")
    assert torch.equal(module[1].bias, good["1.bias"])
    bad = {"0.weight": torch.ones(2, 5), "0.bias": good["0.bias"], "1.weight": good["1.weight"], "head": torch.ones(1)}
    with pytest.raises(EncoderError) as caught:
        load_strictly(module, bad, "Encoder tiny (tiny.pth)")
    for told in (
        "Encoder tiny (tiny.pth)",
        "1 missing: 1.bias",
        "1 left over: head",
        "1 of another shape: 0.weight (2, 5), needs (2, 3)",
        "Weights with 4 tensors fit, as 0.weight (2, 3)",
    ):
        assert told in str(caught.value)
    assert torch.equal(module[0].bias, good["0.bias"])


def test_a_conversion_says_where_it_came_from(tmp_path):
    source = tmp_path / "original.pt"
    source.write_bytes(CONTENT)
    folder = tmp_path / "converted"
    save_converted(STATE, {"width": 2}, folder, source=source, licence="MIT", address="https://example.org/original.pt")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors", "source.json"]
    assert json.loads((folder / "config.json").read_text()) == {"width": 2}
    told = json.loads((folder / "source.json").read_text())
    assert (told["source"], told["file"], told["licence"]) == ("https://example.org/original.pt", "original.pt", "MIT")
    assert (told["bytes"], told["tensors"], told["values"]) == (102_400, 2, 8)
    assert told["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert torch.equal(load_file(folder / "model.safetensors")["one.weight"], STATE["one.weight"])
    with pytest.raises(EncoderError, match="new folder; it exists"):
        save_converted(STATE, {}, folder, source=source, licence="MIT")


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    source = tmp_path / "original.pt"
    source.write_bytes(CONTENT)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(DiskFullError, match="converted"):
        save_converted(STATE, {}, tmp_path / "converted", source=source, licence="MIT")
    assert list(tmp_path.iterdir()) == [source]


TINY = HubertConfig(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    conv_dim=(16, 16),
    conv_kernel=(10, 3),
    conv_stride=(5, 2),
    num_conv_pos_embeddings=4,
    num_conv_pos_embedding_groups=2,
)


def test_a_checkpoint_of_transformers_gives_every_weight(tmp_path):
    tuned = HubertForSequenceClassification(TINY)
    tuned.save_pretrained(tmp_path)
    model, revision = pretrained(HubertModel, opening(tmp_path))
    assert not model.training
    assert all(torch.equal(value, tuned.hubert.state_dict()[key]) for key, value in model.state_dict().items())
    assert revision == revision_of(tmp_path / "model.safetensors")
    assert re.fullmatch("[0-9a-f]{16}", revision)
    with torch.no_grad():
        tuned.hubert.encoder.layer_norm.bias[0] += 1e-3
    tuned.save_pretrained(tmp_path)
    assert pretrained(HubertModel, opening(tmp_path))[1] != revision


@pytest.mark.parametrize("head", [False, True])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 3}, r"16 missing: encoder.layers.2"),
        ({"num_hidden_layers": 1}, r"16 left over: (hubert\.)?encoder.layers.1"),
        ({"intermediate_size": 48}, r"6 of another shape: encoder.layers.0\S+ \(32,\), needs \(48,\)"),
    ],
)
def test_a_checkpoint_with_other_layers_than_its_config_is_refused(head, changes, message, tmp_path):
    (HubertForSequenceClassification if head else HubertModel)(TINY).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text()) | changes
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match=message):
        pretrained(HubertModel, opening(tmp_path))
    if "shape" not in message:
        pretrained(HubertModel, opening(tmp_path), ignore=[r"encoder\.layers\.[12]\."])


def test_what_is_left_out_of_a_checkpoint_is_told(tmp_path, caplog):
    HubertForSequenceClassification(TINY).save_pretrained(tmp_path)
    with caplog.at_level(logging.INFO):
        pretrained(HubertModel, opening(tmp_path))
    assert "2 modules are not part of the encoder and left out: classifier, projector." in caplog.text


def test_a_pickled_checkpoint_that_runs_code_is_refused(tmp_path):
    TINY.save_pretrained(tmp_path)
    witness = tmp_path / "it ran"
    torch.save(HubertModel(TINY).state_dict() | {"else": Malicious(witness)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="HubertModel must be able to read them, running no code in them"):
        pretrained(HubertModel, opening(tmp_path))
    assert not witness.exists()
    torch.save(HubertModel(TINY).state_dict(), tmp_path / "pytorch_model.bin")
    assert pretrained(HubertModel, opening(tmp_path))[1] == revision_of(tmp_path / "pytorch_model.bin")


def test_a_folder_without_weights_is_named(tmp_path):
    TINY.save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"needs weights, model.safetensors or pytorch_model.bin; .* has none"):
        pretrained(HubertModel, opening(tmp_path))


@pytest.mark.parametrize("name", registry.ids())
def test_records_that_name_a_file_name_its_sum_rightly(name):
    """A sum that is none would be told only when somebody fetches the file."""
    assert re.fullmatch("[0-9a-f]{64}", registry.load(name).options.get("sha256", "0" * 64))
