"""Names of the cookies, and the token that guards a session's writes."""

from __future__ import annotations

import hashlib
import hmac

SESSION_COOKIE = "triage_session"
CSRF_COOKIE = "_csrf_token"
"""Dash's own name: its renderer sends this cookie's value back as ``X-CSRFToken``."""
CSRF_HEADER = "x-csrftoken"


def csrf_token(session: str) -> str:
    """Return the token that unsafe requests of this session must carry.

    Derived from the session's secret, so a cookie planted from another host never matches.
    """
    return hmac.new(session.encode(), b"csrf", hashlib.sha256).hexdigest()


def csrf_matches(session: str, sent: str | None) -> bool:
    """Return whether a request carries its session's token (compared in constant time)."""
    return sent is not None and hmac.compare_digest(csrf_token(session).encode(), sent.encode())
