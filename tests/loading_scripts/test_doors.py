"""Every corpus through both doors: a miniature tree of tones gives the same rows, raw and built."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from annotated_trees import own, plant
from conftest import published
from datasets import get_dataset_config_names, load_dataset
from test_corpora import EMOBOX
from test_examples import EXAMPLES

from loading_scripts import listing, raw, registry, repo

MOST = 24
"""Utterances of a miniature tree."""


def miniature(corpus: str, root: Path, tones) -> Path:
    """Plant part of what is published of a corpus below `root`; return the root that loading finds."""
    if corpus in EMOBOX:
        lines = sorted(published(corpus), key=lambda line: float(line.get("end") or 0))
        few = lines[:MOST] if "end" in lines[0] else lines[:: max(1, len(lines) // MOST)]
        plant(corpus, root, few, tones)
    else:
        first, *_ = listed = [one for one in EXAMPLES[corpus] if not one.get("ignored")]
        top = Path(first["path"]).parts[0]  # the variants of a layout lie apart
        alike = [one for one in listed if Path(one["path"]).parts[0] == top or len(Path(one["path"]).parts) == 1]
        alike = list({one["path"]: one for one in alike}.values())
        if planted := getattr(own(corpus), "plant_examples", None):
            planted(root, alike, tones)
        else:
            tones(root, dict.fromkeys(one["path"] for one in alike))
    module = registry.load(corpus)
    located = raw.locate(module, root)
    cut = [one for one in listing.utterances(module, located) if one.end is not None]
    for path in {one.path for one in cut}:  # the tone is shorter than the segments of it
        last = max(one.end for one in cut if one.path == path)
        noise = np.random.default_rng(0).normal(0, 0.1, (int(8000 * (last + 0.1)), 2))
        (located / path).unlink()
        soundfile.write(located / path, noise, 8000)
    return located


@pytest.mark.parametrize("corpus", [name for name in registry.ids() if name != "demo"])
def test_a_miniature_tree_gives_the_same_rows_through_both_doors(corpus, tones, tmp_path):
    root = tmp_path / "raw"
    root.mkdir()
    miniature(corpus, root, tones)

    plugin = load_dataset(f"serbench/{corpus}", "all", data_dir=str(root), split="train", cache_dir=str(tmp_path / "a"))
    folder = repo.build(registry.load(corpus), root, tmp_path / "serbench" / corpus)
    built = load_dataset(str(folder), "all", split="train", cache_dir=str(tmp_path / "b"))

    assert len(plugin) > 0
    assert plugin.features == built.features
    by_id = [rows.sort("id") for rows in (plugin, built)]
    texts = [rows.remove_columns("audio")[:] for rows in by_id]
    assert texts[0] == texts[1]
    for index in {0, len(plugin) - 1}:
        one, other = (rows[index]["audio"]["array"] for rows in by_id)
        np.testing.assert_array_equal(one, other)
    assert set(get_dataset_config_names(str(folder))) <= set(registry.load(corpus).CORPUS.config_names())
