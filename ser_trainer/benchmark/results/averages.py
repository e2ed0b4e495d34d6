"""Averages over corpora, as each protocol takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ser_metrics import averages

from ..papers.serevals_matrix import reduced
from .beside import SERAB_TASKS
from .outcomes import Outcome, pair

SEREVALS = {"weighted": "weighted average", "id_mean": "in domain", "ood_mean": "out of domain"}
"""SER Evals' averages -> what tables call them; the first ranks, as in its Table 3."""


@dataclass(frozen=True)
class Average:
    """An average over corpora.

    Args:
        name: what it is called, UM for example.
        over: what it runs over, in words.
        values: score -> value, in the unit of what was averaged.
    """

    name: str
    over: str
    values: Mapping[str, float]


def over_corpora(found: Sequence[Outcome]) -> list[Average]:
    """Return the averages over the corpora of one system, as `average` takes them."""
    protocol = found[0].system.protocol
    sizes = {one.corpus: one.n for one in found} if protocol == "serab" else {}
    return average(protocol, {one.corpus: one.mean for one in found}, sizes)


def average(protocol: str, reached: Mapping[str, Mapping[str, float]], sizes: Mapping[str, int]) -> list[Average]:
    """Return the averages that a protocol takes over corpora; empty where there are too few.

    SERAB: UM, WM, GM over those of its nine tasks that are there, the plain mean if none is. EmoBox cross-corpus:
    equation (1), once every ordered pair is there. SER Evals: those of its Table 3, once no pair is missing. Others:
    the plain mean of each score.

    Args:
        protocol: its name.
        reached: corpus, or ``train>test`` -> score -> value, fractions or percent.
        sizes: corpus -> number of test utterances; only SERAB asks for it.
    """
    tasks = [corpus for corpus in SERAB_TASKS.values() if corpus in reached]
    if protocol == "serab" and tasks:
        accuracies = {corpus: reached[corpus]["wa"] for corpus in tasks}
        over = f"{len(tasks)} of {len(SERAB_TASKS)} tasks"
        found = averages.serab(accuracies, {corpus: sizes[corpus] for corpus in tasks})
        return [Average(name.upper(), over, {"wa": value}) for name, value in found.items()]
    if protocol == "emobox-cross":
        pairs = {pair(corpus): each["wa"] for corpus, each in reached.items()}
        names = {corpus for both in pairs for corpus in both}
        different = sum(train != test for train, test in pairs)
        if different == 0 or different < len(names) * (len(names) - 1):
            return []
        return [Average("mean", f"{different} ordered pairs", {"wa": averages.emobox_cross(pairs)})]
    if protocol == "serevals":
        matrix = reduced({(pair(corpus)[0], pair(corpus)[1] or corpus): each["f1"] for corpus, each in reached.items()})
        return [
            Average(SEREVALS[name], matrix.over, {"f1": matrix.averages[name]}) for name in SEREVALS if matrix.averages
        ]
    metrics = next(iter(reached.values()))
    means_over = {name: float(np.mean([each[name] for each in reached.values()])) for name in metrics}
    return [Average("mean", f"{len(reached)} {'corpus' if len(reached) == 1 else 'corpora'}", means_over)]
