"""Comparison of stored results: what pairs, what is refused, and what the figures mean."""

from pathlib import Path

import pytest
from lines import EMOTIONS, made, of, stored

from ser_metrics.comparison import mcnemar
from ser_trainer.benchmark.results.compare import CompareError, compare
from ser_trainer.benchmark.results.line import Prediction
from ser_trainer.benchmark.results.stored import of_encoder, read


def sides(folder: Path, a, b):
    """Store the lines of encoders A and B in one folder; return those of each."""
    stored(folder, *(pair for pair in (*a, *b)))
    found = read([folder])
    return of_encoder(found, "A"), of_encoder(found, "B")


def line(rows, encoder, **other):
    return of(rows, encoder=encoder, **other), rows


def said(right: set[int], utterances: int = 48, speakers: int = 8) -> list[Prediction]:
    """Return predictions of which those with these numbers are right."""
    rows = []
    for number in range(utterances):
        true = EMOTIONS[number % 2]
        guess = true if number in right else EMOTIONS[1 - number % 2]
        rows.append(Prediction(f"u{number}", f"s{number % speakers}", true, guess))
    return rows


def test_differences_and_who_alone_is_right_are_counted(tmp_path: Path):
    a, b = said(set(range(36))), said(set(range(6, 30)))
    (found,) = compare(*sides(tmp_path, [line(a, "A")], [line(b, "B")])).rows
    assert found.told["difference"] == pytest.approx((36 - 24) / 48)
    assert found.told["mcnemar"] == {"only_a": 12, "only_b": 0, "p": mcnemar(12, 0)}
    assert (found.drawn, found.told["groups"], found.told["score"]) == ("speakers", 8, "wa")


def test_the_order_of_stored_predictions_does_not_matter(tmp_path: Path):
    a, b = said(set(range(30))), said(set(range(10, 48)))
    straight = compare(*sides(tmp_path / "one", [line(a, "A")], [line(b, "B")])).rows[0].told
    turned = compare(*sides(tmp_path / "two", [line(a, "A")], [line(b[::-1], "B")])).rows[0].told
    assert turned == straight


def test_both_directions_agree(tmp_path: Path):
    pair = sides(tmp_path, [made(encoder="A", accuracy=0.8)], [made(encoder="B")])
    there, back = compare(*pair), compare(*pair[::-1])
    assert back.rows[0].told["difference"] == pytest.approx(-there.rows[0].told["difference"])
    assert back.rows[0].told["mcnemar"]["p"] == there.rows[0].told["mcnemar"]["p"]


def test_what_is_not_about_the_same_test_set_is_refused_with_the_difference(tmp_path: Path):
    rows = said(set(range(40)))
    relabelled = [Prediction("u0", "s0", EMOTIONS[1], EMOTIONS[1]), *rows[1:]]
    a = [line(rows, "A", corpus=corpus) for corpus in ("cafe", "emodb", "ravdess", "savee", "shemo")]
    b = [
        line(rows, "B", corpus="cafe"),
        line(rows, "B", corpus="emodb", split="another0another0"),
        line(rows, "B", corpus="ravdess", content="changed0changed0"),
        line(rows[:-1], "B", corpus="savee"),
        line(relabelled, "B", corpus="shemo"),
    ]
    found = compare(*sides(tmp_path, a, b))
    assert [one.corpus for one in found.rows] == ["cafe"]
    reasons = [why for _, why in found.refused]
    assert "split hash" in reasons[0] and "another0another0" in reasons[0]
    assert "content hash" in reasons[1] and "changed0changed0" in reasons[1]
    assert "1 only in a and 0 only in b, such as 'u47'" in reasons[2]
    assert "'u0' is anger in a and happiness in b" in reasons[3]
    assert all(why in " ".join(found.table().notes) for why in reasons)


def test_all_refused_is_an_error_that_says_why(tmp_path: Path):
    rows = said({1})
    with pytest.raises(CompareError, match="split hash differs, abcdef0123456789 and b"):
        compare(*sides(tmp_path, [line(rows, "A")], [line(rows, "B", split="b")]))


