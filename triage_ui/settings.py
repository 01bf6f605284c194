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
        sign_in_help: what the sign-in page tells someone who can't sign in.
        observe: told the status of each answer and the seconds until it began.
        poll_s: seconds between two looks for changes in the store.
        ping_s: seconds between two pings of an idle live stream.
    """

    clock: Callable[[], float]
    product: str = "Anomaly triage"
    environment: str = ""
    secure_cookies: bool = False
    sign_in_help: str = (
        "No account? Where the board runs, `triage account add NAME` prints a link to choose"
        " a password, `triage account reset NAME` a new one, `triage sign-in` one to come in once."
    )
    observe: Callable[[int, float], None] = lambda _status, _seconds: None
    poll_s: float = 0.15
    ping_s: float = 5.0
