"""The table of all protocols in the documentation."""

from conftest import REPOSITORY

from model_cards.marked import renewed
from ser_trainer.benchmark import overview, protocol

PAGES = REPOSITORY / "docs" / "protocols"


def test_the_table_of_the_documentation_is_that_of_the_protocols():
    """If this fails: python -m ser_trainer.benchmark.overview docs/protocols/README.md."""
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    assert renewed(text, "protocols", overview.table()) == text


def test_every_protocol_has_a_line_and_a_page_that_exists():
    lines = overview.table().splitlines()[2:]
    assert len(lines) == len(protocol.names()) and {line.count("|") for line in lines} == {6}
    for line in lines:
        page = line.partition("](")[2].partition(")")[0]
        assert (PAGES / page).is_file(), page
