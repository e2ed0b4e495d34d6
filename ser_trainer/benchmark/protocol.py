"""Protocol: what a benchmark of a paper does, as cells that a study runs; and the registry of all of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np

from loading_scripts.errors import SerbenchError, UnknownNameError, near

from ..encoders.encoder import Layers
from . import protocols
from .cache.features import Features
from .corpora import CorpusRows
from .results.line import Line, Prediction
from .tasks import Task

Variant = Literal["strict", "published"]
"""``strict`` selects on validation only; ``published`` does as the paper's script, defects included and flagged."""

Scored = tuple[Line, list[Prediction]]
"""One number and what it was counted from."""


class ProtocolError(SerbenchError, ValueError):
    """A protocol cannot be run as asked."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a user asks of a protocol.

    Args:
        variant: see `Variant`.
        seeds: seeds of the heads.
        layers: ``last``, or ``all`` for heads on every layer (and, where a head can learn it, on their weighted sum).
        depth: how many layers the encoder has, with the input of the first.
        speaker_norm: z-norm of each speaker's vectors within a split; transductive.
        epochs: epochs of the heads, None for the protocol's own.
        device: torch device of the heads.
        extra: further options of one protocol, by name.
    """

    variant: Variant = "strict"
    seeds: tuple[int, ...] = (0,)
    layers: Layers = "last"
    depth: int = 1
    speaker_norm: bool | None = None
    epochs: int | None = None
    device: str = "cpu"
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """What result lines call the layers: ``last``, or their numbers."""
        return ("last",) if self.layers == "last" else tuple(map(str, range(self.depth)))

    @property
    def options(self) -> dict[str, Any]:
        """What stands in the lines of heads, as it changes their numbers."""
        return {} if self.epochs is None else {"epochs": self.epochs}


class Encoded(Protocol):
    """What a cell gets to run: features of its corpora by one encoder, lines with all that is known, a progress bar.

    Attributes:
        word: what the user called the encoder, for cells that fine-tune it.
        folder: where such cells keep what they train, beside the results.
    """

    word: str
    folder: Path

    def features(self, corpus: CorpusRows, fit: Task) -> Features:
        """Return the features of a corpus; statistics that an encoder needs are those of the training part of `fit`."""
        ...

    def scored(self, task: Task, predicted: np.ndarray, test: Task | None = None, **told: Any) -> Scored:
        """Return the line of a head, and its predictions.

        Args:
            task: what it was trained on.
            predicted: classes that it predicts for the test part, int (n,).
            test: whose test part it is, if not that of `task`.
            told: layer, head, seed, hyperparameters, selection, grid, flags; see `results.Line`.
        """
        ...

    def advance(self, work: float) -> None:
        """Say that some of the cell's work is done."""
        ...


@dataclass(frozen=True, eq=False)
class Cell:
    """What is run, and skipped, at once.

    Args:
        name: what a progress bar calls it.
        corpora: the corpora whose features it needs.
        lines: (corpus, config, layer, head, seed) of the lines it gives.
        work: how much work it is, in units of its kind.
        run: gives its lines.
        options: options that change its numbers, as they stand in its lines.
        tunes: whether it fine-tunes the encoder itself, and asks for no features.
    """

    name: str
    corpora: tuple[CorpusRows, ...]
    lines: tuple[tuple[str, str, str, str, int], ...]
    work: float
    run: Callable[[Encoded], Iterator[Scored]]
    options: Mapping[str, Any] = field(default_factory=dict)
    tunes: bool = False


class ProtocolModule(Protocol):
    """What a file in `protocols/` defines.

    Attributes:
        TITLE: the paper and what is measured.
        CORPORA: ids of the paper's corpora.
        VARIANTS: variants it has.

    A protocol with options of its own, which `Setting.extra` holds, defines OPTIONS too: name -> what it means, a line.
    """

    TITLE: str
    CORPORA: tuple[str, ...]
    VARIANTS: tuple[Variant, ...]

    def cells(self, corpora: Sequence[CorpusRows], setting: Setting) -> list[Cell]:
        """Return the cells of a study of these corpora."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of all protocols: their files, with hyphens."""
    return tuple(sorted(one.name.replace("_", "-") for one in iter_modules(protocols.__path__)))


@cache
def load(protocol: str) -> ModuleType:
    """Return the file of a protocol, a `ProtocolModule`.

    Raises:
        UnknownNameError: there is none.
    """
    if protocol not in names():
        raise UnknownNameError(
            f"Protocol {protocol!r}: not known.{near(protocol, names())} Protocols: {', '.join(names())}."
        )
    return import_module(f"{protocols.__name__}.{protocol.replace('-', '_')}")


def options_of(protocols: Sequence[str], given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return, for each of some protocols, those of the given options that it has.

    Args:
        protocols: their names.
        given: option -> value.

    Raises:
        ProtocolError: none of them has one of the options.
    """
    known: dict[str, Mapping[str, str]] = {name: getattr(load(name), "OPTIONS", {}) for name in protocols}
    together = {option for options in known.values() for option in options}
    for option in given:
        if option not in together:
            told = "; ".join(
                f"{one} ({' '.join(options[one].split())}{_whose(name, protocols)})"
                for name, options in known.items()
                for one in options
            )
            raise ProtocolError(
                f"--option {option}: protocol {' '.join(protocols)} has no option {option!r}."
                f"{near(option, together)} {f'Options: {told}.' if told else 'It has none.'}"
            )
    return {name: {one: value for one, value in given.items() if one in options} for name, options in known.items()}


def _whose(name: str, protocols: Sequence[str]) -> str:
    return f", of {name}" if len(protocols) > 1 else ""
