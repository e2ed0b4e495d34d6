"""Confidence intervals by the bootstrap, drawn as confusion matrices rather than as utterances.

Drawing utterances within each class again is drawing each row of C from a multinomial distribution, and drawing
speakers again is adding up the matrices of speakers, so that a thousand draws cost no more than a score.

A speaker is one observation, however many utterances it has: where the question is how a system does on speakers it
has not met, utterances must be drawn by speaker. The percentile interval of few speakers is too narrow, for two
reasons that are known in closed form: its variance has the divisor G in place of G - 1, and its quantiles are those
of a normal distribution in place of Student's t. `interval` mends both.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

DRAWS = 2000
"""How often a bootstrap draws."""

MIN_GROUPS = 6
"""Fewer groups than this give no interval: too few different draws, and no correction helps."""

_CELLS = 2**22  # numbers that one batch of draws may hold, 32 MiB


def by_class(rows: np.ndarray, generator: "np.random.Generator") -> Iterator[np.ndarray]:
    """Draw the utterances of each class again, as many as there are.

    Args:
        rows: Counts of shape (K, M): of each class of the references, how often each of M outcomes occurred.
        generator: The source of randomness.

    Yields:
        Counts of shape (draws, K, M), float64, in batches that make `DRAWS` together.
    """
    shares = rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)
    for draws in _batches(rows.size):
        drawn = np.zeros((draws, *rows.shape))
        for i in np.flatnonzero(rows.sum(axis=1)):
            drawn[:, i] = generator.multinomial(rows[i].sum(), shares[i], size=draws)
        yield drawn


def by_group(tables: np.ndarray, generator: "np.random.Generator") -> Iterator[np.ndarray]:
    """Draw groups with replacement, as many as there are, each with all its utterances.

    Args:
        tables: Counts of shape (G, ...), one table per group.
        generator: The source of randomness.

    Yields:
        Sums of shape (draws, ...), float64, in batches that make `DRAWS` together.
    """
    size, flat = len(tables), tables.reshape(len(tables), -1).astype(float)
    for draws in _batches(max(flat.shape)):
        times = generator.multinomial(size, np.full(size, 1 / size), size=draws)
        yield (times @ flat).reshape(draws, *tables.shape[1:])


def _batches(size: int) -> Iterator[int]:
    batch = max(1, _CELLS // size)
    yield from (min(batch, DRAWS - done) for done in range(0, DRAWS, batch))


def interval(estimate: float, values: np.ndarray, level: float, groups: int | None, low: float = 0.0) -> list[float]:
    """Return the percentile interval, widened for few groups.

    The distances of both ends from the estimate are multiplied by sqrt(G / (G - 1)) t / z, with the quantiles t of
    Student's distribution with G - 1 degrees of freedom and z of the normal distribution.

    Args:
        estimate: The value on the data as they are.
        values: Its values on the draws.
        level: The share of intervals that shall cover the true value, such as 0.95.
        groups: The number G of groups that were drawn, None if utterances were.
        low: The lowest value that is possible; the highest is 1.

    Returns:
        The lower and the upper end.
    """
    ends = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    wider = widening(groups, level) if groups else 1.0
    return [float(end) for end in np.clip(estimate + wider * (ends - estimate), low, 1.0)]


def widening(groups: int, level: float) -> float:
    """Return the factor sqrt(G / (G - 1)) t / z of `interval`."""
    return math.sqrt(groups / (groups - 1)) * t_quantile((1 + level) / 2, groups - 1) / z_quantile((1 + level) / 2)


def confidence_intervals(
    counts: np.ndarray,
    means: Callable[[np.ndarray], dict[str, np.ndarray]],
    names: list[str],
    level: float,
    seed: int,
    grouped: bool,
) -> dict[str, Any]:
    """Draw again and return the interval of every score.

    Args:
        counts: The confusion matrix, shape (K, K); or one per group, shape (G, K, K).
        means: Takes matrices of shape (..., K, K) to scores of shape (...).
        names: The scores to give intervals of.
        level: As for `interval`.
        seed: Of the generator.
        grouped: Whether `counts` holds one matrix per group. A draw of groups in which a class of the references
            is missing is dropped, as its mean would run over other classes.

    Returns:
        ``level``, ``by`` ("utterances" or "groups"), ``groups`` (their number or None), ``draws`` (those used),
        ``dropped``, ``seed``, and an interval per name.

    Raises:
        ValueError: The level is no share, the seed no seed, or there are fewer than `MIN_GROUPS` groups.
    """
    generator = generator_of(level, seed)
    if grouped:
        counts = enough(counts)
    total = counts.sum(axis=0) if grouped else counts
    present = total.sum(axis=1) > 0
    kept: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for drawn in by_group(counts, generator) if grouped else by_class(counts, generator):
        whole = drawn[(drawn.sum(axis=-1) > 0)[:, present].all(axis=-1)]
        for name, values in means(whole).items():
            if name in kept:
                kept[name].append(values)
    values = {name: np.concatenate(parts) for name, parts in kept.items()}
    used = len(values[names[0]])
    if not used:
        raise ValueError(f"groups: none of {DRAWS} draws held every class of the references. Merge groups or classes.")
    estimate = means(total)
    groups = len(counts) if grouped else None
    return {
        "level": level,
        "by": "groups" if grouped else "utterances",
        "groups": groups,
        "draws": used,
        "dropped": DRAWS - used,
        "seed": seed,
    } | {name: interval(float(estimate[name]), values[name], level, groups) for name in names}


def generator_of(level: Any, seed: Any) -> "np.random.Generator":
    """Check the level and return an own generator; numpy's shared one is left alone."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0.5 <= level < 1:
        raise ValueError(f"confidence={level!r} is no level of confidence. Pass a share from 0.5 to below 1, as 0.95.")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise ValueError(f"seed={seed!r} is no seed: it must be an integer from 0, so that the draws can be repeated.")
    return np.random.default_rng(seed)


