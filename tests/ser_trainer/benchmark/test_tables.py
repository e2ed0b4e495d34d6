"""Tables, averages and published cells: what is worked out from lines, against figures worked out by hand."""

from pathlib import Path

import pytest
from lines import EMOTIONS, made, of, stored

from loading_scripts import registry
from ser_metrics.published import SERAB_SIZES, table
from ser_trainer.benchmark.papers import serevals_matrix
from ser_trainer.benchmark.results import beside, layouts
from ser_trainer.benchmark.results.averages import average
from ser_trainer.benchmark.results.beside import CAPTION, HEADINGS, SERAB_TASKS
from ser_trainer.benchmark.results.line import Prediction, ResultsError
from ser_trainer.benchmark.results.outcomes import interval, outcomes
from ser_trainer.benchmark.results.stored import Stored, read
from ser_trainer.benchmark.results.tables import Marks, corpus_table, tables
from ser_trainer.encoders import registry as encoders

NOWHERE = None


def answers(right: int, wrong: int, corpus: str = "emodb", speakers: int = 1, first: int = 0) -> list[Prediction]:
    """Return so many right and wrong answers about two classes, in turn, by so many speakers."""
    rows = []
    for number in range(right + wrong):
        true = EMOTIONS[number % 2]
        said = true if number < right else EMOTIONS[(number + 1) % 2]
        rows.append(Prediction(f"{corpus}-{first + number}", f"s{number % speakers}", true, said))
    return rows


def outcome(*pairs):
    """Return the one outcome of lines whose predictions nobody asks for."""
    (found,) = outcomes([Stored(line, NOWHERE) for line, _ in pairs])
    return found


def row(shown, name):
    """Return a row of a table as header -> cell; of two columns with one name the first."""
    (cells,) = (one for one in shown.rows if one[0].split(",")[0] == name)
    return dict(reversed(list(zip(shown.header, cells, strict=True))))


def test_every_published_corpus_has_a_record_and_every_table_all_its_cells():
    corpora = {
        name
        for protocol in beside.TABLES
        for cell in beside.cells(protocol)
        for name in cell.corpus.split(">")
        if name not in beside.SERAB_AVERAGES
    }
    assert corpora <= set(registry.ids())
    for name in corpora - {"thorsten"}:  # whose record has a longer name than its paper's
        assert beside.corpus_id(registry.load(name).CORPUS.name) == name
    counts = {protocol: len(beside.cells(protocol)) for protocol in beside.TABLES}
    assert counts == {"serab": 13 * 12, "emobox-intra": 32 * 10 * 3, "emobox-cross": 10 * 12 * 2, "serevals": 9 * 95}


def test_rows_that_records_name_are_in_the_tables():
    named = [(protocol, one) for protocol in beside.TABLES for one in encoders.ids() if beside.row_of(protocol, one)]
    assert len(named) > 20
    for protocol, one in named:
        assert beside.values(protocol, beside.row_of(protocol, one)), (protocol, one)
    assert beside.row_of("serab", "a/model-of-mine") is None
    assert beside.row_of("serevals", "opensmile") is None


def test_the_published_cells_give_the_published_averages_of_serab():
    sizes = {SERAB_TASKS[task]: number for task, number in SERAB_SIZES.items()}
    for printed in table("serab_table3"):
        values = beside.values("serab", printed["model"])
        reached = {corpus: {"wa": values[corpus, "wa", ""]} for corpus in SERAB_TASKS.values()}
        for one in average("serab", reached, sizes):
            assert one.over == "9 of 9 tasks"
            assert one.values["wa"] == pytest.approx(float(printed[one.name]), abs=0.1), (printed["model"], one.name)


