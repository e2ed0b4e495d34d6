"""Extract: every utterance of a corpus is encoded once, whatever is killed, and by however many processes."""

import errno
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from loading_scripts.errors import DiskFullError, SerbenchError

from ...encoders.encoder import Encoder, EncoderError, Layers
from .batches import shards
from .contents import Progress, check
from .features import Features
from .header import Header, encoder_folder, read
from .shards import Storage
from .sharing import Share, rank, sound_shards

logger = logging.getLogger(__name__)

Opener = Callable[[], Encoder]
"""Opens an encoder; worker processes get it pickled, as `functools.partial(open_encoder, "hubert_base")` can be."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_CPU_BATCH = 16.0
_GPU_BATCH = 600.0
"""Seconds; a CPU core gains nothing from batches, a GPU needs them."""

_READERS = 8
"""Threads that decode for a GPU, at most."""


def extract(
    rows: Any,
    encoder: Encoder | Opener,
    corpus: str,
    layers: Layers = "last",
    *,
    storage: Storage | None = None,
    num_proc: int = 1,
    device: str = "cpu",
    batch_seconds: float | None = None,
    shard_seconds: float | None = None,
    progress: Progress | None = None,
    checking: Progress | None = None,
) -> Features:
    """Return the features of a corpus, encoding what is not in the cache.

    The same command may run several times at once, by torchrun, accelerate or hand, on machines that share the cache:
    they share the work, and each returns when all of it is done.

    Args:
        rows: Dataset with the columns `id` and `audio`, undecoded ({"path", "bytes"}).
        encoder: the encoder, or what opens it; several processes need the latter.
        corpus: name of the corpus.
        layers: see `Layers`.
        storage: how values are stored; None: float16 for frames, float32 for vectors and for means of layers.
        num_proc: processes that encode on this machine, this one included.
        device: torch device of the encoder; decides how much is encoded, and decoded, at a time.
        batch_seconds: seconds of audio in a batch, padding included; None: what suits the device.
        shard_seconds: see `batches.shards`; counts where the extraction begins.
        progress: is told what is done so far, first what was in the cache.
        checking: is told how much of the audio has been compared with the cache, before anything is encoded.

    Raises:
        EncoderError: the encoder cannot be used, or failed on every utterance.
        ContentsError: two utterances have one id, or their audio changed meanwhile.
        AudioError: an utterance cannot be decoded.
        DiskFullError: what was encoded is kept.
    """
    opened: Encoder = encoder if hasattr(encoder, "encode") else encoder()
    if num_proc > 1 and opened is encoder:
        raise EncoderError(
            f"Encoder {opened.name}: {num_proc} processes each open their own; an open one was given. Give what opens "
            'it: functools.partial(open_encoder, "NAME").'
        )
    on_gpu = device.startswith("cuda")
    readers = min(_READERS, os.cpu_count() or 1) if on_gpu else 1
    threads = max(readers, num_proc, int(os.environ.get("LOCAL_WORLD_SIZE", 1)))
    with _explained(corpus, opened):
        header = plan(rows, opened, corpus, layers, storage, shard_seconds, threads, checking)
        sound = sound_shards(header.folder, threads)
        if len(sound) < len(header.shards):
            seconds = batch_seconds or (_GPU_BATCH if on_gpu else _CPU_BATCH)
            _encode(_Job(header.folder, rows, seconds, readers, num_proc), opened, encoder, progress)
        elif progress:
            progress(len(header.contents.samples), header.contents.seconds)
        features = Features.open(header.folder, verified=sound)
    return _reported(features)


def plan(
    rows: Any,
    encoder: Encoder,
    corpus: str,
    layers: Layers = "last",
    storage: Storage | None = None,
    shard_seconds: float | None = None,
    threads: int = 1,
    checking: Progress | None = None,
) -> Header:
    """Return what features will be made of, written where all processes find it.

    Args:
        rows: as in `extract`.
        encoder: the open encoder.
        corpus: name of the corpus.
        layers: see `Layers`.
        storage: as in `extract`.
        shard_seconds: as in `extract`.
        threads: threads that decode.
        checking: as in `extract`.
    """
    contents = check(rows, corpus, threads, checking)
    wanted = Header(
        corpus=corpus,
        encoder=encoder.name,
        revision=encoder.revision,
        identity=dict(encoder.identity),
        layers=layers,
        storage=storage or ("float16" if layers == "last" and encoder.frame_rate else "float32"),
        width=encoder.width,
        depth=encoder.depth,
        frame_rate=encoder.frame_rate,
        contents=contents,
        shards=shards(contents.samples, shard_seconds),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=_versions(),
    )
    _mention_others(wanted)
    return wanted.begin()


@dataclass(frozen=True)
class _Job:
    """What every process of a machine gets."""

    folder: Path
    rows: Any
    batch_seconds: float
    readers: int
    num_proc: int

    def share(self, encoder: Encoder, number: int) -> Share:
        """Return the part of the process `number` of this machine."""
        this, machines = rank()
        return Share(
            self.folder,
            self.rows,
            encoder,
            self.batch_seconds,
            self.readers,
            this * self.num_proc + number,
            machines * self.num_proc,
        )


def _encode(job: _Job, opened: Encoder, opener: Encoder | Opener, progress: Progress | None) -> None:
    done, seconds = 0, 0.0
    with _workers(job, opener), _few_threads(job.num_proc):
        for step in job.share(opened, 0).run():
            done, seconds = done + step.utterances, seconds + step.seconds
            if progress and step.utterances:
                progress(done, seconds)


@contextmanager
def _workers(job: _Job, opener: Any) -> Iterator[None]:
    """Let the other processes of this machine work; none of them outlives this."""
    spawn = multiprocessing.get_context("spawn")  # not forked: a forked child can hang in torch's thread pool
    workers = [
        spawn.Process(target=_work, args=(job, opener, number), daemon=True) for number in range(1, job.num_proc)
    ]
    try:
        for one in workers:
            one.start()
        yield
    finally:
        for one in workers:
            if one.pid is not None:
                one.terminate()
                one.join()


def _work(job: _Job, opener: Opener, number: int) -> None:
    """Encode in a process of its own, as long as the one that started it lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the first process ends the others
    parent = multiprocessing.parent_process()
    try:
        encoder = opener()
        differing = read(job.folder).compare(encoder.identity, None)
        if differing:
            raise EncoderError(f"Encoder {encoder.name}: opened again, it is another one. {'; '.join(differing)}.")
        with _few_threads(job.num_proc):
            for _ in job.share(encoder, number).run():
                if parent is None or not parent.is_alive():
                    return
    except (SerbenchError, OSError) as error:  # the first process meets it too, and says it
        logger.warning("Worker process %d stopped: %s", number, error)
        sys.exit(1)


