"""Sharing: any number of processes, on one machine or several, encode the shards of one plan, each shard once.

A shard is claimed by a lock that the system releases when the process dies; the next one who finds it free goes on with
it. Clips are decoded ahead of the encoder, and written behind it, by threads.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from loading_scripts import audio
from loading_scripts.errors import AudioError

from ...encoders.encoder import Clip, Encoder
from .batches import batches
from .contents import ContentsError, crc32, forget
from .encoding import encoded
from .header import Header, read
from .shards import Shard, ShardError, Writer

logger = logging.getLogger(__name__)

_AHEAD = 2
"""Batches that are decoded ahead of the encoder."""

_POLL = 0.3
"""Seconds between two looks at what other processes finished."""

_NOTICE = 60.0
"""Seconds after which waiting for others is mentioned."""


@dataclass(frozen=True)
class Step:
    """What is done of a corpus.

    Args:
        utterances: how many became ready.
        seconds: of their audio.
        encoded: how many of them this process encoded; others did the rest, or an earlier run.
    """

    utterances: int = 0
    seconds: float = 0.0
    encoded: int = 0


def rank() -> tuple[int, int]:
    """Return the number of this process and of all, as torchrun and accelerate tell it; (0, 1) for one alone."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def sound_shards(folder: Path, threads: int) -> set[int]:
    """Return the shards that are whole; what is damaged is reported, and removed so that it is made again.

    Args:
        folder: of the features.
        threads: threads that read.
    """
    header = read(folder)
    with ThreadPoolExecutor(threads) as readers:
        sound = readers.map(lambda number: _is_sound(Shard(folder, number), header), range(len(header.shards)))
        return {number for number, good in enumerate(sound) if good}


def _is_sound(shard: Shard, header: Header) -> bool:
    damage = _damage(shard, header)
    if damage is None:
        return shard.index.exists()
    try:
        with FileLock(shard.lock, timeout=0):
            damage = _damage(shard, header)  # whoever held it may have mended it
            if damage is not None:
                logger.warning(
                    "Features of %s by %s: %s; the %d utterances of shard %d are encoded again.",
                    *(header.corpus, header.encoder, damage, len(header.shards[shard.number]), shard.number),
                )
                shard.discard()
    except Timeout:
        pass  # another process mends it
    return False


def _damage(shard: Shard, header: Header) -> str | None:
    """Return what is wrong with a shard that is said to be whole."""
    try:
        index = shard.read_index()
        if index is None:
            return None
        if [one.id for one in index.utterances] != list(header.shards[shard.number]):
            return f"{shard.index.name} is that of other utterances"
        shard.map(index)
    except ShardError as error:
        return str(error)
    return None


@dataclass(eq=False)
class _Claim:
    """A shard that this process holds and writes.

    Args:
        lock: is held.
        writer: of the shard.
        batches: ids of what is still to be encoded.
    """

    lock: FileLock
    writer: Writer
    batches: deque[list[str]]

    def store(self, features: dict[str, np.ndarray | str], last: bool) -> None:
        """Write a batch; the last one makes the shard whole and lets go of it."""
        self.writer.add(features)
        if last:
            self.writer.finish()
            self.release()

    def release(self) -> None:
        """Let go of the shard; what is written of it stays."""
        self.writer.close()
        self.lock.release()


