import json
import logging
from dataclasses import replace

import datasets
import numpy as np
import pytest
import torch
import toy_corpus
from conftest import SHARED
from toy_corpus import corpus as plain_corpus
from transformers import HubertForSequenceClassification, HubertModel, Wav2Vec2FeatureExtractor

from loading_scripts import registry
from loading_scripts.labels import AROUSAL_VALENCE
from ser_metrics.published import recomputed, table
from ser_trainer.benchmark import study
from ser_trainer.benchmark.corpora import CorpusError, CorpusRows
from ser_trainer.benchmark.papers import exhubert_tables
from ser_trainer.benchmark.papers.emosetpp import EMOSET, EMOSETPP, MEMBERS, RECORDED, UNSEEN, coverage, shortfall
from ser_trainer.benchmark.papers.exhubert_recipe import STEPS, TRANSFERS, Recipe
from ser_trainer.benchmark.papers.exhubert_tables import chosen, printed, tables
from ser_trainer.benchmark.papers.exhubert_training import _model, start
from ser_trainer.benchmark.protocol import ProtocolError, Setting
from ser_trainer.benchmark.protocols import exhubert
from ser_trainer.benchmark.results.line import Results
from ser_trainer.benchmark.study import Machine
from ser_trainer.benchmark.tuning import fine_tuning
from ser_trainer.finetune.transfers import VARIANTS
from ser_trainer.models import tiny_hubert_config

QUADRANTS = {
    "anger": "high_negative",
    "happiness": "high_positive",
    "neutral": "low_neutral",
    "sadness": "low_negative",
}
SHORT = ("start-plain", "emosetpp-plain", "emosetpp-frozen", "emosetpp-two_copies")
QUICK = Setting(epochs=1, extra={"lr": "1e-3", "transfers": ",".join(SHORT)})


def corpus(name: str, config: str | None = "emosetpp", **told) -> CorpusRows:
    """Return a toy corpus with labels of arousal and valence; `config` splits its five speakers, None: none does."""
    toy = plain_corpus(name, each=1, **told)
    codes = [AROUSAL_VALENCE.index(QUADRANTS[toy.facts[one]["canonical"]]) for one in toy.ids]
    rows = toy.rows.add_column("arousal_valence", codes, feature=datasets.ClassLabel(names=list(AROUSAL_VALENCE)))
    parts = {"train": ("s1", "s2", "s3"), "validation": ("s4",), "test": ("s5",)}
    splits = {
        config: {
            name: tuple(one for one in toy.ids if toy.facts[one]["speaker"] in speakers)
            for name, speakers in parts.items()
        }
    }
    return CorpusRows(name, toy.dataset, None, rows, ("all", *([config] if config else [])), splits if config else {})


@pytest.fixture(scope="session")
def hubert(tmp_path_factory):
    """A tiny HuBERT without a head, as pre-training leaves it."""
    folder = tmp_path_factory.mktemp("start") / "tiny"
    torch.manual_seed(0)
    HubertModel(tiny_hubert_config({0: "a", 1: "b"})).save_pretrained(folder)
    Wav2Vec2FeatureExtractor(do_normalize=False, return_attention_mask=True).save_pretrained(folder)
    return folder


def run(start, corpora, folder, setting=QUICK, **told):
    results = Results(folder)
    study.run("exhubert", [str(start)], corpora, results, setting, Machine(), **told)
    return results


