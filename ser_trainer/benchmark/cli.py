"""Commands about benchmarks, mounted by `serbench`."""

import json
import logging
import os
import sys
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
    from .corpora import open_corpora
    from .study import Machine, extract_features

    _log()
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
    from .cached import cached, remove
    from .header import features_folder

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
    name: Annotated[str, typer.Argument(metavar="PROTOCOL", help="serab, emobox-intra or emobox-cross.")],
    encoder: EncoderOption,
    more: Annotated[list[str] | None, typer.Argument(metavar="[CORPUS]...", hidden=True)] = None,
    corpora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CORPUS...",
            help="Corpus ids, one or more. Default: those of the paper that are on this machine.",
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
    num_proc: ProcOption = 1,
    device: DeviceOption = "auto",
    bf16: Bfloat16Option = False,
    trust_remote_code: TrustOption = False,
    again: Annotated[bool, typer.Option("--again", help="Run finished cells again.")] = False,
) -> None:
    """Run a benchmark: encode what is missing, train the heads, print our table beside the published one.

    Run again after an interruption to continue; finished cells are skipped.

    Example: serbench run serab --encoder opensmile --corpora urdu --raw ~/corpora/URDU-Dataset

    Example: serbench run emobox-intra --encoder runs/demo-fold1 --corpora demo ravdess
    """
    from . import protocol, study
    from .corpora import at_hand, open_corpora
    from .results import Results
    from .stored import Stored
    from .tables import tables

    _log()
    setting = protocol.Setting(
        variant=variant,
        seeds=tuple(seed or (0,)),
        layers=_layers(layers),
        speaker_norm=speaker_norm,
        epochs=epochs,
        device=settled(device),
    )
    study.check(name, encoder, setting)
    chosen = [*(corpora or []), *(more or [])] or at_hand(protocol.load(name).CORPORA)
    machine = study.Machine(setting.device, num_proc, bf16, trust_remote_code)
    study.run(name, encoder, open_corpora(chosen, raw or ()), Results(output), setting, machine, again)
    stored = [Stored(line, Results(output)) for line in Results(output).lines() if line.protocol == name]
    if is_first_process():
        typer.echo("\n\n".join(one.text() for one in tables(stored)))
        typer.echo(f"\nLines and predictions: {output}. As a page: serbench report {output} --html report.html")


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
    from .compare import compare
    from .stored import of_encoder, read

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
) -> None:
    """Show stored results: as tables, or as one self-contained page with --html.

    The page has a sortable leaderboard, confusion matrices, layer curves,
    published numbers beside ours, leaks and where everything came from.

    Example: serbench report results --html report.html
    """
    from .stored import read

    if html is not None and not html.absolute().parent.is_dir():
        raise typer.BadParameter(f"--html is a file in an existing folder; {html.parent} does not exist")
    held = read(folders)
    if html is None:
        from .tables import tables

        typer.echo("\n\n".join(one.text() for one in tables(held)))
    else:
        from .report import write_report

        write_report(held, html)
        typer.echo(f"Wrote {html}")


@app.command()
def export(
    folders: Annotated[list[Path], typer.Argument(metavar="RESULTS...", help="Folders of results.")],
    encoder: Annotated[str, typer.Option(help="The encoder whose results they are, as its lines call it.")],
    card: Annotated[Path, typer.Option(help="README.md of the model; made if it is not there.")] = Path("README.md"),
) -> None:
    """Write the results of your model into its card, as the Hub reads them (model-index).

    Example: serbench export results --encoder demo-fold1 --card runs/demo-fold1/README.md
    """
    from .export import eval_results, merge_into_card
    from .stored import of_encoder, read

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


def _log() -> None:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("ser_trainer").setLevel(logging.INFO if is_first_process() else logging.ERROR)
