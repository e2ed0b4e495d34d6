"""ExHuBERT: a start is chosen, fine-tuned on EmoSet++, expanded, transferred (Amiriparian et al., arXiv:2406.10275).

Stage 1 fine-tunes each encoder on those corpora of EmoSet that are given (the paper: 26), stage 2 on those of EmoSet++
(37), one batch of each in turn, with six classes of arousal and valence. Stage 3 takes encoder and stage 2's model to
corpora that neither has seen, as they are and expanded. Steps, rate and what is frozen are the paper's where it says;
its splits are published nowhere, so that only a validation set of our own can choose: there is no variant `published`.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from loading_scripts.labels import AROUSAL_VALENCE
from loading_scripts.partitions import emosetpp as emosetpp_rule
from loading_scripts.utterance import Gender, Utterance
from ser_metrics.core import scores

from ..corpora import CorpusError, CorpusRows
from ..papers.emosetpp import EMOSET, EMOSETPP, RECORDED, UNSEEN, coverage, shortfall
from ..papers.exhubert_recipe import OPTIONS, Recipe
from ..papers.exhubert_training import Training
from ..protocol import Cell, Encoded, ProtocolError, Scored, Setting
from ..tasks import Task, make_task

logger = logging.getLogger(__name__)

TITLE = "ExHuBERT: fine-tuned on EmoSet++, expanded, transferred to unseen corpora; six classes"
CORPORA = (*RECORDED, *UNSEEN)
VARIANTS = ("strict",)

CONFIGS = ("emosetpp", "speaker1", "fold1")
"""Configs that split a corpus, the first that it has."""

RULE = "emosetpp_rule"
"""What lines call the split of a corpus without any of `CONFIGS`: the paper's rule, drawn by serbench's hash."""

__all__ = ["CONFIGS", "CORPORA", "OPTIONS", "RULE", "TITLE", "VARIANTS", "cells", "sides", "task_of"]


@dataclass(frozen=True, eq=False)
class PooledTask(Task):
    """A task that other corpora train as well.

    Args:
        heard: classes that any of them trains.
    """

    heard: frozenset[str] = frozenset()

    def absent(self) -> list[str]:
        """Return the classes that no training utterance of any corpus has."""
        return [name for name in self.classes if name not in self.heard]


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for stage 1 and for stage 2, and one for each transfer to each corpus in stage 3; for each seed.

    Raises:
        ProtocolError: an option is wrong, or no corpus is left to train or to transfer to.
        CorpusError: a corpus has no labels of arousal and valence, or too few in a split.
    """
    recipe = Recipe.of(setting)
    sources, targets = sides(corpora, recipe)
    trained, unseen = _pooled([task_of(one) for one in sources]), [task_of(one) for one in targets]
    for task in unseen:
        _check_classes(task)
    _tell(trained, unseen)
    found = []
    for seed in setting.seeds:
        training = Training(recipe, seed, setting.device)
        if 1 in recipe.stages:
            found.append(_source_cell(training, "selection", _of_emoset(trained), f"exhubert stage 1, seed {seed}"))
        if 2 in recipe.stages:
            found.append(_source_cell(training, "emosetpp", trained, f"exhubert stage 2, seed {seed}"))
        if 3 in recipe.stages:
            found += [_transfer_cell(training, trained, one, name) for one in unseen for name in recipe.transfers]
    return found


def sides(corpora: Sequence[CorpusRows], recipe: Recipe) -> tuple[list[CorpusRows], list[CorpusRows]]:
    """Return who trains stages 1 and 2, and whom stage 3 transfers to: members of EmoSet++, or `source`, and the rest.

    Raises:
        ProtocolError: `source` names a corpus that is not given, or a side is empty that a stage needs.
    """
    given = [one.id for one in corpora]
    unknown = [one for one in recipe.source if one not in given]
    if unknown:
        raise ProtocolError(
            f"Protocol exhubert: the option source names corpora of the study ({' '.join(given)}); {unknown[0]!r} is "
            "none of them. Add it to --corpora."
        )
    names = recipe.source or EMOSETPP
    sources = sorted((one for one in corpora if one.id in names), key=lambda one: one.id)  # in turn, in any order given
    targets = [one for one in corpora if one.id not in names]
    if not sources and recipe.needs_sources:
        raise ProtocolError(
            f"Protocol exhubert: trains on corpora of EmoSet++; {' '.join(given)} holds none. Add one "
            f"({', '.join(RECORDED)}), or say which of yours train in their place: source={given[0]}."
        )
    if not targets and 3 in recipe.stages:
        raise ProtocolError(
            f"Protocol exhubert: stage 3 transfers to corpora that did not train; {' '.join(given)} all do. Add one "
            f"({', '.join(UNSEEN)}, or any other), say which of yours train alone: source={given[0]}; or leave stage 3 "
            "out: stages=1,2."
        )
    return sources, targets


def task_of(corpus: CorpusRows) -> Task:
    """Return the task of a corpus: its six classes, split by the first of `CONFIGS` that it has, else by the rule.

    Raises:
        CorpusError: no utterance has a label of arousal and valence, or a split has none.
    """
    if not any(facts["arousal_valence"] for facts in corpus.facts.values()):
        raise CorpusError(
            f"Corpus {corpus.id}: exhubert needs the column arousal_valence; no utterance has a value there. "
            "`serbench corpora` lists those that have; leave this one out."
        )
    listed = next((one for one in CONFIGS if one in corpus.configs), None)
    task = make_task(
        corpus,
        listed or RULE,
        parts=None if listed else _by_rule(corpus),
        label=lambda facts: facts["arousal_valence"],
        order=AROUSAL_VALENCE,
    )
    return replace(task, classes=AROUSAL_VALENCE)


