from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cases import AT, a_candidate, a_reason
from triage.model import Candidate, Reason
from triage.titles import MAX_SUBTITLE, MAX_TITLE, Noun, title_of

PAYMENT = Noun("payment", "payments", {"customer_id": "customer", "terminal_id": "terminal"})
CALL = Noun("call", "calls", {"principal": "principal", "source_ip": "source address"})
CONNECTION = Noun("connection", "connections")


def members(
    count: int, reasons: Sequence[Reason], every_s: float = 25.0, **entities: str
) -> list[Candidate]:
    """Return members whose entity values may hold their number: ``customer_id="C{i}"``."""
    return [
        a_candidate(
            i,
            event_time=AT + i * every_s,
            entities={name: value.format(i=i) for name, value in entities.items()},
            reasons=tuple(reasons),
        )
        for i in range(count)
    ]


AMOUNT = a_reason("amount", 1.7, text="412 €", usual="20–55 €", ratio=8.2)
HOUR = a_reason("hour of day", 0.3, text="02:14", usual="8–22")
PACE = a_reason("pace", 1.4, text="9 payments in 1 h", usual="0–2", ratio=9.0, entity="customer_id")
SPREAD = a_reason(
    "terminals", 1.1, text="4 terminals in 1 h", usual="0–1", ratio=8.0, entity="customer_id"
)
ACTION = a_reason("action", 1.3, text="CreateAccessKey (1 in 2,300)", usual="25 %", ratio=None)
ADDRESS = a_reason("source address", 1.0, text="10.0.0.9 (1 in 810)", usual="97 %", ratio=None)

