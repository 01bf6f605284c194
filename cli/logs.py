"""What the processes say on standard error."""

from __future__ import annotations

import logging


def configure() -> None:
    """Show messages from INFO on, one line each; of libraries only warnings."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for ours in ("triage", "streaming", "detectors", "triage_ui", "cli"):
        logging.getLogger(ours).setLevel(logging.INFO)
