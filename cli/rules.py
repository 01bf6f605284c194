"""``triage rules``: mine rules from verified anomalies, look at those that run, export both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from cli.options import Bounded
from cli.places import data_option, existing_store, store_option
from streaming.config.model import StreamConfig
from streaming.rules.deployed import deployed_rules
from streaming.rules.export import Told, as_json, as_sql, as_yaml
from streaming.rules.mined import MinedRule, Mining, live_config, mine_rules

stream_option = click.option("--stream", required=True, help="Name of the stream.")
form_option = click.option(
    "--as",
    "form",
    type=click.Choice(["table", "json", "sql", "yaml"]),
    default="table",
    show_default=True,
    help="yaml: the piece of config that runs them.",
)


@click.group("rules")
def command() -> None:
    """Rules from verified anomalies: readable boxes that run as a detector of kind `rules`."""


@command.command("mine")
@stream_option
@click.option(
    "--precision",
    type=Bounded(0, 1, min_open=True),
    default=0.7,
    show_default=True,
    help="Lower bound of its precision (95 %, on clusters not used to mine) that a rule needs.",
)
@click.option("--most", type=click.IntRange(1, 20), default=5, show_default=True, help="Rules.")
@form_option
@data_option
@store_option
def mine(
    stream: str, precision: float, most: int, form: str, folder: Path, store_url: str | None
) -> None:
    """Look for rules in what analysts and late truth have confirmed. Changes nothing.

    A rule is kept if its precision is bounded from below on confirmed clusters that were not used
    to mine it, and nothing that was confirmed as no anomaly lies inside.
    """
    with existing_store(folder, store_url) as store:
        found = mine_rules(store, stream, precision, most)
        config = live_config(store, stream)
    kept = [one for one in found.rules if not one.why_not]
    if form == "table":
        _tell(found, kept)
    else:
        _export(form, stream, config, [(one.rule, one.words, _evidence(one)) for one in kept])


@command.command("list")
@stream_option
@data_option
@store_option
def list_(stream: str, folder: Path, store_url: str | None) -> None:
    """List the rules of the config in force, with what each has hit."""
    with existing_store(folder, store_url) as store:
        rules = deployed_rules(store, stream)
    if not rules:
        click.echo(f"the config of {stream} has no rules; `triage rules mine` looks for some")
    for one in rules:
        hits = (
            "no snapshot yet" if one.hits is None else f"{one.hits:,} hits of {one.seen:,} events"
        )
        click.echo(
            f"{one.rule.name}  {one.state}  {hits}; expires after {one.rule.expires_after:,}"
        )
        click.echo(f"    {' and '.join(one.words)}")


@command.command("export")
@stream_option
@form_option
@data_option
@store_option
def export(stream: str, form: str, folder: Path, store_url: str | None) -> None:
    """Print the rules of the config in force in another form."""
    with existing_store(folder, store_url) as store:
        rules = deployed_rules(store, stream)
        config = live_config(store, stream)
    _export(form, stream, config, [(one.rule, one.words, "") for one in rules])


def _tell(found: Mining, kept: Sequence[MinedRule]) -> None:
    click.echo(
        f"{found.confirmed:,} confirmed and {found.dismissed:,} dismissed verdicts, "
        f"{found.ordinary:,} ordinary events"
    )
    if not found.rules:
        click.echo("no rule: too few confirmed clusters that have something in common")
    for one in found.rules:
        click.echo(f"{one.rule.name}: {' and '.join(one.words)}")
        click.echo(f"    {_evidence(one)}")
        if one.why_not:
            click.echo(f"    not kept: {one.why_not}")
    if kept:
        click.echo("to run them, in shadow first, add what --as yaml prints to the stream's config")


def _evidence(one: MinedRule) -> str:
    judged = one.judged
    return (
        f"{judged.hit_groups:,} confirmed clusters; of those not used to mine {judged.right:,} are "
        f"inside, and {judged.wrong:,} ordinary events: precision at least {judged.precision:.2f}, "
        f"at most {100 * judged.ordinary:.2g} % of ordinary events"
    )


def _export(form: str, stream: str, config: StreamConfig, rules: Told) -> None:
    forms: dict[str, Callable[[], str]] = {
        "table": lambda: "\n".join(
            f"{rule.name}: {' and '.join(words)}" for rule, words, _ in rules
        ),
        "json": lambda: as_json(stream, config.features_version(), rules),
        "sql": lambda: as_sql(stream, config.features, rules),
        "yaml": lambda: as_yaml(stream, rules),
    }
    if not rules:
        raise click.ClickException(f"{stream} has no rule to export")
    click.echo(forms[form]())
