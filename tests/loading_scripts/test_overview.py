"""The table of all corpora in the README, and the commands that need records alone."""

import datasets
import pytest
from conftest import REPOSITORY

from loading_scripts import overview, registry
from model_cards.marked import renewed


def test_the_table_of_the_readme_is_that_of_the_records():
    """If this fails: python -m loading_scripts.overview README.md."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert renewed(text, "corpora", overview.table()) == text


def test_the_table_has_a_line_for_every_corpus():
    lines = overview.table().splitlines()
    assert len(lines) == 2 + len(registry.ids())
    assert {line.count("|") for line in lines} == {9}
    assert (
        "| [urdu](https://github.com/siddiquelatif/URDU-Dataset) | URDU | ur | 400 | 29 | open | custom |" in lines[-2]
    )


@pytest.mark.parametrize("corpus", registry.ids())
def test_configs_are_known_without_raw_data(corpus):
    names = datasets.get_dataset_config_names(f"serbench/{corpus}")
    assert tuple(names) == registry.load(corpus).CORPUS.config_names()


def test_the_list_of_corpora_imports_nothing_heavy(run_python, tmp_path):
    """What keeps `serbench corpora` below a second: importing `datasets` alone takes most of one."""
    code = (
        "import sys; from ser_trainer.cli import main; sys.argv = ['serbench', 'corpora', '--json']\n"
        "try: main()\n"
        "finally: print(sorted({'datasets', 'pandas', 'pyarrow', 'torch'} & set(sys.modules)), file=sys.stderr)"
    )
    done = run_python(code, cwd=tmp_path)
    assert done.stderr.strip() == "[]"
    assert done.stdout.count('"id"') == len(registry.ids())


@pytest.mark.parametrize(
    "imports",
    [
        "import datasets, loading_scripts",
        "import loading_scripts.plugin, datasets",
        "import loading_scripts.builder",
    ],
)
def test_datasets_knows_the_corpora_whichever_is_imported_first(imports, run_python, tmp_path):
    code = f"{imports}\nimport datasets\nprint(datasets.get_dataset_split_names('serbench/urdu', 'fold1'))"
    code += "\nprint(datasets.Audio.decode_example.serbench)"
    done = run_python(code, cwd=tmp_path)
    assert done.stdout.splitlines() == ["['train', 'test']", "True"], done.stderr
