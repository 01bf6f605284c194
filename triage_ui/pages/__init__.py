"""Pages of the board, one file each: a new file with a ``PAGE`` is a new page."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dash import Dash
from dash.development.base_component import Component

from triage_ui.services import Services


@dataclass(frozen=True, slots=True)
class Page:
    """One page.

    Attributes:
        path: pattern of its address, matched as a whole.
        title: for the browser's tab.
        layout: makes the page's shell; quick, reads nothing.
        register: adds the page's callbacks; all of them async, what they read in threads.
    """

    path: re.Pattern[str]
    title: str
    layout: Callable[[], Component]
    register: Callable[[Dash, Services], None]


def all_pages() -> Sequence[Page]:
    """Return the pages of this folder, by file name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}").PAGE for name in names]


def page_at(pages: Sequence[Page], path: str) -> Page | None:
    """Return the page at an address, None if there is none."""
    return next((page for page in pages if page.path.fullmatch(path)), None)
