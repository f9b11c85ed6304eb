"""The accelerated iteration against the literal one: bounds may save work, and nothing else."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from skcourse.cluster import KMeans, assignment, bounds, dense, elkan
from skcourse.cluster.dense import DenseRows
from skcourse.cluster.lloyd import Lloyd
from skcourse.cluster.sparse import SparseRows
from skcourse.cluster.statistics import Stats, count_row, measure
from skcourse.core import chunks
from skcourse.core.distances import pad


def run(X, seeds, weights=None, *, max_iter=100, tol=0.0):
    """Return the clustering that starts from `seeds`, in the units of X."""
    rows = SparseRows(X, weights) if sp.issparse(X) else DenseRows(X, weights)
    mean, variance = rows.moments()
    origin = rows.origin_at(mean)
    squares = rows.squares(origin, mean, variance)
    return Lloyd(rows, origin, squares, seeds - origin.astype(float)).run(
        max_iter=max_iter, tol=tol
    )


def plain(X, seeds, weights=None, *, max_iter=100):
    """Return labels and centres by the definition, in float64, relative to the mean."""
    origin = X.mean(axis=0, dtype=float)
    X, centers = X - origin, seeds - origin
    weights = np.ones(len(X)) if weights is None else weights
    labels = None
    for _ in range(max_iter):
        before, labels = labels, ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
        if before is not None and np.array_equal(before, labels):
            break
        for j in range(len(centers)):
            mine = labels == j
            if weights[mine].sum() > 0:
                centers[j] = np.average(X[mine], axis=0, weights=weights[mine])
    return labels, centers + origin


def rows_and_seeds(shape, seed, dtype=np.float64, *, grid=False, apart=3.0):
    n, d, k = shape
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) + apart * rng.integers(0, 3, size=(n, 1))
    X = (np.round(X) if grid else X).astype(dtype)  # a grid is full of ties
    seeds = X[rng.choice(n, k, replace=False)] + (0 if grid else 0.1) * rng.normal(size=(k, d))
    return X, seeds.astype(dtype)


SHAPES = st.sampled_from(
    [(60, 1, 3), (200, 2, 7), (300, 5, 20), (150, 33, 4), (400, 3, 60), (90, 130, 9), (80, 140, 65)]
)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(
    shape=SHAPES,
    seed=st.integers(0, 10**6),
    grid=st.booleans(),
    rough=st.booleans(),
    weighted=st.booleans(),
)
def test_labels_are_those_without_bounds(dtype, shape, seed, grid, rough, weighted):
    # so far apart, the scores of centres in one heap are equal but for their rounding
    apart = 0.3 / np.sqrt(np.finfo(dtype).eps) if rough else 3.0
    X, seeds = rows_and_seeds(shape, seed, dtype, grid=grid, apart=apart)
    weights = np.random.default_rng(seed).random(len(X)).astype(dtype) if weighted else None
    found = run(X, seeds, weights)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "WIDE", 10**9)
        patch.setattr("skcourse.cluster.lloyd.margin", lambda d, dtype: np.inf)
        expected = run(X, seeds, weights)  # with a margin of inf, no row is ever sure
    assert_array_equal(found.labels, expected.labels)
    assert found.n_iter == expected.n_iter
    atol = 100 * np.finfo(dtype).eps * np.abs(X).max()
    assert_allclose(found.centers, expected.centers, rtol=0, atol=atol)


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 10**6), weighted=st.booleans())
def test_labels_are_those_of_the_definition(shape, seed, weighted):
    X, seeds = rows_and_seeds(shape, seed)
    weights = np.random.default_rng(seed).random(len(X)) if weighted else None
    labels, centers = plain(X, seeds, weights)
    if len(np.unique(labels)) < len(seeds):
        return  # an empty cluster: relocation has tests of its own
    found = run(X, seeds, weights)
    assert_array_equal(found.labels, labels)
    assert_allclose(found.centers, centers, rtol=0, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(shape=SHAPES, seed=st.integers(0, 10**6))
def test_inertia_never_rises_and_ends_at_the_inertia(shape, seed):
    X, seeds = rows_and_seeds(shape, seed)
    seeds = X[np.argsort(((X[:, None] - seeds) ** 2).sum(axis=2), axis=0)[0]]
    found = run(X, seeds)
    history = found.history["inertia"]
    assert len(history) == len(found.history["center_shift"]) == found.n_iter
    total = ((X - X.mean(axis=0)) ** 2).sum()
    slack = 1e-12 * total  # (4) subtracts sums of this size
    if len(np.unique(X, axis=0)) == len(X):  # else a cluster may be empty, and relocated
        assert np.all(np.diff(history) <= slack)
    assert found.inertia <= history[-1] + slack
    literal = ((X - found.centers[found.labels]) ** 2).sum()
    assert found.inertia == pytest.approx(literal, rel=1e-12)


@pytest.mark.parametrize("d", [4, 150])
def test_bounds_do_save_work(d, monkeypatch):
    X, _ = rows_and_seeds((4000, d, 12), 0)
    X += 30 * (np.arange(len(X)) % 12)[:, None] * np.eye(d)[0]
    n_looked_at = []
    original = assignment.assign if d < dense.WIDE else elkan.assign

    def counting(X, weights, centers, motion, state, stats):
        suspects = np.empty(len(X), np.uint32)
        copy = bounds.State(*(array.copy() for array in state))
        n_looked_at.append(bounds.widen(motion, copy, suspects))
        return original(X, weights, centers, motion, state, stats)

    monkeypatch.setattr(assignment if d < dense.WIDE else elkan, "assign", counting)
    run(X, X[:12])
    per_pass = len(n_looked_at) // len(DenseRows(X).slices(12))
    assert sum(n_looked_at) < 0.8 * per_pass * len(X)


@pytest.mark.parametrize("shape", [(3000, 9, 30), (2000, 150, 20)])
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix])
def test_the_same_bits_on_any_number_of_threads(shape, kind, monkeypatch):
    X, seeds = rows_and_seeds(shape, 1, np.float32)
    weights = np.random.default_rng(0).random(len(X)).astype(np.float32)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 2**13)
    monkeypatch.setattr(dense, "ROWS_PER_CLUSTER", 1)
    runs = []
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n_threads: n)
        runs.append(run(kind(X), seeds, weights, max_iter=15))
    assert len(DenseRows(X).slices(shape[2])) > 4
    for other in runs[1:]:
        assert_array_equal(other.labels, runs[0].labels)
        assert_array_equal(other.centers, runs[0].centers)
        assert_array_equal(other.history["inertia"], runs[0].history["inertia"])
        assert other.inertia == runs[0].inertia


def test_a_sum_that_much_has_left_is_stale():
    stats = Stats.zeros(2, 3)
    centers = pad(np.zeros((2, 3)), np.zeros(3))
    for _ in range(300_000):
        count_row(stats, 0, 1.0, 1.0, 2.0)
    assert not measure(stats, centers, 1.0)[2]
    for _ in range(299_999):
        count_row(stats, 0, 1.0, -1.0, 2.0)
    assert measure(stats, centers, 1.0)[2]
    count_row(stats, 0, 1.0, -1.0, 2.0)
    assert measure(stats, centers, 1.0)[1:] == (2, False)  # empty, and with it forgotten


def test_stale_sums_are_made_anew(monkeypatch):
    X, seeds = rows_and_seeds((300, 5, 20), 0)
    expected = run(X, seeds)
    monkeypatch.setattr("skcourse.cluster.lloyd.measure", always_stale)
    found = run(X, seeds)
    assert_array_equal(found.labels, expected.labels)
    assert_allclose(found.history["inertia"], expected.history["inertia"], rtol=1e-12)


def always_stale(stats, centers, scale):
    if stats.sums.any():  # as if rounding had eaten them
        stats.sums[:] = stats.sums if is_fresh(stats) else np.nan
    change, n_empty, _ = measure(stats, centers, scale)
    return change, n_empty, True


def is_fresh(stats):
    return not np.any(stats.turnover)


def test_a_weight_that_dwarfs_all_others():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=40), [45.0], 100 + rng.normal(size=40)])[:, np.newaxis]
    weights = np.ones(81)
    weights[40] = 1e20  # added to 40 and subtracted again, it leaves 0
    found = run(X, np.array([[20.0], [71.0], [90.0]]), weights)
    assert np.isfinite(found.centers).all()
    assert found.centers[found.labels[40]] == pytest.approx(45.0)


def test_an_empty_cluster_takes_the_farthest_row():
    X = np.array([[0.0], [2.0], [3.0], [7.0], [40.0], [64.0]])
    found = run(X, np.array([[1.0], [1.0], [1.0]]), max_iter=1)
    assert_allclose(np.sort(found.centers.ravel()), [3, 40, 64])


def test_rows_of_no_weight_leave_a_cluster_empty():
    X = np.array([[0.0], [1.0], [50.0], [100.0]])
    weights = np.array([1.0, 1.0, 0.0, 1.0])
    found = run(X, np.array([[0.0], [50.0], [100.0]]), weights)
    assert np.isfinite(found.centers).all()
    assert found.inertia < 1.0


def test_equal_rows_are_relocated_together_and_rows_of_weight_0_never():
    X = np.array([[0.0], [0.2], [9.0], [9.0], [30.0], [50.0]])
    init = np.array([[1.0], [1000.0], [2000.0]])  # two of them nobody is near to
    weights = np.array([1.0, 1.0, 2.0, 1.0, 1.0, 0.0])
    weighted = KMeans(3, init=init, n_init=1).fit(X, sample_weight=weights)
    repeated = KMeans(3, init=init, n_init=1).fit(np.repeat(X, weights.astype(int), axis=0))
    assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    assert_array_equal(np.repeat(weighted.labels_, weights.astype(int)), repeated.labels_)
