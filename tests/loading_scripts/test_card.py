"""The card of a built folder: what a reader needs before using the corpus, on one page."""

import re

import pytest
from conftest import published
from huggingface_hub import DatasetCard

from loading_scripts import listing, registry, repo

PAGE = [
    "Configs",
    "Labels",
    "What papers score on it",
    "How to get the raw corpus",
    "What to know",
    "Known defects",
    "Citation",
]


@pytest.fixture(scope="module")
def card(urdu, tmp_path_factory):
    folder = repo.build(registry.load("urdu"), urdu, tmp_path_factory.mktemp("card") / "serbench" / "urdu")
    return DatasetCard.load(folder / "README.md")


def cells(text: str, first: str) -> list[list[str]]:
    """Return the cells of the rows of the table whose header begins with `first`."""
    table = re.search(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, flags=re.M)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_the_page_has_its_parts_in_order(card):
    assert re.findall(r"^## (.*)", card.text, flags=re.M) == PAGE
    assert card.data.license == "other"
    assert card.data.language == ["ur"]


def test_terms_and_speakers_by_gender(card):
    table = card.text.split("|---|---|\n", 1)[1].split("\n\n", 1)[0]
    facts = dict(line.strip("| ").split(" | ", 1) for line in table.splitlines())
    assert facts["speakers"] == "29: 11 female, 18 male"
    assert facts["licence"].startswith("custom (README: research purposes only")
    assert facts["redistribution, commercial use"] == "unclear, no"
    assert facts["access"].startswith("open: https://github.com/siddiquelatif")
    assert "[EmoBox, Ma et al. 2024](https://arxiv.org/abs/2406.07162)" in facts["used by"]


def test_configs_have_counts_and_say_whether_speakers_are_shared(card, urdu):
    module = registry.load("urdu")
    found = listing.utterances(module, urdu)
    for name, splits, _, shared, split_hash in cells(card.text, "config"):
        parts = listing.split(module, name.strip("`"), found)
        assert splits == ", ".join(f"{split} {len(part)}" for split, part in parts.items())
        assert split_hash.strip("`") == listing.split_hash(listing.ids(parts))
        share = listing.shared_speakers(parts)
        told = "-" if share is None else "none" if share == 0 else f"{share:.1%}"[:-1]
        assert told in shared
        assert ("**" in shared) == bool(share)


def test_labels_have_counts_and_reasons(card):
    lines = cells(card.text, "code")
    assert lines[0][:5] == ["`A`", "Angry", "anger", "anger", "high_negative"]
    assert sum(int(line[-1]) for line in lines) == len(published("urdu"))
    assert "- sadness: identity; Russell circumplex, our decision (unverified against ExHuBERT)\n" in card.text


def test_scores_of_papers_stand_with_their_source_and_config(card):
    assert "Table 4 and its pages, a probe on frozen features; here config fold1.\n" in card.text
    assert ["HuBERT base", "88.41", "88.41", "88.40"] in cells(card.text, "system")


def test_pictures_are_there(card, urdu, tmp_path):
    folder = repo.build(registry.load("urdu"), urdu, tmp_path / "urdu", configs=["fold1"])
    for name in re.findall(r"!\[.*?\]\((.*?)\)", card.text):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
