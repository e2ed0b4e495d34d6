"""Plans that balance classes: counts, neighbors and groups, against imbalanced-learn where it has the same method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ser_trainer.finetune.sampling import Plan, SamplingError, balance

METHODS = ["none", "under", "over", "smote", "adasyn"]


def blobs(sizes: list[int], seed: int = 0, spread: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return overlapping clouds in four dimensions, (n, 4), on very different scales, and labels 3, 4, ..."""
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.repeat(np.arange(3, 3 + len(sizes)), sizes))
    centers = generator.normal(0, 1, (3 + len(sizes), 4))
    return (centers[labels] + generator.normal(0, spread, (len(labels), 4))) * [1, 10, 100, 0.1], labels


def counts(plan: Plan, labels: np.ndarray) -> dict[int, int]:
    return dict(zip(*(each.tolist() for each in np.unique(labels[plan.rows], return_counts=True)), strict=True))


def added(plan: Plan, n: int) -> Plan:
    return Plan(plan.rows[n:], plan.others[n:], plan.shares[n:])


classes = st.lists(st.integers(0, 6), min_size=1, max_size=60).map(np.array)


@given(classes, st.integers(0, 2**31))
def test_under_and_over_make_all_classes_equal_by_leaving_out_and_by_repeating(labels, seed):
    sizes = np.unique(labels, return_counts=True)[1]
    under, over = balance(labels, "under", seed), balance(labels, "over", seed)
    assert set(counts(under, labels).values()) == {sizes.min()}
    assert len(set(under.rows.tolist())) == len(under)
    assert set(counts(over, labels).values()) == {sizes.max()}
    assert set(over.rows.tolist()) == set(range(len(labels)))
    for plan in (under, over):
        assert (plan.others == plan.rows).all()
        assert not plan.shares.any()


@given(st.lists(st.integers(2, 30), min_size=1, max_size=4), st.integers(0, 2**31), st.integers(1, 8))
@settings(max_examples=25, deadline=None)
def test_smote_balances_exactly_with_rows_of_one_class(sizes, seed, neighbors):
    vectors, labels = blobs(sizes)
    plan = balance(labels, "smote", seed, vectors=vectors, neighbors=neighbors)
    new = added(plan, len(labels))
    assert set(counts(plan, labels).values()) == {max(sizes)}
    assert (plan.rows[: len(labels)] == np.arange(len(labels))).all()
    assert not plan.shares[: len(labels)].any()
    assert (labels[new.rows] == labels[new.others]).all()
    assert (new.rows != new.others).all()


@given(st.integers(0, 2**31))
@settings(max_examples=8, deadline=None)
def test_mixed_rows_are_of_one_group_and_neighbors_in_it(seed):
    vectors, labels = blobs([40, 15, 9])
    groups = np.random.default_rng(seed).choice(["emodb", "urdu", "savee"], len(labels))
    for how in ("smote", "adasyn"):
        try:
            new = added(balance(labels, how, seed, groups, vectors, neighbors=2), len(labels))
        except SamplingError:  # nine rows can fall into groups in which they meet no other class
            assert how == "adasyn"
            continue
        assert (groups[new.rows] == groups[new.others]).all()
        scaled = (vectors - vectors.mean(0)) / vectors.std(0)
        for row, other in zip(new.rows, new.others, strict=True):
            alike = np.flatnonzero((labels == labels[row]) & (groups == groups[row]) & (np.arange(len(labels)) != row))
            distances = np.linalg.norm(scaled[alike] - scaled[row], axis=1)
            assert other in alike[np.argsort(distances)[:2]]


@pytest.mark.parametrize("how", METHODS)
def test_a_plan_depends_on_its_seed_alone(how):
    vectors, labels = blobs([30, 12, 5])
    np.random.seed(1)
    first = balance(labels, how, 7, vectors=vectors)
    np.random.seed(2)
    again = balance(labels, how, 7, vectors=vectors)
    other = balance(labels, how, 8, vectors=vectors)
    for name in ("rows", "others", "shares"):
        assert (getattr(first, name) == getattr(again, name)).all()
    if how != "none":
        assert not np.array_equal(first.rows, other.rows) or not np.array_equal(first.shares, other.shares)


def resampled(how: str, vectors: np.ndarray, labels: np.ndarray, k: int) -> dict[int, int]:
    """Return the class counts that imbalanced-learn reaches on the same standardized vectors."""
    imblearn = pytest.importorskip("imblearn.over_sampling")
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(vectors)
    method = (
        imblearn.SMOTE(random_state=0, k_neighbors=k)
        if how == "smote"
        else imblearn.ADASYN(random_state=0, n_neighbors=k)
    )
    made = method.fit_resample(scaled, labels)[1]
    return dict(zip(*(each.tolist() for each in np.unique(made, return_counts=True)), strict=True))


