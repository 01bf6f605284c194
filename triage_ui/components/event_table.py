"""An entity's last events one by one, with a button for what no detector showed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from dash import html
from dash.development.base_component import Component

from triage.access import Action, allowed
from triage.model import Actor, VerdictKind
from triage.queries import EntityDetail, EntityEvent
from triage_ui.components.chips import verdict_chip
from triage_ui.components.dom import attributes, table
from triage_ui.entity import entity_label
from triage_ui.text import clock, number, visible
from triage_ui.timeline import as_number

LISTED = 100
FIELDS = 6
COLUMNS = ("Event (UTC)", "What happened", "Said of it")


def event_table(entity: EntityDetail, now: float, viewer: Actor) -> Component:
    """Return the newest events in a table.

    Who decides clusters can also say of an ordinary event that it was real, and take that back.
    """
    may_report = allowed(viewer, Action.DECIDE)
    said = {row.cluster_id: row.verdict for row in entity.clusters}
    newest = entity.events[::-1][:LISTED]
    usual = {name for event in newest if event.candidate_id is None for name in event.fields}
    names = (*COLUMNS, "Report") if may_report else COLUMNS
    rows = [
        _row(event, said, _fields(event, entity.name, usual), now, viewer if may_report else None)
        for event in newest
    ]
    return table(names, rows, caption="Events of this entity")


def _row(
    event: EntityEvent,
    said: Mapping[str, VerdictKind | None],
    fields: str,
    now: float,
    reporter: Actor | None,
) -> Component:
    at = clock(event.time, now)
    cells = [
        html.Td(at),
        html.Td(html.Bdi(fields), className="wide"),
        html.Td(_said(event, said)),
    ]
    if reporter is not None:
        cells.append(html.Td(_button(event, at, reporter)))
    return html.Tr(cells)


def _fields(event: EntityEvent, own: str, usual: Collection[str]) -> str:
    """Return the event's other entities and its first fields: those of ordinary ones, if any."""
    entities = {name: value for name, value in event.entities.items() if name != own}
    fields = {
        name: value
        for name, value in event.fields.items()
        if name not in event.entities and (not usual or name in usual) and value is not None
    }
    parts = [
        *(f"{entity_label(name)} {visible(value, 60)}" for name, value in entities.items()),
        *(f"{_words(name)} {_value(value)}" for name, value in fields.items()),
    ]
    return " · ".join(parts[:FIELDS])


def _words(name: str) -> str:
    return visible(name.replace("_", " "), 40)


def _value(value: object) -> str:
    seen = as_number(value)
    return visible(value, 60) if seen is None else number(seen)


def _said(event: EntityEvent, said: Mapping[str, VerdictKind | None]) -> Component | str:
    if event.missed_by is not None:
        who = html.Bdi(visible(event.missed_by, 60))
        return html.Span([verdict_chip(VerdictKind.REAL), " missed, says ", who])
    if event.cluster_id is None:
        return html.Span("ordinary", className="quiet")
    verdict = said.get(event.cluster_id)
    return html.A(
        "waiting" if verdict is None else verdict_chip(verdict),
        href=f"/cluster/{event.cluster_id}",
        className="link",
        **attributes(data_nav=""),
    )


def _button(event: EntityEvent, at: str, reporter: Actor) -> Component | None:
    others = event.missed_by not in (None, reporter.name)
    if event.candidate_id or (others and not allowed(reporter, Action.UNDO_OTHERS)):
        return None
    if not event.entities or not all(_can_be_told(value) for value in event.entities.values()):
        return None
    told: dict[str, object] = {
        "stream": event.stream,
        "entities": dict(event.entities),
        "time": event.time,
    }
    text, back = ("Take back", "") if event.missed_by else ("It was real", None)
    if not event.missed_by:
        told["beside"] = event.beside
    return html.Button(
        text,
        type="button",
        className="button small",
        **attributes(
            data_action="missed",
            data_event=json.dumps(told),
            data_back=back,
            aria_label=f"{text}: the event of {at}",
        ),
    )


def _can_be_told(value: str) -> bool:
    """Return whether the API takes it: see ``triage.truth.Id``."""
    return 0 < len(value) <= 200 and value.isprintable()
