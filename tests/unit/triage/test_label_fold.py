"""A log read in parts is the log read at once, and both are what its rows say."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from triage.label_fold import Added, LabelFold, Retraction
from triage.label_log import Entry
from triage.label_weights import weighed
from triage.model import MemberState
from triage.policy import Policy

POLICY = Policy(analyst_day_weight=3.0, day_weight=4.0)
Log = Sequence[Added | Retraction]
KINDS = st.sampled_from(["verdict", "verdict", "truth", "undo", "overruled"])


@st.composite
def logs(draw: st.DrawFn) -> Log:
    """Return a log with retractions, labels given back, late truths and second readers."""
    rows: list[Added | Retraction] = []
    position = 0
    for _ in range(draw(st.integers(0, 25))):
        position += draw(st.integers(1, 3))  # truths without a candidate take places, too
        kind, group = draw(KINDS), draw(st.sampled_from("abc"))
        if kind in ("undo", "overruled"):
            rows.append(Retraction(position, group, overruled=kind == "overruled"))
            continue
        candidate = draw(st.sampled_from("uvwxyz"))
        entry = Entry(
            position=position,
            group=group,
            candidate_id=candidate,
            y=draw(st.sampled_from([0.0, 1.0])),
            weight=draw(st.sampled_from([0.3, 1.0])),
            state=draw(st.sampled_from([MemberState.READ, MemberState.PROPAGATED])),
            source="bank" if kind == "truth" else "",
            actor={"a": "anna", "b": "ben", "c": "ben"}[group],
            at=86_400.0 * draw(st.integers(0, 1)),
            event_time=float(position),
        )
        rows.append(Added(entry, candidate.encode(), "f1", {"customer": candidate}))
    return rows


def place(row: Added | Retraction) -> int:
    return row.entry.position if isinstance(row, Added) else row.position


def retracted(row: Added, log: Log, *, overruled: bool | None = None) -> bool:
    return any(
        isinstance(later, Retraction)
        and later.group == row.entry.group
        and later.position > row.entry.position
        and overruled in (None, later.overruled)
        for later in log
    )


@given(logs(), st.lists(st.integers(0, 25), max_size=5))
def test_it_is_what_the_rows_say_however_they_are_cut(log: Log, cuts: list[int]) -> None:
    fold = LabelFold()
    for a, b in itertools.pairwise([0, *sorted(cuts), 25]):
        fold.take(log[a:b])
        so_far = log[:b]
        added = [row for row in so_far if isinstance(row, Added)]
        known = [row.entry for row in added if not retracted(row, so_far)]
        back = [row.entry for row in added if retracted(row, so_far, overruled=True)]
        assert fold.position == max(map(place, so_far), default=0)
        assert fold.known == known
        assert fold.overruled == back
        whole = LabelFold()
        whole.take(so_far)
        labels = fold.labels(POLICY)
        assert labels == whole.labels(POLICY)
        pairs = weighed(known, POLICY, back)
        assert [(one.candidate_id, one.y, one.weight, one.verdict_id) for one in labels] == [
            (entry.candidate_id, entry.y, weight, entry.group) for entry, weight in pairs
        ]
        assert all(one.vector == one.candidate_id.encode() for one in labels)
        assert [one.inferred for one in labels] == [
            entry.state is MemberState.PROPAGATED for entry, _ in pairs
        ]
