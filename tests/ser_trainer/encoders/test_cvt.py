"""BYOL-S/CvT: the original's numbers, and rows that do not see the padding of a batch."""

import json

import numpy as np
import pytest
import torch
from conftest import SHARED
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import absolute_sum, rule_state, signal

from ser_trainer.encoders import registry
from ser_trainer.encoders.encoder import Clip
from ser_trainer.encoders.families import byol
from ser_trainer.encoders.models.byol import LogMel, padded
from ser_trainer.encoders.models.cvt import ByolCvT
from ser_trainer.encoders.opening import Opening

ORACLES = SHARED / "oracles"
SHAPES = json.loads((ORACLES / "byol.json").read_text()) if ORACLES.is_dir() else {}
README = (-5.4919195, 5.0389895)
MODELS = {
    "cvt_small256": "byols_cvt_small",
    "cvt_large512": "byols_cvt_large_512",
    "cvt_large2048": "byols_cvt_large_2048",
}


@pytest.fixture(scope="module")
def numbers() -> dict[str, np.ndarray]:
    return dict(np.load(ORACLES / "byol_nets.npz"))


def network(model: str) -> ByolCvT:
    """Return a network with the rule's weights."""
    record = registry.load(MODELS[model])
    made = ByolCvT(record.options["stages"], record.options["pool"]).eval()
    made.load_state_dict(rule_state(SHAPES[model]["keys"]))
    return made


def log_mel(seconds: float) -> torch.Tensor:
    return (LogMel(400)(torch.from_numpy(signal(seconds))) - README[0]) / README[1]


@pytest.mark.parametrize("model", MODELS)
def test_networks_give_the_originals_vectors(model: str, numbers: dict) -> None:
    net = network(model)
    assert absolute_sum(net.state_dict()) == pytest.approx(SHAPES[model]["weights_abs_sum"], rel=1e-6)
    with torch.inference_mode():
        for seconds in (0.5, 1.0, 1.7, 3.0):
            y = net(log_mel(seconds)[None, None])[0]
            tolerance = 2e-4 if model.endswith("2048") else 5e-5
            np.testing.assert_allclose(y, numbers[f"{model}/y_{seconds}"], atol=tolerance)


@pytest.mark.parametrize("model", ["cvt_small256", "cvt_large2048"])
def test_inner_maps_are_the_originals(model: str, numbers: dict) -> None:
    net, seen = network(model), {}
    for place, (_, norm, transformer) in enumerate(net.layers, start=1):
        norm.register_forward_hook(lambda *_, name=f"stage{place}_embed_norm": seen.update({name: _[2]}))
        transformer.register_forward_hook(lambda *_, name=f"stage{place}": seen.update({name: _[2]}))
    with torch.inference_mode():
        net(log_mel(0.5)[None, None])
    assert len(seen) == 6
    for name, ours in seen.items():
        original = numbers[f"{model}/{name}_0.5"].astype(np.float32)
        np.testing.assert_allclose(ours[0], original, atol=5e-3 * np.abs(original).max())


@pytest.fixture(scope="module", params=["cvt_small256", "cvt_large2048"])
def pooled(request: pytest.FixtureRequest) -> ByolCvT:
    return network(request.param)


@settings(max_examples=12, deadline=None)
@given(frames=st.lists(st.integers(8, 171), min_size=2, max_size=4))
def test_rows_do_not_see_the_padding(pooled: ByolCvT, frames: list[int]) -> None:
    whole = log_mel(1.7)
    rows = [whole[:, -length:] for length in frames]
    with torch.inference_mode():
        together = pooled(*padded(rows))
        for row, ours in zip(rows, together, strict=True):
            np.testing.assert_allclose(ours, pooled(row[None, None])[0], atol=5e-5)


def test_the_family_opens_a_cvt_from_a_file(tmp_path) -> None:
    state = network("cvt_small256").state_dict()
    torch.save({f"encoder.{key}": value for key, value in state.items()}, tmp_path / "own.pth")
    record = registry.load("byols_cvt_small")
    encoder = byol.open(Opening(name=record.id, place=str(tmp_path / "own.pth"), record=record))
    fitted = encoder.fitted("serab", "emodb", [])
    samples = (signal(1.0) * 32_000).astype(np.int16)
    clips = [Clip("long", samples), Clip("short", samples[:3000]), Clip("one", samples[:1])]
    for batched, alone in zip(fitted._vectors(clips), fitted.encode(clips), strict=True):
        assert alone.shape == (1, 256)
        np.testing.assert_allclose(batched, alone[0], atol=5e-5)
