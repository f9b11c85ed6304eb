"""Seeding: the draws of scikit-learn, and what greedy k-means++ promises."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs

from skcourse.cluster import kmeans_plusplus, seeding
from skcourse.cluster.dense import DenseRows
from skcourse.cluster.seeding import Potential, draw
from skcourse.cluster.sketch import SketchedPotential, box_of
from skcourse.core.chunks import chunk_slices


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, sp.csc_array])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_scikit_learn_draws_the_same(kind, dtype, seed, weighted):
    rng = np.random.default_rng(seed)
    X = kind(rng.normal(size=(1500, 6)).astype(dtype))
    weights = rng.random(1500) if weighted else None
    options = {"n_clusters": 12, "random_state": seed, "sample_weight": weights}
    centers, indices = kmeans_plusplus(X, **options)
    their_centers, their_indices = sklearn.cluster.kmeans_plusplus(sp.csr_matrix(X), **options)
    assert_array_equal(indices, their_indices)
    assert_array_equal(centers, their_centers)
    assert centers.dtype == dtype


@pytest.mark.parametrize("n_local_trials", [1, 3, 20])
def test_number_of_trials(n_local_trials):
    X = load_digits().data
    ours, theirs = (
        function(X, 10, random_state=3, n_local_trials=n_local_trials)[1]
        for function in (kmeans_plusplus, sklearn.cluster.kmeans_plusplus)
    )
    assert_array_equal(ours, theirs)


def test_each_blob_gets_a_seed():
    X, blobs = make_blobs(2000, 5, centers=10, cluster_std=0.01, random_state=0)
    _, indices = kmeans_plusplus(X, 10, random_state=0)
    assert len(set(blobs[indices])) == 10


def test_rows_of_no_weight_are_never_chosen():
    X = np.random.default_rng(0).normal(size=(200, 3))
    weights = np.arange(200) % 2
    _, indices = kmeans_plusplus(X, 30, sample_weight=weights, random_state=0)
    assert np.all(indices % 2 == 1)


def test_duplicates_only():
    centers, indices = kmeans_plusplus(np.ones((5, 2)), 3, random_state=0)
    assert_array_equal(centers, np.ones((3, 2)))
    assert indices.shape == (3,)


def test_an_integer_weight_is_a_repetition_for_the_draw():
    class Rows:
        def __init__(self, n, weights, slices):
            self.weights, self.slices = weights, lambda: slices

    values, weights = np.array([2.0, 0.0, 1.0, 3.0]), np.array([1.0, 4.0, 2.0, 0.0])
    halves = [slice(0, 2), slice(2, 4)]
    targets = np.array([0.5, 2.0, 2.5, 4.0, 9.0])
    sums = np.array([2.0, 2.0])
    found = draw(Rows(4, weights, halves), values, sums, targets)
    assert_array_equal(found, [0, 0, 2, 2, 3])


def rows_of_all_kinds(kind, dtype):
    rng = np.random.default_rng(7)
    X = rng.normal(size=(3000, 9))
    if kind == "blobs":
        X = make_blobs(3000, 9, centers=20, random_state=0)[0]
    elif kind == "far":
        X += 1e4
    elif kind == "outliers":
        X[::500] *= 1e6
    elif kind == "scales":
        X *= 10.0 ** np.arange(-40, 41, 10)[:9] if dtype == np.float64 else 10.0 ** np.arange(9)
    elif kind == "duplicates":
        X = np.repeat(X[:60], 50, axis=0)
    elif kind == "grid":
        X = np.round(X)
    elif kind == "constant":
        X[:, 3:] = -2.0
    return np.ascontiguousarray(X.astype(dtype))


KINDS = ["normal", "blobs", "far", "outliers", "scales", "duplicates", "grid", "constant"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sketches_leave_out_no_row_that_comes_nearer(kind, dtype):
    X = rows_of_all_kinds(kind, dtype)
    rng = np.random.default_rng(0)
    rows = DenseRows(X, rng.integers(0, 3, len(X)).astype(dtype))
    plain, sketched = Potential(rows, 3), SketchedPotential(rows, 3, box_of(rows))
    for j in range(40):
        candidates = rows.take(rng.integers(0, len(X), 3 if j else 1))
        expected, found = plain.offer(candidates), sketched.offer(candidates)
        assert_allclose(found, expected, rtol=1e-12)  # sums of 3000 terms >= 0 in another order
        for near in (plain, sketched):
            near.accept(j % len(candidates))
        assert_array_equal(sketched.squares, plain.squares)
    if kind in ("normal", "blobs", "far"):
        assert sketched.counts.sum() < len(X) / 3  # few came nearer: most were seen not to


@pytest.mark.parametrize("weighted", [False, True])
def test_sketches_draw_what_scikit_learn_draws(weighted, monkeypatch):
    monkeypatch.setattr(seeding, "FEWEST_ROWS", 1000)
    X = rows_of_all_kinds("blobs", np.float64)
    weights = np.random.default_rng(1).random(len(X)) if weighted else None
    options = {"n_clusters": 30, "random_state": 5, "sample_weight": weights}
    _, indices = kmeans_plusplus(X, **options)
    assert_array_equal(indices, sklearn.cluster.kmeans_plusplus(X, **options)[1])


def test_threads_change_no_seed(monkeypatch):
    monkeypatch.setattr(seeding, "FEWEST_ROWS", 1000)
    monkeypatch.setattr(
        "skcourse.cluster.dense.chunk_slices", lambda n, size, min_rows: chunk_slices(n, 2**12)
    )
    X = rows_of_all_kinds("normal", np.float64)
    found = []
    for n_threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", n_threads)
        found.append(kmeans_plusplus(X, 40, random_state=2)[1])
    assert_array_equal(*found)


def test_rows_without_a_finite_diagonal_need_no_sketch(monkeypatch):
    monkeypatch.setattr(seeding, "FEWEST_ROWS", 10)
    for X in (np.ones((50, 2)), np.random.default_rng(0).normal(size=(50, 2)) * 1e160):
        rows = DenseRows(X)
        assert isinstance(seeding.potential(rows, 20, 3), Potential)
    rows = DenseRows(np.random.default_rng(0).normal(size=(50, 2)))
    assert isinstance(seeding.potential(rows, 20, 3), SketchedPotential)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_clusters": 6}, "n_samples=5 should be >= n_clusters=6"),
        ({"n_clusters": 2, "x_squared_norms": [1.0, 2.0]}, "The length of x_squared_norms 2"),
        ({"n_clusters": 0}, "The 'n_clusters' parameter of kmeans_plusplus must be an int"),
        ({"n_clusters": 2, "n_local_trials": 0}, "The 'n_local_trials' parameter"),
        ({"n_clusters": 2, "sample_weight": [1.0]}, "sample_weight.shape"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=message):
        kmeans_plusplus(np.arange(10.0).reshape(5, 2), **options)
