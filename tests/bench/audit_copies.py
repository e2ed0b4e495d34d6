"""Near copies in an audit: hits by kind of change, false alarms, minutes and memory for 10,000 clips.

Planted are changed copies of every eighth recording. False alarms are counted among the recordings themselves, of which
the pairs that `KNOWN` names do share audio (waveform correlation 0.99 and more).

Goal: 10,000 clips in less than 10 minutes on two cores.

    SERBENCH_URDU=... SERBENCH_TUREVDB=... python tests/bench/audit_copies.py [clips of the timed audit, default 10000]

Without the corpora, the demo corpus stands in for them.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import soundfile
from timing import REPOSITORY

sys.path.insert(0, str(REPOSITORY))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from loading_scripts import audio, registry  # noqa: E402
from loading_scripts.audit import Kind, examine  # noqa: E402
from loading_scripts.audit.fingerprint import peaks  # noqa: E402
from loading_scripts.audit.matching import matches  # noqa: E402
from loading_scripts.corpora import demo  # noqa: E402
from loading_scripts.utterance import Gender, Utterance  # noqa: E402
from loading_scripts.voice import VOWELS, Manner, speak  # noqa: E402

EVERY = 8
"""Of so many recordings one is copied."""

KNOWN = {
    frozenset(pair.split())
    for pair in (
        "SM2_F2_A024 SM2_F3_A025",
        "SM6_F8_H070 SM6_F9_H071",
        "SM24_F2_S014 SM24_F3_S015",
        "SM24_F4_S016 SM24_F5_S017",
        "SM24_F8_S020 SM24_F9_S021",
        "SM24_F14_S026 SM24_F15_S027",
        "SM25_F8_S058 SM25_F9_S059",
        "SF1_F4_H04 SF4_F3_H019",
        "SF1_F4_H04 SF4_F4_H020",
        "SF1_F3_H03 SF4_F3_H019",
        "SF6_F10_H034 SF6_F5_H029",
    )
}
"""Pairs of URDU that overlap: the seven of its record, then four that this search found."""

Change = Callable[[np.ndarray, int], tuple[np.ndarray, int]]


def mp3(mono: np.ndarray, rate: int, bits: int = 64_000) -> tuple[np.ndarray, int]:
    """Return samples after MP3 at so many bits a second."""
    import av

    file = BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate)
        stream.bit_rate, stream.layout, stream.codec_context.format = bits, "mono", "s16p"
        frame = av.AudioFrame.from_ndarray(np.rint(mono * 32767).astype(np.int16)[None], format="s16p", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    samples, rate = soundfile.read(BytesIO(file.getvalue()), dtype="float32")
    return samples, rate


def telephone(mono: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Return samples at 16 kHz that were at 8 kHz in between."""
    wide = audio.resample(mono, rate, 16_000)
    return audio.resample(audio.resample(wide, 16_000, 8_000), 8_000, 16_000), 16_000


