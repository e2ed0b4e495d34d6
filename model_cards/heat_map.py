"""A heat map as SVG that stands in a page: a matrix of scores, colored and with its numbers."""

import html
from collections.abc import Sequence

_SIDE, _ROW, _LETTER, _GAP = 46, 22, 6.6, 8


def heat_map(
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    *,
    title: str,
    low: float = 0.0,
    high: float = 100.0,
) -> str:
    """Return a matrix as an SVG element: white at `low`, blue at `high`; cells without a value stay empty.

    Args:
        rows: names of the rows.
        columns: names of the columns, which stand upright above theirs.
        values: a row for each of `rows`, a value or None for each of `columns`.
        title: what the values are and what rows and columns are, for the caption and for readers who cannot see.
        low: value of the lightest color.
        high: value of the darkest; values beyond either have its color.
    """
    left = _GAP + _LETTER * max(map(len, rows))
    top = _GAP + _LETTER * max(map(len, columns))
    width, height = left + _SIDE * len(columns) + _GAP, top + _ROW * len(rows) + _GAP
    parts = []
    for at, name in enumerate(columns):
        x, y = left + _SIDE * (at + 0.5) + 4, top - 5
        parts.append(f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)">{html.escape(name)}</text>')
    for at, (name, line) in enumerate(zip(rows, values, strict=True)):
        y = top + _ROW * at
        parts.append(f'<text x="{left - 5:.1f}" y="{y + 15:.1f}" text-anchor="end">{html.escape(name)}</text>')
        for place, (column, value) in enumerate(zip(columns, line, strict=True)):
            if value is not None:
                parts.append(_cell(left + _SIDE * place, y, value, (value - low) / (high - low), f"{name}, {column}"))
    told = html.escape(title)
    return (
        f'<figure class="heat"><figcaption>{told}</figcaption><svg viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{told}" font-size="11" '
        f'font-family="system-ui, sans-serif">{"".join(parts)}</svg></figure>'
    )


def _cell(x: float, y: float, value: float, share: float, name: str) -> str:
    share = min(max(share, 0.0), 1.0)
    color = "#" + "".join(f"{round(255 + (end - 255) * share):02x}" for end in (0x08, 0x45, 0x94))
    ink = "#fff" if share > 0.73 else "#000"  # each stands out by 4.5 to 1 there
    return (
        f'<g><title>{html.escape(name)}: {value:.1f}</title><rect x="{x:.1f}" y="{y:.1f}" width="{_SIDE}" '
        f'height="{_ROW}" fill="{color}" stroke="#fff"/><text x="{x + _SIDE / 2:.1f}" y="{y + 15:.1f}" '
        f'text-anchor="middle" fill="{ink}">{value:.1f}</text></g>'
    )
