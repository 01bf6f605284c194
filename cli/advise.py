"""``triage advise``: which alert budget reaches a wanted precision, or costs least?"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from cli.configs import in_force, named, problems_told
from cli.options import Bounded
from cli.places import data_option, existing_store, store_option
from streaming.config.load import load
from streaming.config.model import StreamConfig
from triage.budget_advice import Judged, Level, by_cost, by_precision, cost, levels

ENOUGH = 30  # judged candidates; of fewer nothing can be said
EXIT_NONE = 1


class Share(click.ParamType[float]):
    """A share above 0 and below 1, as ``0.7`` or ``70%``."""

    name = "share"

    def convert(
        self, value: str | float, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return it as a number."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = 0.0
        if not 0 < share < 1:
            self.fail(f"{text!r} is no share above 0 and below 1: write 0.7 or 70%", param, ctx)
        return share


@click.command("advise")
@click.argument("stream", metavar="FILE|STREAM", type=click.Path(path_type=Path))
@click.option(
    "--precision",
    type=Share(),
    help="Share of the candidates that shall be real, at least.",
)
@click.option(
    "--look",
    type=Bounded(min=0),
    default=1.0,
    show_default=True,
    help="Cost of a look, in any unit.",
)
@click.option("--miss", type=Bounded(min=0), help="Cost of a real one that is missed.")
@data_option
@store_option
def command(
    stream: Path,
    precision: float | None,
    look: float,
    miss: float | None,
    folder: Path,
    store_url: str | None,
) -> None:
    """Say which alert budget reaches --precision, or costs least with --look and --miss.

    From the candidates of the config in force and what analysts and late truth said of them. Looks
    at the budget in force and smaller ones, and at that of FILE if it is another: of what was never
    a candidate nothing is known. Exits with 1 where too little was judged, or no budget is surely
    enough.
    """
    if (precision is None) == (miss is None):
        raise click.UsageError("name --precision, or --miss (and --look)")
    with existing_store(folder, store_url, migrate=False) as store, problems_told():
        config = in_force(store, named(stream))
        file = load(stream) if stream.is_file() else None
        found = store.judged(config.stream, config.version)
        untold = store.untold(config.stream)
    known = sum(one.real is not None for one in found)
    if known < ENOUGH:
        click.echo(
            f"{config.stream}: {known} of {len(found):,} candidates of version "
            f"{config.version[:12]} were judged; {ENOUGH} are needed to say anything"
        )
        sys.exit(EXIT_NONE)
    budget = config.learning.alert_budget
    asked = file.learning.alert_budget if file else budget
    table = levels(found, budget, asked)
    for line in _table(config, found, table, look, miss):
        click.echo(line)
    if asked != budget:
        click.echo(_of_file(asked, budget, table))
    if untold:
        click.echo(
            f"{untold:,} events that late truth calls real never were candidates: a larger budget "
            "may find some; try it with triage backtest"
        )
    best = by_cost(table, look, miss) if miss is not None else by_precision(table, precision or 0.0)
    if best is None:
        click.echo(
            f"No budget surely reaches a precision of {precision:.0%}: let more be judged, or make "
            "the detectors better; a smaller budget is not what is missing"
        )
        sys.exit(EXIT_NONE)
    click.echo(_advice(best, table[0], asked))


def _table(
    config: StreamConfig,
    found: Sequence[Judged],
    table: Sequence[Level],
    look: float,
    miss: float | None,
) -> Iterator[str]:
    judged = [one.real for one in found if one.real is not None]
    yield (
        f"{config.stream}: {len(found):,} candidates of version {config.version[:12]}, "
        f"{len(judged):,} judged, {sum(judged):,.0f} of them real"
    )
    head = f"  {'budget':>8}  {'a day':>9}  {'precision (95 %)':>20}  {'real lost a day':>15}"
    yield head + ("" if miss is None else f"  {'cost a day':>12}")
    for level in table:
        within = f"{level.precision:.0%} ({level.low:.0%} to {level.high:.0%})"
        line = f"  {_share(level.budget):>8}  {level.per_day:>9,.1f}  {within:>20}"
        line += f"  {level.lost_per_day:>15,.1f}"
        yield line + ("" if miss is None else f"  {cost(level, look, miss):>12,.1f}")


def _of_file(asked: float, budget: float, table: Sequence[Level]) -> str:
    told = f"The file says alert_budget: {_share(asked)}; in force is {_share(budget)}. "
    if asked > budget:
        return told + "What the larger one would add nobody has seen: try triage backtest"
    level = next(one for one in table if math.isclose(one.budget, asked))
    return told + (
        f"It would come to {level.per_day:,.1f} a day, precision {level.precision:.0%} "
        f"({level.low:.0%} to {level.high:.0%}), {level.lost_per_day:,.1f} real ones a day lost"
    )


def _advice(best: Level, now: Level, asked: float) -> str:
    if math.isclose(best.budget, asked):
        whose = "present" if best is now else "file's"
        return f"The {whose} budget is it: alert_budget: {_share(best.budget)}"
    return (
        f"alert_budget: {_share(best.budget)} is it: {best.per_day:,.1f} candidates a day instead "
        f"of {now.per_day:,.1f}, {best.lost_per_day:,.1f} real ones a day lost. Write it into the "
        "file, then: triage plan, triage backtest --against live, triage apply"
    )


def _share(budget: float) -> str:
    return f"{100 * budget:.3g}%"
