"""BYOL-A and BYOL-S: the originals' numbers, batches, and statistics that cannot leak."""

import copy
import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import absolute_sum, rule_state, signal

from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip, EncoderError, Exposure
from ser_trainer.encoders.families import byol
from ser_trainer.encoders.models.byol import ByolCNN, LogMel, padded
from ser_trainer.encoders.models.cvt import ByolCvT
from ser_trainer.encoders.opening import Opening

ORACLES = SHARED / "oracles"
RELEASED = ORACLES / "byols_default512.pth"
BYOLA = Path(os.environ.get("SERBENCH_BYOLA_512", "AudioNTT2020-BYOLA-64x96d512.pth"))  # may not be passed on
SECONDS = (0.5, 1.0, 1.7, 3.0)
README = (-5.4919195, 5.0389895)  # the statistics in BYOL-A's README, which the oracles with rule weights use


@pytest.fixture(scope="module")
def numbers() -> dict[str, np.ndarray]:
    return dict(np.load(ORACLES / "byol_nets.npz"))


@pytest.fixture(scope="module")
def shapes() -> dict:
    return json.loads((ORACLES / "byol.json").read_text())


@pytest.fixture(scope="module")
def released() -> byol.ByolEncoder:
    """BYOL-S 512 with the weights that its authors published."""
    return byol.open(Opening(name="byols_512", place=str(RELEASED), record=registry.load("byols_512")))


def clip(seconds: float, name: str = "one") -> Clip:
    return Clip(name, (signal(seconds) * 32_000).round().astype(np.int16))


def normalized(seconds: float, window: int, mean: float, std: float) -> torch.Tensor:
    return (LogMel(window)(torch.from_numpy(signal(seconds))) - mean) / std


@pytest.mark.parametrize("window", [400, 1024])
def test_log_mels_are_torchaudios(window: int) -> None:
    oracle = np.load(ORACLES / f"byol_logmel_win{window}.npz")
    front = LogMel(window)
    np.testing.assert_allclose(front.bands, oracle["fb"], atol=1e-6)
    for seconds in SECONDS:
        key = next(one for one in oracle.files if one.endswith(f"_{seconds}"))
        np.testing.assert_allclose(front(torch.from_numpy(signal(seconds))), oracle[key], atol=2e-5)


@pytest.mark.parametrize("width", [512, 1024, 2048])
def test_networks_give_the_originals_vectors(width: int, numbers: dict, shapes: dict) -> None:
    told = shapes[f"byols{width}"]
    state = rule_state(told["keys"])
    assert absolute_sum(state) == pytest.approx(told["weights_abs_sum"], rel=1e-6)
    network = ByolCNN(width).eval()
    assert sum(one.numel() for one in network.parameters()) == registry.load(f"byols_{width}").parameters
    network.load_state_dict(state)
    with torch.inference_mode():
        for seconds in SECONDS:
            y = network(normalized(seconds, 400, *README)[None, None])[0]
            np.testing.assert_allclose(y, numbers[f"byols{width}/y_{seconds}"], atol=5e-5)


def test_inner_maps_are_the_originals(numbers: dict, shapes: dict) -> None:
    network = ByolCNN(512).eval()
    network.load_state_dict(rule_state(shapes["byols512"]["keys"]))
    with torch.inference_mode():
        maps = network.features(normalized(0.5, 400, *README)[None, None])
        steps = network.fc(maps.permute(0, 3, 2, 1).flatten(2))
    for ours, name in ((maps, "features_0.5"), (steps, "fc_0.5")):
        original = numbers[f"byols512/{name}"].astype(np.float32)
        np.testing.assert_allclose(ours[0], original, atol=5e-3 * np.abs(original).max())


def test_the_published_checkpoint_gives_the_published_vectors(released: byol.ByolEncoder, numbers: dict) -> None:
    assert released.revision == "449f5d0dc6b6fa84"
    mean, std = byol.SERAB["cremad"]
    with torch.inference_mode():
        for seconds in SECONDS:
            y = released._network(normalized(seconds, 400, mean, std)[None, None])[0]
            np.testing.assert_allclose(y, numbers[f"byols512_released/y_{seconds}"], atol=5e-5)


