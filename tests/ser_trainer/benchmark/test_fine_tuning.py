"""Fine-tuning of tasks: one training per folder, resumable, its logits in the order of the test parts."""

from dataclasses import replace

import datasets
import numpy as np
import pytest
import torch
import toy_corpus
from transformers import HubertForSequenceClassification, Wav2Vec2FeatureExtractor

from ser_trainer.benchmark.tasks import make_task
from ser_trainer.benchmark.tuning import fine_tuning
from ser_trainer.benchmark.tuning.fine_tuning import Tuning, TuningError, best_epoch, rows, tuned, validated
from ser_trainer.finetune.targets import pooled
from ser_trainer.models import tiny_hubert_config

ORDER = ("anger", "happiness", "neutral", "sadness")
QUICK = Tuning(epochs=2, batch_size=8, learning_rate=1e-3)

torch.set_num_threads(1)


def model(classes):
    """Return a tiny HuBERT that keeps the level of the recording."""
    extractor = Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True)
    return HubertForSequenceClassification(tiny_hubert_config(dict(enumerate(classes)))), extractor


def unwanted(classes):
    raise AssertionError("nothing was to be trained")


@pytest.fixture(scope="module")
def toys():
    two = {
        "a": toy_corpus.corpus("a", speakers=("s1", "s2", "s3", "s4"), each=1),
        "b": toy_corpus.corpus("b", speakers=("t1", "t2", "t3"), each=1, emotions=("anger", "neutral")),
    }
    return {name: make_task(one, "fold1", order=ORDER) for name, one in two.items()}


@pytest.fixture(scope="module")
def finished(toys, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    shares = []
    logits = tuned(folder / "run", model, toys, toys, ORDER, QUICK, progress=shares.append)
    return folder / "run", logits, shares


def test_every_test_part_gets_its_logits_in_its_order(toys, finished):
    folder, logits, _ = finished
    assert {name: one.shape for name, one in logits.items()} == {"a": (4, 4), "b": (2, 4)}
    saved = HubertForSequenceClassification.from_pretrained(folder).eval()
    extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    from loading_scripts import audio

    task = toys["a"]
    place = {one: at for at, one in enumerate(task.corpus.ids)}
    for one, expected in zip(task.parts["test"], logits["a"], strict=True):
        wave = audio.as_float(audio.load(task.corpus.rows[place[one]]["audio"]))
        with torch.inference_mode():
            given = extractor(wave, sampling_rate=16_000, return_tensors="pt")
            found = saved(given.input_values, attention_mask=given.attention_mask).logits[0].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_finished_folder_is_read_and_keeps_no_checkpoints(toys, finished):
    folder, logits, _ = finished
    again = tuned(folder, unwanted, toys, toys, ORDER, replace(QUICK, device="cuda", workers=3))
    assert all(np.array_equal(again[name], logits[name]) for name in logits)
    assert not list(folder.glob("checkpoint-*"))
    assert not list(folder.glob(".*"))


def test_each_epoch_is_validated_and_the_best_is_kept(finished):
    folder, _, _ = finished
    scores = validated(folder)
    assert [one["epoch"] for one in scores] == [1.0, 2.0]
    best = max(one["validation"] for one in scores)
    assert next(one["validation"] for one in scores if one["epoch"] == best_epoch(folder)) == best


def test_shares_of_the_work_sum_to_one(toys, finished):
    folder, _, shares = finished
    assert sum(shares) == pytest.approx(1)
    assert len(shares) > 2
    read = []
    tuned(folder, unwanted, toys, toys, ORDER, QUICK, progress=read.append)
    assert read == [1.0]


def test_a_killed_training_goes_on_and_ends_as_if_it_never_was(toys, finished, tmp_path, monkeypatch):
    _, whole, _ = finished
    save = fine_tuning.SerTrainer._save_checkpoint

    def killed_after_it(self, *args):
        save(self, *args)
        raise KeyboardInterrupt

    def killed(*_):
        raise KeyboardInterrupt

    shares = []
    folder = tmp_path / "run"
    for name, kill in (("_save_checkpoint", killed_after_it), ("predict", killed)):  # in training, then after it
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(fine_tuning.SerTrainer, name, kill)
            tuned(folder, model, toys, toys, ORDER, QUICK, progress=shares.append)
    assert (folder / "tuning.json").exists()
    assert not (folder / "logits.npz").exists()
    before = sum(shares)
    logits = tuned(folder, model, toys, toys, ORDER, QUICK, progress=shares.append)
    for name in whole:
        np.testing.assert_allclose(logits[name], whole[name], atol=1e-6)
    assert sum(shares) - before == pytest.approx(1)  # what earlier runs did is told at once
    assert validated(folder) == validated(finished[0])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"tuning": replace(QUICK, epochs=3)}, "epochs was 2, is 3"),
        ({"made_of": {"model": "another"}}, "model was None, is 'another'"),
    ],
)
def test_a_folder_of_another_training_is_refused(toys, finished, other, told):
    given = {"tuning": QUICK, "made_of": None} | other
    with pytest.raises(TuningError, match=told):
        tuned(finished[0], unwanted, toys, toys, ORDER, given["tuning"], made_of=given["made_of"])


def test_labels_that_the_model_cannot_have_are_refused(toys, tmp_path):
    with pytest.raises(TuningError, match="corpus a: labels are among.*'sadness' is not"):
        tuned(tmp_path / "run", unwanted, toys, {}, ORDER[:3], QUICK)
    assert not (tmp_path / "run").exists()


def test_a_gpu_that_is_not_the_first_is_refused(toys, tmp_path):
    with pytest.raises(TuningError, match="CUDA_VISIBLE_DEVICES"):
        tuned(tmp_path / "run", unwanted, toys, {}, ORDER, replace(QUICK, device="cuda:1"))


def test_rows_have_the_classes_of_the_model_not_of_the_corpus(toys):
    found = rows(toys["b"], "train", ORDER)
    assert found.features["labels"].names == list(ORDER)
    expected = [ORDER.index(toys["b"].labels[one]) for one in toys["b"].parts["train"]]
    assert found["labels"][:] == expected
    assert found["id"][:] == list(toys["b"].parts["train"])


def test_rows_that_are_mapped_from_a_file_can_be_pooled(toys, tmp_path):
    task = toys["a"]
    task.corpus.rows.save_to_disk(tmp_path)
    mapped = replace(task, corpus=replace(task.corpus, rows=datasets.load_from_disk(str(tmp_path))))
    found = pooled({"a": rows(mapped, "train", ORDER), "b": rows(toys["b"], "train", ORDER)})
    assert found["id"][:] == [*task.parts["train"], *toys["b"].parts["train"]]
    assert found["labels"][: len(task.parts["train"])] == task.codes(task.parts["train"]).tolist()


def test_steps_balance_and_round_robin_reach_the_trainer_which_prints_nothing(toys, tmp_path, capfd):
    tuning = replace(QUICK, max_steps=4, validate_every=2, balance="under", round_robin=True, keep_model=False)
    logits = tuned(tmp_path / "run", model, toys, {"a": toys["a"]}, ORDER, tuning)
    assert list(logits) == ["a"]
    assert capfd.readouterr() == ("", "")
    assert [one["step"] for one in validated(tmp_path / "run")] == [2, 4]
    assert sorted(one.name for one in (tmp_path / "run").iterdir()) == ["epochs.json", "logits.npz", "tuning.json"]
