"""Listing: the checked utterances of a corpus, the splits of a config, and what the splits share."""

import fnmatch
import hashlib
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .audio import SUFFIXES
from .corpus import Corpus
from .errors import CorpusMismatchError, UnknownNameError
from .registry import CorpusModule
from .utterance import CENTER, Utterance

logger = logging.getLogger(__name__)

UNKNOWN_ALLOWED = 0.01
"""Share of audio files with unknown names above which a raw tree is refused."""

_SHOWN = 5


@dataclass(frozen=True)
class Choice:
    """What a user wants otherwise than the corpus has it.

    Args:
        drop_errata: leave out the utterances that an erratum of the record names.
        center_channel: read the channel that holds the speech instead of the mean of all.
    """

    drop_errata: bool = False
    center_channel: bool = False

    def check(self, module: CorpusModule) -> None:
        """Raise UnknownNameError if the corpus does not offer this."""
        if self.center_channel and not hasattr(module, "CENTER_CHANNEL"):
            raise UnknownNameError(
                f"Corpus {module.CORPUS.id}: center_channel is for corpora whose record knows of a center channel, as "
                "meld; this one's does not. Leave it out."
            )


AS_IT_IS = Choice()


def utterances(module: CorpusModule, root: Path, choice: Choice = AS_IT_IS) -> list[Utterance]:
    """Return every utterance of the corpus below `root`: atom after atom, sorted by id within.

    Utterances that `choice` drops are among them, as partitions may depend on all; `split` and `dropped` part them.

    All doors keep this order, so that their rows are equal one by one. A copy with fewer utterances than the corpus has
    is loaded, with a warning that says how many are missing.

    Raises:
        CorpusMismatchError: two files have the same id, a speaker is not in the record, or more than 1 % of the audio
            files beside the utterances have names that the corpus does not use.
    """
    corpus = module.CORPUS
    choice.check(module)
    found = sorted(module.find(root), key=lambda one: one.id)
    if choice.center_channel:
        found = [replace(one, channel=CENTER) for one in found]
    _check_ids(corpus, found, root)
    _check_speakers(corpus, found, root)
    _check_names(corpus, found, root)
    if len(found) < corpus.utterances:
        missing = corpus.utterances - len(found)
        logger.warning(
            "Corpus %s in %s: %d of %d utterances found; %d are missing.",
            *(corpus.id, root, len(found), corpus.utterances, missing),
        )
    return [one for atom in atoms(corpus, found) for one in atom]


def _check_ids(corpus: Corpus, found: Sequence[Utterance], root: Path) -> None:
    twice = [name for name, count in Counter(one.id for one in found).items() if count > 1]
    if twice:
        paths = [one.path for one in found if one.id == twice[0]]
        raise CorpusMismatchError(
            f"Corpus {corpus.id} in {root}: ids are unique; {len(twice)} occur more than once, first {twice[0]!r} "
            f"at {paths}. Keep one copy of each file."
        )


def _check_speakers(corpus: Corpus, found: Sequence[Utterance], root: Path) -> None:
    strangers = sorted({one.speaker for one in found if one.speaker is not None} - set(corpus.speakers))
    if corpus.speakers and strangers:
        raise CorpusMismatchError(
            f"Corpus {corpus.id} in {root}: speakers are those of the record; found {strangers[:_SHOWN]} as well. "
            "Remove their files, or add them to the record."
        )


def _check_names(corpus: Corpus, found: Sequence[Utterance], root: Path) -> None:
    unknown = unknown_names(corpus, found, root)
    if not unknown:
        return
    share = len(unknown) / (len(unknown) + len(found))
    what = f"{len(unknown)} audio files have names that the corpus does not use, first {unknown[:_SHOWN]}"
    if share > UNKNOWN_ALLOWED:
        raise CorpusMismatchError(
            f"Corpus {corpus.id} in {root}: at most {UNKNOWN_ALLOWED:.0%} of the files may be unknown; {what} "
            f"({share:.1%}). This is another version of the corpus, or other files lie among its own: move them away."
        )
    logger.warning("Corpus %s in %s: %s; they are left out.", corpus.id, root, what)


