"""SERAB: nine tasks, frozen embeddings, five simple classifiers (Scheidwasser-Clow et al., ICASSP 2022).

As published, vectors are normalised per speaker in every split, and the classifier with the highest test accuracy is
reported; two of the nine splits share speakers. `strict` splits by true speakers, scales vectors by the training split
(openSMILE's values differ by ten orders of magnitude) unless speakers are asked for, and lets validation choose the
classifier too.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from loading_scripts import registry
from loading_scripts.utterance import Gender, Utterance

from ..cache.layers import by_layer
from ..corpora import CorpusError, CorpusRows
from ..heads import classifiers
from ..heads.scaling import scaled
from ..heads.speaker_norm import normalised
from ..protocol import Cell, Encoded, Scored, Setting
from ..tasks import Task, make_task

TITLE = "SERAB: frozen embeddings, the best of five simple classifiers"
CORPORA = ("aesdd", "cafe", "cremad", "emodb", "emovo", "iemocap", "ravdess", "savee", "shemo")
VARIANTS = ("strict", "published")

HEAD = "best-of-5"
"""The head of SERAB's lines: whichever of the five classifiers was selected; the line says which."""

SEED = 42
"""Random state of the classifiers, that of the published code."""

_CONFIGS = {"strict": "serab_strict", "published": "serab"}
_RULE = "serab_rule"
_SPLITS = ("train", "validation", "test")
_SHARES = (0.6, 0.2, 0.2)
_POINTS = sum(len(classifiers.points(name)) for name in classifiers.CLASSIFIERS)


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for each corpus; SERAB's rule splits those that are not among its nine tasks."""
    return [_cell(corpus, setting) for corpus in corpora]


def by_rule(corpus: CorpusRows) -> dict[str, list[str]]:
    """Return split -> ids by SERAB's rule: 60, 20 and 20 % of the speakers, shuffled by numpy's RandomState(0).

    Raises:
        CorpusError: there are fewer than three known speakers. Utterances of unknown speakers are in no split.
    """
    groups = sorted({one["speaker"] for one in corpus.facts.values()} - {None})
    if len(groups) < len(_SPLITS):
        raise CorpusError(
            f"Corpus {corpus.id}: SERAB splits by speaker and needs at least 3; {len(groups)} are known. "
            "Run emobox-intra on it instead."
        )
    np.random.RandomState(0).shuffle(groups)
    cuts = [int(share * len(groups)) for share in np.cumsum(_SHARES)[:-1]]
    split_of = {
        speaker: split
        for split, part in zip(_SPLITS, np.split(np.array(groups, dtype=object), cuts), strict=True)
        for speaker in part
    }
    parts: dict[str, list[str]] = {name: [] for name in _SPLITS}
    for one in corpus.ids:
        if corpus.facts[one]["speaker"] in split_of:
            parts[split_of[corpus.facts[one]["speaker"]]].append(one)
    return parts


def _cell(corpus: CorpusRows, setting: Setting) -> Cell:
    config = _CONFIGS[setting.variant]
    listed = config in corpus.configs
    task = make_task(corpus, config) if listed else make_task(corpus, _RULE, parts=by_rule(corpus))
    normalise = setting.variant == "published" if setting.speaker_norm is None else setting.speaker_norm

    def run(encoded: Encoded) -> Iterator[Scored]:
        yield from _run(encoded, task, setting, normalise, listed)

    return Cell(
        name=f"serab {corpus.id}",
        corpora=(corpus,),
        lines=tuple((corpus.id, task.config, layer, HEAD, SEED) for layer in setting.layer_names),
        work=float(len(setting.layer_names)),
        run=run,
        options={"speaker_norm": normalise, "scaler": "none" if normalise else "train"},
    )


def _run(encoded: Encoded, task: Task, setting: Setting, normalise: bool, listed: bool) -> Iterator[Scored]:
    features = encoded.features(task.corpus, fit=task)
    task = task.without(features.failed)
    vectors = {split: by_layer(features, ids) for split, ids in task.parts.items()}
    flags = [] if listed else ["not one of SERAB's nine tasks: split by SERAB's rule"]
    if normalise:
        flags.append("normalised per speaker, with statistics of the test utterances too (transductive)")
        for split, ids in task.parts.items():
            whom = normalization_groups(task, ids, setting)
            vectors[split] = {layer: normalised(x, whom) for layer, x in vectors[split].items()}
    else:
        train = vectors["train"]
        vectors = {split: {layer: scaled(x, train[layer]) for layer, x in of.items()} for split, of in vectors.items()}
    for layer in setting.layer_names:
        yield _best(encoded, task, {split: of[layer] for split, of in vectors.items()}, layer, setting, flags)


def _best(
    encoded: Encoded, task: Task, x: Mapping[str, np.ndarray], layer: str, setting: Setting, flags: Sequence[str]
) -> Scored:
    y = {split: task.codes(ids) for split, ids in task.parts.items()}
    searched = classifiers.search(
        *(x["train"], y["train"], x["validation"], y["validation"], x["test"]),
        progress=lambda *_: encoded.advance(1 / _POINTS),
    )
    accuracy = {one.classifier: float(np.mean(one.predictions == y["test"])) for one in searched if not one.skipped}
    by_test = setting.variant == "published"
    chosen = classifiers.choose(searched, "test" if by_test else "validation", accuracy)
    return encoded.scored(
        task,
        chosen.predictions,
        layer=layer,
        head=HEAD,
        seed=SEED,
        hyperparameters={"classifier": chosen.classifier, **chosen.params},
        selection="hyperparameters by validation accuracy, then fitted again on train and validation; classifier by "
        + ("test accuracy" if by_test else "validation accuracy"),
        grid=[
            {"classifier": one.classifier, **point} | ({"test": accuracy[one.classifier]} if by_test else {})
            for one in searched
            for point in one.grid
            if not by_test or point == {**one.params, "validation": one.validation}
        ],
        flags=[
            *flags,
            *(["classifier selected by test accuracy, as the published script does"] if by_test else []),
            *(one.skipped for one in searched if one.skipped),
            *chosen.warnings,
        ],
    )


def normalization_groups(task: Task, ids: Sequence[str], setting: Setting) -> list[str | None]:
    """Return whom vectors are normalised with: speakers, or what the published code takes for them."""
    corpus = task.corpus
    if setting.variant == "strict" or corpus.id not in registry.ids():
        return task.speakers(ids)
    partition = registry.load(corpus.id).CORPUS.partitions.get("serab")
    if partition is None:
        return task.speakers(ids)
    return [partition.key(_utterance(one, corpus.facts[one])) for one in ids]


def _utterance(one: str, facts: Mapping[str, Any]) -> Utterance:
    """Return what a partition goes by, made again from a row."""
    return Utterance(
        id=one,
        path=one,
        native=facts["native"] or "",
        speaker=facts["speaker"],
        gender=Gender.UNKNOWN,
        language=facts["language"] or "",
    )
