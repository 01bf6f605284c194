"""Which config is in force, what is tried beside it, and who brought it there and why."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.rollout import Rollout, RolloutKind, Stage
from triage.trial import Trial
from triage_ui.components.dom import table
from triage_ui.text import ago, visible

SHOWN = 8
DID: dict[RolloutKind, str] = {
    RolloutKind.START: "started with",
    RolloutKind.APPLY: "applied",
    RolloutKind.BACK: "back to",
    RolloutKind.STOP: "stopped, back to",
    RolloutKind.KEEP: "kept",
    RolloutKind.RETIRE: "retired with",
}


def rollout_table(
    log: Sequence[Rollout], trial: Trial, lost: Sequence[str], now: float
) -> Component:
    """Return the newest roll-outs, newest first, and how the version does that is tried."""
    if not log:
        return html.P("No config has come into force yet.", className="quiet")
    names = ("Version", "By", "Why", "When")
    rows = table(names, [_row(entry, now) for entry in reversed(log[-SHOWN:])])
    return html.Div([*_trial(log[-1], trial, lost), rows])


def _trial(current: Rollout, trial: Trial, lost: Sequence[str]) -> list[Component]:
    if not current.beside:
        return []
    if current.tried:
        where = "nothing shown" if current.stage is Stage.SHADOW else "for a share of the keys"
        what = f"Version {current.tried[:12]} is tried in {current.stage} ({where})"
    else:
        what = f"The version in force is watched, {current.beside[:12]} runs on beside it"
    words = (
        f"{what}: {trial.events:,} events, {trial.new:,} candidates where the old version has "
        f"{trial.live:,} ({trial.both:,} in both), {len(lost):,} verified findings missed, "
        f"{trial.cost:.1f} times the time."
    )
    return [html.P(visible(words, 400), id="trial")]


def _row(entry: Rollout, now: float) -> Component:
    what = f"{entry.tried[:12]} in {entry.stage}" if entry.tried else entry.version[:12]
    return html.Tr(
        [
            html.Th([f"{DID[entry.kind]} ", html.Code(visible(what, 40))], scope="row"),
            html.Td(html.Bdi(visible(entry.author, 60)) if entry.author else "-"),
            html.Td(html.Bdi(visible(entry.reason, 300)), className="wrap"),
            html.Td(ago(entry.at, now)),
        ]
    )
