import dataclasses

import pytest
from huggingface_hub import ModelCard as HubCard

from model_cards.card import ModelCard, SplitScores, TrainingCorpus, draw_confusion, render_model_card, write_model_card
from ser_metrics import scores

EMOTIONS = ["anger", "neutral", "sadness"]


@pytest.fixture
def card():
    found = scores([0, 0, 1, 1, 1], [0, 0, 1, 1, 0], labels=EMOTIONS, per_class=True, confusion_matrix=True)
    return ModelCard(
        name="demo-fold1",
        model_type="exhubert",
        target="emotion",
        classes=EMOTIONS,
        corpora=[
            TrainingCorpus(
                dataset="serbench/urdu",
                config="fold1",
                name="URDU",
                utterances=300,
                languages=("ur",),
                licence="custom",
                terms="commercial use no",
                homepage="https://example.org",
                traps=("The speaker nearly gives the label away.",),
            )
        ],
        results=[
            SplitScores(
                dataset="serbench/urdu", config="fold1", split="test", name="URDU", scores=found, shared_speakers=0.95
            )
        ],
        command="python examples/finetune.py",
        hyperparameters={"learning_rate": 0.001},
        parameters=1_234_567,
        trainable=1_000,
        steps=10,
        seconds=12.4,
        versions={"transformers": "5.23.0"},
    )


def test_the_hub_reads_every_score_from_the_front_matter(card, tmp_path):
    data = HubCard.load(write_model_card(card, tmp_path)).data

    assert data.model_name == "demo-fold1"
    assert (data.library_name, data.pipeline_tag) == ("transformers", "audio-classification")
    assert (data.datasets, data.language) == (["serbench/urdu"], ["ur"])
    assert "base_model" not in data.to_dict()
    found = {one.metric_type: one for one in data.eval_results}
    assert {name: one.metric_value for name, one in found.items()} == {
        "ua": 0.8333,
        "wa": 0.8,
        "f1": 0.8,
        "uar": 0.8333,
    }
    where = found["uar"]
    assert (where.dataset_type, where.dataset_config, where.dataset_split) == ("serbench/urdu", "fold1", "test")


def test_the_page_tells_data_licence_scores_limits_and_command(card):
    page = " ".join(render_model_card(card).split())

    for part in (
        "| [URDU](https://example.org) (`serbench/urdu`) | `fold1` | 300 | ur | custom | commercial use no |",
        "The speaker nearly gives the label away.",
        "trained from random weights on URDU",
        "| 5 | 83.3 | 80.0 | 80.0 | 83.3 | 95 % |",
        "| sadness | - | - | - | 0 |",
        "1,234,567 parameters, 1,000 of them trained; 10 steps in 12 s.",
        "```bash python examples/finetune.py ```",
        "| learning_rate | 0.001 |",
        "transformers 5.23.0.",
        "Do not use it to decide about people",
    ):
        assert part in page


@pytest.mark.parametrize(("base", "linked"), [("facebook/hubert-large-ls960-ft", True), ("my-encoder", False)])
def test_only_a_base_model_of_the_hub_is_linked(card, tmp_path, base, linked):
    card.base_model = base

    path = write_model_card(card, tmp_path)

    assert ("base_model" in HubCard.load(path).data.to_dict()) is linked
    assert f"fine-tuned from `{base}`" in path.read_text(encoding="utf-8")


def test_every_result_has_a_picture_that_the_page_shows(card, tmp_path):
    card.results.append(dataclasses.replace(card.results[0], config="fold2"))

    page = write_model_card(card, tmp_path).read_text(encoding="utf-8")

    assert sorted(path.name for path in tmp_path.glob("*.png")) == [one.picture for one in card.results]
    assert all(f"]({one.picture})" in page for one in card.results)


def test_a_card_without_scores_is_a_card(card, tmp_path):
    card.results.clear()

    assert HubCard.load(write_model_card(card, tmp_path)).data.eval_results is None


def test_the_same_matrix_gives_the_same_picture_and_another_one_another(tmp_path):
    matrix = [[9, 1, 0], [0, 4, 0], [0, 0, 0]]
    for name, counts in {"a": matrix, "b": matrix, "c": [row[::-1] for row in matrix]}.items():
        draw_confusion(counts, EMOTIONS, tmp_path / f"{name}.png")

    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c
    assert a.startswith(b"\x89PNG")
