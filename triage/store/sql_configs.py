"""The versions of a stream's config, and the log of what was in force."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from triage.cases import AuditEntry
from triage.policy import Policy
from triage.rollout import Rollout, RolloutKind, Stage, registered
from triage.store import tables as t
from triage.store.base_configs import LiveConfig, NewConfig
from triage.store.bulk import chunks, select_in
from triage.store.codec import dumps
from triage.store.sql_shared import SqlPart, add_audit, add_change
from triage.titles import Noun


class SqlConfigs(SqlPart):
    """See ``base_configs.ConfigStore``."""

    def live_config(self, stream: str) -> LiveConfig | None:
        """See ``base_configs.ConfigStore``."""
        c, s, p = t.configs.c, t.streams.c, t.partitions.c
        with self._db.read() as connection:
            row = connection.execute(
                sa.select(c.version, c.text)
                .join(t.streams, (s.stream == c.stream) & (s.config_version == c.version))
                .where(c.stream == stream)
            ).first()
            topics = connection.execute(sa.select(p.topic_id).where(p.stream == stream).distinct())
            topic_ids = frozenset(topics.scalars())
        return None if row is None else LiveConfig(row.version, row.text, topic_ids)

    def places(self, candidate_ids: Sequence[str]) -> Mapping[str, tuple[int, int]]:
        """See ``base_configs.ConfigStore``."""
        c = t.candidates.c
        statement = sa.select(c.candidate_id, c.partition, c.offset)
        with self._db.read() as connection:
            return {
                row["candidate_id"]: (row["partition"], row["offset"])
                for part in chunks(candidate_ids)
                for row in select_in(connection, statement, c.candidate_id, part)
            }

    def in_force(self, stream: str) -> Rollout | None:
        """See ``base_configs.ConfigReader``."""
        r = t.rollouts.c
        with self._db.read() as connection:
            row = connection.execute(
                sa.select(t.rollouts).where(r.stream == stream).order_by(r.number.desc()).limit(1)
            ).mappings()
            found = row.first()
        return None if found is None else _rollout(found)

    def rollouts(self, stream: str) -> Sequence[Rollout]:
        """See ``base_configs.ConfigReader``."""
        with self._db.read() as connection:
            return _log(connection, stream)

    def config_text(self, stream: str, version: str) -> str | None:
        """See ``base_configs.ConfigReader``."""
        c = t.configs.c
        with self._db.read() as connection:
            return connection.scalar(
                sa.select(c.text).where(c.stream == stream, c.version == version)
            )

    def config_versions(self, stream: str) -> Sequence[str]:
        """See ``base_configs.ConfigReader``."""
        c = t.configs.c
        with self._db.read() as connection:
            rows = connection.execute(
                sa.select(c.version).where(c.stream == stream).order_by(c.at, c.version)
            )
            return [row[0] for row in rows]

    def turned(self, stream: str) -> Sequence[int]:
        """See ``base_configs.ConfigStore``."""
        p = t.partitions.c
        with self._db.read() as connection:
            rows = connection.scalars(
                sa.select(p.rollout).where(p.stream == stream).order_by(p.partition)
            )
            return list(rows)

    def register_config(
        self,
        stream: str,
        version: str,
        text: str,
        at: float,
        title: str = "",
        policy: Policy | None = None,
        noun: Noun | None = None,
    ) -> None:
        """Bring a config into force, whatever was before (idempotent)."""
        new = NewConfig(version, text, title or stream, policy or Policy(), noun or Noun())
        self.roll_out(stream, lambda log: registered(log, stream, version, at), new)

    def roll_out(
        self,
        stream: str,
        decide: Callable[[Sequence[Rollout]], Rollout | None],
        config: NewConfig | None,
        role: str = "",
    ) -> Rollout | None:
        """See ``base_configs.ConfigStore``."""
        with self._db.write() as connection:
            self._db.in_order(connection)
            log = _log(connection, stream)
            entry = decide(log)
            at = entry.at if entry else (log[-1].at if log else 0.0)
            if config is not None:
                self._remember(connection, stream, config, at)
            if config is not None and config.version == (entry or log[-1]).version:
                self._becomes(connection, stream, config, at)
            if entry is None:
                return None
            connection.execute(t.rollouts.insert().values(**_row(entry)))
            if entry.author:
                add_audit(connection, _audit(log, entry, role))
            add_change(connection, "status", at, {"stream": stream})
            return entry

    def _remember(
        self, connection: sa.Connection, stream: str, config: NewConfig, at: float
    ) -> None:
        kept = self._db.insert(t.configs).values(
            stream=stream, version=config.version, text=config.text, at=at
        )
        connection.execute(kept.on_conflict_do_nothing())

    def _becomes(
        self, connection: sa.Connection, stream: str, config: NewConfig, at: float
    ) -> None:
        current = {
            "title": config.title,
            "config_version": config.version,
            "policy": config.policy.model_dump_json(),
            "noun": dumps(dataclasses.asdict(config.noun)),
            "at": at,
        }
        row = self._db.insert(t.streams).values(stream=stream, **current)
        connection.execute(row.on_conflict_do_update(index_elements=["stream"], set_=current))


def _log(connection: sa.Connection, stream: str) -> Sequence[Rollout]:
    r = t.rollouts.c
    rows = connection.execute(
        sa.select(t.rollouts).where(r.stream == stream).order_by(r.number)
    ).mappings()
    return [_rollout(row) for row in rows]


def retired_streams(connection: sa.Connection) -> frozenset[str]:
    """Return the streams whose newest entry retires them."""
    newest = (
        sa.select(t.rollouts.c.stream, sa.func.max(t.rollouts.c.number).label("number"))
        .group_by(t.rollouts.c.stream)
        .subquery()
    )
    r = t.rollouts.c
    return frozenset(
        connection.scalars(
            sa.select(r.stream)
            .join(newest, (newest.c.stream == r.stream) & (newest.c.number == r.number))
            .where(r.kind == str(RolloutKind.RETIRE))
        )
    )


def _rollout(row: sa.RowMapping) -> Rollout:
    values = {**row, "kind": RolloutKind(row["kind"]), "stage": Stage(row["stage"])}
    return Rollout(**values)


def _row(entry: Rollout) -> Mapping[str, object]:
    return {name: getattr(entry, name) for name in Rollout.__slots__}


def _audit(log: Sequence[Rollout], entry: Rollout, role: str) -> AuditEntry:
    def told(one: Rollout) -> Mapping[str, object]:
        return {"version": one.version, "beside": one.beside, "stage": one.stage}

    return AuditEntry(
        at=entry.at,
        actor=entry.author,
        role=role,
        action=f"config_{entry.kind}",
        object=f"config/{entry.stream}",
        request_id=f"rollout/{entry.stream}/{entry.number}",
        before=told(log[-1]) if log else None,
        after={**told(entry), "number": entry.number, "reason": entry.reason},
    )
