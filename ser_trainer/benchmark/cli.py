"""Commands about benchmarks, mounted by `serbench`."""

import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from loading_scripts.cli import table

from ..encoders import registry

app = typer.Typer(no_args_is_help=True)

EncoderOption = Annotated[
    list[str],
    typer.Option(
        "--encoder",
        help="Id as `serbench encoders` lists it, ID=WEIGHTS to read its weights from a file or folder of your own, a "
        "folder or Hub id of a model, or module:function; can be given again.",
        show_default=False,
    ),
]
RawOption = Annotated[
    list[str] | None,
    typer.Option(help="Raw folder, once for each corpus in their order; - where none is needed.", show_default=False),
]
DeviceOption = Annotated[str, typer.Option(help="Torch device; auto takes a GPU if there is one.")]
ProcOption = Annotated[int, typer.Option(min=1, help="Processes that encode.")]
Bfloat16Option = Annotated[
    bool, typer.Option("--bf16", help="Let the encoder compute in bfloat16: faster; its features are kept apart.")
]
TrustOption = Annotated[
    bool, typer.Option("--trust-remote-code", help="Let a checkpoint on the Hub run code of its own on this machine.")
]
LayersOption = Annotated[
    str, typer.Option(help="last: its output, frame by frame. all: the mean over frames of every layer.")
]