def test_the_mean_over_pairs_is_the_same_in_both_readings_and_that_of_the_sheet():
    for name, mean in (("Whisper large v3", 46.85), ("WavLM large", 38.49), ("wav2vec 2.0 base", 27.67)):
        for reading in (CAPTION, HEADINGS):
            values = beside.values("emobox-cross", name)
            reached = {pair: {"wa": percent} for (pair, _, read_as), percent in values.items() if read_as == reading}
            (one,) = average("emobox-cross", reached, {})
            assert one.values["wa"] == pytest.approx(mean, abs=0.005)


def test_by_the_caption_columns_train_and_by_the_headings_rows_do():
    (printed,) = (
        float(one["acc"])
        for one in table("emobox_table5")
        if (one["model"], one["row"], one["column"]) == ("WavLM large", "IEMOCAP", "MELD")
    )
    values = beside.values("emobox-cross", "WavLM large")
    assert values["meld>iemocap", "wa", CAPTION] == values["iemocap>meld", "wa", HEADINGS] == printed


def test_the_published_cells_give_the_published_averages_of_serevals():
    for printed in table("serevals_table3"):
        values = beside.values("serevals", printed["model"])
        found = average("serevals", {corpus: {"f1": value} for (corpus, _, _), value in values.items()}, {})
        assert [one.name for one in found] == ["weighted average", "in domain", "out of domain"]
        for one, column in zip(found, ("weighted_average", "id_mean", "ood_mean"), strict=True):
            assert one.values["f1"] == pytest.approx(100 * float(printed[column]), abs=1e-4)
    assert average("serevals", {"emovo": {"f1": 0.9}, "emovo>mesd": {"f1": 0.2}}, {}) == []  # a pair is missing


def test_averages_run_over_what_is_there_and_say_so():
    reached = {"emodb": {"wa": 0.9}, "cafe": {"wa": 0.4}, "urdu": {"wa": 0.1}}
    found = {one.name: one for one in average("serab", reached, {"emodb": 100, "cafe": 300, "urdu": 50})}
    assert found["UM"].values["wa"] == pytest.approx(0.65)  # URDU is none of the nine tasks
    assert found["WM"].values["wa"] == pytest.approx((90 + 120) / 400)
    assert found["GM"].values["wa"] == pytest.approx(0.6)
    assert found["UM"].over == "2 of 9 tasks"
    (plain,) = average("serab", {"urdu": {"wa": 0.1}}, {"urdu": 50})
    assert (plain.name, plain.over, plain.values) == ("mean", "1 corpus", {"wa": 0.1})
    assert average("emobox-cross", {"a>b": {"wa": 0.1}}, {}) == []  # the other direction is missing
    (mean,) = average("emobox-intra", {"emodb": {"ua": 0.2, "wa": 0.4}, "urdu": {"ua": 0.4, "wa": 0.8}}, {})
    assert mean.values == pytest.approx({"ua": 0.3, "wa": 0.6})


def test_folds_count_alike_and_seeds_are_averaged_within_their_fold():
    def line(right, wrong, config, seed):
        rows = answers(right, wrong)
        return of(rows, protocol="emobox-intra", config=config, seed=seed), rows

    found = outcome(line(6, 4, "fold1", 0), line(8, 2, "fold1", 1), line(1, 1, "fold2", 0))
    assert found.mean["wa"] == pytest.approx(((0.6 + 0.8) / 2 + 0.5) / 2)
    assert found.pooled["wa"] == pytest.approx((6 + 8 + 1) / 22)
    assert (found.n, found.seeds, found.configs) == (12, 2, ("fold1", "fold2"))


def test_scores_are_counted_from_the_matrix_as_by_hand():
    rows = [Prediction(str(at), None, true, said) for at, (true, said) in enumerate(
        [("anger", "anger")] * 3 + [("anger", "sadness")] + [("sadness", "sadness")] * 1 + [("sadness", "anger")] * 1
    )]  # fmt: skip
    found = outcome((of(rows), rows))
    assert found.mean == pytest.approx({"ua": (3 / 4 + 1 / 2) / 2, "wa": 4 / 6, "f1": (6 / 8 + 2 / 4) / 2})