@pytest.fixture(scope="session")
def studied(hubert, tmp_path_factory):
    """One whole study: two corpora of EmoSet++, one of which is in EmoSet, and an unseen one."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    corpora = [corpus("emodb"), corpus("urdu"), corpus("toy", "speaker1")]
    results = run(hubert, corpora, tmp_path_factory.mktemp("results"))
    yield corpora, results
    monkeypatch.undo()


def test_members_are_those_of_the_sheet():
    assert (len(EMOSETPP), len(set(EMOSETPP)), len(EMOSET), len(RECORDED)) == (37, 37, 26, 19)
    assert {one.id for one in MEMBERS if not one.missing} == set(RECORDED)
    listed = {one for one in RECORDED if "fold1" in registry.load(one).CORPUS.partitions}
    assert len(listed) == 15  # EmoBox's folds
    assert all("emosetpp" in registry.load(one).CORPUS.partitions for one in RECORDED)
    assert set(UNSEEN) <= set(registry.ids()) and not set(UNSEEN) & set(EMOSETPP)
    text = (SHARED / "design" / "emosetpp.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.startswith("| ")]
    told = {row[2].partition(" (")[0]: row[4] == "yes" for row in rows if len(row) > 4 and row[4] in ("yes", "no")}
    told["SUBESCO"] = told.pop("SUBSECO")
    assert told == {one.name: one.emoset for one in MEMBERS}


def test_what_is_missing_is_said_with_its_reason():
    assert coverage(["urdu", "emodb", "demo"]) == "2 of 37 corpora of EmoSet++ trained"
    assert coverage(["urdu", "emodb"], emoset=True) == "1 of 26 corpora of EmoSet trained"
    told = shortfall(["urdu"])
    assert told[0].startswith("18 not given: casia, ")
    assert [one.partition(":")[0] for one in told[1:]] == [
        "9 no record here, no list of its files and labels has been verified",
        "9 no record here, closed, as far as is known",
    ]
    assert "FAU Aibo" in told[1] and "SUSAS" in told[2]


@pytest.mark.parametrize("name", ["exhubert_table1", "exhubert_table2"])
def test_columns_are_those_of_the_tables_and_averages_recompute_or_say_why_not(name):
    models = {row["model"] for row in table(name)}
    assert set(exhubert_tables.COLUMNS[name].values()) == models - {"HuBERT Large 83.7% of EmoSet++"}
    averages = [one for one in recomputed() if one.table == name]
    assert {one.of for one in averages} == models
    assert all(one.agrees or one.note for one in averages)
    for system, model in exhubert_tables.COLUMNS[name].items():
        cells = {where: value for where, value in printed(name, system).items() if not where.startswith("AVERAGE")}
        (average,) = [one for one in averages if one.of == model]
        assert average.value is None or np.mean(list(cells.values())) == pytest.approx(average.value)


def test_each_stage_gives_its_lines(studied):
    _, results = studied
    lines = results.lines()
    assert [(line.head, line.corpus, line.config) for line in lines] == [
        ("selection", "emodb", "emosetpp"),  # of the two that train, EmoSet has this one
        ("emosetpp", "emodb", "emosetpp"),
        ("emosetpp", "urdu", "emosetpp"),
        *((name, "toy", "speaker1") for name in SHORT),
    ]
    assert all(line.classes == list(AROUSAL_VALENCE) for line in lines)
    assert all(line.n == 4 and line.options["epochs"] == 1 for line in lines)
    told = {line.head: " ".join(line.flags) for line in lines}
    assert "1 of 26 corpora of EmoSet trained" in told["selection"]
    assert all("2 of 37 corpora of EmoSet++ trained" in told[name] for name in ("emosetpp", "emosetpp-frozen"))
    assert "EmoSet++ trained" not in told["start-plain"]  # it is the encoder itself
    assert "no split of EmoSet++: config speaker1 instead" in told["start-plain"]
    assert all(
        "UA over the classes that are tested, without low_positive, high_neutral" in one for one in told.values()
    )
    assert lines[1].options["sources"] == ["emodb:emosetpp", "urdu:emosetpp"]
    assert "sources" not in lines[3].options
    assert lines[1].scores["ua"] == pytest.approx(np.mean(np.diag(lines[1].confusion_matrix)[[0, 1, 3, 5]]))


def test_a_transfer_starts_from_the_model_of_stage_2(studied):
    _, results = studied
    models = {line.head: results.folder / "models" / line.hyperparameters["model"] for line in results.lines()}
    assert json.loads((models["emosetpp"] / "config.json").read_text())["model_type"] == "hubert"
    base = HubertForSequenceClassification.from_pretrained(models["emosetpp"])
    assert base.config.label2id == {name: code for code, name in enumerate(AROUSAL_VALENCE)}
    made = {head: json.loads((folder / "tuning.json").read_text()) for head, folder in models.items()}
    assert made["emosetpp-frozen"]["stage 2"] == made["emosetpp-plain"]["stage 2"]
    assert made["emosetpp-frozen"]["stage 2"] == models["emosetpp"].relative_to(results.folder / "models").as_posix()
    assert "stage 2" not in made["start-plain"]
    assert (made["emosetpp"]["round_robin"], made["emosetpp-frozen"]["round_robin"]) == (True, False)
    assert not (models["emosetpp-frozen"] / "model.safetensors").exists()  # one of 1.3 GB each in earnest


def test_forms_are_expanded_and_frozen_as_table_2_says(hubert):
    assert {one.partition("-")[2] for one in TRANSFERS} == set(VARIANTS)
    made = {form: _model("tiny", hubert, form, AROUSAL_VALENCE)[0] for form in VARIANTS}
    layers = {form: len(model.hubert.encoder.layers) for form, model in made.items()}
    assert layers == {"plain": 2, "frozen": 4, "non_frozen": 4, "two_copies": 6}
    trains = {
        form: model.hubert.encoder.layers[0].attention.q_proj.weight.requires_grad for form, model in made.items()
    }
    assert trains == {"plain": True, "frozen": False, "non_frozen": True, "two_copies": False}
    for model in made.values():
        assert not any(one.requires_grad for one in model.hubert.feature_extractor.parameters())
        assert model.config.num_labels == 6


def test_a_study_that_was_stopped_goes_on_where_it_was(hubert, studied, tmp_path, monkeypatch):
    corpora, whole = studied
    trained, train = [], fine_tuning._train

    def stop_at_third(folder, *args):
        trained.append(folder.name.partition("-seed")[0])
        if len(trained) == 3:
            raise KeyboardInterrupt
        train(folder, *args)

    monkeypatch.setattr(fine_tuning, "_train", stop_at_third)
    setting = replace(QUICK, extra={**QUICK.extra, "transfers": "emosetpp-frozen"})
    with pytest.raises(KeyboardInterrupt):
        run(hubert, corpora, tmp_path, setting)
    assert [line.head for line in Results(tmp_path).lines()] == ["selection", "emosetpp", "emosetpp"]
    results = run(hubert, corpora, tmp_path, setting)
    run(hubert, corpora, tmp_path, setting)
    assert trained == ["sources", "sources", "emosetpp-frozen-toy", "emosetpp-frozen-toy"]
    before = {line.id: line.confusion_matrix for line in whole.lines()}
    assert {line.id: line.confusion_matrix for line in results.lines()} == {
        line.id: before[line.id] for line in results.lines()
    }


def test_tables_stand_beside_the_printed_ones(studied):
    _, results = studied
    first, second = tables(results.lines())
    assert first.header == ["corpus", "selection", "printed", "emosetpp", "printed"]
    cells = {row[0]: row[1:] for row in first.rows}
    assert list(cells)[:3] == ["emodb", "demos", "emofilm"] and cells["demos"] == ["-", "67.7", "-", "90.7"]
    assert (cells["emodb"][1], cells["emodb"][3]) == ("90.0", "-")  # the last is missing in print
    assert cells["mean where both"][2:] == ["-", "-"]
    assert "tiny selection has no printed column; beside it stands that of HuBERT Large." in first.notes
    assert "1 of 26 corpora of EmoSet trained." in first.notes
    assert second.header[1::2] == list(SHORT)
    assert [row[0] for row in second.rows] == [*UNSEEN, "toy", "mean where both", "mean of all"]
    line = next(line for line in results.lines() if line.head == "start-plain")
    assert second.rows[6][1] == f"{100 * line.scores['ua']:.1f}"
    published = {line.id: replace(line, encoder="hubert_large_ls960_ft", corpus="aesi") for line in [line]}
    (table2,) = tables(published.values())
    assert table2.rows[0] == ["aesi", f"{100 * line.scores['ua']:.1f}", "80.9"]
    assert table2.rows[-2][2] == "80.9"  # over what both have
    assert not any("no printed column" in note for note in table2.notes)


def test_validation_chooses_the_start(studied):
    line = studied[1].lines()[0]
    other = replace(line, encoder="other", grid=[{"validation": line.grid[0]["validation"] + 0.1}])
    assert list(chosen([line, other])) == ["other", "tiny"]
    (first,) = tables([line, other])
    assert first.notes[-1].startswith("Validation UAR of stage 1: other ")


def test_sources_are_members_unless_told(caplog):
    toys = [corpus("urdu"), corpus("a"), corpus("b")]
    told = [[one.id for one in side] for side in exhubert.sides(toys, Recipe())]
    assert told == [["urdu"], ["a", "b"]]
    told = [[one.id for one in side] for side in exhubert.sides(toys[::-1], Recipe(source=("b", "a")))]
    assert told == [["a", "b"], ["urdu"]]
    with caplog.at_level(logging.INFO):
        cells = exhubert.cells(toys, Setting(seeds=(0, 1)))
    assert len(cells) == 2 * (1 + 1 + 2 * len(TRANSFERS)) and all(cell.tunes for cell in cells)
    said = " ".join(caplog.messages)
    assert "1 of 37 corpora of EmoSet++ trained. Missing: 18 not given: casia" in said
    assert "transferred to: a (emosetpp), b (emosetpp)" in said


def test_stages_that_are_the_same_are_trained_once(hubert, tmp_path):
    setting = replace(QUICK, extra={"stages": "1,2", "source": "toy"})
    first, second = run(hubert, [corpus("toy")], tmp_path, setting).lines()
    assert first.hyperparameters == second.hyperparameters
    assert first.confusion_matrix == second.confusion_matrix
    assert "0 of 26 corpora of EmoSet trained" in first.flags
    assert "trained on what is not of EmoSet: toy" in first.flags
    assert "trained on what is not of EmoSet++: toy" in second.flags


def test_lengths_and_rate_are_those_of_the_paper():
    recipe = Recipe.of(Setting())
    assert (STEPS["selection"], STEPS["transfer"], recipe.rate) == (3_000, 10_000, 1e-5)
    assert recipe.options("selection", []) == {"steps": 3_000, "learning_rate": 1e-5, "batch_size": 8}
    assert Recipe.of(Setting(epochs=2)).length("transfer") == {"epochs": 2}


@pytest.mark.parametrize(
    ("names", "extra", "message"),
    [
        (["a", "b"], {}, "trains on corpora of EmoSet\\+\\+; a b holds none.*source=a"),
        (["urdu", "emodb"], {}, "stage 3 transfers to corpora that did not train; urdu emodb all do.*stages=1,2"),
        (["urdu", "a"], {"source": "c"}, "names corpora of the study \\(urdu a\\); 'c' is none"),
        (["urdu", "a"], {"stages": "4"}, "stages takes 1, 2, 3, with commas; found '4'"),
        (["urdu", "a"], {"stages": ","}, "found 'nothing'"),
        (["urdu", "a"], {"transfers": "emosetpp-frozn"}, "Did you mean 'emosetpp-frozen'"),
        (["urdu", "a"], {"step": "5"}, "'step' is no option. Did you mean 'steps'"),
        (["urdu", "a"], {"steps": "0.5"}, "steps is a whole number above 0; found '0.5'"),
        (["urdu", "a"], {"lr": "nan"}, "lr is a number above 0; found 'nan'"),
    ],
)
def test_what_cannot_be_run_is_refused(names, extra, message):
    with pytest.raises(ProtocolError, match=message):
        exhubert.cells([corpus(name) for name in names], Setting(extra=extra))
    with pytest.raises(ProtocolError, match="both say how long"):
        exhubert.cells([], Setting(epochs=1, extra={"steps": "5"}))


def test_one_side_is_enough_for_some_stages():
    assert len(exhubert.cells([corpus("urdu")], Setting(extra={"stages": "1,2"}))) == 2
    alone = Setting(extra={"stages": "3", "transfers": "start-plain,start-frozen"})
    assert len(exhubert.cells([corpus("a")], alone)) == 2


def test_a_corpus_is_split_by_the_first_config_that_it_has_or_by_the_rule():
    assert exhubert.task_of(corpus("a", "fold1")).config == "fold1"
    task = exhubert.task_of(corpus("a", None))
    assert (task.config, {name: len(part) for name, part in task.parts.items()}) == (
        exhubert.RULE,
        {"train": 12, "validation": 4, "test": 4},
    )
    assert task.shared_speakers() == 0.0


def test_corpora_without_the_classes_are_refused():
    with pytest.raises(CorpusError, match="exhubert needs the column arousal_valence"):
        exhubert.task_of(plain_corpus("a"))
    with pytest.raises(CorpusError, match="two of the six classes or more in train; there is only high_negative"):
        exhubert.cells([corpus("urdu"), corpus("a", emotions=("anger",))], Setting())


def test_encoders_that_cannot_be_trained_are_refused_before_training(tmp_path):
    with pytest.raises(ProtocolError, match="fine-tunes whole models of transformers; this is none"):
        start(f"{toy_corpus.__file__}:spectrum", False)
    folder = tmp_path / "bert"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "wav2vec2-bert"}))
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ProtocolError, match="cannot be expanded.*transfers=start-plain,emosetpp-plain"):
        start(str(folder), True)
