from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import Desk
from triage.queries import ClusterReason, EntityEvent
from triage_ui.timeline import ENOUGH, Timeline, cluster_events, near_members
from triage_ui.timeline import timeline as choose


def timeline(
    events: Sequence[EntityEvent], cluster: str, features: Sequence[str], entity: str = "C1"
) -> Timeline:
    reasons = [ClusterReason(name, name, 1.0, 1.0, 1.0, "", "") for name in features]
    return choose(events, cluster, reasons, entity)


MINE, OTHER = "mine", "other"


def event(time: float, cluster: str | None = None, **fields: Any) -> EntityEvent:
    candidate = None if cluster is None else f"c{time}"
    return EntityEvent(time, fields, candidate, cluster, "s", {})


def ordinary(count: int, **fields: Any) -> list[EntityEvent]:
    return [event(float(i), amount=20.0 + i % 10, **fields) for i in range(count)]


def test_the_number_of_the_strongest_reason_is_drawn() -> None:
    events = [*ordinary(10, duration=1.0), event(11.0, MINE, amount=400.0, duration=90.0)]
    assert timeline(events, MINE, ["duration_log", "amount"]).name == "duration"
    assert timeline(events, MINE, ["amount_vs_30d"]).name == "amount"


def test_without_a_named_one_the_number_that_stands_out_most_is_drawn() -> None:
    events = [*ordinary(10, port=80), event(11.0, MINE, amount=400.0, port=81)]
    assert timeline(events, MINE, ["something_else"]).name == "amount"


def test_events_without_numbers_are_drawn_too() -> None:
    line = timeline(
        [event(0.0, service="ftp"), event(1.0, MINE, service="http")], MINE, ["service"]
    )
    assert line.name is None
    assert [point.value for point in line.points] == [None, None]
    assert line.sentence == "1 member, beside 1 ordinary event of C1."


def test_a_stream_without_entities_has_events_of_nobody() -> None:
    line = timeline([event(0.0), event(1.0, MINE)], MINE, [], entity="")
    assert line.sentence == "1 member, beside 1 ordinary event."


def test_flags_nan_and_text_are_no_numbers() -> None:
    events = [event(float(i), amount=float("nan"), flag=True, name="7") for i in range(9)]
    assert timeline(events, MINE, []).name is None


def test_the_band_is_of_ordinary_events_only() -> None:
    members = [event(100.0 + i, MINE, amount=900.0) for i in range(5)]
    others = [event(200.0 + i, OTHER, amount=700.0) for i in range(5)]
    line = timeline([*ordinary(20), *members, *others], MINE, ["amount"])
    assert (line.low, line.high) == (20.0, 29.0)
    assert sum(point.elsewhere for point in line.points) == 5
    assert line.sentence == (
        "5 members within 4 s: amount 900, usually 20–29; beside 20 ordinary events of C1."
    )


def test_one_odd_event_among_few_does_not_widen_the_band() -> None:
    line = timeline([*ordinary(10), event(10.0, amount=5695.0)], MINE, ["amount"])
    assert (line.low, line.high) == (20.0, 29.0)


def test_few_ordinary_events_make_no_band() -> None:
    line = timeline(ordinary(ENOUGH - 1), MINE, ["amount"])
    assert line.low is None
    assert "none of this cluster" in line.sentence


def test_no_events_say_so() -> None:
    assert timeline([], MINE, []).sentence == "No events of this entity are kept."


def test_what_is_near_the_members_is_chosen() -> None:
    events = [*ordinary(50), event(50.0, MINE, amount=1.0), *ordinary(100)]
    near = near_members(events, MINE, 20)
    assert len(near) == 20
    assert [one.cluster_id for one in near].index(MINE) == 17
    assert len(near_members(ordinary(5), MINE, 20)) == 5


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, MINE, OTHER]),
            st.one_of(st.none(), st.text(max_size=3), st.floats(), st.booleans()),
        ),
        max_size=40,
    )
)
def test_any_events_can_be_drawn(kinds: list[tuple[str | None, Any]]) -> None:
    events = [event(float(i), cluster, x=value) for i, (cluster, value) in enumerate(kinds)]
    line = timeline(events, MINE, ["x"])
    assert len(line.points) == len(events)
    assert line.sentence.endswith(".")


def test_members_of_other_entities_are_drawn_too(desk: Desk) -> None:
    members = desk.add(2, entity="c1") + desk.add(3, entity="c2")
    cluster = desk.group(members)
    events = desk.store.entity_events(cluster, 100)
    rows = desk.store.members(cluster, 0, 100)
    merged = cluster_events(events, rows, cluster)
    assert sum(one.cluster_id == cluster for one in merged) == 5
    assert [one.time for one in merged] == sorted(one.time for one in merged)
    assert cluster_events(merged, rows, cluster) == merged
