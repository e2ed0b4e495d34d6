"""The built door: ./serbench/<corpus>, Parquet and a card, which unmodified `datasets` loads without our code.

Audio is stored once for all configs: shards hold atoms (groups that every config keeps together), and a config's split
is a list of shards in the card.
"""

import errno
import hashlib
import logging
import multiprocessing
import shutil
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import DatasetInfo, SplitDict, SplitInfo
from filelock import FileLock
from tqdm.auto import tqdm

from model_cards.dataset import ConfigSummary, LabelLine, render_dataset_card

from . import builder, listing, registry, rows, stored
from .corpus import Corpus, Utterance
from .errors import RawTreeError
from .labels import mapping
from .raw import how_to_get, locate
from .registry import CorpusModule

logger = logging.getLogger(__name__)

ROWS_PER_GROUP = 100
"""Rows of a Parquet row group: small, so that streaming a few rows costs little."""

ROWS_PER_SHARD = 2000
"""Utterances of a shard: 100 to 400 MB of FLAC for clips of 3 to 10 s."""


@dataclass(frozen=True)
class Shard:
    """A finished shard.

    Args:
        name: file name below ``data/``.
        rows: number of utterances.
        arrow_bytes: size of the rows in memory.
        file_bytes: size of the file.
    """

    name: str
    rows: int
    arrow_bytes: int
    file_bytes: int


def build(module: CorpusModule, raw: Path | None, out: Path | None = None, num_proc: int = 1) -> Path:
    """Write the repository folder of a corpus and return it.

    A killed build continues where it was; the folder appears whole or not at all, and holds the same bytes every time.

    Args:
        module: the corpus.
        raw: its raw folder; None only for a corpus that serbench makes itself.
        out: folder to write; default ``./serbench/<id>``.
        num_proc: processes that decode and encode.

    Raises:
        RawTreeError: the raw folder is missing or not the corpus.
        AudioError: audio files are broken; they are named.
    """
    corpus = module.CORPUS
    out = (out or Path(registry.NAMESPACE) / corpus.id).absolute()
    root = _root(module, raw)
    out.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(out.parent / f".{corpus.id}.lock"):
        part = out.parent / f".{out.name}.{builder.identity(corpus.id, root)[:16]}.part"
        try:
            _write(module, root, part, num_proc)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OSError(
                    errno.ENOSPC,
                    f"Corpus {corpus.id}: the disk that holds {out.parent} is full. Free some room and run the same "
                    f"command again: finished shards are kept in {part.name}",
                ) from error
            raise
        _replace(part, out)
        for stale in out.parent.glob(f".{out.name}.*.part"):  # begun from another state of the raw folder
            shutil.rmtree(stale)
    return out


def _root(module: CorpusModule, raw: Path | None) -> Path:
    if raw is not None:
        return locate(module, raw)
    if not hasattr(module, "make"):
        raise RawTreeError(f"{module.CORPUS.name}: a build needs the raw folder (--raw).\n{how_to_get(module.CORPUS)}")
    from datasets import DownloadManager

    return builder.obtain(module, builder.code_digest(module.CORPUS.id), DownloadManager())


