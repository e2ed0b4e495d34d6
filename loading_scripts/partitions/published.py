"""Published splits that are tables of speakers: EmoBox's folds, SERAB, Generalize."""

from collections.abc import Iterable, Mapping

from .table import Condition, Key, Table, speaker_of

EMOBOX = "emo-box/EmoBox@08280f279d47fb55d2c614061c70523d0a338d6b"
"""Repository and commit of EmoBox's lists."""

SERAB = "Neclow/serab@cc0ebd74014c19ce4fad752afe5dfd374fc7fdb2"
"""Repository and commit of SERAB's code."""


def speaker_folds(
    test_speakers: Mapping[int, Iterable[str]], source: str = EMOBOX, takes: Condition | None = None
) -> dict[str, Table]:
    """Return fold1..foldN from a table fold number -> test speakers; train = everybody else.

    Args:
        test_speakers: fold number -> speakers.
        source: where the table comes from.
        takes: utterance -> whether the folds take it; None: they take all.

    >>> folds = speaker_folds({1: ["03"], 2: ["08"]})
    >>> sorted(folds), folds["fold1"].splits
    (['fold1', 'fold2'], ('train', 'test'))
    """
    return {
        f"fold{number}": Table(
            keys={"test": frozenset(names)},
            rest="train",
            takes=takes,
            rule=f"speakers {_shown(names)} test, all others train ({source})",
        )
        for number, names in test_speakers.items()
    }


def serab(
    strict: Mapping[str, Iterable[str]],
    published: Mapping[str, Iterable[str]] | None = None,
    key: Key = speaker_of,
    takes: Condition | None = None,
) -> dict[str, Table]:
    """Return `serab`, SERAB's split as its code makes it, and `serab_strict`, the same rule with true speakers.

    The rule sorts the groups, shuffles them with numpy's RandomState(0) and cuts at 60 and 80 % of them (CREMA-D: 70
    and 80 %). The lists that it gives are written down here, as they depend on a generator. Train = all other groups.
    Where the code groups by speaker the two configs are equal; both exist for every corpus of the benchmark, so that
    a protocol need not know which two of the nine leak.

    Args:
        strict: "validation" and "test" -> true speakers.
        published: "validation" and "test" -> groups of the code, where these are no speakers.
        key: utterance -> group of `published`.
        takes: utterance -> whether SERAB uses it; None: it uses all.
    """

    def table(groups: Mapping[str, Iterable[str]], key: Key, what: str) -> Table:
        return Table(
            keys={split: frozenset(groups[split]) for split in ("validation", "test")},
            rest="train",
            key=key,
            takes=takes,
            rule=f"{what}; test {_shown(groups['test'])}, validation {_shown(groups['validation'])}, train all others "
            f"(rule of {SERAB}, seed 0)",
        )

    by_speaker = table(strict, speaker_of, "by speaker")
    as_published = by_speaker if published is None else table(published, key, "by the code's groups, not by speaker")
    return {"serab": as_published, "serab_strict": by_speaker}


def generalize(test_speaker: str, seconds: float, takes: Condition | None = None) -> dict[str, Table]:
    """Return `generalize`: one speaker of the corpus tests, all others train.

    Ibrahim et al., Interspeech 2024, do not name their speakers. As in their text for unequal corpora, it is the
    speaker with the longest total duration; a corpus counts as unequal if its longest speaker has over 10 % more than
    its shortest, as every corpus here has.

    Args:
        test_speaker: who tests.
        seconds: total duration of the test speaker in EmoBox's list of the corpus, from which the table was computed.
        takes: utterance -> whether the paper uses it; None: it uses all.
    """
    rule = f"speaker {test_speaker} tests, the longest of the corpus with {seconds:.1f} s in {EMOBOX}; all others train"
    return {"generalize": Table(keys={"test": frozenset([test_speaker])}, rest="train", takes=takes, rule=rule)}


def _shown(names: Iterable[str]) -> str:
    return " ".join(sorted(names))
