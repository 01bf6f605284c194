"""Late truth in the unit of work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from triage.cases import Verdict
from triage.model import Label, MemberState, VerdictKind
from triage.store import tables as t
from triage.store.bulk import among, select_in, update_many
from triage.store.codec import dumps, loads
from triage.store.database import Database
from triage.store.sql_shared import STANDING, get_mark, newest_label, set_mark
from triage.store.sql_verdicts import load_verdicts
from triage.truth import MISSED, CandidateKey, Truth, TruthReport

LOOKED = "looked_for_truths:"  # followed by the stream
KEPT_EVENTS = 20_000  # newest truths about no candidate that count in the records of entities
_TOLD = (  # built once, see ``sql_shared``
    sa.select(t.truths.c.real)
    .distinct()
    .join_from(t.members, t.labels, t.labels.c.candidate_id == t.members.c.candidate_id)
    .join(
        t.truths,
        sa.and_(t.truths.c.truth_id == t.labels.c.verdict_id, t.truths.c.gone.is_(None)),
    )
    .where(t.members.c.cluster_id == sa.bindparam("cluster_id"))
)
CANDIDATE_KEY = [
    t.candidates.c[name] for name in ("seq", "candidate_id", "event_id", "event_time", "body")
]


class SqlTruthUnit:
    """See ``base_truth.TruthUnit``."""

    def __init__(self, database: Database, connection: sa.Connection) -> None:
        self._db = database
        self._connection = connection

    def knows_stream(self, stream: str) -> bool:
        """Return whether a config of the stream was ever registered."""
        known = sa.select(t.streams.c.stream).where(t.streams.c.stream == stream)
        return self._connection.scalar(known) is not None

    def next_label(self, stream: str) -> int:
        """Return the next free position of the stream's label log."""
        return newest_label(self._connection, stream) + 1

    def truths(self, stream: str, source: str, ids: Sequence[str]) -> Sequence[Truth]:
        """Return what the source tells under these ids, as far as it is in force."""
        w = t.truths.c
        return self._truths(
            sa.select(t.truths).where(w.stream == stream, w.source == source, w.gone.is_(None)),
            w.id,
            ids,
        )

    def add_truths(self, truths: Sequence[Truth]) -> None:
        """Keep new truths, at the positions that they name."""
        self._connection.execute(t.truths.insert(), [_row(truth) for truth in truths])

    def retract_truths(self, truths: Sequence[Truth], at: float) -> None:
        """Append a retraction per truth to the label log."""
        if not truths:
            return
        first = self.next_label(truths[0].stream)
        gone = [
            {"truth_id": truth.truth_id, "gone": first + i, "stream": truth.stream}
            for i, truth in enumerate(truths)
        ]
        self._connection.execute(
            t.labels.insert(),
            [
                {
                    "stream": row["stream"],
                    "position": row["gone"],
                    "verdict_id": row["truth_id"],
                    "at": at,
                }
                for row in gone
            ],
        )
        update_many(self._connection, t.truths, "truth_id", gone)

    def candidates_of(
        self, stream: str, truths: Sequence[Truth], within_s: float
    ) -> Sequence[CandidateKey]:
        """Return all candidates that one of the truths may be about."""
        c = t.candidates.c
        told = [truth.report for truth in truths]
        by_entity = [one for one in told if one.by_entity]
        times = [one.time for one in by_entity if one.time is not None]
        values = [value for one in by_entity for value in (one.entities or {}).values()]
        here = sa.select(*CANDIDATE_KEY).where(c.stream == stream)
        found = [
            *self._in(here, c.candidate_id, [one.candidate_id for one in told]),
            *self._in(here, c.event_id, [one.event_id for one in told]),
        ]
        if times:
            near = c.event_time.between(min(times) - within_s, max(times) + within_s)
            found += self._in(here.where(near), c.entity, values)
        rows = {row["seq"]: row for row in found}
        return [candidate_key(rows[seq]) for seq in sorted(rows)]

    def candidates_to_join(self, stream: str, limit: int) -> Sequence[CandidateKey]:
        """Return the next candidates that nobody has looked for truths of."""
        c = t.candidates.c
        looked = get_mark(self._connection, LOOKED + stream)
        rows = self._connection.execute(
            sa.select(*CANDIDATE_KEY)
            .where(c.stream == stream, c.seq > looked)
            .order_by(c.seq)
            .limit(limit)
        ).mappings()
        return [candidate_key(row) for row in rows]

    def looked_for_truths(self, stream: str, seq: int) -> None:
        """Note that this was done for all candidates up to ``seq``."""
        set_mark(self._db, self._connection, LOOKED + stream, seq)

    def waiting_truths(
        self, stream: str, candidates: Sequence[CandidateKey], within_s: float
    ) -> Sequence[Truth]:
        """Return all truths without a candidate that may be about one of these; none missed."""
        w = t.truths.c
        here = sa.select(t.truths).where(w.stream == stream, sa.text(t.WAITING), w.source != MISSED)
        by_event = here.where(w.candidate_id.is_(None))
        found = {
            truth.truth_id: truth
            for truth in (
                *self._truths(here, w.candidate_id, [one.candidate_id for one in candidates]),
                *self._truths(by_event, w.event_id, [one.event_id for one in candidates]),
                *self._waiting_near(by_event, [one.event_time for one in candidates], within_s),
            )
        }
        return sorted(found.values(), key=lambda truth: truth.position)

    def _waiting_near(
        self, statement: sa.Select[Any], times: Sequence[float], within_s: float
    ) -> Sequence[Truth]:
        """Return what is told by entity and time about events around these times."""
        w = t.truths.c
        only = statement.where(w.event_id.is_(None))
        if self._connection.execute(only.limit(1)).first() is None:
            return []
        spans: list[list[float]] = []
        for time in sorted(times):
            if spans and time - within_s <= spans[-1][1]:
                spans[-1][1] = time + within_s
            else:
                spans.append([time - within_s, time + within_s])
        return [
            load_truth(row)
            for first, last in spans
            for row in self._connection.execute(
                only.where(w.time.between(first, last)).order_by(w.position)
            ).mappings()
        ]

    def join_truths(
        self, stream: str, truths: Sequence[Truth], joined: Mapping[str, Sequence[str]], at: float
    ) -> None:
        """Append a label per truth and candidate to the label log."""
        told = [(truth, cid) for truth in truths for cid in joined[truth.truth_id]]
        first = self.next_label(stream)
        rows = [
            {
                "stream": stream,
                "position": first + i,
                "verdict_id": truth.truth_id,
                "candidate_id": candidate_id,
                "y": float(truth.report.real),
                "weight": 1.0,
                "state": str(MemberState.READ),
                "at": at,
            }
            for i, (truth, candidate_id) in enumerate(told)
        ]
        self._connection.execute(t.labels.insert(), rows)
        counted = [
            {"truth_id": truth.truth_id, "joined": len(joined[truth.truth_id])} for truth in truths
        ]
        update_many(self._connection, t.truths, "truth_id", counted)

    def verdicts_on(self, candidate_ids: Sequence[str]) -> Mapping[str, VerdictKind]:
        """Return the verdict on each candidate where there is one."""
        m, c = t.members.c, t.clusters.c
        rows = select_in(
            self._connection,
            sa.select(m.candidate_id, c.verdict)
            .join(t.clusters, c.cluster_id == m.cluster_id)
            .where(c.verdict.is_not(None)),
            m.candidate_id,
            candidate_ids,
        )
        return {row["candidate_id"]: VerdictKind(row["verdict"]) for row in rows}

    def speaking_for(self, candidate_ids: Sequence[str]) -> Mapping[str, Sequence[Verdict]]:
        """Return the standing verdicts that say something of each candidate."""
        m, c, v = t.members.c, t.clusters.c, t.verdicts.c
        rows = list(
            select_in(
                self._connection,
                sa.select(m.candidate_id, m.cluster_id, c.origin, c.verdict)
                .join(t.clusters, c.cluster_id == m.cluster_id)
                .where(sa.or_(c.verdict.is_not(None), c.origin.is_not(None))),
                m.candidate_id,
                candidate_ids,
            )
        )
        decided = {row["cluster_id"] for row in rows if row["verdict"] is not None}
        origins = {row["origin"] for row in rows if row["origin"] is not None}
        standing = v.state.in_(STANDING)
        on = {
            verdict.cluster_id: verdict  # the newest: they come oldest first
            for verdict in load_verdicts(
                self._connection, among(self._connection, v.cluster_id, sorted(decided)), standing
            )
        }
        of = {
            verdict.verdict_id: verdict
            for verdict in load_verdicts(
                self._connection, among(self._connection, v.verdict_id, sorted(origins)), standing
            )
        }
        found = {
            row["candidate_id"]: [
                verdict
                for verdict in (on.get(row["cluster_id"]), of.get(row["origin"]))
                if verdict is not None
            ]
            for row in rows
        }
        return {candidate_id: verdicts for candidate_id, verdicts in found.items() if verdicts}

    def told_of(self, cluster_id: str) -> frozenset[bool]:
        """Return what late truth in force says of a cluster's members: real, not real, or both."""
        told = self._connection.scalars(_TOLD, {"cluster_id": cluster_id})
        return frozenset(bool(real) for real in told)

    def clusters_of_truths(self, truth_ids: Sequence[str]) -> Sequence[str]:
        """Return the clusters of the candidates that joined these truths, sorted."""
        rows = select_in(
            self._connection,
            sa.select(t.members.c.cluster_id)
            .distinct()
            .join(t.labels, t.labels.c.candidate_id == t.members.c.candidate_id)
            .join(
                t.truths,
                sa.and_(
                    t.truths.c.truth_id == t.labels.c.verdict_id,
                    t.truths.c.stream == t.labels.c.stream,
                ),
            )
            .where(t.members.c.cluster_id.is_not(None)),
            t.truths.c.truth_id,
            truth_ids,
        )
        return sorted(row["cluster_id"] for row in rows)

    def _in(
        self, statement: sa.Select[Any], column: sa.Column[Any], values: Sequence[str | None]
    ) -> Sequence[sa.RowMapping]:
        wanted: Collection[str] = {value for value in values if value is not None}
        return select_in(self._connection, statement, column, wanted)

    def _truths(
        self, statement: sa.Select[Any], column: sa.Column[Any], values: Sequence[str | None]
    ) -> Sequence[Truth]:
        found = [load_truth(row) for row in self._in(statement, column, values)]
        return sorted(found, key=lambda truth: truth.position)


