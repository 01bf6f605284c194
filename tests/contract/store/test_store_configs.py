"""What those may rely on who compare a config with the one in force."""

from __future__ import annotations

from tests.support.cases import AT, STREAM, Desk, a_candidate
from triage.store.base import Store


def test_the_config_in_force_is_the_one_registered_last(store: Store) -> None:
    assert store.live_config(STREAM) is None
    store.register_config(STREAM, "v1", "one", AT)
    store.register_config(STREAM, "v2", "two", AT)
    store.register_config("other", "v3", "three", AT)
    live = store.live_config(STREAM)
    assert live is not None
    assert (live.version, live.text, live.topic_ids) == ("v2", "two", frozenset())
    store.own(STREAM, 0, "topic-1", "v2")
    store.register_config(STREAM, "v1", "one", AT)
    live = store.live_config(STREAM)
    assert live is not None
    assert (live.version, live.text, live.topic_ids) == ("v1", "one", frozenset({"topic-1"}))


def test_places_of_candidates(desk: Desk) -> None:
    candidates = [a_candidate(number) for number in (3, 7)]
    desk.commit(desk.part(candidates=tuple(candidates), next_offset=10))
    ids = [candidate.candidate_id for candidate in candidates]
    assert desk.store.places([*ids, "unknown"]) == {ids[0]: (0, 3), ids[1]: (0, 7)}
    assert desk.store.places([]) == {}
