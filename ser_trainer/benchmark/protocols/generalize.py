"""Generalize: Whisper fine-tuned whole, on each corpus or on all together (Ibrahim et al., arXiv:2406.09933).

One speaker of each English corpus tests; the same for a model of that corpus alone and for one of all corpora, whose
training clips are pooled and, if wanted, balanced. No code of the paper was found: its text is followed, and what it
leaves open is decided in `generalize_splits` and `Options`.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from loading_scripts.errors import near

from ...encoders.opening import resolve
from ...finetune.sampling.balance import How
from ..corpora import CorpusRows
from ..papers.generalize_splits import EMOTIONS, NATIVE_SETTING, HeldOut, counts, folds, held_out, pool, pooled_folds
from ..protocol import Cell, Encoded, ProtocolError, Scored, Setting
from ..tasks import Task
from ..tuning.fine_tuning import Tuning, best_epoch, tuned, validated
from ..tuning.starting import starting

TITLE = "Generalize: Whisper fine-tuned on each of 11 English corpora, and on all together"
CORPORA = (
    *("esd", "meld", "iemocap", "cremad", "emovdb", "asvpesd"),
    *("tess", "jlcorpus", "ravdess", "savee", "emofilm"),
)
VARIANTS = ("strict",)

HEAD = "fine-tuned"
"""The head of its lines; head and encoder are trained together."""

_UNHEARD = "the corpus only tests: none of its training clips is of a length that the pool takes"

MODES = ("separate", "combined", "both")

T = TypeVar("T", int, float)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a user can ask of this protocol, from `Setting.extra`.

    Args:
        emotions: ``4``, ``5`` or ``n``, each corpus' own, which has no combined model.
        sampling: how the pool is balanced: none, under, smote, adasyn, over; several with commas, a model for each.
        mode: a model for each corpus, one for all, or both.
        folds: models of each kind; each has another part that validates.
        tuned: the whole model, or the head alone on embeddings that stay as they were pre-trained.
        batch: rows of a step.
        lr: learning rate, constant.
        epochs: epochs, the best of which validation chooses.
    """

    emotions: str = "4"
    sampling: tuple[How, ...] = ("none",)
    mode: str = "both"
    folds: int = 5
    tuned: str = "whole"
    batch: int = 16
    lr: float = 1e-5
    epochs: int = 10

    @classmethod
    def of(cls, setting: Setting, corpora: int) -> "Options":
        """Return the options of a setting.

        Raises:
            ProtocolError: there is no such option, or it cannot have this value.
        """
        given = dict(setting.extra)
        for name in given:
            if name not in OPTIONS:
                raise ProtocolError(
                    f"Protocol generalize: has no option {name!r}.{near(name, OPTIONS)} Options: {', '.join(OPTIONS)}."
                )
        emotions = _one_of("emotions", given.get("emotions", "4").lower(), (*EMOTIONS, NATIVE_SETTING))
        alone = corpora < 2 or emotions == NATIVE_SETTING
        mode = _one_of("mode", given.get("mode", "separate" if alone else "both"), MODES)
        if mode != "separate" and emotions == NATIVE_SETTING:
            raise ProtocolError(
                "Protocol generalize: with emotions=n each corpus has classes of its own, so no model is combined; "
                f"mode is {mode!r}. Say mode=separate, or emotions=4."
            )
        if mode != "separate" and corpora < 2:
            raise ProtocolError(
                f"Protocol generalize: a combined model needs two corpora or more; given {corpora}. Add one: --corpora "
                "A B; or say mode=separate."
            )
        sampling = given.get("sampling", "none").split(",")
        return cls(
            emotions=emotions,
            sampling=tuple(_one_of("sampling", one.strip(), get_args(How)) for one in sampling),
            mode=mode,
            folds=_number("folds", given.get("folds", "5"), int, 2),
            tuned=_one_of("tuned", given.get("tuned", "whole"), ("whole", "head")),
            batch=_number("batch", given.get("batch", "16"), int, 1),
            lr=_number("lr", given.get("lr", "1e-5"), float, 0.0),
            epochs=setting.epochs or 10,
        )

    @property
    def told(self) -> dict[str, Any]:
        """What of it stands in the options of every line."""
        settings = {"folds": self.folds, "tuned": self.tuned, "batch": self.batch, "lr": self.lr, "epochs": self.epochs}
        return {"emotions": self.emotions, **settings}


OPTIONS = {
    "emotions": "4, 5, or n, each corpus' own; default 4",
    "sampling": f"how the pool is balanced: {', '.join(get_args(How))}; several with commas; default none",
    "mode": "separate, combined or both; default both where that can be",
    "folds": "models of each kind, default 5",
    "tuned": "whole, or the head alone; default whole",
    "batch": "rows of a step, default 16",
    "lr": "learning rate, default 1e-5",
}
"""Name -> meaning of what `Setting.extra` can hold."""


@dataclass(frozen=True, eq=False)
class Training:
    """One fold of a model: what trains it, and what each of its lines tells.

    Args:
        place: what its folder is called, but for the seed.
        classes: of the model, in order.
        shares: corpus -> its task, all of one config; a corpus of a pool may have nothing that trains.
        flags: corpus -> what a reader of its line must know.
    """

    place: str
    classes: tuple[str, ...]
    shares: Mapping[str, Task]
    flags: Mapping[str, Sequence[str]]


