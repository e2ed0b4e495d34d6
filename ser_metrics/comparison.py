"""Compare two systems on the same utterances: is the difference more than noise?"""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .columns import column, declared, excluded, groups_of, listed, near, occurring, positions, same_length
from .intervals import DRAWS, by_class, by_group, enough, generator_of, interval, t_quantile
from .rates import MEANS, Absent, check_convention, means

_MOST = 1_000_000  # speakers beyond which "how many more" is no plan


def compare(
    a: Iterable[int] | Iterable[str],
    b: Iterable[int] | Iterable[str],
    references: Iterable[int] | Iterable[str],
    labels: Sequence[int] | Sequence[str] | None = None,
    absent: Absent | None = None,
    *,
    score: str = "ua",
    exclude: int | str | Sequence[int] | Sequence[str] | None = None,
    groups: Iterable[int] | Iterable[str] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Tell whether two systems can be told apart on the same references.

    The bootstrap draws speakers (or, without `groups`, utterances within their class) once for both systems, so that
    what is hard for both cancels out, and gives an interval of the difference a - b. McNemar's exact test looks at
    the utterances of which one system alone is right; it takes utterances as independent, which those of one speaker
    are not, so its p-value is too small where speakers differ. The sentence rests on the interval.

    How many more speakers it would take: with G speakers the half-width of the interval is s t_{G-1} / sqrt(G), and s
    is read off the present one; the smallest G whose half-width is below the difference, if the difference stays
    what it is. At that G the chance to see it is about one half: plan for more.

    Args:
        a: Predictions of one system, as for `ser_metrics.scores`.
        b: Predictions of the other.
        references: The true classes.
        labels: The declared classes, as for `ser_metrics.scores`.
        absent: The convention for absent classes, likewise.
        score: Which score decides: one of `rates.MEANS`.
        exclude: Classes that do not count.
        groups: Whom each utterance belongs to, such as its speaker.
        confidence: Level of the interval.
        seed: Of the generator of the draws.

    Returns:
        ``score``, ``a``, ``b`` (the values), ``difference`` (a - b), ``interval``, ``distinct`` (whether the interval
        leaves out 0), ``level``, ``by``, ``groups``, ``draws``, ``dropped``, ``seed``, ``n``; ``mcnemar`` with
        ``only_a`` and ``only_b`` (utterances of which that system alone is right) and ``p``; ``more`` (groups, or
        utterances, to add; None if the systems are distinct, or if a million would not do); and ``sentence``.

    Raises:
        ValueError: As for `ser_metrics.scores`.

    References:
        Q. McNemar: Note on the sampling error of the difference between correlated proportions or percentages.
        Psychometrika 12, 1947.
        M. Bisani, H. Ney: Bootstrap estimates for confidence intervals in ASR performance evaluation. ICASSP 2004.

    Examples:
        >>> references = [0, 1] * 60
        >>> good, bad = [0, 1] * 55 + [1, 0] * 5, [0, 1] * 35 + [1, 0] * 25
        >>> result = compare(good, bad, references, groups=[f"speaker{i // 10}" for i in range(120)])
        >>> round(result["difference"], 3), result["mcnemar"]["only_a"], result["distinct"]
        (0.333, 40, True)
        >>> print(compare(bad, bad, references)["sentence"])
        On 120 utterances both systems score UA 0.583: they cannot be told apart, and no difference is to be seen.
    """
    check_convention(absent, labels)
    if score not in MEANS:
        raise ValueError(f"score={score!r} cannot be compared.{near(score, MEANS)} Use one of {', '.join(MEANS)}.")
    generator = generator_of(confidence, seed)
    columns = {"a": column(a, "a"), "b": column(b, "b"), "references": column(references, "references")}
    for side in ("a", "b"):
        same_length(columns[side], columns["references"], side)
    classes = declared(labels) if labels is not None else occurring(*((read, side) for side, read in columns.items()))
    counted = excluded(exclude, classes, known=labels is not None)
    of_a, of_b, actual = (positions(read, classes, side).astype(np.int64) for side, read in columns.items())
    used = counted[actual]
    if not used.any():
        missing = [name for name, counts_in in zip(classes, counted, strict=True) if counts_in]
        raise ValueError(f"references: none of {listed(missing)}, so nothing to compare.")

    size = len(classes)
    if groups is None:
        drawn = _by_utterance((of_a[used], of_b[used], actual[used]), size, generator)
        systems = np.stack([_matrices(side[used], actual[used], size) for side in (of_a, of_b)])
        drawn_groups = None
    else:
        _, place = groups_of(groups, actual)
        tables = np.stack([_matrices(side[used], actual[used], size, place[used]) for side in (of_a, of_b)], axis=1)
        tables = enough(tables)
        drawn, systems, drawn_groups = by_group(tables, generator), tables.sum(axis=0), len(tables)
    present = systems[0].sum(axis=1) > 0
    kept = []
    for both in drawn:  # (draws, 2, K, K)
        whole = both[(both[:, 0].sum(axis=-1) > 0)[:, present].all(axis=-1)]
        values = means(whole, counted, absent)[score]
        kept.append(values[:, 0] - values[:, 1])
    differences = np.concatenate(kept)
    if not len(differences):
        raise ValueError(f"groups: none of {DRAWS} draws held every class of the references. Merge groups or classes.")

    value_a, value_b = (float(value) for value in means(systems, counted, absent)[score])
    difference = value_a - value_b
    ends = interval(difference, differences, confidence, drawn_groups, low=-1.0)
    right_a, right_b = (of_a == actual)[used], (of_b == actual)[used]
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    distinct = bool(ends[0] > 0 or ends[1] < 0)
    n = int(used.sum())
    more = None if distinct else _more(difference, ends, confidence, drawn_groups, n)
    result = {
        "score": score,
        "a": value_a,
        "b": value_b,
        "difference": difference,
        "interval": ends,
        "distinct": distinct,
        "level": confidence,
        "by": "utterances" if drawn_groups is None else "groups",
        "groups": drawn_groups,
        "draws": len(differences),
        "dropped": DRAWS - len(differences),
        "seed": seed,
        "n": n,
        "mcnemar": {"only_a": only_a, "only_b": only_b, "p": mcnemar(only_a, only_b)},
        "more": more,
    }
    return result | {"sentence": _sentence(result)}


def mcnemar(only_a: int, only_b: int) -> float:
    """Return the two-sided p-value of McNemar's exact test, a binomial test with p = 1/2.

    Args:
        only_a: Utterances of which system a alone is right.
        only_b: Utterances of which system b alone is right.

    Returns:
        The probability of a split at least as uneven if neither is better; 1 where they never differ.

    Examples:
        >>> round(mcnemar(9, 1), 6)
        0.021484
    """
    n, fewer = only_a + only_b, min(only_a, only_b)
    if n == 0:
        return 1.0
    k = np.arange(1, fewer + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * math.log(2)  # of C(n, k) / 2^n
    return min(1.0, 2 * float(np.exp(logs).sum()))


def _by_utterance(
    sides: tuple[np.ndarray, np.ndarray, np.ndarray], size: int, generator: "np.random.Generator"
) -> Iterator[np.ndarray]:
    """Draw utterances within each class; yield the matrices of both systems, shape (draws, 2, K, K)."""
    of_a, of_b, actual = sides
    joint = np.bincount((actual * size + of_a) * size + of_b, minlength=size**3).reshape(size, size * size)
    for drawn in by_class(joint, generator):
        cube = drawn.reshape(-1, size, size, size)  # draws, reference, a, b
        yield np.stack([cube.sum(axis=3), cube.sum(axis=2)], axis=1)


def _matrices(predicted: np.ndarray, actual: np.ndarray, size: int, place: np.ndarray | None = None) -> np.ndarray:
    groups = 1 if place is None else int(place.max()) + 1
    cells = actual * size + predicted + (0 if place is None else place * size * size)
    counts = np.bincount(cells, minlength=groups * size * size)
    return counts.reshape(size, size) if place is None else counts.reshape(groups, size, size)


def _more(difference: float, ends: list[float], level: float, groups: int | None, n: int) -> int | None:
    """Return how many groups, or utterances, to add until the interval leaves out 0."""
    reach = difference - ends[0] if difference > 0 else ends[1] - difference
    if difference == 0:
        return None
    if groups is None:
        needed = math.floor(n * (reach / difference) ** 2) + 1
        return max(1, needed - n) if needed <= _MOST else None
    probability = (1 + level) / 2
    spread = reach * math.sqrt(groups) / t_quantile(probability, groups - 1)
    low, high = groups, _MOST
    if spread * t_quantile(probability, high - 1) / math.sqrt(high) >= abs(difference):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        enough_there = spread * t_quantile(probability, middle - 1) / math.sqrt(middle) < abs(difference)
        low, high = (low, middle) if enough_there else (middle, high)
    return high - groups


def _sentence(result: dict[str, Any]) -> str:
    """Say it in plain words."""
    name = result["score"].upper().replace("_", " ")
    grouped = result["groups"] is not None
    where = f"On {result['n']} utterances" + (f" of {result['groups']} groups" if grouped else "")
    a, b, difference, (low, high) = result["a"], result["b"], result["difference"], result["interval"]
    if difference == 0:
        verdict = "they cannot be told apart, and no difference is to be seen."
        return f"{where} both systems score {name} {a:.3f}: {verdict}"
    told = (
        f"{where} a scores {name} {a:.3f} and b {b:.3f}, a difference of {difference:+.3f} "
        f"({100 * result['level']:g} % interval {low:+.3f} to {high:+.3f}"
    )
    told += ", by group)" if grouped else ", by utterance: speakers are not accounted for)"
    if result["distinct"]:
        return f"{told}: {'a' if difference > 0 else 'b'} is better."
    if result["more"] is None:
        return f"{told}: they cannot be told apart, and no realistic number of utterances would do it."
    unit = "groups, such as speakers," if grouped else "utterances"
    return (
        f"{told}: they cannot be told apart. If the difference stays what it is, it would take about "
        f"{result['more']} more {unit} for an even chance to tell."
    )
