"""Tables in Markdown, curves in SVG: no library needed to read or to make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP = 260, 180, 44, 28  # pixels of one plot
COLUMNS = 3
COLOURS = (
    "#1f5fbf", "#c43d3d", "#2f8f4e", "#8a5fbf", "#b7791f", "#3aa3a3", "#777777", "#c4c4c4",
)  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *[[_cell(cell) for cell in row] for row in rows]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def page(folder: Path) -> str:
    """Return the tables and plots of a folder as one HTML page that loads nothing."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>The loop benchmark</title>',
        "<style>body { font: 15px/1.5 sans-serif; max-width: 1100px; margin: 2rem auto }",
        "pre { overflow-x: auto } svg { width: 100%; height: auto }</style></head><body>",
        "<h1>The loop benchmark</h1>",
    ]
    for text in sorted(folder.glob("*.md")):
        parts.append(f"<h2>{escape(text.stem)}</h2>")
        plot = text.with_suffix(".svg")
        parts += [plot.read_text(encoding="utf-8")] if plot.is_file() else []
        parts.append(f"<pre>{escape(text.read_text(encoding='utf-8'))}</pre>")
    return "\n".join([*parts, "</body></html>"]) + "\n"


def curves_svg(plots: Mapping[str, Mapping[str, Sequence[float]]], along: str | None = None) -> str:
    """Return one plot per entry: name -> curve by look; ``along``: by something else."""
    names = list(dict.fromkeys(name for curves in plots.values() for name in curves))
    lines = -(-len(plots) // COLUMNS)
    total = lines * (HEIGHT + 2 * TOP) + 24 * (-(-len(names) // 4)) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * (WIDTH + 2 * LEFT)}"',
        f' height="{total}" font-family="sans-serif" font-size="11">',
    ]
    for i, (title, curves) in enumerate(plots.items()):
        x = LEFT + i % COLUMNS * (WIDTH + 2 * LEFT)
        y = TOP + i // COLUMNS * (HEIGHT + 2 * TOP)
        parts += _plot(x, y, title, curves, names, along)
    for i, name in enumerate(names):
        x, y = LEFT + i % 4 * 200, lines * (HEIGHT + 2 * TOP) + 24 * (i // 4) + 20
        parts.append(f'<rect x="{x}" y="{y - 9}" width="14" height="9" fill="{_colour(i)}"/>')
        parts.append(f'<text x="{x + 20}" y="{y}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _plot(
    x: int,
    y: int,
    title: str,
    curves: Mapping[str, Sequence[float]],
    names: Sequence[str],
    along: str | None,
) -> Sequence[str]:
    top = max((max(curve) for curve in curves.values()), default=1.0) or 1.0
    parts = [
        f'<text x="{x}" y="{y - 8}" font-weight="bold">{escape(title)}</text>',
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<text x="{x - 6}" y="{y + 9}" text-anchor="end">{top:.0f}</text>',
        f'<text x="{x - 6}" y="{y + HEIGHT}" text-anchor="end">0</text>',
    ]
    for name, curve in curves.items():
        steps = max(len(curve) - 1, 1)
        points = " ".join(
            f"{x + WIDTH * k / steps:.1f},{y + HEIGHT * (1 - value / top):.1f}"
            for k, value in enumerate(curve)
        )
        colour = _colour(names.index(name))
        parts.append(f'<polyline fill="none" stroke="{colour}" points="{points}"/>')
    looks = max((len(curve) for curve in curves.values()), default=0)
    parts.append(
        f'<text x="{x + WIDTH}" y="{y + HEIGHT + 14}" text-anchor="end">'
        f"{escape(along or f'{looks} looks')}</text>"
    )
    return parts


def _colour(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
