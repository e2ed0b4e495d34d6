"""Explain: one utterance, from its raw name and label to every column and split, step by step with rule and source."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import listing, rows
from .corpus import Corpus
from .errors import UnknownNameError, near
from .labels import mapping
from .partitions.hashed import Hashed, unit
from .registry import CorpusModule
from .utterance import Utterance


@dataclass(frozen=True)
class Step:
    """How one column or split of an utterance came about.

    Args:
        what: the column, or "split of <config>".
        value: what it holds; None is null, or "in no split".
        rule: what was done.
        source: where the rule stands.
    """

    what: str
    value: str | None
    rule: str
    source: str


def explain(module: CorpusModule, root: Path, name: str) -> list[Step]:
    """Return every step for the utterance with the id `name`.

    Raises:
        UnknownNameError: the corpus below `root` has no such id.
        CorpusMismatchError: the raw tree is another version of the corpus.
    """
    corpus = module.CORPUS
    found = listing.utterances(module, root)
    one = next((one for one in found if one.id == name), None)
    if one is None:
        raise UnknownNameError(
            f"Corpus {corpus.id}: none of the {len(found)} utterances in {root} has the id {name!r}."
            f"{near(name, [one.id for one in found])} Ids are those of the column `id`, such as {found[0].id!r}."
        )
    return [*_raw(module, one), *_labels(corpus, one), *_splits(corpus, found, one)]


def table(steps: list[Step]) -> tuple[list[str], list[list[object]]]:
    """Return header and rows for people."""
    return ["what", "value", "rule", "source"], [
        [step.what, "none" if step.value is None else step.value, step.rule, step.source] for step in steps
    ]


def _raw(module: CorpusModule, one: Utterance) -> Iterator[Step]:
    """Explain what comes from names and tables of the raw tree."""
    corpus = module.CORPUS
    record = _record(corpus)
    grammar: re.Pattern[str] | None = getattr(module, "GRAMMAR", None)
    fits = grammar.fullmatch(unicodedata.normalize("NFC", one.path)) if grammar else None
    fields = {key: value for key, value in fits.groupdict().items() if value} if fits else {}

    def rule(field: str, value: str | None) -> str:
        return f"field {field!r} of the path" if fields.get(field, "") == value else "read by find()"

    yield Step("path", one.path, "file below the raw folder", "raw tree")
    if fields:
        yield Step(
            "fields", ", ".join(f"{key}={value}" for key, value in fields.items()), "GRAMMAR of the path", record
        )
    if one.start is not None or one.end is not None:
        yield Step("start, end", f"{one.start}, {one.end} s", "read by find()", record)
    yield Step("id", one.id, "made by find() from the path and the corpus' tables", record)
    yield Step("native", one.native, rule("emotion", one.native), record)
    yield Step("speaker", one.speaker, rule("speaker", one.speaker), record)
    known = corpus.speakers.get(one.speaker or "") == one.gender
    yield Step("gender", one.gender, f"speaker {one.speaker} in `speakers`" if known else "read by find()", record)
    yield Step("language", one.language, "read by find()", record)
    for column in ("arousal", "valence", "dominance", "transcript"):
        if (value := getattr(one, column)) is not None:
            yield Step(column, str(value), "read by find()", record)


def _labels(corpus: Corpus, one: Utterance) -> Iterator[Step]:
    """Explain the label columns."""
    columns = rows.labels(corpus, one.native)
    noun, record = columns["canonical"], _record(corpus)
    name = None if columns["emotion"] is None else corpus.emotion_names()[columns["emotion"]]
    yield Step("canonical", noun, f"code {one.native!r} in `emotions`", record)
    rule = f"code {one.native!r} in `classes`" if corpus.classes else "the canonical noun"
    yield Step("emotion", name, rule, record)
    if noun is None:
        for column in ("unified8", "arousal_valence"):
            yield Step(column, None, "the code has no canonical noun", record)
        return
    own, general = mapping(noun, corpus.id), mapping(noun)
    for column, basis in (("unified8", "basis_unified8"), ("arousal_valence", "basis_arousal_valence")):
        line = f"loading_scripts/labels.csv, line {noun}"
        if (getattr(own, column), getattr(own, basis)) != (getattr(general, column), getattr(general, basis)):
            line = f"loading_scripts/label_overrides.csv, line {corpus.id},{noun},{column}; in place of {line}"
        yield Step(column, getattr(own, column), getattr(own, basis), line)


def _splits(corpus: Corpus, found: Sequence[Utterance], one: Utterance) -> Iterator[Step]:
    """Explain the split in every config."""
    yield Step("split of all", "train", "every utterance", "loading_scripts/listing.py")
    number = found.index(one)
    for config, partition in corpus.partitions.items():
        rule = partition.rule
        if isinstance(partition, Hashed):
            rule += f"; here u = {unit(corpus.id, partition.name, one.id):.6f}"
        yield Step(f"split of {config}", partition.assign(found)[number], rule, _record(corpus))


def _record(corpus: Corpus) -> str:
    return f"loading_scripts/corpora/{corpus.id}.py"
