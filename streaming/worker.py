"""The scoring worker: from the log to the store, exactly once in effect."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from streaming import metrics
from streaming.bad_share import BadShare
from streaming.carry import columns_of, share, vector
from streaming.commit_metrics import count
from streaming.config.model import StreamConfig
from streaming.config_book import ConfigBook
from streaming.dead_letters import dead_letter
from streaming.errors import PositionLost, Stop
from streaming.gap import REMEDY
from streaming.grouper import noun_of
from streaming.metrics import Metrics
from streaming.owned import Owned
from streaming.past import Past
from streaming.records import Position, Record, TopicPartition, by_partition
from streaming.replay import recover
from streaming.stage_guard import take_back
from streaming.track import Track, VersionFailed
from streaming.transports.base import Consumer, Transport
from streaming.turn import new_track, plan, take
from triage.errors import Fenced
from triage.model import JournalEntry
from triage.rollout import Rollout, Stage, Superseded, refuse_retired
from triage.store.base import WorkerStore
from triage.trial import Trial

log = logging.getLogger(__name__)

POLL_RECORDS = 2_048
POLL_S = 0.05  # seconds; short, because the same loop also serves verdicts
COMMIT_EVERY_S = 0.25  # seconds; a verdict is felt within one interval
REPLAYED_ONCE = 1_000  # records; a snapshot costs no more than to replay so many
LAG_EVERY_S = 5.0  # seconds; it is a question to the log
AT_ONCE = 50_000  # records that a partition may learn for a roll-out while it is being assigned
MOVED = 0.005  # probability; smaller changes of an open candidate are not written


class Worker:
    """Scores the partitions that it is assigned and commits by time, over all of them at once.

    It works by the config that is in force in the store and turns to a newer one between two
    commits, one partition at a time; ``config`` says which stream, and comes into force if the
    stream has none yet.

    The store is the truth for positions; the log's committed positions are a hint. A commit that
    fails leaves nothing behind and is tried again; records are not polled before it succeeds.
    """

    def __init__(
        self,
        config: StreamConfig,
        transport: Transport,
        store: WorkerStore,
        clock: Callable[[], float],
        metrics: Metrics | None = None,
    ) -> None:
        self._config = config
        self._transport = transport
        self._store = store
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._owned: dict[int, Owned] = {}
        self._topic_id = transport.topic_id(config.source.topic)
        self._commit_due = clock() + COMMIT_EVERY_S
        self._book = ConfigBook(store, config.stream)
        if store.in_force(config.stream) is None:
            new = (config.version, config.text, clock(), config.name(), config.policy)
            store.register_config(config.stream, *new, noun_of(config))
        self._lag_due = 0.0
        self._fenced = False  # all of ours has been dropped: the group has to be joined anew
        self._left = False  # the group, on the way to that
        self._consumer = self._join()

    def step(self) -> bool:
        """Commit if it is time to, then take the next records. Return whether there were any.

        Where another worker has taken a partition over (we were frozen, or cut off from the group)
        nothing of ours has taken effect since: all is dropped, and the group is joined anew. Raises
        Fenced (of the log) if the group has a newer reader and can't have both, PositionLost if
        retention has deleted what is to be read.
        """
        try:
            if self._clock() >= self._commit_due:
                more = self._commit()
                self._commit_due = self._clock() + (0.0 if more else COMMIT_EVERY_S)
                self._stop_if_retired()
        except Fenced as error:
            log.warning("%s; joining the group anew", error)
            self._metrics.add(metrics.FENCED, self._config.stream)
            self._owned.clear()
            self._fenced = True
        if self._fenced:
            self._begin_anew()
            return True
        try:
            wait = max(0.0, min(POLL_S, self._commit_due - self._clock()))
            records = self._consumer.poll(wait, POLL_RECORDS)
        except PositionLost as error:
            raise PositionLost(f"{error}. {REMEDY}") from error
        try:
            for partition, batch in by_partition(records).items():
                self._process(self._owned[partition], batch)
        except VersionFailed as error:
            self._take_back(error)
            self._owned.clear()  # nothing since the last commit has taken effect
            self._fenced = True
        self._tell_lag(bool(records))
        return bool(records)

    def lag(self) -> int:
        """Return how many records of our partitions have not been processed."""
        return sum(self._consumer.lag().values())

    def settled(self) -> bool:
        """Return whether we own partitions, all is committed and every label is in force."""
        newest = self._store.label_position(self._config.stream)
        rollout = self._in_force().number
        return bool(self._owned) and not any(
            owned.dirty
            or owned.track.label_position < newest
            or owned.track.rollout.number < rollout
            for owned in self._owned.values()
        )

    def close(self) -> None:
        """Commit what is done, with a snapshot, and give the partitions back."""
        try:
            self._commit(snapshot=True)
        except Fenced as error:
            log.warning("%s; what was not committed is the new owner's", error)
        self._leave()

    def _begin_anew(self) -> None:
        """Leave the group and join it again; where that fails on the way, go on there."""
        if not self._left:
            self._consumer.poll(0.0, 1)  # raises Fenced where the log knows of our successor
            self._leave()
            self._left = True
        self._consumer = self._join()
        self._fenced = self._left = False

    def _join(self) -> Consumer:
        stream = self._config.stream
        return self._transport.consumer(
            self._config.source.topic, f"triage.{stream}", self._on_assigned, self._on_revoked
        )

    def _leave(self) -> None:
        self._owned.clear()
        self._consumer.close()
        self._metrics.set(metrics.PARTITIONS, self._config.stream, to=0)

    def _process(self, owned: Owned, records: Sequence[Record]) -> None:
        began = self._clock()
        outcome = owned.track.process_live(records)
        between = self._clock()
        outcome, trial = owned.track.process_beside(records, outcome)
        if trial:
            owned.trial += replace(
                trial, seconds_live=between - began, seconds_new=self._clock() - between
            )
        owned.bad_share.add(len(records), outcome.bad)
        owned.counters += outcome.counters
        owned.candidates += outcome.candidates
        owned.dead_letters += [
            dead_letter(bad, owned.track.live.config.version) for bad in outcome.bad
        ]
        owned.position = records[-1].offset + 1
        owned.read_ms = owned.newest_ms = records[-1].timestamp_ms
        owned.dirty = True

    def _commit(self, *, snapshot: bool = False) -> bool:
        """Write one commit interval; return whether another partition waits for new labels.

        1. What came of the records. Where new labels take effect next, also the open candidates
           under the model as it is before them, so that what the labels change is theirs alone.
        2. New labels take effect in one partition, at the position reached: journal and moved
           candidates. The others follow, records in between: a refit takes time.
        3. One partition turns to the config in force, where it is not there yet.
        """
        rollout = self._in_force()
        newest = self._store.label_position(self._config.stream)
        behind = [p for p, o in self._owned.items() if o.track.label_position < newest]
        behind.sort(key=lambda partition: self._owned[partition].track.label_position)
        next_up = behind[:1]
        turning = [p for p, o in self._owned.items() if o.track.rollout.number < rollout.number]
        for partition, owned in self._owned.items():
            warm_now = owned.warm_up_has_ended()
            if warm_now:
                owned.want_snapshot()  # the advisor waits for it
            if partition in next_up or warm_now:
                self._rescore(partition, owned)
        self._write(snapshot=snapshot and not next_up)

        for partition in next_up:
            self._learn(partition, self._owned[partition], newest)
            self._write(snapshot=snapshot)

        for partition in turning[:1]:  # learning from the log takes time, and others' records wait
            owned = self._owned[partition]
            self._turn(partition, owned, plan(owned.track, rollout, owned.position, owned.past))
            self._rescore(partition, owned)
            self._write(snapshot=False)
        return len(behind) > 1

    def _learn(self, partition: int, owned: Owned, newest: int) -> None:
        """Let the labels up to ``newest`` take effect; what comes of it is in the next commit."""
        labels = owned.past.labels_at(newest, owned.track.live.config.policy)
        changed = owned.track.apply_labels(labels, newest, self._book)
        owned.journal.append(JournalEntry(owned.position, newest, owned.track.rollout.number))
        owned.dirty = True
        if changed:
            self._rescore(partition, owned)

    def _turn(self, partition: int, owned: Owned, entry: JournalEntry) -> None:
        """Turn a partition to another roll-out; what comes of it belongs to its next commit."""
        found: Collection[Position] = ()
        if entry.base is not None and entry.since is not None:
            offsets = self._store.candidate_offsets(self._config.stream, partition, entry.since)
            found = frozenset(offsets)
        try:
            turned = take(owned.track, entry, owned.past, found)
        except VersionFailed as error:
            self._take_back(error)  # what comes into force instead is turned to next
            return
        if owned.track.failed and owned.track.rollout.tried:
            owned.trial += Trial(failed=owned.track.failed)
        owned.retained = turned.retained
        owned.bad_share = self._bad_share(partition, owned.track)
        if turned.late:
            owned.candidates += turned.late.candidates
            owned.counters += turned.late.counters
        owned.journal.append(entry)
        owned.want_snapshot()  # what was learned is not learned twice
        owned.dirty = True
        log.info(
            "%s[%d]: turned to roll-out %d at offset %d%s",
            self._config.stream,
            partition,
            entry.rollout,
            owned.position,
            "" if entry.since is None else f"; learned from offset {entry.since} on",
        )

    def _stop_if_retired(self) -> None:
        """End once all is committed: who takes the stream up again goes on from there."""
        try:
            refuse_retired([self._in_force()])
        except Superseded as error:
            raise Stop(str(error)) from error

    def _take_back(self, error: VersionFailed) -> None:
        """Let the version before come into force again; raises the error if nobody watches."""
        if error.rollout.stage is not Stage.WATCHED:
            raise error
        reason = f"it failed: {error}"
        take_back(self._store, error.rollout, reason, self._clock(), self._metrics)

    def _bad_share(self, partition: int, track: Track) -> BadShare:
        place = f"{self._config.source.topic}/{partition}"
        return BadShare(place, track.live.config.max_bad_share)

    def _in_force(self) -> Rollout:
        found = self._store.in_force(self._config.stream)
        if found is None:
            raise Stop(f"{self._config.stream}: the store no longer knows the stream")
        return found

    def _write(self, *, snapshot: bool) -> None:
        """Write what there is in one transaction of the store, then tell the log our positions."""
        commits = [
            owned.part(partition, self._clock(), snapshot=snapshot)
            for partition, owned in self._owned.items()
            if owned.dirty or snapshot
        ]
        if not commits:
            return
        began = self._clock()
        self._store.commit(self._config.stream, commits, began)
        seconds = max(0.0, self._clock() - began)
        count(self._metrics, self._config.stream, commits, began, seconds)
        for commit in commits:
            owned = self._owned[commit.partition]
            if commit.snapshot:
                owned.snapshot_at, owned.snapshot_time = commit.snapshot.offset, began
            owned.committed()
        self._consumer.commit({self._tp(c.partition): c.next_offset for c in commits})

    def _rescore(self, partition: int, owned: Owned) -> None:
        """Note the open candidates whose probability is no longer what the store says.

        A detector that is still warming up has nothing to say about them.
        """
        live = owned.track.live
        if live.warm_up_left:
            return
        version, want = live.config.features_version(), columns_of(live.config)
        waiting, vectors = [], []
        for candidate in self._store.open_candidates(self._config.stream, partition):
            if candidate.features_version == version:
                waiting.append(candidate)
                vectors.append(candidate.vector)
            elif share(have := self._book.get(candidate.features_version, ()), want) == 1.0:
                waiting.append(candidate)
                vectors.append(vector(candidate.vector, have, want))
        now = live.posteriors(vectors).tolist()
        owned.rescored = {
            candidate.candidate_id: new
            for candidate, new in zip(waiting, now, strict=True)
            if abs(new - candidate.posterior) > MOVED
        }
        owned.dirty = owned.dirty or bool(owned.rescored)

    def _on_assigned(
        self, partitions: Collection[TopicPartition]
    ) -> Mapping[TopicPartition, Position]:
        positions = {}
        for tp in partitions:
            rollout = self._in_force()
            state = self._store.own(
                self._config.stream,
                tp.partition,
                self._topic_id,
                rollout.version,
                rollout.number,
            )
            past = Past(
                self._book, self._store, self._transport, self._config.stream, tp, self._topic_id
            )
            start = replayed_from = state.next_offset
            untouched = start == 0 and not past.snapshots()
            if untouched:
                start = self._transport.start_position(tp)
                track = new_track(past, self._book.rollout(state.rollout))
            else:
                track, replayed_from = recover(past, state)
            bad_share = self._bad_share(tp.partition, track)
            owned = Owned(track, past, bad_share, state.epoch, start, start, self._clock())
            owned.warm_up_has_ended()  # if so, that is old news
            if untouched:  # journal and snapshot of its first commit say where the detector began
                owned.journal.append(JournalEntry(start, 0, track.rollout.number))
            if untouched or start - replayed_from >= REPLAYED_ONCE:  # or the next one does it again
                owned.dirty = True
                owned.want_snapshot()
            newer = self._in_force()
            if track.rollout.number < newer.number:
                entry = plan(track, newer, start, past)
                if entry.since is None or start - entry.since <= AT_ONCE:
                    self._turn(tp.partition, owned, entry)
            self._owned[tp.partition] = owned
            positions[tp] = start
        self._metrics.add(metrics.TAKEN_OVER, self._config.stream, by=len(positions))
        self._metrics.set(metrics.PARTITIONS, self._config.stream, to=len(self._owned))
        return positions

    def _on_revoked(self, partitions: Collection[TopicPartition]) -> None:
        for tp in partitions:
            self._owned.pop(tp.partition, None)
        self._metrics.set(metrics.PARTITIONS, self._config.stream, to=len(self._owned))

    def _tell_lag(self, came: bool) -> None:
        """Ask the log now and then how far we are behind, and tell it to the store.

        Clients tell of a broker that is away by silence: then each step asks, and we aren't ready.
        """
        now = self._clock()
        if now < self._lag_due or not self._owned:
            return
        self._lag_due = now + (LAG_EVERY_S if came else 0.0)
        behind_by_place = self._consumer.lag()
        self._lag_due = now + LAG_EVERY_S
        lags = [
            self._owned[place.partition].lag(place.partition, behind, now)
            for place, behind in behind_by_place.items()
            if place.partition in self._owned
        ]
        self._store.tell_lags(self._config.stream, lags)
        age = max((lag.seconds or 0.0 for lag in lags), default=0.0)
        records = sum(lag.records for lag in lags)
        self._metrics.set(metrics.LAG_RECORDS, self._config.stream, to=records)
        self._metrics.set(metrics.LAG_SECONDS, self._config.stream, to=age)

    def _tp(self, partition: int) -> TopicPartition:
        return TopicPartition(self._config.source.topic, partition)
