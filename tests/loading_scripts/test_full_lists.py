"""EmoBox's complete lists; slow, and only where the lists are at hand: pytest -m slow tests/loading_scripts."""

import csv
import gzip

import pytest
from conftest import SHARED
from test_corpora import EMOBOX, check_against_emobox

from loading_scripts import registry


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "emobox").is_dir(), reason="EmoBox's full lists are not beside the repository")
@pytest.mark.parametrize("corpus", EMOBOX)
def test_full_published_tree(corpus, tones, tmp_path):
    with gzip.open(SHARED / "emobox" / f"{corpus}.csv.gz", "rt", encoding="utf-8") as file:
        lines = [row | {"id": row["key"], "path": row["path"].split("/", 1)[1]} for row in csv.DictReader(file)]
    assert len(lines) == registry.load(corpus).CORPUS.utterances
    check_against_emobox(corpus, lines, tones, tmp_path)
