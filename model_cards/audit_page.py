"""The page of an audit: one HTML file with its pictures inside."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE, _ORANGE, _GREEN = "#3b6ea8", "#d1701c", "#5b9a68"


@dataclass(frozen=True, kw_only=True)
class Waveform:
    """The outline of a recording.

    Args:
        path: its file below the root of the corpus.
        start: where it starts on the time axis of the picture, in seconds.
        seconds: duration.
        low: smallest sample of each column, as a share of full scale.
        high: largest sample of each column.
    """

    path: str
    start: float
    seconds: float
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Group:
    """Findings of one severity and kind.

    Args:
        severity: error, warning or note.
        kind: name of the kind.
        meaning: what the kind means.
        count: how many utterances or files are concerned.
        lines: (where, what was measured) of each finding.
        worst: the recording of the first finding, or both where two have audio in common; empty without a picture.
    """

    severity: str
    kind: str
    meaning: str
    count: int
    lines: Sequence[tuple[Sequence[str], str]]
    worst: Sequence[Waveform]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """What was measured of the recordings of a corpus, one value each; levels are shares of full scale.

    Args:
        seconds: durations.
        least_seconds: shorter ones are findings.
        rms: root mean squares.
        full_scale: shares of samples at full scale.
        clipped_share: larger ones are clipped.
        offsets: means of the samples.
        largest_offset: larger magnitudes are findings.
    """

    seconds: Sequence[float]
    least_seconds: float
    rms: Sequence[float]
    full_scale: Sequence[float]
    clipped_share: float
    offsets: Sequence[float]
    largest_offset: float


@dataclass(frozen=True, kw_only=True)
class CorpusPage:
    """What the page says of one corpus.

    Args:
        name: its name.
        utterances: how many were found.
        complete: how many a complete copy has.
        overlaps: (config, test utterances, share whose speaker, sentence, both are in train or None for unknown).
        levels: its recordings, or None where none can be decoded.
        groups: what was found.
        errata: what its record knows already.
    """

    name: str
    utterances: int
    complete: int
    overlaps: Sequence[tuple[str, int, float | None, float | None, float | None]]
    levels: Levels | None
    groups: Sequence[Group]
    errata: Sequence[str]


def render_audit_page(corpora: Sequence[CorpusPage], across: Sequence[Group]) -> str:
    """Return the page.

    Args:
        corpora: corpus by corpus.
        across: what was found across corpora.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"overlaps": _overlaps, "levels": _levels, "waveforms": _waveforms}
    return environment.get_template("audit.html.j2").render(corpora=corpora, across=across)


def _overlaps(corpus: CorpusPage) -> str:
    """Draw bars of the shares for each config, as far as they are known."""
    rows = list(reversed(corpus.overlaps))
    shares = [("both", 4, _GREEN), ("sentence", 3, _ORANGE), ("speaker", 2, _BLUE)]
    shares = [one for one in shares if any(row[one[1]] is not None for row in rows)]
    height = 0.8 / max(len(shares), 1)
    figure, (axis,) = _figure(1, 1, width=8.5, height=0.9 + 0.14 * len(rows) * (1 + len(shares)))
    for number, (label, column, color) in enumerate(shares):
        known = [(y, row[column]) for y, row in enumerate(rows) if row[column] is not None]
        middles = [y + height * (number - (len(shares) - 1) / 2) for y, _ in known]
        axis.barh(middles, [100 * share for _, share in known], height, color=color, label=label)
    axis.set_yticks(range(len(rows)), [row[0] for row in rows])
    axis.set(xlim=(0, 100), ylim=(-0.5, len(rows) - 0.5), xlabel="% of the test utterances whose ... is in train")
    handles, labels = axis.get_legend_handles_labels()
    axis.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    return _png(figure)


def _levels(levels: Levels) -> str:
    """Draw durations, level against clipping, and DC offsets, each with the line beyond which something is found."""
    figure, (durations, clipping, offsets) = _figure(1, 3, width=11, height=2.9)
    durations.hist(levels.seconds, bins=60, color=_BLUE)
    durations.axvline(levels.least_seconds, color=_ORANGE)
    durations.set(xlabel="seconds", ylabel="utterances", xlim=(0, None), yscale="log", title="duration")
    touching = [(level, share) for level, share in zip(levels.rms, levels.full_scale, strict=True) if share]
    clipping.scatter(
        [level for level, _ in touching],
        [100 * share for _, share in touching],
        s=10,
        c=[_ORANGE if share > levels.clipped_share else _BLUE for _, share in touching],
    )
    clipping.axhline(100 * levels.clipped_share, color=_ORANGE)
    clipping.set(xlabel="RMS, share of full scale", ylabel="% of the samples", ylim=(1e-4, 100), yscale="log")
    clipping.set_title("at full scale")
    offsets.hist(levels.offsets, bins=60, color=_BLUE)
    for bound in (-levels.largest_offset, levels.largest_offset):
        offsets.axvline(bound, color=_ORANGE)
    offsets.set(xlabel="mean, share of full scale", ylabel="utterances", yscale="log", title="DC offset")
    return _png(figure)


def _waveforms(waveforms: Sequence[Waveform]) -> str:
    """Draw one recording above the other on one time axis."""
    figure, axes = _figure(len(waveforms), 1, width=8.5, height=0.4 + 1.1 * len(waveforms), sharex=True)
    for axis, waveform in zip(axes, waveforms, strict=True):
        columns = len(waveform.low)
        times = [waveform.start + (k + 0.5) * waveform.seconds / columns for k in range(columns)]
        axis.fill_between(times, waveform.low, waveform.high, color=_BLUE, linewidth=0.5)
        axis.axhline(0, color="#888888", linewidth=0.5)
        axis.set_ylim(-1.05, 1.05)
    low = min(waveform.start for waveform in waveforms)
    high = max(waveform.start + waveform.seconds for waveform in waveforms)
    axes[-1].set(xlim=(low, high), xlabel="seconds")
    return _png(figure)


def _figure(
    rows: int, columns: int, width: float, height: float, sharex: bool = False
) -> "tuple[Figure, Sequence[Axes]]":
    from matplotlib.figure import Figure  # not pyplot: no display, no global state

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=sharex, squeeze=False).ravel()
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any) -> str:
    """Return the figure as a data URI."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=110, metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
