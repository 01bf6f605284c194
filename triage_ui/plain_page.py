"""Pages without scripts: sign-in, and the address that is none."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from fastapi.responses import HTMLResponse

STYLE = (files("triage_ui") / "plain_page.css").read_text("utf-8")


def plain_page(product: str, heading: str, body: str, status: int) -> HTMLResponse:
    """Return a page; ``product`` and ``heading`` are text, ``body`` is HTML."""
    name, head = escape(product), escape(heading)
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex">'
        f"<title>{head} · {name}</title><style>{STYLE}</style></head>"
        f'<body><main><p class="product">{name}</p><h1>{head}</h1>{body}</main></body></html>'
    )
    return HTMLResponse(
        page, status, {"cache-control": "no-store", "referrer-policy": "no-referrer"}
    )
