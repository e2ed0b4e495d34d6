"""Compare stored results of two systems on the same test utterances: is the difference more than noise?"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loading_scripts.errors import SerbenchError
from model_cards.table import Table
from ser_metrics import compare as compare_predictions

from .line import Line, Prediction
from .outcomes import HEADLINES, LEVEL, by_speaker
from .stored import Stored
from .tables import NOTHING, percent

CHOICES = ("variant", "encoder", "revision", "layer", "head", "seed")
"""Fields of a line that two systems may differ in."""


class CompareError(SerbenchError, ValueError):
    """Two sets of results have nothing that may be compared."""


@dataclass(frozen=True)
class Compared:
    """Two systems on one corpus, all folds as one test set.

    Args:
        protocol: the protocol.
        corpus: the corpus, or ``train>test``.
        name: both, and what else tells rows apart.
        told: what `ser_metrics.compare` returned.
        drawn: ``speakers`` or ``utterances``.
        folds: how many configs are in it.
        seeds: how many seeds.
    """

    protocol: str
    corpus: str
    name: str
    told: Mapping[str, Any]
    drawn: str
    folds: int
    seeds: int


@dataclass(frozen=True)
class Comparison:
    """Everything that was compared, and what was not.

    Args:
        a: what the lines of one side have in common, in words.
        b: likewise, of the other.
        rows: corpus by corpus.
        refused: pairs of lines that do not belong together: which, and why.
        unpaired: ids of lines without a counterpart, with the side they are on.
    """

    a: str
    b: str
    rows: Sequence[Compared]
    refused: Sequence[tuple[str, str]]
    unpaired: Sequence[tuple[str, str]]

    def overall(self, protocol: str) -> tuple[float, tuple[float, float]]:
        """Return the plain mean of the differences a - b over the rows of a protocol, and its interval.

        The ends (l, u) of intervals of differences d are put together by the square-and-add rule for independent
        differences: mean(d) - sqrt(sum (d - l)^2) / n, likewise above. Rows with one test corpus share speakers; their
        distances are added up before they are squared, as if they moved together, which can only widen the interval.
        It is about these corpora and new speakers of theirs, not about new corpora.

        References:
            G. Y. Zou, A. Donner: Construction of confidence limits about effect measures: a general approach.
            Statistics in Medicine 27, 2008.
        """
        rows = self.of(protocol)
        below: dict[str, float] = {}
        above: dict[str, float] = {}
        for row in rows:
            test, difference, (low, high) = row.corpus.rpartition(">")[2], row.told["difference"], row.told["interval"]
            below[test] = below.get(test, 0.0) + difference - low
            above[test] = above.get(test, 0.0) + high - difference
        middle = math.fsum(row.told["difference"] for row in rows) / len(rows)
        return middle, (
            middle - math.hypot(*below.values()) / len(rows),
            middle + math.hypot(*above.values()) / len(rows),
        )

    def _alone(self) -> list[str]:
        """Name the lines without a counterpart: all up to ten of a side, else the first ten and the number."""
        told = []
        for side in dict.fromkeys(side for side, _ in self.unpaired):
            names = [name for where, name in self.unpaired if where == side]
            told += [f"unpaired, only in {side}: {name}" for name in names[:10]]
            told += [f"unpaired, only in {side}: {len(names) - 10} more"] if len(names) > 10 else []
        return told

    def of(self, protocol: str) -> list[Compared]:
        """Return the rows of a protocol."""
        return [row for row in self.rows if row.protocol == protocol]

    def table(self) -> Table:
        """Return the table for the terminal."""
        header = [
            "on",
            "score",
            "folds",
            "n",
            "a",
            "b",
            "a - b",
            f"{100 * LEVEL:g} %",
            "drawn",
            "only a",
            "only b",
            "p",
        ]
        rows, verdicts = [], []
        for protocol in dict.fromkeys(row.protocol for row in self.rows):
            each = self.of(protocol)
            rows += [_row(row) for row in each]
            middle, (low, high) = self.overall(protocol)
            if len(each) > 1:
                means = [percent(math.fsum(row.told[side] for row in each) / len(each)) for side in ("a", "b")]
                told = [f"{protocol}, mean of {len(each)}", "", "", "", *means, _points(middle), _ends(low, high)]
                rows.append([*told, "", *[NOTHING] * 3])
            better = "a is better" if low > 0 else "b is better" if high < 0 else "they cannot be told apart"
            verdicts.append(f"{protocol}: {_points(middle)} points, {_ends(low, high)}: {better}.")
        notes = [
            f"a: {self.a}",
            f"b: {self.b}",
            "Scores in percent, all folds as one test set. only a, only b: utterances of which that side alone is "
            "right; p: McNemar's exact test, which takes utterances as independent. Intervals drawn by utterance say "
            "nothing about new speakers.",
            *verdicts,
            *(f"refused  {name}: {why}" for name, why in self.refused),
            *self._alone(),
        ]
        return Table(title="Comparison of stored results", header=header, rows=rows, notes=notes)


def compare(a: Sequence[Stored], b: Sequence[Stored]) -> Comparison:
    """Compare two sets of results corpus by corpus.

    Lines are paired that agree in protocol, corpus, config and in those of `CHOICES` of which a side has several
    values; where each side has one value, the two may differ: that is what is compared.

    Args:
        a: lines of one system, or of several systems that the other side has as well.
        b: lines of the other.

    Raises:
        CompareError: nothing pairs, or all pairs are refused.
        ResultsError: predictions are missing.
    """
    varying = [name for name in CHOICES if any(len({getattr(one.line, name) for one in side}) > 1 for side in (a, b))]
    sides = [{_key(one.line, varying): one for one in side} for side in (a, b)]
    both = [key for key in sides[0] if key in sides[1]]
    unpaired = [
        (name, side[key].line.id) for name, side in zip("ab", sides, strict=True) for key in side if key not in both
    ]
    if not both:
        raise CompareError(
            "Comparison: two lines pair that agree in protocol, corpus and config"
            f"{''.join(f', {name}' for name in varying)}; none do. a has {_some(a)}; b has {_some(b)}. "
            "Run one protocol on the same corpora for both."
        )
    refused: list[tuple[str, str]] = []
    rows: dict[tuple, list[_Pair]] = {}
    for key in both:
        one = _Pair(sides[0][key].line, sides[1][key].line, sides[0][key].predictions(), sides[1][key].predictions())
        if why := one.unlike():
            refused.append((one.a.id, why))
            continue
        row = tuple(value for name, value in key if name not in ("config", "seed"))
        rows.setdefault(row, []).append(one)
    if not rows:
        told = "; ".join(f"{name}: {why}" for name, why in refused[:3])
        raise CompareError(
            f"Comparison: both sides need the same test utterances; {told}. Run both on the same corpus."
        )
    found = [_compared(row, pairs) for row, pairs in rows.items()]
    return Comparison(_common(a), _common(b), found, refused, unpaired)


def _key(line: Line, varying: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, getattr(line, name)) for name in ("protocol", "corpus", "config", *varying))


@dataclass(frozen=True)
class _Pair:
    """Two lines about one test set, and their predictions."""

    a: Line
    b: Line
    of_a: Sequence[Prediction]
    of_b: Sequence[Prediction]

    def unlike(self) -> str:
        """Return why they are not about the same test set; empty if they are."""
        for name, meaning in (("split", "split hash"), ("content", "content hash of the audio")):
            if getattr(self.a, name) != getattr(self.b, name):
                return f"the {meaning} differs, {getattr(self.a, name)} and {getattr(self.b, name)}"
        truth_a, truth_b = ({row.id: row.reference for row in rows} for rows in (self.of_a, self.of_b))
        if truth_a.keys() != truth_b.keys():
            only = [sorted(x.keys() - y.keys()) for x, y in ((truth_a, truth_b), (truth_b, truth_a))]
            counts = " and ".join(f"{len(ids)} only in {side}" for side, ids in zip("ab", only, strict=True))
            return f"other test utterances, {counts}, such as {(only[0] or only[1])[0]!r}"
        for name, reference in truth_a.items():
            if truth_b[name] != reference:
                return f"utterance {name!r} is {reference} in a and {truth_b[name]} in b"
        return ""

    def matched(self) -> list[tuple[Prediction, Prediction]]:
        """Return what both say of each utterance."""
        said = {row.id: row for row in self.of_b}
        return [(row, said[row.id]) for row in self.of_a]


def _compared(row: Sequence[str], pairs: Sequence[_Pair]) -> Compared:
    """Compare all folds of one corpus as one test set."""
    both = [said for pair in pairs for said in pair.matched()]
    classes = list(dict.fromkeys(name for pair in pairs for line in (pair.a, pair.b) for name in line.classes))
    score = HEADLINES.get(pairs[0].a.protocol, "ua")

    def drawn(groups: list[str] | None) -> dict[str, Any]:
        predictions = ([of_a.prediction for of_a, _ in both], [of_b.prediction for _, of_b in both])
        references = [of_a.reference for of_a, _ in both]
        return compare_predictions(*predictions, references, classes, score=score, groups=groups, confidence=LEVEL)

    told, by = by_speaker(drawn, [of_a for of_a, _ in both])
    configs, seeds = {pair.a.config for pair in pairs}, {pair.a.seed for pair in pairs}
    line = pairs[0].a
    return Compared(line.protocol, line.corpus, ", ".join(map(str, row)), told, by, len(configs), len(seeds))


def _row(row: Compared) -> list[str]:
    told, test = row.told, row.told["mcnemar"]
    drawn = f"{told['groups']} speakers" if row.drawn == "speakers" else row.drawn
    # an utterance that several seeds predicted is no independent trial
    mcnemar = [str(test["only_a"]), str(test["only_b"]), f"{test['p']:.2g}"] if row.seeds == 1 else [NOTHING] * 3
    scores = [percent(told["a"]), percent(told["b"]), _points(told["difference"]), _ends(*told["interval"])]
    return [row.name, told["score"].upper(), str(row.folds), str(told["n"]), *scores, drawn, *mcnemar]


def _points(value: float) -> str:
    return f"{100 * value:+.1f}"


def _ends(low: float, high: float) -> str:
    return f"{_points(low)} to {_points(high)}"


def _common(side: Sequence[Stored]) -> str:
    """Name what all lines of a side have in common."""
    values = {name: {getattr(one.line, name) for one in side} for name in CHOICES}
    named = [f"{name} {next(iter(each))}" for name, each in values.items() if len(each) == 1]
    folders = dict.fromkeys(one.results.folder.name for one in side)
    return f"{', '.join(named)} ({', '.join(folders)})"


def _some(side: Sequence[Stored]) -> str:
    places = list(dict.fromkeys(f"{one.line.protocol} {one.line.corpus} {one.line.config}" for one in side))
    return ", ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "") or "nothing"
