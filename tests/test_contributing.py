"""CONTRIBUTING.md's own example: a corpus is one file, and everything else follows."""

import importlib
import re
import sys

import datasets
import pytest
from conftest import REPOSITORY

from loading_scripts import corpora, registry, repo


@pytest.fixture
def teacups(tmp_path, monkeypatch):
    """Put the example into a folder of corpora, as a contributor would."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (tmp_path / "corpora").mkdir()
    (example,) = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    (tmp_path / "corpora" / "teacups.py").write_text(example, encoding="utf-8")
    monkeypatch.setattr(corpora, "__path__", [*corpora.__path__, str(tmp_path / "corpora")])
    importlib.invalidate_caches()
    yield registry.load("teacups")
    sys.modules.pop("loading_scripts.corpora.teacups", None)


def test_the_example_loads_through_both_doors(teacups, tones, tmp_path):
    names = [
        f"{who}/{who}_{code}_{k}.wav" for who in teacups.CORPUS.speakers for code in ("hap", "sad") for k in range(10)
    ]
    root = tones(tmp_path / "teacups", names)
    assert "teacups" in registry.ids()
    assert datasets.get_dataset_config_names("serbench/teacups")[:3] == ["all", "fold1", "fold2"]
    raw = datasets.load_dataset("serbench/teacups", "fold2", data_dir=str(root))
    assert {split: set(part["speaker"]) for split, part in raw.items()} == {
        "train": {"ann", "bob"},
        "test": {"cat", "dan"},
    }
    folder = repo.build(teacups, root, tmp_path / "built" / "teacups")
    built = datasets.load_dataset(str(folder), "fold2", cache_dir=str(tmp_path / "cache"))
    for split, part in raw.items():
        assert built[split].remove_columns("audio")[:] == part.remove_columns("audio")[:]
    assert "The tea cools" in (folder / "README.md").read_text(encoding="utf-8")
