import dataclasses
import re

import pytest
import yaml
from huggingface_hub import ModelCard as HubCard
from huggingface_hub.repocard_data import eval_results_to_model_index, model_index_to_eval_results

from model_cards.card import (
    CURVES,
    Calibration,
    ClassMeaning,
    ModelCard,
    TrainingCorpus,
    render_model_card,
    write_cross_validation,
    write_model_card,
)
from model_cards.licence import Source, stated
from model_cards.model_pictures import draw_confusion, draw_curves, draw_reliability
from model_cards.model_scores import CrossValidation, SplitScores
from ser_metrics import dimensional_scores, scores

EMOTIONS = ["anger", "neutral", "sadness"]
WEIRD = "We|ird\n<script>*x*</script> [y](z) `c`"


def of_classes(**fields) -> SplitScores:
    """Return scores of five utterances, with an interval over utterances."""
    found = scores(
        [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], labels=EMOTIONS, per_class=True, confusion_matrix=True, confidence=0.95
    )
    found["confidence"]["note"] = "fewer than 6 speakers"
    group = {"ua": 0.75, "wa": 0.7, "f1": 0.65, "n": 3, "speakers": 2}
    return SplitScores(
        **{
            "dataset": "serbench/urdu",
            "config": "fold1",
            "split": "test",
            "name": "URDU",
            "scores": found | {"top2": 1.0, "ece": 0.125, "ece_bins": 10},
            "shared_speakers": 0.95,
            "by": {"gender": {"female": group, "male": group | {"n": 2}}, "language": {"ur": group}},
            "reliability": [(0.4, 0.5, 2), (0.9, 0.7, 3)],
        }
        | fields
    )


def of_ratings() -> SplitScores:
    """Return scores of arousal and of a valence that is constant."""
    told = dimensional_scores([[1, 2], [2, 2], [3, 2.0]], [[1, 2], [2, 2], [4, 2.0]], ["arousal", "valence"])
    for name in ("arousal", "valence"):
        told[name]["n"] = 3
    return of_classes(
        scores=told | {"confidence": {"level": 0.95, "by": "groups", "arousal": [0.5, 0.9], "note": ""}},
        by={},
        reliability=(),
    )


@pytest.fixture
def card():
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
                utterances=1300,
                languages=("ur",),
                licence="custom",
                commercial="no",
                note="research only",
                homepage="https://example.org",
                traps=("The speaker nearly gives the label away.",),
            )
        ],
        meanings=[
            ClassMeaning(name="anger", unified8="anger", arousal_valence="high_negative"),
            ClassMeaning(name="neutral", unified8="neutral", arousal_valence=None),
        ],
        results=[of_classes()],
        command="python examples/finetune.py",
        hyperparameters={"learning_rate": 0.001},
        curves={"training loss": [(1, 1.5), (2, 1.25)], "UAR": [(2, 0.5)]},
        parameters=1_234_567,
        trainable=1_000,
        steps=10,
        seconds=12.4,
        device="CPU",
        versions={"transformers": "5.23.0"},
    )


def tables(page: str) -> list[list[str]]:
    """Return the lines of every table of a page."""
    return [found.strip().splitlines() for found in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE)]


def check_page(page: str) -> None:
    """Check what must hold of every page: tables have rows of one width, blank lines do not pile up, all is filled."""
    page = re.sub(r"```.*?```", "code", page, flags=re.DOTALL)
    for head, rule, *rows in tables(page):
        assert rows, head
        width = len(re.findall(r"(?<!\\)\|", head))
        assert set(rule) <= set("|-")
        for line in (rule, *rows):
            assert len(re.findall(r"(?<!\\)\|", line)) == width, line
    text = re.sub(r"(?<!\\)`[^`]*`", "code", page.split("\n---\n", 1)[1])
    assert "\n\n\n" not in text
    assert not re.search(r"\bNone\b|undefined|nan\b|\{\{|<script>", text)


def test_the_hub_reads_every_score_from_the_front_matter(card):
    data = HubCard(render_model_card(card)).data

    assert data.model_name == "demo-fold1"
    assert (data.library_name, data.pipeline_tag) == ("transformers", "audio-classification")
    assert (data.datasets, data.language) == (["serbench/urdu"], ["ur"])
    assert (data.license, data.license_name, data.license_link) == ("other", "terms-of-urdu", "https://example.org")
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


def test_intervals_survive_the_way_through_the_model_index(card, tmp_path):
    path = write_model_card(card, tmp_path)
    results = {one.metric_type: one for one in HubCard.load(path).data.eval_results}

    low, high = card.results[0].scores["confidence"]["wa"]
    assert results["wa"].metric_args == {
        "confidence_interval": [round(low, 4), round(high, 4)],
        "level": 0.95,
        "by": "utterances",
    }
    raw = yaml.safe_load(path.read_text(encoding="utf-8").split("---\n")[1])["model-index"]
    name, parsed = model_index_to_eval_results(raw)
    assert eval_results_to_model_index(name, parsed) == raw


