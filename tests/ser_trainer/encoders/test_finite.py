"""What leaves every encoder: true frames, joined per clip, and finite."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ser_trainer.encoders.encoder import Clip, EncoderError
from ser_trainer.encoders.finite import finite
from ser_trainer.encoders.joined import joined

CLIPS = [Clip(name, np.zeros(4, dtype=np.int16)) for name in "abc"]


def test_only_clips_that_overflow_are_computed_again():
    asked = []

    def compute(clips, precision):
        asked.append((precision, [clip.id for clip in clips]))
        wrong = {"b"} if precision == "bfloat16" else set()
        return [np.full((1, 2), np.inf if clip.id in wrong else 1.0, np.float32) for clip in clips]

    assert all(np.isfinite(one).all() for one in finite("tiny", CLIPS, "bfloat16", compute))
    assert asked == [("bfloat16", ["a", "b", "c"]), ("float32", ["b"])]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_not_finite_in_float32_is_named(precision):
    def compute(clips, _):
        return [np.array([[1.0, np.nan if clip.id == "c" else 1.0]], np.float32) for clip in clips]

    with pytest.raises(EncoderError, match="Encoder tiny: .*utterance c, 1 of 2 are NaN"):
        finite("tiny", CLIPS, precision, compute)
    assert finite("tiny", [], precision, compute) == []


@given(
    clips=st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=3), min_size=1, max_size=4),
    seed=st.integers(0, 99),
)
def test_frames_and_means_are_those_of_the_true_frames_of_a_clip(clips, seed):
    counts = [count for rows in clips for count in rows]
    outputs = torch.randn(2, len(counts), 5, 3, generator=torch.Generator().manual_seed(seed))
    padded = outputs.clone()
    for row, count in enumerate(counts):
        padded[:, row, count:] = torch.nan
    rows = list(map(len, clips))
    starts = np.cumsum([0, *rows])
    wanted = [
        [torch.cat([entry[row, : counts[row]] for row in range(start, end)]).numpy() for entry in outputs]
        for start, end in zip(starts[:-1], starts[1:], strict=True)
    ]
    for found, (_, last) in zip(joined(padded[1:], counts, rows, "last"), wanted, strict=True):
        np.testing.assert_array_equal(found, last)
    for found, entries in zip(joined(padded, counts, rows, "all"), wanted, strict=True):
        np.testing.assert_allclose(found, [one.mean(axis=0) for one in entries], atol=1e-6)
