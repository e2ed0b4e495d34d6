"""The command `serbench`."""

import sys

import typer

from loading_scripts import cli as corpora_cli
from loading_scripts.errors import SerbenchError

from .benchmark import cli as benchmark_cli

app = typer.Typer(
    name="serbench",
    help="Speech emotion recognition for the Hugging Face libraries: corpora, folds, metrics, fine-tuning, benchmarks.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.registered_commands += corpora_cli.app.registered_commands + benchmark_cli.app.registered_commands


@app.command()
def setup() -> None:
    """Make evaluate.load("ser_metrics") work from any directory, offline, without importing serbench. Run once.

    Example: serbench setup
    """
    from ser_metrics.seed import seed_cache

    typer.echo(f'Wrote {seed_cache()}. evaluate.load("ser_metrics") now works from any directory.')


@app.command()
def doctor() -> None:
    """Say what this installation lacks, and the line that mends it. Exit code 1 if something needed is missing.

    Example: serbench doctor
    """
    from .doctor import examine

    findings = examine()
    corpora_cli.table(["", "what", "found", "to mend"], [one.line() for one in findings])
    raise typer.Exit(int(any(one.needed and not one.good for one in findings)))


def main() -> None:
    """Run the command line; errors that a user can mend are printed without a traceback."""
    try:
        app()
    except SerbenchError as error:
        print(f"serbench: {error}", file=sys.stderr)
        sys.exit(2)
