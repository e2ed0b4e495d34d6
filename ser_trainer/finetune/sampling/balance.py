"""Balance: plans in which the classes are equally frequent, or nearly so.

Only training rows are balanced, after the split. The new rows of SMOTE and ADASYN are not computed here: a plan says
which two rows are mixed and how, and they are mixed when a batch loads them.
"""

from typing import Literal, get_args

import numpy as np

from loading_scripts.errors import near

from .plan import Plan, SamplingError

How = Literal["none", "under", "over", "smote", "adasyn"]


def balance(
    labels: np.ndarray,
    how: How,
    seed: int,
    groups: np.ndarray | None = None,
    vectors: np.ndarray | None = None,
    neighbors: int = 5,
) -> Plan:
    """Return a plan that balances the classes which occur in `labels`; a function of its arguments alone.

    ``none``: every row once. ``under``: of every class as many random rows as the smallest class has, each once.
    ``over``: every row once, then random rows of every class until it is as large as the largest.
    ``smote`` (Chawla et al. 2002, JAIR 16, section 4.2): every row once, then mixtures x_i + u (x_j - x_i) until every
    class is as large as the largest; i is a random row of the class, j one of its nearest neighbors in the class, u
    uniform in [0, 1). ``adasyn`` (He et al. 2008, IJCNN, section II): as ``smote``, but row i of a class that lacks G
    rows gets round(G r_i / sum(r)) mixtures, r_i being the share of other classes among the nearest neighbors of i.
    Rounding leaves the classes nearly equal; a class that lacks few rows may get none.

    Originals come first and in their order, then what is added, class by class. Both rows of a mixture are of one class
    and one group. Rows that are alone there are not mixed; where there are fewer than `neighbors` others, all count.

    Args:
        labels: class of each row, integers, (n,); anything of n values for ``none``.
        how: one of the above.
        seed: of the draws, a non-negative integer.
        groups: for example the corpus of each row, (n,); neighbors are sought inside a group.
        vectors: place of each row among the others, (n, d), for ``smote`` and ``adasyn``; its columns are standardized
            here.
        neighbors: number of nearest neighbors, k.

    Raises:
        SamplingError: labels are no classes; vectors or groups are missing or unusable; a class lacks rows and has no
            two in one group, or, with ``adasyn``, none that has another class among its nearest neighbors.
    """
    labels = np.asarray(labels)
    if how not in get_args(How):
        raise SamplingError(
            f"Balance: {how!r} is no method.{near(str(how), get_args(How))} Methods: {', '.join(get_args(How))}."
        )
    if how == "none":
        return Plan.identity(len(labels))
    if labels.ndim != 1 or not len(labels) or not np.issubdtype(labels.dtype, np.integer):
        raise SamplingError(
            f"Balance: labels must be one class id per row, of at least one row; they are {labels.dtype} of shape "
            f"{labels.shape}. Ratings have no classes to balance: use 'none'."
        )
    generator = np.random.default_rng(seed)
    classes = {int(label): np.flatnonzero(labels == label) for label in np.unique(labels)}
    sizes = [len(members) for members in classes.values()]
    if how == "under":
        kept = [generator.choice(members, min(sizes), replace=False) for members in classes.values()]
        return Plan.of(np.sort(np.concatenate(kept)))
    lacking = {label: max(sizes) - len(members) for label, members in classes.items() if len(members) < max(sizes)}
    if how == "over":
        return _extended(
            len(labels), [Plan.of(generator.choice(classes[label], number)) for label, number in lacking.items()]
        )
    places, groups = _standardized(vectors, groups, len(labels), neighbors, how)
    hardness = _hardness(labels, places, groups, neighbors) if how == "adasyn" and lacking else None
    added = []
    for label, number in lacking.items():
        members = classes[label]
        partners, counts = _nearest(members, places, groups, neighbors)
        if not counts.any():
            raise SamplingError(
                f"Balance {how}: mixing needs two rows of a class in one group; class {label} has {len(members)} "
                "row(s), each alone. Use 'over', leave the class out, or mix across groups."
            )
        if hardness is None:
            drawn = generator.choice(np.flatnonzero(counts), number)
        else:
            drawn = np.repeat(np.arange(len(members)), _shared_out(number, hardness[members] * (counts > 0), label))
        others = partners[drawn, generator.integers(counts[drawn])]
        added.append(Plan(members[drawn], others, generator.random(len(drawn), dtype=np.float32)))
    return _extended(len(labels), added)


def _extended(n: int, added: list[Plan]) -> Plan:
    plans = [Plan.identity(n), *added]
    return Plan(*(np.concatenate([getattr(plan, name) for plan in plans]) for name in ("rows", "others", "shares")))


def _shared_out(number: int, hardness: np.ndarray, label: int) -> np.ndarray:
    """Return how many of `number` mixtures each row of a class gets, for its hardness; both (members,)."""
    if not hardness.any():
        raise SamplingError(
            f"Balance adasyn: a class that lacks rows needs one with another class among its nearest neighbors; class "
            f"{label} has none that could be mixed. Use 'smote'."
        )
    return np.rint(hardness / hardness.sum() * number).astype(np.int64)


def _standardized(
    vectors: np.ndarray | None, groups: np.ndarray | None, n: int, neighbors: int, how: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return vectors of mean 0 and deviation 1 in every column that is not constant, (n, d), and group ids, (n,)."""
    if vectors is None:
        raise SamplingError(f"Balance {how}: neighbors are sought by vectors; none are given. Make some: mel_vectors.")
    vectors = np.asarray(vectors, np.float64)
    if vectors.ndim != 2 or len(vectors) != n or not np.isfinite(vectors).all():
        raise SamplingError(
            f"Balance {how}: vectors must be finite and of shape ({n}, d); their shape is {vectors.shape}, and "
            f"{np.count_nonzero(~np.isfinite(vectors))} values are not finite."
        )
    if groups is not None and np.shape(groups) != (n,):
        raise SamplingError(f"Balance {how}: needs one group for each of {n} rows; given shape {np.shape(groups)}.")
    if neighbors < 1:
        raise SamplingError(f"Balance {how}: neighbors must be at least 1; it is {neighbors}.")
    deviations = vectors.std(axis=0)
    ids = np.zeros(n, np.int64) if groups is None else np.unique(groups, return_inverse=True)[1]
    return (vectors - vectors.mean(axis=0)) / np.where(deviations > 0, deviations, 1), ids


def _nearest(
    members: np.ndarray, vectors: np.ndarray, groups: np.ndarray, neighbors: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the members nearest to each member in its group, (members, neighbors), and how many there are, (members,).

    Columns beyond the number that exists hold -1.
    """
    from sklearn.neighbors import NearestNeighbors

    found = np.full((len(members), neighbors), -1)
    counts = np.zeros(len(members), np.int64)
    for group in np.unique(groups[members]):
        inside = np.flatnonzero(groups[members] == group)
        k = min(neighbors, len(inside) - 1)
        if k:
            among = members[inside]
            index = NearestNeighbors(n_neighbors=k).fit(vectors[among])
            found[inside, :k] = among[index.kneighbors(return_distance=False)]  # of each row itself left out
            counts[inside] = k
    return found, counts


def _hardness(labels: np.ndarray, vectors: np.ndarray, groups: np.ndarray, neighbors: int) -> np.ndarray:
    """Return the share of other classes among the nearest neighbors of each row, (n,); 0 for rows alone in a group."""
    found, counts = _nearest(np.arange(len(labels)), vectors, groups, neighbors)
    other = (labels[found] != labels[:, None]) & (found >= 0)
    return other.sum(axis=1) / np.maximum(counts, 1)
