"""Snapshots as bytes: canonical JSON and raw arrays, never pickle.

The bytes are a mark with the version of the format, the SHA-256 of what follows, and, packed by
zlib: the length of the JSON, the JSON, the arrays one after the other. The JSON holds the
snapshot's meta and the type and shape of each array. Equal snapshots give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.base import Snapshot, SnapshotError

MAX_BYTES = 256 * 2**20  # of one snapshot when unpacked; a forest of 100 trees x 256 takes 0.5 MB

_MARK = b"triage-state-"
_FORMAT = b"1"
_HEAD = len(_MARK) + len(_FORMAT)
_DIGEST = 32
_LENGTH = 8  # bytes that tell how long the JSON is
_NUMERIC = "biuf"  # bool, int, unsigned, float
_LEVEL = 1
# Of zlib, which looks for runs only: what repeats in most arrays are zeros. The search for more
# took twice as long; it saved nothing on a forest of numbers, a sixth where there are many texts.


def pack(snapshot: Snapshot) -> bytes:
    """Return ``snapshot`` as bytes.

    Raises:
        SnapshotError: it holds what JSON or a plain array can't, or is larger than MAX_BYTES.
    """
    arrays = {name: _plain(name, snapshot.arrays[name]) for name in sorted(snapshot.arrays)}
    forms = {name: [array.dtype.str, list(array.shape)] for name, array in arrays.items()}
    try:
        meta = json.dumps(
            {"arrays": forms, "meta": snapshot.meta},
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
            ensure_ascii=True,
        ).encode()
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"the snapshot's meta is not JSON: {error}") from error
    if len(meta) + sum(array.nbytes for array in arrays.values()) > MAX_BYTES - _LENGTH:
        raise SnapshotError(f"the snapshot is larger than {MAX_BYTES} bytes")
    content = [len(meta).to_bytes(_LENGTH, "little"), meta]
    content.extend(arrays[name].tobytes() for name in arrays)
    packer = zlib.compressobj(_LEVEL, strategy=zlib.Z_RLE)
    body = packer.compress(b"".join(content)) + packer.flush()
    return _MARK + _FORMAT + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> Snapshot:
    """Return the snapshot that ``pack`` made into ``data``.

    Raises:
        SnapshotError: the bytes are damaged, too large, of another format or no snapshot at all.
    """
    if not data.startswith(_MARK) or len(data) < _HEAD + _DIGEST:
        raise SnapshotError("these bytes are no snapshot")
    form = data[len(_MARK) : _HEAD]
    if form != _FORMAT:
        raise SnapshotError(f"the snapshot has format {form!r}; this version reads {_FORMAT!r}")
    body = data[_HEAD + _DIGEST :]
    if hashlib.sha256(body).digest() != data[_HEAD : _HEAD + _DIGEST]:
        raise SnapshotError("the snapshot is damaged: its checksum is wrong")
    content = memoryview(_inflate(body))
    start = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    try:
        listing = json.loads(bytes(content[_LENGTH:start]))
        meta, forms = listing["meta"], listing["arrays"]
        arrays = dict(_arrays(forms, content[start:]))
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"the snapshot can't be read: {error}") from error
    return Snapshot(meta, arrays)


def _plain(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind not in _NUMERIC:
        raise SnapshotError(f"the array {name!r} of type {array.dtype} can't be in a snapshot")
    return array.astype(array.dtype.newbyteorder("<"))


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(body, MAX_BYTES)
    except zlib.error as error:
        raise SnapshotError(f"the snapshot is damaged: {error}") from error
    if inflater.unconsumed_tail:
        raise SnapshotError(f"the snapshot is larger than {MAX_BYTES} bytes")
    return content


def _arrays(
    forms: Mapping[str, Any], content: memoryview
) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    place = 0
    for name in sorted(forms):
        dtype, shape = np.dtype(forms[name][0]), [int(side) for side in forms[name][1]]
        if dtype.kind not in _NUMERIC or min(shape, default=0) < 0:
            raise ValueError(f"array {name!r} is {dtype} {shape}")
        end = place + dtype.itemsize * math.prod(shape)
        # frombuffer never allocates what the listing merely claims.
        yield name, np.frombuffer(content[place:end], dtype).reshape(shape).copy()
        place = end
    if place != len(content):
        raise ValueError(f"{len(content)} bytes of arrays, {place} listed")


def nest(parts: Mapping[str, Snapshot]) -> Snapshot:
    """Join snapshots into one; ``unnest`` takes them apart. Names hold no slash."""
    meta: dict[str, Any] = {}
    arrays: dict[str, npt.NDArray[Any]] = {}
    for name, part in parts.items():
        if "/" in name or not name:
            raise ValueError(f"a part can't be called {name!r}")
        meta[name] = dict(part.meta)
        arrays.update({f"{name}/{key}": array for key, array in part.arrays.items()})
    return Snapshot(meta, arrays)


def unnest(snapshot: Snapshot) -> dict[str, Snapshot]:
    """Return the parts that ``nest`` joined."""
    parts: dict[str, dict[str, npt.NDArray[Any]]] = {name: {} for name in snapshot.meta}
    for key, array in snapshot.arrays.items():
        name, _, rest = key.partition("/")
        if name not in parts or not rest:
            raise SnapshotError(f"the array {key!r} belongs to no part of the snapshot")
        parts[name][rest] = array
    for name, meta in snapshot.meta.items():
        if not isinstance(meta, dict):
            raise SnapshotError(f"{name!r} is no part of a nested snapshot")
    return {name: Snapshot(snapshot.meta[name], arrays) for name, arrays in parts.items()}
