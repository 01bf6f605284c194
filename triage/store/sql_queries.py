"""What the board reads."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.aggregates import ReasonSums
from triage.cases import Rollback
from triage.closing import DISMISSES, Bound
from triage.looks import Look
from triage.model import Candidate, ClusterStatus, Counters
from triage.queries import (
    AnalystRow,
    AuditRow,
    BoardStatus,
    Change,
    ClusterDetail,
    ClusterReason,
    ConfigVersion,
    EntityDetail,
    EntityEvent,
    InfluenceRow,
    Lesson,
    MemberRow,
    QueueFilter,
    QueuePage,
    StreamStatus,
    SuppressionRow,
    TruthSource,
    VerdictRow,
)
from triage.recall import Recall
from triage.store import tables as t
from triage.store.codec import loads
from triage.store.sql_bounds import alone, audit_rows, bound, bounds
from triage.store.sql_configs import retired_streams
from triage.store.sql_disputes import disputed, disputes_of
from triage.store.sql_entity import entity_detail
from triage.store.sql_labels import analyst_rows, rollback_rows
from triage.store.sql_looks import configs, lessons, looks
from triage.store.sql_members import cluster_members
from triage.store.sql_queue import blinded, queue_page, queue_row
from triage.store.sql_recall import recalls
from triage.store.sql_shared import STANDING, SqlPart, policy_of, position
from triage.store.sql_similar import similar, told
from triage.store.sql_suppression import suppression_rows
from triage.store.sql_timeline import entity_events
from triage.store.sql_truth_rows import truth_sources, truths_of
from triage.store.sql_verdicts import verdict_rows, verdicts_of
from triage.store.sql_worker import COUNTERS

DAY = 86_400
_R = t.cluster_reasons.c
_SUMS = sa.select(_R.sums).where(_R.cluster_id == sa.bindparam("cluster_id"))
_CLUSTER = (  # built once, see ``sql_shared``
    sa.select(t.clusters, t.cluster_reasons.c.sums)
    .join(t.cluster_reasons, t.cluster_reasons.c.cluster_id == t.clusters.c.cluster_id)
    .where(t.clusters.c.cluster_id == sa.bindparam("cluster_id"))
)


class SqlQueries(SqlPart):
    """See ``queries.Queries``."""

    def queue(self, where: QueueFilter, offset: int, limit: int) -> QueuePage:
        """Return rows ``offset`` to ``offset + limit`` of the filtered, ordered queue."""
        with self._db.read() as connection:
            return queue_page(connection, where, offset, limit)

    def cluster(
        self, cluster_id: str, members: int, viewer: str | None = None
    ) -> ClusterDetail | None:
        """Return a cluster with its first members by posterior, None if there is no such one."""
        with self._db.read() as connection:
            row = connection.execute(_CLUSTER, {"cluster_id": cluster_id}).mappings().first()
            if row is None or row["status"] == ClusterStatus.MERGED:
                return None
            policy = policy_of(connection, row["stream"])
            first = cluster_members(connection, cluster_id, 0, max(1, members))
            strongest = first[0].candidate
            shown = blinded(connection, [queue_row(row)], viewer)[0]
            verdicts = _shown_verdicts(connection, row)
            audit = not told(row)
            return ClusterDetail(
                row=shown,
                reasons=ReasonSums.load(loads(row["sums"])).reasons(),
                method=strongest.method,
                detector=row["detector"],
                threshold=strongest.threshold,
                config_version=strongest.config_version,
                members=first[:members],
                members_total=row["size"],
                verdicts=verdicts,
                truths=[] if audit else truths_of(connection, cluster_id),
                similar=similar(connection, [row])[cluster_id],
                guideline=policy.guideline,
                influences=_influences(connection, strongest, viewer),
                bound=bound(connection, row["stream"])
                if any(one.propagated and one.kind in DISMISSES for one in verdicts)
                else None,
                again=_reads_again(connection, row, viewer),
                choices=policy.reasons,
                disputes=[] if audit else disputes_of(connection, cluster_id),
            )

    def members(self, cluster_id: str, offset: int, limit: int) -> Sequence[MemberRow]:
        """Return more members, strongest posterior first."""
        with self._db.read() as connection:
            return cluster_members(connection, cluster_id, offset, limit)

    def reasons(self, cluster_id: str) -> Sequence[ClusterReason]:
        """Return the cluster's reasons, strongest first; none if there is no such cluster."""
        with self._db.read() as connection:
            sums = connection.scalar(_SUMS, {"cluster_id": cluster_id})
        return [] if sums is None else ReasonSums.load(loads(sums)).reasons()

    def entity_events(self, cluster_id: str, limit: int) -> Sequence[EntityEvent]:
        """Return the kept events around the cluster's main entity, oldest first, no repeats."""
        with self._db.read() as connection:
            return entity_events(connection, cluster_id, limit)

    def entity(
        self, name: str, value: str, limit: int, viewer: str | None = None
    ) -> EntityDetail | None:
        """Return what is known of an entity, None if it is in no cluster."""
        with self._db.read() as connection:
            return entity_detail(connection, name, value, limit, viewer)

    def verdict(self, verdict_id: str, viewer: str | None = None) -> VerdictRow | None:
        """Return one verdict."""
        this = t.verdicts.c.verdict_id == verdict_id
        with self._db.read() as connection:
            rows = verdict_rows(connection, this, *_shown_to(viewer))
            return rows[0] if rows else None

    def recent_verdicts(self, limit: int, viewer: str | None = None) -> Sequence[VerdictRow]:
        """Return the newest verdicts, newest first."""
        with self._db.read() as connection:
            return verdict_rows(connection, *_shown_to(viewer), limit=limit)

    def truth_sources(self) -> Sequence[TruthSource]:
        """Return how much each source of late truth has told, by stream and source."""
        with self._db.read() as connection:
            return truth_sources(connection)

    def suppressions(self) -> Sequence[SuppressionRow]:
        """Return the newest suppressions, those in force first."""
        with self._db.read() as connection:
            return suppression_rows(connection)

    def analysts(self) -> Sequence[AnalystRow]:
        """Return everybody whose labels are in force, by name."""
        with self._db.read() as connection:
            return analyst_rows(connection)

    def rollbacks(self) -> Sequence[Rollback]:
        """Return the newest roll-backs, newest first."""
        with self._db.read() as connection:
            return rollback_rows(connection)

    def looks(self, stream: str | None, limit: int) -> Sequence[Look]:
        """Return the newest decided clusters, oldest first; None: of all streams."""
        with self._db.read() as connection:
            return looks(connection, stream, limit)

    def bounds(self) -> Sequence[Bound]:
        """Return the bound of wrong closings of each stream that has closings."""
        with self._db.read() as connection:
            return bounds(connection)

    def audits(self, stream: str | None, limit: int) -> Sequence[AuditRow]:
        """Return the newest answered audits, newest first; None: of all streams."""
        with self._db.read() as connection:
            return audit_rows(connection, stream, limit)

    def recalls(self) -> Sequence[Recall]:
        """Return which part of its real clusters was found, of each stream that has clusters."""
        with self._db.read() as connection:
            return recalls(connection)

    def configs(self, stream: str) -> Sequence[ConfigVersion]:
        """Return the configs of a stream, newest first."""
        with self._db.read() as connection:
            return configs(connection, stream)

    def lessons(self, stream: str, limit: int) -> Sequence[Lesson]:
        """Return what the newest labels changed, newest first."""
        with self._db.read() as connection:
            return lessons(connection, stream, limit)

    def status(self, now: float) -> BoardStatus:
        """Return the numbers of the top bar."""
        v = t.verdicts.c
        with self._db.read() as connection:
            streams = _streams(connection)
            decided = connection.scalar(
                sa.select(sa.func.count()).where(v.at >= now - now % DAY, v.state.in_(STANDING))
            )
            c = t.clusters.c
            suppressed = connection.scalar(
                sa.select(sa.func.count()).where(c.status == ClusterStatus.SUPPRESSED)
            )
            waits = sa.select(sa.func.count()).select_from(disputed().subquery())
            return BoardStatus(
                streams=streams,
                open_clusters=sum(stream.open_clusters for stream in streams),
                suppressed_clusters=suppressed or 0,
                decided_today=decided or 0,
                position=position(connection),
                disputed_clusters=connection.scalar(waits) or 0,
            )

    def changes_after(self, change_id: int, limit: int) -> Sequence[Change]:
        """Return what happened after that change, oldest first."""
        c = t.changes.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(c.change_id, c.kind, c.at, c.data)
                .where(c.change_id > change_id)
                .order_by(c.change_id)
                .limit(limit)
            )
            return [Change(row[0], row[1], row[2], loads(row[3])) for row in rows]