def test_the_page_tells_data_licence_scores_limits_and_command(card):
    page = " ".join(render_model_card(card).split())

    for part in (
        "| [URDU](https://example.org) (`serbench/urdu`) | `fold1` | 1,300 | ur | custom | no | research only |",
        "**Licence of this model:** `other`, because no standard licence states what URDU (custom) asks for. "
        "Commercial use: URDU does not allow it.",
        "it is not legal advice",
        "This card grants no rights of its own.",
        "The speaker nearly gives the label away.",
        "trained from random weights on URDU",
        "| URDU | `fold1` | `test` | 5 | 83.3 (",
        ")† | 100.0 | 95 % |",
        "(fewer than 6 speakers)",
        "| sadness | - | - | - | 0 |",
        "| female | 3 | 2 | 75.0 | 70.0 | 65.0 |",
        "Every utterance has the language ur.",
        "Calibration error (ECE, 10 bins): 12.5 %.",
        "| anger | anger | high arousal, negative |",
        "| neutral | neutral | no place |",
        "The probabilities are not calibrated.",
        "1,234,567 parameters, 1,000 of them trained; 10 steps in 12 s on CPU.",
        "```bash python examples/finetune.py ```",
        "| learning_rate | 0.001 |",
        "transformers 5.23.0.",
        "Do not use it to decide about people",
    ):
        assert part in page, part


def test_a_calibrated_model_says_with_what_and_on_whom(card):
    speakers = [f"S{number:02}" for number in range(30)]
    card.calibration = Calibration(
        temperature=1.5, utterances=400, speakers={"serbench/urdu:fold1": speakers, "serbench/meld:official": []}
    )
    card.results[0] = of_classes(temperature=1.5, calibrated_ece=0.025, calibrated_reliability=[(0.5, 0.5, 5)])

    page = " ".join(render_model_card(card).split())

    assert "12.5 % as the model gives its probabilities, 2.5 % after division by the temperature." in page
    assert "divided by the temperature 1.500 (`calibration_temperature` in `config.json`)" in page
    assert "fitted on 400 validation utterances of serbench/urdu:fold1, speakers S00, S01," in page
    assert "S19 and 10 more; serbench/meld:official, speakers unknown." in page
    assert "not calibrated" not in page


@pytest.mark.parametrize(("base", "linked"), [("facebook/hubert-large-ls960-ft", True), ("my-encoder", False)])
def test_only_a_base_model_of_the_hub_is_linked(card, base, linked):
    card.base_model = stated(base, "apache-2.0")

    page = render_model_card(card)

    assert ("base_model" in HubCard(page).data.to_dict()) is linked
    assert f"fine-tuned from `{base}`" in page
    assert f"| base model {base} | | | | apache-2.0 | yes |" in page


def test_the_base_model_counts_for_the_licence(card):
    card.corpora = [TrainingCorpus(name="A", licence="CC0-1.0", commercial="yes", redistribution="yes", dataset="a/a",
                                   config="c", utterances=1)]  # fmt: skip
    card.base_model = stated("org/encoder", "cc-by-nc-4.0")

    page = render_model_card(card)

    assert HubCard(page).data.license == "cc-by-nc-4.0"
    assert "because it is the licence of org/encoder, the most demanding" in page


def test_every_result_has_pictures_that_the_page_shows(card, tmp_path):
    card.results.append(of_classes(config="fold2"))

    page = write_model_card(card, tmp_path).read_text(encoding="utf-8")

    expected = {CURVES, *(name for one in card.results for name in (one.picture, one.reliability_picture))}
    assert {path.name for path in tmp_path.glob("*.png")} == expected == set(re.findall(r"\]\((\S+?\.png)\)", page))


def test_several_corpora_have_a_mean_row(card):
    card.results.append(
        of_classes(dataset="serbench/ravdess", name="RAVDESS", scores=of_classes().scores | {"wa": 0.4})
    )

    page = render_model_card(card)

    assert "| **mean of 2** | | `test` | | **83.3** | **60.0** | **80.0** | | |" in page
    check_page(page)


def test_ratings_have_concordance_instead_of_rates(card):
    card.rated, card.classes, card.target, card.meanings = True, ["arousal", "valence"], "arousal, valence", []
    card.corpora = [dataclasses.replace(card.corpora[0], rating_scale="1 to 5")]
    card.results = [of_ratings()]

    page = render_model_card(card)

    (result,) = HubCard(page).data.eval_results  # valence and the mean are undefined
    assert (result.metric_type, result.metric_name) == ("ccc", "Concordance correlation (CCC), arousal")
    assert result.metric_args == {
        "dimension": "arousal",
        "confidence_interval": [0.5, 0.9],
        "level": 0.95,
        "by": "speakers",
    }
    assert "| URDU | `fold1` | `test` | 3 | 0.857 (0.500 to 0.900) | - | - | 95 % |" in page
    assert 'function_to_apply="none"' in page
    assert "Scale of URDU: 1 to 5." in page
    assert "calibrat" not in page
    check_page(page)


