from __future__ import annotations

import pytest
from pydantic import ValidationError

from tests.support.cases import a_candidate
from triage.links import Link, links_of
from triage.masking import MASK, masked_candidate


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)//x/",
        "ftp://siem.example/",
        "https://{customer}.example/",
        "https://{customer}/x",
        "https://user@siem.example/",
        "https://siem.example",
        "//siem.example/",
        "https:///x",
        "https://siem.example/{customer.name}",
        "https://siem.example/{customer!r}",
        "https://siem.example/{}",
        "https://siem.example/{",
    ],
)
def test_a_link_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Link(label="SIEM", url=url)


def test_values_are_encoded_and_a_link_without_its_value_is_left_out() -> None:
    links = [
        Link(label="who", url="https://siem.example/a/{customer}?at={time}#{entity}"),
        Link(label="none", url="http://siem.example/{missing}"),
        Link(label="id", url="https://siem.example:8443/?id={event_id}"),
    ]
    record = {"customer": "a/b?c=d&e#f é", "missing": None}
    candidate = a_candidate(1, record=record, event_time=0.0)
    assert links_of(links, candidate) == [
        (
            "who",
            "https://siem.example/a/a%2Fb%3Fc%3Dd%26e%23f%20%C3%A9?at=1970-01-01T00%3A00%3A00.000Z#c1",
        ),
        ("id", "https://siem.example:8443/?id=e1"),
    ]


def test_masked_fields_are_in_neither_record_nor_context() -> None:
    context = ({"time": 1.0, "fields": {"iban": "DE1", "amount": 1}},)
    candidate = a_candidate(1, record={"iban": "DE2", "other": None}, context=context)
    shown = masked_candidate(candidate, ("iban", "other"))
    assert shown.record == {"iban": MASK, "other": None}
    assert shown.context == ({"time": 1.0, "fields": {"iban": MASK, "amount": 1}},)
    assert masked_candidate(candidate, ()) is candidate