@dataclass(frozen=True)
class Unreadable:
    """An utterance that no encoder gets, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class _Batch:
    """Clips that are being decoded for the encoder; `last` of their shard."""

    claim: _Claim
    clips: list[Future[Clip | Unreadable]]
    last: bool


class Share:
    """The part of one process.

    Args:
        folder: of the features; its header has the plan.
        rows: Dataset with the columns `id` and `audio`, undecoded.
        encoder: the encoder of the header.
        batch_seconds: seconds of a batch, padding included.
        readers: threads that decode.
        number: of this process, from 0; it decides where the process begins.
        processes: number of all.
    """

    def __init__(
        self,
        folder: Path,
        rows: Any,
        encoder: Encoder,
        batch_seconds: float,
        readers: int = 1,
        number: int = 0,
        processes: int = 1,
    ) -> None:
        self._folder, self._encoder = folder, encoder
        self._batch_seconds, self._readers = batch_seconds, readers
        self._header = read(folder)
        self._samples = self._header.contents.samples
        self._row = {one: at for at, one in enumerate(rows.select_columns(["id"])["id"][:])}
        self._sounds = rows.select_columns(["audio"])
        every = range(len(self._header.shards))
        self._pending = sorted(every, key=lambda one: (one % processes != number, one))
        self._claims: list[_Claim] = []
        self._steps: deque[Step] = deque()
        self._looked = -_POLL

    def run(self) -> Iterator[Step]:
        """Encode until every shard is whole, whoever made it; yield what became ready, or an empty step while waiting.

        Raises:
            EncoderError: the encoder gave what is no feature, or refused more than a clip.
            ContentsError: the audio of an utterance is not what it was when it was checked.
        """
        ahead: deque[_Batch] = deque()
        behind: deque[tuple[Future[None], Step]] = deque()
        waiting = _Waiting()
        with ExitStack() as stack:
            stack.callback(self._release)
            writing = stack.enter_context(_threads(1))
            reading = stack.enter_context(_threads(self._readers))
            while self._pending or self._claims:
                self._look()
                while len(ahead) < _AHEAD and (batch := self._next(reading)) is not None:
                    ahead.append(batch)
                while self._steps:
                    yield self._steps.popleft()
                if ahead:
                    batch = ahead.popleft()
                    clips = [one.result() for one in batch.clips]
                    features = self._encoded(clips)
                    step = self._step([one.id for one in clips], len(clips))
                    behind.append((writing.submit(batch.claim.store, features, batch.last), step))
                elif self._pending and not behind:
                    waiting.a_moment(len(self._pending))
                    yield Step()
                # One batch is written while the next one is encoded; more would only fill the memory.
                while len(behind) > bool(ahead):
                    written, step = behind.popleft()
                    written.result()
                    yield step
                self._claims = [one for one in self._claims if one.lock.is_locked]

    def _encoded(self, clips: Sequence[Clip | Unreadable]) -> dict[str, np.ndarray | str]:
        sound = [one for one in clips if isinstance(one, Clip)]
        found: dict[str, np.ndarray | str] = {one.id: one.reason for one in clips if isinstance(one, Unreadable)}
        if sound:
            found |= encoded(self._encoder, sound, self._header)
        return {one.id: found[one.id] for one in clips}

    def _step(self, ids: Sequence[str], encoded: int = 0) -> Step:
        return Step(len(ids), sum(self._samples[one] for one in ids) / audio.SAMPLE_RATE, encoded)

    def _look(self) -> None:
        """Count the shards that others finished, or an earlier run."""
        if time.monotonic() - self._looked < _POLL:
            return
        for number in list(self._pending):
            if Shard(self._folder, number).index.exists():
                self._pending.remove(number)
                self._steps.append(self._step(self._header.shards[number]))
        self._looked = time.monotonic()

    def _next(self, reading: ThreadPoolExecutor) -> _Batch | None:
        """Return the next batch of the shard at hand, or of one that is free; None if there is none now."""
        claim = next((one for one in self._claims if one.batches), None) or self._claim()
        if claim is None:
            return None
        ids = claim.batches.popleft()
        return _Batch(claim, [reading.submit(self._clip, one) for one in ids], not claim.batches)

    def _claim(self) -> _Claim | None:
        """Return a shard that nobody holds, now locked; None if there is none now."""
        for number in list(self._pending):
            shard = Shard(self._folder, number)
            lock = FileLock(shard.lock, timeout=0, thread_local=False)  # the writing thread releases it
            try:
                lock.acquire()
            except Timeout:
                continue
            if not shard.index.exists() and (claim := self._begin(shard, lock)) is not None:
                self._pending.remove(number)
                self._claims.append(claim)
                return claim
            lock.release()  # finished: the next look counts it
        return None

    def _begin(self, shard: Shard, lock: FileLock) -> _Claim | None:
        """Return a shard with what is left to do; None if a killed process left nothing but to say that it is whole."""
        ids = list(self._header.shards[shard.number])
        writer = Writer(shard, self._header.storage)
        kept = [one.id for one in writer.written.utterances]
        if kept != ids[: len(kept)]:  # of another plan
            writer.close()
            shard.discard()
            writer, kept = Writer(shard, self._header.storage), []
        left = batches(ids[len(kept) :], self._samples, self._batch_seconds)
        if not left:
            writer.finish()
            writer.close()
            return None
        if kept:
            self._steps.append(self._step(kept))
        return _Claim(lock, writer, deque(left))

    def _clip(self, one: str) -> Clip | Unreadable:
        row = self._row.get(one)
        contents = self._header.contents
        if row is not None:
            try:
                samples = audio.load(self._sounds[row]["audio"])
                if crc32(samples) == contents.crc32[one]:
                    return Clip(one, samples)
            except AudioError as error:
                if one in contents.unreadable:
                    return Unreadable(one, str(error))
        forget(self._header.corpus)
        raise ContentsError(
            f"Corpus {self._header.corpus}, utterance {one}: its audio changed since it was checked. Run the same "
            "command again, which checks all of them."
        )

    def _release(self) -> None:
        for one in self._claims:
            one.release()


class _Waiting:
    """Waiting for others, mentioned when it takes long."""

    def __init__(self) -> None:
        self._since, self._shards = time.monotonic(), 0

    def a_moment(self, shards: int) -> None:
        """Sleep; `shards` are not whole yet."""
        now = time.monotonic()
        if shards != self._shards:
            self._since, self._shards = now, shards
        elif now - self._since > _NOTICE:
            logger.warning("Waiting for %d shards that other processes encode.", shards)
            self._since = now
        time.sleep(_POLL)


@contextmanager
def _threads(number: int) -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(number)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
