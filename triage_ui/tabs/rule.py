"""A rule drawn around the cluster, with its back-test."""

from __future__ import annotations

from dash import Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from triage.advisor import DraftRule
from triage.errors import TriageError
from triage_ui.components.advice import not_available
from triage_ui.components.rule_draft import rule_draft
from triage_ui.services import Services
from triage_ui.tabs import Tab, cluster_at


def layout() -> Component:
    """Return the tab's shell."""
    return html.Div(html.P("Asking the model …", className="aside"), id="rule-draft")


def register(board: Dash, services: Services) -> None:
    """Add the tab's callbacks."""

    @board.callback(Output("rule-draft", "children"), Input("url", "pathname"))
    async def show(path: str) -> object:
        cluster_id = cluster_at(path)
        if cluster_id is None:
            return no_update
        try:
            found = await services.advisor.draft_rule(DraftRule(cluster_id))
        except TriageError as error:
            return not_available(str(error))
        return rule_draft(found.draft)


TAB = Tab("rule", "Rule draft", 50, layout, register)