def test_classes_in_another_order_are_pooled_by_name():
    first, second = answers(5, 0), answers(3, 0)  # 3 + 2 and 2 + 1 of each class
    lines = [
        of(first, classes=("anger", "happiness"), protocol="emobox-intra", config="fold1"),
        of(second, classes=("happiness", "anger"), protocol="emobox-intra", config="fold2"),
    ]
    found = outcome((lines[0], first), (lines[1], second))
    assert found.classes == ("anger", "happiness")
    assert found.matrix.tolist() == [[5, 0], [0, 3]]


def test_of_two_lines_about_one_experiment_the_later_counts():
    old, new = answers(2, 8), answers(9, 1)
    lines = [of(old, date="2026-01-01T00:00:00Z"), of(new, date="2026-02-01T00:00:00Z")]
    for pair in (lines, lines[::-1]):
        assert outcome(*((one, None) for one in pair)).mean["wa"] == pytest.approx(0.9)


def test_speakers_are_drawn_where_enough_are_known_else_utterances(tmp_path: Path):
    for number, (speakers, by) in enumerate([(8, "8 speakers"), (5, "utterances"), (None, "utterances")]):
        folder = tmp_path / str(number)
        stored(folder, made(speakers=speakers, each=10))
        (found,) = outcomes(read([folder]))
        told = interval(found, "wa")
        assert told.by == by
        assert told.low < found.pooled["wa"] < told.high


def test_seeds_are_no_further_utterances(tmp_path: Path):
    """The same answers under nine seeds say no more than under one."""
    rows = answers(60, 40)
    widths = []
    for name, seeds in (("one", 1), ("nine", 9)):
        stored(tmp_path / name, *((of(rows, seed=seed), rows) for seed in range(seeds)))
        told = interval(outcomes(read([tmp_path / name]))[0], "wa")
        widths.append(told.high - told.low)
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


def test_ours_stands_beside_the_published_row_of_the_encoder(tmp_path: Path):
    emodb, urdu = answers(9, 1), answers(3, 1, "urdu")
    results = stored(tmp_path, (of(emodb), emodb), (of(urdu, corpus="urdu"), urdu))
    (shown,) = tables(read([results.folder]))
    cells = row(shown, "emodb")
    assert (cells["n"], cells["WA"], cells["published"], cells["diff"]) == ("10", "90.0", "90.5", "-0.5")
    assert row(shown, "urdu")["published"] == "-"  # SERAB has no URDU
    assert row(shown, "UM")["WA"] == "90.0"
    assert row(shown, "UM")["published"] == "90.5"  # of the one task that is there
    assert "openSMILE in serab_table3" in " ".join(shown.notes)


def test_all_nine_tasks_stand_beside_the_printed_averages(tmp_path: Path):
    stored(tmp_path, *(made(corpus, speakers=2, each=2) for corpus in SERAB_TASKS.values()))
    (shown,) = tables(read([tmp_path]))
    assert [row(shown, name)["published"] for name in ("UM", "WM", "GM")] == ["69.8", "69.1", "68.1"]


def test_an_encoder_without_a_published_row_sees_the_best_and_the_median(tmp_path: Path):
    stored(tmp_path, made(encoder="./my-model"))
    (shown,) = tables(read([tmp_path]))
    cells = row(shown, "emodb")
    printed = sorted(float(one["EMB"]) for one in table("serab_table3"))
    assert (cells["best"], cells["median"]) == (f"{printed[-1]}", f"{printed[6]}")
    assert "published" not in shown.header
    assert "./my-model has no published row" in " ".join(shown.notes)


