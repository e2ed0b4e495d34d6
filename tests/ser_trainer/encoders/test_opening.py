"""What a user calls an encoder: records, own weights, folders, Hub ids, functions."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from huggingface_hub import errors
from loopback_hub import Blob, Commit, Hub, Repo
from transformers import SeamlessM4TFeatureExtractor, Wav2Vec2BertConfig, Wav2Vec2BertModel

from loading_scripts.errors import DiskFullError, UnknownNameError
from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, EncoderError
from ser_trainer.encoders.families.function import open_function
from ser_trainer.encoders.hub import hub_file
from ser_trainer.encoders.opening import Opening, family_of, open_encoder, resolve

TINY = Wav2Vec2BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)

FUNCTIONS = """
import numpy as np
import torch
SCALE = 1.0
def vector(wave):
    return SCALE * np.array([wave.mean(), wave.std(), len(wave)])
def frames(wave):
    return torch.from_numpy(wave[: len(wave) // 320 * 320].reshape(-1, 320)[:, :4].copy())
def grows(wave):
    return np.ones(3 if len(wave) > 8000 else 4)
def nothing(wave):
    return None
def hole(wave):
    return np.array([np.nan if len(wave) == 5 else 1.0])
"""


@pytest.fixture
def functions(tmp_path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FUNCTIONS)
    return path


def clip(n: int) -> Clip:
    return Clip(f"u{n}", np.random.default_rng(n).integers(-3000, 3000, n, dtype=np.int16))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder called `tuned` with a config.json of a HuBERT."""
    made = tmp_path / "tuned"
    made.mkdir()
    (made / "config.json").write_text('{"model_type": "hubert"}')
    return made


def test_a_record_is_opened_from_its_checkpoint():
    known, opening = resolve("byols_512", device="cuda:1", precision="bfloat16")
    assert known is registry.load("byols_512")
    assert opening == Opening(
        name="byols_512",
        place=known.checkpoint,
        record=known,
        revision=known.revision,
        device="cuda:1",
        precision="bfloat16",
    )


def test_weights_of_ones_own_for_a_record(tmp_path):
    (tmp_path / "own.pth").write_bytes(b"")
    for place in (tmp_path, tmp_path / "own.pth"):
        known, opening = resolve(f"byols_512={place}")
        assert (opening.name, opening.place, opening.record) == ("byols_512", str(place), known)
    with pytest.raises(EncoderError, match="there is no file or folder '/no/where'"):
        resolve("byols_512=/no/where")
    with pytest.raises(UnknownNameError, match="Did you mean 'byols_512'"):
        resolve(f"byol_512={tmp_path}")


def test_a_name_that_means_nothing_has_neighbours():
    with pytest.raises(UnknownNameError, match="Encoder 'byols512': has no record. Did you mean .*'byols_512'"):
        resolve("byols512")


def test_a_folder_is_named_without_its_place(folder, monkeypatch):
    for given in (str(folder), f"{folder}/", f"{folder}/../tuned"):
        record, opening = resolve(given)
        assert (record, opening.name) == (None, "tuned")
    monkeypatch.chdir(folder)
    assert resolve(".")[1].name == "tuned"


def test_hub_ids_with_and_without_a_revision():
    assert resolve("someone/model-1.0")[1] == Opening(name="someone/model-1.0", place="someone/model-1.0")
    assert resolve("someone/model@v2")[1] == Opening(name="someone/model", place="someone/model", revision="v2")


@pytest.mark.parametrize("path", ["/no/where", "./no", "~/no/where", "some/where/else", "../no"])
def test_a_path_that_does_not_exist(path):
    with pytest.raises(EncoderError, match=f"Encoder {path}: there is no such folder"):
        resolve(path)


def test_a_file_of_weights_needs_its_encoder(tmp_path):
    (tmp_path / "model.pth").write_bytes(b"")
    with pytest.raises(EncoderError, match=r"is a file; .* id="):
        resolve(str(tmp_path / "model.pth"))


def test_the_config_says_which_family_opens_it(folder):
    for model_type, family in (
        ("hubert", "waveform"),
        ("exhubert", "waveform"),
        ("whisper", "whisper"),
        ("wav2vec2-bert", "w2v_bert"),
        ("clap", "clap"),
    ):
        (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
        assert family_of(resolve(str(folder))[1]) == family


def test_a_config_that_no_family_opens(folder):
    config = folder / "config.json"
    for content, message in (
        ('{"model_type": "bert"}', r"no family opens the model_type 'bert'\..*clap.*hubert.*whisper"),
        ('{"model_type": "whispr"}', "Did you mean 'whisper'"),
        ("{}", "no family opens the model_type None"),
        ("[1]", "config.json must be a JSON object"),
        ("{", "config.json must be a JSON object"),
    ):
        config.write_text(content)
        with pytest.raises(EncoderError, match=f"Encoder tuned: .*{message}"):
            open_encoder(str(folder))
    config.unlink()
    with pytest.raises(EncoderError, match=r"must hold config.json.*id=weights"):
        open_encoder(str(folder))


def test_code_of_a_checkpoint_is_not_run_unasked(folder):
    (folder / "config.json").write_text('{"model_type": "own", "auto_map": {"AutoModel": "code.Own"}}')
    (folder / "code.py").write_text("raise SystemExit('ran')")
    with pytest.raises(EncoderError, match="--trust-remote-code runs that code on this machine with all your rights"):
        open_encoder(str(folder))


def raising(kind: type[Exception]) -> Exception:
    if issubclass(kind, errors.HfHubHTTPError):
        return kind("Oh no", response=SimpleNamespace(headers={}, request=None, status_code=403))
    return kind("Oh no")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (errors.RepositoryNotFoundError, "no folder here, and no model on the Hub that one may read.*HF_TOKEN"),
        (errors.GatedRepoError, "accepted its terms.*huggingface.co/some/model.*HF_TOKEN"),
        (errors.RevisionNotFoundError, "no revision 'main'"),
        (errors.LocalEntryNotFoundError, "cannot be reached.*name its folder"),
        (errors.OfflineModeIsEnabled, "HF_HUB_OFFLINE is set"),
        (errors.RemoteEntryNotFoundError, "no file config.json"),
        (errors.HfHubHTTPError, "was not given by the Hub .Oh no.*Try again"),
        (errors.HTTPError, "was not given by the Hub .Oh no"),
        (errors.HFValidationError, "no name that the Hub allows"),
    ],
)
def test_what_the_hub_refuses_is_explained(kind, message, monkeypatch):
    def refuse(*_, **__):
        raise raising(kind)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(EncoderError, match=f"Encoder some/model: some/model .*{message}") as caught:
        hub_file(Opening(name="some/model", place="some/model"), "config.json")
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_told(monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refuse)
    with pytest.raises(DiskFullError, match="Encoder some/model: .*HF_HOME"):
        hub_file(Opening(name="some/model", place="some/model"), "config.json")


@pytest.fixture
def connected(hub, monkeypatch, tmp_path) -> Hub:
    """The stand-in for the Hub, asked by huggingface_hub in this process."""
    template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    for name, value in {
        "ENDPOINT": hub.url,
        "HUGGINGFACE_CO_URL_TEMPLATE": template,
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_DISABLE_XET": True,
        "HF_HUB_OFFLINE": False,
    }.items():
        monkeypatch.setattr(f"huggingface_hub.constants.{name}", value)
    return hub


def test_a_checkpoint_on_the_hub_is_the_folder_that_was_pushed(connected, monkeypatch, tmp_path):
    saved = tmp_path / "saved"
    Wav2Vec2BertModel(TINY).save_pretrained(saved)
    SeamlessM4TFeatureExtractor().save_pretrained(saved)
    files = {path.name: Blob(path.read_bytes(), lfs=path.suffix == ".safetensors") for path in saved.iterdir()}
    files |= {"model.fp32-00001-of-00001.safetensors": Blob(b"again", lfs=True), "notes.txt": Blob(b"x", lfs=False)}
    repo = Repo("someone/w2v-bert", private=False)
    repo.commits = [*repo.commits, Commit("weights", files), Commit("emptied", {})]
    connected.repos["models/someone/w2v-bert"] = repo
    commit = repo.commits[1].oid

    local, encoder = open_encoder(str(saved)), open_encoder(f"someone/w2v-bert@{commit}")
    assert (encoder.name, encoder.revision) == ("someone/w2v-bert", commit)
    np.testing.assert_array_equal(encoder.encode([clip(3000)])[0], local.encode([clip(3000)])[0])
    own = {"encoder": "", "revision": ""}
    assert {**encoder.identity, **own} == {**local.identity, **own}
    fetched = sorted(one.path.rpartition("/")[2] for one in connected.asked("GET", "/resolve/"))
    assert fetched == ["config.json", "model.safetensors", "preprocessor_config.json"]
    for name, message in (
        ("someone/nothing", "no folder here, and no model on the Hub"),
        ("someone/w2v-bert@v9", "no revision 'v9'"),
        ("someone/w2v-bert", "no file config.json"),
    ):
        with pytest.raises(EncoderError, match=message):
            open_encoder(name)

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    asked = len(connected.requests)
    assert open_encoder(f"someone/w2v-bert@{commit}").identity == encoder.identity
    with pytest.raises(EncoderError, match="not in the cache, and the Hub cannot be reached"):
        open_encoder("someone/nothing")
    assert len(connected.requests) == asked


def test_functions_are_encoders(functions):
    vector = open_encoder(f"{functions}:vector")
    assert (vector.name, vector.width, vector.depth, vector.frame_rate) == ("mine.py:vector", 3, 1, None)
    found = vector.encode([clip(1), clip(500)])
    assert [one.shape for one in found] == [(1, 3)] * 2
    assert [one[0, 2] for one in found] == [1, 500]
    assert found[0].dtype == np.float32
    frames = open_encoder(f"{functions}:frames")
    assert (frames.width, frames.frame_rate) == (4, 50)
    last, means = frames.encode([clip(3200)])[0], frames.encode([clip(3200)], "all")[0]
    assert (last.shape, means.shape) == ((10, 4), (1, 4))
    np.testing.assert_array_equal(last[1], clip(3200).wave[320:324])
    np.testing.assert_allclose(means[0], last.mean(axis=0), rtol=1e-6)


def test_a_function_of_a_module(monkeypatch, functions):
    monkeypatch.syspath_prepend(str(functions.parent))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    encoder = open_encoder("mine:vector")
    assert encoder.name == "mine:vector"
    assert encoder.revision == open_encoder(f"{functions}:vector").revision


def test_a_function_that_changed_is_another_encoder(functions):
    before = open_encoder(f"{functions}:vector")
    assert str(functions.parent) not in str(before.identity)
    assert open_encoder(f"{functions}:vector").identity == before.identity
    functions.write_text(FUNCTIONS.replace("SCALE = 1.0", "SCALE = 2.0"))
    after = open_encoder(f"{functions}:vector")
    assert after.revision != before.revision
    assert after.encode([clip(9)])[0][0, 1] == pytest.approx(2 * before.encode([clip(9)])[0][0, 1])


def test_callables_of_python_users():
    class Scaled:
        def __init__(self, by: float) -> None:
            self.by = by

        def __call__(self, wave: np.ndarray) -> torch.Tensor:
            return self.by * torch.from_numpy(wave[:2].copy()).to(torch.bfloat16)

    encoder = open_function(Scaled(2.0), "scaled by 2")
    assert encoder.encode([clip(4)])[0].dtype == np.float32
    assert encoder.identity["encoder"] == "scaled by 2"
    with pytest.raises(EncoderError, match=r"whose source Python finds.*def"):
        open_function(len, "len")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mine.py:vectr", "defines no function vectr. Did you mean 'vector'"),
        ("mine.py:nothing", r"must return numbers \(T, D\) or \(D,\); .* returned NoneType of shape"),
        ("other.py:vector", "there is no file"),
        ("no_such_module:vector", "No module named 'no_such_module'.*PYTHONPATH"),
    ],
)
def test_functions_that_are_none(name, message, functions, monkeypatch):
    monkeypatch.chdir(functions.parent)
    with pytest.raises(EncoderError, match=f"Encoder {name}: .*{message}"):
        open_encoder(name)


def test_features_that_are_none_name_the_utterance(functions):
    with pytest.raises(EncoderError, match=r"all features must be \(3,\).*utterance u7 \(7 samples\) are \(4,\)"):
        open_encoder(f"{functions}:grows").encode([clip(9000), clip(7)])
    with pytest.raises(EncoderError, match="must be finite; of utterance u5, 1 of 1 are NaN"):
        open_encoder(f"{functions}:hole").encode([clip(4), clip(5)])


_LIGHT = """
import sys
from ser_trainer.encoders import opening
opening.resolve("byols_512")
opening.resolve("someone/model")
print({"torch", "transformers", "datasets", "huggingface_hub"} & set(sys.modules))
"""


def test_resolving_imports_nothing_heavy(run_python, tmp_path):
    done = run_python(_LIGHT, tmp_path)
    assert done.stdout.strip() == "set()", done.stdout + done.stderr
