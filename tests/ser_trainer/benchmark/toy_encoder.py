"""An encoder that costs nothing, needs no torch, and notes every utterance that it encodes."""

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import datasets
import numpy as np

from loading_scripts.audio import flac
from ser_trainer.encoders.encoder import Clip, ClipError, Layers


@dataclass
class ToyEncoder:
    """A frame of 8 numbers for every 320 samples.

    Args:
        log: file to which a line, process and id, is appended for each utterance.
        company: whether the first process of all waits until another one has encoded something.
        die_after: utterances after which the process kills itself, in the middle of a batch.
        revision: changes the values.
        vector: whether there is one vector per utterance.
    """

    log: Path | None = None
    company: bool = False
    die_after: int | None = None
    revision: str = "1"
    vector: bool = False
    name: str = "toy"
    width: int = 8
    depth: int = 3
    refused: tuple[str, ...] = ()
    nan: tuple[str, ...] = ()
    huge: tuple[str, ...] = ()
    encoded: list[str] = field(default_factory=list)

    @property
    def frame_rate(self) -> float | None:
        return None if self.vector else 50.0

    @property
    def identity(self) -> dict[str, str]:
        return {"encoder": "toy", "revision": self.revision}

    def encode(self, clips: Sequence[Clip], layers: Layers = "last") -> list[np.ndarray]:
        for one in clips:
            if one.id in self.refused:
                raise ClipError(f"utterance {one.id}: too short", one.id)
        if self.company and multiprocessing.parent_process() is None:
            self._wait_for_company()
        found = []
        for one in clips:
            if self.die_after is not None and len(self.encoded) >= self.die_after:
                os.kill(os.getpid(), signal.SIGKILL)
            self.encoded.append(one.id)
            if self.log:
                with self.log.open("a") as file:
                    file.write(f"{os.getpid()} {one.id}\n")
            found.append(self.features(one, layers))
        return found

    def _wait_for_company(self) -> None:
        deadline = time.monotonic() + 60
        while not any(int(process) != os.getpid() for process, _ in logged(self.log)):
            assert time.monotonic() < deadline, "no other process encodes"
            time.sleep(0.02)

    def features(self, clip: Clip, layers: Layers = "last") -> np.ndarray:
        wave = np.pad(clip.wave, (0, -len(clip.wave) % 320)).reshape(-1, 320)
        frames = wave[:, : self.width] * float(self.revision)
        if clip.id in self.nan:
            frames[0, 0] = np.nan
        if clip.id in self.huge:
            frames[0, 0] = 1e6
        if layers == "all":
            return np.stack([frames.mean(0) * (1 + layer) for layer in range(self.depth)])
        return frames.mean(0, keepdims=True) if self.vector else frames


def speech(count: int = 40, seed: int = 0) -> dict[str, np.ndarray]:
    """Return id -> int16 noise of 0.1 to 1.5 s."""
    noise = np.random.default_rng(seed)
    lengths = noise.integers(1_600, 24_000, count)
    return {f"u{k:03d}": noise.integers(-9_000, 9_000, length, np.int16) for k, length in enumerate(lengths)}


def table(sounds: dict[str, np.ndarray]) -> datasets.Dataset:
    """Return rows that hold the audio as FLAC."""
    audio = [{"path": f"{one}.flac", "bytes": flac(samples)} for one, samples in sounds.items()]
    rows = datasets.Dataset.from_dict({"id": list(sounds), "audio": audio})
    return rows.cast_column("audio", datasets.Audio(decode=False))


def logged(log: Path) -> list[tuple[str, str]]:
    """Return (process, id) of everything that was encoded."""
    return [tuple(line.split()) for line in log.read_text().splitlines()] if log.exists() else []


def opener(**options: object) -> partial:
    """Return what opens a toy encoder in another process."""
    return partial(ToyEncoder, **options)


def extract_toy(rows: datasets.Dataset, options: dict, choice: dict) -> None:
    """Extract; what a process of its own runs."""
    from ser_trainer.benchmark.cache.extract import extract

    extract(rows, ToyEncoder(**options), "toy", **choice)
