import math

import pytest
import toy
from datasets import Dataset
from huggingface_hub import ModelCard as HubCard

from model_cards.card import CURVES, TrainingCorpus, render_model_card
from model_cards.licence import stated
from ser_trainer.finetune.arguments import SerTrainingArguments
from ser_trainer.finetune.card import calibrated_on, command_line, curves, meanings, new_card, settings, shown
from ser_trainer.finetune.targets import labelled
from ser_trainer.finetune.trainer import SerTrainer

CORPUS = TrainingCorpus(name="Toy", dataset="serbench/toy", config="fold1", utterances=6)


def test_training_fills_the_card_in(tmp_path):
    data = labelled(toy.corpus(tmp_path / "corpus", [0, 1, 2, 0, 1, 2]), "emotion")
    args = SerTrainingArguments(
        output_dir=str(tmp_path / "my-model"), use_cpu=True, max_steps=2, logging_steps=1, eval_strategy="steps",
        eval_steps=1, save_strategy="no", disable_tqdm=True, report_to="none", seed=0, dataloader_pin_memory=False,
    )  # fmt: skip
    model = toy.classifier()
    card = new_card(args.output_dir, model, stated("encoder", "mit"), "emotion", [CORPUS], args, {"lora_rank": 4})
    trainer = SerTrainer(
        model, args, train_dataset=data, eval_dataset=data, processing_class=toy.extractor(), card=card
    )
    trainer.train()
    trainer.create_model_card()

    assert (card.name, card.device, card.steps) == ("my-model", "CPU", 2)
    assert card.parameters >= card.trainable > 0 and card.seconds > 0
    assert [step for step, _ in card.curves["training loss"]] == [1, 2]
    assert {"validation loss", "UAR", "learning rate"} <= set(card.curves)
    assert {"lora_rank": 4, "processes": 1, "max_steps": 2, "seed": 0}.items() <= card.hyperparameters.items()
    page = HubCard.load(tmp_path / "my-model" / "README.md")
    assert f"]({CURVES})" in page.text and (tmp_path / "my-model" / CURVES).exists()
    assert "2 steps in" in page.text and str(tmp_path) not in str(page)


def arguments(tmp_path, **values) -> SerTrainingArguments:
    return SerTrainingArguments(output_dir=str(tmp_path), use_cpu=True, report_to="none", **values)


def test_all_settings_of_ours_are_on_the_card_unless_they_are_off(tmp_path):
    told = settings(
        arguments(
            tmp_path,
            max_seconds=3.0,
            class_weights=True,
            augment=["noise", "speed"],
            eval_strategy="epoch",
            save_strategy="epoch",
            load_best_model_at_end=True,
            weight_decay=0.0,
        )  # fmt: skip
    )

    expected = {
        "max_seconds": 3.0,
        "class_weights": True,
        "augment": "noise, speed",
        "metric_for_best_model": "uar",
        "weight_decay": 0.0,
        "per_device_train_batch_size": 8,
        "seed": 42,
    }
    assert expected.items() <= told.items()
    assert not {"pad_to_max", "logit_adjustment", "output_dir", "hub_token"} & set(told)
    assert "metric_for_best_model" not in settings(arguments(tmp_path))


def test_steps_overrule_epochs(tmp_path):
    assert "num_train_epochs" not in settings(arguments(tmp_path, max_steps=5))
    assert "max_steps" not in settings(arguments(tmp_path))


def test_settings_show_no_folder_of_this_machine():
    assert shown({"noise": "/data/noise", "several": ["/a/b", "c"], "off": [], "rank": 0}) == {
        "noise": "noise",
        "several": "b, c",
        "rank": 0,
    }


def test_the_course_of_a_training_on_several_corpora_is_told_apart():
    log = [
        {"loss": math.nan, "step": 1},
        {"eval_urdu_loss": 1.0, "eval_urdu_uar": 0.5, "eval_urdu_runtime": 3.0, "step": 2},
        {"eval_ccc": 0.25, "step": 2},
        {"train_runtime": 12.0, "train_loss": 1.0, "step": 2},
    ]

    found = curves(log)

    assert list(found) == ["training loss", "urdu validation loss", "urdu UAR", "CCC"]
    assert found["urdu UAR"] == [(2, 0.5)]


@pytest.mark.parametrize("words", [["--hub_token", "hf_abc"], ["--hub_token=hf_abc"]])
def test_a_token_never_gets_onto_the_card(words):
    command = command_line(["examples/finetune.py", *words, "--seed", "1"])

    assert "hf_abc" not in command and command.endswith("--seed 1")


def test_words_with_blanks_and_stars_can_be_pasted():
    command = command_line(["examples/finetune.py", "--corpora", "serbench/urdu:fold*", "--name", "a b"])

    assert command == "python examples/finetune.py --corpora 'serbench/urdu:fold*' --name 'a b'"


def test_classes_mean_what_the_corpora_take_them_for():
    (boredom,) = meanings(["boredom", "x1"], ["serbench/emodb", "somebody/speech"])

    assert boredom.unified8 == "sadness or other"
    assert boredom.arousal_valence == "low_negative"
    assert meanings(["low_negative", "high_positive"], ["serbench/emodb"]) == []


def test_calibration_names_the_speakers_it_was_fitted_on():
    known = Dataset.from_dict({"speaker": ["B", "A", "B"]})
    unknown, half = Dataset.from_dict({"id": ["a"]}), Dataset.from_dict({"speaker": ["A", None]})

    told = calibrated_on(1.5, {"serbench/urdu:fold1": known, "a/b:c": unknown, "d/e:f": half})

    assert (told.temperature, told.utterances) == (1.5, 6)
    assert told.speakers == {"serbench/urdu:fold1": ["A", "B"], "a/b:c": [], "d/e:f": []}


def test_a_model_of_ratings_has_a_card_of_ratings(tmp_path):
    model = toy.classifier()
    card = new_card("runs/x", model, None, ["arousal", "valence"], [CORPUS], arguments(tmp_path))

    assert (card.rated, card.target, card.meanings) == (True, "arousal, valence", [])
    assert "how listeners would rate" in render_model_card(card)
