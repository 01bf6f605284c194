"""What the processes say on standard error."""

from __future__ import annotations

import datetime
import json
import logging

import click

OURS = ("triage", "streaming", "detectors", "triage_ui", "cli")

log_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    envvar="TRIAGE_LOG_FORMAT",
    help="One line per message, for people or for machines. Also as TRIAGE_LOG_FORMAT.",
)


class JsonFormatter(logging.Formatter):
    """One JSON object per line. What events contain can't break out of it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": at.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)


def configure(log_format: str = "text") -> None:
    """Show messages from INFO on, one line each; of libraries only warnings."""
    handler = logging.StreamHandler()
    if log_format == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    for ours in OURS:
        logging.getLogger(ours).setLevel(logging.INFO)
