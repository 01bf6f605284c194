"""The shares of the queue: they hold as looks go, and the order does not shuffle."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.shares import HEAD, Purpose, Shares, mixed

WORTH = [f"w{i}" for i in range(HEAD)]
DOUBT = [f"u{i}" for i in range(HEAD)]
AUDITS = [f"a{i}" for i in range(HEAD)]


SHARE = st.floats(0, 0.5)


@given(SHARE, SHARE, SHARE, st.integers(0, 10_000))
def test_the_shares_hold_from_any_look_on(
    audit: float, uncertain: float, random: float, look: int
) -> None:
    shares = Shares(audit, uncertain, random)
    assert abs(shares.wanted(Purpose.AUDIT, look) - audit * HEAD) <= 1
    # a look that several claim is the first one's
    assert shares.wanted(Purpose.UNCERTAIN, look) <= uncertain * HEAD + 1
    assert shares.wanted(Purpose.RANDOM, look) <= random * HEAD + 1


def test_common_shares_do_not_fall_on_the_same_looks() -> None:
    for random in (0.02, 0.05, 0.1):
        wanted = Shares(0.1, 0.1, random).wanted(Purpose.RANDOM, 0)
        assert wanted == round(random * HEAD)


def test_who_works_from_the_top_meets_each_purpose_in_turn() -> None:
    worth, doubt, audits, drawn = list(WORTH), list(DOUBT), list(AUDITS), WORTH[50:]
    done: list[str] = []
    rest: list[str] = []
    for look in range(40):
        order = mixed(worth, doubt, audits, drawn, Shares(0.1, 0.1, 0.05), look)
        assert not rest or list(order[:9]) == rest[:9]  # nothing moved but the one decided
        rest = list(order[1:])
        done.append(order[0])
        for queue in (worth, doubt, audits, drawn):
            if order[0] in queue:
                queue.remove(order[0])
    assert [one for one in done if one.startswith("a")] == ["a0", "a1", "a2", "a3"]
    assert [one for one in done if one.startswith("u")] == ["u0", "u1", "u2", "u3"]
    assert (done[16], done[36]) == ("w50", "w51")  # drawn, whatever they are worth
    assert [one for one in done if one.startswith("w")][:16] == [*WORTH[:13], "w50", *WORTH[13:15]]


def test_each_cluster_comes_once() -> None:
    order = mixed(WORTH, WORTH[5:30], [], WORTH[9:12], Shares(0.1, 0.3, 0.2), 0)
    assert sorted(order) == sorted(WORTH)
    assert mixed([], [], ["a"], [], Shares(0.5, 0.0), 1) == ["a"]
    assert mixed(["w"], ["w"], [], ["w"], Shares(), 0) == ["w"]


def test_without_shares_it_is_the_order_of_worth() -> None:
    assert mixed(WORTH, DOUBT, AUDITS, WORTH[::-1], Shares(0.0, 0.0, 0.0), 7) == WORTH
