"""Run: listen to every utterance of some corpora, in parallel, and collect what is wrong."""

import multiprocessing
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

from tqdm.auto import tqdm

from .. import listing
from ..corpus import Corpus
from ..registry import CorpusModule
from ..utterance import Utterance
from . import copies, near_copies, overlap, passages, remember, sounds, tree
from .findings import Finding, Kind, Severity, finding, place
from .measure import Sound
from .overlap import Overlap
from .sounds import Heard

_TOGETHER = 32
"""Short files, or utterances of one long file, that a process takes at a time."""


@dataclass(frozen=True, kw_only=True)
class CorpusAudit:
    """What was measured of one corpus.

    Args:
        corpus: its record.
        root: root of its raw tree.
        utterances: number of utterances that were found.
        splits: config -> utterance id -> split.
        overlaps: what test shares with train, config by config.
        heard: every utterance that could be decoded.
    """

    corpus: Corpus
    root: Path
    utterances: int
    splits: Mapping[str, Mapping[str, str]]
    overlaps: tuple[Overlap, ...]
    heard: tuple[Heard, ...]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """An audit of one corpus or several.

    Args:
        corpora: what was measured, corpus by corpus.
        findings: what is wrong, most urgent first, then by kind; of each kind and corpus, the worst first.
    """

    corpora: tuple[CorpusAudit, ...]
    findings: tuple[Finding, ...]


def examine(trees: Sequence[tuple[CorpusModule, Path]], num_proc: int = 1) -> Audit:
    """Audit the raw trees of some corpora, each by itself and against each other.

    No process holds the samples of more than one utterance, or one container. This one holds what was measured: about
    5 kB for 3 s of speech, and 75 kB while it seeks near copies. What was measured before is read from the cache.

    Args:
        trees: (module, root of its raw tree) of each corpus.
        num_proc: processes that read and decode.
    """
    # not forked: a forked child can hang in the thread pools of the libraries that are loaded here
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_proc, spawn) if num_proc > 1 else nullcontext() as workers:
        alone = [_examine_one(module, root, workers) for module, root in trees]
    corpora = tuple(audited for audited, _ in alone)
    findings = [one for _, own in alone for one in own]
    heard = [one for audited in corpora for one in audited.heard]
    splits = {audited.corpus.id: audited.splits for audited in corpora}
    findings += copies.check(heard, splits, {audited.corpus.id: audited.root for audited in corpora})
    findings += near_copies.check(heard, splits)
    for audited in corpora:
        findings += passages.check(audited.heard, splits)
    severities, kinds = list(Severity), list(Kind)
    findings.sort(key=lambda one: (severities.index(one.severity), kinds.index(one.kind)))
    return Audit(corpora=corpora, findings=tuple(findings))


def _examine_one(
    module: CorpusModule, root: Path, workers: ProcessPoolExecutor | None
) -> tuple[CorpusAudit, list[Finding]]:
    corpus = module.CORPUS
    found = sorted(module.find(root), key=lambda one: one.id)
    configs = {name: listing.split(module, name, found) for name in corpus.config_names()}
    findings = list(tree.check(corpus, found, root))
    overlaps = list(overlap.check(corpus, configs))
    findings += (leak for _, leak in overlaps if leak)
    heard = []
    for one, sound in _listen(corpus, found, root, workers):
        if isinstance(sound, Sound):
            heard.append(Heard(corpus, one, sound))
        else:
            findings.append(finding(Kind.UNREADABLE, [place(corpus, one)], sound.replace(f"{root}/", "")))
    findings += sounds.check(heard)
    audited = CorpusAudit(
        corpus=corpus,
        root=root,
        utterances=len(found),
        splits={
            name: {one.id: split for split, part in parts.items() for one in part} for name, parts in configs.items()
        },
        overlaps=tuple(shares for shares, _ in overlaps),
        heard=tuple(heard),
    )
    return audited, findings


def _listen(
    corpus: Corpus, found: Sequence[Utterance], root: Path, workers: ProcessPoolExecutor | None
) -> Iterator[tuple[Utterance, Sound | str]]:
    """Yield every utterance with what was measured of it, or with the message why that failed."""
    by_path = defaultdict(list)
    for one in found:
        by_path[one.path].append(one)
    pieces = [held[start : start + _TOGETHER] for held in by_path.values() for start in range(0, len(held), _TOGETHER)]
    paths = [root / held[0].path for held in pieces]
    spans = [[(one.start, one.end, one.channel) for one in held] for held in pieces]
    short = len(by_path) == len(found)
    kept = repeat(remember.folder())
    measured = (
        workers.map(remember.measured, paths, spans, kept, chunksize=_TOGETHER if short else 1)
        if workers
        else map(remember.measured, paths, spans, kept)
    )
    with tqdm(total=len(found), unit="utt", desc=f"Listening to {corpus.id}", disable=None) as progress:
        for held, heard in zip(pieces, measured, strict=True):
            yield from zip(held, heard, strict=True)
            progress.update(len(held))
