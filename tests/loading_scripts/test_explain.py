"""`serbench explain`: every step agrees with the rows, for every corpus."""

import json
import re
from itertools import product

import annotated_trees
import pytest
from conftest import REPOSITORY, published
from test_corpora import EMOBOX
from typer.testing import CliRunner

from loading_scripts import listing, raw, registry, rows
from loading_scripts.at_hand import needed
from loading_scripts.corpora import demo
from loading_scripts.errors import RawTreeError, UnknownNameError
from loading_scripts.explain import Step, explain
from loading_scripts.labels import AROUSAL_VALENCE, UNIFIED8
from ser_trainer import cli


@pytest.fixture(scope="module")
def tree(tones, tmp_path_factory):
    """Return a function that plants the published paths of a corpus, once, and returns module and root."""
    planted = {}

    def plant(corpus):
        module = registry.load(corpus)
        if corpus not in planted:
            root = tmp_path_factory.mktemp(corpus)
            if corpus == "demo":  # as it would make them
                names = product(demo.VOICES, demo.MANNERS, demo.SENTENCES, demo.TAKES)
                tones(root, (f"{name[0]}/{'_'.join(name)}.wav" for name in names))
            else:
                annotated_trees.plant(corpus, root, published(corpus), tones)
            planted[corpus] = raw.locate(module, root)
        return module, planted[corpus]

    return plant


@pytest.mark.parametrize("corpus", ["demo", *EMOBOX])
def test_every_step_agrees_with_the_rows(corpus, tree):
    module, root = tree(corpus)
    record = module.CORPUS
    found = listing.utterances(module, root)
    one = found[len(found) // 2]
    steps = {step.what: step for step in explain(module, root, one.id)}
    columns = rows.labels(record, one.native)
    named = {
        "emotion": record.emotion_names(),
        "unified8": UNIFIED8,
        "arousal_valence": AROUSAL_VALENCE,
    }
    for column, names in named.items():
        assert steps[column].value == (None if columns[column] is None else names[columns[column]])
    assert steps["canonical"].value == columns["canonical"]
    for column in ("id", "path", "native", "speaker", "gender", "language"):
        assert steps[column].value == getattr(one, column)
    for config in record.config_names():
        parts = listing.split(module, config, found)
        assert steps[f"split of {config}"].value == next((name for name, part in parts.items() if one in part), None)
    assert all(step.rule and step.source for step in steps.values())
    files = {name for step in steps.values() for name in re.findall(r"loading_scripts/[\w/.]+", step.source)}
    assert files
    assert all((REPOSITORY / name).is_file() for name in files)


def step(corpus, tree, what, **wanted):
    """Return a step of the first utterance with these fields."""
    module, root = tree(corpus)
    one = next(one for one in module.find(root) if all(getattr(one, key) == value for key, value in wanted.items()))
    return next(step for step in explain(module, root, one.id) if step.what == what)


def test_an_override_of_the_label_table_is_named_with_the_line_it_replaces(tree):
    assert step("emodb", tree, "unified8", native="L") == Step(
        "unified8",
        "sadness",
        "SER Evals code",
        "loading_scripts/label_overrides.csv, line emodb,boredom,unified8; in place of loading_scripts/labels.csv, "
        "line boredom",
    )
    assert step("emodb", tree, "arousal_valence", native="L").source == "loading_scripts/labels.csv, line boredom"


def test_a_list_is_named_with_its_source_commit(tree):
    assert "08280f279d47fb55d2c614061c70523d0a338d6b" in step("urdu", tree, "split of fold1").rule


def test_a_table_of_speakers_is_named(tree):
    fold = step("ravdess", tree, "split of fold1", speaker="20")
    assert fold.value == "test"
    assert "speakers 01 11 20 21 test" in fold.rule
    assert step("ravdess", tree, "gender", speaker="20").rule == "speaker 20 in `speakers`"


def test_a_hash_is_shown(tree):
    module, root = tree("emodb")
    one = next(iter(module.find(root)))
    shown = step("emodb", tree, "split of serevals", id=one.id)
    u = float(shown.rule.rpartition("u = ")[2])
    assert shown.value == ("train" if u < 0.8 else "test")


def test_a_field_that_only_looks_like_the_label_is_not_taken_for_it(tree):
    """In RAVDESS emotion, intensity and statement are all 01 or 02."""
    assert step("ravdess", tree, "native", native="01").rule == "field 'emotion' of the path"


def run(*arguments):
    return CliRunner().invoke(cli.app, ["explain", *map(str, arguments)])


def test_the_command_prints_plain_text_and_json(tree):
    _, root = tree("urdu")
    name = published("urdu")[0]["id"]
    plain = run("urdu", name, "--raw", root)
    assert plain.exit_code == 0, plain.output
    assert plain.output.splitlines()[0] == "what\tvalue\trule\tsource"
    assert f"id\t{name}\t" in plain.output
    steps = json.loads(run("urdu", name, "--raw", root, "--json").output)
    assert [f"{one['what']}\t{one['value'] or 'none'}\t{one['rule']}\t{one['source']}" for one in steps] == (
        plain.output.splitlines()[1:]
    )


def test_an_unknown_id_has_near_names(tree):
    module, root = tree("urdu")
    name = published("urdu")[0]["id"]
    with pytest.raises(UnknownNameError, match=rf"none of the \d+ utterances .*Did you mean .*'{name}'"):
        explain(module, root, name.removeprefix("urdu-"))


def test_a_corpus_that_is_not_there_says_how_to_get_it(monkeypatch):
    monkeypatch.delenv("SERBENCH_DATA", raising=False)
    with pytest.raises(RawTreeError, match="(?s)Get it: .*Expected tree"):
        needed(registry.load("emodb"), None)


def test_help_has_an_example():
    assert "Example: serbench explain urdu" in run("--help").output
