"""``triage test``: does a stream's config do what the examples beside it say?"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.progress import bar, follow
from streaming.config.load import load
from streaming.errors import ConfigInvalid, StreamingError
from streaming.examples.load import SUFFIX, config_beside, examples_beside, load_examples
from streaming.examples.run import Result, run_examples

EXIT_UNUSABLE = 2  # nothing could be tried: a file is wrong or missing


@click.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--quiet", is_flag=True, help="Only what is wrong, and no progress bar.")
def command(files: tuple[Path, ...], quiet: bool) -> None:
    """Try the examples that stand beside stream configs.

    FILE is a config, or its examples: payments.yaml is tried with payments.examples.yaml. Starts
    and contacts nothing. Exits with 1 if an example comes out differently, with 2 if a file can't
    be used.
    """
    results: list[Result] = []
    unusable = False
    for path in files:
        try:
            results += _tried(path, quiet=quiet)
        except ConfigInvalid as error:
            unusable = True
            for problem in error.problems:
                click.echo(problem, err=True)
        except StreamingError as error:
            unusable = True
            click.echo(f"{path}: {error}", err=True)
    wrong = sum(bool(result.problems) for result in results)
    if results and (wrong or not quiet):
        click.echo(f"{_count(len(results), 'example')}: {f'{wrong:,} wrong' if wrong else 'right'}")
    sys.exit(EXIT_UNUSABLE if unusable else int(wrong > 0))


def _tried(path: Path, *, quiet: bool) -> list[Result]:
    """Run the examples of one config and print what came of them."""
    is_examples = path.name.endswith(SUFFIX)
    config = load(config_beside(path) if is_examples else path)
    examples = load_examples(path if is_examples else examples_beside(path))
    if not quiet:
        click.echo(f"{examples.file}: examples of {config.name()}, version {config.version[:12]}")
    results = []
    total = examples.history.events if examples.history else 0
    with bar(total, " events", hidden=quiet or not total) as progress:
        for result in run_examples(config, examples, follow(progress)):
            progress.close()
            results.append(result)
            if result.problems or not quiet:
                click.echo(f"  {'wrong' if result.problems else 'right'}  {result.name}")
            for problem in result.problems:
                click.echo(problem)
    return results


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