@pytest.mark.parametrize("how", ["smote", "adasyn"])
@pytest.mark.parametrize(("seed", "k"), [(0, 5), (1, 5), (2, 1), (3, 7)])
def test_counts_and_partners_are_those_of_imbalanced_learn(how, seed, k):
    # Sizes that differ: where rounding leaves a class without a single new row, imbalanced-learn stops.
    sizes = [120, *np.random.default_rng(seed).integers(8, 80, 3).tolist()]
    vectors, labels = blobs(sizes, seed)
    plan = balance(labels, how, seed, vectors=vectors, neighbors=k)
    assert counts(plan, labels) == resampled(how, vectors, labels, k)

    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(vectors)
    new = added(plan, len(labels))
    assert len(new)
    for label in np.unique(labels[new.rows]):
        members = np.flatnonzero(labels == label)
        # As imbalanced-learn does: k + 1 neighbors among the class, without the first, which is the row itself.
        nearest = NearestNeighbors(n_neighbors=k + 1).fit(scaled[members]).kneighbors(return_distance=False)[:, :k]
        allowed = {(members[i], members[j]) for i, line in enumerate(nearest) for j in line}
        mine = labels[new.rows] == label
        assert set(zip(new.rows[mine], new.others[mine], strict=True)) <= allowed


def test_every_row_and_every_neighbor_gets_its_turn():
    vectors, labels = blobs([4000, 20])
    new = added(balance(labels, "smote", 0, vectors=vectors, neighbors=3), len(labels))
    pairs, times = np.unique(np.stack([new.rows, new.others]), axis=1, return_counts=True)
    assert pairs.shape == (2, 20 * 3)
    assert times.min() > 3980 / 60 * 0.5
    assert abs(new.shares.mean() - 0.5) < 0.02
    assert new.shares.max() > 0.99


def test_adasyn_mixes_the_rows_among_strangers_most():
    # Six rows of class 1 on a line; the last two lie inside class 0.
    line = np.concatenate([np.arange(6), np.linspace(3.6, 5.4, 24)])[:, None]
    labels = np.repeat([1, 0], [6, 24])
    new = added(balance(labels, "adasyn", 0, vectors=line, neighbors=3), len(labels))
    per_row = np.bincount(new.rows, minlength=6)[:6]
    assert per_row[0] == 0  # its neighbors are all of its class
    assert per_row[5] == per_row.max() == per_row[4]


def test_a_class_that_lacks_too_little_for_adasyn_stays_as_it_is():
    vectors, labels = blobs([30, 29])
    assert len(balance(labels, "adasyn", 0, vectors=vectors)) == 59


def test_without_balancing_ratings_are_taken_as_well():
    plan = balance(np.zeros((4, 3)), "none", 0)
    assert plan.rows.tolist() == [0, 1, 2, 3]
    assert not plan.shares.any()


def test_rows_that_are_alone_in_their_group_are_never_mixed():
    labels = np.array([0] * 6 + [1] * 3)
    groups = np.array([0, 0, 0, 1, 1, 1, 0, 0, 1])
    vectors = np.arange(9.0)[:, None]
    new = added(balance(labels, "smote", 0, groups, vectors), 9)
    assert set(new.rows) | set(new.others) == {6, 7}


@pytest.mark.parametrize("how", ["smote", "adasyn"])
def test_a_class_with_nothing_to_mix_is_named(how):
    labels, vectors = np.array([0, 0, 0, 5]), np.eye(4)
    with pytest.raises(SamplingError, match=r"class 5 has 1 row"):
        balance(labels, how, 0, vectors=vectors)


def test_adasyn_says_when_no_row_has_a_stranger_nearby():
    vectors = np.array([[0.0]] * 4 + [[100.0]] * 3)
    with pytest.raises(SamplingError, match="class 1 has none that could be mixed. Use 'smote'"):
        balance(np.array([0] * 4 + [1] * 3), "adasyn", 0, vectors=vectors, neighbors=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"how": "smoke"}, "Did you mean 'smote'"),
        ({"labels": [0.5, 1.0]}, "one class id per row.*float64"),
        ({"labels": []}, "at least one row"),
        ({"labels": [[0, 1]]}, r"shape \(1, 2\)"),
        ({"vectors": None}, "mel_vectors"),
        ({"vectors": np.zeros((3, 2))}, r"\(4, d\); their shape is \(3, 2\)"),
        ({"vectors": np.full((4, 2), np.nan)}, "8 values are not finite"),
        ({"groups": [1, 2]}, "one group for each of 4 rows"),
        ({"neighbors": 0}, "neighbors must be at least 1; it is 0"),
    ],
)
def test_arguments_that_make_no_sense_are_named(arguments, message):
    usual = {"labels": [0, 0, 0, 1], "how": "smote", "seed": 0, "vectors": np.eye(4)}
    with pytest.raises(SamplingError, match=message):
        balance(**usual | arguments)


def test_plans_with_parts_that_do_not_fit_are_refused():
    with pytest.raises(SamplingError, match=r"\[2, 1, 2\]"):
        Plan([0, 1], [0], [0, 0])
    with pytest.raises(SamplingError, match=r"one is 1\.5"):
        Plan([0, 1], [1, 1], [1.5, 0])