def test_intra_has_all_scores_and_says_which_folds_are_missing(tmp_path: Path):
    lines = [made("emodb", f"fold{fold}", protocol="emobox-intra", encoder="wavlm_large") for fold in (1, 2, 3)]
    stored(tmp_path, *lines)
    (shown,) = tables(read([tmp_path]))
    cells = row(shown, "emodb")
    assert cells["folds"] == "3/5"
    assert [cells[name] for name in ("UA", "WA", "F1")] == [
        f"{100 * sum(line.scores[name] for line, _ in lines) / 3:.1f}" for name in ("ua", "wa", "f1")
    ]
    assert shown.header.count("published") == 3


def test_pairs_of_corpora_are_shown_in_both_orientations(tmp_path: Path):
    pairs = [("iemocap", "meld"), ("meld", "iemocap")]
    chances = dict(zip(pairs, (0.9, 0.2), strict=True))
    about = {"protocol": "emobox-cross", "encoder": "wavlm_large"}
    lines = [made(">".join(both), "balanced", accuracy=chances[both], **about) for both in pairs]
    stored(tmp_path, *lines)
    by_row, by_column, shown = tables(read([tmp_path]))
    wa = {both: f"{100 * line.scores['wa']:.1f}" for both, (line, _) in zip(pairs, lines, strict=True)}
    assert row(by_row, "iemocap")["meld"] == row(by_column, "meld")["iemocap"] == wa["iemocap", "meld"]
    assert row(by_row, "meld")["iemocap"] == row(by_column, "iemocap")["meld"] == wa["meld", "iemocap"]
    printed = beside.values("emobox-cross", "WavLM large")
    for reading in (CAPTION, HEADINGS):
        assert row(shown, "iemocap>meld")[reading] == f"{printed['iemocap>meld', 'wa', reading]:.1f}"


def serevals(encoder: str, accuracy: float = 0.5, corpora: tuple[str, ...] = ("emovo", "mesd")):
    """Return lines of a small matrix of SER Evals."""
    names = [one if one == other else f"{one}>{other}" for one in corpora for other in corpora]
    return [made(one, protocol="serevals", encoder=encoder, accuracy=accuracy, speakers=2, each=2) for one in names]


def test_a_matrix_stands_before_its_cells_and_beside_that_of_the_same_encoder(tmp_path: Path):
    stored(tmp_path, *serevals("wavlm_large"), *serevals("mine", corpora=("emovo", "demo")))
    matrix, difference, averages, cells, *mine = tables(read([tmp_path]))
    printed = 100 * serevals_matrix.published()["WavLM-Large"]["emovo", "mesd"]
    ours = float(row(matrix, "emovo")["mesd"])
    assert row(difference, "emovo")["mesd"] == f"{ours - printed:+.1f}"
    assert len(averages.rows) == 10 and "4 cells" in averages.notes[0]
    one = row(cells, "emovo>mesd")
    assert (one["F1"], one["published"]) == (f"{ours:.1f}", f"{printed:.1f}")
    assert row(cells, "in domain")["published"] == f"{50 * sum(published_diagonal()):.1f}"
    own_matrix, own_cells = mine  # no published row; a pair that no paper has
    assert row(own_matrix, "demo")["emovo"] == row(own_cells, "demo>emovo")["F1"]
    assert row(own_cells, "emovo")["best"] != "-" and row(own_cells, "demo")["best"] == "-"


def published_diagonal() -> list[float]:
    cells = serevals_matrix.published()["WavLM-Large"]
    return [cells[one, one] for one in ("emovo", "mesd")]


def test_heat_maps_show_ours_and_the_published_of_the_encoder_or_their_median():
    mine = [Stored(line, NOWHERE) for line, _ in serevals("mine", corpora=("emovo", "mesd", "demo"))]
    ours, theirs = layouts.heat_maps(outcomes(mine))
    assert ours.rows == ours.columns == theirs.rows == ["emovo", "mesd", "demo"]
    assert ours.values[0][1] == pytest.approx(100 * mine[1].line.scores["f1"])
    every = sorted(cells["emovo", "mesd"] for cells in serevals_matrix.published().values())
    assert theirs.values[0][1] == pytest.approx(100 * every[4]) and theirs.values[0][2] is None
    assert "median" in theirs.title
    _, theirs = layouts.heat_maps(outcomes(Stored(line, NOWHERE) for line, _ in serevals("wavlm_large")))
    assert theirs.title.startswith("WavLM-Large as published")
    assert layouts.heat_maps([outcome(made())]) == []


