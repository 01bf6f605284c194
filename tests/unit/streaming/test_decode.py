"""What becomes of good and bad bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.decode import MAX_RECORD_BYTES, MAX_TEXT_LENGTH, Decoder
from streaming.records import TRUNCATED_FROM, Record


@dataclass(frozen=True)
class Field:
    type: str
    required: bool = False
    path: tuple[str, ...] | None = None


FIELDS = {
    "amount": Field("number", required=True),
    "user id": Field("string"),
    "at": Field("time"),
    "online": Field("boolean"),
}
GOOD = b'{"amount": 12.5, "user id": "u1", "at": "2024-01-01T00:00:00Z", "online": true}'


def records(*values: bytes) -> list[Record]:
    return [Record("t", 0, offset, None, value) for offset, value in enumerate(values)]


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (b"", "not_json", ""),
        (b"{", "not_json", ""),
        (b"\xff\xfe", "not_json", ""),
        (b'{"amount": NaN}', "not_json", ""),
        (b'{"amount": 1}{"amount": 2}', "not_json", ""),
        (b'{"amount": 1e400}', "out_of_range", "amount"),
        (b'{"amount": "12"}', "wrong_type", "amount"),
        (b'{"amount": null}', "wrong_type", "amount"),
        (b'{"amount": true}', "wrong_type", "amount"),
        (b"{}", "missing_field", "amount"),
        (b"[1, 2]", "wrong_type", ""),
        (b'{"amount": 1, "user id": 7.5}', "wrong_type", "user id"),
        (b'{"amount": 1, "user id": true}', "wrong_type", "user id"),
        (b'{"amount": 1, "user id": {}}', "wrong_type", "user id"),
        (b'{"amount": 1, "user id": %s}' % (b"9" * 5_000), "out_of_range", "user id"),
        (b'{"amount": 1, "at": "yesterday"}', "wrong_type", "at"),
        (b'{"amount": 1, "at": 7258118400000000000}', "out_of_range", "at"),
        (b'{"amount": 1, "at": -1}', "out_of_range", "at"),
        (b'{"amount": 1, "at": "0001-01-01T00:00:00+14:00"}', "out_of_range", "at"),
        (b'{"amount": 1, "at": "1969-12-31T23:59:59Z"}', "out_of_range", "at"),
        (b'{"amount": 1, "at": "1970-01-01T00:00:00+01:00"}', "out_of_range", "at"),
        (b'{"amount": 1, "at": "2200-01-01T00:00:00Z"}', "out_of_range", "at"),
        (b'{"amount": 1, "at": "9999-12-31T23:59:59-14:00"}', "out_of_range", "at"),
        (b'{"amount": 1, "user id": "%s"}' % (b"x" * (MAX_TEXT_LENGTH + 1)), "too_long", "user id"),
        (b'{"amount": 1, "x": "%s"}' % (b"x" * MAX_RECORD_BYTES), "too_large", ""),
        (b"[" * 100_000, "wrong_type", ""),
        (b'{"x":' * 40_000, "not_json", ""),
    ],
)
def test_a_bad_record_is_named_and_its_neighbours_go_through(
    value: bytes, code: str, field: str
) -> None:
    decoded = Decoder(FIELDS).decode(records(GOOD, value, GOOD))

    assert [record.offset for record in decoded.records] == [0, 2]
    (bad,) = decoded.bad
    assert (bad.record.offset, bad.code, bad.field) == (1, code, field)
    assert bad.message


def test_columns_are_typed_and_missing_values_are_nan_or_none() -> None:
    decoder = Decoder(FIELDS)
    columns = decoder.columns(decoder.decode(records(GOOD, b'{"amount": 3}')).events)

    assert columns["user id"] == ["u1", None]
    assert list(columns["amount"]) == [12.5, 3.0]
    assert columns["at"][0] == 1704067200.0
    assert math.isnan(columns["at"][1])  # type: ignore[arg-type]  # a float column
    assert columns["online"][0] == 1.0


@pytest.mark.parametrize("text", ["2024-01-01T00:00:00Z", "2024-01-01 00:00:00"])
def test_a_time_without_zone_is_utc(text: str) -> None:
    decoder = Decoder(FIELDS)
    value = b'{"amount": 1, "at": "%s"}' % text.encode()
    assert decoder.columns(decoder.decode(records(value)).events)["at"][0] == 1704067200.0


def test_fields_are_the_declared_ones_only() -> None:
    decoder = Decoder(FIELDS)
    (event,) = decoder.decode(records(b'{"amount": 1, "secret": "x", "user id": "u"}')).events
    assert decoder.fields(event) == {"amount": 1.0, "user id": "u"}


@pytest.mark.parametrize("number", [0, -7, 2**53, 2**53 + 1, 2**64 + 1, 10**40])
def test_a_whole_number_in_a_string_field_is_its_digits(number: int) -> None:
    decoder = Decoder(FIELDS)
    events = decoder.decode(records(b'{"amount": 1, "user id": %d}' % number)).events
    assert decoder.columns(events)["user id"] == [str(number)]
    assert decoder.fields(events[0])["user id"] == str(number)


@pytest.mark.parametrize(
    "time", [b"0", b"7258118399", b'"1970-01-01T00:00:00Z"', b'"2199-12-31T23:59:59"']
)
def test_the_years_from_1970_to_2199_are_read(time: bytes) -> None:
    assert not Decoder(FIELDS).decode(records(b'{"amount": 1, "at": %s}' % time)).bad


def test_of_a_record_that_was_cut_the_whole_size_is_told() -> None:
    cut = Record("t", 0, 0, None, b"x" * 900_000, headers=((TRUNCATED_FROM, b"2700010"),))
    (bad,) = Decoder(FIELDS).decode([cut]).bad
    assert bad.code == "too_large"
    assert bad.message == "2700010 bytes, at most 262144 are read; only the first 900000 are kept"


def test_a_time_that_is_out_of_range_is_explained() -> None:
    value = b'{"amount": 1, "at": 1e19}'
    (bad,) = Decoder(FIELDS).decode(records(value)).bad
    assert "1970 to 2199" in bad.message
    assert "nanoseconds" in bad.message


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("other", [b"", b', "user id": "u"'])
def test_the_unit_of_a_time_is_told_by_its_size(unit: int, other: bytes) -> None:
    """``other``: with a text beside them numbers are not read together."""
    fields = FIELDS if other else {"at": Field("time"), "amount": Field("number")}
    decoder = Decoder(fields)
    for seconds in (946_684_800, 1_700_000_000, 7_258_118_399):
        values = [b'{"amount": 1, "at": %d%b}' % (seconds * unit, other)] * 2
        events = decoder.decode(records(*values)).events
        assert list(decoder.columns(events)["at"]) == pytest.approx([seconds, seconds], abs=1e-5)
        assert decoder.fields(events[0])["at"] == pytest.approx(seconds, abs=1e-5)


@given(st.lists(st.one_of(st.just(GOOD), st.binary(max_size=30)), max_size=8))
def test_every_record_is_either_good_or_bad_and_keeps_its_order(values: list[bytes]) -> None:
    decoded = Decoder(FIELDS).decode(records(*values))
    good = [record.offset for record in decoded.records]
    bad = [bad.record.offset for bad in decoded.bad]
    assert sorted(good + bad) == list(range(len(values)))
    assert good == sorted(good)
    assert len(decoded.events) == len(good)


@pytest.mark.parametrize(
    "values",
    [
        # Joined to one array they are as many objects as records, cut elsewhere.
        [b'{"amount": 1', b'"user id": "u"}', b'{"amount": 2},{"amount": 3}'],
        [b'{"amount": 1, "x": [{}', b"{}]}", b'{"amount": 2},{"amount": 3}'],
        [b'{"amount": 1, "user id": "}', b'"}', b'{"amount": 2},{"amount": 3}'],
        [b'{"amount": 1},{"amount": 2', b'"user id": "u"}'],
        [b'{"amount": 1},', b'{"amount": 2}'],
        [b'{"amount": 1}', b""],
        # Joined to one array they are fewer objects than records.
        [b'{"amount": 1, "x": [{}', b"2]}"],
    ],
)
def test_records_of_a_batch_never_run_into_each_other(values: list[bytes]) -> None:
    one_by_one = [bool(Decoder(FIELDS).decode(records(value)).bad) for value in values]
    assert any(one_by_one)
    decoded = Decoder(FIELDS).decode(records(*values))
    offsets = [bad.record.offset for bad in decoded.bad]
    assert offsets == [i for i, is_bad in enumerate(one_by_one) if is_bad]


_PARTS = st.sampled_from(
    [b'{"amount":1', b'"user id":"u"', b"}", b"{", b",", b'"', b"[", b"]", b'"x":', b'{"amount":2}']
)


@given(st.lists(st.one_of(st.lists(_PARTS, max_size=5).map(b"".join), st.just(GOOD)), max_size=6))
def test_a_batch_is_decoded_as_its_records_one_by_one(values: list[bytes]) -> None:
    decoder = Decoder(FIELDS)
    whole = decoder.decode(records(*values))
    single = [decoder.decode([record]) for record in records(*values)]
    assert list(whole.records) == [record for one in single for record in one.records]
    assert list(whole.events) == [event for one in single for event in one.events]
    assert list(whole.bad) == [bad for one in single for bad in one.bad]


def test_columns_of_numbers_alone_are_typed_alike() -> None:
    decoder = Decoder({"a": Field("number"), "b": Field("boolean")})
    full = decoder.columns(decoder.decode(records(b'{"a": 1, "b": true}')).events)
    assert [column.tolist() for column in full.values()] == [[1.0], [1.0]]  # type: ignore[union-attr]
    gaps = decoder.columns(decoder.decode(records(b'{"a": 1, "b": true}', b"{}")).events)
    assert gaps["a"][0] == gaps["b"][0] == 1.0
    assert np.isnan([gaps["a"][1], gaps["b"][1]]).all()  # type: ignore[arg-type]  # floats
