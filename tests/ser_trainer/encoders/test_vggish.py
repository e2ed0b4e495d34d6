import json

import numpy as np
import pytest
import torch
from conftest import SHARED
from oracle import absolute_sum, rule_state, signal

from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, Exposure
from ser_trainer.encoders.families import vggish
from ser_trainer.encoders.families.vggish import ExampleEncoder, cut
from ser_trainer.encoders.families.vggish import open as open_family
from ser_trainer.encoders.models.vggish import VGGish, examples, log_mel, mel_matrix
from ser_trainer.encoders.opening import Opening

ORACLES = SHARED / "oracles"
LENGTHS = (0.5, 1.0, 1.7, 3.0)


@pytest.fixture(scope="module")
def told():
    return json.loads((ORACLES / "vggish.json").read_text())


@pytest.fixture(scope="module")
def numbers():
    return dict(np.load(ORACLES / "vggish.npz"))


def _filled(seconds):
    """The oracle's input: short ones end in zeros, up to one example."""
    wave = signal(seconds)
    return torch.from_numpy(np.pad(wave, (0, max(0, 15_600 - len(wave)))))


def test_the_front_end_is_that_of_the_original(numbers):
    np.testing.assert_allclose(mel_matrix(), numbers["mel_matrix"], atol=1e-6)
    for seconds in LENGTHS:
        np.testing.assert_allclose(log_mel(_filled(seconds)), numbers[f"logmel_{seconds}"], atol=1e-4)


def test_the_convolutions_are_those_of_the_original(told, numbers):
    with torch.device("meta"):
        net = VGGish()  # its dense layers alone have 270 MB
    assert {key: list(tensor.shape) for key, tensor in net.state_dict().items()} == told["keys"]
    assert sum(one.numel() for one in net.parameters()) == told["parameters"] == registry.load("vggish").parameters
    keys = {key: shape for key, shape in told["keys"].items() if key.startswith("features.")}
    features = net.features.to_empty(device="cpu")
    features.load_state_dict({key.removeprefix("features."): one for key, one in rule_state(keys).items()})
    with torch.inference_mode():
        maps = features(examples(log_mel(_filled(1.0))))
    wanted = numbers["features_1.0"].astype(np.float32)
    np.testing.assert_allclose(maps, wanted, atol=1e-3 * abs(wanted).max())  # the oracle is float16


def test_dense_layers_read_time_then_frequency_then_channel():
    with torch.device("meta"):
        net = VGGish()
    net.features, net.embeddings = torch.nn.Identity(), torch.nn.Identity()
    flat = net(torch.arange(512 * 6 * 4).reshape(1, 512, 6, 4))
    assert flat[0, :2].tolist() == [0, 24]  # the next channel of the same time and frequency
    assert flat[0, 512].item() == 1  # the next frequency


@pytest.mark.slow
def test_embeddings_are_those_of_the_original(told, numbers, tmp_path):
    state = rule_state(told["keys"])
    assert absolute_sum(state) == pytest.approx(told["weights_abs_sum"], rel=1e-6)
    torch.save(state, tmp_path / "vggish.pth")
    encoder = open_family(Opening(name="vggish", place=str(tmp_path / "vggish.pth"), record=registry.load("vggish")))
    with torch.inference_mode():
        for seconds in LENGTHS:
            embeddings = encoder._model(examples(log_mel(_filled(seconds))))
            np.testing.assert_allclose(embeddings, numbers[f"pre_activation_{seconds}"], atol=1.5e-4)
            np.testing.assert_allclose(embeddings.relu(), numbers[f"embedding_{seconds}"], atol=1.5e-4)
    clips = [_clip("a", 48_000), _clip("b", 500)]
    features = encoder.encode(clips)
    assert [one.shape for one in features] == [(3, 128), (1, 128)]
    np.testing.assert_allclose(encoder.encode(clips[1:])[0], features[1], atol=1.5e-4)


def _clip(name, count):
    return Clip(name, np.rint(signal(3.0)[:count] * 32768).clip(-32768, 32767).astype(np.int16))


@pytest.mark.parametrize(
    ("samples", "count"), [(1, 1), (399, 1), (15_999, 1), (16_000, 1), (30_959, 1), (30_960, 2), (48_000, 3)]
)
def test_examples_are_whole(samples, count):
    pieces = cut(_clip("a", samples))
    assert pieces.shape == (count, 1, 96, 64) and torch.isfinite(pieces).all()


def test_the_id_decides_how_a_short_clip_is_filled_up():
    def first_sound(name):
        return int((cut(_clip(name, 4_000))[0, 0].amax(dim=1) > -4.6).nonzero()[0])

    starts = {name: first_sound(name) for name in map(str, range(12))}
    assert starts == {name: first_sound(name) for name in starts}
    assert len(set(starts.values())) > 6 and max(starts.values()) <= 76


class Mean(torch.nn.Module):
    """A network that is cheap: the mean over the frames of a piece."""

    def forward(self, x):
        return x.mean(dim=(1, 2))


def test_many_pieces_go_through_the_network_in_parts(monkeypatch):
    monkeypatch.setattr(vggish, "_AT_ONCE", 4)
    encoder = ExampleEncoder(Opening(name="mean", place=""), Mean(), cut, revision="0", width=64, hop=15_360)
    clips = [Clip("long", np.tile(_clip("", 48_000).samples, 4)), _clip("b", 16_000)]
    features = encoder.encode(clips)
    assert [one.shape for one in features] == [(12, 64), (1, 64)]
    np.testing.assert_allclose(features[0], cut(clips[0]).mean(dim=(1, 2)), atol=1e-5)
    assert encoder.encode(clips, "all")[0].shape == (1, 64)
    assert encoder.frame_rate == pytest.approx(1 / 0.96)


def test_the_record_leaves_web_video_unknown():
    assert registry.load("vggish").exposure("meld") is Exposure.UNKNOWN