@app.command()
def encoders(
    name: Annotated[
        str | None, typer.Argument(metavar="[ENCODER]", help="Show all that is known of one.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List the encoders of the papers: width, size, licence, and which corpora they have seen.

    Any other model works too: name its folder, its Hub id, or a function.

    Example: serbench encoders wavlm_base
    """
    from ..encoders.table import details, overview

    records = [registry.load(one) for one in ([name] if name else registry.ids())]
    if as_json:
        told = [asdict(one) for one in records]
        typer.echo(json.dumps(told[0] if name else told, ensure_ascii=False, indent=2))
    else:
        table(*(details(records[0]) if name else overview(records)))


@app.command()
def extract(
    corpora: Annotated[list[str], typer.Argument(metavar="CORPUS...", help="Corpus ids, as `serbench corpora` lists.")],
    encoder: EncoderOption,
    layers: LayersOption = "last",
    raw: RawOption = None,
    num_proc: ProcOption = 1,
    device: DeviceOption = "auto",
    bf16: Bfloat16Option = False,
    trust_remote_code: TrustOption = False,
) -> None:
    """Encode corpora into the feature cache, each utterance once; `serbench run` does this by itself.

    Run again after an interruption to continue. Started several times, by
    torchrun or accelerate, or on several machines with one cache, the
    processes share the work.

    Example: serbench extract urdu --encoder wavlm_base --raw ~/corpora/URDU-Dataset
    """
    from ..encoders.opening import resolve
    from .corpora import open_corpora
    from .extraction import extract_features
    from .machine import Machine

    _log()
    for word in encoder:
        resolve(word)  # what is wrong with it is said before corpora are loaded
    machine = Machine(settled(device), num_proc, bf16, trust_remote_code)
    for told in extract_features(encoder, open_corpora(corpora, raw or ()), _layers(layers), machine):
        typer.echo(told)


@app.command()
def cache(
    corpus: Annotated[str | None, typer.Option(help="Only features of this corpus.", show_default=False)] = None,
    encoder: Annotated[str | None, typer.Option(help="Only features by this encoder.", show_default=False)] = None,
    unfinished: Annotated[bool, typer.Option("--unfinished", help="Only features that are not whole.")] = False,
    clean: Annotated[bool, typer.Option("--clean", help="Delete what is listed.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="With --clean: all of them.")] = False,
) -> None:
    """List the feature cache: corpus, encoder, layers, utterances, size. With --clean, delete what is listed.

    Example: serbench cache --encoder wavlm_base --clean
    """
    from .cache.cached import cached, remove
    from .cache.header import features_folder

    found = cached(corpus, encoder, unfinished)
    if clean and not (corpus or encoder or unfinished or everything):
        raise typer.BadParameter("--clean deletes what --corpus, --encoder or --unfinished select, or --all")
    table(
        ["corpus", "encoder", "layers", "utterances", "size", "written", "key"],
        [
            [
                one.corpus,
                one.encoder,
                one.header.layers if one.header else "?",
                f"{one.done} of {one.utterances}",
                f"{one.bytes / 1e6:.1f} MB",
                f"{one.modified:%Y-%m-%d %H:%M}",
                one.folder.name,
            ]
            for one in found
        ],
    )
    if clean:
        typer.echo(f"Deleted {remove(found) / 1e6:.1f} MB in {features_folder()}.")
    else:
        typer.echo(f"{sum(one.bytes for one in found) / 1e6:.1f} MB in {features_folder()}.", err=True)


@app.command()
def run(
    name: Annotated[
        str,
        typer.Argument(
            metavar="PROTOCOL",
            help="serab, emobox-intra, emobox-cross, serevals, generalize or exhubert; all: every one that can be run.",
        ),
    ],
    encoder: EncoderOption,
    more: Annotated[list[str] | None, typer.Argument(metavar="[CORPUS]...", hidden=True)] = None,
    corpora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CORPUS...",
            help="Corpus ids, one or more. Default: those of the papers that are on this machine.",
            show_default=False,
        ),
    ] = None,
    raw: RawOption = None,
    variant: Annotated[
        str, typer.Option(help="strict: validation selects. published: as the paper's script does, defects included.")
    ] = "strict",
    output: Annotated[Path, typer.Option(help="Folder of results; lines are added to it.")] = Path("results"),
    layers: LayersOption = "last",
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of the heads, default 0; can be given again.", show_default=False)
    ] = None,
    speaker_norm: Annotated[
        bool | None,
        typer.Option(
            "--speaker-norm/--no-speaker-norm",
            help="serab: z-norm per speaker within each split, with all test utterances of a speaker (transductive). "
            "Default: as the variant.",
            show_default=False,
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of EmoBox's heads, default 100.", show_default=False)
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Option of the protocol; can be given again. An unknown one is refused, and all are listed.",
            show_default=False,
        ),
    ] = None,
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="all: run what fine-tunes the encoder too, which takes hours.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Run nothing; measure for a moment, and say what it will cost."),
    ] = False,
    num_proc: ProcOption = 1,
    device: DeviceOption = "auto",
    bf16: Bfloat16Option = False,
    trust_remote_code: TrustOption = False,
    again: Annotated[bool, typer.Option("--again", help="Run finished cells again.")] = False,
) -> None:
    """Run a benchmark: encode what is missing, train the heads, print our table beside the published one.

    Run again after an interruption to continue; finished cells are skipped.
    all runs every protocol on those of the corpora that it takes, and says
    at the end what was not run, and why.

    Example: serbench run serab --encoder opensmile --corpora urdu --raw ~/corpora/URDU-Dataset

    Example: serbench run emobox-intra --encoder runs/demo-fold1 --corpora demo ravdess

    Example: serbench run all --encoder wavlm_base --corpora ravdess emodb --dry-run
    """
    from . import plan, protocol, study
    from .corpora import at_hand, open_corpora
    from .results.line import Results
    from .results.stored import Stored
    from .results.tables import tables

    _log()
    names = protocol.names() if name == plan.EVERY else (name,)
    setting = protocol.Setting(
        variant=variant,
        seeds=tuple(seed or (0,)),
        layers=_layers(layers),
        speaker_norm=speaker_norm,
        epochs=epochs,
        device=settled(device),
        extra=_options(option or ()),
    )
    study.check(name, encoder, setting)
    papers = list(dict.fromkeys(corpus for one in names for corpus in protocol.load(one).CORPORA))
    rows = open_corpora([*(corpora or []), *(more or [])] or at_hand(papers), raw or ())
    machine = study.Machine(setting.device, num_proc, bf16, trust_remote_code)
    if dry_run and not is_first_process():
        return
    if dry_run:
        from .estimate import estimates

        for one in estimates(name, encoder, rows, Results(output), setting, machine, again, fine_tune):
            typer.echo(f"{one}\n")
        return
    refusals = []
    if name == plan.EVERY:
        refusals = study.run_all(encoder, rows, Results(output), setting, machine, again, fine_tune)
    else:
        study.run(name, encoder, rows, Results(output), setting, machine, again)
    lines = [line for line in Results(output).lines() if line.protocol in names and line.variant == variant]
    stored = [Stored(line, Results(output)) for line in lines]
    if is_first_process():
        shown = [one.text() for one in tables(stored)] if stored else []
        typer.echo("\n\n".join([*shown, *([plan.refused(refusals)] if refusals else ())]))
        typer.echo(f"\nLines and predictions: {output}. As a page: serbench report {output} --html report.html")
    if any(one.failed for one in refusals):
        raise typer.Exit(1)


@app.command()
def compare(
    folders: Annotated[
        list[Path], typer.Argument(metavar="RESULTS...", help="One folder of results, or two to compare.")
    ],
    encoder: Annotated[
        list[str] | None,
        typer.Option(help="With one folder: the two encoders to compare, given twice.", show_default=False),
    ] = None,
) -> None:
    """Say whether two stored systems differ by more than noise, on the same test utterances.

    Example: serbench compare results --encoder opensmile --encoder wavlm_base

    Example: serbench compare results-monday results-tuesday
    """
    from .results.compare import compare
    from .results.stored import of_encoder, read

    if len(folders) == 2 and not encoder:
        sides = [read([folder]) for folder in folders]
    elif len(folders) == 1 and encoder and len(encoder) == 2:
        sides = [of_encoder(read(folders), name) for name in encoder]
    else:
        raise typer.BadParameter("compares two folders, or two encoders (--encoder, twice) of one folder")
    typer.echo(compare(*sides).table().text())


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results.")],
    html: Annotated[
        Path | None, typer.Option(help="Page to write; without it, tables are printed.", show_default=False)
    ] = None,
    pages: Annotated[
        Path | None,
        typer.Option(help="Folder to write: index.html, and a page for each encoder.", show_default=False),
    ] = None,
) -> None:
    """Show stored results: as tables, as one self-contained page with --html, or as a page per encoder with --pages.

    A page has sortable leaderboards, confusion matrices, layer curves, heat
    maps, published numbers beside ours, leaks and where everything came from;
    that of an encoder also its record and which corpora it has seen.

    Example: serbench report results --html report.html

    Example: serbench report results --pages site
    """
    from .results.stored import read

    if html is not None and not html.absolute().parent.is_dir():
        raise typer.BadParameter(f"--html is a file in an existing folder; {html.parent} does not exist")
    if pages is not None and pages.exists() and not pages.is_dir():
        raise typer.BadParameter(f"--pages is a folder; {pages} is a file")
    held = read(folders)
    if html is None and pages is None:
        from .results.tables import tables

        typer.echo("\n\n".join(one.text() for one in tables(held)))
    if html is not None:
        from .results.report import write_report

        write_report(held, html)
        typer.echo(f"Wrote {html}")
    if pages is not None:
        from .results.report_pages import write_pages

        index, *others = write_pages(held, pages)
        typer.echo(f"Wrote {index} and {len(others)} {'page' if len(others) == 1 else 'pages'} beside it")


@app.command()
def reproduce(
    cell: Annotated[
        str | None,
        typer.Argument(
            metavar="PROTOCOL/CORPUS/ENCODER",
            help="A published cell, as emobox-intra/ravdess/wavlm-base or 'emobox-cross/ravdess>savee/wavlm-base'.",
            show_default=False,
        ),
    ] = None,
    raw: RawOption = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="File or folder with the encoder's weights, if not the Hub's.", show_default=False),
    ] = None,
    variant: Annotated[
        str, typer.Option(help="strict: validation selects. published: as the paper's script does, defects included.")
    ] = "strict",
    fold: Annotated[
        int | None, typer.Option(min=1, help="Run this fold alone; gives no verdict.", show_default=False)
    ] = None,
    seed: Annotated[
        list[int] | None, typer.Option(help="Seed of the heads, default 0; can be given again.", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs of EmoBox's heads, default 100.", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of results; lines and a trace are added to it.")] = Path(
        "results"
    ),
    against: Annotated[
        Path | None, typer.Option(help="Trace of another run; says first what differs here.", show_default=False)
    ] = None,
    check: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="TRACE RESULTS",
            help="Rebuild what was printed from a trace and stored results; needs neither audio nor encoder.",
            show_default=False,
        ),
    ] = None,
    num_proc: ProcOption = 1,
    device: DeviceOption = "auto",
    again: Annotated[bool, typer.Option("--again", help="Run finished folds again.")] = False,
) -> None:
    """Run a published cell again: theirs, ours, the difference, an interval over speakers and a verdict.

    All folds of the cell are run. A trace is written, with which --check
    finds a changed or missing file on any machine; exit code 1 if it does.

    Example: serbench reproduce emobox-intra/ravdess/wavlm-base --raw ~/corpora/RAVDESS

    Example: serbench reproduce --check results/traces/emobox-intra--ravdess--wavlm_base-strict.json results
    """
    from . import protocol, study
    from .corpora import open_corpora
    from .machine import Machine
    from .results import trace
    from .results.line import Results
    from .results.reproduce import comparison, find, narrowed, prepared, rerun

    if check is not None:
        checked = trace.check(check[0], Results(check[1]))
        for fault in checked.faults:
            typer.echo(f"serbench: {fault}", err=True)
        if checked.faults:
            raise typer.Exit(1)
        typer.echo(f"{checked.text}\n\nRebuilt from the stored predictions; digest {checked.digest}.")
        return
    if cell is None:
        raise typer.BadParameter("names a published cell, PROTOCOL/CORPUS/ENCODER; or give --check TRACE RESULTS")
    _log()
    published = find(cell)
    word = published.encoder if weights is None else f"{published.encoder}={weights}"
    setting = protocol.Setting(variant=variant, seeds=tuple(seed or (0,)), epochs=epochs, device=settled(device))
    study.check(published.protocol, [word], setting)
    then = trace.read(against) if against else None
    corpora = narrowed(published, open_corpora(published.corpora, raw or ()), fold)
    results = Results(output)
    own, planned = prepared(published, word, corpora, results, setting, Machine(setting.device, num_proc))
    made = trace.made_of(own, planned, corpora)
    if then and is_first_process():
        told = trace.differences(then, published, made) or ["audio, splits and encoder are those of the trace"]
        typer.echo("\n".join(f"Against {against}: {one}." for one in told), err=True)
    stored = rerun(published, own, planned, results, again)
    if is_first_process():
        place = trace.write(published, stored, fold, made, results)
        typer.echo(comparison(published, stored, trace.utterances(made), fold).text())
        for one in trace.outcome_differences(then, stored) if then else ():
            typer.echo(f"Against {against}: {one}.")
        typer.echo(f"\nTrace: {place}, digest {trace.read(place)['digest']}.")
        typer.echo(f"To check it anywhere: serbench reproduce --check {place} {output}")


@app.command()
def export(
    folders: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results.")],
    encoder: Annotated[str, typer.Option(help="The encoder whose results they are, as its lines call it.")],
    card: Annotated[Path, typer.Option(help="README.md of the model; made if it is not there.")] = Path("README.md"),
) -> None:
    """Write the results of your model into its card, as the Hub reads them (model-index).

    Example: serbench export results --encoder demo-fold1 --card runs/demo-fold1/README.md
    """
    from .results.export import eval_results, merge_into_card
    from .results.stored import of_encoder, read

    lines = [one.line for one in of_encoder(read(folders), encoder)]
    merge_into_card(card, eval_results(lines), encoder)
    typer.echo(f"Wrote {len(lines)} results into {card}")


def is_first_process() -> bool:
    """Return whether this is the process that prints, of those that torchrun or accelerate started."""
    return os.environ.get("RANK", "0") == "0"


def settled(device: str) -> str:
    """Return a torch device; ``auto`` is the GPU of this process, if there is one."""
    if device != "auto":
        return device
    import torch

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def _layers(word: str) -> str:
    if word not in ("last", "all"):
        raise typer.BadParameter(f"--layers is last or all; found {word!r}")
    return word


def _options(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise typer.BadParameter(f"--option is KEY=VALUE; found {word!r}")
        if key in found:
            raise typer.BadParameter(f"--option {key} stands once; values of one option have commas between them")
        found[key] = value
    return found


def _log() -> None:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("ser_trainer").setLevel(logging.INFO if is_first_process() else logging.ERROR)
