"""Finds the adapter of a URL: ``SCHEME:...`` is opened by ``streaming/transports/SCHEME.py``.

A new transport is one file with a function ``open_url(url, now, secret) -> Transport``; nothing
else needs to know it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import cast

from streaming import transports
from streaming.errors import Stop
from streaming.transports.base import Secret, Transport, no_secret

_NOT_SCHEMES = frozenset({"base", "registry"})


def schemes() -> tuple[str, ...]:
    """Return the URL schemes that can be opened."""
    found = (module.name for module in pkgutil.iter_modules(transports.__path__))
    return tuple(sorted(n for n in found if n not in _NOT_SCHEMES and not n.startswith("_")))


def open_transport(url: str, now: Callable[[], float], secret: Secret = no_secret) -> Transport:
    """Open the transport of a URL.

    ``now`` gives seconds since 1970, ``secret`` the secrets that the URL refers to.

    Raises Stop if no adapter has the scheme or the URL makes no sense to it, TransportUnavailable
    if it can't be reached.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or scheme not in schemes():
        raise Stop(f"{url}: not a transport; known are {', '.join(f'{s}:' for s in schemes())}")
    module = importlib.import_module(f"{transports.__name__}.{scheme}")
    return cast("Transport", module.open_url(url, now, secret))