def enough(tables: np.ndarray) -> np.ndarray:
    """Leave out groups without an utterance that counts, and refuse fewer than `MIN_GROUPS`."""
    tables = tables[tables.reshape(len(tables), -1).any(axis=1)]
    if len(tables) < MIN_GROUPS:
        raise ValueError(
            f"groups: {len(tables)} groups are too few for an interval, which takes at least {MIN_GROUPS}: it would "
            "be far too narrow. Leave confidence out, or leave groups out and say that speakers are not accounted for."
        )
    return tables


def z_quantile(probability: float) -> float:
    """Return the quantile of the standard normal distribution."""
    from statistics import NormalDist  # its import takes as long as a score of a million utterances

    return NormalDist().inv_cdf(probability)


def t_quantile(probability: float, freedom: int) -> float:
    """Return the quantile of Student's t distribution for a whole number of degrees of freedom.

    Up to 1000 degrees of freedom the finite series of the distribution function is inverted by bisection (M.
    Abramowitz, I. Stegun: Handbook of Mathematical Functions, 1964, 26.7.3 and 26.7.4), beyond that the expansion
    about the normal quantile is exact to 1e-11 (26.7.5).

    Args:
        probability: From 0.5 to below 1.
        freedom: Degrees of freedom, from 1.

    Returns:
        The value that the distribution stays below with this probability.

    Examples:
        >>> round(t_quantile(0.975, 5), 4), round(t_quantile(0.975, 10_000), 4)
        (2.5706, 1.9602)
    """
    if freedom > 1000:
        z = z_quantile(probability)
        terms = (
            z,
            (z**3 + z) / 4,
            (5 * z**5 + 16 * z**3 + 3 * z) / 96,
            (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        )
        return sum(term / freedom**i for i, term in enumerate(terms))
    odd = freedom % 2
    steps = np.arange(2 + odd, freedom, 2)
    weights = np.cumprod([1.0, *((steps - 1) / steps)])[: (freedom - odd) // 2]
    powers = np.arange(len(weights)) * 2 + odd

    def within(angle: float) -> float:  # the probability of |t| < sqrt(freedom) tan(angle)
        series = math.sin(angle) * float(np.sum(weights * math.cos(angle) ** powers))
        return (angle + series) * 2 / math.pi if odd else series

    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < 2 * probability - 1 else (low, middle)
    return math.sqrt(freedom) * math.tan(low)