def _influences(
    connection: sa.Connection, candidate: Candidate, viewer: str | None
) -> Sequence[InfluenceRow]:
    """Return the verdicts that moved a candidate, one row per cluster, strongest first.

    None of a cluster that awaits a second, blind opinion, unless the viewer gave the first.
    """
    moved = {each.candidate_id: each for each in candidate.influences}
    if not moved:
        return []
    v, k = t.verdicts.c, t.clusters.c
    own = sa.exists().where(v.cluster_id == k.cluster_id, v.actor == viewer)
    rows = connection.execute(
        sa.select(t.candidates.c.candidate_id, k.cluster_id, k.title)
        .join(t.members, t.members.c.seq == t.candidates.c.seq)
        .join(t.clusters, k.cluster_id == t.members.c.cluster_id)
        .where(t.candidates.c.candidate_id.in_(moved))
        .where(sa.or_(k.status != ClusterStatus.SECOND_OPINION, own))
    ).mappings()
    found: dict[tuple[str, bool], InfluenceRow] = {}
    for row in rows:
        each = moved[row["candidate_id"]]
        key = row["cluster_id"], each.y >= 0.5
        before = found[key].shift if key in found else 0.0
        found[key] = InfluenceRow(key[0], row["title"], key[1], before + each.shift)
    return sorted(found.values(), key=lambda row: (-abs(row.shift), row.cluster_id))


