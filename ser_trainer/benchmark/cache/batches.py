"""Batches: the plan of an extraction, fixed by the corpus alone: who shares a shard, and who is encoded together.

As the plan is fixed, it does not matter who encodes a shard, or how often the work was interrupted.
"""

from collections.abc import Mapping, Sequence

from loading_scripts.audio import SAMPLE_RATE

SHARD_SECONDS = 600.0
"""Seconds of audio in a shard, at most: 154 MB of float32 for the widest frames here (1,280 values, 50 Hz)."""

SHARDS = 64
"""A small corpus is cut into about as many shards, so that several processes find work to share."""

SHORTEST_SHARD = 20.0
"""Seconds; a shard is no shorter than this, but for the last."""


def shards(samples: Mapping[str, int], seconds: float | None = None) -> list[list[str]]:
    """Return the ids of each shard: all utterances, the longest first, cut where a shard is full.

    Args:
        samples: id -> number of samples at 16 kHz.
        seconds: seconds of audio in a shard; None: what suits the size of the corpus.
    """
    if seconds is None:
        total = sum(samples.values()) / SAMPLE_RATE
        seconds = min(max(total / SHARDS, SHORTEST_SHARD), SHARD_SECONDS)
    return _cut(sorted(samples, key=lambda one: (-samples[one], one)), samples, seconds, padded=False)


def batches(ids: Sequence[str], samples: Mapping[str, int], seconds: float) -> list[list[str]]:
    """Return the ids of each batch of a shard, in their order; every batch holds at least one.

    Cut at the front where a batch ends, the rest gives the same batches: an interrupted shard goes on with them.

    Args:
        ids: the utterances of a shard that are not encoded yet, the longest first.
        samples: id -> number of samples at 16 kHz.
        seconds: seconds of a batch, padding included.
    """
    return _cut(ids, samples, seconds, padded=True)


def _cut(ids: Sequence[str], samples: Mapping[str, int], seconds: float, padded: bool) -> list[list[str]]:
    """Cut an order into runs of at most `seconds`; padded, each utterance is as long as the first of its run."""
    runs: list[list[str]] = []
    limit, held = seconds * SAMPLE_RATE, 0
    for one in ids:
        length = samples[runs[-1][0]] if padded and runs else samples[one]
        if runs and held + length <= limit:
            runs[-1].append(one)
            held += length
        else:
            runs.append([one])
            held = samples[one]
    return runs
