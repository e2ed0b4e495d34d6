"""The order of training: what each process sees, in which step, epoch after epoch."""

from collections import Counter
from itertools import islice

import numpy as np
import pytest
import torch
from accelerate.data_loader import skip_first_batches
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from ser_trainer.finetune.sampling import BatchSchedule, Pick, SamplingError


@st.composite
def corpora(draw):
    """Return streams that share out the entries 0 ... n - 1 in random order, and the seconds of the entries."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    generator = np.random.default_rng(draw(st.integers(0, 1000)))
    streams = np.split(generator.permutation(sum(sizes)), np.cumsum(sizes)[:-1])
    return streams, generator.lognormal(1, 0.7, sum(sizes)).round(1) + 0.1


def steps_of(streams, batch_size, epoch=0, processes=1, accumulation=1, **options):
    """Return for each step of an epoch the parts that all ranks see, in the order of the parts."""
    ranks = []
    for rank in range(processes):
        one = BatchSchedule(streams, batch_size, processes=processes, rank=rank, accumulation=accumulation, **options)
        one.set_epoch(epoch)
        batches = list(one)
        assert len(batches) == len(one)
        ranks.append(batches)
    steps = len(ranks[0]) // accumulation
    return [
        [ranks[rank][step * accumulation + turn] for turn in range(accumulation) for rank in range(processes)]
        for step in range(steps)
    ]


def picks(parts):
    return [pick for part in parts for pick in part]


shapes = st.sampled_from([(8, 1, 1), (4, 2, 1), (4, 1, 2), (2, 2, 2), (1, 4, 2), (2, 4, 1)])


@given(corpora(), shapes, st.booleans(), st.booleans(), st.integers(0, 9), st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_a_step_has_the_same_rows_however_it_is_shared_out(given, shape, measured, shuffle, seed, epoch):
    streams, lengths = given
    options = {"lengths": lengths if measured else None, "shuffle": shuffle, "seed": seed, "epoch": epoch}
    batch_size, processes, accumulation = shape
    alone = steps_of(streams, 8, **options)
    shared = steps_of(streams, batch_size, processes=processes, accumulation=accumulation, **options)
    assert len(alone) == len(shared)
    for (batch,), parts in zip(alone, shared, strict=True):
        assert set(batch) == set(picks(parts))
        assert all(1 <= len(part) <= batch_size for part in parts)
        if len(batch) >= len(parts):  # else rows are repeated, so that no part is empty
            assert sorted(batch) == sorted(picks(parts))


@given(corpora(), st.integers(1, 9), st.booleans(), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_streams_take_turns_and_start_again_only_when_exhausted(given, batch_size, measured, seed):
    streams, lengths = given
    options = {"lengths": lengths if measured else None, "seed": seed}
    homes = {entry: number for number, stream in enumerate(streams) for entry in stream.tolist()}
    steps = [step for epoch in range(3) for step in steps_of(streams, batch_size, epoch, **options)]
    seen = [[] for _ in streams]
    for number, step in enumerate(steps):
        found = {homes[pick.entry] for pick in picks(step)}
        assert found == {number % len(streams)}
        seen[found.pop()] += picks(step)
    for stream, taken in zip(streams, seen, strict=True):
        whole = len(taken) // len(stream)
        assert [pick.turn for pick in taken] == [place // len(stream) for place in range(len(taken))]
        times = Counter(pick.entry for pick in taken[: whole * len(stream)])
        assert times == dict.fromkeys(stream.tolist(), whole) if whole else not times


@given(corpora(), st.integers(1, 9), st.booleans(), st.booleans(), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_with_one_stream_an_epoch_is_one_pass(given, batch_size, measured, shuffle, epoch):
    streams, lengths = given
    one = np.concatenate(streams)
    steps = steps_of([one], batch_size, epoch, lengths=lengths if measured else None, shuffle=shuffle)
    assert sorted(picks(picks(steps))) == [Pick(entry, epoch) for entry in range(len(one))]
    assert sum(len(picks(step)) < batch_size for step in steps) <= 1
    if not shuffle and not measured:
        assert [pick.entry for pick in picks(picks(steps))] == one.tolist()


@given(corpora(), shapes, st.booleans(), st.floats(1, 40), st.integers(0, 4))
@settings(max_examples=80, deadline=None)
def test_no_part_is_longer_than_asked_unless_one_row_is(given, shape, shuffle, most, epoch):
    streams, lengths = given
    batch_size, processes, accumulation = shape
    steps = steps_of(
        streams,
        batch_size,
        epoch,
        processes=processes,
        accumulation=accumulation,
        lengths=lengths,
        batch_seconds=most,
        shuffle=shuffle,
    )
    for part in picks(steps):
        padded = len(part) * max(lengths[pick.entry] for pick in part)
        assert len(part) <= batch_size
        assert len(part) == 1 or padded <= most


def test_rows_that_are_all_too_long_are_shared_out_one_by_one_and_not_repeated():
    lengths = np.full(8, 10.0)
    steps = steps_of([np.arange(8)], 2, processes=2, accumulation=2, lengths=lengths, batch_seconds=9)
    assert [[len(part) for part in step] for step in steps] == [[1] * 4] * 2
    assert sorted(pick.entry for step in steps for pick in picks(step)) == list(range(8))


@given(corpora(), st.floats(1, 40), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_under_a_cap_too_every_pass_has_each_entry_once(given, most, batch_size):
    streams, lengths = given
    one = np.concatenate(streams)
    taken = [
        pick
        for epoch in range(4)
        for step in steps_of([one], batch_size, epoch, lengths=lengths, batch_seconds=most)
        for pick in picks(step)
    ]
    for turn in range(taken[-1].turn):
        assert sorted(pick.entry for pick in taken if pick.turn == turn) == list(range(len(one)))


@given(corpora(), shapes, st.sampled_from([None, 9.0]), st.lists(st.integers(0, 6), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_an_epoch_is_the_same_whatever_came_before(given, shape, most, epochs):
    streams, lengths = given
    batch_size, processes, accumulation = shape
    options = {"processes": processes, "accumulation": accumulation, "lengths": lengths, "batch_seconds": most}
    used = BatchSchedule(streams, batch_size, rank=processes - 1, **options)
    for epoch in epochs:
        used.set_epoch(epoch)
        list(islice(used, 3))
        used.set_epoch(epoch)
        fresh = BatchSchedule(streams, batch_size, rank=processes - 1, **options)
        fresh.set_epoch(epoch)
        assert list(used) == list(fresh)


def test_passes_and_streams_and_seeds_differ_in_their_order():
    def order(seed, epoch):
        return [[pick.entry % 50 for pick in picks(step)] for step in steps_of(streams, 50, epoch, seed=seed)]

    streams = np.split(np.arange(100), 2)
    orders = [*order(0, 0), *order(0, 1), *order(1, 0)]
    assert len({tuple(each) for each in orders}) == 6


@pytest.mark.parametrize("processes", [1, 2])
def test_sorting_by_length_leaves_little_padding_and_no_order_by_length(processes):
    lengths = np.random.default_rng(0).lognormal(1.31, 0.63, 5531)

    def padded(batches):
        return sum(len(batch) * lengths[[pick.entry for pick in batch]].max() for batch in batches)

    one = [np.arange(len(lengths))]
    random = picks(steps_of(one, 16, processes=processes))
    ordered = steps_of(one, 16, processes=processes, lengths=lengths)
    waste = 1 - lengths.sum() / padded(picks(ordered))
    assert waste < 0.08 < 0.5 < 1 - lengths.sum() / padded(random)
    longest = np.array([lengths[[pick.entry for pick in picks(step)]].max() for step in ordered])
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.2


def test_the_small_step_of_a_pass_is_not_the_one_with_the_longest_rows():
    lengths = np.arange(1.0, 102.0)
    small = []
    for epoch in range(40):
        steps = steps_of([np.arange(101)], 10, epoch, lengths=lengths)
        small += [lengths[pick.entry] for step in steps for pick in picks(step) if len(picks(step)) == 1]
    assert len(small) == 40
    assert 30 < np.mean(small) < 70


class Entries:
    """A data set whose items are the picks themselves."""

    def __len__(self):
        return 30

    def __getitem__(self, pick):
        return pick


@pytest.mark.parametrize(("skipped", "workers"), [(0, 0), (1, 0), (5, 2), (17, 0)])
def test_a_resumed_epoch_goes_on_where_it_stopped(skipped, workers):
    """What Trainer does in its `_run_epoch`: skip, look for the schedule inside, set the epoch, iterate."""
    schedule = BatchSchedule(np.split(np.arange(30), [7, 12]), 2, accumulation=2, lengths=np.arange(1.0, 31.0))
    loader = DataLoader(Entries(), batch_sampler=schedule, collate_fn=list, num_workers=workers)
    assert not hasattr(loader, "set_epoch")
    loader.batch_sampler.batch_sampler.set_epoch(3)
    whole = list(loader)
    assert len(whole) == len(loader)

    schedule.set_epoch(0)
    rest = skip_first_batches(loader, skipped)
    rest.batch_sampler.batch_sampler.set_epoch(3)
    assert len(rest) == len(whole) - skipped
    assert list(rest) == whole[skipped:]


class Sum(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, entries):
        return {"loss": (self.weight - entries.float()).square().mean()}


class Recording(Trainer):
    """A Trainer whose loader is the schedule's, and which writes down every batch that it trains on."""

    def __init__(self, schedule, **arguments):
        self.schedule, self.seen = schedule, []
        defaults = {"use_cpu": True, "report_to": "none", "disable_tqdm": True, "num_train_epochs": 3}
        more = {"save_strategy": "steps", "save_steps": 1, "gradient_accumulation_steps": schedule.accumulation}
        super().__init__(Sum(), TrainingArguments(**defaults | more | arguments), train_dataset=Entries())

    def get_train_dataloader(self):
        return DataLoader(Entries(), batch_sampler=self.schedule, collate_fn=self.collate)

    @staticmethod
    def collate(batch):
        return {"entries": torch.tensor([entry for entry, _ in batch]), "turns": torch.tensor([t for _, t in batch])}

    def training_step(self, model, inputs, *rest):
        turns = inputs.pop("turns").tolist()
        self.seen.append([Pick(*pick) for pick in zip(inputs["entries"].tolist(), turns, strict=True)])
        return super().training_step(model, inputs, *rest)


