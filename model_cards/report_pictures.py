"""Pictures on the page of a report, as SVG that stands in the page: scores over layers."""

import html
from collections.abc import Mapping, Sequence

COLORS = ("#1f5a99", "#b4540a", "#2f7d3b", "#7a3fa0", "#a8232d", "#4d4d4d", "#0f7c80", "#8a6d00")
"""Colors of curves; each stands out from white by at least 4.5 to 1."""

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 520, 220, 46, 12, 38
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


def draw_layers(curves: Mapping[str, Sequence[tuple[int, float]]], unit: str) -> str:
    """Return curves over layers as an SVG element with a legend beside it.

    Args:
        curves: name -> (layer, value) of each point, at most as many as `COLORS`.
        unit: what the values are, for the axis and for readers who cannot see.
    """
    points = [point for curve in curves.values() for point in curve]
    first, last = min(layer for layer, _ in points), max(layer for layer, _ in points)
    ticks = _ticks(min(value for _, value in points), max(value for _, value in points))
    low, high = ticks[0], ticks[-1]

    def x(layer: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * (layer - first) / max(last - first, 1)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    parts = []
    for tick in ticks:
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    step = max(1, (last - first) // 12 + 1)
    for layer in range(first, last + 1, step):
        parts.append(f'<text x="{x(layer):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{layer}</text>')
    parts.append(f'<text x="{(_LEFT + _WIDTH) / 2:.0f}" y="{_HEIGHT - 6}" text-anchor="middle">layer</text>')
    keys = []
    for number, (name, curve) in enumerate(curves.items()):
        style = f'stroke="{COLORS[number]}" stroke-dasharray="{_DASHES[number % len(_DASHES)]}"'
        path = " ".join(f"{x(layer):.1f},{y(value):.1f}" for layer, value in sorted(curve))
        parts.append(f'<polyline points="{path}" {style} class="curve"/>')
        parts += [
            f'<circle cx="{x(layer):.1f}" cy="{y(value):.1f}" r="2.6" fill="{COLORS[number]}">'
            f"<title>{html.escape(name)}, layer {layer}: {value:.1f}</title></circle>"
            for layer, value in sorted(curve)
        ]
        best, value = max(curve, key=lambda point: point[1])
        stroke = f'<line x1="0" x2="34" y1="5" y2="5" {style} class="curve"/>'
        swatch = f'<svg width="34" height="10" aria-hidden="true">{stroke}</svg>'
        keys.append(f"<li>{swatch} {html.escape(name)}: highest {value:.1f}, layer {best}</li>")
    label = f"{unit} over layers {first} to {last}: " + "; ".join(curves)
    return (
        f'<div class="curves"><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="{html.escape(label)}">{"".join(parts)}</svg><ul>{"".join(keys)}</ul></div>'
    )


def shade(share: float) -> str:
    """Return the color of a cell of a confusion matrix, white to blue, light enough for dark text.

    >>> shade(0.0), shade(1.0)
    ('#ffffff', '#7fb0e3')
    """
    return "#" + "".join(f"{round(255 + (end - 255) * share):02x}" for end in (0x7F, 0xB0, 0xE3))


def _ticks(low: float, high: float) -> list[float]:
    """Return three to seven round values that span a range.

    >>> _ticks(61.2, 78.9)
    [60.0, 65.0, 70.0, 75.0, 80.0]
    """
    span = max(high - low, 0.5)
    step = next(10.0**power * by for power in range(-2, 4) for by in (1, 2, 5) if span / (10.0**power * by) <= 5)
    start = int(low // step)
    found = [start * step]
    while found[-1] < high or len(found) < 3:
        found.append((start + len(found)) * step)
    return [round(one, 6) for one in found]
