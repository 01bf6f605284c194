"""The label log as it was read before, with what has come since."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from triage.label_fold import LabelFold
from triage.store.database import Database
from triage.store.sql_labels import NEWEST, log_rows
from triage.store.sql_shared import SqlPart


class SqlLabelLog(SqlPart):
    """Base of the parts that read the log again and again. Its rows never change."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._folds: dict[str, LabelFold] = {}  # by stream
        self._folding = threading.Lock()  # held while a fold is used

    def _fold(self, connection: sa.Connection, stream: str, position: int = NEWEST) -> LabelFold:
        """Return what the log says up to a position; only under ``_folding``.

        Going back means reading from the beginning.
        """
        fold = self._folds.get(stream)
        if fold is None or fold.position > position:
            fold = self._folds[stream] = LabelFold()
        fold.take(log_rows(connection, stream, fold.position, position))
        return fold