@pytest.mark.skipif(not BYOLA.is_file(), reason="SERBENCH_BYOLA_512 names NTT's file, which everyone fetches alone")
def test_ntts_checkpoint_gives_its_vectors_with_its_own_window(numbers: dict) -> None:
    record = registry.load("byola_512")
    encoder = byol.open(Opening(name="byola_512", place=str(BYOLA), record=record))
    assert record.options["sha256"].startswith(encoder.revision)
    with torch.inference_mode():
        for seconds in SECONDS:
            y = encoder._network(normalized(seconds, 1024, *README)[None, None])[0]
            np.testing.assert_allclose(y, numbers[f"byola512_released/y_{seconds}"], atol=2e-4)


def test_a_clip_gives_what_its_samples_over_32767_give(released: byol.ByolEncoder) -> None:
    fitted, one = released.fitted("serab", "cremad", []), clip(1.0)
    mean, std = byol.SERAB["cremad"]
    with torch.inference_mode():
        maps = (LogMel(400)(torch.from_numpy(one.samples / np.float32(32_767))) - mean) / std
        expected = released._network(maps[None, None])
    for layers in ("last", "all"):
        (vector,) = fitted.encode([one], layers)
        assert vector.shape == (1, 512) == (fitted.depth, fitted.width)
        assert vector.dtype == np.float32
        np.testing.assert_allclose(vector, expected, atol=1e-6)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 20_000), min_size=2, max_size=4))
def test_neighbors_change_nothing(released: byol.ByolEncoder, lengths: list[int]) -> None:
    """A batch is what a GPU gets; without the masks a padded row moves by 0.1 and more."""
    fitted = released.fitted("serab", "cremad", [])
    samples = (signal(1.7) * 32_000).astype(np.int16)
    clips = [Clip(str(place), samples[:length]) for place, length in enumerate(lengths)]
    for batched, alone in zip(fitted._vectors(clips), fitted.encode(clips), strict=True):
        np.testing.assert_allclose(batched, alone[0], atol=5e-5, rtol=2e-5)


@pytest.mark.parametrize("samples", [0, 1, 512, 1119, 1120])
def test_short_and_silent_clips_are_padded(released: byol.ByolEncoder, samples: int) -> None:
    fitted = released.fitted("serab", "cremad", [])
    assert fitted.identity["minimum_samples"] == 1120
    silent, padded_by_hand = Clip("a", np.zeros(samples, np.int16)), Clip("b", np.zeros(1120, np.int16))
    ours, theirs = fitted.encode([silent, padded_by_hand])
    assert np.isfinite(ours).all()
    np.testing.assert_array_equal(ours, theirs)


def test_statistics_of_a_corpus_are_means_over_its_training_clips(released: byol.ByolEncoder) -> None:
    clips = [clip(0.5), clip(1.7)]
    fitted = released.fitted("fold1", "urdu", iter(clips))
    maps = [LogMel(400)(torch.from_numpy(one.samples / np.float32(32_767))) for one in clips]
    assert fitted.statistics.mean == pytest.approx(np.mean([one.mean() for one in maps]), abs=1e-5)
    assert fitted.statistics.std == pytest.approx(np.mean([one.numpy().std(ddof=1) for one in maps]), abs=1e-5)
    assert fitted.identity["mean"] == fitted.statistics.mean
    assert released.statistics is None and "mean" not in released.identity
    again = released.fitted("fold1", "urdu", reversed(clips))
    assert again.identity == fitted.identity


@pytest.mark.parametrize("corpus", sorted(byol.SERAB))
def test_serabs_tasks_have_serabs_constants_in_config_serab_alone(released: byol.ByolEncoder, corpus: str) -> None:
    def unread():
        raise AssertionError("clips were read")
        yield

    assert released.fitted("serab", corpus, unread()).statistics == byol.SERAB[corpus]
    own = [clip(0.5)]
    assert released.fitted("serab_strict", corpus, own).statistics == released.fitted("x", "y", own).statistics
    longer = byol.ByolEncoder(Opening(name="a", place=""), ByolCNN(4), 1024, "r")
    assert longer.fitted("serab", corpus, own).statistics != byol.SERAB[corpus]


