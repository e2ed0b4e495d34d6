import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_corpus import corpus

from ser_trainer.benchmark.corpora import CorpusError
from ser_trainer.benchmark.tasks import make_task, share_classes


@settings(max_examples=20, deadline=None)
@given(
    speakers=st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f", None]), min_size=3, max_size=6, unique=True),
    emotions=st.integers(2, 4),
)
def test_every_utterance_of_a_config_is_in_one_part_or_dropped(speakers, emotions):
    toy = corpus(speakers=speakers, each=3, emotions=("anger", "happiness", "neutral", "sadness")[:emotions])
    task = make_task(toy, "fold1", longest=0.45)
    lost = [one for ids in task.dropped.values() for one in ids]
    assert sorted([*task.ids, *lost]) == sorted(toy.ids)
    assert all(toy.facts[one]["duration"] <= 0.45 for one in task.ids)
    assert set(task.parts["test"]) <= set(toy.split("fold1")["test"])


def test_a_config_without_validation_gets_whole_speakers():
    toy = corpus(speakers=tuple("abcdef"))
    task = make_task(toy, "fold1")
    assert task.drawn
    assert not set(task.speakers(task.parts["validation"])) & set(task.speakers(task.parts["train"]))
    assert task.shared_speakers() == 0.0
    assert task.flags() == ["validation drawn from train by serbench's rule"]


def test_a_leak_and_a_missing_class_are_flagged():
    toy = corpus(each=3)
    ids = [one for one in toy.ids if "-sadness-" not in one]
    train, validation, test = ([one for one in ids if one.endswith(f"-{number}")] for number in range(3))
    parts = {"train": train, "validation": validation, "test": [*test, "toy-s1-sadness-0"]}
    task = make_task(toy, "odd", parts=parts)
    assert task.absent() == ["sadness"]
    assert task.flags()[0].startswith("speaker leak: 100%")
    assert task.flags()[1] == "classes absent from train: sadness"


def test_nothing_is_said_of_speakers_that_are_unknown():
    task = make_task(corpus(speakers=("a", "b", None)), "fold1")
    assert task.shared_speakers() is None


def test_failed_utterances_leave_their_part_and_are_counted():
    task = make_task(corpus(), "fold1")
    lost = task.parts["test"][0]
    left = task.without({lost: "too short", "somebody else": "?"})
    assert left.parts["test"] == task.parts["test"][1:]
    assert left.dropped["not encoded"] == (lost,)
    assert task.without({}) is task


def test_a_part_without_utterances_is_refused():
    toy = corpus()
    with pytest.raises(CorpusError, match="test has none"):
        make_task(toy, "odd", parts={"train": toy.ids, "test": ()})
    with pytest.raises(CorpusError, match="test has none"):
        make_task(toy, "fold1").without(dict.fromkeys(toy.split("fold1")["test"], "?"))


def test_a_config_that_only_trains_is_refused():
    toy = corpus(configs={"official": {"train": ("toy-s1-anger-0",)}})
    with pytest.raises(CorpusError, match="need train and test; it has train"):
        make_task(toy, "official")
    with pytest.raises(CorpusError, match="has no config 'fold9'. Configs: all, official"):
        make_task(toy, "fold9")


def test_folds_share_their_classes_in_the_order_of_the_corpus():
    toy = corpus(each=1)
    few = [one for one in toy.ids if "-neutral-" not in one]
    tasks = [
        make_task(toy, name, parts={"train": ids[::2], "validation": ids[1::4], "test": ids[3::4]})
        for name, ids in (("fold1", few), ("fold2", toy.ids))
    ]
    assert [len(task.classes) for task in tasks] == [3, 4]
    assert {task.classes for task in share_classes(tasks)} == {("anger", "happiness", "neutral", "sadness")}
