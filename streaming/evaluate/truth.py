"""The label column of a source's rows: what the oracle knows and the detectors never see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from streaming.errors import SourceInvalid
from streaming.sources.base import SourceRow

UNKNOWN = -1

_MEANING: Mapping[Any, int] = {
    1: 1, 0: 0, -1: UNKNOWN, None: UNKNOWN,
    "1": 1, "0": 0, "-1": UNKNOWN, "": UNKNOWN,
    "true": 1, "false": 0, "True": 1, "False": 0,
}  # fmt: skip


class TruthReader:
    """Reads the label of each row: 1 anomaly, 0 normal, -1 not known."""

    def __init__(self, source: str, label: str) -> None:
        self._source = source
        self._label = label
        row = msgspec.defstruct(
            "Row", [("label", Any, msgspec.UNSET)], rename={"label": label}, gc=False
        )
        self._decoder = msgspec.json.Decoder(row)
        self._seen = False

    def read(self, rows: Sequence[SourceRow]) -> npt.NDArray[np.int8]:
        """Return the labels. Raises SourceInvalid if a label is none, or no row has the column."""
        return np.array([self._truth(row.value) for row in rows], np.int8)

    def _truth(self, value: bytes) -> int:
        try:
            row: Any = self._decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return UNKNOWN  # a bad record: the pipeline puts it aside, so nobody will ask
        found = row.label
        if found is msgspec.UNSET:
            if not self._seen:
                raise SourceInvalid(self._absent(value))
            return UNKNOWN
        self._seen = True
        if isinstance(found, list | dict) or found not in _MEANING:
            raise SourceInvalid(
                f"{self._source}: column {self._label!r} holds {found!r}; a label is 1 (anomaly), "
                "0 (normal), or -1 or empty (not known)"
            )
        return _MEANING[found]

    def _absent(self, value: bytes) -> str:
        columns = ", ".join(msgspec.json.decode(value, type=dict))
        return f"{self._source}: has no column {self._label!r}; its columns are {columns}"