def _shown_to(viewer: str | None) -> list[sa.ColumnElement[bool]]:
    """Return what hides others' verdicts from the viewer while a cluster is to be read blind."""
    if viewer is None:
        return []
    v, c = t.verdicts.c, t.clusters.c
    audit = sa.and_(c.pull == 0, c.verdict.is_(None))
    blind = sa.exists().where(
        c.cluster_id == v.cluster_id, sa.or_(c.status == ClusterStatus.SECOND_OPINION, audit)
    )
    return [sa.or_(v.actor == viewer, ~blind)]


def _shown_verdicts(connection: sa.Connection, row: sa.RowMapping) -> Sequence[VerdictRow]:
    """Return the cluster's verdicts; none while it is to be read blind.

    That is while a second opinion is awaited, or an audit its answer, be it once more.
    """
    if row["status"] == ClusterStatus.SECOND_OPINION or not told(row):
        return []
    return verdicts_of(connection, row["cluster_id"])


def _reads_again(connection: sa.Connection, row: sa.RowMapping, viewer: str | None) -> bool:
    """Whether the viewer, who works alone, has read this audit once."""
    if viewer is None or row["pull"] or row["status"] != ClusterStatus.SECOND_OPINION:
        return False
    return alone(connection, row["stream"], viewer)


def _streams(connection: sa.Connection) -> Sequence[StreamStatus]:
    p, s, w = t.partitions.c, t.streams.c, t.waiting_clusters.c
    titles = {row[0]: row[1] for row in connection.execute(sa.select(s.stream, s.title))}
    waiting = {
        row[0]: row[1]
        for row in connection.execute(sa.select(w.stream, w.clusters).where(w.clusters > 0))
    }
    sums = [sa.func.sum(p[name]).label(name) for name in COUNTERS]
    running = {
        row["stream"]: row
        for row in connection.execute(
            sa.select(
                p.stream,
                sa.func.count().label("partitions"),
                sa.func.max(p.warm_up_left).label("warm_up_left"),
                sa.func.max(p.last_event_time).label("last_event_time"),
                sa.func.max(p.committed_at).label("last_commit_at"),
                sa.func.max(p.delay).label("delay"),
                sa.func.min(p.label_position).label("model_version"),
                *sums,
            ).group_by(p.stream)
        ).mappings()
    }
    gone = retired_streams(connection) - waiting.keys()
    names = sorted((titles.keys() | waiting.keys() | running.keys()) - gone)
    return [
        _stream_status(name, titles.get(name, name), running.get(name), waiting.get(name, 0))
        for name in names
    ]


def _stream_status(
    name: str, title: str, row: sa.RowMapping | None, open_clusters: int
) -> StreamStatus:
    if row is None:
        return StreamStatus(name, title, 0, Counters(), 0, None, None, open_clusters, 0)
    return StreamStatus(
        stream=name,
        title=title,
        partitions=row["partitions"],
        counters=Counters(**{counter: int(row[counter]) for counter in COUNTERS}),
        warm_up_left=row["warm_up_left"],
        last_event_time=row["last_event_time"],
        last_commit_at=row["last_commit_at"],
        delay=row["delay"],
        open_clusters=open_clusters,
        model_version=row["model_version"],
    )
