"""``triage sample``: from a topic or a file to a first config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from cli.options import refuse_unwritable
from cli.places import Places, data_option, transport_option
from cli.progress import bar, follow
from streaming.config.load import parse
from streaming.errors import StreamingError
from streaming.sample.draft import about, draft, shown
from streaming.sample.draw import Sample, draw_from_source, draw_from_topic
from streaming.sample.profile import Profile, profile_of
from streaming.sample.roles import Roles, roles_of
from streaming.sample.trial import dead_letters


@click.command("sample")
@click.argument("source", required=False)
@click.option("--topic", help="Draw from this topic instead of a file, without a consumer group.")
@click.option(
    "--rows",
    type=click.IntRange(100, 1_000_000),
    default=50_000,
    show_default=True,
    help="Events to draw.",
)
@click.option("--name", help="Name of the stream; made from the file's or topic's if left out.")
@click.option(
    "--leave-out",
    "unwanted",
    metavar="FIELD,...",
    default="",
    help="Fields that must not be features, like labels.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the config to this file; never over one that is there.",
)
@data_option
@transport_option
def command(
    source: str | None,
    topic: str | None,
    rows: int,
    name: str | None,
    unwanted: str,
    output: Path | None,
    folder: Path,
    transport_url: str | None,
) -> None:
    """Draw a sample, say what its fields hold, and draft a config from it.

    SOURCE is a Parquet, CSV or JSON-lines file, - for stdin, or a built-in source. The draft goes
    to --output or to stdout, everything else to stderr. Starts and changes nothing.
    """
    if (source is None) == (topic is None):
        raise click.UsageError("name a file, or a topic with --topic NAME (not both)")
    if output is not None and output.exists():
        raise click.ClickException(f"{output} is there already: name another file, or remove it")
    if output is not None:
        refuse_unwritable(output)
    try:
        sample = _drawn(source, topic, rows, folder, transport_url)
        profile = profile_of(sample)
        fields = [one.strip() for one in unwanted.split(",") if one.strip()]
        if unknown := [field for field in fields if field not in profile.fields]:
            raise click.UsageError(f"--leave-out: there is no field {shown(unknown[0])}")
        roles = roles_of(profile, fields)
        text = draft(sample, profile, roles, name)
        config = parse(text, str(output or "draft"))
        tried, bad = dead_letters(config, sample)
    except StreamingError as error:
        raise click.ClickException(str(error)) from error
    for line in _report(sample, profile, roles):
        click.echo(line, err=True)
    click.echo(_verdict(tried, bad), err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, encoding="utf-8")
    click.echo(f"Written to {output}. Next:", err=True)
    click.echo(f"  triage check {output}", err=True)
    if source is not None:
        click.echo(f"  triage run --stream {output} --source {source}", err=True)
    else:
        where = f" --transport '{transport_url}'" if transport_url else ""
        click.echo(f"  triage run --stream {output}{where}", err=True)


def _drawn(
    source: str | None, topic: str | None, rows: int, folder: Path, transport_url: str | None
) -> Sample:
    with bar(rows, " events") as progress:
        if source is not None:
            return draw_from_source(source, rows, follow(progress))
        places = Places.existing(folder, transport_url, None)
        transport = places.transport()
        try:
            return draw_from_topic(transport, topic or "", rows, follow(progress))
        finally:
            transport.close()


def _report(sample: Sample, profile: Profile, roles: Roles) -> Iterator[str]:
    """Yield a line per field: its type and what it holds, or why it is left out."""
    broken = f", {sample.broken:,} records are no JSON objects" if sample.broken else ""
    yield f"{profile.events:,} events, {len(profile.fields):,} fields{broken}"
    names = {name: shown(name) for name in profile.fields}
    width = max(map(len, names.values()))
    for name, own in profile.fields.items():
        kind = roles.types.get(name, "-")
        what = f"{roles.left_out[name]}: left out" if name in roles.left_out else about(own)
        yield f"  {names[name]:<{width}}  {kind:<7}  {what}"


def _verdict(tried: int, bad: Mapping[str, int]) -> str:
    if not bad:
        return f"Tried on {tried:,} events: none would be a dead letter."
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in bad.items())
    of_fields = any(" " in reason for reason in bad)  # "wrong_type amount"; else the whole record
    remedy = "Mend the types." if of_fields else "Those are no JSON objects: mend their writer."
    return f"Tried on {tried:,} events: dead letters would be {reasons}. {remedy}"
