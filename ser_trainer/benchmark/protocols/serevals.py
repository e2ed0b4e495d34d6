"""SER Evals: 19 corpora, eight classes, a small head on frozen frames, in and out of domain (arXiv:2408.07851).

A head is trained on 80 % of a corpus and tested on the rest, and on the whole of other corpora with adjusted logits.
`published` draws the paper's split, which depends on the encoder's width, and adjusts with the true priors of source
and target, plus an epsilon. `strict` has one split for all encoders, masks classes that the head never heard, and
estimates the prior of the target without its labels. Both train the head of the paper's code, which has one hidden
layer; the paper's text has two.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loading_scripts.errors import near

from ..cache.joined import joined
from ..corpora import CorpusRows
from ..heads.probes import SEREVALS, SEREVALS_POINT, Fold, Trained, train_heads
from ..papers.adjustment import adjusted, em, smoothed, with_epsilon
from ..papers.label_maps.serevals import CLASSES, CODES
from ..papers.serevals_corpora import paired
from ..papers.serevals_tasks import CONFIG, OTHER, as_published, in_domain, out_of_domain, unlike_published
from ..protocol import Cell, Encoded, ProtocolError, Scored, Setting
from ..tasks import Task

TITLE = "SER Evals: trained on one corpus, tested in and out of domain, eight classes"
CORPORA = tuple(CODES)
VARIANTS = ("strict", "published")

HEAD = "serevals"

CUT = 30.0
"""Seconds of an utterance that heads see: its first ones."""

PRIORS = ("em", "uniform", "true")
"""What the prior of a target may be: estimated without labels, equal for all classes, or counted in its labels."""


OPTIONS = {"target_prior": f"prior of the corpus that tests, one of {', '.join(PRIORS)}; default as the variant"}
"""Name -> meaning of what `Setting.extra` can hold."""


@dataclass(frozen=True, eq=False)
class Decision:
    """What adjusted logits say of a corpus.

    Args:
        predicted: classes (n,).
        target: prior of the target, by class.
        flags: what a reader must know of it.
    """

    predicted: np.ndarray
    target: dict[str, float]
    flags: list[str]


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for each corpus that trains: its own test set, then all corpora that the paper pairs with it.

    Corpora that the paper does not have are paired with all others. The option ``target_prior`` is one of `PRIORS`.

    Raises:
        ProtocolError: there are fewer than two corpora, or an option is unknown.
        CorpusError: a corpus has none of the seven emotions, too few utterances, or shares no emotion with its pair.
    """
    if len(corpora) < 2:
        raise ProtocolError(
            f"Protocol serevals: needs two corpora or more; given {' '.join(one.id for one in corpora) or 'none'}. "
            "Add one: --corpora A B."
        )
    prior = _target_prior(setting)
    tasks = [in_domain(corpus) for corpus in corpora]
    found = []
    for source in tasks:
        others = [one for one in tasks if one is not source and paired(source.corpus.id, one.corpus.id)]
        found.append(_cell(source, [out_of_domain(source, one) for one in others], setting, prior))
    return found


def _target_prior(setting: Setting) -> str:
    unknown = [name for name in setting.extra if name != "target_prior"]
    if unknown:
        raise ProtocolError(f"Protocol serevals: has one option, target_prior; found {', '.join(unknown)}.")
    prior = setting.extra.get("target_prior", "true" if setting.variant == "published" else "uniform")
    if prior not in PRIORS:
        raise ProtocolError(
            f"Protocol serevals: target_prior is one of {', '.join(PRIORS)}; found {prior!r}.{near(prior, PRIORS)}"
        )
    return prior


def _cell(source: Task, tests: Sequence[Task], setting: Setting, prior: str) -> Cell:
    corpus = source.corpus
    names = [corpus.id, *(f"{corpus.id}>{test.corpus.id}" for test in tests)]

    def run(encoded: Encoded) -> Iterator[Scored]:
        own = source
        if setting.variant == "published":
            own = as_published(source, encoded.features(corpus, fit=source).width)
        for layer in setting.layer_names:
            yield from _run(encoded, own, tests, layer, setting, prior)

    return Cell(
        name=f"serevals {corpus.id}",
        corpora=(corpus, *(test.corpus for test in tests)),
        lines=tuple(
            (name, CONFIG, layer, HEAD, seed)
            for name in names
            for layer in setting.layer_names
            for seed in setting.seeds
        ),
        work=float(len(setting.seeds) * len(setting.layer_names)),
        run=run,
        options={"target_prior": prior, "cut_seconds": CUT, **setting.options},
    )