@contextmanager
def _few_threads(processes: int) -> Iterator[None]:
    """Give each of several processes its share of the cores, where torch is in use."""
    torch = sys.modules.get("torch")
    if torch is None or processes == 1:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, (os.cpu_count() or 1) // processes)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _mention_others(wanted: Header) -> None:
    """Say why features that are in the cache do not serve, where there are some by this encoder."""
    if wanted.folder.is_dir():
        return
    for folder in sorted(encoder_folder(wanted.corpus, wanted.encoder).glob("*")):
        try:
            there = read(folder)
        except SerbenchError:
            continue
        if (there.layers, there.storage) == (wanted.layers, wanted.storage):
            differing = "; ".join(there.compare(wanted.identity, wanted.contents))
            logger.warning("Features of %s by %s of %s do not serve: %s.", *_named(there), differing)


def _named(header: Header) -> tuple[str, str, str]:
    return header.corpus, header.encoder, header.created[:10]


def _reported(features: Features) -> Features:
    failed, header = features.failed, features.header
    if not features.ids:
        first = next(iter(failed))
        raise EncoderError(
            f"Encoder {header.encoder}: failed on all {len(failed)} utterances of {header.corpus}; on {first}: "
            f"{failed[first]}. Remove {features.folder} to try again."
        )
    for one, reason in list(failed.items())[:5]:
        logger.warning("Features of %s by %s: %s has none: %s", header.corpus, header.encoder, one, reason)
    if len(failed) > 5:
        logger.warning("Features of %s by %s: %d have none.", header.corpus, header.encoder, len(failed))
    return features


@contextmanager
def _explained(corpus: str, encoder: Encoder) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL or isinstance(error, DiskFullError):
            raise
        place = encoder_folder(corpus, encoder.name)
        raise DiskFullError(
            f"Features of {corpus} by {encoder.name}: the disk that holds {place} is full ({error}). What was encoded "
            "is kept. Free some space (`serbench cache` shows what takes it) and run the same command again, which "
            "continues; or set $SERBENCH_CACHE to another disk."
        ) from error


def _versions() -> dict[str, str]:
    found = {}
    for package in ("serbench", "numpy", "torch", "transformers"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
