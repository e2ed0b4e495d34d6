"""`serbench info`: the record, and what a paper can quote of its configs."""

import json

import pytest
from conftest import published
from typer.testing import CliRunner

from loading_scripts import listing, registry
from loading_scripts.info import facts
from ser_trainer import cli


def info(*arguments: object) -> str:
    shown = CliRunner().invoke(cli.app, ["info", *map(str, arguments)])
    assert shown.exit_code == 0, shown.output
    return shown.stdout


@pytest.mark.parametrize("corpus", registry.ids())
def test_without_raw_data_every_corpus_tells_its_record_and_configs(corpus):
    module = registry.load(corpus)
    told = facts(module, None)
    assert json.loads(json.dumps(told)) == told
    assert [one["name"] for one in told["configs"]] == list(module.CORPUS.config_names())
    assert [list(one["splits"]) for one in told["configs"]] == [
        list(module.CORPUS.splits(one["name"])) for one in told["configs"]
    ]
    assert {one["split_hash"] for one in told["configs"]} == {None}
    assert all(one["rule"] for one in told["configs"])
    assert {line["native"] for line in told["labels"]} == set(module.CORPUS.emotions)


def test_plain_text_without_raw_data():
    text = info("emodb")
    assert "licence\tCC0-1.0" in text
    assert "passing on adapted copies\tallowed\ncommercial use\tallowed" in text
    assert "speakers\t10 (5 female, 5 male)" in text
    assert "L\tBoredom\tboredom\tsadness\tlow_negative\tSER Evals code" in text
    assert "raw tree\tnot at hand: name it with --raw" in text
    assert "fold1\ttrain, test\tlist of ids" in text
    assert "@inproceedings{burkhardt2005database" in text


def test_with_a_raw_tree_configs_have_what_a_paper_quotes(urdu):
    text = info("urdu", "--raw", urdu)
    found = listing.utterances(registry.load("urdu"), urdu)
    parts = listing.split(registry.load("urdu"), "fold1", found)
    speakers = {split: len({one.speaker for one in part}) for split, part in parts.items()}
    here = len(published("urdu"))
    assert f"raw tree\t{urdu}: {here} of 400 utterances" in text
    line = next(line for line in text.splitlines() if line.startswith("fold1\t"))
    assert line.split("\t")[1:4] == [
        f"train {len(parts['train'])} of {speakers['train']}, test {len(parts['test'])} of {speakers['test']}",
        f"{listing.shared_speakers(parts):.1%}",
        listing.split_hash(listing.ids(parts)),
    ]
    assert "all\ttrain " in text
    assert "known defect: Angry/SM1_F8_A08.wav lasts 0.992 s" in text


def test_json_with_a_raw_tree_from_the_data_folder(urdu, tmp_path, monkeypatch):
    (tmp_path / "urdu").symlink_to(urdu)
    monkeypatch.setenv("SERBENCH_DATA", str(tmp_path))
    told = json.loads(info("urdu", "--json"))
    assert told["raw"]["utterances"] == len(published("urdu"))
    fold = next(one for one in told["configs"] if one["name"] == "fold1")
    assert fold["splits"]["test"]["utterances"] + fold["splits"]["train"]["utterances"] == len(published("urdu"))
    assert 0 < fold["test_speakers_in_train"] <= 1
    assert len(fold["split_hash"]) == 16
    assert sum(line["count"] for line in told["labels"]) == len(published("urdu"))


def test_help_has_an_example():
    assert "Example: serbench info urdu" in info("--help")
