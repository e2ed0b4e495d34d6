"""Picture of embeddings: utterances in the plane, near each other where an encoder finds them alike."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PERPLEXITY = 30.0
"""How many neighbors t-SNE heeds, about; the value of its paper's figures (van der Maaten and Hinton 2008)."""

_MARKERS = "os^DvPX*<>"


def positions(vectors: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return where t-SNE puts vectors in the plane (van der Maaten and Hinton 2008, JMLR 9), float32 (n, 2).

    Distances between far groups, and the sizes of groups, mean nothing there; neighborhoods do.

    Args:
        vectors: finite, (n, D), n from 4 on; columns are standardized here.
        seed: of the start.

    Raises:
        ValueError: There are too few, or not all are finite.
    """
    from sklearn.manifold import TSNE

    vectors = np.asarray(vectors, dtype=np.float64)
    if vectors.ndim != 2 or len(vectors) < 4 or not np.isfinite(vectors).all():
        raise ValueError(
            f"vectors: a picture needs finite vectors of 4 utterances or more, (n, D); their shape is {vectors.shape}, "
            f"and {np.count_nonzero(~np.isfinite(vectors))} values are not finite. Leave such utterances out."
        )
    deviations = vectors.std(axis=0)
    standardized = (vectors - vectors.mean(axis=0)) / np.where(deviations > 0, deviations, 1)
    near = min(PERPLEXITY, (len(vectors) - 1) / 3)
    return TSNE(perplexity=near, init="pca", random_state=seed).fit_transform(standardized).astype(np.float32)


def draw_embeddings(
    points: np.ndarray, corpora: Sequence[str], emotions: Sequence[str], path: Path, title: str = ""
) -> None:
    """Draw the same points twice, marked by corpus and by emotion, to a PNG or SVG file.

    Args:
        points: (n, 2), from `positions`.
        corpora: name of the corpus of each.
        emotions: emotion of each.
        path: where to; its suffix says which kind of file.
        title: what they are.
    """
    import matplotlib
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(12, 5.2), layout="constrained")
    for axes, names, what in zip(figure.subplots(1, 2), (corpora, emotions), ("corpus", "emotion"), strict=True):
        _scatter(axes, points, np.asarray(names), what)
    figure.suptitle(title)
    # without date, software and random ids, the same points give the same bytes
    blank = {"Date": None, "Creator": None} if path.suffix == ".svg" else {"Software": None}
    with matplotlib.rc_context({"svg.hashsalt": "serbench"}):
        figure.savefig(path, dpi=110, metadata=blank)


def _scatter(axes: "Axes", points: np.ndarray, names: np.ndarray, what: str) -> None:
    from matplotlib import colormaps

    colors = colormaps["tab20"].colors
    size = float(np.clip(4000 / len(points), 3, 30))
    for number, name in enumerate(sorted(set(names.tolist()))):
        mine = names == name
        axes.scatter(
            *points[mine].T,
            s=size,
            color=colors[(2 * number) % 20 + (number >= 10)],
            marker=_MARKERS[number % len(_MARKERS)],
            linewidths=0,
            alpha=0.7,
            label=f"{name} ({mine.sum()})",
        )
    axes.set(title=f"by {what}", xticks=[], yticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize="small", markerscale=2)