def load_truth(row: sa.RowMapping) -> Truth:
    """Return the truth of a row of ``truths``."""
    report = TruthReport(
        id=row["id"],
        real=bool(row["real"]),
        candidate_id=row["candidate_id"],
        event_id=row["event_id"],
        entities=None if row["entities"] is None else loads(row["entities"]),
        time=row["time"],
    )
    return Truth(
        row["truth_id"],
        row["stream"],
        row["source"],
        report,
        row["at"],
        row["actor"],
        row["position"],
    )


def labels_of_events(connection: sa.Connection, stream: str, position: int) -> Sequence[Label]:
    """Return what truths in force at a position say of events that were no candidates by then.

    These have no vector: they count in the records of their entities. The newest ``KEPT_EVENTS``.
    """
    w, n = t.truths.c, t.labels.c
    joined = sa.exists().where(
        n.stream == stream,
        n.verdict_id == w.truth_id,
        n.position <= position,
        n.candidate_id.is_not(None),
    )
    rows = connection.execute(
        sa.select(w.truth_id, w.real, w.time, w.entities, w.source, w.at)
        .where(
            w.stream == stream,
            w.position <= position,
            sa.or_(w.gone.is_(None), w.gone > position),
            w.entities.is_not(None),
            w.time.is_not(None),
            ~joined,
        )
        .order_by(w.position.desc())
        .limit(KEPT_EVENTS)
    ).mappings()
    return [
        Label(
            candidate_id=row["truth_id"],
            verdict_id=row["truth_id"],
            y=float(row["real"]),
            weight=1.0,
            vector=b"",
            features_version="",
            event_time=row["time"],
            entities=loads(row["entities"]),
            source=row["source"],
            at=row["at"],
        )
        for row in reversed(rows.all())
    ]


def candidate_key(row: sa.RowMapping) -> CandidateKey:
    """Return the key of a row of ``candidates``, of which ``CANDIDATE_KEY`` is enough."""
    body = loads(row["body"])
    return CandidateKey(
        seq=row["seq"],
        candidate_id=row["candidate_id"],
        event_id=row["event_id"],
        entity=body["entity"],
        entities=body["entities"],
        event_time=row["event_time"],
    )


def _row(truth: Truth) -> dict[str, Any]:
    return {
        **truth.report.model_dump(),
        "real": int(truth.report.real),
        "entities": None if truth.report.entities is None else dumps(truth.report.entities),
        "truth_id": truth.truth_id,
        "stream": truth.stream,
        "source": truth.source,
        "at": truth.at,
        "actor": truth.actor,
        "position": truth.position,
        "joined": 0,
    }
