"""What the command line decides for the board. Nothing here is read from the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BoardSettings:
    """Settings of one board.

    Attributes:
        clock: seconds since 1970; passed in so that tests can stop it.
        product: name in the top bar and the title.
        environment: tag beside the name ("demo", "prod"), empty for none.
        secure_cookies: set ``Secure`` on cookies; true wherever the board is reached by https.
        sign_in_help: what the sign-in page tells someone without a link.
        poll_s: seconds between two looks for changes in the store.
        ping_s: seconds between two pings of an idle live stream.
    """

    clock: Callable[[], float]
    product: str = "Anomaly triage"
    environment: str = ""
    secure_cookies: bool = False
    sign_in_help: str = "Run `triage sign-in` where the board runs: it prints a new link."
    poll_s: float = 0.15
    ping_s: float = 5.0
