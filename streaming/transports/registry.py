"""Finds the adapter of a URL: ``SCHEME:...`` is opened by ``streaming/transports/SCHEME.py``.

A new transport is one file with a function ``open_url(url, now, secret) -> Transport``; nothing
else needs to know it. A plus sign in a scheme is an underscore in the file's name; what comes after
it is the extra that the adapter's library is installed by.
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
    found = [module.name for module in pkgutil.iter_modules(transports.__path__)]
    names = [n for n in found if n not in _NOT_SCHEMES and not n.startswith("_")]
    return tuple(sorted(name.replace("_", "+") for name in names))


def open_transport(url: str, now: Callable[[], float], secret: Secret = no_secret) -> Transport:
    """Open the transport of a URL.

    ``now`` gives seconds since 1970, ``secret`` the secrets that the URL refers to.

    Raises Stop if no adapter has the scheme, its library is not installed or the URL makes no sense
    to it, TransportUnavailable if it can't be reached.
    """
    scheme, colon, _ = url.partition(":")
    if not colon or scheme not in schemes():
        raise Stop(f"{url}: not a transport; known are {', '.join(f'{s}:' for s in schemes())}")
    try:
        module = importlib.import_module(f"{transports.__name__}.{scheme.replace('+', '_')}")
    except ModuleNotFoundError as error:
        library, extra = str(error.name).replace("_", "-"), scheme.partition("+")[2]
        raise Stop(
            f"{scheme}: needs the library {library}, which is not installed: pip install"
            f" 'streaming-triage[{extra}]', or pip install {library}"
        ) from error
    return cast("Transport", module.open_url(url, now, secret))
