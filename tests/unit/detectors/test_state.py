from __future__ import annotations

import hashlib
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectors import state
from detectors.base import Snapshot, SnapshotError

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
names = st.text("abcxyz_0", min_size=1, max_size=6)
arrays = hnp.arrays(
    st.sampled_from([np.bool_, np.int16, np.int64, np.uint8, np.float32, np.float64]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
snapshots = st.builds(
    Snapshot, st.dictionaries(names, json_values, max_size=3), st.dictionaries(names, arrays)
)


def equal(a: Snapshot, b: Snapshot) -> bool:
    return (
        a.meta == b.meta
        and a.arrays.keys() == b.arrays.keys()
        and all(
            a.arrays[k].dtype == b.arrays[k].dtype
            and a.arrays[k].shape == b.arrays[k].shape
            and a.arrays[k].tobytes() == b.arrays[k].tobytes()
            for k in a.arrays
        )
    )


@settings(max_examples=50, deadline=None)
@given(snapshots)
def test_unpack_gives_back_what_was_packed(snapshot: Snapshot) -> None:
    assert equal(state.unpack(state.pack(snapshot)), snapshot)


def test_equal_snapshots_give_equal_bytes_whatever_the_order_of_keys() -> None:
    a, b = np.arange(3), np.ones((2, 2), np.float32)
    one = Snapshot({"x": 1, "y": 2}, {"a": a, "b": np.asfortranarray(b)})
    other = Snapshot({"y": 2, "x": 1}, {"b": b, "a": a})
    assert state.pack(one) == state.pack(other)


@pytest.mark.parametrize(
    "snapshot",
    [
        Snapshot({"x": float("nan")}, {}),
        Snapshot({"x": object()}, {}),
        Snapshot({}, {"a": np.array([object()])}),
        Snapshot({}, {"a": np.array(["text"])}),
    ],
)
def test_what_is_not_plain_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(SnapshotError):
        state.pack(snapshot)


def test_every_damaged_byte_is_noticed() -> None:
    data = state.pack(Snapshot({"x": 1}, {"a": np.arange(50)}))
    for place in range(len(data)):
        broken = data[:place] + bytes([data[place] ^ 0x41]) + data[place + 1 :]
        with pytest.raises(SnapshotError):
            state.unpack(broken)


@pytest.mark.parametrize("length", [0, 1, 13, 40, 60, -1])
def test_truncated_bytes_are_refused(length: int) -> None:
    data = state.pack(Snapshot({"x": 1}, {"a": np.arange(50)}))
    with pytest.raises(SnapshotError):
        state.unpack(data[:length])


def forged(data: bytes, old: bytes, new: bytes) -> bytes:
    """Change the content of a snapshot as somebody would who can also make checksums."""
    content = zlib.decompress(data[46:]).replace(old, new)
    length = content.rindex(b"}") + 1 - 8
    body = zlib.compress(length.to_bytes(8, "little") + content[8:])
    return data[:14] + hashlib.sha256(body).digest() + body


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"[4]", b"[4000000000000]"),
        (b"[4]", b"[-2,-2]"),
        (b"[4]", b"[3]"),
        (b"[4]", b'["x"]'),
        (b"<f8", b"|O"),
        (b"<f8", b"<i3"),
        (b'"arrays"', b'"arrows"'),
        (b"{", b"["),
    ],
)
def test_a_listing_that_does_not_fit_the_arrays_is_refused(old: bytes, new: bytes) -> None:
    snapshot = Snapshot({}, {"a": np.zeros(4)})
    data = state.pack(snapshot)
    assert equal(state.unpack(forged(data, b"", b"")), snapshot)
    with pytest.raises(SnapshotError):
        state.unpack(forged(data, old, new))


def test_a_bomb_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = Snapshot({}, {"a": np.zeros(100_000)})
    data = state.pack(snapshot)
    monkeypatch.setattr(state, "MAX_BYTES", 10_000)
    with pytest.raises(SnapshotError, match="larger"):
        state.unpack(data)
    with pytest.raises(SnapshotError, match="larger"):
        state.pack(snapshot)


def test_another_format_is_named() -> None:
    data = state.pack(Snapshot({}, {}))
    with pytest.raises(SnapshotError, match="format b'9'"):
        state.unpack(data[:13] + b"9" + data[14:])


def test_nested_parts_come_back_apart() -> None:
    parts = {
        "detector": Snapshot({"n": 1}, {"a": np.arange(3)}),
        "scale": Snapshot({}, {"a": np.ones(2), "b": np.zeros(1)}),
        "empty": Snapshot({"x": [1, 2]}, {}),
    }
    inner = state.nest(parts)
    outer = state.nest({"one": inner})
    again = state.unnest(state.unnest(state.unpack(state.pack(outer)))["one"])
    assert again.keys() == parts.keys()
    assert all(equal(again[name], parts[name]) for name in parts)


def test_a_foreign_array_in_a_nested_snapshot_is_refused() -> None:
    with pytest.raises(SnapshotError, match="'b/x'"):
        state.unnest(Snapshot({"a": {}}, {"b/x": np.zeros(1)}))
