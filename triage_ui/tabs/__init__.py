"""Tabs of a cluster's page, one file each: a new file with a ``TAB`` is a new tab."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from dash import Dash
from dash.development.base_component import Component

from triage_ui.services import Services

CLUSTER_PATH = re.compile(r"/cluster/([^/]{1,200})")


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab.

    Attributes:
        name: in the address (``?tab=members``); the panel that holds it is ``tab-<name>``.
        title: on the tab.
        order: place from the left, the smallest first.
        layout: makes the tab's shell; quick, reads nothing. It is on the page only while the tab is
            the chosen one, so a callback with an output in it reads nothing before that, and never
            for a tab that nobody looks at.
        register: adds the tab's callbacks; all of them async, what they read in threads. They
            usually have the inputs ``url.pathname`` (``cluster_at`` reads it) and
            ``cluster-tick.data``, which moves when something about the cluster did.
    """

    name: str
    title: str
    order: int
    layout: Callable[[], Component]
    register: Callable[[Dash, Services], None]


@cache
def all_tabs() -> Sequence[Tab]:
    """Return the tabs of this folder in their order."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    tabs = [importlib.import_module(f"{__name__}.{name}").TAB for name in names]
    return sorted(tabs, key=lambda tab: (tab.order, tab.name))


def cluster_at(path: str | None) -> str | None:
    """Return the cluster whose page an address is, None if it is another page.

    >>> cluster_at("/cluster/c-17"), cluster_at("/")
    ('c-17', None)
    """
    match = CLUSTER_PATH.fullmatch(path or "")
    return None if match is None else match[1]
