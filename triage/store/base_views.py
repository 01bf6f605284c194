"""The contract of a store of saved views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SavedView:
    """Filters and order of the queue under a name.

    Attributes:
        owner: whose it is. ``shared``: everybody sees it; else the owner alone.
        address: path and query of the queue ("/?status=all").
        at: when it was saved last, seconds since 1970.
    """

    view_id: str
    owner: str
    name: str
    address: str
    shared: bool
    at: float


class ViewStore(Protocol):
    """Views are kept per account; each method is one transaction."""

    def views(self, viewer: str) -> Sequence[SavedView]:
        """Return the viewer's own views and what others share, by name."""

    def view(self, view_id: str) -> SavedView | None:
        """Return one view."""

    def save_view(self, view: SavedView, most: int) -> bool:
        """Keep a view, in place of one of the same id; False, and nothing, if there are ``most``.

        Counted are the other views of its owner.
        """

    def drop_view(self, view_id: str) -> None:
        """Forget a view, if there is one."""
