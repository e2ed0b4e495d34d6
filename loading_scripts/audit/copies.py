"""Copies: the same file or the same samples twice, and one stretch of audio with two labels."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .findings import SILENT_PEAK, Finding, Kind, Severity, finding, place
from .sounds import Heard

Splits = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Corpus id -> config -> utterance id -> split."""

_NAMED = 4


def check(heard: Sequence[Heard], splits: Splits, roots: Mapping[str, Path]) -> Iterator[Finding]:
    """Yield copies within and across corpora, and labels that contradict each other.

    Args:
        heard: every utterance of every corpus of the audit; silent ones are not compared by their samples.
        splits: where the configs put them, to tell the copies that lie in train and test.
        roots: corpus id -> root of its raw tree.
    """
    for same in _groups(heard, lambda one: one.sound.digest):
        paths = {_path(one) for one in same}
        # files with the same bytes have the same samples: only these need to be read again
        file_of = {path: _digest(roots[path[0]] / path[1]) for path in paths} if len(paths) > 1 else {}
        for file in dict.fromkeys(file_of.values()):
            copies = [one for one in same if file_of[_path(one)] == file]
            if len({_path(one) for one in copies}) > 1:
                yield _copy(Kind.IDENTICAL_FILE, copies, splits)
        if same[0].sound.peak < SILENT_PEAK:
            continue
        if len(set(file_of.values())) > 1 or len(paths) < len(same):
            yield _copy(Kind.IDENTICAL_AUDIO, same, splits)
        if len(set(filter(None, map(noun, same)))) > 1:
            yield _conflict(same, "identical samples")
    for same in _groups(heard, _path):
        for pair in _contradictions(same):
            yield _conflict(pair, " and ".join(f"{_start(one):.3f}-{_end(one):.3f} s" for one in pair))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def _groups(heard: Iterable[Heard], key: Callable[[Heard], Hashable]) -> list[list[Heard]]:
    groups = defaultdict(list)
    for one in heard:
        groups[key(one)].append(one)
    return [group for group in groups.values() if len(group) > 1]


def _path(one: Heard) -> tuple[str, str]:
    return one.corpus.id, one.one.path


def noun(one: Heard) -> str | None:
    """Return the emotion of an utterance, as its record names it."""
    return one.corpus.emotions.get(one.one.native)


def crossings(same: Sequence[Heard], splits: Splits) -> list[str]:
    """Return in words the corpora, and the splits of each config, between which recordings of one sound lie."""
    names = sorted({one.corpus.id for one in same})
    across = [f"across {' and '.join(names)}"] if len(names) > 1 else []
    for corpus in names:
        ids = [one.one.id for one in same if one.corpus.id == corpus]
        configs = defaultdict(list)
        for config, split_of in splits[corpus].items():
            held = sorted({split_of[name] for name in ids if name in split_of})
            if len(held) > 1:
                configs[" and ".join(held)].append(config)
        across += (f"in {held} of {corpus} {', '.join(those)}" for held, those in configs.items())
    return across


def _copy(kind: Kind, same: Sequence[Heard], splits: Splits) -> Finding:
    across = crossings(same, splits)
    detail = "; ".join([f"{len(same)} utterances", *across])
    return finding(kind, [place(one.corpus, one.one) for one in same], detail, Severity.ERROR if across else None)


def _conflict(same: Sequence[Heard], where: str) -> Finding:
    if len(same) <= _NAMED:
        labels = [f"{one.one.id} is {noun(one) or 'unlabelled'}" for one in same]
    else:
        labels = [f"{count} are {noun or 'unlabelled'}" for noun, count in Counter(map(noun, same)).most_common()]
    return finding(Kind.LABEL_CONFLICT, [place(one.corpus, one.one) for one in same], f"{where}: {', '.join(labels)}")


def _contradictions(same: Sequence[Heard]) -> Iterator[tuple[Heard, Heard]]:
    """Yield pairs of one file that share more than half of the shorter one, but not the label.

    Two known speakers may feel differently while they talk over each other; a smaller overlap is padding.
    """
    ordered = sorted(same, key=_start)
    for number, first in enumerate(ordered):
        for second in ordered[number + 1 :]:
            shared = min(_end(first), _end(second)) - _start(second)
            if shared <= 0:
                break
            if (
                shared > 0.5 * min(first.sound.seconds, second.sound.seconds)
                and len({noun(first), noun(second)} - {None}) > 1
                and (first.one.speaker == second.one.speaker or None in (first.one.speaker, second.one.speaker))
                and first.sound.digest != second.sound.digest
            ):
                yield first, second


def _start(one: Heard) -> float:
    return one.one.start or 0.0


def _end(one: Heard) -> float:
    return _start(one) + one.sound.seconds
