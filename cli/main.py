"""The command ``triage``."""

from __future__ import annotations

import importlib
import os
from typing import Any

import click

# One file of this package per command; it is imported when the command is asked for, so that
# `triage --help` answers at once. The text is the line that `triage --help` prints.
COMMANDS = {
    "demo": "Start everything on simulated card payments (or real telemetry).",
    "run": "Run a stream from a file (or stdin): detect, group, show, learn, publish.",
    "sample": "Draw from a file or topic, show what the fields hold, and draft a config.",
    "check": "Check stream configs without starting anything.",
    "test": "Try the examples that stand beside stream configs.",
    "backtest": "Run history through a config and the old one: what is found, lost, at what cost.",
    "plan": "Say what bringing this config into force would change: state, verdicts, contract.",
    "apply": "Bring a config into force for running workers, try it beside, or go back.",
    "stages": "Show what is in force, what is tried beside it and how that does.",
    "advise": "Say which alert budget reaches a wanted precision or the least cost.",
    "evaluate": "Replay a labelled file and count what an analyst would have found.",
    "store": "Look after the database: rights of the service's role.",
    "backup": "Copy the store (and the embedded log) while everything runs.",
    "restore": "Fill an empty place from a backup.",
    "reconcile": "After a restore: take what has gone out since the backup for sent.",
    "topics": "Make and check the topics of a stream on Kafka.",
    "accept-gap": "Go on after records that retention deleted before they were processed.",
    "tail": "Print a topic's records as JSON lines, e.g. the verified anomalies.",
    "dlq": "List and replay records that could not be used.",
    "truth": "Tell what became of events: chargebacks, closed cases.",
    "rollback": "Take back what one analyst taught in a period.",
    "account": "Local accounts of the board: add, list, disable, reset.",
    "token": "Tokens for the REST API: add, list, revoke.",
    "rules": "Mine rules from verified anomalies; list and export those that run.",
    "sign-in": "Make a one-time sign-in link for a running board.",
    "ingest": "Send the rows of a source into a stream's topic, each once.",
    "worker": "Score the events of a stream: one process of many, over Kafka.",
    "grouper": "Put the candidates of a stream into clusters.",
    "relay": "Publish verified anomalies and dead letters, each once.",
    "board": "Serve the board.",
    "advisor": "Answer what a verdict would change (started by board).",
    "keep-running": "Keep the processes of one machine running (run becomes it).",
    "engine": "Run ingest, worker, grouper and relay of one stream (started by run).",
}
HELP = """Find anomalies in event streams, show them as explained clusters, learn from verdicts.

\b
Try it:            triage demo
Your own file:     triage run --stream examples/streams/network.yaml --source FILE.parquet
Verified results:  triage tail verified
"""
INTERRUPTED = 130  # 128 + SIGINT
HIDDEN = frozenset({"advisor", "engine", "keep-running"})


class Commands(click.Group):
    """Finds ``cli/<command>.py`` and its function ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the help page."""
        return [name for name in COMMANDS if name not in HIDDEN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its full name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Ctrl-C ends it with the status that shells know, as 1 is a result."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.command(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streaming-triage")
def main() -> None:
    """Run one of the commands."""
    os.umask(0o077)  # logs and stores hold people's events: for their owner only
