"""Info: what a record says of a corpus and, where its raw tree is at hand, what its configs hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import describe, listing
from .corpus import Erratum, Permission
from .registry import CorpusModule
from .utterance import Utterance

_PERMITTED = {Permission.YES: "allowed", Permission.NO: "forbidden", Permission.UNCLEAR: "unclear"}

_SHOWN = 5

Table = tuple[list[str], list[list[object]]]
"""Header, rows."""


def facts(module: CorpusModule, root: Path | None) -> dict[str, Any]:
    """Return the record, its label table and its configs as values that JSON has.

    Args:
        module: the corpus.
        root: root of its raw tree; without it, configs have neither sizes nor hashes.

    Raises:
        CorpusMismatchError: the raw tree is another version of the corpus.
    """
    corpus = module.CORPUS
    found = listing.utterances(module, root) if root else None
    lines = [asdict(line) for line in describe.label_lines(corpus, found or ())]
    if found is None:
        lines = [line | {"count": None} for line in lines]
    return {
        "id": corpus.id,
        "name": corpus.name,
        "description": corpus.description,
        "languages": list(corpus.languages),
        "sources": list(corpus.sources),
        "licence": asdict(corpus.licence),
        "access": corpus.access,
        "homepage": corpus.homepage,
        "how_to_get": corpus.how_to_get,
        "papers": list(corpus.papers),
        "utterances": corpus.utterances,
        "speakers": dict(Counter(corpus.speakers.values())),
        "rating_scale": corpus.rating_scale,
        "raw": {"root": str(root), "utterances": len(found)} if found is not None else None,
        "labels": lines,
        "configs": [_config(module, name, found) for name in corpus.config_names()],
        "traps": list(corpus.traps),
        "errata": [_erratum(one, found) for one in corpus.errata],
        "citation": corpus.citation,
        "facts_from": list(corpus.facts_from),
    }


def _erratum(erratum: Erratum, found: Sequence[Utterance] | None) -> dict[str, Any]:
    """Return an erratum; `not_here`: what it names and the raw tree lacks, None without a raw tree."""
    here = None if found is None else {one.id for one in found}
    missing = None if here is None else [name for name in erratum.drop if name not in here]
    return {"what": erratum.what, "drop": list(erratum.drop), "not_here": missing}


def erratum_lines(told: dict[str, Any]) -> list[str]:
    """Return a line for each known defect: what it is, and what `--drop-errata` leaves out for it."""
    lines = []
    for one in told["errata"]:
        count, missing = len(one["drop"]), one["not_here"]
        drops = f" (--drop-errata leaves out {count}: {', '.join(one['drop'][:_SHOWN])}{', ...' * (count > _SHOWN)}"
        lacks = f"; {len(missing)} of them not in this copy, first {missing[0]}" if missing else ""
        lines.append(f"{one['what']}{f'{drops}{lacks})' if count else ''}")
    return lines


def _config(module: CorpusModule, name: str, found: Sequence[Utterance] | None) -> dict[str, Any]:
    corpus = module.CORPUS
    told = {
        "name": name,
        "splits": dict.fromkeys(corpus.splits(name)),
        "absent_classes": None,
        "test_speakers_in_train": None,
        "split_hash": None,
        "rule": "every utterance" if name == "all" else corpus.partitions[name].rule,
    }
    if found is None:
        return told
    parts = listing.split(module, name, found)
    return told | {
        "splits": {
            split: {"utterances": len(part), "speakers": len({one.speaker for one in part} - {None})}
            for split, part in parts.items()
        },
        "absent_classes": listing.absent_classes(corpus, parts),
        "test_speakers_in_train": listing.shared_speakers(parts),
        "split_hash": listing.split_hash(listing.ids(parts)),
    }


def record_table(told: dict[str, Any]) -> Table:
    """Return what `facts` told of the record, a line for each fact."""
    licence = told["licence"]
    raw = told["raw"]
    lines = {
        "name": told["name"],
        "description": told["description"],
        "language": ", ".join(told["languages"]),
        "speech": ", ".join(told["sources"]),
        "licence": f"{licence['id']}{' (' + licence['note'] + ')' if licence['note'] else ''}",
        "passing on adapted copies": _PERMITTED[licence["redistribution"]],
        "commercial use": _PERMITTED[licence["commercial"]],
        "access": f"{told['access']}: {told['homepage']}",
        "how to get it": told["how_to_get"],
        "used by": ", ".join(told["papers"]),
        "utterances": told["utterances"],
        "speakers": _speakers(told["speakers"]),
        "ratings": told["rating_scale"],
        "raw tree": f"{raw['root']}: {raw['utterances']} of {told['utterances']} utterances"
        if raw
        else "not at hand: name it with --raw",
    }
    return ["fact", told["id"]], [[key, value] for key, value in lines.items() if value]


def _speakers(genders: dict[str, int]) -> str:
    counted = ", ".join(f"{count} {gender}" for gender, count in sorted(genders.items()))
    return f"{sum(genders.values())} ({counted})" if genders else "not told by the corpus"


def label_table(told: dict[str, Any]) -> Table:
    """Return a line for each native code: what it becomes in the label columns, why, and how often it occurs."""
    header = {"native": "code", "emotion": "emotion", "canonical": "noun", "unified8": "unified8"}
    header |= {"arousal_valence": "arousal_valence", "basis": "basis"}
    if told["raw"]:
        header["count"] = "utterances"
    rows = [["none" if line[key] is None else line[key] for key in header] for line in told["labels"]]
    return list(header.values()), rows


def config_table(told: dict[str, Any]) -> Table:
    """Return a line for each config; with a raw tree, what can be quoted in a paper: sizes, speakers, split hash."""
    if not told["raw"]:
        lines = [[one["name"], ", ".join(one["splits"]), one["rule"]] for one in told["configs"]]
        return ["config", "splits", "rule"], lines
    lines = []
    for one in told["configs"]:
        sizes = [f"{split} {part['utterances']} of {part['speakers']}" for split, part in one["splits"].items()]
        shared = one["test_speakers_in_train"]
        share = "-" if shared is None else f"{shared:.1%}"
        lacks = "; ".join(f"{split}: {', '.join(nouns)}" for split, nouns in one["absent_classes"].items())
        lines.append([one["name"], ", ".join(sizes), share, one["split_hash"], lacks, one["rule"]])
    header = ["config", "utterances of speakers", "test speakers in train", "split hash", "lacks", "rule"]
    return header, lines