def unknown_names(corpus: Corpus, found: Sequence[Utterance], root: Path) -> list[str]:
    """Return the paths of audio files that lie beside utterances but are none: a sign of another version."""
    taken = {one.path for one in found}
    unknown = []
    for folder in sorted({path.rpartition("/")[0] for path in taken}):
        if not (root / folder).is_dir():
            continue
        with os.scandir(root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122  a Path per file costs a second in ESD
                if suffix in SUFFIXES and path not in taken and not entry.name.startswith("."):
                    unknown.append(path)
    return sorted(path for path in unknown if not any(fnmatch.fnmatchcase(path, glob) for glob in corpus.ignore))


def atoms(corpus: Corpus, found: Sequence[Utterance]) -> list[list[Utterance]]:
    """Return `found` in atoms: the largest groups that every config keeps together, by first appearance."""
    assigned = zip(*(partition.assign(found) for partition in corpus.partitions.values()), strict=True)
    groups: dict[tuple[str | None, ...], list[Utterance]] = {}
    for one, key in zip(found, list(assigned) or [()] * len(found), strict=True):
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def dropped(corpus: Corpus, found: Sequence[Utterance], choice: Choice) -> frozenset[str]:
    """Return the ids in `found` that `choice` leaves out, and say how many."""
    if not choice.drop_errata:
        return frozenset()
    named = {name for erratum in corpus.errata for name in erratum.drop}
    here = named & {one.id for one in found}
    logger.warning(
        "Corpus %s: %d of %d utterances are left out for errata of the record%s.",
        *(corpus.id, len(here), len(found)),
        f" ({len(named - here)} more that it names are not in this copy)" if named - here else "",
    )
    return frozenset(here)


def split(
    module: CorpusModule, config: str, found: Sequence[Utterance], without: frozenset[str] = frozenset()
) -> dict[str, list[Utterance]]:
    """Return split -> utterances of `config`, in the order of `found`; every split of the config is a key.

    Args:
        module: the corpus.
        config: config name.
        found: every utterance of the raw tree: a partition may depend on all of them.
        without: ids that are left out of their split, and change nothing else.
    """
    corpus = module.CORPUS
    parts: dict[str, list[Utterance]] = {name: [] for name in corpus.splits(config)}
    assigned = ["train"] * len(found) if config == "all" else corpus.partitions[config].assign(found)
    for one, name in zip(found, assigned, strict=True):
        if name is not None and one.id not in without:
            parts[name].append(one)
    return parts


def ids(parts: Mapping[str, Iterable[Utterance]]) -> dict[str, list[str]]:
    """Return split -> ids of its utterances."""
    return {name: [one.id for one in part] for name, part in parts.items()}


def split_hash(parts: Mapping[str, Iterable[str]]) -> str:
    """Return the hash that names a split in a paper: sha256 over the sorted lines id<TAB>split, first 16 digits.

    Args:
        parts: split -> ids of its utterances.
    """
    lines = sorted(f"{one}\t{name}\n" for name, part in parts.items() for one in part)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def absent_classes(corpus: Corpus, parts: dict[str, list[Utterance]]) -> dict[str, list[str]]:
    """Return split -> nouns that occur in the config but not in this split; splits that lack none are left out."""
    nouns = {name: {corpus.emotions.get(one.native) for one in part} - {None} for name, part in parts.items()}
    everywhere = set().union(*nouns.values())
    return {name: sorted(everywhere - here) for name, here in nouns.items() if everywhere - here}


def shared_speakers(parts: dict[str, list[Utterance]]) -> float | None:
    """Return the share of test utterances whose speaker is also in train.

    None where there is no test split, or a speaker of either split is unknown.
    """
    if not parts.get("test") or not parts.get("train"):
        return None
    train = {one.speaker for one in parts["train"]}
    test = [one.speaker for one in parts["test"]]
    if None in train or None in test:
        return None
    return sum(speaker in train for speaker in test) / len(test)
