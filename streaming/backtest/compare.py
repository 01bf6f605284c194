"""What two runs say about a change: figures, lost findings, and whether it should be stopped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streaming.backtest.judged import Finding, Judged, Place
from streaming.backtest.run import Found, Runs, Side
from streaming.backtest.window import Window

SHOWN = 100  # candidates of a list, the strongest first; lost findings are listed whole
SPANS = 48  # of the plot over time
Z = 1.959964  # of a 95 % interval
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Guards:
    """What stops a change. ``max_volume``: candidates of the new over those of the old."""

    max_volume: float = 2.0


def compared(window: Window, runs: Runs, guards: Guards = Guards()) -> dict[str, Any]:
    """Return the whole result, ready for JSON.

    ``sides`` holds the new config and, where there are two, the old one. ``fails`` holds a line for
    each reason to stop the change.
    """
    new, old = runs.sides[0], runs.sides[1] if len(runs.sides) > 1 else None
    days = runs.seconds / DAY_S
    findings = _in_window(window.judged, runs)
    result: dict[str, Any] = {
        "stream": new.config.stream,
        "source": window.name,
        "events": new.events,
        "days": round(days, 4),
        "sampled_keys": f"1 in {window.one_in}" if window.one_in > 1 else "all",
        "new": _side(new, window, days),
        "old": _side(old, window, days) if old else None,
        "verified_real": len(findings),
        "missed_by_new": len(_missed(findings, new)),
        "volume": _volume(runs),
    }
    fails: list[str] = []
    if old:
        lost = [one for one in findings if _is_found(one, old) and not _is_found(one, new)]
        ratio = len(new.candidates) / len(old.candidates) if old.candidates else None
        result |= {
            "both": len(new.candidates.keys() & old.candidates.keys()),
            "only_new": len(new.candidates.keys() - old.candidates.keys()),
            "only_old": len(old.candidates.keys() - new.candidates.keys()),
            "volume_ratio": None if ratio is None else round(ratio, 3),
            "missed_by_old": len(_missed(findings, old)),
            "lost": [_lost(one, old) for one in lost],
            "top_only_new": _top(new, old, window.judged),
            "top_only_old": _top(old, new, window.judged),
        }
        fails += _fails(len(lost), ratio, len(new.candidates), guards)
    return {**result, "fails": fails}


def wilson(hits: int, total: int) -> tuple[float, float] | None:
    """Return a 95 % interval of a share (Wilson, 1927); None of nothing."""
    if not total:
        return None
    share, spread = hits / total, Z * Z / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(share * (1 - share) * spread + spread * spread / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _side(side: Side, window: Window, days: float) -> dict[str, Any]:
    said = [window.judged.is_real(place) for place in side.candidates]
    judged = [real for real in said if real is not None]
    interval = wilson(sum(judged), len(judged))
    count = len(side.candidates)
    return {
        "version": side.config.version,
        "candidates": count,
        "share": round(count / side.events, 6) if side.events else None,
        "per_day": round(count * window.one_in / days, 1) if days else None,
        "judged": len(judged),
        "precision": round(sum(judged) / len(judged), 4) if judged else None,
        "precision_95": [round(end, 4) for end in interval] if interval else None,
        "held_back": side.held_back,
        "dead_letters": side.dead_letters,
        "cpu_us_per_event": round(side.seconds / max(1, side.processed) * 1e6, 2),
        "hash": side.hash,
    }


def _volume(runs: Runs) -> list[Mapping[str, Any]]:
    """Return the candidates of each side over time, in equal spans."""
    width = runs.seconds / SPANS
    if not width:
        return []
    spans = [[0] * len(runs.sides) for _ in range(SPANS)]
    for i, side in enumerate(runs.sides):
        for found in side.candidates.values():
            span = int((found.time - runs.first) / width)
            spans[min(max(span, 0), SPANS - 1)][i] += 1
    names = ("new", "old")[: len(runs.sides)]
    return [
        {"from": round(runs.first + i * width, 3), **dict(zip(names, counts, strict=True))}
        for i, counts in enumerate(spans)
    ]


def _in_window(judged: Judged, runs: Runs) -> list[Finding]:
    """Return the findings of which at least one event counts."""
    counted = runs.counted
    kept = []
    for finding in judged.findings():
        places = tuple(p for p in finding.places if p[0] in counted and p[1] >= counted[p[0]])
        if places:
            kept.append(Finding(finding.name, places))
    return kept


def _is_found(finding: Finding, side: Side) -> bool:
    return any(place in side.candidates for place in finding.places)


def _missed(findings: Iterable[Finding], side: Side) -> Sequence[Finding]:
    return [finding for finding in findings if not _is_found(finding, side)]


def _lost(finding: Finding, old: Side) -> Mapping[str, Any]:
    found = next(old.candidates[place] for place in finding.places if place in old.candidates)
    return {"finding": finding.name, **_shown(found)}


def _top(side: Side, other: Side, judged: Judged) -> list[Mapping[str, Any]]:
    """Return the strongest candidates that the other side does not have."""
    own = [found for place, found in side.candidates.items() if place not in other.candidates]
    own.sort(key=lambda found: (-found.margin, found.place))
    return [{**_shown(found), "verdict": _verdict(judged, found.place)} for found in own[:SHOWN]]


def _shown(found: Found) -> Mapping[str, Any]:
    return {
        "partition": found.place[0],
        "offset": found.place[1],
        "time": found.time,
        "entity": found.entity,
        "margin": round(found.margin, 3),
        "title": found.title,
    }


def _verdict(judged: Judged, place: Place) -> str | None:
    real = judged.is_real(place)
    return None if real is None else "real" if real else "not real"


def _fails(lost: int, ratio: float | None, count: int, guards: Guards) -> list[str]:
    fails = []
    if lost:
        noun = "finding" if lost == 1 else "findings"
        fails.append(f"{lost:,} verified {noun} would be lost")
    if ratio is not None and ratio >= guards.max_volume:
        fails.append(f"{ratio:.2f} times the candidates; the limit is {guards.max_volume:g}")
    elif ratio is None and count:
        fails.append(f"{count:,} candidates where there were none")
    return fails
