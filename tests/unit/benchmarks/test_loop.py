from __future__ import annotations

from pathlib import Path
from xml.dom import minidom

import numpy as np
import pytest

from benchmarks.loop import card_world, headline, peers, streams
from benchmarks.loop.aad import AAD
from benchmarks.loop.discovery import (
    Errors,
    Pool,
    area,
    discover,
    labels_per_anomaly,
    mean_labels_per_anomaly,
)
from benchmarks.loop.learners import LEARNERS
from benchmarks.loop.omd import OMD
from benchmarks.loop.outside_peers import SLOW, installed
from benchmarks.loop.report import curves_svg, page, table
from detectors.base import Vector
from streaming.evaluate.pool import whole_forest

pytestmark = pytest.mark.slow

# those of other libraries only where somebody has them
RUN = {**peers.PEERS, **{name: run for name, run in installed().items() if name not in SLOW}}


@pytest.fixture(scope="module")
def pool() -> Pool:
    """Return 600 items: 30 far out in the first column are real, 30 in the second are not."""
    X = np.random.default_rng(3).normal(0, 1, (600, 4)).astype(np.float32)
    X[:30, 0] += 5
    X[30:60, 1] += 7
    return Pool("toy", X, np.arange(600) < 30)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_learner_finds_more_than_chance_and_leaves_its_items_alone(name: str, pool: Pool) -> None:
    before = pool.X.copy()
    hits = discover(LEARNERS[name], pool, 60, seed=1)
    np.testing.assert_array_equal(pool.X, before)
    assert hits.dtype == bool
    assert len(hits) == 60
    if name != "random looks":
        assert hits.sum() > 10


@pytest.mark.parametrize("name", ["ours", "AAD", "OMD", "IF+SHAP"])
def test_who_learns_finds_more_than_who_does_not(name: str, pool: Pool) -> None:
    without = discover(LEARNERS["no feedback"], pool, 60, seed=1)
    assert discover(LEARNERS[name], pool, 60, seed=1).sum() > without.sum()


def test_omd_starts_as_the_forest_and_moves_what_shares_edges(pool: Pool) -> None:
    omd = OMD(pool.X, 1)
    trees = whole_forest(pool.X, 1, 100)
    before = omd.scores()
    mean_path = -before / 100
    expected = (trees.path_length[np.arange(100), trees.leaves(pool.X)]).mean(axis=1)
    np.testing.assert_allclose(mean_path, expected)
    omd.tell(0, real=True)
    moved = omd.scores() - before
    assert moved[0] == pytest.approx(moved.max())
    assert (moved >= -1e-9).all()
    omd.tell(31, real=False)
    assert omd.scores()[31] < before[31] + moved[31]


def test_aad_keeps_its_weights_on_the_sphere(pool: Pool) -> None:
    aad = AAD(pool.X, 1)
    before = aad.scores()
    aad.tell(30 + int(np.argmax(before[30:60])), real=False)  # above the border
    aad.tell(int(np.argmin(before[:30])), real=True)  # below it
    after = aad.scores()
    assert np.linalg.norm(aad._w) == pytest.approx(1.0)
    gain = after - before
    assert gain.std() > 1e-3 * before.std()
    assert gain[:30].mean() > gain[30:60].mean()


def test_errors_have_their_rate_and_may_go_together(pool: Pool) -> None:
    assert not np.any(Errors().draw(pool.X, 1))
    alone = [Errors(0.25).draw(pool.X, seed)[0] for seed in range(20)]
    together = [Errors(0.25, together=True).draw(pool.X, seed)[0] for seed in range(20)]
    for drawn in (alone, together):
        assert np.mean(drawn) == pytest.approx(0.25, abs=0.08)
    assert np.std([one.mean() for one in together]) > 2 * np.std([one.mean() for one in alone])


class Keeps:
    """Shows one item after the other, and keeps what it is told."""

    def __init__(self, items: int) -> None:
        self.told: list[bool] = []
        self._scores = -np.arange(items, dtype=float)

    def scores(self) -> Vector:
        return self._scores

    def tell(self, item: int, real: bool) -> None:
        self.told.append(real)


def test_looks_go_round_readers_who_are_wrong_about_other_items(pool: Pool) -> None:
    errors = Errors(0.5, readers=2)
    none = Pool("none real", pool.X, np.zeros(len(pool.X), bool))
    learner = Keeps(len(pool.X))
    discover(lambda X, seed: learner, none, 20, 3, errors)
    one, other = errors.draw(pool.X[np.random.default_rng(3).permutation(len(pool.X))], 3)
    assert 0.2 < np.mean(one != other) < 0.8
    assert learner.told[0::2] == one[0:20:2].tolist()
    assert learner.told[1::2] == other[1:20:2].tolist()


