import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ser_trainer.benchmark.heads.speaker_norm import normalised

speakers = st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=20)


@given(speakers, st.integers(0, 2**32 - 1))
def test_every_speaker_has_mean_0_and_deviation_1_or_is_0(who, seed):
    x = np.random.default_rng(seed).normal(5, 3, (len(who), 4))
    x[:, 2] = 0.1  # equal values whose mean is not exactly 0.1
    z = normalised(x, who)
    for one in set(who):
        mine = z[[other == one for other in who]]
        assert np.allclose(mine.mean(axis=0), 0, atol=1e-9)
        assert np.allclose(mine.std(axis=0), [1, 1, 0, 1] if len(mine) > 1 else 0, atol=1e-6)
        assert (mine[:, 2] == 0).all()


@given(speakers, st.integers(0, 2**32 - 1))
def test_what_a_speaker_gets_does_not_depend_on_the_others_nor_on_the_order(who, seed):
    rng = np.random.default_rng(seed)
    x, order = rng.normal(size=(len(who), 3)), rng.permutation(len(who))
    whole = normalised(x, who)
    assert np.allclose(normalised(x[order], [who[i] for i in order]), whole[order])
    alone = [i for i, one in enumerate(who) if one == who[0]]
    assert (normalised(x[alone], [who[0]] * len(alone)) == whole[alone]).all()


def test_unknown_speakers_are_one_group():
    x = np.array([[0.0], [2.0], [10.0]])
    assert normalised(x, [None, None, "a"]).ravel().tolist() == [-1, 1, 0]


def test_scale_and_offset_of_a_speaker_vanish_and_the_type_stays():
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    who = ["a"] * 3 + ["b"] * 3
    shifted = x.copy()
    shifted[3:] = shifted[3:] * 4 + 100
    assert np.allclose(normalised(x, who), normalised(shifted, who), atol=1e-4)
    assert normalised(x, who).dtype == np.float32
    assert normalised(np.arange(6).reshape(3, 2), "aab").dtype == np.float64


def test_one_speaker_per_row_is_needed():
    with pytest.raises(ValueError, match=r"shape \(3, 2\) and 2 speakers"):
        normalised(np.zeros((3, 2)), ["a", "b"])
