"""Commands about corpora, mounted by `serbench`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from . import registry

app = typer.Typer(no_args_is_help=True)


@app.command()
def corpora(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List every corpus: id, name, language, utterances, access, licence, configs.

    Example: serbench corpora
    """
    records = [registry.load(name).CORPUS for name in registry.ids()]
    lines = [
        {
            "id": one.id,
            "name": one.name,
            "language": ",".join(one.languages),
            "utterances": one.utterances,
            "access": str(one.access),
            "licence": one.licence.id,
            "configs": ",".join(one.config_names()),
        }
        for one in records
    ]
    if as_json:
        typer.echo(json.dumps(lines, ensure_ascii=False, indent=2))
    else:
        table(list(lines[0]), [list(line.values()) for line in lines])


@app.command()
def build(
    corpus: Annotated[str, typer.Argument(help="Corpus id, as `serbench corpora` lists it.")],
    raw: Annotated[
        Path | None, typer.Option(help="Raw folder of the corpus; not needed for demo.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default ./serbench/CORPUS.")] = None,
    num_proc: Annotated[int, typer.Option(min=1, help="Processes that decode and encode.")] = 1,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out files that cannot be read; the card lists them.")
    ] = False,
) -> None:
    """Write ./serbench/CORPUS: Parquet shards and a card that unmodified `datasets` loads.

    Run again after an interruption to continue. Example: serbench build urdu --raw ~/corpora/URDU-Dataset
    """
    from . import repo

    folder = repo.build(registry.load(corpus), raw, out, num_proc, skip_broken)
    typer.echo(f"Wrote {folder}")
    typer.echo(f'In {folder.parent.parent}: load_dataset("{folder.parent.name}/{folder.name}", "all")')


def table(header: list[str], rows: list[list[object]]) -> None:
    """Print a table: ruled on a terminal, tab-separated when piped."""
    if not sys.stdout.isatty():
        for row in [header, *rows]:
            typer.echo("\t".join(map(str, row)))
        return
    from rich.console import Console
    from rich.table import Table

    ruled = Table(*header)
    for row in rows:
        ruled.add_row(*map(str, row))
    Console().print(ruled)
