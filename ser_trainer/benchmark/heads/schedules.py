"""Schedules: the learning rate of every optimizer step as a share of the base rate, and AdamW's momentum beside it."""

import math
from dataclasses import dataclass

import numpy as np

WARM_UP = 10
"""Epochs of warm-up of EmoBox (paper, section 3.1)."""

BETA1 = 0.9
"""Adam's first decay rate, Kingma and Ba 2015, algorithm 1."""


@dataclass(frozen=True, eq=False)
class Course:
    """What changes from step to step.

    Args:
        shares: learning rate of each step over the base rate (steps,).
        beta1: Adam's first decay rate in each step (steps,).
    """

    shares: np.ndarray
    beta1: np.ndarray


def constant(epoch: int, epochs: int) -> float:
    """Return 1: the base rate throughout."""
    return 1.0


def warmup(epoch: int, epochs: int) -> float:
    """Return the share of an epoch, counted from 1: EmoBox as its paper reads.

    Linear over the first 10 epochs. The paper does not say what follows; we let it fall linearly towards 0, which it
    would reach after the last one.

    >>> [round(warmup(epoch, 100), 3) for epoch in (1, 10, 11, 100)]
    [0.1, 1.0, 1.0, 0.011]
    """
    return epoch / WARM_UP if epoch <= WARM_UP else (epochs - epoch + 1) / (epochs - WARM_UP)


def warmup_code(epoch: int, epochs: int) -> float:
    """Return the share of an epoch, counted from 1: EmoBox as its script runs (EmoBox 08280f2, examples/sb/train.py).

    The scheduler is asked after each validation, so that the first epoch runs at the base rate and the second at 0.

    >>> [round(warmup_code(epoch, 100), 3) for epoch in (1, 2, 3, 12, 100)]
    [1.0, 0.0, 0.1, 1.0, 0.022]
    """
    if epoch == 1:
        return 1.0
    asked = epoch - 2
    return asked / WARM_UP if asked < WARM_UP else (epochs - asked) / (epochs - WARM_UP)


def _onecycle(steps: int) -> Course:
    """Return one cycle by cosines as torch's OneCycleLR runs it with its defaults and 10 % of warm-up.

    Smith and Topin 2018. Momentum mirrors the rate; SER Evals leaves that on (spaghettiSystems/serval fe66005,
    models/main.py).
    """
    top = 0.1 * steps - 1
    bottom = steps - 1
    rate, momentum = (1 / 25, 1.0, 1 / 25 / 1e4), (0.95, 0.85, 0.95)

    def between(levels: tuple[float, float, float], step: int) -> float:
        first, second, way = (
            (levels[0], levels[1], step / top) if step < top else (levels[1], levels[2], (step - top) / (bottom - top))
        )
        return second + (first - second) / 2 * (1 + math.cos(math.pi * way))

    return Course(*(np.array([between(levels, step) for step in range(steps)]) for levels in (rate, momentum)))


BY_EPOCH = {"constant": constant, "warmup": warmup, "warmup_code": warmup_code}
"""Schedules whose rate changes with the epoch."""

SCHEDULES = (*BY_EPOCH, "onecycle")
"""Names of all schedules."""


def course(schedule: str, epochs: int, batches: int) -> Course:
    """Return rate and momentum of every step.

    Args:
        schedule: one of `SCHEDULES`.
        epochs: number of epochs.
        batches: optimizer steps in each.
    """
    if schedule == "onecycle":
        return _onecycle(epochs * batches)
    shares = [BY_EPOCH[schedule](epoch, epochs) for epoch in range(1, epochs + 1)]
    return Course(np.repeat(shares, batches), np.full(epochs * batches, BETA1))
