"""Who shares a cluster, and who doesn't."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.clustering.leader import (
    Assignment,
    ClusteringSettings,
    Item,
    LeaderClusterer,
    exact_key,
)

AMOUNT, PACE = (3.0, 0.1, 0.0), (0.0, 0.2, 3.0)


def item(
    name: str,
    why: Sequence[float] = AMOUNT,
    time: float = 0.0,
    key: str = "",
    **entities: str,
) -> Item:
    return Item(name, np.array(why, float), entities, key or name, time)


def clusterer(**settings: object) -> LeaderClusterer:
    return LeaderClusterer(ClusteringSettings.model_validate(settings))


def assign_all(target: LeaderClusterer, items: Sequence[Item]) -> list[Assignment]:
    return [target.assign(i, f"cluster of {i.item_id}") for i in items]


def test_alike_explanations_share_a_cluster_and_different_ones_do_not() -> None:
    where = assign_all(clusterer(), [item("a"), item("b", (6.0, 0.3, 0.1)), item("c", PACE)])
    assert [a.cluster_id for a in where] == ["cluster of a", "cluster of a", "cluster of c"]
    assert [a.is_new for a in where] == [True, False, True]


def test_opposite_signs_are_different() -> None:
    where = assign_all(clusterer(), [item("a", (3.0, 0.0)), item("b", (-3.0, 0.0))])
    assert where[1].is_new


def test_a_shared_entity_lowers_the_bar() -> None:
    a, b = item("a", (1.0, 0.0), terminal="881"), item("b", (1.0, 0.8), terminal="881")
    stranger = item("c", (1.0, 0.8), terminal="7")
    assert not assign_all(clusterer(), [a, b])[1].is_new
    assert assign_all(clusterer(), [a, stranger])[1].is_new


def test_an_equal_key_always_shares() -> None:
    where = assign_all(clusterer(), [item("a", AMOUNT, key="k"), item("b", PACE, key="k")])
    assert where[1].cluster_id == "cluster of a"


def test_a_pause_longer_than_the_gap_and_a_full_cluster_found_new_ones() -> None:
    late = assign_all(clusterer(gap="1h"), [item("a"), item("b", time=3601.0)])
    full = assign_all(clusterer(max_size=1), [item("a"), item("b")])
    assert late[1].is_new
    assert full[1].is_new


def test_a_decided_cluster_gets_one_successor_that_takes_the_rest() -> None:
    target = clusterer()
    target.assign(item("a"), "first")
    target.set_closed({"first"})

    b, c = target.assign(item("b"), "second"), target.assign(item("c"), "third")

    assert b == Assignment("second", is_new=True, predecessor="first")
    assert c == Assignment("second", is_new=False)
    assert target.cluster_ids() == ["second"]


def test_a_reopened_cluster_takes_items_again() -> None:
    target = clusterer()
    target.assign(item("a"), "first")
    target.set_closed({"first"})
    target.set_closed(())
    assert target.assign(item("b"), "second") == Assignment("first", is_new=False)


ITEMS = st.lists(
    st.builds(
        item,
        st.text("abc", min_size=1, max_size=2),
        st.tuples(*[st.floats(-5, 5)] * 3),
        st.floats(0, 10_000),
        st.text("kl", min_size=1, max_size=1),
        t=st.sampled_from("123"),
    ),
    max_size=25,
)


@given(ITEMS, st.integers(0, 25))
def test_a_restart_changes_nothing(items: list[Item], cut: int) -> None:
    """Adopting what was assigned before gives the same clusters from then on."""
    settings = {"gap": "30m", "max_size": 5}
    whole, before, after = clusterer(**settings), clusterer(**settings), clusterer(**settings)
    ids = [f"c{i}" for i in range(len(items))]
    expected = [whole.assign(i, new) for i, new in zip(items, ids, strict=True)]

    for i, new in zip(items[:cut], ids[:cut], strict=True):
        after.adopt(i, before.assign(i, new).cluster_id)
    got = [after.assign(i, new) for i, new in zip(items[cut:], ids[cut:], strict=True)]

    assert got == expected[cut:]


def test_the_exact_key_has_entity_detector_top_signed_features_and_coarse_time() -> None:
    settings = ClusteringSettings(gap="1h")
    why = {"amount": 2.0, "pace": -1.0, "hour": 0.1, "place": 0.5}
    key = exact_key("card 1", "forest", why, 3700.0, settings)
    assert key == "forest|card 1|+amount,-pace,+place|1"
    assert key != exact_key("card 1", "forest", {**why, "pace": 1.0}, 3700.0, settings)
    assert key == exact_key("card 1", "forest", {**why, "hour": 0.2}, 7100.0, settings)
