"""Saved views of the queue: an address with a name, one's own or shared with the team."""

from __future__ import annotations

import re
from collections.abc import Sequence

from triage.access import Action, authorise
from triage.errors import Invalid, NotAllowed, NotFound
from triage.ids import made_id
from triage.model import Actor
from triage.store.base_views import SavedView, ViewStore

MOST = 50  # views of one person
MAX_NAME = 40  # characters
MAX_ADDRESS = 2_000  # characters
QUEUE = re.compile(r"/(\?[^#\s\\]*)?")


class Views:
    """Keeps views for whoever may read."""

    def __init__(self, store: ViewStore) -> None:
        self._store = store

    def listed(self, actor: Actor) -> Sequence[SavedView]:
        """Return one's own views and what others share, by name."""
        authorise(actor, Action.READ)
        return self._store.views(actor.name)

    def save(self, actor: Actor, name: str, address: str, shared: bool, at: float) -> SavedView:
        """Keep a view, in place of one's own of the same name.

        Raises:
            Invalid: the name or address can't be, or there are too many.
            NotAllowed: to share takes who may decide.
        """
        authorise(actor, Action.DECIDE if shared else Action.READ)
        name = " ".join(name.split())
        if not 0 < len(name) <= MAX_NAME:
            raise Invalid(f"name: 1 to {MAX_NAME} characters")
        if len(address) > MAX_ADDRESS or not QUEUE.fullmatch(address):
            raise Invalid("address: path and query of the queue, such as /?status=all")
        view = SavedView(
            view_id=made_id("view", actor.name, name),
            owner=actor.name,
            name=name,
            address=address,
            shared=shared,
            at=at,
        )
        if not self._store.save_view(view, MOST):
            raise Invalid(f"there are {MOST} views of yours: forget one first")
        return view

    def drop(self, actor: Actor, view_id: str) -> SavedView:
        """Forget an own view; a lead also one that somebody else shares.

        Raises:
            NotFound: no such view is seen by this person. NotAllowed: it is somebody else's.
        """
        authorise(actor, Action.READ)
        view = self._store.view(view_id)
        mine = view is not None and view.owner == actor.name
        if view is None or not (mine or view.shared):
            raise NotFound(f"there is no view {view_id}")
        if not mine and actor.role != "lead":
            raise NotAllowed(f"this view is {view.owner}'s: ask {view.owner} or a lead")
        self._store.drop_view(view_id)
        return view
