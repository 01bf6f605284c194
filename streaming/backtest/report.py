"""The result as one HTML page: nothing is loaded, nothing runs, hostile text is only text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

Result = Mapping[str, Any]

WIDTH, HEIGHT = 960, 160  # pixels of the plot

# Even if a text got through unescaped, no script runs and no address is asked.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --new: #3b5bdb; --old: #adb5bd; --bad: #c92a2a; --good: #2b8a3e }
body { background: Canvas; color: CanvasText; font: 15px/1.5 system-ui, sans-serif;
  max-width: 1000px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td.n, th.n { text-align: right } .bad { color: var(--bad) } .good { color: var(--good) }
code { overflow-wrap: anywhere } svg { width: 100%; height: auto }
.wide { overflow-x: auto } .wide td:nth-child(2) { min-width: 14rem }
.new { fill: var(--new) } .old { fill: var(--old) }
.key { display: flex; flex-wrap: wrap; gap: 0 1.2rem; justify-content: space-between; margin: 0 }
.key { font-size: .9rem } .key svg { width: .8em; height: .8em; vertical-align: baseline }
@media (prefers-color-scheme: dark) {
  :root { --new: #748ffc; --old: #868e96; --bad: #ff8787; --good: #69db7c }
}
"""


def page(result: Result) -> str:
    """Return the whole page."""
    return "\n".join(_page(result)) + "\n"


def _page(result: Result) -> Iterator[str]:
    title = f"Back-test of {result['stream']}"
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    yield '<meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title><style>{STYLE}</style></head><body><main>"
    yield f"<h1>{escape(title)}</h1>"
    sampled = "" if result["sampled_keys"] == "all" else f", {result['sampled_keys']} keys"
    span = f"{result['events']:,} events, {result['days']:,.2f} days{sampled}"
    yield f"<p>{escape(result['source'])}: {escape(span)}</p>"
    if result["fails"]:
        yield f'<p class="bad">Stop: {escape("; ".join(result["fails"]))}.</p>'
    elif result["old"]:
        yield '<p class="good">Nothing speaks against the change.</p>'
    yield from _figures(result)
    yield from _plot(result["volume"])
    if result["old"]:
        yield from _changes(result)
    yield "<h2>How to read this</h2>"
    yield (
        "<p>Both detectors began new and learned no verdicts: this is what each finds by itself. "
        "Precision is of the candidates that somebody has judged; those were chosen by the old "
        "detector, so new candidates are mostly unjudged. Intervals are 95 %.</p>"
    )
    yield "</main></body></html>"


def _figures(result: Result) -> Iterator[str]:
    sides = [("new", result["new"]), *([("old", result["old"])] if result["old"] else [])]
    yield "<h2>Figures</h2><table><tr><td></td>"
    yield from (f'<th class="n">{name}</th>' for name, _ in sides)
    yield "</tr>"
    rows = (
        ("config version", lambda s: s["version"][:12]),
        ("candidates", lambda s: f"{s['candidates']:,}"),
        ("share of the events", lambda s: _or(s["share"], "{:.3%}")),
        ("candidates per day", lambda s: _or(s["per_day"], "{:,.1f}")),
        ("precision of judged ones", _precision),
        ("held back by alert_limit or drift", lambda s: f"{s['held_back']:,}"),
        ("dead letters", lambda s: f"{s['dead_letters']:,}"),
        ("processor time per event", lambda s: f"{s['cpu_us_per_event']:,.1f} µs"),
        ("hash of all scores", lambda s: s["hash"][:12]),
    )
    for name, text in rows:
        cells = "".join(f'<td class="n">{escape(text(side))}</td>' for _, side in sides)
        yield f"<tr><td>{name}</td>{cells}</tr>"
    yield "</table>"


def _precision(side: Mapping[str, Any]) -> str:
    if side["precision"] is None:
        return "none judged"
    low, high = side["precision_95"]
    return f"{side['precision']:.0%} ({low:.0%} to {high:.0%}) of {side['judged']:,}"


def _or(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _plot(spans: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Draw the candidates over time: bars of both sides beside each other."""
    if not spans:
        return
    names = [name for name in ("new", "old") if name in spans[0]]
    most = max(1, *(span[name] for span in spans for name in names))
    step = WIDTH / len(spans)
    yield "<h2>Candidates over time</h2>"
    shown = " and ".join(f"{sum(span[name] for span in spans):,} {name}" for name in names)
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Candidates: {shown}">'
    for i, span in enumerate(spans):
        for k, name in enumerate(names):
            height = span[name] / most * HEIGHT
            x, width = i * step + k * step * 0.42, step * 0.4
            yield (
                f'<rect class="{name}" x="{x:.1f}" y="{HEIGHT - height:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"><title>{_time(span["from"])}: {span[name]:,} {name}'
                "</title></rect>"
            )
    yield "</svg>"
    first, last = _time(spans[0]["from"]), _time(spans[-1]["from"])
    yield f'<p class="key"><span>{first}</span><span>{last}</span></p><p class="key"><span>'
    for name in names:
        yield f'<svg viewBox="0 0 1 1"><rect class="{name}" width="1" height="1"/></svg> {name} '
    yield f"</span><span>at most {most:,} in one span</span></p>"


def _changes(result: Result) -> Iterator[str]:
    yield "<h2>Candidates of both</h2><table><tr>"
    yield '<th class="n">only new</th><th class="n">both</th><th class="n">only old</th></tr><tr>'
    yield from (f'<td class="n">{result[key]:,}</td>' for key in ("only_new", "both", "only_old"))
    yield "</tr></table>"
    found = result["verified_real"] - result["missed_by_old"]
    yield f"<h2>Verified findings that would be lost: {len(result['lost']):,}</h2>"
    yield (
        f"<p>{result['verified_real']:,} are known in this window; the old config finds {found:,} "
        "of them without verdicts.</p>"
    )
    yield from _table(result["lost"], "finding", "Lost findings")
    for key, name in (("only_new", "Only new"), ("only_old", "Only old")):
        rows = result[f"top_{key}"]
        yield f"<h2>{name}: the strongest {len(rows):,} of {result[key]:,}</h2>"
        yield from _table(rows, "verdict", name)


def _table(rows: Sequence[Mapping[str, Any]], last: str, name: str) -> Iterator[str]:
    if not rows:
        return
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{name}">'
    yield '<table><tr><th>time</th><th>what</th><th class="n">margin</th><th>place</th>'
    yield f"<th>{last}</th></tr>"
    for row in rows:
        yield (
            f"<tr><td>{_time(row['time'])}</td><td>{escape(row['title'])}</td>"
            f'<td class="n">{row["margin"]:.2f}</td><td>{row["partition"]}/{row["offset"]}</td>'
            f"<td><code>{escape(row[last] or '')}</code></td></tr>"
        )
    yield "</table></div>"


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%d %H:%M")
