"""Commands about corpora, mounted by `serbench`."""

import json
import sys
from dataclasses import asdict
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
def download(
    corpus: Annotated[str, typer.Argument(help="Corpus id, as `serbench corpora` lists it.")],
    raw: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; default $SERBENCH_DATA/CORPUS or the cache of datasets, where load_dataset looks.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Fetch a corpus that needs nobody's permission, or say how to get it.

    Run again after an interruption to continue. Archives whose publisher
    states no sha256 are fetched too, as you ask for them; theirs is shown.

    Example: serbench download ravdess --raw ~/corpora/ravdess
    """
    from huggingface_hub.utils import disable_progress_bars

    from . import listing
    from .obtain import download

    if not sys.stderr.isatty():
        disable_progress_bars()
    module = registry.load(corpus)
    done = download(module, raw)
    for archive in module.CORPUS.downloads if done.sha256 else ():
        known = "as published" if archive.sha256 else "md5 as published" if archive.md5 else "nothing to compare with"
        typer.echo(f"{archive.url}: sha256 {done.sha256[archive.url]} ({known})")
    found = listing.utterances(module, done.root)
    verb = "Fetched" if done.sha256 else "Already there:"
    typer.echo(f"{verb} {done.root}: {len(found)} of {module.CORPUS.utterances} utterances")
    place = f', data_dir="{done.root}"' if raw else ""
    typer.echo(f'load_dataset("serbench/{corpus}", "{module.CORPUS.config_names()[:2][-1]}"{place})')


@app.command()
def build(
    corpus: Annotated[
        str, typer.Argument(help="Corpus id, as `serbench corpora` lists it; with --metadata, a new one.")
    ],
    raw: Annotated[
        Path | None, typer.Option(help="Raw folder of the corpus; not needed for demo.", show_default=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default ./serbench/CORPUS.")] = None,
    num_proc: Annotated[int, typer.Option(min=1, help="Processes that decode and encode.")] = 1,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out files that cannot be read; the card lists them.")
    ] = False,
    drop_errata: Annotated[
        bool,
        typer.Option(
            "--drop-errata", help="Leave out utterances that the record calls defective; the card lists them."
        ),
    ] = False,
    center_channel: Annotated[
        bool, typer.Option("--center-channel", help="meld: read the channel that holds the speech, as EmoBox does.")
    ] = False,
    config: Annotated[
        list[str] | None,
        typer.Option(help="Offer only this config besides all; can be given again.", show_default=False),
    ] = None,
    metadata: Annotated[
        Path | None,
        typer.Option(
            help="Table of a corpus of your own (CSV, TSV, Parquet): file, emotion, speaker, and, if you like, split, "
            "fold, gender, language, arousal, valence, dominance, start, end, transcript.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="With --metadata: CSV of your labels: label, noun (of labels.csv).", show_default=False),
    ] = None,
    card: Annotated[
        Path | None,
        typer.Option(
            help="With --metadata: Markdown whose front matter may have pretty_name, license, language, homepage, "
            "citation; the text below describes the corpus.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write ./serbench/CORPUS: Parquet shards and a card that unmodified `datasets` loads.

    Run again after an interruption to continue. Example: serbench build urdu --raw ~/corpora/URDU-Dataset

    A corpus of your own: serbench build mycorpus --raw recordings --metadata table.csv
    """
    from . import listing, repo

    if metadata is not None and raw is not None:
        from .metadata.door import read

        module = read(corpus, metadata, raw, labels, card, skip_broken)
    elif metadata or labels or card:
        raise typer.BadParameter("a corpus of your own needs --raw and --metadata; --labels and --card go with them")
    else:
        module = registry.load(corpus)
    choice = listing.Choice(drop_errata, center_channel)
    folder = repo.build(module, raw, out, num_proc, skip_broken, config or (), choice)
    typer.echo(f"Wrote {folder}")
    typer.echo(f'In {folder.parent.parent}: load_dataset("{folder.parent.name}/{folder.name}", "all")')


@app.command()
def push(
    corpus: Annotated[
        str, typer.Argument(help="Corpus id, as `serbench corpora` lists it, or that of your own table.")
    ],
    namespace: Annotated[str, typer.Option(help="Your user name or organization on the Hub.", show_default=False)],
    private: Annotated[bool, typer.Option("--private", help="Keep the repository to its owners.")] = False,
    permission: Annotated[
        bool,
        typer.Option("--i-have-permission", help="The owners of the corpus allow you to publish; the card says so."),
    ] = False,
    folder: Annotated[Path | None, typer.Option(help="Built folder; default ./serbench/CORPUS.")] = None,
) -> None:
    """Upload a built folder to the Hub as NAMESPACE/CORPUS, where the licence of the corpus allows that.

    Log in first (hf auth login). Run again after an interruption to continue.
    Example: serbench push ravdess --namespace my-name
    """
    from huggingface_hub.utils import disable_progress_bars

    from . import hub

    if not sys.stderr.isatty():
        disable_progress_bars()
    done = hub.push(corpus, namespace, folder, private=private, permission=permission)
    if done.uploaded or done.removed:
        typer.echo(f"Pushed to {done.url}: {len(done.uploaded)} files uploaded, {len(done.removed)} old ones removed")
    else:
        typer.echo(f"{done.url} is up to date: nothing was uploaded")
    if done.private:
        typer.echo("The repository is private: only its owners can load it, after hf auth login")
    typer.echo(f'load_dataset("{done.repo}", "all")')


@app.command()
def info(
    corpus: Annotated[str, typer.Argument(help="Corpus id, as `serbench corpora` lists it.")],
    raw: Annotated[
        Path | None,
        typer.Option(help="Raw folder, for sizes and hashes; default $SERBENCH_DATA/CORPUS.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Show a corpus: licence, how to get it, speakers, labels, configs.

    With the raw folder at hand, also what a paper can quote of a config:
    sizes, speakers, speakers shared by train and test, hash of the split.

    Example: serbench info urdu --raw ~/corpora/URDU-Dataset
    """
    from . import info
    from .at_hand import at_hand

    module = registry.load(corpus)
    told = info.facts(module, at_hand(module, raw))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    for shown in (info.record_table(told), info.label_table(told), info.config_table(told)):
        table(*shown)
        typer.echo()
    for heading, lines in (("to know", told["traps"]), ("known defect", info.erratum_lines(told))):
        for line in lines:
            typer.echo(f"{heading}: {line}")
    typer.echo(f"\n{told['citation']}")


@app.command()
def audit(
    names: Annotated[list[str], typer.Argument(metavar="CORPUS", help="Corpus ids, as `serbench corpora` lists them.")],
    raw: Annotated[
        list[Path] | None,
        typer.Option(help="Raw folder, once for each corpus, in order; default $SERBENCH_DATA/CORPUS."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with code 1 if anything was found.")] = False,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with pictures to this file, too.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with every finding.")] = False,
    num_proc: Annotated[int, typer.Option(min=1, help="Processes that read and decode.")] = 1,
) -> None:
    """Listen to corpora and say what is wrong with their files, labels and splits.

    Configs: the share of test utterances whose speaker, sentence or both
    are in train. Files: unreadable, silent, cut short, clipped, with a DC
    offset, another rate or several channels. Copies, also across splits
    and corpora: the same bytes, the same samples, one stretch of audio
    with two labels, and the same sound at another level, rate or offset or
    after MP3; cuts of one passage. Against the record: missing and unknown files,
    speakers and codes. Nothing is changed on disk.

    Example: serbench audit urdu --raw ~/corpora/URDU-Dataset --html urdu.html

    Example: serbench audit urdu turevdb --strict --num-proc 8
    """
    from .at_hand import needed
    from .audit import examine, page, report

    if len(set(names)) < len(names):
        raise typer.BadParameter(f"each corpus is audited once; found {' '.join(names)}")
    if raw and len(raw) != len(names):
        raise typer.BadParameter(f"--raw stands once for each corpus, in order; found it {len(raw)} times")
    if html and not html.parent.is_dir():
        raise typer.BadParameter(f"--html is a file in an existing folder; {html.parent} does not exist")
    modules = [registry.load(name) for name in names]
    trees = [(one, needed(one, folder)) for one, folder in zip(modules, raw or [None] * len(names), strict=True)]
    found = examine(trees, num_proc)
    if html:
        page.write(found, html)
        typer.echo(f"Wrote {html}", err=True)
    if as_json:
        typer.echo(json.dumps(report.as_json(found), ensure_ascii=False, indent=2))
    else:
        for shown in (report.overlap_table(found), report.finding_table(found), report.erratum_table(found)):
            table(*shown)
            typer.echo()
        typer.echo(report.verdict(found))
    raise typer.Exit(int(strict and bool(found.findings)))


@app.command()
def explain(
    corpus: Annotated[str, typer.Argument(help="Corpus id, as `serbench corpora` lists it.")],
    utterance: Annotated[str, typer.Argument(metavar="ID", help="Id of the utterance, as in the column `id`.")],
    raw: Annotated[
        Path | None, typer.Option(help="Raw folder; default $SERBENCH_DATA/CORPUS.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Show how one utterance gets its labels and splits, each step with its rule and source.

    Example: serbench explain urdu urdu-SM1_F8_A08 --raw ~/corpora/URDU-Dataset
    """
    from . import explain
    from .at_hand import needed

    module = registry.load(corpus)
    steps = explain.explain(module, needed(module, raw), utterance)
    if as_json:
        typer.echo(json.dumps([asdict(step) for step in steps], ensure_ascii=False, indent=2))
    else:
        table(*explain.table(steps))


def table(header: list[str], rows: list[list[object]]) -> None:
    """Print a table: ruled on a terminal, tab-separated when piped."""
    if not sys.stdout.isatty():
        for row in [header, *rows]:
            typer.echo("\t".join(map(str, row)))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    ruled = Table()
    for name in header:
        ruled.add_column(name, overflow="fold")  # a hash that is cut off is of no use
    for row in rows:
        ruled.add_row(*(Text(str(cell)) for cell in row))
    Console().print(ruled)
