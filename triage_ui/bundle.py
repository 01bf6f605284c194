"""The board's own scripts as one file, its styles as another: a page asks for two, not for 40."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Bundle:
    """The assets of one kind, in the order of their names."""

    path: str
    media_type: str
    content: bytes

    @property
    def version(self) -> str:
        """What names the content."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    @property
    def address(self) -> str:
        """Where it is served; it names the content, so that browsers may keep it for ever."""
        return f"{self.path}?m={self.version}"

    async def serve(self, request: Request) -> Response:
        """Answer a request for it."""
        other = request.query_params.get("m") != self.version  # a page of before an upgrade
        headers = {"cache-control": "no-store"} if other else None
        return Response(self.content, media_type=self.media_type, headers=headers)


def _bundle(kind: str, media_type: str) -> Bundle:
    folder = files("triage_ui") / "assets" / kind
    each = sorted(folder.iterdir(), key=lambda file: file.name)
    # Beside the files themselves: an address in them that is relative still leads where it should.
    return Bundle(
        f"/assets/{kind}/board.{kind}", media_type, b"\n".join(file.read_bytes() for file in each)
    )


STYLES = _bundle("css", "text/css")
SCRIPTS = _bundle("js", "text/javascript")


def routes() -> Sequence[Route]:
    """Return the routes that serve both."""
    return [Route(bundle.path, bundle.serve) for bundle in (STYLES, SCRIPTS)]
