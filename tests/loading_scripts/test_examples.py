"""The examples of the sheets (tests/data/examples): each alone in a tree, found with all that is stated of it."""

import json
from dataclasses import fields
from os.path import commonprefix
from pathlib import Path

import pytest
from annotated_trees import own
from conftest import REPOSITORY
from test_corpora import EMOBOX

from loading_scripts import listing, raw, registry
from loading_scripts.utterance import Utterance

EXAMPLES = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((REPOSITORY / "tests" / "data" / "examples").glob("*.json"))
}

OUTSIDE_EMOBOX = sorted(set(registry.ids()) - set(EMOBOX) - {"demo"})

WHICH = ("id", "start", "end", "channel")
"""What tells utterances of one file apart."""


def examples(ignored: bool) -> list:
    return [
        pytest.param(corpus, example, id=f"{corpus}-{number}-{example['path']}")
        for corpus, listed in EXAMPLES.items()
        for number, example in enumerate(listed)
        if example.get("ignored", False) == ignored
    ]


def alike(one: str, other: str) -> int:
    """Return how many characters two paths share at both ends: files of one folder, and copies in two, share most."""
    return len(commonprefix([one, other])) + len(commonprefix([one[::-1], other[::-1]]))


def found_below(corpus: str, root: Path, planted: list[dict], tones) -> dict[str, list[Utterance]]:
    """Plant examples below `root`; return path below it -> utterances, as every door would list them."""
    module = registry.load(corpus)
    root.mkdir()
    if plant := getattr(own(corpus), "plant_examples", None):
        plant(root, planted, tones)
    else:
        tones(root, dict.fromkeys(example["path"] for example in planted))
    located = raw.locate(module, root)
    found: dict[str, list[Utterance]] = {}
    for one in listing.utterances(module, located):
        found.setdefault((located / one.path).relative_to(root).as_posix(), []).append(one)
    return found


@pytest.mark.parametrize(("corpus", "example"), examples(ignored=False))
def test_an_example_is_found_with_what_is_stated_of_it(corpus, example, tones, tmp_path):
    stated = {name: value for name, value in example.items() if name not in {"path", "noun"}}
    assert set(stated) <= {field.name for field in fields(Utterance)}
    found = found_below(corpus, tmp_path / "root", [example], tones)
    here = found.get(example["path"], [])
    fitting = [one for one in here if all(getattr(one, name) == stated[name] for name in WHICH if name in stated)]
    assert len(fitting) == 1, f"found {found}"
    (one,) = fitting
    assert {name: getattr(one, name) for name in stated} == stated
    assert registry.load(corpus).CORPUS.emotions[one.native] == example["noun"]


@pytest.mark.parametrize(("corpus", "example"), examples(ignored=True))
def test_an_ignored_file_is_neither_an_utterance_nor_an_unknown_name(corpus, example, tones, tmp_path):
    utterances = [one for one in EXAMPLES[corpus] if not one.get("ignored")]
    beside = max(utterances, key=lambda one: alike(one["path"], example["path"]))
    found = found_below(corpus, tmp_path / "root", [beside, example], tones)  # which refuses unknown names
    assert beside["path"] in found
    assert example["path"] not in found


@pytest.mark.parametrize("corpus", OUTSIDE_EMOBOX)
def test_the_examples_of_corpora_without_lists_have_every_emotion(corpus):
    stated = {example["noun"] for example in EXAMPLES.get(corpus, ()) if "noun" in example}
    assert set(registry.load(corpus).CORPUS.emotions.values()) - stated == set()
