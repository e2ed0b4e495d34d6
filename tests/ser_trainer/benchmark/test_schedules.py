"""Schedules against the formulas of the papers and against torch's own scheduler."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_trainer.benchmark.heads.schedules import BY_EPOCH, course


@given(st.sampled_from(sorted(BY_EPOCH)), st.integers(1, 120), st.integers(1, 5))
def test_rates_by_epoch_stay_between_nothing_and_the_base_rate(schedule: str, epochs: int, batches: int) -> None:
    found = course(schedule, epochs, batches)
    shares = found.shares.reshape(epochs, batches)
    assert (shares == shares[:, :1]).all(), "a rate changed within an epoch"
    assert (shares >= 0).all() and (shares <= 1).all()
    assert (found.beta1 == 0.9).all()


def test_the_warm_up_of_the_paper_rises_for_ten_epochs_and_falls_to_the_end() -> None:
    shares = course("warmup", 100, 1).shares
    assert np.allclose(shares[:11], [*np.arange(1, 11) / 10, 1])
    assert np.allclose(np.diff(shares[10:]), -1 / 90)
    assert shares[-1] > 0


def test_the_warm_up_of_the_script_stands_still_in_its_second_epoch() -> None:
    # The sheet on EmoBox's script: epochs 2, 12 and 100 of 100.
    shares = course("warmup_code", 100, 1).shares
    assert shares[[0, 1, 11]].tolist() == [1.0, 0.0, 1.0]
    assert shares[99] == pytest.approx(2 / 90)


@pytest.mark.parametrize(("epochs", "batches"), [(100, 13), (3, 7), (1, 11)])
def test_one_cycle_is_that_of_torch(epochs: int, batches: int) -> None:
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.AdamW([weight], lr=1e-4)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-4, total_steps=epochs * batches, pct_start=0.1)
    theirs = []
    for _ in range(epochs * batches):
        theirs.append((optimizer.param_groups[0]["lr"] / 1e-4, optimizer.param_groups[0]["betas"][0]))
        weight.grad = torch.zeros(1)
        optimizer.step()
        if len(theirs) < epochs * batches:
            scheduler.step()
    ours = course("onecycle", epochs, batches)
    assert np.allclose(ours.shares, [share for share, _ in theirs], atol=1e-9)
    assert np.allclose(ours.beta1, [beta for _, beta in theirs], atol=1e-9)


@given(st.integers(1, 30))
def test_one_cycle_has_a_rate_for_every_number_of_steps(steps: int) -> None:
    found = course("onecycle", 1, steps)
    assert found.shares.shape == (steps,) and np.isfinite(found.shares).all()
