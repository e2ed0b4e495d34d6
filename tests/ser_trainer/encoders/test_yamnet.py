import json
import re
import sys

import numpy as np
import pytest
import torch
from conftest import SHARED
from oracle import absolute_sum, rule_state, signal

from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, EncoderError, Exposure, ExtraError
from ser_trainer.encoders.families.yamnet import open as open_family
from ser_trainer.encoders.models.vggish import log_mel
from ser_trainer.encoders.models.yamnet import YAMNet, padded_length, patches
from ser_trainer.encoders.opening import Opening

ORACLES = SHARED / "oracles"
LENGTHS = (0.5, 1.0, 1.7, 3.0)


@pytest.fixture(scope="module")
def told():
    return json.loads((ORACLES / "yamnet.json").read_text())


@pytest.fixture(scope="module")
def numbers():
    return dict(np.load(ORACLES / "yamnet.npz"))


@pytest.fixture(scope="module")
def port(told):
    """What the file of the torch port holds: gains of 1 and counters that the oracle does not list."""
    state = rule_state(told["keys"])
    assert absolute_sum(state) == pytest.approx(told["weights_abs_sum"], rel=1e-6)
    for key in [key for key in state if key.endswith("bn.bias")]:
        state[key.replace("bias", "weight")] = torch.ones_like(state[key])
        state[key.replace("bias", "num_batches_tracked")] = torch.tensor(0)
    return state


@pytest.fixture(scope="module")
def opened(port, tmp_path_factory):
    path = tmp_path_factory.mktemp("yamnet") / "yamnet.pth"
    torch.save(port, path)
    return open_family(Opening(name="yamnet", place=str(path), record=registry.load("yamnet")))


@pytest.mark.parametrize("seconds", LENGTHS)
def test_log_mels_and_embeddings_are_those_of_the_original(seconds, numbers, opened):
    wave = torch.from_numpy(signal(seconds))
    filled = torch.nn.functional.pad(wave, (0, padded_length(len(wave)) - len(wave)))
    np.testing.assert_allclose(log_mel(filled, 0.001), numbers[f"logmel_{seconds}"], atol=4e-4)
    with torch.inference_mode():
        embeddings = opened._model(patches(wave))
    np.testing.assert_allclose(embeddings, numbers[f"embeddings_{seconds}"], atol=3e-5)


def test_maps_are_those_of_the_original(numbers, opened):
    x = patches(torch.from_numpy(signal(1.0)))[:1]
    with torch.inference_mode():
        for number, layer in enumerate(opened._model.children(), start=1):
            for convolution in layer.values():
                x = convolution(x)
            if number in (1, 2, 7, 14):
                wanted = numbers[f"layer{number}_1.0"].astype(np.float32)
                np.testing.assert_allclose(x, wanted, atol=5e-3 * abs(wanted).max())


def test_logits_follow_from_the_embeddings(numbers, opened, port):
    embeddings = opened.encode([_clip(1.0)])[0]
    logits = embeddings @ port["classifier.weight"].numpy().T + port["classifier.bias"].numpy()
    np.testing.assert_allclose(logits, numbers["logits_1.0"], atol=0.01)  # int16 samples against float


def _clip(seconds, name="clip"):
    return Clip(name, np.clip(np.rint(signal(seconds) * 32768), -32768, 32767).astype(np.int16))


def test_an_utterance_does_not_depend_on_its_batch(opened):
    clips = [_clip(seconds, str(seconds)) for seconds in (3.0, 0.5, 1.7)]
    together = opened.encode(clips)
    assert [len(one) for one in together] == [6, 1, 3]
    for clip, features in zip(clips, together, strict=True):
        np.testing.assert_allclose(opened.encode([clip])[0], features, atol=3e-5)
    means = opened.encode(clips, "all")
    np.testing.assert_allclose(means[0], together[0].mean(axis=0, keepdims=True), atol=1e-6)
    assert (opened.width, opened.depth, round(opened.frame_rate, 3)) == (1024, 1, 2.083)


def test_short_clips_and_silence_give_finite_frames(opened):
    samples = _clip(1.7).samples
    clips = [Clip(str(count), samples[:count]) for count in (1, 399, 400, 15_600, 15_601, 23_280, 23_281)]
    features = opened.encode([*clips, Clip("silence", np.zeros(8_000, np.int16))])
    assert [len(one) for one in features] == [1, 1, 1, 1, 2, 2, 3, 1]
    assert all(np.isfinite(one).all() and one.dtype == np.float32 for one in features)


@pytest.fixture(scope="module")
def keras(port, tmp_path_factory):
    """The port's weights under the names and in the layouts of Google's yamnet.h5."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path_factory.mktemp("yamnet") / "yamnet.h5"
    names = {"bias": "bn/beta", "running_mean": "bn/moving_mean", "running_var": "bn/moving_variance"}
    with h5py.File(path, "w") as file:
        for key, tensor in port.items():
            found = re.fullmatch(r"(layer\d+)\.(\w+)\.(conv|bn)\.(\w+)", key)
            if not found or found[4] in ("num_batches_tracked",) or (found[3], found[4]) == ("bn", "weight"):
                continue
            layer = f"{found[1]}/{'conv' if found[2] == 'fused' else found[2]}"
            values = tensor.numpy()
            if found[3] == "bn":
                variable = names[found[4]]
            elif found[2] == "depthwise_conv":
                variable, values = "depthwise_kernel", values.transpose(2, 3, 0, 1)
            else:
                variable, values = "kernel", values.transpose(2, 3, 1, 0)
            group, _, variable = f"{layer}/{variable}".rpartition("/")
            file[f"{group}/{group}/{variable}:0"] = values
        file["logits/logits/kernel:0"] = port["classifier.weight"].numpy().T
        file["logits/logits/bias:0"] = port["classifier.bias"].numpy()
    return path


def test_googles_own_file_gives_the_same(keras, opened):
    clip = _clip(1.0)
    encoder = open_family(Opening(name="yamnet", place=str(keras)))
    np.testing.assert_array_equal(encoder.encode([clip])[0], opened.encode([clip])[0])
    assert encoder.revision != opened.revision


def test_a_missing_h5py_is_named(keras, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ExtraError, match=r"pip install 'serbench\[yamnet\]'"):
        open_family(Opening(name="yamnet", place=str(keras)))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("layer3.depthwise_conv.bn.weight", torch.full((64,), 1.5), "have no gain; layer3.depthwise_conv.bn.weight"),
        ("layer3.pointwise_conv.conv.weight", torch.ones(2), r"layer3\.pointwise_conv\.conv\.weight \(2,\), needs"),
        ("layer15.fused.conv.weight", torch.ones(2), r"left over: layer15\.fused\.conv\.weight"),
    ],
)
def test_weights_that_do_not_fit_are_named(key, value, message, port, tmp_path):
    torch.save(port | {key: value}, tmp_path / "yamnet.pth")
    with pytest.raises(EncoderError, match=message):
        open_family(Opening(name="yamnet", place=str(tmp_path / "yamnet.pth")))


def test_the_record_agrees_with_the_network(told):
    record = registry.load("yamnet")
    assert sum(one.numel() for one in YAMNet().parameters()) == record.parameters
    assert record.parameters == told["parameters_without_classifier"]
    assert record.exposure("meld") is Exposure.UNKNOWN
