"""EmoBox within one corpus: fixed folds, frozen frames, a small head (Ma et al., arXiv:2406.07162).

Neither paper nor code says how epoch and grid point were chosen, nor how folds are combined. `strict` chooses both by
validation accuracy and tests once; `published` uses the code's schedule and presents the best test result.
"""

from collections.abc import Iterator, Sequence

from ..cache.features import Features
from ..corpora import CorpusError, CorpusRows
from ..heads.frame_heads import best, kinds, train_grid
from ..protocol import Cell, Encoded, Scored, Setting
from ..tasks import Task, make_task, share_classes

TITLE = "EmoBox, intra-corpus: all folds, Linear-ReLU-mean-Linear on frozen frames"
CORPORA = (
    *("aesdd", "ased", "asvpesd", "cafe", "casia", "cremad", "emns", "emodb", "emovdb", "emovo", "emozionalmente"),
    *("enterface", "esd", "iemocap", "jlcorpus", "m3ed", "mead", "meld", "mer2023", "mesd", "msppodcast", "oreau"),
    *("pavoque", "polish", "ravdess", "resd", "savee", "shemo", "subesco", "tess", "turevdb", "urdu"),
)
VARIANTS = ("strict", "published")

LONGEST = 30.0
"""Seconds; EmoBox leaves longer utterances out of training and test (its code)."""


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for each corpus, with all its folds.

    Raises:
        CorpusError: a corpus has no folds.
    """
    return [_cell(corpus, setting) for corpus in corpora]


def _cell(corpus: CorpusRows, setting: Setting) -> Cell:
    folds = corpus.folds()
    if not folds:
        raise CorpusError(
            f"Corpus {corpus.id}: EmoBox needs folds (fold1 ...); its configs are {', '.join(corpus.configs)}. "
            "Leave it out, or add a column fold to the table of your own corpus."
        )
    tasks = share_classes([make_task(corpus, fold, longest=LONGEST) for fold in folds])
    heads = kinds(setting)

    def run(encoded: Encoded) -> Iterator[Scored]:
        found = [encoded.features(corpus, fit=task) for task in tasks]
        for features in dict.fromkeys(found):  # one, unless statistics of each training part go into them
            same = [task.without(features.failed) for task, own in zip(tasks, found, strict=True) if own is features]
            for kind, layer in heads:
                yield from _run(encoded, features, same, kind, layer, setting)

    return Cell(
        name=f"emobox-intra {corpus.id}",
        corpora=(corpus,),
        lines=tuple(
            (corpus.id, fold, layer, kind, seed) for fold in folds for kind, layer in heads for seed in setting.seeds
        ),
        work=float(len(folds) * len(setting.seeds) * len(heads)),
        run=run,
        options=setting.options,
    )


def _run(
    encoded: Encoded, features: Features, tasks: Sequence[Task], kind: str, layer: str, setting: Setting
) -> Iterator[Scored]:
    codes = {one: code for task in tasks for one, code in zip(task.ids, task.codes(task.ids), strict=True)}
    folds = {task.config: task.parts for task in tasks}
    classes = len(tasks[0].classes)
    trained = train_grid([(features, list(codes))], codes, classes, folds, kind, layer, setting, encoded.advance)
    for task in tasks:
        for seed in setting.seeds:
            predicted, told = best(trained[task.config, seed], task.codes(task.parts["test"]), setting)
            yield encoded.scored(task, predicted, layer=layer, head=kind, seed=seed, **told)