def bare() -> ModelCard:
    """Return a card of which nothing is known but what must be."""
    corpus = TrainingCorpus(name="c", dataset="c", config="all", utterances=1)
    return ModelCard(name="m", model_type="t", target="emotion", classes=["a"], corpora=[corpus])


def test_a_card_of_which_little_is_known_has_no_empty_tables_and_no_scores(tmp_path):
    path = write_model_card(bare(), tmp_path)

    data = HubCard.load(path).data
    assert (data.eval_results, data.datasets, data.license) == (None, None, "other")
    page = path.read_text(encoding="utf-8")
    assert "Not scored." in page
    check_page(page)


@pytest.mark.parametrize("kind", ["full", "base model", "ratings", "two corpora"])
def test_names_of_any_kind_break_neither_tables_nor_front_matter(card, kind):
    weird = dataclasses.replace(
        card.corpora[0], name=WEIRD, dataset=WEIRD, config=WEIRD, licence=WEIRD, homepage="javascript:x", note=WEIRD
    )
    card.name, card.corpora = WEIRD, [weird]
    card.results = [of_classes(dataset=WEIRD, config=WEIRD, name=WEIRD)]
    if kind == "base model":
        card.base_model = Source(name=WEIRD)
    elif kind == "ratings":
        card.rated, card.results = True, [dataclasses.replace(of_ratings(), name=WEIRD)] * 2
    elif kind == "two corpora":
        card.corpora, card.results = [weird, weird], card.results * 2

    page = render_model_card(card)

    data = HubCard(page).data
    assert data.model_name == WEIRD
    assert all(re.fullmatch(r"[\w./-]+", one.dataset_type, re.ASCII) for one in data.eval_results)
    assert re.fullmatch(r"[a-z0-9-]+", data.license_name)
    assert all(re.fullmatch(r"[\w.-]+\.png", one.picture, re.ASCII) for one in card.results)
    check_page(page)
    assert "javascript" not in page.split("\n---\n", 1)[1]


def test_the_page_of_a_cross_validation_tells_folds_mean_and_deviation(tmp_path):
    folds = CrossValidation(
        dataset="serbench/urdu",
        name=WEIRD,
        folds={"fold1": {"ua": 0.5, "n": 1000}, "fold2": {"ua": 0.7, "n": 20}},
        mean={"ua": 0.6},
        deviation={"ua": 0.1414},
        pooled={"ua": 0.504},
        labels=["a", "b"],
        confusion_matrix=[[1, 2], [3, 4]],
    )

    page = write_cross_validation(folds, tmp_path).read_text(encoding="utf-8")

    for line in (
        "| [fold1](fold1) | 1,000 | 50.0 |",
        "| **mean ± standard deviation** | | **60.0 ± 14.1** |",
        "| all folds as one test set | 1,020 | 50.4 |",
    ):
        assert line in page
    check_page(page)
    assert (tmp_path / "confusion.png").exists()

    rated = dataclasses.replace(folds, pooled={}, labels=(), deviation={}, folds={"fold1": {"ua": None, "n": 3}})
    page = write_cross_validation(rated, tmp_path).read_text(encoding="utf-8")
    assert "| **mean** | | **0.600** |" in page
    check_page(page)


def test_the_same_numbers_give_the_same_pictures_and_others_give_others(tmp_path):
    matrix = [[9, 1, 0], [0, 4, 0], [0, 0, 0]]
    drawn = {
        "confusion": lambda path, change: draw_confusion(
            [row[::-1] for row in matrix] if change else matrix, EMOTIONS, path
        ),
        "reliability": lambda path, change: draw_reliability([(0.5, 0.5, 3)], [(0.6, 0.5, 3)] if change else [], path),
        "curves": lambda path, change: draw_curves({"training loss": [(1, 2.0), (5, 1.0 + change)]}, path),
    }
    for kind, draw in drawn.items():
        for name, change in {"a": False, "b": False, "c": True}.items():
            draw(tmp_path / f"{kind}-{name}.png", change)
        a, b, c = ((tmp_path / f"{kind}-{name}.png").read_bytes() for name in "abc")
        assert a == b != c, kind
        assert a.startswith(b"\x89PNG")


def test_a_diverged_loss_can_be_drawn(tmp_path):
    nan = float("nan")
    draw_curves({"training loss": [(1, 2.0), (2, nan)], "validation loss": [(2, nan)]}, tmp_path / "a.png")
    draw_curves({"training loss": [(1, nan)], "learning rate": [(1, 0.1)]}, tmp_path / "b.png")
