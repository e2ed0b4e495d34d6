import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from toy import EMOTIONS, classifier, corpus, extractor, losses, trainer

from ser_trainer.finetune.arguments import SerTrainingArguments
from ser_trainer.finetune.outputs import ModelMismatchError
from ser_trainer.finetune.targets import labelled
from ser_trainer.finetune.trainer import SerTrainer

TOY = Path(__file__).with_name("toy.py")


@pytest.fixture(scope="module")
def big_batch(tmp_path_factory):
    return losses(tmp_path_factory.mktemp("big"), rows=20, batch=8, accumulation=1)


@pytest.mark.parametrize(("batch", "accumulation"), [(2, 4), (4, 2)])
def test_accumulation_trains_like_the_big_batch(big_batch, tmp_path, batch, accumulation):
    # 20 rows: the third step of an epoch has half the examples of the others
    small = losses(tmp_path, rows=20, batch=batch, accumulation=accumulation)

    assert len(big_batch["loss"]) == 6
    assert small["loss"] == pytest.approx(big_batch["loss"], rel=1e-3)
    assert small["grad_norm"] == pytest.approx(big_batch["grad_norm"], rel=1e-3)


def test_the_loss_of_a_step_is_the_mean_cross_entropy_of_its_examples(big_batch, tmp_path):
    rows = labelled(corpus(tmp_path, [number % 3 for number in range(8)]), "emotion")
    batch = trainer(tmp_path, rows).data_collator([rows[i] for i in range(8)])
    labels = batch.pop("labels")
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(classifier().eval()(**batch).logits, labels).item()

    assert big_batch["loss"][0] == pytest.approx(expected, rel=1e-4)


def test_two_processes_train_and_predict_like_one(tmp_path):
    one = losses(tmp_path / "one", rows=16, batch=8, accumulation=1)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(TOY)]
    environment = os.environ | {"PYTHONPATH": str(TOY.parents[2])}
    done = subprocess.run(
        [*command, str(tmp_path / "two"), "16", "2", "2"], capture_output=True, text=True, timeout=240, env=environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    two = json.loads(done.stdout.splitlines()[-1])

    assert two["processes"] == 2
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
    assert two["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-3)
    assert two["labels"] == one["labels"]
    np.testing.assert_allclose(two["logits"], one["logits"], atol=1e-3)


def test_predictions_come_in_the_order_of_the_rows_even_if_training_groups_by_length(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 2, 1, 1, 0, 2, 2, 0, 1, 0]), "emotion")
    run = trainer(tmp_path, rows, train_sampling_strategy="group_by_length", per_device_eval_batch_size=4)

    output = run.predict(rows)

    assert output.label_ids.tolist() == rows["labels"][:]
    alone = [run.predict(rows.select([i])).predictions[0] for i in (0, 9)]
    np.testing.assert_allclose(output.predictions[[0, 9]], alone, atol=1e-5)


def test_predictions_are_logits_alone_and_scored_by_ser_metrics(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2, 0]), "emotion")
    run = trainer(tmp_path, rows)
    run.model.config.output_hidden_states = True

    output = run.predict(rows)

    assert output.predictions.shape == (4, 3)
    assert {f"test_{name}" for name in ("ua", "wa", "f1", "uar", "loss")} <= set(output.metrics)


def test_the_best_checkpoint_is_the_one_with_the_highest_uar():
    args = SerTrainingArguments(
        "out", use_cpu=True, load_best_model_at_end=True, eval_strategy="epoch", save_strategy="epoch"
    )

    assert (args.metric_for_best_model, args.greater_is_better) == ("uar", True)
    assert SerTrainingArguments("out", use_cpu=True, metric_for_best_model="loss").greater_is_better is False


def test_an_encoder_that_feels_padding_is_scored_clip_by_clip(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2, 0]), "emotion")
    args = SerTrainingArguments(str(tmp_path), use_cpu=True, per_device_eval_batch_size=4, dataloader_pin_memory=False)
    run = SerTrainer(
        classifier(feat_extract_norm="group", conv_bias=False),
        args,
        processing_class=extractor(return_attention_mask=False),
    )

    together = run.predict(rows).predictions

    alone = [run.predict(rows.select([i])).predictions[0] for i in range(4)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_a_model_with_other_classes_is_refused(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2]), "emotion")
    other = classifier()
    other.config.id2label = {0: "joy", 1: "neutral"}

    with pytest.raises(ModelMismatchError, match=r"it has 2 \(joy, neutral\), the target 3 .*--new_head"):
        SerTrainer(other, SerTrainingArguments(str(tmp_path), use_cpu=True), rows, processing_class=extractor())


def test_the_order_of_classes_counts(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2]), "emotion")
    other = classifier()
    other.config.id2label = dict(enumerate(reversed(EMOTIONS)))

    with pytest.raises(ModelMismatchError, match="in this order"):
        SerTrainer(other, SerTrainingArguments(str(tmp_path), use_cpu=True), rows, processing_class=extractor())


def test_a_saved_model_has_no_pickle(tmp_path):
    rows = labelled(corpus(tmp_path, [0, 1, 2]), "emotion")
    trainer(tmp_path, rows).save_model()

    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.json", "model.safetensors", "preprocessor_config.json"} <= names
    assert "training_args.bin" not in names
