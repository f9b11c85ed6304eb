"""k-means||: as good as k-means++, from rows that have weight, whatever the threads."""

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs
from sklearn.utils import check_random_state

from skcourse.cluster import KMeans
from skcourse.cluster.dense import DenseRows
from skcourse.cluster.scalable_seeding import OVERSAMPLING, Candidates, parallel
from skcourse.cluster.seeding import plus_plus
from skcourse.cluster.sparse import SparseRows


def cost(rows, indices):
    """Return the potential of rows as centres."""
    centers = rows.take(indices)
    return rows.inertia(centers, rows.label(centers))


@pytest.mark.parametrize("data", ["digits", "blobs", "one large, many small"])
def test_about_as_good_as_plus_plus(data):
    if data == "digits":
        X = load_digits().data
    elif data == "blobs":
        X, _ = make_blobs(5000, 6, centers=40, cluster_std=1.0, random_state=0)
    else:  # candidates in the large one are few and weigh much
        X, _ = make_blobs([9000, *[20] * 39], 6, cluster_std=0.5, random_state=0)
    rows = DenseRows(X)
    ours, theirs = (
        np.mean([cost(rows, choose(rows, 40, check_random_state(seed))) for seed in range(8)])
        for choose in (parallel, plus_plus)
    )
    assert ours < 1.1 * theirs  # over seeds, both have a spread of some percent


def test_each_blob_gets_a_seed():
    X, blobs = make_blobs(3000, 5, centers=12, cluster_std=0.01, random_state=0)
    for kind in (DenseRows, lambda X: SparseRows(sp.csr_matrix(X))):
        indices = parallel(kind(X), 12, check_random_state(0))
        assert len(set(blobs[indices])) == 12


def test_rows_of_no_weight_are_never_chosen():
    X = np.random.default_rng(0).normal(size=(600, 3))
    weights = np.arange(600) % 2 * 1.0
    for seed in range(5):
        indices = parallel(DenseRows(X, weights), 30, check_random_state(seed))
        assert np.all(indices % 2 == 1)
        assert len(set(indices)) == 30


def test_weights_draw_the_seeds():
    X = np.random.default_rng(0).normal(size=(4000, 2))
    weights = np.where(X[:, 0] > 0, 1e3, 1e-3)
    indices = parallel(DenseRows(X, weights), 20, check_random_state(0))
    assert np.all(X[indices, 0] > 0)


def test_candidates_are_weighed_by_the_rows_that_are_nearest():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(500, 4)), rng.random(500)
    candidates = Candidates(DenseRows(X, weights), 3)
    candidates.extend(np.array([10, 40]))
    candidates.extend(np.array([7]))
    squares = ((X[:, np.newaxis] - X[[3, 10, 40, 7]]) ** 2).sum(axis=2)
    assert_array_equal(candidates.indices, [3, 10, 40, 7])
    assert_allclose(candidates.nearby, squares.min(axis=1), atol=1e-14)
    assert_allclose(candidates.weights(), np.bincount(squares.argmin(axis=1), weights), rtol=1e-12)


def test_a_round_picks_as_many_as_it_should_by_weight_and_distance():
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(20_000, 2)), rng.random(20_000)
    candidates = Candidates(DenseRows(X, weights), 0)
    drawn = candidates.draw(2000, np.uint64(5))
    share = np.minimum(1, 2000 * weights * candidates.nearby / (weights @ candidates.nearby))
    # a sum of independent picks: five standard deviations
    assert abs(len(drawn) - share.sum()) < 5 * np.sqrt(share.sum())
    likely = share > np.median(share)
    expected = share[likely].sum()
    assert abs(np.count_nonzero(likely[drawn]) - expected) < 5 * np.sqrt(expected)
    assert len(np.intersect1d(drawn, candidates.draw(2000, np.uint64(6)))) < len(drawn) / 2


def test_oversampling_gives_a_choice():
    X = np.random.default_rng(0).normal(size=(5000, 3))
    candidates = Candidates(DenseRows(X), 0)
    assert len(candidates.draw(OVERSAMPLING * 50, np.uint64(0))) > 60


@pytest.mark.parametrize("k", [1, 3, 5])
def test_few_places_only(k):
    X = np.repeat([[0.0, 1.0], [5.0, 5.0], [9.0, 0.0]], 4, axis=0)
    indices = parallel(DenseRows(X), k, check_random_state(0))
    assert indices.shape == (k,)
    assert len(np.unique(X[indices], axis=0)) == min(k, 3)


@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, np.float32])
def test_in_the_estimator(kind):
    X = load_digits().data
    weights = np.random.default_rng(0).random(len(X))
    model = KMeans(10, init="k-means||", random_state=0).fit(kind(X), sample_weight=weights)
    other = KMeans(10, random_state=0).fit(kind(X), sample_weight=weights)
    assert model._n_init == 1
    assert model.inertia_ < 1.1 * other.inertia_
    again = KMeans(10, init="k-means||", random_state=0).fit(kind(X), sample_weight=weights)
    assert_array_equal(model.labels_, again.labels_)


def test_threads_change_no_bit(n_threads, monkeypatch):
    X = np.random.default_rng(0).normal(size=(60_000, 5))
    found = parallel(DenseRows(X), 50, check_random_state(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert_array_equal(found, parallel(DenseRows(X), 50, check_random_state(0)))
