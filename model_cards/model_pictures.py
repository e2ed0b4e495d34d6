"""Pictures on the card of a model: confusion matrices, reliability, the course of training.

The same numbers give the same bytes.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREY = "#3b6ea8", "#d1701c", "#9aa0a6"


def draw_confusion(matrix: Sequence[Sequence[int]], labels: Sequence[str], path: Path) -> None:
    """Draw a confusion matrix to a PNG file: shades are shares of a row (recall), numbers are utterances.

    Args:
        matrix: utterances, rows are references and columns predictions, (classes, classes).
        labels: names of the classes.
        path: file to write.
    """
    size = len(labels)
    figure, (axis,) = _axes(1, (2.4 + 0.55 * size, 2.0 + 0.55 * size))
    shares = [[count / (sum(row) or 1) for count in row] for row in matrix]
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(matrix):
        for j, count in enumerate(row):
            color = "white" if shares[i][j] > 0.55 else "black"
            axis.text(j, i, str(count), ha="center", va="center", color=color, fontsize=9)
    axis.set_xticks(range(size), labels, rotation=45, ha="right")
    axis.set_yticks(range(size), labels)
    axis.set_xlabel("predicted")
    axis.set_ylabel("reference")
    figure.colorbar(image, ax=axis, label="share of the reference class", shrink=0.8)
    _save(figure, path)


Bins = Sequence[tuple[float, float, int]]
"""Mean confidence, share of right decisions and number of utterances of each bin."""


def draw_reliability(before: Bins, after: Bins, path: Path) -> None:
    """Draw accuracy against confidence to a PNG file.

    Args:
        before: bins of the probabilities as the model gives them.
        after: bins after division by the temperature; empty where none was fitted.
        path: file to write.
    """
    figure, (axis,) = _axes(1, (4.2, 3.8))
    axis.plot([0, 1], [0, 1], color=_GREY, linestyle=":", label="perfectly calibrated")
    for bins, name, color in ((before, "as given", _BLUE), (after, "calibrated", _ORANGE)):
        if bins:
            confidence, accuracy, utterances = zip(*bins, strict=True)
            axis.plot(confidence, accuracy, color=color, linewidth=1)
            sizes = [15 + 400 * one / sum(utterances) for one in utterances]
            axis.scatter(confidence, accuracy, s=sizes, color=color, alpha=0.6, label=name, linewidths=0)
    axis.set(xlabel="confidence", ylabel="share of right decisions", xlim=(0, 1.02), ylim=(0, 1.02))
    legend = axis.legend(loc="upper left", fontsize=8, frameon=False)
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([40])  # their area says how many utterances a bin has
    _save(figure, path)


def draw_curves(curves: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    """Draw the course of training to a PNG file: losses, scores of evaluations, learning rate.

    Args:
        curves: name -> (optimizer step, value) of each entry of the log. Names that end in "loss" share a panel,
            "learning rate" has its own, all others share one.
        path: file to write.
    """
    panels: dict[str, dict[str, Sequence[tuple[int, float]]]] = {}
    for name, points in curves.items():
        panel = "loss" if name.endswith("loss") else name if name == "learning rate" else "validation score"
        panels.setdefault(panel, {})[name] = points
    figure, axes = _axes(len(panels), (3.6, 3.0))
    last = max(step for points in curves.values() for step, _ in points)
    for axis, (title, lines) in zip(axes, sorted(panels.items(), key=_order), strict=True):
        axis.spines[["top", "right"]].set_visible(False)
        for name, points in lines.items():
            dotted = {"marker": "o", "markersize": 3} if len(points) <= 30 else {}
            axis.plot(*zip(*points, strict=True), linewidth=1.3, label=name, **dotted)
        finite = [value for points in lines.values() for _, value in points if math.isfinite(value)]
        axis.set(title=title, xlabel="optimizer step", xlim=(0, last * 1.03))
        if finite and min(finite) >= 0:
            axis.set_ylim(bottom=0)
        if list(lines) != [title]:
            axis.legend(fontsize=8, frameon=False)
    _save(figure, path)


def _order(panel: tuple[str, object]) -> int:
    return ("loss", "validation score", "learning rate").index(panel[0])


def _axes(columns: int, size: tuple[float, float]) -> "tuple[Figure, Sequence[Axes]]":
    """Return a figure with one row of panels, each `size` inches wide and high."""
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(size[0] * columns, size[1]), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _save(figure: "Figure", path: Path) -> None:
    # without the name of the software, the same numbers give the same bytes
    figure.savefig(path, dpi=110, metadata={"Software": None})
