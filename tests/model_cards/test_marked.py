import pytest

from model_cards.marked import renewed


def test_a_file_without_marks_is_refused():
    with pytest.raises(ValueError, match="corpora: begin"):
        renewed("# A page\n", "corpora", "new")


def test_only_what_stands_between_the_marks_changes():
    text = "before\n<!-- x: begin -->what stood here<!-- x: end -->\nafter\n"
    found = renewed(text, "x", "new")
    assert found == "before\n<!-- x: begin -->\n\nnew\n<!-- x: end -->\nafter\n"
    assert renewed(found, "x", "new") == found
