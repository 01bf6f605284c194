"""How far streams and their partitions are behind the log."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from triage.lag import LagState, PartitionLag, state_of
from triage_ui.components.dom import Children, table
from triage_ui.text import ago, count, span

LISTED = 200
WORDS = {
    LagState.UNKNOWN: "unknown",
    LagState.CAUGHT_UP: "caught up",
    LagState.BEHIND: "behind",
}


def stream_lag(lags: Sequence[PartitionLag], now: float) -> Children:
    """Return the lag of a stream: of all its partitions together, the age that of the oldest."""
    state = state_of(lags, now)
    told = [one.lag for one in lags if one.lag is not None]
    if state is LagState.UNKNOWN:
        unheard = min((lag.at for lag in told), default=None) if len(told) == len(lags) else None
        why = "not told yet" if unheard is None else f"last told {ago(unheard, now)}"
        return ["unknown", html.Span(why, className="under")]
    records = count(sum(lag.records for lag in told), "record")
    ages = [lag.seconds for lag in told if lag.records and lag.seconds is not None]
    late = f"behind, {span(max(ages))}" if ages else "behind"
    under = late if state is LagState.BEHIND else WORDS[state]
    return [records, html.Span(under, className="under")]


def lag_table(lags: Sequence[PartitionLag], now: float) -> Component:
    """Return the list of a stream's partitions."""
    if not lags:
        return html.P("No worker has taken a partition yet.", className="quiet")
    names = ("Partition", "State", "Records not processed", "Age of the newest processed", "Told")
    return table(names, [_row(one, now) for one in lags[:LISTED]])


def _row(one: PartitionLag, now: float) -> Component:
    state, lag = one.state(now), one.lag
    head = html.Th(f"{one.partition}", scope="row")
    if lag is None or state is LagState.UNKNOWN:
        told = "never" if lag is None else ago(lag.at, now)
        values = ["–", "–", told]
    else:
        age = "–" if lag.seconds is None or not lag.records else span(lag.seconds)
        values = [f"{lag.records:,}", age, ago(lag.at, now)]
    return html.Tr([head, html.Td(WORDS[state]), *[html.Td(value) for value in values]])
