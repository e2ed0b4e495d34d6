"""The built door: ./serbench/<corpus>, Parquet and a card, which unmodified `datasets` loads without our code.

Audio is stored once for all configs: shards hold atoms (groups that every config keeps together), and a config's split
is a list of shards in the card.
"""

import errno
import hashlib
import multiprocessing
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from tqdm.auto import tqdm

from model_cards.corpus_pictures import draw_class_balance, draw_durations
from model_cards.dataset import ConfigSummary, LeftOut, render_dataset_card

from . import builder, describe, listing, registry, rows, stored
from .at_hand import needed
from .corpus import Corpus
from .describe import Shard
from .errors import AudioError, DiskFullError, UnknownNameError, near
from .printed import printed
from .registry import CorpusModule
from .utterance import Utterance

ROWS_PER_GROUP = 100
"""Rows of a Parquet row group: small, so that streaming a few rows costs little."""

ROWS_PER_SHARD = 2000
"""Utterances of a shard: 100 to 400 MB of FLAC for clips of 3 to 10 s."""


def build(
    module: CorpusModule,
    raw: Path | None,
    out: Path | None = None,
    num_proc: int = 1,
    skip_broken: bool = False,
    configs: Sequence[str] = (),
    choice: listing.Choice = listing.AS_IT_IS,
) -> Path:
    """Write the repository folder of a corpus and return it.

    A killed build continues where it was; the folder appears whole or not at all, and holds the same bytes every time.

    Args:
        module: the corpus.
        raw: its raw folder; None looks in `$SERBENCH_DATA`, then makes or fetches a corpus that needs nobody's leave.
        out: folder to write; default ``./serbench/<id>``.
        num_proc: processes that decode and encode.
        skip_broken: leave out utterances whose audio cannot be read, and list them in the card.
        configs: configs that the card offers besides ``all``; empty for every one.
        choice: what the user wants otherwise than the corpus has it; the card says so.

    Raises:
        UnknownNameError: a config does not exist, or the corpus does not offer the choice.
        RawTreeError: the raw folder is missing or not the corpus.
        AudioError: audio files are broken; they are named.
    """
    corpus = module.CORPUS
    choice.check(module)
    offered = _offered(corpus, configs)
    out = (out or Path(registry.NAMESPACE) / corpus.id).absolute()
    root = needed(module, raw)
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(out.parent / f".{out.name}.lock"):
        identity = builder.identity(corpus.id, root, f"{getattr(module, 'version', '')}{choice}")
        part = out.parent / f".{out.name}.{identity}.part"
        try:
            _write(module, root, part, num_proc, skip_broken, offered, choice)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFullError(
                f"Corpus {corpus.id}: the disk that holds {out.parent} is full. Free some and run the same command "
                "again; finished shards are kept."
            ) from error
        _replace(part, out)
        for stale in out.parent.glob(f".{out.name}.*.part"):  # begun from another state of the raw folder
            shutil.rmtree(stale)
    return out


def _offered(corpus: Corpus, configs: Sequence[str]) -> list[str]:
    names = corpus.config_names()
    for name in configs:
        if name not in names:
            raise UnknownNameError(
                f"Corpus {corpus.id}: config {name!r} does not exist; its configs are {list(names)}.{near(name, names)}"
            )
    return [name for name in names if not configs or name == "all" or name in configs]


