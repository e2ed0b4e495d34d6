import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_trainer.benchmark.progress import StudyBar


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_each_phase_is_timed_by_itself():
    clock = Clock()
    with StudyBar({"encode": 100.0, "heads": 4.0}, clock, disable=True) as bar:
        bar.begin("encode")
        clock.now = 10.0
        bar.advance("encode", 50.0)
        assert bar.left() == pytest.approx(10.0, abs=0.2)  # of the heads nothing is known yet
        clock.now = 1000.0  # something else
        bar.begin("heads")
        clock.now = 1005.0
        bar.advance("heads", 1.0)
        assert bar.left() == pytest.approx(10.0 + 15.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 5), st.floats(0, 100)), max_size=20))
def test_the_bar_never_goes_back_and_ends_full(steps):
    clock = Clock()
    with StudyBar({"a": 20.0, "b": 50.0}, clock, disable=True) as bar:
        shown = [0.0]
        for phase, work, seconds in steps:
            clock.now += seconds
            bar.advance(phase, work)
            shown.append(bar.share)
    assert shown == sorted(shown)
    assert 0.0 <= shown[-1] <= 1.0
    assert bar.share == 1.0