def noisy(mono: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Return samples with white noise, 20 dB below their level."""
    noise = np.random.default_rng(0).normal(0, 0.1 * mono.std(), len(mono))
    return (mono + noise).astype(np.float32), rate


CHANGES: dict[str, Change] = {
    "gain -12 dB": lambda mono, rate: (mono * 10 ** (-12 / 20), rate),
    "gain +6 dB, or what does not clip": lambda mono, rate: (
        mono * min(10 ** (6 / 20), 0.99 / np.abs(mono).max()),
        rate,
    ),
    "MP3, 64 kbit/s": mp3,
    "MP3, 32 kbit/s": lambda mono, rate: mp3(mono, rate, 32_000),
    "resampled to 16 kHz": lambda mono, rate: (audio.resample(mono, rate, 16_000), 16_000),
    "16 kHz by way of 8 kHz": telephone,
    "0.3 s of silence before": lambda mono, rate: (np.pad(mono, (int(0.3 * rate), 0)), rate),
    "first 0.3 s cut off": lambda mono, rate: (mono[int(0.3 * rate) :], rate),
    "middle 70 %": lambda mono, rate: (mono[int(0.15 * len(mono)) : int(0.85 * len(mono))], rate),
    "noise 20 dB below": noisy,
}


def read(path: Path) -> tuple[np.ndarray, int]:
    """Return mono float32 samples and their rate."""
    samples, rate = audio.read(path)
    return samples.mean(axis=1), rate


def print_of(path: Path) -> tuple[np.ndarray, float]:
    """Return the peaks of a file and its duration."""
    mono, rate = read(path)
    return peaks(mono, rate), len(mono) / rate


def print_changed(path: Path, change: str) -> tuple[np.ndarray, float]:
    """Return the peaks of a changed copy and its duration."""
    mono, rate = CHANGES[change](*read(path))
    return peaks(mono, rate), len(mono) / rate


def quality(name: str, files: list[Path]) -> None:
    """Print false alarms among the files, and hits among changed copies of some of them."""
    originals = [print_of(file) for file in files]
    found = list(matches(*zip(*originals, strict=True)))
    pairs = len(files) * (len(files) - 1) // 2
    known = [one for one in found if frozenset((files[one.first].stem, files[one.second].stem)) in KNOWN]
    false = len(found) - len(known)
    print(f"\n{name}: {len(files)} recordings, {pairs} pairs")
    print(f"false alarms: {false}, {1e6 * false / pairs:.2f} in a million pairs; known overlaps found: {len(known)}")
    chosen = range(0, len(files), EVERY)
    print(f"{'change':36s} {'hits':>12s} {'share':>8s}   wrong pairs   hits of copies of 0.5 s and more")
    for change in CHANGES:
        copies = [print_changed(files[number], change) for number in chosen]
        hits, wrong = set(), 0
        for one in matches(*zip(*originals, *copies, strict=True)):
            if one.first < len(files) <= one.second:
                number = one.second - len(files)
                source = files[one.first].stem, files[chosen[number]].stem
                if source[0] == source[1]:
                    hits.add(number)
                else:
                    wrong += frozenset(source) not in KNOWN
        long = [number for number, (_, seconds) in enumerate(copies) if seconds >= 0.5]
        share, long_hits = len(hits) / len(chosen), len(hits.intersection(long))
        print(f"{change:36s} {len(hits):5d} of {len(chosen):3d} {share:8.1%} {wrong:13d}   {long_hits} of {len(long)}")


def utter(path: Path, number: int) -> None:
    """Write a clip of about 3 s that nobody else says: random words by one of the demo's voices."""
    rng = np.random.RandomState(number)
    words = ["".join(rng.choice(list("bdfgklmnst")) + rng.choice(list(VOWELS)) for _ in range(2)) for _ in range(6)]
    voice = list(demo.VOICES.values())[number % len(demo.VOICES)]
    manner = Manner(*(rng.standard_normal(len(demo.SPREAD)) * np.array(demo.SPREAD)))
    soundfile.write(path, speak(" ".join(words), voice, manner, rng), 16_000, subtype="PCM_16")


def speed(clips: int, folder: Path) -> None:
    """Print minutes of an audit of so many clips with two processes, and of a second one, and memory."""
    paths = [folder / "raw" / f"{number:05d}.wav" for number in range(clips)]
    paths[0].parent.mkdir()
    with ProcessPoolExecutor() as pool:
        list(pool.map(utter, paths, range(clips), chunksize=64))
    seconds = sum(soundfile.info(path).duration for path in paths) / clips

    def find(root: Path) -> Iterator[Utterance]:
        for path in paths:
            yield Utterance(
                id=path.stem, path=path.name, native="neutral", speaker=None, gender=Gender.UNKNOWN, language="zxx"
            )

    record = replace(registry.load("demo").CORPUS, id="clips", utterances=clips, partitions={}, speakers={})
    corpus = SimpleNamespace(CORPUS=record, find=find)
    os.environ["SERBENCH_CACHE"] = str(folder / "cache")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    for turn in ("first", "second"):
        start = time.perf_counter()
        audit = examine([(corpus, folder / "raw")], num_proc=2)
        minutes = (time.perf_counter() - start) / 60
        false = sum(one.kind in (Kind.NEAR_COPY, Kind.OVERLAPPING_CUTS) for one in audit.findings)
        print(
            f"{turn} audit of {clips} clips of {seconds:.1f} s: {minutes:.2f} minutes, {minutes * 1e4 / clips:.2f} for "
            f"10,000; {false} false alarms in {clips * (clips - 1) // 2} pairs"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory without the workers: {peak:.0f} MB, {before:.0f} of them before")


def main() -> None:
    """Measure and print."""
    roots = {name: os.environ.get(f"SERBENCH_{name.upper()}") for name in ("urdu", "turevdb")}
    with tempfile.TemporaryDirectory() as folder:
        if not any(roots.values()):
            roots = {"demo": f"{folder}/demo"}
            Path(roots["demo"]).mkdir()
            demo.make(Path(roots["demo"]))
        everything = []
        for name, root in roots.items():
            if root:
                files = [Path(root) / one.path for one in registry.load(name).find(Path(root))]
                quality(name, files)
                everything += files
        if len(everything) > len(files):
            quality("all together", everything)
        speed(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, Path(folder))


if __name__ == "__main__":
    main()
