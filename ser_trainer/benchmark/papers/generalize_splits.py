"""Labels and splits of Generalize: which classes a corpus has, who tests it, who validates, and the pool of all.

Ibrahim et al., Interspeech 2024 (arXiv:2406.09933), section 3. What the paper leaves open is decided here and told in
the flags of each result; `docs/protocols/generalize.md` lists the decisions.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..corpora import CorpusError, CorpusRows
from ..protocol import ProtocolError
from ..tasks import NATIVE, Label, Task, native

EMOTIONS = {
    "4": ("neutral", "anger", "happiness", "sadness"),
    "5": ("neutral", "anger", "happiness", "sadness", "surprise"),
}
"""Setting -> its classes, as canonical nouns; a corpus takes part with those that it has."""

NATIVE_SETTING = "n"
"""Setting in which each corpus keeps its own classes."""

LISTED = "generalize"
"""Config of a record that says who tests, and which utterances are used at all."""

SHORTEST, LONGEST = 2.0, 13.0
"""Seconds of a clip that is in the pool, both inclusive."""

_MERGED = {"iemocap": {"excitement": "happiness"}}  # said of IEMOCAP only: JL-Corpus' excited is no happy
_NOT_NATIVE = {"iemocap": {"disgust", "fear", "other"}}  # its Table 1 counts seven classes
_BY_CLIP = {"emofilm"}  # "85 % of the data" train
_UNEQUAL = 1.1
_TEST_SHARE = 0.15
_SEED = 0


@dataclass(frozen=True, eq=False)
class HeldOut:
    """A corpus whose test utterances are set apart.

    Args:
        corpus: the corpus.
        train: ids of all that trains and validates.
        test: ids that test.
        labels: id -> class.
        classes: classes of both, in order.
        dropped: reason -> ids that are not used.
        rule: who tests, and why, in a sentence without a full stop.
        speakers: whether a fold is a speaker; else it is a share of the utterances.
    """

    corpus: CorpusRows
    train: tuple[str, ...]
    test: tuple[str, ...]
    labels: Mapping[str, str]
    classes: tuple[str, ...]
    dropped: Mapping[str, tuple[str, ...]]
    rule: str
    speakers: bool

    def task(self, config: str, train: Sequence[str], validation: Sequence[str]) -> Task:
        """Return the task of a fold."""
        parts = {"train": tuple(train), "validation": tuple(validation), "test": self.test}
        return Task(self.corpus, config, parts, self.labels, self.classes, self.dropped)

    def share(
        self,
        config: str,
        train: Sequence[str],
        validation: Sequence[str],
        classes: tuple[str, ...],
        trained: frozenset[str],
    ) -> "Share":
        """Return what it has of a fold of a pool with these classes, some of which may be trained by nobody."""
        parts = {"train": tuple(train), "validation": tuple(validation), "test": self.test}
        return Share(self.corpus, config, parts, self.labels, classes, self.dropped, trained=trained)


@dataclass(frozen=True, eq=False)
class Share(Task):
    """What one corpus has of a task of several: classes that it lacks may be trained by others.

    Args:
        trained: classes that train in any of them.
    """

    trained: frozenset[str] = frozenset()

    def absent(self) -> list[str]:
        """Return the classes that no training utterance of any corpus has."""
        return [name for name in self.classes if name not in self.trained]


def held_out(corpus: CorpusRows, emotions: str) -> HeldOut:
    """Return a corpus with its test utterances set apart, the same in every setting.

    A record's config `generalize` decides, if there is one. Else the English part is used (the whole of a corpus that
    has none), and who tests is chosen as the paper does: the longest speaker; of speakers who differ by no more than
    10 % in duration, one that is drawn; where one is unknown, 15 % of each class.

    Args:
        corpus: the corpus.
        emotions: ``4``, ``5`` or ``n``.

    Raises:
        CorpusError: one part has no utterance of the setting, or fewer than two classes train.
    """
    dropped: dict[str, list[str]] = {}
    by_speaker = corpus.id not in _BY_CLIP
    if LISTED in corpus.configs:
        parts = corpus.split(LISTED)
        test = set(parts["test"])
        used = {one for part in parts.values() for one in part}
        dropped["not used in Generalize"] = [one for one in corpus.ids if one not in used]
        who = sorted({str(corpus.facts[one]["speaker"]) for one in test})
        rule = f"speaker {who[0]} tests, by config {LISTED}" if len(who) == 1 else f"config {LISTED} says what tests"
    else:
        english = [one for one in corpus.ids if (corpus.facts[one]["language"] or "en").startswith("en")]
        used = set(english or corpus.ids)
        dropped["not English"] = [one for one in corpus.ids if one not in used]
        test, rule = _chosen(corpus, english or corpus.ids, by_speaker)
        if not english:
            rule += "; not English, as all corpora of the paper are"
    label = label_of(corpus.id, emotions)
    labels = {one: named for one in corpus.ids if one in used and (named := label(corpus.facts[one])) is not None}
    dropped["no label"] = [one for one in corpus.ids if one in used and one not in labels]
    train = tuple(one for one in labels if one not in test)
    tested = tuple(one for one in labels if one in test)
    present = set(labels.values())
    order = EMOTIONS.get(emotions) or corpus.classes(NATIVE)
    classes = tuple(name for name in order if name in present)
    heard = {labels[one] for one in train}
    if not tested or len(heard) < 2:
        raise CorpusError(
            f"Corpus {corpus.id}: generalize with {_told(emotions)} needs test utterances, and two classes or more in "
            f"training; {len(tested)} test ({rule}), and {', '.join(sorted(heard)) or 'nothing'} trains. Leave the "
            "corpus out, or choose other emotions."
        )
    speakers = by_speaker and all(corpus.facts[one]["speaker"] is not None for one in train)
    unused = {why: tuple(ids) for why, ids in dropped.items() if ids}
    return HeldOut(corpus, train, tested, labels, classes, unused, rule, speakers)


def label_of(corpus: str, emotions: str) -> Label:
    """Return the label map of a setting: facts of an utterance -> its class, None if it is not used."""
    if emotions == NATIVE_SETTING:
        left_out = _NOT_NATIVE.get(corpus, ())
        return lambda facts: None if facts["canonical"] in left_out else native(facts)
    merged, names = _MERGED.get(corpus, {}), set(EMOTIONS[emotions])

    def label(facts: Mapping[str, object]) -> str | None:
        named = merged.get(facts["canonical"], facts["canonical"])
        return named if named in names else None

    return label


def folds(held: HeldOut, number: int) -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """Return (train, validation, who validates) of each fold of one corpus.

    A fold is one speaker who validates. Where there are more than `number`, that many are drawn (seed 0) among those
    who have the most classes: most of MELD's 304 speakers say fewer than ten utterances, which choose no epoch. One
    speaker alone, or unknown speakers: shares of the utterances.
    """
    generator = np.random.default_rng(_SEED)
    classes: dict[str, set[str]] = {}
    if held.speakers:
        for one in held.train:
            classes.setdefault(held.corpus.facts[one]["speaker"], set()).add(held.labels[one])
    if len(classes) < 2:
        number = min(number, len(held.train))
        part = dealt([held.labels[one] for one in held.train], number, generator)
        return [(*_parted(held.train, part == at), f"share {at + 1} of {number} validates") for at in range(number)]
    least = sorted(map(len, classes.values()), reverse=True)[min(number, len(classes)) - 1]
    candidates = sorted(who for who, mine in classes.items() if len(mine) >= least)
    if len(candidates) > number:
        candidates = sorted(generator.choice(candidates, number, replace=False).tolist())
    found = []
    for who in candidates:
        mine = [held.corpus.facts[one]["speaker"] == who for one in held.train]
        found.append((*_parted(held.train, mine), f"speaker {who} validates"))
    return found


def pool(corpora: Sequence[HeldOut]) -> list[HeldOut]:
    """Return corpora without the training clips shorter than 2 s or longer than 13 s; tests stay whole.

    Raises:
        ProtocolError: fewer than two classes are left.
    """
    found = []
    for one in corpora:
        kept = tuple(clip for clip in one.train if SHORTEST <= (one.corpus.facts[clip]["duration"] or 0.0) <= LONGEST)
        inside = set(kept)
        out = tuple(clip for clip in one.train if clip not in inside)
        why = f"outside {SHORTEST:g} to {LONGEST:g} s"
        found.append(replace(one, train=kept, dropped={**one.dropped, why: out} if out else one.dropped))
    heard = {one.labels[clip] for one in found for clip in one.train}
    if len(heard) < 2:
        before, after = (sum(len(one.train) for one in some) for some in (corpora, found))
        raise ProtocolError(
            f"Protocol generalize: clips of {SHORTEST:g} to {LONGEST:g} s are pooled, of two classes or more; "
            f"{', '.join(one.corpus.id for one in corpora)} have {after} such clips of {before}, of {len(heard)} "
            "classes. Add corpora, or train each by itself: mode=separate."
        )
    return found


def pooled_folds(corpora: Sequence[HeldOut], number: int) -> list[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]]:
    """Return corpus -> (train, validation) of each fold of a pool: shares of every class of every corpus.

    Raises:
        ProtocolError: it has fewer clips than folds.
    """
    clips = [(one.corpus.id, clip, one.labels[clip]) for one in corpora for clip in one.train]
    if len(clips) < number:
        raise ProtocolError(f"Protocol generalize: {number} folds need as many clips; the pool has {len(clips)}.")
    part = dealt([(corpus, label) for corpus, _, label in clips], number, np.random.default_rng(_SEED))
    found = []
    for fold in range(number):
        parts = {}
        for one in corpora:
            mine = [part[at] == fold for at, (corpus, *_) in enumerate(clips) if corpus == one.corpus.id]
            parts[one.corpus.id] = _parted(one.train, mine)
        found.append(parts)
    return found


def counts(corpora: Iterable[HeldOut], classes: Sequence[str]) -> str:
    """Return how many training clips each class has, in words, as Table 2 of the paper."""
    number = Counter(one.labels[clip] for one in corpora for clip in one.train)
    return ", ".join(f"{name} {number[name]}" for name in classes)


def dealt(strata: Sequence[Hashable], parts: int, generator: np.random.Generator) -> np.ndarray:
    """Return the part, 0 to parts - 1, of each item, (n,): each stratum is shuffled, then all are dealt out like cards.

    In every stratum, and over all, no part has two items more than another.
    """
    part = np.empty(len(strata), dtype=np.int64)
    places: dict[Hashable, list[int]] = {}
    for at, stratum in enumerate(strata):
        places.setdefault(stratum, []).append(at)
    start = 0
    for stratum in sorted(places, key=repr):
        mine = generator.permutation(places[stratum])
        part[mine] = (start + np.arange(len(mine))) % parts
        start += len(mine)
    return part


def _chosen(corpus: CorpusRows, ids: Sequence[str], by_speaker: bool) -> tuple[set[str], str]:
    """Return the ids that test, over all native classes, and the rule; see `held_out`."""
    seconds: dict[str | None, float] = {}
    for one in ids:
        facts = corpus.facts[one]
        seconds[facts["speaker"]] = seconds.get(facts["speaker"], 0.0) + (facts["duration"] or 0.0)
    if not by_speaker or None in seconds or len(seconds) < 2:
        generator, test = np.random.default_rng(_SEED), []
        classes: dict[str, list[str]] = {}
        for one in ids:
            classes.setdefault(str(corpus.facts[one][NATIVE]), []).append(one)
        for name in sorted(classes):
            number = max(1, round(_TEST_SHARE * len(classes[name])))
            test += generator.choice(classes[name], number, replace=False).tolist()
        return set(test), f"{_TEST_SHARE:.0%} of each class test, drawn with seed {_SEED}, not by speaker"
    if max(seconds.values()) > _UNEQUAL * min(seconds.values()):
        who = max(sorted(seconds), key=lambda one: seconds[one])
        rule = f"speaker {who} tests, the longest of {len(seconds)} with {seconds[who]:.1f} s"
    else:
        who = str(np.random.default_rng(_SEED).choice(sorted(seconds)))
        rule = f"speaker {who} tests, drawn of {len(seconds)} with seed {_SEED}"
    return {one for one in ids if corpus.facts[one]["speaker"] == who}, rule


def _parted(ids: Sequence[str], taken: Iterable[bool]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return those that are not taken, and those that are."""
    parts: tuple[list[str], list[str]] = [], []
    for one, mine in zip(ids, taken, strict=True):
        parts[bool(mine)].append(one)
    return tuple(parts[0]), tuple(parts[1])


def _told(emotions: str) -> str:
    return "its own classes" if emotions == NATIVE_SETTING else f"the classes {', '.join(EMOTIONS[emotions])}"
