"""Pictures on the card of a corpus: how many utterances each class has, and how long they last."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .dataset import LabelLine

_BLUE = "#3b6ea8"


def draw_class_balance(labels: "Sequence[LabelLine]", path: Path) -> None:
    """Draw bars of utterances for the classes of `emotion` and of `unified8` to a PNG file."""
    figure, axes = _axes(2, height=max(3.2, 0.9 + 0.23 * len({line.emotion for line in labels})))
    for axis, column in zip(axes, ("emotion", "unified8"), strict=True):
        counts: dict[str, int] = {}
        for line in labels:
            name = getattr(line, column) or "no label"
            counts[name] = counts.get(name, 0) + line.count
        names = sorted(counts, key=lambda name: (counts[name], name))
        bars = axis.barh(names, [counts[name] for name in names], color=_BLUE)
        axis.bar_label(bars, padding=3)
        axis.margins(x=0.15)
        axis.set_title(column)
        axis.set_xlabel("utterances")
    _save(figure, path)


def draw_durations(seconds: Sequence[float], path: Path) -> None:
    """Draw a histogram of durations in seconds to a PNG file; its last bar holds all that are exceptionally long."""
    import numpy as np

    figure, (axis,) = _axes(1)
    longest = 1.5 * float(np.quantile(seconds, 0.99))  # a few clips of minutes would squeeze all others into one bar
    axis.hist(np.minimum(seconds, longest), bins=40, color=_BLUE)
    axis.set_xlabel("seconds" if max(seconds) <= longest else f"seconds (last bar: up to {max(seconds):.0f})")
    axis.set_ylabel("utterances")
    _save(figure, path)


def _axes(columns: int, height: float = 3.2) -> "tuple[object, Sequence[Axes]]":
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(4.5 * columns, height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure: object, path: Path) -> None:
    # without the name of the software, the same numbers give the same bytes
    figure.savefig(path, dpi=110, metadata={"Software": None})  # type: ignore[attr-defined]
