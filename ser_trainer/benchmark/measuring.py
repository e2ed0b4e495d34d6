"""Measuring: how fast this machine encodes and trains heads, tried now, on some audio of the corpora themselves."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from loading_scripts import audio
from loading_scripts.errors import AudioError

from ..encoders.encoder import Clip, ClipError
from .cache.batches import batches
from .cache.features import Packed
from .corpora import CorpusError, CorpusRows
from .heads import classifiers
from .heads.frame_heads import GRID, LINEAR_GRID, recipe_of
from .heads.probes import SEREVALS, SEREVALS_POINT, Fold, Point, Recipe, train_heads
from .plan import Planned
from .protocol import Setting
from .protocols import serab, serevals
from .study import Study

SECONDS = {"cpu": 20.0, "cuda": 600.0}
"""Audio that is encoded; a GPU is measured with a batch of the size that it will get."""

UTTERANCES = 128
"""Utterances that heads are measured with, the encoded ones again and again: four batches of 32."""

EPOCHS = 3
"""Epochs of heads that are measured."""

SERAB = (60, 240)
"""Utterances that SERAB's classifiers are measured with, twice: much of their time does not depend on the number."""

_CLASSES = 4


@dataclass(frozen=True, eq=False)
class Speed:
    """What encoding some audio took.

    Args:
        audio: seconds of audio.
        factor: seconds of audio that are encoded in a second.
        features: of the clips: (T, D) each, or (depth, D).
        threads: that computed.
    """

    audio: float
    factor: float
    features: list[np.ndarray]
    threads: int


def encoded(study: Study, corpora: Sequence[CorpusRows]) -> Speed:
    """Encode some audio of the corpora, and time it.

    Raises:
        CorpusError: none of it can be decoded.
    """
    device = "cpu" if study.machine.device == "cpu" else "cuda"
    clips = _clips(corpora, SECONDS[device])
    samples = {one.id: len(one.samples) for one in clips}
    clips.sort(key=lambda one: -samples[one.id])
    held = {one.id: one for one in clips}
    encoder = study.encoder.encoder
    if study.encoder.fits:
        encoder = encoder.fitted("calibration", corpora[0].id, clips)  # type: ignore[attr-defined]
    encoder.encode(clips[-1:], study.layers)  # what is loaded or compiled the first time is not measured
    found: list[np.ndarray] = []
    start = time.perf_counter()
    for batch in batches([one.id for one in clips], samples, SECONDS[device]):
        try:
            found += encoder.encode([held[one] for one in batch], study.layers)
        except ClipError:
            continue
    taken = time.perf_counter() - start
    if not found:
        raise CorpusError(f"Encoder {encoder.name}: an estimate needs features; it refused {len(clips)} utterances.")
    seconds = sum(samples.values()) / audio.SAMPLE_RATE
    torch = sys.modules.get("torch")
    return Speed(seconds, seconds / taken, found, torch.get_num_threads() if torch else 1)


def _clips(corpora: Sequence[CorpusRows], seconds: float) -> list[Clip]:
    """Return clips from everywhere in the corpora, of each in turn, until there are enough."""
    draw = np.random.default_rng(0)
    orders = [(corpus, draw.permutation(len(corpus.ids))) for corpus in corpora]
    turns = [
        (corpus, int(order[turn]))
        for turn in range(max(len(order) for _, order in orders))
        for corpus, order in orders
        if turn < len(order)
    ]
    found, held = [], 0.0
    for corpus, at in turns:
        if held >= seconds:
            break
        try:
            samples = audio.load(corpus.rows[at]["audio"])
        except AudioError:
            continue
        found.append(Clip(f"{corpus.id}/{corpus.ids[at]}", samples))
        held += len(samples) / audio.SAMPLE_RATE
    if not found:
        raise CorpusError(
            f"Corpora {' '.join(one.id for one in corpora)}: an estimate encodes some of the audio; none of it can be "
            "decoded. `serbench audit` says what is wrong."
        )
    return found