def _replace(part: Path, out: Path) -> None:
    old = out.parent / f".{out.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _write(
    module: CorpusModule,
    root: Path,
    part: Path,
    num_proc: int,
    skip_broken: bool,
    offered: Sequence[str],
    choice: listing.Choice,
) -> None:
    corpus = module.CORPUS
    listed = listing.utterances(module, root, choice)
    dropped = listing.dropped(corpus, listed, choice)
    # Partitions stay here: those of a table hold the split of every utterance, and each task would carry them along.
    record = replace(corpus, partitions={})
    (part / "data").mkdir(parents=True, exist_ok=True)
    shard_of: dict[str, Shard] = {}
    durations: list[float] = []
    with (
        _pool(num_proc) as workers,
        tqdm(total=len(listed) - len(dropped), unit="utt", desc=f"Building {corpus.id}", disable=None) as progress,
    ):
        for number, group in enumerate(listing.atoms(corpus, listed)):
            atom = [one for one in group if one.id not in dropped]
            for index, start in enumerate(range(0, len(atom), ROWS_PER_SHARD)):
                path = _shard(
                    corpus,
                    atom[start : start + ROWS_PER_SHARD],
                    partial(encoded_table, record, root, skip_broken),
                    part / "data" / f"{number:03d}-{index:03d}",
                    workers,
                    progress,
                )
                columns = pq.read_table(path, columns=["id", "duration"])
                shard_of |= dict.fromkeys(columns["id"].to_pylist(), _measure(path))
                durations += columns["duration"].to_pylist()
    broken = [one for one in listed if one.id not in shard_of and one.id not in dropped]
    if broken and not skip_broken:
        raise AudioError(
            f"Corpus {corpus.id}: an earlier build left out {len(broken)} broken files, first {broken[0].path}. Repair "
            f"them and remove {part}, or add --skip-broken."
        )
    found = [one for one in listed if one.id in shard_of]
    configs = describe.configs(module, offered, listed, shard_of)
    kept_out = LeftOut(tuple(one.path for one in broken), tuple(sorted(dropped)))
    _describe(corpus, configs, found, kept_out, choice, durations, part)


def _describe(
    corpus: Corpus,
    configs: Sequence[ConfigSummary],
    found: Sequence[Utterance],
    left_out: LeftOut,
    choice: listing.Choice,
    durations: Sequence[float],
    part: Path,
) -> None:
    """Write pictures and card; the card comes last, so that a folder with a card is whole."""
    lines = describe.label_lines(corpus, found)
    draw_class_balance(lines, part / "class_balance.png")
    draw_durations(durations, part / "durations.png")
    card = render_dataset_card(
        corpus, configs, lines, printed(corpus), len(found), sum(durations), left_out, choice.center_channel
    )
    (part / "README.md").write_text(card, encoding="utf-8")


def _pool(num_proc: int) -> AbstractContextManager[ProcessPoolExecutor | None]:
    if num_proc == 1:
        return nullcontext()
    # Not forked: a forked child can hang in torch's thread pool.
    return ProcessPoolExecutor(num_proc, mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _shard(
    corpus: Corpus,
    piece: Sequence[Utterance],
    encode: Callable[[Sequence[Utterance]], pa.Table],
    stem: Path,
    workers: ProcessPoolExecutor | None,
    progress: tqdm,
) -> Path:
    """Write one shard, unless an earlier run finished it; its name ends in the hash of its bytes."""
    done = next(iter(stem.parent.glob(f"{stem.name}-*.parquet")), None)
    if done is not None:
        progress.update(len(piece))
        return done
    unfinished = stem.with_name(f".{stem.name}.unfinished")
    groups = [piece[start : start + ROWS_PER_GROUP] for start in range(0, len(piece), ROWS_PER_GROUP)]
    with unfinished.open("wb") as file:
        with pq.ParquetWriter(file, rows.features(corpus).arrow_schema, compression="snappy") as writer:
            for group, table in zip(groups, (workers.map if workers else map)(encode, groups), strict=True):
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)
                progress.update(len(group))
        file.flush()
        os.fsync(file.fileno())
    with unfinished.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return unfinished.rename(stem.with_name(f"{stem.name}-{digest}.parquet"))


def _measure(path: Path) -> Shard:
    metadata = pq.read_metadata(path)
    groups = (metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups))
    return Shard(path.name, metadata.num_rows, sum(groups), path.stat().st_size)


def encoded_table(corpus: Corpus, root: Path, skip_broken: bool, utterances: Sequence[Utterance]) -> pa.Table:
    """Return the rows of `utterances` with their audio embedded as 16 kHz mono FLAC."""
    return rows.table(corpus, utterances, root, stored.embedded, skip_broken)