def cells(corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
    """Return a cell for the models of each corpus, and one for each sampling of the pool.

    Raises:
        ProtocolError: an option is wrong, there are too few corpora to combine, or too little is left of the pool.
        CorpusError: a corpus has fewer than two of the classes.
    """
    options = Options.of(setting, len(corpora))
    held = [held_out(corpus, options.emotions) for corpus in corpora]
    found = []
    if options.mode != "combined":
        found += [_cell([one], separate(one, options), "none", options, setting) for one in held]
    if options.mode != "separate":
        pooled = pool(held)
        found += [_cell(pooled, combined(pooled, how, options), how, options, setting) for how in options.sampling]
    return found


def separate(held: HeldOut, options: Options) -> list[Training]:
    """Return the folds of a model of one corpus."""
    found = []
    for number, (train, validation, who) in enumerate(folds(held, options.folds), 1):
        config = f"e{options.emotions}-separate-fold{number}"
        task, name = held.task(config, train, validation), held.corpus.id
        found.append(Training(f"{name}-{config}", held.classes, {name: task}, {name: [held.rule, who]}))
    return found


def combined(corpora: Sequence[HeldOut], how: How, options: Options) -> list[Training]:
    """Return the folds of a model of a pool."""
    heard = frozenset(one.labels[clip] for one in corpora for clip in one.train)
    present = heard.union(*(one.classes for one in corpora))
    classes = tuple(name for name in EMOTIONS[options.emotions] if name in present)
    size = sum(len(one.train) for one in corpora)
    told = [f"pool of {len(corpora)} corpora, {size} clips: {counts(corpora, classes)}"]
    if how in ("smote", "adasyn"):
        told.append(f"{how} mixes log-mel spectra (waveforms if the encoder takes these), neighbors by mean log-mel")
    names = [one.corpus.id for one in corpora]
    place = f"combined-{hashlib.sha256(' '.join(sorted(names)).encode()).hexdigest()[:8]}"
    found = []
    for number, parts in enumerate(pooled_folds(corpora, options.folds), 1):
        config = f"e{options.emotions}-combined-{how}-fold{number}"
        shares = {one.corpus.id: one.share(config, *parts[one.corpus.id], classes, heard) for one in corpora}
        flags = {one.corpus.id: [one.rule, *told, *(() if one.train else (_UNHEARD,))] for one in corpora}
        found.append(Training(f"{place}-{config}", classes, shares, flags))
    return found


def _cell(held: Sequence[HeldOut], trainings: Sequence[Training], how: How, options: Options, setting: Setting) -> Cell:
    mode = "combined" if len(held) > 1 else "separate"
    precision = "float32" if setting.device == "cpu" else "bfloat16"
    told = {**options.told, "mode": mode, "sampling": how, "precision": precision}
    if mode == "combined":
        told["corpora"] = " ".join(one.corpus.id for one in held)

    def run(encoded: Encoded) -> Iterator[Scored]:
        for training in trainings:
            for seed in setting.seeds:
                tuning = Tuning(
                    epochs=options.epochs,
                    batch_size=options.batch,
                    learning_rate=options.lr,
                    precision=precision,
                    seed=seed,
                    balance=how,
                    device=setting.device,
                    keep_model=mode == "combined",  # 55 models of single corpora would take 19 GB
                )
                yield from _scored(encoded, training, tuning, options)

    return Cell(
        name=f"generalize {mode} {held[0].corpus.id if mode == 'separate' else how}",
        corpora=tuple(one.corpus for one in held),
        lines=tuple(
            (name, task.config, "last", HEAD, seed)
            for training in trainings
            for name, task in training.shares.items()
            for seed in setting.seeds
        ),
        work=float(len(trainings) * len(setting.seeds)),
        run=run,
        options=told,
        tunes=True,
    )


def _scored(encoded: Encoded, training: Training, tuning: Tuning, options: Options) -> Iterator[Scored]:
    opening = resolve(encoded.word)[1]
    folder = encoded.folder / "generalize" / opening.name.replace("/", "--") / f"{training.place}-seed{tuning.seed}"
    logits = tuned(
        folder,
        starting(opening, whole=options.tuned == "whole"),
        {name: task for name, task in training.shares.items() if task.parts["train"]},
        training.shares,
        training.classes,
        tuning,
        made_of={"encoder": opening.name, "revision": opening.revision, "tuned": options.tuned},
        progress=encoded.advance,
    )
    chosen = {"epoch": best_epoch(folder), "learning_rate": tuning.learning_rate, "batch": tuning.batch_size}
    for name, task in training.shares.items():
        yield encoded.scored(
            task,
            logits[name].argmax(axis=1),
            layer="last",
            head=HEAD,
            seed=tuning.seed,
            hyperparameters=chosen,
            selection="epoch by validation accuracy, a mean over the corpora that train; ties to the earlier one",
            grid=validated(folder),
            flags=training.flags[name],
        )


def _one_of(name: str, value: str, known: Sequence[str]) -> Any:
    if value not in known:
        raise ProtocolError(
            f"Protocol generalize: {name} is one of {', '.join(known)}; it is {value!r}.{near(value, known)}"
        )
    return value


def _number(name: str, value: str, kind: Callable[[str], T], least: T) -> T:
    try:
        found = kind(value)
    except ValueError:
        found = None
    if found is None or not (found >= least and 0 < found < float("inf")):
        raise ProtocolError(f"Protocol generalize: {name} is a number from {least} on, above 0; it is {value!r}.")
    return found