def _by_rule(corpus: CorpusRows) -> dict[str, list[str]]:
    """Return split -> ids by the paper's rule, 10 % validation and 10 % test, by speaker where speakers are known."""
    told = [
        Utterance(id=one, path="", native="", speaker=facts["speaker"], gender=Gender.UNKNOWN, language="")
        for one, facts in corpus.facts.items()
    ]
    partition = emosetpp_rule(corpus.id, {one.speaker for one in told if one.speaker is not None})["emosetpp"]
    parts: dict[str, list[str]] = {name: [] for name in partition.splits}
    for one, split in zip(told, partition.assign(told), strict=True):
        if split is not None:
            parts[split].append(one.id)
    return parts


def _pooled(tasks: Sequence[Task]) -> list[Task]:
    """Return tasks that train one model."""
    heard = frozenset(task.labels[one] for task in tasks for one in task.parts["train"])
    return [PooledTask(**vars(task) | {"heard": heard}) for task in tasks]


def _of_emoset(trained: Sequence[Task]) -> list[Task]:
    """Return those that belong to the 26 corpora of EmoSet, which stage 1 takes; all, where none does."""
    return _pooled([task for task in trained if task.corpus.id in EMOSET]) or list(trained)


def _check_classes(task: Task) -> None:
    heard = {task.labels[one] for one in task.parts["train"]}
    if len(heard) < 2:
        raise CorpusError(
            f"Corpus {task.corpus.id}, config {task.config}: a transfer needs two of the six classes or more in train; "
            f"there is only {', '.join(heard)}. Leave it out."
        )


def _tell(trained: Sequence[Task], unseen: Sequence[Task]) -> None:
    """Say what trains, and what is missing of EmoSet++, before anything starts."""
    for what, tasks in (("trained on", trained), ("transferred to", unseen)):
        told = ", ".join(f"{task.corpus.id} ({task.config})" for task in tasks)
        logger.info("exhubert, %s: %s", what, told or "nothing")
    ids = [task.corpus.id for task in trained]
    logger.info("exhubert: %s. Missing: %s.", coverage(ids), "; ".join(shortfall(ids)))


def _source_cell(training: Training, stage: str, tasks: Sequence[Task], name: str) -> Cell:
    work = training.recipe.work(stage, tasks)

    def run(encoded: Encoded) -> Iterator[Scored]:
        logits, told = training.on_sources(encoded, stage, tasks, lambda share: encoded.advance(work * share))
        for task in tasks:
            one = task.corpus.id
            yield _scored(encoded, task, logits[one], logits[f"{one}, validation"], stage, training, told, tasks)

    return Cell(
        name=name,
        corpora=tuple(task.corpus for task in tasks),
        lines=tuple((task.corpus.id, task.config, "last", stage, training.seed) for task in tasks),
        work=work,
        run=run,
        options=training.recipe.options(stage, tasks),
        tunes=True,
    )


def _transfer_cell(training: Training, trained: Sequence[Task], target: Task, name: str) -> Cell:
    sources = trained if name.startswith("emosetpp") else []
    work = training.recipe.work("transfer", [target])

    def run(encoded: Encoded) -> Iterator[Scored]:
        logits, told = training.transferred(encoded, sources, target, name, lambda share: encoded.advance(work * share))
        yield _scored(encoded, target, logits["test"], logits["validation"], name, training, told, sources)

    return Cell(
        name=f"exhubert stage 3, {name} on {target.corpus.id}, seed {training.seed}",
        corpora=(target.corpus,),
        lines=((target.corpus.id, target.config, "last", name, training.seed),),
        work=work,
        run=run,
        options=training.recipe.options("transfer", sources),
        tunes=True,
    )


def _scored(
    encoded: Encoded,
    task: Task,
    logits: np.ndarray,
    validation: np.ndarray,
    head: str,
    training: Training,
    told: Mapping[str, Any],
    sources: Sequence[Task],
) -> Scored:
    held = task.parts["validation"]
    reached = scores(validation.argmax(axis=1), task.codes(held), labels=list(task.classes))["ua"]
    return encoded.scored(
        task,
        logits.argmax(axis=1),
        layer="last",
        head=head,
        seed=training.seed,
        hyperparameters=dict(told),
        selection="the weights with the best validation UAR, a mean over the corpora that train",
        grid=[{**told, "validation": reached}],
        flags=_flags(task, sources, emoset=head == "selection"),
    )


def _flags(task: Task, sources: Sequence[Task], emoset: bool) -> list[str]:
    told = []
    if sources:
        ids = [one.corpus.id for one in sources]
        told.append(coverage(ids, emoset))
        others = [one for one in ids if one not in (EMOSET if emoset else EMOSETPP)]
        if others:
            told.append(f"trained on what is not of {'EmoSet' if emoset else 'EmoSet++'}: {', '.join(others)}")
    if task.config == RULE:
        told.append("split by serbench's draw of EmoSet++'s rule, 10 % validation and 10 % test")
    elif task.config != "emosetpp":
        told.append(f"no split of EmoSet++: config {task.config} instead")
    tested = {task.labels[one] for one in task.parts["test"]}
    missing = [name for name in task.classes if name not in tested]
    if missing:
        told.append(f"UA over the classes that are tested, without {', '.join(missing)}")
    return told
