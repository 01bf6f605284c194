"""The store over SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

from triage.store.base import Store
from triage.store.database import Database
from triage.store.migrate import check_schema, migrate_database
from triage.store.sessions import new_token
from triage.store.sql_advisor import SqlAdvisor
from triage.store.sql_budget import SqlBudget
from triage.store.sql_cases import SqlCases
from triage.store.sql_configs import SqlConfigs
from triage.store.sql_drifts import SqlDrifts
from triage.store.sql_grouper import SqlGrouper
from triage.store.sql_lags import SqlLags
from triage.store.sql_leases import SqlLeases
from triage.store.sql_presence import SqlPresence
from triage.store.sql_queries import SqlQueries
from triage.store.sql_reconcile import SqlReconcile
from triage.store.sql_relay import SqlRelay
from triage.store.sql_similar import SqlSimilar
from triage.store.sql_trials import SqlTrials
from triage.store.sql_views import SqlViews
from triage.store.sql_worker import SqlWorker


class SqlStore(
    SqlViews,
    SqlWorker,
    SqlGrouper,
    SqlRelay,
    SqlReconcile,
    SqlLeases,
    SqlCases,
    SqlConfigs,
    SqlTrials,
    SqlDrifts,
    SqlLags,
    SqlBudget,
    SqlSimilar,
    SqlPresence,
    SqlQueries,
    SqlAdvisor,
):
    """All parts over one database. Thread-safe."""

    def close(self) -> None:
        """Close all connections."""
        self._db.close()


def open_store(url: str, migrate: bool = True, token: Callable[[], str] = new_token) -> Store:
    """Open the store at ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/DATABASE``.

    Args:
        url: as above; ``sqlite:////FILE`` for an absolute path.
        migrate: bring the database to the newest schema first; else it must have it.
        token: makes the random tokens of sign-in links and sessions.

    Raises:
        SchemaUnknown: the database's schema is not this program's.
        StoreUnavailable: it can't be opened; the message names the remedy.
    """
    database = Database(url)
    try:
        (migrate_database if migrate else check_schema)(database)
    except BaseException:
        database.close()
        raise
    return SqlStore(database, token)