def test_trainer_sets_the_epochs_and_resumes_in_the_middle_of_one(tmp_path):
    def schedule():
        return BatchSchedule(np.split(np.arange(30), [7, 12]), 3, accumulation=2)

    expected = []
    for epoch in range(3):
        order = schedule()
        order.set_epoch(epoch)
        expected += list(order)
    whole = Recording(schedule(), output_dir=str(tmp_path))
    whole.train()
    assert whole.seen == expected
    steps = len(schedule()) // 2
    stopped = steps + 2  # two steps into the second epoch
    resumed = Recording(schedule(), output_dir=str(tmp_path))
    resumed.train(resume_from_checkpoint=str(tmp_path / f"checkpoint-{stopped}"))
    assert resumed.seen == expected[2 * stopped :]


def test_the_epoch_is_that_of_the_moment_when_iteration_starts():
    schedule = BatchSchedule([np.arange(5)], 2)
    running = iter(schedule)
    schedule.set_epoch(1)
    assert {pick.turn for batch in running for pick in batch} == {0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1; it is 0"),
        ({"accumulation": 0}, "accumulation must be at least 1; it is 0"),
        ({"processes": 2, "rank": 2}, "from 0 to 1, one per process; it is 2"),
        ({"streams": []}, "at least one stream"),
        ({"streams": [[0, 1], []]}, "stream 1 is empty"),
        ({"batch_seconds": 9.0}, r"9\.0, and lengths are missing"),
        ({"batch_seconds": -1.0, "lengths": [1, 1, 1]}, r"positive.*-1\.0, and lengths are given"),
        ({"lengths": [1.0, 2.0]}, "entry 2 has none of 2"),
        ({"lengths": [1.0, np.nan, 1.0]}, "entry 1 is nan"),
        ({"lengths": [1.0, 1.0, 0.0]}, r"entry 2 is 0\.0"),
    ],
)
def test_arguments_that_make_no_sense_are_named(arguments, message):
    with pytest.raises(SamplingError, match=message):
        BatchSchedule(**{"streams": [[0, 1, 2]], "batch_size": 2} | arguments)
