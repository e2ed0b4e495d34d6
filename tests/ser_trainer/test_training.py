"""What SerTrainer does beyond loss and order of predictions: corpora in turn, balance, ratings, adapters, averages."""

import numpy as np
import pytest
import torch
from toy import EMOTIONS, classifier, corpus, extractor, trainer
from transformers import AutoModelForAudioClassification as AutoClassifier
from transformers import HubertForSequenceClassification, TrainerCallback, Wav2Vec2Config, WavLMConfig, WhisperConfig

from ser_metrics import scores
from ser_trainer.finetune.arguments import ArgumentsError, SerTrainingArguments
from ser_trainer.finetune.finish import merged, shift_logits
from ser_trainer.finetune.guards import TrainingError
from ser_trainer.finetune.lora import TARGETS, AdapterError, adapt
from ser_trainer.finetune.losses import log_prior
from ser_trainer.finetune.outputs import ModelMismatchError
from ser_trainer.finetune.targets import labelled, pooled, rated
from ser_trainer.models import expand, tiny_hubert_config


def rows(folder, labels=(0, 1, 2, 0, 1, 2, 0, 1, 2, 0)):
    return labelled(corpus(folder, list(labels)), "emotion")


def steps(run, name="loss"):
    return [entry[name] for entry in run.state.log_history if "grad_norm" in entry]


def batches(run):
    """Return the ids of every batch of the first epoch."""
    return [batch["ids"] for batch in run.get_train_dataloader()]


# --- order ---


