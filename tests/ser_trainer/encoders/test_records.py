"""One suite for the records of all encoders."""

import re

import pytest

from loading_scripts import registry as corpora
from loading_scripts.errors import RecordError, UnknownNameError
from ser_metrics import published
from ser_trainer.encoders import families, registry
from ser_trainer.encoders.encoder import EncoderRecord, Exposure
from ser_trainer.encoders.table import details, overview

RECORDS = [registry.load(one) for one in registry.ids()]
MISSING = {"cmumosei": "CMU-MOSEI"}
"""Corpora that encoders have seen and that have no record here."""


@pytest.mark.parametrize("record", RECORDS, ids=registry.ids())
def test_a_record_points_at_things_that_are_there(record):
    assert (families.__path__[0],) and __import__(f"{families.__name__}.{record.family}")
    for table, row in record.rows.items():
        rows = published.table(table)
        assert row in {line.get("model") for line in rows}, (table, row)
    for one in {seen.corpus for seen in record.seen} | set(record.doubtful):
        assert one in corpora.ids() or one in MISSING or one in MISSING.values(), one


@pytest.mark.parametrize("record", RECORDS, ids=registry.ids())
def test_whatever_a_record_does_not_say_stays_unknown(record):
    for one in corpora.ids():
        told = record.exposure(one)
        if any(seen.corpus == one for seen in record.seen):
            assert told is Exposure.SEEN
        else:
            assert told is (Exposure.NOT_SEEN if record.complete and one not in record.doubtful else Exposure.UNKNOWN)


def test_every_encoder_of_the_published_tables_has_a_record():
    for name in ("serab_table3", "emobox_table4", "emobox_table5", "serevals_table3"):
        known = {record.rows.get(name) for record in RECORDS}
        assert {line["model"] for line in published.table(name)} - known == set(), name


def test_parameters_are_those_that_the_papers_round():
    printed = {line["model"]: line["parameters_millions"] for line in published.table("serab_table2")}
    for record in RECORDS:
        text = printed.get(record.rows.get("serab_table3", ""))
        if text and record.family in ("byol",):
            assert round(record.parameters / 1e6, 1) == float(text)


def test_tables_have_a_line_for_each_fact():
    header, rows = overview(RECORDS)
    assert len(rows) == len(RECORDS)
    assert {len(row) for row in rows} == {len(header)}
    told = dict(details(registry.load("w2v2_emotion"))[1])
    assert "msppodcast (fine-tuning" in told["has seen"]
    assert told["other corpora"] == "not seen"


def test_an_unknown_encoder_names_near_ones():
    with pytest.raises(UnknownNameError, match="Did you mean 'wavlm_base'"):
        registry.load("wavlm_bas")


def test_a_record_without_a_source_is_refused():
    known = vars(registry.load("wavlm_base"))
    with pytest.raises(RecordError, match="needs trained_on; it is empty"):
        EncoderRecord(**known | {"trained_on": ""})
    with pytest.raises(RecordError, match=re.escape("papers are among")):
        EncoderRecord(**known | {"papers": ("serabb",)})
