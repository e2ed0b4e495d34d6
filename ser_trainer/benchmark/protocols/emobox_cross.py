"""EmoBox across corpora: trained on one, tested on balanced sets of the others, four classes (arXiv:2406.07162).

The paper says no more than "training with dataset i"; here these are all utterances of corpus i in the four classes, of
which 20 % validate. Each corpus tests with its config `balanced`, EmoBox's list of 240 utterances; where there is none,
with a set drawn by the paper's recipe, without its filter by a second model.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..corpora import CorpusError, CorpusRows
from ..heads.frame_heads import best, kinds, train_grid
from ..papers.balanced import balanced
from ..protocol import Cell, Encoded, ProtocolError, Scored, Setting
from ..tasks import Task, make_task
from .emobox_intra import LONGEST

TITLE = "EmoBox, cross-corpus: trained on one corpus, tested on balanced sets of the others, four classes"
CORPORA = ("iemocap", "meld", "ravdess", "savee")
VARIANTS = ("strict", "published")

CLASSES = {
    "anger": "anger",
    "happiness": "happiness",
    "excitement": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
}
"""Canonical noun -> class. IEMOCAP's excitement counts as happiness; RAVDESS' calm is left out (EmoBox's lists)."""

ORDER = tuple(dict.fromkeys(CLASSES.values()))

_PER_CLASS = 60
"""Test utterances of a class, as in all four of EmoBox's sets (Table 3)."""


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for each training corpus, with all the others as tests.

    Raises:
        ProtocolError: there are fewer than two corpora.
        CorpusError: a corpus lacks one of the four classes.
    """
    if len(corpora) < 2:
        raise ProtocolError(
            f"Protocol emobox-cross: needs two corpora or more; given {' '.join(one.id for one in corpora) or 'none'}. "
            "Add one: --corpora A B."
        )
    tests = [_test(corpus) for corpus in corpora]
    return [_cell(corpus, [one for one in tests if one.corpus is not corpus], setting) for corpus in corpora]


def _label(facts: Mapping[str, Any]) -> str | None:
    return CLASSES.get(facts["canonical"])


def _test(corpus: CorpusRows) -> Task:
    """Return what a corpus tests others with: a task whose only part that is used is its test."""
    labels = {one: named for one in corpus.ids if (named := _label(corpus.facts[one])) is not None}
    missing = [name for name in ORDER if name not in labels.values()]
    if missing:
        raise CorpusError(
            f"Corpus {corpus.id}: emobox-cross needs the classes {', '.join(ORDER)}; it has no {', '.join(missing)}. "
            "Leave it out."
        )
    listed = "balanced" in corpus.configs
    ids = corpus.split("balanced")["test"] if listed else _drawn(corpus, labels)
    config = "balanced" if listed else "balanced_drawn"
    return Task(corpus, config, {"test": tuple(ids)}, labels, ORDER)


def _drawn(corpus: CorpusRows, labels: Mapping[str, str]) -> list[str]:
    """Return as many ids of each class, and of each speaker in it where two speakers or more have all classes."""
    held = Counter((corpus.facts[one]["speaker"], name) for one, name in labels.items())
    full = sorted({who for who, _ in held if who is not None and all(held[who, name] for name in ORDER)})
    if len(full) < 2:
        full, held = ["everybody"], Counter(("everybody", name) for name in labels.values())
    quota = min(*(held[who, name] for who in full for name in ORDER), max(1, _PER_CLASS // len(full)))
    rows = [
        (one, corpus.facts[one]["speaker"] if full != ["everybody"] else "everybody", name)
        for one, name in labels.items()
    ]
    return list(balanced(rows, quota, ORDER, seed=0, speakers=full).keys)


def _cell(corpus: CorpusRows, tests: Sequence[Task], setting: Setting) -> Cell:
    heads = kinds(setting)
    task = make_task(corpus, "all", parts={"train": corpus.ids}, label=_label, order=ORDER, longest=LONGEST)

    def run(encoded: Encoded) -> Iterator[Scored]:
        for kind, layer in heads:
            yield from _run(encoded, task, tests, kind, layer, setting)

    return Cell(
        name=f"emobox-cross {corpus.id}",
        corpora=(corpus, *(one.corpus for one in tests)),
        lines=tuple(
            (f"{corpus.id}>{test.corpus.id}", test.config, layer, kind, seed)
            for test in tests
            for kind, layer in heads
            for seed in setting.seeds
        ),
        work=float(len(setting.seeds) * len(heads)),
        run=run,
        options=setting.options,
    )


def _run(
    encoded: Encoded, task: Task, tests: Sequence[Task], kind: str, layer: str, setting: Setting
) -> Iterator[Scored]:
    features = {one.corpus.id: encoded.features(one.corpus, fit=task) for one in (task, *tests)}
    task = task.without(features[task.corpus.id].failed)
    tests = [one.without(features[one.corpus.id].failed) for one in tests]
    together = [one for test in tests for one in test.parts["test"]]
    codes = dict(zip(task.ids, task.codes(task.ids), strict=True))
    for test in tests:
        codes |= zip(test.parts["test"], test.codes(test.parts["test"]), strict=True)
    pools = [(features[task.corpus.id], task.ids)]
    pools += [(features[one.corpus.id], one.parts["test"]) for one in tests]
    fold = {**task.parts, "test": together}
    trained = train_grid(pools, codes, len(ORDER), {"all": fold}, kind, layer, setting, encoded.advance)
    at = 0
    for test in tests:
        mine = slice(at, at := at + len(test.parts["test"]))
        for seed in setting.seeds:
            heads = [replace(one, logits=one.logits[mine]) for one in trained["all", seed]]
            predicted, told = best(heads, test.codes(test.parts["test"]), setting)
            yield encoded.scored(task, predicted, test=test, layer=layer, head=kind, seed=seed, **told)
