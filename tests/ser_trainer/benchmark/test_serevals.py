import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import toy_corpus
from toy_corpus import corpus

from loading_scripts import labels, registry
from model_cards.heat_map import heat_map
from ser_metrics.published import table
from ser_trainer.benchmark import study
from ser_trainer.benchmark.cache.joined import Rows, joined
from ser_trainer.benchmark.corpora import CorpusError
from ser_trainer.benchmark.papers import adjustment, serevals_matrix
from ser_trainer.benchmark.papers.label_maps.serevals import CLASSES, CODES, label
from ser_trainer.benchmark.papers.serevals_corpora import GROUPS, corpus_id, paired, published_counts
from ser_trainer.benchmark.papers.serevals_split import published_split
from ser_trainer.benchmark.papers.serevals_tasks import EMOTIONS, as_published, in_domain, out_of_domain
from ser_trainer.benchmark.protocol import ProtocolError, Setting
from ser_trainer.benchmark.protocols import serevals
from ser_trainer.benchmark.results import beside
from ser_trainer.benchmark.results.line import Results
from ser_trainer.benchmark.study import Machine

SPECTRUM = f"{Path(toy_corpus.__file__)}:spectrum"
QUICK = Setting(epochs=3)
OTHERS = ("anger", "happiness", "boredom", "sadness")
toy_corpus.PITCHES |= {"boredom": 160.0, "surprise": 660.0}


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Lines of two corpora of one group of the paper and one of ours, in both variants, by a spectrum as encoder."""
    folder = tmp_path_factory.mktemp("serevals")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SERBENCH_CACHE", str(folder / "cache"))
        toys = [corpus("emovo"), corpus("mesd", emotions=OTHERS), corpus("toy", emotions=("anger", "surprise"))]
        for variant in serevals.VARIANTS:
            setting = replace(QUICK, variant=variant, epochs=20, seeds=(0, 1))
            study.run("serevals", [SPECTRUM], toys, Results(folder), setting, Machine())
    found = Results(folder).lines()
    return {variant: [line for line in found if line.variant == variant] for variant in serevals.VARIANTS}


def named(lines, pair, seed=0):
    (found,) = (line for line in lines if (line.corpus, line.seed) == (pair, seed))
    return found


# the map


def test_every_code_of_every_corpus_is_in_the_map():
    for name, classes in CODES.items():
        codes = [code for each in classes.values() for code in each.split()]
        assert sorted(codes) == sorted(registry.load(name).CORPUS.emotions), name


def test_the_map_gives_the_classes_that_the_paper_counted():
    assert set(CODES) == set(published_counts())
    for name, counts in published_counts().items():
        assert set(CODES[name]) == {one for one, n in counts.items() if n}, name


def test_the_map_differs_from_ours_where_its_page_says():
    differ = {
        (name, code)
        for name in CODES
        for code, noun in registry.load(name).CORPUS.emotions.items()
        if label(name, {"native": code}) != labels.mapping(noun, name).unified8
    }
    manners = ("enunciated", "fast", "narration", "projected", "whisper")
    assert differ == {("shemo", "F"), *(("expresso", one) for one in manners)}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"native": None, "unified8": "fear", "canonical": "fear"}, "fear"),
        ({"native": None, "unified8": None, "canonical": "boredom"}, "other"),
        ({"native": "x", "unified8": None, "canonical": "no noun"}, None),
    ],
)
def test_what_the_map_does_not_know_is_mapped_by_ours(facts, expected):
    assert label("demo", facts) == expected


# splits and pairs


@pytest.mark.parametrize(
    ("width", "first"), [(768, [171, 427, 114, 154]), (1024, [279, 327, 424, 417]), (1280, [78, 422, 193, 63])]
)
def test_the_published_split_depends_on_the_width_and_on_nothing_else(width, first):
    state = torch.random.get_rng_state()
    train, test = published_split(535, width)
    assert test[:4] == first
    assert (len(train), sorted(train + test)) == (428, list(range(535)))
    torch.manual_seed(1)
    assert published_split(535, width) == (train, test)
    torch.random.set_rng_state(state)


def test_strict_tests_all_encoders_on_the_same_utterances_and_published_does_not():
    task = in_domain(corpus())
    assert task.split == in_domain(corpus()).split
    splits = {as_published(task, width).split for width in (16, 768, 768, 1024)}
    assert len(splits) == 3 and task.split not in splits


def test_a_corpus_without_the_config_is_split_as_its_record_would():
    from loading_scripts.partitions import serevals as config

    toy = corpus(each=20)
    task = in_domain(toy)
    rule = config("toy")["serevals"]
    expected = rule.assign([SimpleNamespace(id=one) for one in toy.ids])
    assert {one: split for split in ("train", "test") for one in task.parts[split]} == dict(
        zip(toy.ids, expected, strict=True)
    )


def test_listed_splits_are_those_of_the_config():
    toy = corpus("emovo")
    listed = {"train": toy.ids[::2], "test": toy.ids[1::2]}
    assert in_domain(corpus("emovo", configs={"serevals": listed})).parts == listed


def test_pairs_are_those_of_the_published_matrices():
    ours = {(one, other) for one in CODES for other in CODES if one != other and paired(one, other)}
    for cells in serevals_matrix.published().values():
        assert {key for key in cells if key[0] != key[1]} == ours
        assert len(cells) == 95
    printed = [row["dataset"] for row in table("serevals_table1") if row["ood_eligible"] == "yes"]
    assert sorted(GROUPS[1]) == sorted(map(corpus_id, printed))
    assert paired("demo", "emovo") and paired("aesdd", "turevdb") and not paired("aesdd", "emovo")


# lines


@pytest.mark.parametrize("variant", serevals.VARIANTS)
def test_each_corpus_is_tested_in_domain_and_out_of_it(lines, variant):
    pairs = ["emovo", "emovo>mesd", "emovo>toy", "mesd", "mesd>emovo", "mesd>toy", "toy", "toy>emovo", "toy>mesd"]
    found = lines[variant]
    assert sorted((line.corpus, line.seed) for line in found) == sorted((one, seed) for one in pairs for seed in (0, 1))
    assert {(line.config, line.head, line.layer) for line in found} == {("serevals", "serevals", "last")}
    assert all(tuple(line.classes) == CLASSES and line.options["cut_seconds"] == 30 for line in found)


@pytest.mark.parametrize("variant", serevals.VARIANTS)
def test_other_counts_in_domain_and_is_neither_tested_nor_answered_out_of_it(lines, variant):
    at = CLASSES.index("other")
    matrices = {line.corpus: np.array(line.confusion_matrix) for line in lines[variant]}
    assert matrices["mesd"][at].sum() > 0
    for pair, matrix in matrices.items():
        if ">" in pair:
            assert matrix[at].sum() == matrix[:, at].sum() == 0
    assert matrices["emovo>mesd"].sum() == 30  # 40 without those of boredom
    assert named(lines[variant], "emovo>mesd").dropped == {"other is no class out of domain": 10}


def test_a_class_that_nobody_trained_is_masked_or_as_published_always_answered(lines):
    surprise = CLASSES.index("surprise")
    for variant, always in (("strict", False), ("published", True)):
        line = named(lines[variant], "mesd>toy")  # the second lacks neutral and the first surprise
        matrix = np.array(line.confusion_matrix)
        assert matrix.sum() == 20
        assert matrix[:, surprise].sum() == (20 if always else 0)
        assert any(flag.startswith("published epsilon") and "surprise" in flag for flag in line.flags) is always
        assert ("constant answer: mesd>toy is surprise throughout" in line.flags) is always


def test_lines_say_what_a_reader_must_know(lines):
    strict, published = (" ".join(named(lines[variant], "emovo>toy").flags) for variant in serevals.VARIANTS)
    assert not any(word in strict for word in ("transductive", "oracle", "published split"))
    assert "oracle" in published and "published split" in published
    for told in (strict, published):
        assert "not the paper's utterances: emovo has 40 here, 588 there" in told
        assert "not one of the paper's corpora: toy" in told
    line = named(lines["strict"], "emovo>toy")
    assert line.sizes["train"] < 40 and line.sizes["test"] == 20
    assert sum(line.hyperparameters["target_prior"].values()) == pytest.approx(1, abs=1e-3)
    assert named(lines["strict"], "emovo").shared_speakers == 1


def test_heads_carry_pitches_over_to_another_corpus(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    toys = [corpus("a", each=8), corpus("b", emotions=("anger", "happiness", "sadness"), seconds=0.3)]
    study.run("serevals", [SPECTRUM], toys, Results(tmp_path), replace(QUICK, epochs=40), Machine())
    scores = {line.corpus: line.scores["wa"] for line in Results(tmp_path).lines()}
    assert scores["a"] > 0.8 and scores["a>b"] > 0.8


def test_the_matrix_of_lines_is_reduced_over_seeds(lines):
    found = serevals_matrix.reduce(lines["strict"])
    expected = np.mean([named(lines["strict"], "mesd>emovo", seed).scores["f1"] for seed in (0, 1)])
    assert found.cells["mesd", "emovo"] == pytest.approx(expected)
    assert set(found.eligible) == {"mesd", "emovo"}  # a corpus that the paper lacks is not averaged with its own
    assert found.rows["mesd"] == found.columns["emovo"] == found.cells["mesd", "emovo"]
    assert found.averages["id_mean"] == pytest.approx(
        np.mean([found.cells[one, one] for one in ("emovo", "mesd", "toy")])
    )


def test_layers_are_vectors_for_the_same_head(tmp_path, monkeypatch):
    monkeypatch.setenv("SERBENCH_CACHE", str(tmp_path / "cache"))
    toys = [corpus("a"), corpus("b")]
    study.run("serevals", [SPECTRUM], toys, Results(tmp_path), replace(QUICK, layers="all"), Machine())
    assert {(line.layer, line.corpus) for line in Results(tmp_path).lines()} == {
        ("0", pair) for pair in ("a", "b", "a>b", "b>a")
    }


# decisions


def decision(prior, published=False, neutral=True):
    source = in_domain(corpus("a", each=4))
    test = out_of_domain(source, in_domain(corpus("b", emotions=tuple(toy_corpus.PITCHES)[: 3 + neutral])))
    logits = np.random.default_rng(0).standard_normal((len(test.parts["test"]), 8))
    return serevals.decide(logits, source, test, published, prior)


def test_the_prior_of_the_target_is_uniform_true_or_estimated():
    present = ("anger", "happiness", "neutral", "sadness")
    uniform = decision("uniform").target
    assert uniform == {name: 0.25 if name in present else 0 for name in EMOTIONS}
    true = decision("true", neutral=False).target  # of three classes
    assert {name for name, share in true.items() if share} == {"anger", "happiness", "neutral"}
    assert decision("em").target not in (uniform, true)


def test_a_target_prior_of_zero_is_no_answer():
    found = decision("true", neutral=False)
    assert CLASSES.index("sadness") not in found.predicted  # which trained, and is not in the target


def test_em_that_does_not_converge_is_flagged_and_warned_of(monkeypatch):
    monkeypatch.setattr(serevals, "em", lambda logits, source: adjustment.em(logits, source, limit=2))
    with pytest.warns(UserWarning, match="did not converge: a>b changed by .* in step 2"):
        found = decision("em")
    assert any("did not converge" in flag for flag in found.flags)
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decision("em")


# frames


def features(name, lengths, width=3):
    draw = np.random.default_rng(list(name.encode()))
    held = {f"{name}{at}": draw.standard_normal((n, width)).astype(np.float32) for at, n in enumerate(lengths)}

    class Held(dict):
        pass

    found = Held(held)
    found.lengths, found.width, found.layers = {one: len(x) for one, x in held.items()}, width, "last"
    return found


@pytest.mark.parametrize("longest", [None, 3, 1])
def test_rows_of_several_corpora_are_those_of_one_array(longest):
    pools = [(features("a", (4, 1, 7)), ("a2", "a0")), (features("b", (3, 2)), ("b0", "b1"))]
    whole = np.concatenate([held[one][:longest] for held, ids in pools for one in ids])
    rows = Rows(pools, longest)
    assert (rows.shape, rows.ndim, rows.size, len(rows)) == (whole.shape, 2, whole.size, len(whole))
    for start in range(len(whole)):
        for stop in range(start, len(whole) + 2):
            np.testing.assert_array_equal(rows[start:stop], whole[start:stop])
    assert joined(pools, "last", longest).offsets[-1] == len(whole)


# what is refused


@pytest.mark.parametrize(
    ("toys", "setting", "error", "message"),
    [
        ((), QUICK, ProtocolError, "two corpora or more; given none"),
        (("a",), QUICK, ProtocolError, "two corpora or more; given a. Add one"),
        (("a", "b"), replace(QUICK, extra={"target_prior": "tru"}), ProtocolError, "Did you mean 'true'"),
        (("a", "b"), replace(QUICK, extra={"prior": "em"}), ProtocolError, "one option, target_prior; found prior"),
    ],
)
def test_a_protocol_that_cannot_be_run_is_refused(toys, setting, error, message):
    with pytest.raises(error, match=message):
        serevals.cells([corpus(name) for name in toys], setting)


@pytest.mark.parametrize(
    ("emotions", "message"),
    [(("boredom",), "it has none"), (("anger",), "in two classes or more"), (("surprise", "boredom"), "none of")],
)
def test_a_corpus_that_cannot_take_part_is_refused(emotions, message):
    with pytest.raises(CorpusError, match=message):
        serevals.cells([corpus("a"), corpus("b", emotions=emotions)], QUICK)


# the published matrices


def test_published_matrices_reduce_to_table_3():
    for row in table("serevals_table3"):
        found = serevals_matrix.reduced(serevals_matrix.published()[row["model"]])
        for name, value in found.averages.items():
            printed = row["weighted_average" if name == "weighted" else name]
            assert value == pytest.approx(float(printed), abs=1e-6), (row["model"], name)
        assert np.mean(list(found.rows.values())) == pytest.approx(np.mean(list(found.columns.values())))


def test_published_cells_are_those_of_beside():
    cells = beside.cells("serevals")
    assert len(cells) == 9 * 95
    value = next(one for one in cells if (one.encoder_row, one.corpus) == ("WavLM-Large", "mesd>emovo"))
    assert (value.metric, value.percent) == ("f1", pytest.approx(3.571))


def test_our_cells_stand_beside_the_published_ones():
    theirs = serevals_matrix.published()["WavLM-Large"]
    ours = {key: theirs[key] + 0.125 for key in (("mesd", "emovo"), ("mesd", "mesd"))} | {("demo", "mesd"): 0.5}
    shown = serevals_matrix.difference_table(ours, "WavLM-Large")
    assert shown.rows == [["emovo", "-", "-"], ["mesd", "+12.5", "+12.5"]]
    assert shown.notes == ["2 of our 3 cells are published."]
    assert serevals_matrix.difference_table({("demo", "mesd"): 0.5}, "WavLM-Large") is None


def test_a_matrix_is_shown_with_its_means():
    cells = {("mesd", "mesd"): 0.9, ("emovo", "emovo"): 0.7, ("mesd", "emovo"): 0.25, ("emovo", "mesd"): 0.5}
    shown = serevals_matrix.matrix_table(serevals_matrix.reduced(cells), "toy")
    assert shown.rows == [
        ["emovo", "70.0", "50.0", "50.0"],
        ["mesd", "25.0", "90.0", "25.0"],
        ["mean", "25.0", "50.0", ""],
    ]
    assert "id mean 80.0" in shown.notes[1] and "2 of the paper's 9 corpora" in shown.notes[1]
    alone = serevals_matrix.reduced({("mesd", "mesd"): 0.9, ("mesd", "emovo"): 0.25})
    assert not alone.averages and not alone.rows  # a pair is missing


def test_a_heat_map_shows_every_value_and_escapes_names():
    drawn = heat_map(["a<b", "c"], ["x", "y"], [[0.0, 100.0], [None, 33.3]], title="F1, %")
    assert drawn.count("<rect") == 3 and "a&lt;b, y: 100.0" in drawn and "a<b" not in drawn
    assert "#ffffff" in drawn and "#084594" in drawn
