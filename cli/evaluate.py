"""``triage evaluate``: what would an analyst have found?"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import click

from cli.options import Bounded
from cli.progress import bar, follow
from streaming.config.load import load
from streaming.config.model import StreamConfig
from streaming.errors import StreamingError
from streaming.evaluate.features import config_of_columns, table_by_config
from streaming.evaluate.pool import PoolSettings, evaluate_pool
from streaming.evaluate.rests import Closing
from streaming.evaluate.span import Span, parse_span
from streaming.evaluate.stream import StreamSettings, evaluate_stream
from streaming.evaluate.table import LabelledTable, read_labelled
from streaming.sources.registry import open_source


class SpanType(click.ParamType[Span]):
    """``1000`` (events) or ``1d`` (event time)."""

    name = "EVENTS|DURATION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Span:
        """Return the span, or fail with the remedy."""
        if isinstance(value, Span):
            return value
        try:
            return parse_span(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


HELP = """Replay a labelled file and ask its label column as an analyst would be asked.

\b
stream  in order: --budget looks per --every, only from what is in the queue at
        that time; a look opens one cluster and reads at most three members.
pool    one ranking of the whole file, one item at a time.

The last line printed is one JSON object.
"""


@click.command("evaluate", help=HELP)
@click.option(
    "--stream",
    "config_path",
    type=click.Path(path_type=Path),
    help="The stream's config; not with --features all.",
)
@click.option("--source", required=True, help="The labelled events: a file or a built-in source.")
@click.option("--label", required=True, help="Column with 1 (anomaly), 0 (normal), -1 (not known).")
@click.option("--mode", type=click.Choice(["stream", "pool"]), default="stream", show_default=True)
@click.option(
    "--features",
    type=click.Choice(["config", "all"]),
    default="config",
    show_default=True,
    help="What the detector sees: what the config says, or every column (needs no config).",
)
@click.option(
    "--budget",
    type=click.IntRange(min=1),
    help="stream: looks per --every, default 3; pool: labels in all, default 100.",
)
@click.option(
    "--every", type=SpanType(), default="1000", show_default=True, help="stream: 1000 or 1d."
)
@click.option(
    "--delay", type=SpanType(), default="0", show_default=True, help="stream: until the answer."
)
@click.option(
    "--error",
    type=Bounded(0, 1),
    default=0.0,
    show_default=True,
    help="Probability of a wrong answer.",
)
@click.option(
    "--late-truth",
    type=SpanType(),
    help="stream: until the truth of each event is known without a look; default never.",
)
@click.option(
    "--errors-together",
    is_flag=True,
    help="stream: who errs errs on all that was in the cluster, audits included.",
)
@click.option(
    "--closing",
    type=click.Choice([one.value for one in Closing]),
    default=Closing.AUDITED.value,
    show_default=True,
    help="stream: what becomes of members that nobody read. audited: as the config's policy says; "
    "off: they wait; all: one verdict closes the whole cluster.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--no-feedback", is_flag=True, help="Learn nothing from the answers (the baseline).")
@click.option("--random-looks", is_flag=True, help="stream: open any cluster, not the top one.")
def command(
    config_path: Path | None,
    source: str,
    label: str,
    mode: str,
    features: str,
    budget: int | None,
    every: Span,
    delay: Span,
    error: float,
    late_truth: Span | None,
    errors_together: bool,
    closing: str,
    seed: int,
    no_feedback: bool,
    random_looks: bool,
) -> None:
    """Print what an analyst would have found."""
    try:
        if mode == "pool":
            table, version = _table(config_path, source, label, features)
            pool = PoolSettings(budget or 100, error, seed, not no_feedback, config=version)
            with bar(pool.budget, " labels") as progress:
                result = evaluate_pool(
                    table.X, table.truth, pool, time.perf_counter, follow(progress)
                )
        else:
            config = _config(config_path, source, label, features)
            opened = open_source(source, config)
            asked = StreamSettings(
                budget or 3,
                every,
                delay,
                error,
                seed,
                not no_feedback,
                late_truth,
                random_looks,
                errors_together,
                Closing(closing),
            )
            with bar(opened.total(), " events") as progress:
                result = evaluate_stream(
                    config, opened, label, asked, time.perf_counter, follow(progress)
                )
    except StreamingError as problem:
        raise click.ClickException(str(problem)) from problem
    click.echo(json.dumps(result))


def _config(config_path: Path | None, source: str, label: str, features: str) -> StreamConfig:
    if features == "all":
        if config_path is not None:
            raise click.UsageError("--features all takes every column: leave --stream out")
        return config_of_columns(Path(source), label)
    if config_path is None:
        raise click.UsageError("--stream FILE.yaml is missing (or use --features all)")
    return load(config_path)


def _table(
    config_path: Path | None, source: str, label: str, features: str
) -> tuple[LabelledTable, str]:
    """Return items with their features and labels, and what to call the features."""
    if features == "all" and config_path is None:
        return read_labelled(Path(source), label), "all"
    config = _config(config_path, source, label, features)
    return table_by_config(config, open_source(source, config), label), config.version