def _replace(part: Path, out: Path) -> None:
    old = out.parent / f".{out.name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _write(module: CorpusModule, root: Path, part: Path, num_proc: int) -> None:
    corpus = module.CORPUS
    found = listing.utterances(module, root)
    groups = listing.atoms(corpus, found)
    (part / "data").mkdir(parents=True, exist_ok=True)
    shard_of: dict[str, Shard] = {}
    context = multiprocessing.get_context("spawn")  # a forked child hangs in torch's thread pool
    pool = ProcessPoolExecutor(num_proc, mp_context=context, initializer=_one_thread) if num_proc > 1 else nullcontext()
    with (
        pool as workers,
        tqdm(total=len(found), unit="utt", desc=f"Building {corpus.id}", disable=None) as progress,
    ):
        for number, atom in enumerate(groups):
            for index, start in enumerate(range(0, len(atom), ROWS_PER_SHARD)):
                piece = atom[start : start + ROWS_PER_SHARD]
                shard = _shard(corpus, piece, root, part / "data", f"{number:03d}-{index:03d}", workers, progress)
                shard_of |= {one.id: shard for one in piece}
    configs = _configs(module, found, shard_of)
    card = render_dataset_card(corpus, configs, _label_lines(corpus, found), len(found))
    (part / "README.md").write_text(card, encoding="utf-8")


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def _shard(
    corpus: Corpus,
    piece: list[Utterance],
    root: Path,
    folder: Path,
    name: str,
    workers: ProcessPoolExecutor | None,
    progress: tqdm,
) -> Shard:
    """Write one shard, unless an earlier run finished it; its name ends in the hash of its bytes."""
    done = next(iter(folder.glob(f"{name}-*.parquet")), None)
    if done is None:
        unfinished = folder / f".{name}.unfinished"
        starts = range(0, len(piece), ROWS_PER_GROUP)
        groups = [piece[start : start + ROWS_PER_GROUP] for start in starts]
        encode = partial(encoded_table, corpus.id, root)
        schema = rows.features(corpus).arrow_schema
        with pq.ParquetWriter(unfinished, schema, compression="snappy") as writer:
            for table in workers.map(encode, groups) if workers else map(encode, groups):
                writer.write_table(table, row_group_size=ROWS_PER_GROUP)
                progress.update(len(table))
        digest = hashlib.sha256(unfinished.read_bytes()).hexdigest()[:16]
        done = unfinished.rename(folder / f"{name}-{digest}.parquet")
    else:
        progress.update(len(piece))
    metadata = pq.read_metadata(done)
    groups_bytes = sum(metadata.row_group(k).total_byte_size for k in range(metadata.num_row_groups))
    return Shard(done.name, metadata.num_rows, groups_bytes, done.stat().st_size)


def encoded_table(corpus: str, root: Path, utterances: Sequence[Utterance]) -> pa.Table:
    """Return the rows of `utterances` with their audio embedded as 16 kHz mono FLAC."""
    return rows.table(registry.load(corpus).CORPUS, utterances, root, stored.embedded)


def _configs(module: CorpusModule, found: Sequence[Utterance], shard_of: dict[str, Shard]) -> list[ConfigSummary]:
    """Describe every config of which no split is empty."""
    corpus = module.CORPUS
    summaries = []
    for name in corpus.config_names():
        parts = listing.split(module, name, found)
        empty = [split for split, part in parts.items() if not part]
        if empty:
            logger.warning("Corpus %s: config %s is left out, as its split %s is empty here.", corpus.id, name, empty)
            continue
        shards = {split: list(dict.fromkeys(shard_of[one.id] for one in part)) for split, part in parts.items()}
        info = DatasetInfo(
            features=rows.features(corpus),
            splits=SplitDict(
                {
                    split: SplitInfo(
                        split,
                        num_bytes=sum(s.arrow_bytes for s in used),
                        num_examples=sum(s.rows for s in used),
                    )
                    for split, used in shards.items()
                }
            ),
            download_size=sum(s.file_bytes for used in shards.values() for s in used),
            dataset_size=sum(s.arrow_bytes for used in shards.values() for s in used),
        )
        summaries.append(
            ConfigSummary(
                name=name,
                info=info,
                files={split: [f"data/{s.name}" for s in used] for split, used in shards.items()},
                speakers={split: len({one.speaker for one in part} - {None}) for split, part in parts.items()},
                shared_speakers=listing.shared_speakers(parts),
                split_hash=listing.split_hash(parts),
            )
        )
    return summaries


def _label_lines(corpus: Corpus, found: Sequence[Utterance]) -> list[LabelLine]:
    counts = Counter(one.native for one in found)
    names = corpus.emotion_names()
    lines = []
    for native, noun in corpus.emotions.items():
        columns = rows.labels(corpus, native)
        meaning = mapping(noun, corpus.id) if noun is not None else None
        lines.append(
            LabelLine(
                native=native,
                emotion=names[columns["emotion"]] if columns["emotion"] is not None else None,
                canonical=noun,
                unified8=meaning.unified8 if meaning else None,
                arousal_valence=meaning.arousal_valence if meaning else None,
                basis=f"{meaning.basis_unified8}; {meaning.basis_arousal_valence}" if meaning else "",
                count=counts[native],
            )
        )
    return lines
