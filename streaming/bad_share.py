"""When too many records of a partition can't be used, it is not the records that are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from streaming.decode import BadRecord
from streaming.errors import Stop

LOOK_EVERY = 1_000
"""Records of a partition over which the share is taken."""


class BadShare:
    """Counts the records of a partition, ``place``, and stops where over ``most`` of them are bad.

    A producer that writes something else, or a config that declares something else, would turn a
    whole topic into dead letters. ``most`` 1 never stops.
    """

    def __init__(self, place: str, most: float) -> None:
        self._place = place
        self._most = most
        self._records = 0
        self._bad: Counter[str] = Counter()

    def add(self, records: int, bad: Sequence[BadRecord]) -> None:
        """Count a batch. Raises Stop if the share among the last records is too large."""
        self._records += records
        self._bad.update(" ".join(filter(None, (each.code, each.field))) for each in bad)
        if self._records < LOOK_EVERY:
            return
        share, of = self._bad.total() / self._records, self._records
        if share > self._most:
            kinds = ", ".join(f"{count:,} {kind}" for kind, count in self._bad.most_common(3))
            raise Stop(
                f"{self._place}: {self._bad.total():,} of the last {of:,} records can't be used"
                f" ({kinds}), over {self._most:.0%}: does the config still fit what is written?"
                " Mend the config or the producer and start again; to make all of them dead"
                " letters, say max_bad_share: 1 in the config"
            )
        self._records = 0
        self._bad.clear()
