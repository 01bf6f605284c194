"""The figures that the project wants to be judged by, under plain names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Figures = Mapping[str, Any]


def aims(result: Figures) -> Figures:
    """Return the figures of the parts that were run; a pair is a mean and half its interval."""
    parts: Mapping[str, Callable[[Figures], Figures]] = {
        "cards": _cards,
        "discovery": _discovery,
        "errors": _errors,
        "never asked": _never_asked,
        "feedback": _feedback,
        "no labels": _no_labels,
    }
    found: dict[str, Any] = {}
    for part, pick in parts.items():
        found |= pick(result[part]) if result.get(part) else {}
    return found


def _cards(figures: Figures) -> Figures:
    names = ("no feedback", "late truth, feedback", "supervised")
    more = (
        "late truth, feedback, minus supervised",
        "verdicts only: part of the way to supervised",
        "verdicts and missed payments: part of the way to supervised",
    )
    return {f"payments, card precision@100: {name}": figures[name] for name in names} | {
        f"payments: {name}": figures[name] for name in more
    }


def _discovery(figures: Figures) -> Figures:
    areas = {f"discovery, area: {name}": figures["area"][name] for name in ("ours", "AAD", "OMD")}
    below = "sets where ours is below by more than the interval"
    return {
        **areas,
        **{f"discovery: ours minus {name}": pair for name, pair in figures["ours minus"].items()},
        "discovery: sets where ours is below the better of AAD and OMD": figures[below],
    }


def _errors(figures: Figures) -> Figures:
    return {
        f"real ones read, changed by wrong verdicts: {name}": pair
        for name, pair in figures.items()
        if name.startswith("ours") and "17%" in name
    }


def _never_asked(figures: Figures) -> Figures:
    return {
        f"average precision of never asked, 3 looks per 1,024, {name}: {kind}": one[
            "ap of never asked"
        ]
        for name, of in figures.items()
        for kind, one in of.items()
    }


def _feedback(figures: Figures) -> Figures:
    return {
        "worse with feedback than without": figures["worse"],
        "compared with and without feedback": figures["compared"],
    }


def _no_labels(figures: Figures) -> Figures:
    means: Mapping[str, tuple[float, float]] = figures["mean_auc_ap"]
    best = max(means["sklearn"][0], means["river"][0])
    ours = {"isolation forest and deviation": means["both"], "isolation forest": means["forest"]}
    return {
        f"without labels, AUC minus the best peer's: {name}": round(auc - best, 4)
        for name, (auc, _) in ours.items()
    } | {
        f"without labels, average precision over scikit-learn's: {name}": round(
            ap / means["sklearn"][1], 3
        )
        for name, (_, ap) in ours.items()
    }