def test_figures_of_a_curve() -> None:
    hits = np.array([True, False, True, False])
    assert area(hits, 2) == pytest.approx((1 + 1 + 2 + 2) / (1 + 2 + 2 + 2))
    assert labels_per_anomaly(hits, 2) == {"50%": 1.0, "80%": 1.5, "95%": 1.5}
    assert labels_per_anomaly(hits, 4) == {"50%": 1.5, "80%": None, "95%": None}
    late = np.array([False, True, False, True])
    assert mean_labels_per_anomaly([hits, late], 2) == {"50%": 1.5, "80%": 1.75, "95%": 1.75}
    assert mean_labels_per_anomaly([hits, np.zeros(4, bool)], 2)["50%"] is None


def test_reports_can_be_read() -> None:
    assert table(["a", "b"], [["x", 0.5], [None, 3]]).splitlines()[2:] == [
        "| x | 0.500 |",
        "| – | 3 |",
    ]
    drawing = minidom.parseString(curves_svg({"a & b": {"ours": [0, 1], "<x>": [0, 0]}}))  # noqa: S318 (our own)
    assert len(drawing.getElementsByTagName("polyline")) == 2


def test_the_page_holds_tables_and_plots(tmp_path: Path) -> None:
    (tmp_path / "discovery.md").write_text(table(["<a>"], [["x"]]), encoding="utf-8")
    (tmp_path / "discovery.svg").write_text(curves_svg({"a": {"b": [0, 1]}}), encoding="utf-8")
    html = page(tmp_path)
    assert "| &lt;a&gt; |" in html
    assert html.count("<svg") == 1
    assert "<script" not in html


@pytest.fixture(scope="module")
def payments() -> card_world.Payments:
    return card_world.simulate(1, 16)


def test_payments_are_those_of_the_book(payments: card_world.Payments) -> None:
    assert len(payments) / 16 == pytest.approx(1_754_155 / card_world.DAYS, rel=0.05)
    assert (np.diff(payments.time) >= 0).all()
    assert (payments.day == payments.time // card_world.DAY_S).all()
    assert (payments.amount[payments.kind == card_world.LARGE] > 220).all()
    taken = payments.terminal[payments.kind == card_world.TERMINAL]
    assert len(np.unique(taken)) <= 2 * 16
    per_card = np.bincount(payments.card[payments.kind == card_world.CARD])
    assert 0 < (per_card > 0).sum() <= 3 * 16


def test_a_truth_is_known_after_its_delay_and_not_before(payments: card_world.Payments) -> None:
    world = headline.World(payments, 0)
    one = world.frauds[5]
    known_at = int(one.event_time - headline.MIDNIGHT) + headline.DELAY * card_world.DAY_S
    assert one not in world.known(known_at - 1)
    assert one in world.known(known_at)
    assert one not in world.known(known_at + headline.KEPT)


def test_without_clusters_a_look_reads_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "EVENTS", 5_000)
    monkeypatch.setattr(streams, "ARMS", {"neither": streams.ARMS["neither"]})
    found = streams.ablations([0])
    neither = found.figures["neither"]
    assert neither["looks"] == neither["items read"]
    assert neither["looks"][0] > 0
    assert "real per 100 spent, opening = 4" in found.text
    curve = found.curves["neither"]
    assert len(curve) == streams.POINTS
    assert sorted(curve) == list(curve)
    assert curve[-1] == neither["real ones read"][0]
    assert len(neither["events to the first read"]) == 3


def test_the_wait_of_a_kind_is_from_its_first_event_to_its_first_read_one() -> None:
    places = {"a": frozenset({3, 50}), "b": frozenset({7}), "c": frozenset({1})}
    read = [(50, 60), (7, 20), (50, 55), (3, 90)]
    assert streams.waits(places, read) == {"a": 52, "b": 13, "c": None}


@pytest.mark.parametrize("name", RUN)
def test_every_detector_scores_before_it_learns(name: str) -> None:
    X = np.random.default_rng(1).normal(0, 1, (2_200, 3)).astype(np.float32)
    X[2_100] = 30.0
    whole = RUN[name](X, 1)
    assert int(np.argmax(whole[peers.BLOCK :])) == 2_100 - peers.BLOCK
    np.testing.assert_allclose(RUN[name](X[:2_000], 1), whole[:2_000])
