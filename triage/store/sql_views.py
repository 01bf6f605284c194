"""Saved views of the queue."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from triage.store import tables_access as t
from triage.store.base_views import SavedView
from triage.store.sql_tokens import SqlAccess

V = t.views.c


class SqlViews(SqlAccess):
    """See ``base_views.ViewStore``."""

    def views(self, viewer: str) -> Sequence[SavedView]:
        """Return the viewer's own views and what others share, by name."""
        return self._views(sa.or_(V.owner == viewer, V.shared == 1))

    def view(self, view_id: str) -> SavedView | None:
        """Return one view."""
        found = self._views(V.view_id == view_id)
        return found[0] if found else None

    def save_view(self, view: SavedView, most: int) -> bool:
        """Keep a view, in place of one of the same id; False if there are ``most`` others."""
        others = sa.select(sa.func.count()).where(V.owner == view.owner, V.view_id != view.view_id)
        given = {name: getattr(view, name) for name in SavedView.__slots__}
        given["shared"] = int(view.shared)
        with self._db.write() as connection:
            self._db.in_order(connection)
            if (connection.scalar(others) or 0) >= most:
                return False
            insert = self._db.insert(t.views).values(**given)
            changed = {name: insert.excluded[name] for name in ("address", "shared", "at")}
            connection.execute(
                insert.on_conflict_do_update(index_elements=["view_id"], set_=changed)
            )
            return True

    def drop_view(self, view_id: str) -> None:
        """Forget a view, if there is one."""
        with self._db.write() as connection:
            connection.execute(t.views.delete().where(V.view_id == view_id))

    def _views(self, where: sa.ColumnElement[bool]) -> Sequence[SavedView]:
        wanted = sa.select(t.views).where(where).order_by(V.name, V.view_id)
        with self._db.read() as connection:
            rows = connection.execute(wanted).mappings()
            return [SavedView(**{**row, "shared": bool(row["shared"])}) for row in rows]
