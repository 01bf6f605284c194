"""Who is drawn: the wanted share of the looks, few different probabilities, chance from ids."""

from __future__ import annotations

import numpy as np

from triage.draw import is_drawn, probability


def test_what_is_drawn_takes_the_wanted_share_of_the_looks() -> None:
    rng = np.random.default_rng(0)
    before = drawn = 0
    for look in range(400):
        new = int(rng.pareto(1.2) * 5) + 1  # few large clusters, many small ones
        chance = probability(0.1, look, before, new)
        drawn += sum(is_drawn(3, (f"c{look}", f"m{i}"), chance) for i in range(new))
        before += new
    assert 25 <= drawn <= 75


def test_few_different_probabilities_occur() -> None:
    chances = {probability(0.1, look, 20 * look, 1 + look % 50) for look in range(3_000)}
    assert len(chances) < 60
    assert probability(0.0, 5, 5, 5) == 0.0
    assert probability(0.1, 1_000, 0, 1) == 1.0


def test_who_is_drawn_follows_from_ids_and_seed() -> None:
    def drawn(seed: int, cluster: str) -> list[int]:
        return [i for i in range(2_000) if is_drawn(seed, (cluster, f"m{i}"), 0.1)]

    assert drawn(0, "c") == drawn(0, "c")
    assert drawn(0, "c") != drawn(1, "c")
    assert drawn(0, "c") != drawn(0, "d")
    assert 140 < len(drawn(0, "c")) < 260
    assert not any(is_drawn(0, ("c", f"m{i}"), 0.0) for i in range(100))
    assert all(is_drawn(0, ("c", f"m{i}"), 1.0) for i in range(100))
