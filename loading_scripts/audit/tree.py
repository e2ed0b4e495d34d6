"""Tree: what names alone tell of a raw tree against its record and packaged list."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..corpus import Corpus
from ..errors import near
from ..listing import unknown_names
from ..partitions.listed import LISTS, read_list
from ..utterance import Utterance
from .findings import Finding, Kind, Place, finding, place


def check(corpus: Corpus, found: Sequence[Utterance], root: Path) -> Iterator[Finding]:
    """Yield what is wrong with the names of the utterances `found` below `root`, and with the files beside them."""
    yield from _duplicate_ids(corpus, found)
    yield from _strangers(corpus, found)
    yield from _count(corpus, found)
    yield from _unknown_names(corpus, found, root)


def _duplicate_ids(corpus: Corpus, found: Sequence[Utterance]) -> Iterator[Finding]:
    by_id = defaultdict(list)
    for one in found:
        by_id[one.id].append(one)
    for name, same in by_id.items():
        if len(same) > 1:
            yield finding(Kind.DUPLICATE_ID, [place(corpus, one) for one in same], f"{len(same)} times {name}")


def _strangers(corpus: Corpus, found: Sequence[Utterance]) -> Iterator[Finding]:
    """Find the speakers and codes that the record does not have."""
    speakers, codes = defaultdict(list), defaultdict(list)
    for one in found:
        if corpus.speakers and one.speaker is not None and one.speaker not in corpus.speakers:
            speakers[one.speaker].append(place(corpus, one))
        if one.native not in corpus.emotions:
            codes[one.native].append(place(corpus, one))
    for speaker, places in sorted(speakers.items()):
        yield finding(Kind.UNKNOWN_SPEAKER, places, f"speaker {speaker}.{near(speaker, corpus.speakers)}")
    for code, places in sorted(codes.items()):
        yield finding(Kind.UNKNOWN_LABEL, places, f"code {code!r}.{near(code, corpus.emotions)}")


def _count(corpus: Corpus, found: Sequence[Utterance]) -> Iterator[Finding]:
    listed = read_list(corpus.id)[1] if (LISTS / f"{corpus.id}.csv.xz").exists() else {}
    absent = sorted(set(listed) - {one.id for one in found})
    count = f"{len(found)} of {corpus.utterances} utterances found"
    if absent:
        count += f"; {len(absent)} of {len(listed)} ids of the packaged list are missing"
    whole = [Place(corpus.id, None, None)]
    if absent or len(found) < corpus.utterances:
        yield finding(Kind.MISSING, [Place(corpus.id, name, None) for name in absent] or whole, count)
    if len(found) > corpus.utterances:
        complete = len(listed) == corpus.utterances  # some lists hold only the balanced set
        unlisted = [place(corpus, one) for one in found if complete and one.id not in listed]
        yield finding(Kind.SURPLUS, unlisted or whole, count)


def _unknown_names(corpus: Corpus, found: Sequence[Utterance], root: Path) -> Iterator[Finding]:
    for path in unknown_names(corpus, found, root):
        yield finding(Kind.UNKNOWN_NAME, [Place(corpus.id, None, path)], "no utterance of the corpus")