def test_every_cell_stands_beside_the_nine():
    (shown,) = layouts.cell_by_cell(outcomes(Stored(line, NOWHERE) for line, _ in serevals("mine")))
    assert shown.header[2:] == list(serevals_matrix.published())
    for name, cells in serevals_matrix.published().items():
        assert row(shown, "mesd > emovo")[name] == f"{100 * cells['mesd', 'emovo']:.1f}"


def test_generalize_has_its_table_for_each_encoder_and_each_pool(tmp_path: Path):
    def line(encoder: str, mode: str, accuracy: float, **pool: str):
        options = {"emotions": "4", "mode": mode, "sampling": "none", "folds": 2, **pool}
        about = {"protocol": "generalize", "encoder": encoder, "accuracy": accuracy, "each": 2}
        return made("ravdess", f"e4-{mode}-none-fold1", options=options, **about)

    pools = [
        line("one", "combined", chance, corpora=f"ravdess {other}") for chance, other in ((0.2, "esd"), (0.9, "savee"))
    ]
    for name, lines in (("first", pools[:1]), ("second", pools[1:])):
        stored(tmp_path / name, *lines)
    stored(tmp_path / "alone", line("one", "separate", 0.5), line("two", "separate", 0.6))
    shown = [one for one in tables(read(sorted(tmp_path.iterdir()))) if "Table 3" in one.title]
    assert [one.title.partition(":")[0] for one in shown] == [
        "one, folds=2, pool ravdess esd",
        "one, folds=2, pool ravdess savee",
        "two, folds=2",
    ]
    for one, (pooled, _) in zip(shown[:2], pools, strict=True):
        assert row(one, "ravdess")["original"] == f"{100 * pooled.scores['wa']:.1f}"
    assert row(shown[0], "ravdess")["separate"] == row(shown[1], "ravdess")["separate"] != "-"
    assert any("not comparable" in note for note in shown[0].notes)


def test_exhubert_has_its_tables_over_all_encoders(tmp_path: Path):
    about = {"protocol": "exhubert", "config": "emosetpp", "grid": [{"validation": 0.5}], "each": 2}
    stored(tmp_path, *(made("emodb", encoder=one, head="selection", **about) for one in ("one", "two")))
    *_, shown = tables(read([tmp_path]))
    assert "Table 1" in shown.title and shown.header == [
        "corpus",
        "one selection",
        "printed",
        "two selection",
        "printed",
    ]


def test_marks_say_what_the_encoder_had_seen_and_number_each_kind_of_flag_once():
    told = Marks()
    leak = "speaker leak: {} of the test utterances are of speakers that train"
    first = outcome(made(exposure="seen", flags=[leak.format("100%")]))
    second = outcome(made(exposure="unknown", flags=[leak.format("40%"), "validation drawn from train"]))
    assert [told.of(first), told.of(second), told.of(outcome(made()))] == ["*[1]", "?[1,2]", ""]
    legend = told.legend()
    assert [line.split()[0] for line in legend] == ["*", "?", "[1]", "[2]"]
    assert "100%" in legend[2] and "40%" in legend[2]


def test_predictions_that_are_missing_are_named(tmp_path: Path):
    line, predictions = made()
    results = stored(tmp_path, (line, predictions))
    results.predictions_file(line).unlink()
    with pytest.raises(ResultsError, match="serab/strict/emodb/serab/opensmile"):
        corpus_table(outcomes(read([tmp_path])), Marks())


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(ResultsError, match="holds no line"):
        read([tmp_path])
