from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.cases import a_reason
from triage.model import Reason
from triage.phrases import phrase_of, plural, rare_value


def reasons(texts: Sequence[str], label: str = "amount", **rest: Any) -> list[Reason]:
    return [
        a_reason(label, 1.0, text=text, value=float(place), **rest)
        for place, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (8.2, "amount 8x usual"),
        (2.51, "amount 2.5x usual"),
        (31_000.0, "amount over 1,000x usual"),
        (0.5, "amount below usual"),
        (0.1, "amount far below usual"),
        (1.1, "amount 412 € (usual 20–55 €)"),  # outside, but not by a factor
        (None, "amount 412 € (usual 20–55 €)"),
    ],
)
def test_numbers(ratio: float | None, said: str) -> None:
    assert phrase_of([a_reason(ratio=ratio)]) == said


def test_the_middle_member_speaks() -> None:
    told = [a_reason(value=v, ratio=r) for v, r in ((1.0, 2.0), (2.0, 8.0), (3.0, 900.0))]
    assert phrase_of(told) == "amount 8x usual"
    assert phrase_of(told[::-1]) == "amount 8x usual"


@pytest.mark.parametrize(
    ("text", "usual", "inside"),
    [
        ("1", "1–3", True),
        ("0", "0–1", True),
        ("6", "1–260", True),
        ("0.5", "0–0.33", False),
        ("900 B", "290 B–18 kB", True),
        ("20 kB", "290 B–18 kB", False),
        ("3 min", "20 s–40 min", True),
        ("2 h", "20 s–40 min", False),
        ("30 €", "20–55 €", True),
        ("1,200", "5–9,000", True),
        ("-3", "0–5", True),  # no sign in a range: told by its ratio only
        ("30", "", False),
        ("14:05", "8–22", False),
    ],
)
def test_what_is_usual_is_not_told(text: str, usual: str, inside: bool) -> None:
    said = phrase_of([a_reason(text=text, usual=usual, ratio=0.1)])
    if text in ("14:05",):
        assert said == "around 14:00"
    elif text == "-3":
        assert said in ("", "amount far below usual")
    else:
        assert said == ("" if inside else "amount far below usual")


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["ftp (1 in 2,300)"], "rare service ftp"),
        (["ftp (1 in 2,300)", "ftp (1 in 99)", "smtp (1 in 12)"], "rare service ftp"),
        (["ftp (1 in 2,300)", "smtp (1 in 12)"], "2 rare services"),
        (["http (62 %)"], ""),  # common, so it says nothing
        (["missing (1 in 810)"], "service missing"),
        (["missing"], "service missing"),
        (["a (b) (1 in 20)"], "rare service a (b)"),
        (["\u202eevil\n (1 in 20)"], "rare service \ufffdevil"),
    ],
)
def test_categories(texts: Sequence[str], said: str) -> None:
    assert phrase_of(reasons(texts, "service", ratio=None, usual="93 %")) == said


def test_the_rare_value() -> None:
    assert rare_value(reasons(["ftp (1 in 2,300)", "ftp (1 in 20)"])) == "ftp"
    assert rare_value(reasons(["ftp (1 in 2,300)", "smtp (1 in 20)"])) is None
    assert rare_value(reasons(["ftp (40 %)"])) is None
    assert rare_value(reasons(["412 €"])) is None


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["02:14", "02:59", "03:01"], "around 02:00"),
        (["Tue 02:14"], "around 02:00"),
        (["02:14", "03:59", "05:01"], "at unusual hours"),
    ],
)
def test_hours(texts: Sequence[str], said: str) -> None:
    assert phrase_of(reasons(texts, "hour of day", ratio=None, usual="8–22")) == said


@pytest.mark.parametrize(
    ("texts", "label", "ratio", "said"),
    [
        (["7 payments in 1 h", "9 payments in 1 h"], "pace", 4.0, "9 payments in 1 h"),
        (["2,194.02 € in 1 h"], "spent", 9.0, "2,194 € in 1 h"),
        (["12.50 € in 1 h"], "spent", 9.0, "12.50 € in 1 h"),
        (["4 in 1 h"], "terminals used in 1 h", 4.0, "terminals used in 1 h 4"),
        (["4 in 5 m"], "distinct of event name of principal in 5 m", 4.0, "4 event names in 5 m"),
        (
            ["1 in 5 m"],
            "distinct of event name of principal in 5 m",
            0.2,
            "only 1 event name in 5 m",
        ),
        (["1 calls in 5 m", "2 calls in 5 m"], "calls", 0.1, "only 1 calls in 5 m"),
    ],
)
def test_the_pace_of_an_entity(texts: Sequence[str], label: str, ratio: float, said: str) -> None:
    told = reasons(texts, label, ratio=ratio, entity="principal", usual="0–2")
    assert phrase_of(told, "principal", told_of_owner=True) == said
    assert phrase_of(told, "principal") == f"{said} of one principal"


def test_against_its_own_usual() -> None:
    told = reasons(["8.2× usual"], "amount against own usual", entity="customer_id", ratio=None)
    assert phrase_of(told, "customer") == "amount 8x the customer's usual"
    assert phrase_of(reasons(["8.2× usual"], "amount against own usual")) == "amount 8x usual"
    below = reasons(["0.1× usual"], "amount against own usual", entity="customer_id", ratio=None)
    assert phrase_of(below, "customer") == "amount far below the customer's usual"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(60.0, "after 31 min of silence"), (0.01, "only 31 min apart"), (1.0, ""), (None, "")],
)
def test_silence(ratio: float | None, said: str) -> None:
    told = reasons(["31 min"], "time since last of card", ratio=ratio, entity="card", usual="")
    assert phrase_of(told, "card") == said


def test_a_first_event_says_nothing() -> None:
    assert phrase_of(reasons(["no earlier event"], "time since last of card")) == ""


@pytest.mark.parametrize(
    ("word", "many"),
    [("service", "services"), ("address", "addresses"), ("country", "countries"), ("key", "keys"),
     ("box", "boxes"), ("branch", "branches")],
)  # fmt: skip
def test_plurals(word: str, many: str) -> None:
    assert plural(word) == many


def test_labels_can_hold_braces_and_be_long() -> None:
    assert phrase_of(reasons(["missing"], "{0} {x}")) == "{0} {x} missing"
    assert len(phrase_of([a_reason("x" * 500, ratio=9.0)])) < 60
