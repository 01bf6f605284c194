"""A rule drawn around a cluster, and what it would hit."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from triage.advisor import RuleDraft
from triage_ui.components.dom import attributes
from triage_ui.text import count, visible


def rule_draft(draft: RuleDraft | None) -> Component:
    """Return the draft in words, its back-test, and the piece of config."""
    if draft is None:
        return html.P(
            "No readable rule tells this cluster from ordinary events and from what was dismissed."
        )
    clusters = count(draft.open_clusters, "other cluster")
    wrong = f"{draft.wrong:,} of {count(draft.ordinary, 'recent ordinary event')}"
    rows = (
        ("This cluster", f"{draft.inside:,} of {count(draft.members, 'member')}"),
        ("Confirmed elsewhere", count(draft.confirmed, "verdict")),
        ("Dismissed elsewhere", count(draft.dismissed, "verdict")),
        ("Open", f"{count(draft.open_candidates, 'candidate')} in {clusters}"),
        ("Ordinary", wrong),
    )
    return html.Div(
        [
            html.P([html.Strong(html.Bdi(visible(" and ".join(draft.words), 400))), "."]),
            html.H3("What it would hit"),
            html.Dl(
                [html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows],
                className="pairs",
            ),
            html.P(_sure(draft), className="past"),
            html.H3("To run it, in shadow first", id="rule-config-title"),
            html.Pre(
                visible(draft.config),
                id="rule-config",
                className="record",
                tabIndex=0,
                **attributes(aria_labelledby="rule-config-title"),
            ),
            dcc.Clipboard(target_id="rule-config", title="Copy", className="icon-button"),
        ],
        className="rule-draft",
    )


def _sure(draft: RuleDraft) -> str:
    if draft.dismissed:
        return "Something inside was dismissed: as it stands, this rule contradicts a verdict."
    if not draft.confirmed:
        return "Nothing else that was confirmed lies inside: so far nothing speaks for this rule."
    return (
        f"Of what it hits at least {100 * draft.precision:.0f} % is real, with 95 % confidence, as "
        "far as confirmed clusters and recent events tell. Give it time in shadow."
    )