def _run(
    encoded: Encoded, source: Task, tests: Sequence[Task], layer: str, setting: Setting, prior: str
) -> Iterator[Scored]:
    found = [encoded.features(one.corpus, fit=source) for one in (source, *tests)]
    source, *tests = [one.without(features.failed) for one, features in zip((source, *tests), found, strict=True)]
    used = [source.ids, *(one.parts["test"] for one in tests)]
    ends = np.cumsum([len(source.parts["train"]), len(source.parts["test"]), *map(len, used[1:])])
    rate = found[0].header.frame_rate
    recipe = SEREVALS if setting.epochs is None else replace(SEREVALS, epochs=setting.epochs)
    trained = train_heads(
        joined(list(zip(found, used, strict=True)), layer, None if rate is None else int(CUT * rate)),
        np.concatenate([one.codes(ids) for one, ids in zip((source, *tests), used, strict=True)]),
        len(CLASSES),
        [Fold(CONFIG, np.arange(ends[0]), np.arange(0), np.arange(ends[0], ends[-1]))],
        recipe,
        [SEREVALS_POINT],
        setting.seeds,
        device=setting.device,
        progress=lambda epochs: encoded.advance(epochs / recipe.epochs),
    )
    for head in trained:
        own, *others = np.split(head.logits, (ends - ends[0])[1:-1])
        told = _told(head, layer)
        flags = [*unlike_published(source), *_flags(head, setting)]
        yield encoded.scored(source, own.argmax(axis=1), flags=flags, **told)
        trains = replace(source, parts={"train": source.parts["train"]}, dropped={})  # its own line says what it lost
        for test, logits in zip(tests, others, strict=True):
            decision = decide(logits, source, test, setting.variant == "published", prior)
            yield encoded.scored(
                trains,
                decision.predicted,
                test=test,
                flags=[*unlike_published(source), *unlike_published(test), *_flags(head, setting), *decision.flags],
                **told | {"hyperparameters": {**told["hyperparameters"], "target_prior": decision.target}},
            )


def _told(head: Trained, layer: str) -> dict[str, Any]:
    point = head.point
    return {
        "layer": layer,
        "head": HEAD,
        "seed": head.seed,
        "hyperparameters": {"learning_rate": point.learning_rate, "hidden": point.hidden, "epoch": head.epoch},
        "selection": "none: one setting, the last epoch",
    }


def _flags(head: Trained, setting: Setting) -> list[str]:
    told = []
    if setting.variant == "published":
        told.append("published split: drawn for encoders of this width, from serbench's order of rows")
    if head.diverged:
        told.append(f"head diverged: as it was after epoch {head.epoch}")
    return told


def decide(logits: np.ndarray, source: Task, test: Task, published: bool, prior: str) -> Decision:
    """Return what adjusted logits say of a corpus that did not train the head.

    Args:
        logits: of its utterances (n, 8).
        source: the task that trained the head.
        test: the task whose utterances they are.
        published: priors plus epsilon, of the whole source; else smoothed, of the utterances that trained, and classes
            that none of them has are masked.
        prior: one of `PRIORS`.

    Raises:
        AdjustmentError: no class is left to be answered.
    """
    heard = _counts(source, source.labels if published else source.parts["train"])
    answers = np.array([name != OTHER for name in CLASSES])
    there = with_epsilon(heard) if published else smoothed(heard * answers)
    flags = []
    if published and (heard * answers == 0).sum() > 1:  # one is the class other
        absent = [name for name, n in zip(CLASSES, heard, strict=True) if not n and name != OTHER]
        flags.append(f"published epsilon: classes that the source lacks outweigh all others: {', '.join(absent)}")
    if prior == "true":
        counts = _counts(test, test.labels)
        target = with_epsilon(counts) if published else smoothed(counts * answers)
        flags.append("oracle: the prior of the target is counted in its labels")
    elif prior == "uniform":
        target = (there > 0) * answers / ((there > 0) * answers).sum()
    else:
        estimate = em(logits, there * answers)
        target = estimate.prior
        flags.append("transductive: the prior of the target is estimated on its unlabeled utterances")
        if not estimate.converged:
            flags.append(
                f"EM of the target prior did not converge: {source.corpus.id}>{test.corpus.id} changed by "
                f"{estimate.change:.1e} in step {estimate.steps}"
            )
            warnings.warn(flags[-1], stacklevel=2)
    target = target * answers
    shares = {name: round(float(share), 4) for name, share in zip(CLASSES, target, strict=True) if name != OTHER}
    predicted = adjusted(logits, there, target).argmax(axis=1)
    if len(set(predicted.tolist())) == 1:
        pair = f"{source.corpus.id}>{test.corpus.id}"
        flags.append(f"constant answer: {pair} is {CLASSES[predicted[0]]} throughout")
    return Decision(predicted, shares, flags)


def _counts(task: Task, ids: Iterable[str]) -> np.ndarray:
    return np.bincount(task.codes(list(ids)), minlength=len(CLASSES))