CASES = [
    pytest.param(
        members(37, [AMOUNT, HOUR], customer_id="C{i}", terminal_id="881"), PAYMENT,
        "37 payments, terminal 881, amount 8x usual", "37 customers · within 15 min",
        id="one terminal, many customers",
    ),
    pytest.param(
        members(9, [PACE, SPREAD], 40.0, customer_id="4417", terminal_id="T{i}"), PAYMENT,
        "Customer 4417: 9 payments and 4 terminals in 1 h",
        "9 payments · 9 terminals · within 6 min",
        id="one customer in a hurry",
    ),
    pytest.param(
        members(1, [AMOUNT], customer_id="C1", terminal_id="T1"), PAYMENT,
        "1 payment, customer C1, amount 8x usual", "terminal T1", id="a single event",
    ),
    pytest.param(
        members(4, [ACTION, ADDRESS], principal="ci-deploy", source_ip="10.0.0.9"), CALL,
        "4 calls, principal ci-deploy, rare action CreateAccessKey, rare source address 10.0.0.9",
        "source address 10.0.0.9 · within 2 min", id="who did what from where",
    ),
    pytest.param(
        members(4, [ACTION, ADDRESS], principal="u{i}", source_ip="10.0.0.9"), CALL,
        "4 calls, rare source address 10.0.0.9, rare action CreateAccessKey",
        "4 principals · within 2 min", id="a rare entity is told once",
    ),
    pytest.param(
        members(212, [a_reason("failed logins", 2.0, text="3", usual="0", ratio=None)], 1.0),
        CONNECTION, "212 connections, failed logins 3 (usual 0)", "within 4 min",
        id="no entities at all",
    ),
    pytest.param(
        members(3, [a_reason("amount", -1.0)], customer_id="C{i}"), PAYMENT,
        "3 payments", "3 customers · within 50 s", id="nothing speaks for an anomaly",
    ),
    pytest.param(
        members(2, [a_reason("n", 1.0, text="1", usual="0–3", ratio=0.1), HOUR], customer_id="C1"),
        PAYMENT, "2 payments, customer C1", "within 25 s", id="only usual values",
    ),
    pytest.param(
        members(3, [PACE, AMOUNT], customer_id="C{i}", terminal_id="881"), PAYMENT,
        "3 payments, terminal 881, amount 8x usual, 9 payments in 1 h of one customer",
        "3 customers · within 50 s", id="the pace of others",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("known", "noun", "title", "subtitle"), CASES)
def test_titles(known: list[Candidate], noun: Noun, title: str, subtitle: str) -> None:
    assert title_of(known, len(known), noun) == (title, subtitle)


def test_the_size_is_told_even_if_not_all_members_are_at_hand() -> None:
    known = members(5, [AMOUNT], terminal_id="881")
    assert title_of(known, 1204, PAYMENT)[0] == "1,204 payments, terminal 881, amount 8x usual"


def test_an_entity_that_most_have_is_named_mostly() -> None:
    known = members(4, [AMOUNT], terminal_id="881") + members(1, [AMOUNT], terminal_id="90")
    assert title_of(known, 5, PAYMENT)[0] == "5 payments, mostly terminal 881, amount 8x usual"
    known += members(3, [AMOUNT], terminal_id="91")
    assert title_of(known, 8, PAYMENT) == (
        "8 payments, amount 8x usual", "3 terminals · within 2 min",
    )  # fmt: skip


def test_the_entity_of_the_foremost_reason_comes_first() -> None:
    known = members(3, [PACE], customer_id="4417", terminal_id="881")
    assert title_of(known, 3, PAYMENT)[0].startswith("Customer 4417: ")
    known = members(3, [AMOUNT], customer_id="4417", terminal_id="881")
    assert title_of(known, 3, PAYMENT)[0].startswith("3 payments, customer 4417, ")


@pytest.mark.parametrize(("known", "noun", "title", "subtitle"), CASES)
def test_the_order_of_members_does_not_matter(
    known: list[Candidate], noun: Noun, title: str, subtitle: str
) -> None:
    shuffled = list(known)
    random.Random(5).shuffle(shuffled)
    assert title_of(shuffled, len(known), noun) == (title, subtitle)


HOSTILE = [
    "<script>alert(1)</script>",
    "x" * 20_000,
    "\0\x1b[2J",
    "gpj.\u202eexe",
    "a\nb\r\nc",
    "Z" + "\u0335" * 300,
    "{0}{size}%s",
    "",
    "   ",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_tamed(text: str) -> None:
    told = a_reason(text, 1.0, label=text, text=f"{text} (1 in 9,000)", ratio=None)
    known = [
        a_candidate(i, entities={"terminal_id": text, text or "x": text}, reasons=(told, AMOUNT))
        for i in range(3)
    ]
    title, subtitle = title_of(known, 3, Noun("payment", "payments", {"terminal_id": text}))
    assert title.startswith("3 payments, ")
    assert len(title) <= MAX_TITLE
    assert len(subtitle) <= MAX_SUBTITLE
    for line in (title, subtitle):
        assert not any(unicodedata.category(char).startswith("C") for char in line)


reason_texts = st.one_of(
    st.sampled_from(["412 €", "ftp (1 in 20)", "9 in 1 h", "2.5× usual", "02:14", "missing", ""]),
    st.text(max_size=30),
)


@given(
    st.lists(
        st.builds(
            a_candidate,
            st.integers(0, 50),
            entity=st.just("e"),
            entities=st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=8), max_size=2),
            reasons=st.lists(
                st.builds(
                    Reason,
                    feature=st.sampled_from(["f", "g", "h"]),
                    label=st.sampled_from(["amount", "time since last of a", "x against y"]),
                    contribution=st.floats(-2, 2),
                    value=st.one_of(st.none(), st.floats(-10, 10)),
                    text=reason_texts,
                    usual=st.one_of(st.just("0–3"), st.text(max_size=10)),
                    ratio=st.one_of(st.none(), st.floats(0, 1e6)),
                    entity=st.sampled_from([None, "a", "b"]),
                ),
                max_size=4,
            ).map(tuple),
        ),
        min_size=1,
        max_size=5,
        unique_by=lambda member: member.candidate_id,
    ),
    st.randoms(use_true_random=False),
)
def test_any_members_have_a_title_whatever_their_order(
    known: list[Candidate], rng: random.Random
) -> None:
    first = title_of(known, len(known), CALL)
    rng.shuffle(known)
    assert title_of(known, len(known), CALL) == first
    assert first[0].startswith((f"{len(known)} call", "A", "B", "Mostly", "Rare"))
