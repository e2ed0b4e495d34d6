"""What SER Evals trains and tests on: tasks with its classes and splits."""

from collections import Counter
from dataclasses import replace

from loading_scripts.partitions import unit

from ..corpora import CorpusError, CorpusRows
from ..tasks import Task
from .label_maps.serevals import CLASSES, CODES, label
from .serevals_corpora import published_counts
from .serevals_split import published_split

CONFIG, SHARE = "serevals", 0.8
"""The config of the split, and the share of utterances that train."""

OTHER = "other"
"""The class that counts in domain alone."""

EMOTIONS = tuple(name for name in CLASSES if name != OTHER)
"""The seven classes that are answers out of domain."""


def in_domain(corpus: CorpusRows) -> Task:
    """Return the task of a corpus alone: 80 % of its utterances train, the rest test, by a fixed hash.

    A corpus without the config `serevals` is split as its record would: that config hashes ids as well.

    Raises:
        CorpusError: it has none of the seven emotions, a single class trains, or nobody tests.
    """
    named = {one: label(corpus.id, corpus.facts[one]) for one in corpus.ids}
    labels = {one: name for one, name in named.items() if name is not None}
    if not set(labels.values()) & set(EMOTIONS):
        raise CorpusError(
            f"Corpus {corpus.id}: serevals needs utterances in some of {', '.join(EMOTIONS)}; it has none. "
            "Leave it out, or map its emotions."
        )
    if CONFIG in corpus.configs:
        split = corpus.split(CONFIG)
        parts = {name: tuple(one for one in split[name] if one in labels) for name in ("train", "test")}
    else:
        trains = {one for one in labels if unit(corpus.id, CONFIG, one) < SHARE}
        parts = {
            "train": tuple(one for one in labels if one in trains),
            "test": tuple(one for one in labels if one not in trains),
        }
    if not parts["test"] or len({labels[one] for one in parts["train"]}) < 2:
        raise CorpusError(
            f"Corpus {corpus.id}: serevals trains on 80 % of the utterances, in two classes or more, and tests on the "
            f"rest; {len(parts['train'])} train and {len(parts['test'])} test. Leave it out."
        )
    unlabeled = tuple(one for one in corpus.ids if one not in labels)
    return Task(corpus, CONFIG, parts, labels, CLASSES, {"no label": unlabeled} if unlabeled else {})


def as_published(task: Task, width: int) -> Task:
    """Return a task with the split that the paper's script draws for encoders of this width, for rows in our order."""
    ids = tuple(task.labels)
    parts = zip(("train", "test"), published_split(len(ids), width), strict=True)
    return replace(task, parts={name: tuple(ids[at] for at in sorted(chosen)) for name, chosen in parts})


def out_of_domain(source: Task, target: Task) -> Task:
    """Return what a corpus tests a head with that another one trained: all of its utterances but those of ``other``.

    Raises:
        CorpusError: no emotion is in both.
    """
    kept = tuple(one for one, name in target.labels.items() if name != OTHER)
    heard = {source.labels[one] for one in source.parts["train"]} - {OTHER}
    if not heard & {target.labels[one] for one in kept}:
        raise CorpusError(
            f"Corpora {source.corpus.id} and {target.corpus.id}: serevals tests one with the other, so they need an "
            f"emotion in common; none of {', '.join(sorted(heard))} is in {target.corpus.id}. Leave one of them out."
        )
    others = tuple(one for one, name in target.labels.items() if name == OTHER)
    dropped = {**target.dropped, **({"other is no class out of domain": others} if others else {})}
    return replace(target, parts={"test": kept}, dropped=dropped)


def unlike_published(task: Task) -> list[str]:
    """Return flags that say where a corpus is not what the paper had."""
    corpus = task.corpus.id
    if corpus not in CODES:
        return [f"not one of the paper's corpora: {corpus}"]
    there, here = published_counts()[corpus], Counter(task.labels.values())
    if all(here[name] == there[name] for name in CLASSES):
        return []
    return [f"not the paper's utterances: {corpus} has {here.total()} here, {sum(there.values())} there"]