def test_corpora_take_turns_and_the_small_one_starts_again(tmp_path):
    both = pooled({"big": rows(tmp_path / "a", [0, 1] * 6), "small": rows(tmp_path / "b", [2, 0, 1])})
    names = dict(zip([f"{one}{i}" for i, one in enumerate(both["id"][:])], both["corpus"][:], strict=True))
    assert set(names.values()) == {"big", "small"}

    run = trainer(
        tmp_path, both, round_robin=True, per_device_train_batch_size=3, train_sampling_strategy="random", max_steps=8
    )
    loader, seen = run.get_train_dataloader(), []
    for epoch in range(2):
        loader.batch_sampler.set_epoch(epoch)
        seen += [[both[pick.entry]["corpus"] for pick in batch] for batch in loader.batch_sampler]

    assert [set(batch) for batch in seen] == [{"big"}, {"small"}] * (len(seen) // 2)
    assert len(seen) == 2 * (12 // 3 + 3 // 3)
    run.train()
    assert run.state.global_step == 8


def test_validation_is_scored_for_each_corpus_and_their_mean_chooses(tmp_path):
    both = pooled({"big": rows(tmp_path / "a", [0, 1] * 6), "small": rows(tmp_path / "b", [2, 0, 1])})
    run = trainer(tmp_path, both, eval_dataset=both)

    found = run.evaluate()

    output = run.predict(both)
    for name in ("big", "small"):
        part = np.array(both["corpus"][:]) == name
        own = scores(output.predictions[part].argmax(-1), output.label_ids[part], labels=EMOTIONS)
        assert found[f"eval_uar_{name}"] == pytest.approx(own["uar"])
    assert found["eval_uar"] == pytest.approx((found["eval_uar_big"] + found["eval_uar_small"]) / 2)


def test_rows_of_like_length_share_a_batch(tmp_path):
    data = rows(tmp_path, [0, 1, 2] * 8)
    grouped = trainer(tmp_path, data, train_sampling_strategy="group_by_length", per_device_train_batch_size=4)
    mixed = trainer(tmp_path, data, train_sampling_strategy="random", per_device_train_batch_size=4)

    def padded(run):
        return sum(batch["attention_mask"].numel() for batch in run.get_train_dataloader())

    assert sorted(sum(batches(grouped), [])) == sorted(data["id"][:])
    assert padded(grouped) < 0.9 * padded(mixed)


def test_a_batch_holds_no_more_seconds_than_allowed(tmp_path):
    data = rows(tmp_path, [0, 1, 2] * 8)
    run = trainer(tmp_path, data, train_sampling_strategy="random", per_device_train_batch_size=8, batch_seconds=1.5)

    sizes = [batch["input_values"].shape for batch in run.get_train_dataloader()]

    assert max(n * length for n, length in sizes) <= 1.5 * 16_000
    assert sum(n for n, _ in sizes) >= len(data)


@pytest.mark.parametrize(("how", "size"), [("under", 6), ("over", 21), ("smote", 21)])
def test_balanced_rows_have_every_class_equally_often(tmp_path, how, size):
    data = rows(tmp_path, [0] * 7 + [1] * 4 + [2] * 2)
    run = trainer(tmp_path, data, balance=how, per_device_train_batch_size=4)

    labels = torch.cat([batch["labels"] for batch in run.get_train_dataloader()])

    assert torch.bincount(labels).tolist() == [size // 3] * 3
    assert run.train().global_step == 2 * -(-size // 4)


# --- loss ---


def test_class_weights_under_accumulation_train_like_the_big_batch(tmp_path):
    data = rows(tmp_path, [0] * 5 + [1] * 2 + [2])
    found = []
    for batch, accumulation in ((8, 1), (2, 4)):
        run = trainer(
            tmp_path, data, class_weights=True, per_device_train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )  # fmt: skip
        run.train()
        found.append((steps(run), steps(run, "grad_norm")))

    assert found[1][0] == pytest.approx(found[0][0], rel=1e-3)
    assert found[1][1] == pytest.approx(found[0][1], rel=1e-3)


def test_a_prior_that_is_taken_out_afterwards_is_part_of_the_saved_model(tmp_path):
    data = rows(tmp_path, [0] * 7 + [1] * 2 + [2])
    plain = trainer(tmp_path, data).predict(data).predictions
    run = trainer(tmp_path, data, logit_adjustment="eval", logit_adjustment_tau=2.0)

    found = run.predict(data).predictions

    np.testing.assert_allclose(found, plain - log_prior([7, 2, 1], 2.0), atol=1e-5)
    shift_logits(run.model, run.eval_shift)
    run.eval_shift = None
    np.testing.assert_allclose(run.predict(data).predictions, found, atol=1e-5)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_utterances(tmp_path):
    model = classifier()
    run = trainer(tmp_path, rows(tmp_path), model, per_device_train_batch_size=2)
    before = {name: one.clone() for name, one in model.named_parameters()}
    forward = model.forward

    def broken(input_values, **inputs):
        outputs = forward(input_values, **inputs)
        if input_values.shape[1] >= 6400:  # rows 2 and 3 are the first that are so long
            outputs.logits = outputs.logits * float("nan")
        return outputs

    model.forward = broken
    with pytest.raises(TrainingError, match=r"Step 2: the loss must be a number.*a batch of u2, u3\."):
        run.train()
    assert run.state.global_step == 1
    assert all(one.isfinite().all() for one in model.parameters())
    assert any((before[name] != one).any() for name, one in model.named_parameters())


# --- ratings ---


def regressor(size=2):
    config = tiny_hubert_config(dict(enumerate(["arousal", "valence"][:size])))
    config.problem_type = "regression"
    torch.manual_seed(0)
    return HubertForSequenceClassification(config)


def test_ratings_are_learned_with_gaps_and_scored_by_concordance(tmp_path):
    data = rated(corpus(tmp_path, [0, 1, 2] * 4), ["arousal", "valence"])
    run = trainer(tmp_path, data, regressor(), eval_dataset=data, num_train_epochs=1, per_device_train_batch_size=4)

    run.train()
    found = run.evaluate()

    assert all(np.isfinite(steps(run)))
    assert {"eval_ccc", "eval_ccc_arousal", "eval_ccc_valence"} <= set(found)
    assert found["eval_ccc"] == pytest.approx((found["eval_ccc_arousal"] + found["eval_ccc_valence"]) / 2)
    assert np.isnan(run.predict(data).label_ids).sum() == 2  # rows 4 and 9


def test_a_classifier_is_no_model_of_ratings_nor_the_other_way_round(tmp_path):
    ratings = rated(corpus(tmp_path, [0, 1, 2]), ["arousal", "valence"])

    with pytest.raises(ModelMismatchError, match="2 ratings; it is made for 3 classes"):
        trainer(tmp_path, ratings)
    with pytest.raises(ModelMismatchError, match="2 ratings; it is made for 1 ratings"):
        trainer(tmp_path, ratings, regressor(1))


# --- evaluation ---


def test_chunks_of_a_clip_are_scored_as_their_mean(tmp_path):
    data = rows(tmp_path)
    run = trainer(tmp_path, data, eval_crop="chunks", max_seconds=0.25, per_device_eval_batch_size=3)

    found = run.predict(data).predictions

    assert found.shape == (10, 3)
    chunk = run.eval_collator([data[7]])  # 0.6 s
    assert chunk["chunks"].tolist() == [3]
    with torch.no_grad():
        each = run.model.eval()(input_values=chunk["input_values"], attention_mask=chunk["attention_mask"]).logits
    np.testing.assert_allclose(found[7], each.mean(0), atol=1e-5)


# --- adapters and averages ---

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "conv_dim": (16, 16),
    "conv_kernel": (40, 20),
    "conv_stride": (20, 10),
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 16,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
    "num_labels": 3,
}


def encoder(kind: str):
    torch.manual_seed(0)
    if kind == "exhubert":
        return expand(classifier())
    if kind == "whisper":
        size = {"d_model": 32, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64}
        config = WhisperConfig(**size, decoder_layers=1, num_labels=3, classifier_proj_size=16)
        return AutoClassifier.from_config(config)
    config = {"wav2vec2": Wav2Vec2Config, "wavlm": WavLMConfig}[kind](**SMALL)
    return AutoClassifier.from_config(config)


@pytest.mark.parametrize("kind", ["exhubert", "wav2vec2", "wavlm"])
def test_adapters_train_head_and_gates_included_and_can_be_merged(tmp_path, kind):
    model = adapt(encoder(kind), rank=4)
    model.config.id2label = dict(enumerate(EMOTIONS))
    before = {name: one.clone() for name, one in model.named_parameters()}
    data = rows(tmp_path)
    run = trainer(tmp_path, data, model, save_strategy="epoch", per_device_train_batch_size=5)

    run.train()

    for name, one in model.named_parameters():
        # B starts from zeros, so A has moved from the second step on
        assert (one != before[name]).any() == one.requires_grad, name
    trained = {name for name, one in model.named_parameters() if one.requires_grad}
    for part in ("projector", "classifier"):
        assert any(f".{part}." in name for name in trained)
    assert any(".gate." in name for name in trained) == (kind == "exhubert")
    adapted = run.predict(data).predictions
    plain = merged(model)
    plain.save_pretrained(tmp_path / "merged")
    again = type(plain).from_pretrained(tmp_path / "merged")
    np.testing.assert_allclose(trainer(tmp_path, data, again).predict(data).predictions, adapted, atol=1e-5)


def test_adapters_resume(tmp_path):
    def run():
        model = adapt(encoder("wav2vec2"), rank=4)
        model.config.id2label = dict(enumerate(EMOTIONS))
        return trainer(tmp_path, rows(tmp_path), model, save_strategy="epoch", per_device_train_batch_size=5)

    whole = run()
    whole.train()

    second = run()
    second.train(resume_from_checkpoint=str(tmp_path / "out" / "checkpoint-2"))

    assert steps(second) == steps(whole)


def test_whisper_gets_adapters_on_its_encoder():
    trained = {name for name, one in adapt(encoder("whisper"), rank=2).named_parameters() if one.requires_grad}

    assert {name.split(".lora_")[0].rpartition(".")[2] for name in trained if "lora_" in name} == {
        "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"
    }  # fmt: skip


def test_adapters_that_get_no_gradient_stop_the_run(tmp_path, monkeypatch):
    monkeypatch.setitem(TARGETS, "wavlm", ("q_proj", "v_proj"))
    model = adapt(encoder("wavlm"), rank=2)
    model.config.id2label = dict(enumerate(EMOTIONS))

    with pytest.raises(TrainingError, match=r"gets no gradient"):
        trainer(tmp_path, rows(tmp_path), model).train()


def test_adapters_refuse_what_they_cannot_train():
    stock = classifier(use_weighted_layer_sum=True)
    with pytest.raises(AdapterError, match="layer_weights"):
        adapt(stock, 2)


def test_an_average_of_the_weights_is_scored_and_left_behind(tmp_path):
    data = rows(tmp_path)
    run = trainer(tmp_path, data, ema_decay=0.9, per_device_train_batch_size=5, save_strategy="epoch")
    start = {name: one.detach().clone() for name, one in run.model.named_parameters()}
    followed, seen = dict(start), []

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **kwargs):
            decay = min(0.9, (1 + state.global_step) / (10 + state.global_step))
            for name, one in model.named_parameters():
                followed[name] = decay * followed[name] + (1 - decay) * one.detach()
            seen.append(run.model.classifier.weight.detach().clone())

    run.add_callback(Watch())
    run.train()

    for name, one in run.model.named_parameters():
        torch.testing.assert_close(one.detach(), followed[name], atol=1e-6, rtol=1e-5)
    assert not torch.equal(run.model.classifier.weight, seen[-1])


def test_evaluations_score_the_average_and_training_goes_on_with_the_weights(tmp_path):
    data = rows(tmp_path)
    each_step = {"eval_dataset": data, "eval_strategy": "steps", "eval_steps": 1, "per_device_train_batch_size": 5}
    plain, averaged = (trainer(tmp_path, data, ema_decay=decay, **each_step) for decay in (0.0, 0.9))
    expected = []

    class Watch(TrainerCallback):
        def on_step_end(self, args, state, control, model=None, **kwargs):
            copy = classifier()
            copy.load_state_dict(model.state_dict() | averaged.average.weights)
            expected.append(trainer(tmp_path, data, copy).evaluate(data)["eval_loss"])

    averaged.add_callback(Watch())
    plain.train()
    averaged.train()

    assert steps(averaged) == steps(plain)
    found = [
        [entry["eval_loss"] for entry in run.state.log_history if "eval_loss" in entry] for run in (averaged, plain)
    ]
    assert found[0] == pytest.approx(expected, rel=1e-5)
    assert found[0] != pytest.approx(found[1], rel=1e-3)


def test_the_best_checkpoint_comes_back_and_training_stops_early(tmp_path):
    data = rows(tmp_path)
    run = trainer(
        tmp_path, data, eval_dataset=data, eval_strategy="epoch", save_strategy="epoch", load_best_model_at_end=True,
        early_stopping_patience=1, num_train_epochs=50, learning_rate=0.0, per_device_train_batch_size=5,
    )  # fmt: skip

    run.train()

    assert run.state.epoch == 2  # nothing is learned, so the second evaluation is not better
    assert run.state.best_global_step == 2


def test_activation_checkpointing_changes_no_gradient(tmp_path):
    data = rows(tmp_path)
    found = []
    for flag in (False, True):
        run = trainer(
            tmp_path, data, expand(classifier()), activation_checkpointing=flag, per_device_train_batch_size=5
        )
        run.train()
        found.append((steps(run), steps(run, "grad_norm")))

    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"crop": "middle"}, "--crop is one of random, centre; it is 'middle'"),
        ({"balance": "smot"}, "Did you mean 'smote'"),
        ({"eval_crop": "chunks"}, "--eval_crop chunks needs a length: add --max_seconds"),
        ({"pad_to_max": True}, "--pad_to_max True needs a length"),
        ({"class_weights": True, "balance": "over"}, "correct the classes twice"),
        ({"ema_decay": 1.0}, r"--ema_decay lies in \[0, 1\)"),
        ({"early_stopping_patience": 2}, "--load_best_model_at_end"),
        ({"max_seconds": 0.0}, "--max_seconds must be above 0"),
    ],
)
def test_arguments_that_cannot_be_are_refused(tmp_path, values, message):
    with pytest.raises(ArgumentsError, match=message):
        SerTrainingArguments(str(tmp_path), use_cpu=True, **values)


def test_the_collator_gets_what_the_arguments_say(tmp_path):
    run = trainer(tmp_path, rows(tmp_path), max_seconds=0.3, augment=["noise"], augment_probability=1.0)

    assert (run.data_collator.crop, run.data_collator.max_seconds) == ("random", 0.3)
    assert (run.eval_collator.crop, run.eval_collator.augmentation) == ("full", None)
    assert run.data_collator.augmentation is not None
    assert extractor().sampling_rate == 16_000
