"""One change makes each of these configs wrong; the message names line, key and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from streaming.config.load import parse
from streaming.errors import ConfigInvalid

GOOD = """\
stream: payments
title: Card payments
noun: {one: payment, many: payments}
source: {topic: payments, partitions: 2}
key: customer_id
event_id: {field: tx_id, horizon: 1000}
time: tx_time
fields:
  tx_id: string
  tx_time: time
  customer_id: {type: string, entity: true, label: customer}
  amount: {type: number, unit: €, required: true}
  country: string
features:
  - {kind: log, field: amount}
  - {kind: frequency, fields: [country]}
  - {kind: window, entity: customer_id, aggregate: count, over: 1h}
detectors:
  - {kind: isolation_forest, trees: 100}
learning: {block: 64, warm_up: 128}
alert_budget: 0.5%
clustering: {similarity: 0.9, gap: 1h}
explanations: tree_shap
policy: {undo_grace: 8}
alert_limit: {most: 50, per: day}
"""

SMALL = """\
stream: small
fields: {x: number}
features: [{kind: number, field: x}]
detectors: [{kind: isolation_forest}]
"""


def _broken() -> list[tuple[str, str, str]]:
    """Return what stands in the good config, what stands in its place, and the message."""
    text = (Path(__file__).parent / "broken_configs.txt").read_text(encoding="utf-8")
    cases = [case.splitlines() for case in text.split("\n\n")]
    return [(good[2:], bad[2:].replace("\\n", "\n"), message) for good, bad, message in cases]


BROKEN = _broken()


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigInvalid) as caught:
        parse(text, "p.yaml")
    return caught.value.problems


def test_the_unbroken_config_is_right() -> None:
    assert parse(GOOD, "p.yaml").warnings == ()


def test_the_mistakes_are_many() -> None:
    assert len({(good, bad) for good, bad, _ in BROKEN}) >= 100


@pytest.mark.parametrize(("good", "bad", "message"), BROKEN, ids=[one[1] for one in BROKEN])
def test_one_mistake_is_one_line(good: str, bad: str, message: str) -> None:
    assert good in GOOD
    assert problems(GOOD.replace(good, bad, 1)) == (f"p.yaml:{message}",)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = GOOD
    for good, bad, _ in BROKEN:
        if good in text and not bad.startswith(("steam", "[", "amount")):
            text = text.replace(good, bad, 1)
    lines = [int(problem.split(":")[1]) for problem in problems(text)]
    assert lines == sorted(lines)
    assert len(set(lines)) >= 15


@pytest.mark.parametrize("key", ["stream", "fields", "features", "detectors"])
def test_what_nothing_works_without_is_asked_for(key: str) -> None:
    lines = [line for line in SMALL.splitlines() if not line.startswith(f"{key}:")]
    assert any(f": {key}: is missing; add it: " in one for one in problems("\n".join(lines)))


@pytest.mark.parametrize("line", ["fields: {}", "features: []", "detectors: []"])
def test_an_empty_list_is_none(line: str) -> None:
    key = line.partition(":")[0]
    lines = [line if one.startswith(f"{key}:") else one for one in SMALL.splitlines()]
    assert any(f"{key}: must have 1 or more entries" in one for one in problems("\n".join(lines)))


@pytest.mark.parametrize("text", ["- a\n", "just words\n", "5\n", "~\n"])
def test_a_file_that_is_no_config_says_what_one_looks_like(text: str) -> None:
    assert problems(text) == ("p.yaml:1: must hold keys and values, starting with `stream: NAME`",)


def test_a_cohort_can_not_be_masked() -> None:
    masked = SMALL.replace("{x: number}", "{x: number, role: {type: string, cohort: true}}")
    (problem,) = problems(masked + "policy: {masked: [role]}\n")
    assert problem == (
        'p.yaml:5: policy.masked[0]: "role" is a cohort, which the queue is narrowed to by its '
        "values: leave the cohort out or the mask"
    )
