"""P4: padding of training batches of 16: share of padded seconds that is not speech.

Goal: at most 8 % where random batches waste 63 % (IEMOCAP), 66 % (MELD) and 17 % (URDU).

    python tests/bench/p4_batches.py [--emobox CHECKOUT/data] [--urdu FOLDER]

IEMOCAP and MELD may not be passed on, and their audio is not needed: EmoBox's lists hold the length of every utterance
(https://github.com/emo-box/EmoBox, commit 08280f2, data/<corpus>/<corpus>.jsonl). Without a checkout, lengths are drawn
from the quantiles of these lists, which stand below, and the lines say "simulated".
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent.parent))
from loading_scripts.audio import duration  # noqa: E402
from ser_trainer.finetune.sampling import BatchSchedule  # noqa: E402

BATCH, CAP, EPOCHS = 16, 120.0, 5

SHARES = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1]
# Of each corpus: utterances, quantiles in seconds at SHARES without the ten longest, the ten longest.
LISTED = {
    "iemocap": (
        5531,
        [0.585, 1.09, 1.385, 1.68, 2.13, 2.55, 3.0, 3.57, 4.236, 5.178, 6.51, 8.64, 10.88, 13.763, 15.192, 16.688]
        + [22.524],
        [23.14, 23.74, 23.86, 24.13, 24.36, 26.77, 29.05, 29.13, 31.91, 34.14],
    ),
    "meld": (
        13706,
        [0.064, 0.171, 0.661, 1.003, 1.408, 1.76, 2.091, 2.475, 2.923, 3.563, 4.48, 6.272, 7.893, 9.984, 11.477, 12.864]
        + [20.117],
        [20.14, 20.2, 20.99, 22.96, 24.28, 25.79, 28.54, 41.04, 235.07, 304.96],
    ),
}


def simulated(corpus: str) -> np.ndarray:
    """Return lengths in seconds with the quantiles of a corpus, in random order."""
    utterances, quantiles, longest = LISTED[corpus]
    generator = np.random.default_rng(0)
    return generator.permutation([*np.interp(generator.random(utterances - len(longest)), SHARES, quantiles), *longest])


def listed(folder: Path, corpus: str) -> np.ndarray:
    """Return the lengths in EmoBox's list of a corpus, in its order."""
    lines = (folder / corpus / f"{corpus}.jsonl").read_text().splitlines()
    return np.array([json.loads(line)["length"] for line in lines])


def measured(folder: Path) -> np.ndarray:
    """Return the lengths of all WAV files below a folder, in the order of their paths."""
    return np.array([duration(path) for path in sorted(folder.rglob("*.wav"))])


def figures(schedule: BatchSchedule, lengths: np.ndarray) -> tuple[float, float]:
    """Return the share of padding over all epochs, and the longest batch in padded seconds."""
    padded, speech = [], 0.0
    for epoch in range(EPOCHS):
        schedule.set_epoch(epoch)
        for batch in schedule:
            seconds = lengths[[pick.entry for pick in batch]]
            padded.append(len(batch) * seconds.max())
            speech += seconds.sum()
    return 1 - speech / sum(padded), max(padded)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--emobox", type=Path, help="folder data of a checkout of EmoBox")
    parser.add_argument("--urdu", type=Path, help="folder with the corpus URDU")
    arguments = parser.parse_args()
    if arguments.emobox:
        corpora = {f"{name}, EmoBox's list": listed(arguments.emobox, name) for name in LISTED}
    else:
        corpora = {f"{name}, simulated": simulated(name) for name in LISTED}
    if arguments.urdu:
        corpora["urdu, its files"] = measured(arguments.urdu)
    elif arguments.emobox:
        corpora["urdu, EmoBox's list"] = listed(arguments.emobox, "urdu")

    print(f"P4: padding of batches of {BATCH}, mean of {EPOCHS} epochs; longest batch, padding included")
    print(f"{'':28s} {'hours':>6s} {'random':>16s} {'file order':>16s} {'by length':>16s} {f'<= {CAP:.0f} s':>16s}")
    for name, lengths in corpora.items():
        one, ordered = [np.arange(len(lengths))], "simulated" not in name
        schedules = {
            "random": BatchSchedule(one, BATCH),
            "file order": BatchSchedule(one, BATCH, shuffle=False) if ordered else None,
            "by length": BatchSchedule(one, BATCH, lengths=lengths),
            "capped": BatchSchedule(one, BATCH, lengths=lengths, batch_seconds=CAP),
        }
        cells = ["-" if s is None else "{:6.1%} {:7.0f} s".format(*figures(s, lengths)) for s in schedules.values()]
        print(f"{name:28s} {lengths.sum() / 3600:6.2f} " + " ".join(f"{cell:>16s}" for cell in cells))

    lengths = np.resize(simulated("meld"), 100_000)
    schedule = BatchSchedule([np.arange(len(lengths))], BATCH, lengths=lengths, batch_seconds=CAP)
    start = time.perf_counter()
    batches = len(list(schedule))
    print(f"\n{batches} batches of an epoch of {len(lengths):,} entries: {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
