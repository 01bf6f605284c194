"""Brings configs into force: what ``triage apply`` and every start with a file do."""

from __future__ import annotations

from collections.abc import Sequence

from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.grouper import noun_of
from triage import rollout as log
from triage.errors import Invalid
from triage.rollout import Request, Rollout, Stage
from triage.store.base_configs import ConfigStore, NewConfig

ROLE = "engineer"


def start_with(store: ConfigStore, config: StreamConfig, asked: Request) -> None:
    """A process starts with a file: it comes into force if it is new, and nothing if it is.

    Raises Superseded where something newer has taken its place, Invalid where it can't follow.
    """
    watch = _check(store, config)
    store.roll_out(
        config.stream,
        lambda known: log.started(known, config.stream, config.version, asked, watch=watch),
        new_config(config),
        ROLE,
    )


def apply(
    store: ConfigStore,
    config: StreamConfig,
    asked: Request,
    stage: Stage = Stage.LIVE,
    *,
    again: bool = False,
) -> Rollout:
    """Bring a config into force, or try it beside the one that is. Raises Refused."""
    watch = _check(store, config)
    stream, version = config.stream, config.version

    def decide(known: Sequence[Rollout]) -> Rollout:
        if stage is Stage.LIVE:
            return log.applied(known, stream, version, asked, again=again, watch=watch)
        return log.staged(known, stream, version, stage, asked, again=again)

    return _done(store.roll_out(stream, decide, new_config(config), ROLE))


def go_back(store: ConfigStore, stream: str, asked: Request, of: int | None = None) -> Rollout:
    """Take the last change back; ``of``: its number, if no other is to be taken back.

    Raises Refused, or Stop if this program can't use the old one.
    """
    known = store.rollouts(stream)
    entry = log.went_back(known, stream, asked, of)
    config = ConfigBook(store, stream).config(entry.version)

    def decide(now: Sequence[Rollout]) -> Rollout:
        if len(now) != len(known):
            raise log.moved_on(now, stream, len(known))
        return entry

    return _done(store.roll_out(stream, decide, new_config(config), ROLE))


def retire(store: ConfigStore, stream: str, asked: Request) -> Rollout:
    """Give a stream up: its workers end, nothing is deleted. ``go_back`` takes it up again."""

    def decide(known: Sequence[Rollout]) -> Rollout:
        return log.retired(known, stream, asked)

    return _done(store.roll_out(stream, decide, None, ROLE))


def new_config(config: StreamConfig) -> NewConfig:
    """Return a config as the store keeps it."""
    return NewConfig(config.version, config.text, config.name(), config.policy, noun_of(config))


def _check(store: ConfigStore, config: StreamConfig) -> bool:
    """Refuse what no running stream can turn to: other topics, other partitions, another key.

    Return whether the config has to be watched once it is in force: where it makes other candidates
    than the one before it.
    """
    live = store.live_config(config.stream)
    if live is None or live.version == config.version:
        return False
    old = ConfigBook(store, config.stream).config(live.version)
    for what, before, after in (
        ("source", old.source, config.source),
        ("key", old.key, config.key),
    ):
        if before != after:
            raise Invalid(
                f"{config.stream}: {what} differs from the config in force, and the topic was "
                "written by that: give the stream a new name"
            )
    same = old.state_version() == config.state_version() and (
        (old.learning.alert_budget, old.learning.alert_limit)
        == (config.learning.alert_budget, config.learning.alert_limit)
    )
    return config.rollout.watch_hours > 0 and not same


def _done(entry: Rollout | None) -> Rollout:
    if entry is None:
        raise Invalid("nothing was decided")
    return entry