def test_no_statistics_no_features(released: byol.ByolEncoder) -> None:
    with pytest.raises(EncoderError, match=r"byols_512.*training clips.*fitted\(config, corpus, training_clips\)"):
        released.encode([clip(0.5)])
    with pytest.raises(EncoderError, match="urdu/fold1.*there are none"):
        released.fitted("fold1", "urdu", [])
    with pytest.raises(EncoderError, match="urdu/fold1.*silent"):
        released.fitted("fold1", "urdu", [Clip("a", np.zeros(5000, np.int16))])


def test_values_that_are_not_finite_name_the_utterance(released: byol.ByolEncoder) -> None:
    broken = copy.deepcopy(released).fitted("serab", "cremad", [])
    with torch.no_grad():
        broken._network.fc[3].bias[7] = torch.nan
    with pytest.raises(EncoderError, match="utterance u7 gives 1 values"):
        broken.encode([clip(0.5, "u7")])


def test_bfloat16_stays_close(released: byol.ByolEncoder) -> None:
    record = registry.load("byols_512")
    half = byol.open(Opening(name="byols_512", place=str(RELEASED), record=record, precision="bfloat16"))
    assert half.identity["precision"] == "bfloat16"
    ours = half.fitted("serab", "cremad", []).encode([clip(1.7), clip(0.5)])
    for rough, fine in zip(ours, released.fitted("serab", "cremad", []).encode([clip(1.7), clip(0.5)]), strict=True):
        assert rough.dtype == np.float32
        assert (rough * fine).sum() >= 0.999 * np.linalg.norm(rough) * np.linalg.norm(fine)


def test_an_encoder_with_statistics_travels_to_a_worker(released: byol.ByolEncoder) -> None:
    fitted = released.fitted("serab", "cremad", [])
    there = pickle.loads(pickle.dumps(fitted))
    assert there.identity == fitted.identity
    np.testing.assert_array_equal(there.encode([clip(0.5)])[0], fitted.encode([clip(0.5)])[0])


def test_identity_has_no_path_and_no_device(released: byol.ByolEncoder) -> None:
    assert not any(str(RELEASED.parent) in str(value) or value == "cpu" for value in released.identity.values())
    assert released.identity["window"] == 400 and released.identity["revision"] == released.revision


def test_prefixes_of_training_scripts_are_dropped_but_two_networks_are_refused() -> None:
    one = torch.zeros(1)
    assert set(byol.without_prefix({"online.net.features.0.bias": one, "fc.0.bias": one, "other": one}, "file")) == {
        "features.0.bias",
        "fc.0.bias",
        "other",
    }
    assert set(byol.without_prefix({"net.layers.0.2.layers.0.0.norm.g": one}, "file")) == {
        "layers.0.2.layers.0.0.norm.g"
    }
    with pytest.raises(EncoderError, match="online.fc.0.bias and target.fc.0.bias are both fc.0.bias"):
        byol.without_prefix({"online.fc.0.bias": one, "target.fc.0.bias": one}, "file")


def test_weights_of_another_size_and_files_without_a_record_are_refused() -> None:
    wrong = Opening(name="byols_1024", place=str(RELEASED), record=registry.load("byols_1024"))
    with pytest.raises(EncoderError, match=r"byols_1024 \(byols_default512.pth\).*fc.0.weight \(512, 512\)"):
        byol.open(wrong)
    with pytest.raises(EncoderError, match="byols_512=FILE"):
        byol.open(replace(wrong, record=None))


@pytest.mark.parametrize("name", [one for one in registry.ids() if one.startswith("byol")])
def test_records_say_what_their_networks_are(name: str) -> None:
    record = registry.load(name)
    stages = record.options.get("stages")
    network = ByolCvT(stages, record.options["pool"]) if stages else ByolCNN(record.width)
    assert network.width == record.width
    assert sum(one.numel() for one in network.parameters()) == record.parameters
    table = (SHARED / "published" / "serab_table3.csv").read_text()
    assert f'"{record.rows["serab_table3"]}"' in table
    assert record.exposure("meld") is Exposure.UNKNOWN
    if "sha256" in record.options and name.startswith("byols"):
        assert record.options["sha256"].startswith("449f5d0d")


def test_equal_lengths_need_no_mask() -> None:
    batch, frames = padded([torch.zeros(64, 9), torch.zeros(64, 9)])
    assert batch.shape == (2, 1, 64, 9) and frames is None
    assert padded([torch.zeros(64, 9), torch.zeros(64, 8)])[1].tolist() == [9, 8]