class Heads:
    """How long heads take, each kind measured once, when it is first asked for.

    Args:
        features: of some utterances, as a study trains heads on.
        setting: of the study.

    Attributes:
        guessed: whether SERAB's classifiers are among them; their time depends on labels, and on more than a number.
        unknown: kinds of heads that nothing is known of.
    """

    def __init__(self, features: Sequence[np.ndarray], setting: Setting):
        self._features = [features[at % len(features)] for at in range(UTTERANCES)]
        self._frames = sum(map(len, features)) / len(features)
        self._setting = setting
        self._line: tuple[float, float] | None = None
        self._rates: dict[str, float] = {}
        self.guessed, self.unknown = False, set[str]()

    def seconds(self, planned: Planned, vectors: float) -> float:
        """Return the seconds that the heads of a cell take.

        Args:
            planned: the cell.
            vectors: what its first corpus has: frames, or utterances where heads see a vector of each.
        """
        counted = Counter(head for _, _, _, head, _ in planned.cell.lines)
        share = planned.cell.work / counted.total()
        return sum(share * lines * self._training(head, planned, vectors) for head, lines in counted.items())

    def _training(self, head: str, planned: Planned, vectors: float) -> float:
        if head == serab.HEAD:
            self.guessed = True
            fixed, slope = self._serab()
            return fixed + slope * len(planned.cell.corpora[0].ids)
        recipe, grid = self._recipe(head)
        if recipe is None:
            self.unknown.add(head)
            return 0.0
        if head not in self._rates:
            self._rates[head] = self._epoch(recipe, grid) / self._size()
        return recipe.epochs * vectors * self._rates[head]

    def _recipe(self, head: str) -> tuple[Recipe | None, Sequence[Point]]:
        epochs = self._setting.epochs
        if head == serevals.HEAD:
            return SEREVALS if epochs is None else replace(SEREVALS, epochs=epochs), [SEREVALS_POINT]
        if head in ("emobox", "linear", "weighted"):
            return recipe_of(head, self._setting), GRID if head == "emobox" else LINEAR_GRID
        return None, ()

    def _size(self) -> float:
        return UTTERANCES * (1.0 if self._setting.layers == "all" else self._frames)

    def _epoch(self, recipe: Recipe, grid: Sequence[Point]) -> float:
        """Return the seconds of an epoch of all points of a grid, without what is prepared before the first one."""
        packed = _packed(self._features, recipe.head, self._setting.layers)
        labels = np.arange(UTTERANCES) % _CLASSES
        order = np.random.default_rng(0).permutation(UTTERANCES)
        parts = np.split(order, [int(0.6 * UTTERANCES), int(0.8 * UTTERANCES)])

        def trained(epochs: int) -> Callable[[], object]:
            some = replace(recipe, epochs=epochs)
            fold = Fold("calibration", *parts)
            return lambda: train_heads(packed, labels, _CLASSES, [fold], some, grid, [0], device=self._setting.device)

        trained(1)()  # what is loaded or compiled the first time is not measured
        return max(_timed(trained(1 + EPOCHS)) - _timed(trained(1)), 0.0) / EPOCHS

    def _serab(self) -> tuple[float, float]:
        """Return a straight line: seconds of no utterance, and of each one."""
        if self._line is None:
            few, many = SERAB
            means = np.stack([one.mean(axis=0) for one in self._features])
            draw = np.random.default_rng(0)
            x = means[np.arange(many) % len(means)] + draw.normal(0, means.std(axis=0) + 1e-6, (many, means.shape[1]))
            y = draw.integers(0, _CLASSES, many)
            times = [_timed(lambda n=n: _search(x[:n].astype(np.float32), y[:n])) for n in SERAB]
            slope = max(times[1] - times[0], 0.0) / (many - few)
            self._line = max(times[0] - slope * few, 0.0), slope
        return self._line


def _search(x: np.ndarray, y: np.ndarray) -> None:
    cuts = [int(0.6 * len(x)), int(0.8 * len(x))]
    train, validation, test = np.split(x, cuts)
    classifiers.search(train, y[: cuts[0]], validation, y[cuts[0] : cuts[1]], test)


def _timed(what: Callable[[], object]) -> float:
    start = time.perf_counter()
    what()
    return time.perf_counter() - start


def _packed(features: Sequence[np.ndarray], head: str, layers: str) -> Packed:
    ids = tuple(map(str, range(len(features))))
    if head == "weighted":
        return Packed(ids, np.stack(features), np.arange(len(ids) + 1))
    if layers == "all":
        return Packed(ids, np.stack([one[-1] for one in features]), np.arange(len(ids) + 1))
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in features])])
    return Packed(ids, np.concatenate(features).astype(np.float16), offsets)