def test_unpaired_lines_are_named_and_nothing_in_common_is_an_error(tmp_path: Path):
    a, b = [made("emodb", encoder="A"), made("cafe", encoder="A")], [made("emodb", encoder="B")]
    found = compare(*sides(tmp_path / "some", a, [line(a[0][1], "B"), *b[1:]]))
    assert found.unpaired == [("a", a[1][0].id)]
    assert a[1][0].id in found.table().text()
    with pytest.raises(CompareError, match="a has serab emodb serab; b has serab savee serab"):
        compare(*sides(tmp_path / "none", a[:1], [made("savee", encoder="B")]))


def test_heads_and_layers_may_differ_where_each_side_has_one(tmp_path: Path):
    rows = said(set(range(20)))
    found = compare(*sides(tmp_path, [line(rows, "A", head="lda", layer="3")], [line(rows, "B", head="svc")]))
    assert len(found.rows) == 1
    assert "head lda" in found.a and "head svc" in found.b


def test_of_several_heads_equal_ones_pair(tmp_path: Path):
    rows = said(set(range(20)))
    a = [line(rows, "A", head=head) for head in ("linear", "emobox")]
    found = compare(*sides(tmp_path, a, [line(rows, "B", head="emobox")]))
    assert [one.name for one in found.rows] == ["serab, emodb, emobox"]
    assert [side for side, _ in found.unpaired] == ["a"]


def test_folds_are_one_test_set_and_seeds_no_further_utterances(tmp_path: Path):
    def fold(number, encoder, right, seed):
        rows = [Prediction(f"f{number}-{one.id}", one.speaker, one.reference, one.prediction) for one in said(right)]
        return line(rows, encoder, protocol="emobox-intra", config=f"fold{number}", seed=seed)

    runs = [(number, seed) for number in (1, 2) for seed in (0, 1)]
    a = [fold(number, "A", set(range(40)), seed) for number, seed in runs]
    b = [fold(number, "B", set(range(30)), seed) for number, seed in runs]
    found = compare(*sides(tmp_path, a, b))
    (one,) = found.rows
    assert (one.folds, one.seeds, one.told["n"]) == (2, 2, 4 * 48)
    assert found.table().rows[0][-3:] == ["-", "-", "-"]  # McNemar's test would count an utterance twice


def test_the_mean_of_one_corpus_is_its_own_difference(tmp_path: Path):
    found = compare(*sides(tmp_path, [made(encoder="A")], [line(made(accuracy=0.4)[1], "B")]))
    told = found.rows[0].told
    middle, ends = found.overall("serab")
    assert middle == pytest.approx(told["difference"])
    assert ends == pytest.approx(told["interval"])


def test_intervals_of_corpora_are_squared_and_added(tmp_path: Path):
    a = [made(corpus, encoder="A", accuracy=0.8) for corpus in ("emodb", "cafe")]
    b = [line(made(corpus, accuracy=0.6)[1], "B", corpus=corpus) for corpus in ("emodb", "cafe")]
    found = compare(*sides(tmp_path, a, b))
    (d1, l1, u1), (d2, l2, u2) = ((one.told["difference"], *one.told["interval"]) for one in found.rows)
    middle, (low, high) = found.overall("serab")
    assert middle == pytest.approx((d1 + d2) / 2)
    assert low == pytest.approx(middle - ((d1 - l1) ** 2 + (d2 - l2) ** 2) ** 0.5 / 2)
    assert high == pytest.approx(middle + ((u1 - d1) ** 2 + (u2 - d2) ** 2) ** 0.5 / 2)


def test_two_heads_on_one_corpus_are_not_independent(tmp_path: Path):
    """Twice the same comparison is no better evidence than once."""
    a, b = made(encoder="A", accuracy=0.8)[1], made(accuracy=0.6)[1]
    once = compare(*sides(tmp_path / "once", [line(a, "A")], [line(b, "B")])).overall("serab")
    heads = ("lda", "svc")
    twice = compare(
        *sides(tmp_path / "twice", [line(a, "A", head=one) for one in heads], [line(b, "B", head=one) for one in heads])
    ).overall("serab")
    assert twice[0] == pytest.approx(once[0])
    assert twice[1] == pytest.approx(once[1])
