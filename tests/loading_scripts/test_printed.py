"""What papers score: each corpus of their tables is found, and its cells are those of the tables."""

import pytest

from loading_scripts import registry
from loading_scripts.corpus import PAPERS
from loading_scripts.printed import PAPERS as CITED
from loading_scripts.printed import printed
from ser_metrics.published import table

RECORDS = {name: registry.load(name).CORPUS for name in registry.ids()}
URLS = {paper: url for paper, (_, url) in CITED.items()}


def scores(corpus: str, paper: str):
    return next(one for one in printed(RECORDS[corpus]) if one.url == URLS[paper])


def test_every_paper_is_cited():
    assert tuple(CITED) == PAPERS


@pytest.mark.parametrize(
    ("paper", "corpora", "systems"),
    [
        ("emobox", len({row["corpus"] for row in table("emobox_table4")}), {10}),
        ("ser_evals", len({row["train"] for row in table("serevals_matrix_macro_f1")}), {9}),
        ("serab", len(table("serab_table1")), {13}),
        ("generalize", len(table("generalize_table3")) - 1, {11}),
        ("exhubert", 14, {7, 8}),
    ],
)
def test_every_corpus_of_a_table_is_a_record_that_names_the_paper(paper, corpora, systems):
    found = {name: scores(name, paper).rows for name, record in RECORDS.items() if paper in record.papers}
    found = {name: rows for name, rows in found.items() if rows}
    assert len(found) == corpora
    assert {len(rows) for rows in found.values()} == systems


def test_cells_are_as_printed_and_the_best_comes_first():
    urdu = scores("urdu", "emobox")
    assert urdu.metrics == ("UA %", "WA %", "macro F1 %")
    assert urdu.rows[0] == ("HuBERT base", "88.41", "88.41", "88.40")
    assert urdu.config == "fold1"
    assert scores("iemocap", "emobox").config == "mean of fold1 to fold5"
    assert scores("iemocap", "serab").rows[0] == ("BYOL-S/CvT, 2048", "65.1")
    assert scores("emovdb", "generalize").rows[0] == (
        "one model for all corpora, four emotions (2 here), SMOTE",
        "99.7",
    )
    assert ("ExHuBERT Large EmoSet++", "94.7") in scores("aesi", "exhubert").rows
    assert scores("baum1", "ser_evals").rows
    assert scores("ekk", "ser_evals").rows


@pytest.mark.parametrize("corpus", RECORDS)
def test_every_paper_that_uses_a_corpus_is_on_its_card_with_a_config_of_it(corpus):
    told = printed(RECORDS[corpus])
    assert [one.url for one in told] == [URLS[paper] for paper in RECORDS[corpus].papers]
    for one in told:
        configs = one.config.replace("mean of ", "").split(" to ") if one.config else []
        assert set(configs) <= set(RECORDS[corpus].config_names())
        assert all(len(row) == 1 + len(one.metrics) for row in one.rows)
        assert len({row[0] for row in one.rows}) == len(one.rows)
