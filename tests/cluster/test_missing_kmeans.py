"""k-means where values are missing: distances and means of what was observed."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.metrics.pairwise import nan_euclidean_distances

from skcourse.cluster import KMeans, kmeans_plusplus
from skcourse.cluster.bounds import unknown
from skcourse.cluster.lloyd_variants import LloydVariant
from skcourse.cluster.missing_rows import MissingRows

BLOBS, TRUE = make_blobs(900, 6, centers=9, cluster_std=1.0, random_state=0)


def with_holes(X, share=0.3, seed=1):
    """Return a copy of X that lacks values, no row all of them."""
    missing = np.random.default_rng(seed).random(X.shape) < share
    missing[missing.all(axis=1), 0] = False
    return np.where(missing, np.nan, X).astype(X.dtype)


def seen_squares(X, centers):
    """Return the squares of all rows and centres, over what the rows have."""
    return np.nansum((X[:, np.newaxis].astype(float) - centers.astype(float)) ** 2, axis=2)


def plain_lloyd(X, centers, n_iter, weights=None):
    """Iterate as the formulas stand: partial distances, means of what is there."""
    weights = np.ones(len(X)) if weights is None else weights
    usual = np.average(np.nan_to_num(X), axis=0, weights=weights)
    usual /= np.average(~np.isnan(X), axis=0, weights=weights)
    for _ in range(n_iter):
        labels = np.argmin(seen_squares(X, centers), axis=1)
        centers = centers.copy()
        for j in range(len(centers)):
            here = labels == j
            there = weights[here, np.newaxis] * ~np.isnan(X[here])
            assert there.any()  # else there would be a centre to relocate
            sums, total = np.nansum(X[here] * there, axis=0), there.sum(axis=0)
            centers[j] = np.divide(sums, total, out=usual.copy(), where=total > 0)
    return centers, np.argmin(seen_squares(X, centers), axis=1)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_iter", [1, 2, 15])
def test_lloyd_as_the_formulas_stand(n_iter, weighted):
    X, init = with_holes(BLOBS), BLOBS[20:27]
    weights = np.random.default_rng(0).random(900) if weighted else None
    centers, labels = plain_lloyd(X, init, n_iter, weights)
    model = KMeans(7, init=init, max_iter=n_iter, tol=0).fit(X, sample_weight=weights)
    assert_allclose(model.cluster_centers_, centers, rtol=1e-11)
    assert_array_equal(model.labels_, labels)
    squares = seen_squares(X, centers).min(axis=1)
    expected = squares @ (np.ones(900) if weights is None else weights)
    assert model.inertia_ == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_inertia_falls_and_predict_gives_the_labels_of_the_fit(dtype):
    X = with_holes(load_digits().data.astype(dtype))
    model = KMeans(10, random_state=0, tol=0).fit(X)
    inertia = np.append(model.history_["inertia"], model.inertia_)
    assert len(inertia) > 5
    rounding = 64 * np.finfo(dtype).eps  # of a distance, a sum of 64 squares
    assert np.all(np.diff(inertia) <= rounding * inertia[0])
    assert_array_equal(model.predict(X), model.labels_)
    assert_array_equal([model.predict(X[[i]])[0] for i in range(30)], model.labels_[:30])
    assert model.score(X) == -model.inertia_
    assert model.cluster_centers_.dtype == dtype
    squares = seen_squares(X, model.cluster_centers_)
    chosen = squares[np.arange(len(X)), model.labels_]
    assert_allclose(chosen, squares.min(axis=1), rtol=1e3 * np.finfo(dtype).eps)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random"])
def test_clusters_are_found_though_values_are_missing(init):
    X = with_holes(BLOBS, 0.2)
    model = KMeans(9, init=init, n_init=5, random_state=0).fit(X)
    complete = KMeans(9, init=init, n_init=5, random_state=0).fit(BLOBS)
    assert adjusted_rand_score(model.labels_, complete.labels_) > 0.8  # by chance, 0


@pytest.mark.parametrize("kind", [np.asarray, np.asfortranarray, "frame"])
def test_nothing_missing_is_the_usual_fit(kind):
    """A single NaN, whose row has no weight, changes no centre; and none at all changes no bit."""
    X = np.vstack([BLOBS, BLOBS[:1]])
    X[-1, 2] = np.nan
    weights = np.append(np.ones(900), 0.0)
    complete = KMeans(9, init=BLOBS[:9]).fit(BLOBS)
    if kind == "frame":
        pandas = pytest.importorskip("pandas")
        X = pandas.DataFrame(X, columns=list("abcdef"))
    model = KMeans(9, init=BLOBS[:9]).fit(X if kind == "frame" else kind(X), None, weights)
    assert_allclose(model.cluster_centers_, complete.cluster_centers_, rtol=1e-12)
    assert_array_equal(model.labels_[:900], complete.labels_)


def test_transform_is_the_distance_of_scikit_learn():
    X = with_holes(BLOBS)
    model = KMeans(9, random_state=0).fit(X)
    expected = nan_euclidean_distances(X, model.cluster_centers_)
    assert_allclose(model.transform(X), expected, rtol=1e-9)
    assert_allclose(model.fit_transform(X), expected, rtol=1e-9)
    complete = KMeans(9, random_state=0).fit(BLOBS)
    assert_allclose(
        complete.transform(X)[:3], nan_euclidean_distances(X[:3], complete.cluster_centers_)
    )
    assert_array_equal(model.transform(X).argmin(axis=1), model.labels_)


def test_an_integer_weight_is_a_repetition_and_a_weight_of_0_an_absence():
    X, weights = with_holes(BLOBS), np.arange(900) % 4
    init = BLOBS[1:8]
    weighted = KMeans(7, init=init, tol=0).fit(X, sample_weight=weights)
    repeated = KMeans(7, init=init, tol=0).fit(np.repeat(X, weights, axis=0))
    assert_array_equal(np.repeat(weighted.labels_, weights), repeated.labels_)
    assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-11)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-11)


@pytest.mark.parametrize("offset", [1e6, -1e8])
def test_a_shift_of_the_data_does_not_matter(offset):
    X, init = with_holes(BLOBS), BLOBS[:9]
    model = KMeans(9, init=init).fit(X)
    shifted = KMeans(9, init=init + offset).fit(X + offset)
    assert_array_equal(shifted.labels_, model.labels_)
    atol = 8 * abs(offset) * np.finfo(float).eps  # the data themselves are rounded so
    assert_allclose(shifted.cluster_centers_ - offset, model.cluster_centers_, atol=atol)


def test_a_feature_that_a_cluster_lacks_is_the_mean_of_the_column():
    X = np.array([[0.0, 1.0], [0.2, 3.0], [9.0, np.nan], [9.2, np.nan]])
    model = KMeans(2, init=np.array([[0.0, 0.0], [9.0, 7.0]])).fit(X)
    assert_allclose(model.cluster_centers_, [[0.1, 2.0], [9.1, 2.0]])
    assert model.inertia_ == pytest.approx(2 * 0.02 + 2 - 0.0)


def test_emptied_clusters_take_rows_from_afar():
    X = with_holes(BLOBS)
    model = KMeans(5, init=np.zeros((5, 6))).fit(X)
    assert len(np.unique(model.labels_)) == 5
    inertia = model.history_["inertia"]
    assert np.all(np.diff(inertia) <= 1e-12 * inertia[0])


def test_seeds_have_every_feature():
    X = with_holes(BLOBS, 0.5)
    rows = MissingRows(X)
    mean, variance = rows.moments()
    assert_allclose(mean, np.nanmean(X, axis=0))
    assert_allclose(variance, np.nanvar(X, axis=0))
    assert_allclose(rows.take(np.array([3, 5])), np.where(np.isnan(X), mean, X)[[3, 5]])
    nearby = np.full((3, 900), np.inf)
    points = rows.take(np.array([7, 8]))
    potentials = rows.approach(points, nearby, 0)
    squares = seen_squares(X, points)
    assert_allclose(nearby[1:], squares.T)
    assert_allclose(potentials.sum(axis=0), squares.sum(axis=0))


def test_many_rows_are_seeded_without_sketches_of_them():
    X = with_holes(np.random.default_rng(0).normal(size=(20_000, 3)))
    model = KMeans(20, max_iter=1, random_state=0).fit(X)
    assert np.isfinite(model.cluster_centers_).all()
    assert np.isfinite(model.inertia_)


def test_a_callable_sees_what_is_missing():
    X = with_holes(BLOBS)

    def init(X, n_clusters, random_state):
        assert np.isnan(X).sum() == n_missing
        return BLOBS[:n_clusters] - mean

    mean, n_missing = np.nanmean(X, axis=0), np.isnan(X).sum()
    model = KMeans(9, init=init, n_init=1).fit(X)
    assert_array_equal(model.labels_, KMeans(9, init=BLOBS[:9]).fit(X).labels_)


def test_a_row_or_a_column_without_values_is_refused():
    X = with_holes(BLOBS)
    model = KMeans(3, random_state=0).fit(X)
    bad = X.copy()
    bad[[5, 800]] = np.nan
    words = "KMeans cannot place samples without any value: X has only NaN in row(s) 5"
    for method in (KMeans(3).fit, model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match=re.escape(words)):
            method(bad)
    bad = np.where(np.arange(6) == 0, BLOBS, X)
    bad[:, 2] = np.nan
    for weights in (None, np.ones(900)):
        with pytest.raises(ValueError, match=r"only NaN in column\(s\) 2\."):
            KMeans(3).fit(bad, sample_weight=weights)
    bad[7, 2] = 1.0
    with pytest.raises(ValueError, match=r"only NaN in column\(s\) 2\."):
        KMeans(3).fit(bad, sample_weight=np.arange(900) != 7)


def test_infinity_beside_missing_values_and_sparse_missing_values_are_refused():
    X = with_holes(BLOBS)
    model = KMeans(3, random_state=0).fit(X)
    bad = X.copy()
    bad[3, 1] = np.inf
    for method in (KMeans(3).fit, model.predict, model.transform, model.score):
        with pytest.raises(ValueError, match="Input X contains infinity"):
            method(bad)
        with pytest.raises(ValueError, match="Input X contains NaN"):
            method(sp.csr_matrix(X))
    with pytest.raises(ValueError, match="contains NaN"):
        KMeans(3, init=X[:3]).fit(X)
    with pytest.raises(ValueError, match="contains NaN"):
        kmeans_plusplus(X, 3)


def test_duplicates_only():
    X = np.tile([1.0, np.nan, 2.0], (6, 1))
    X[0, 1] = 4.0
    with pytest.warns(ConvergenceWarning, match="Number of distinct clusters"):
        model = KMeans(3, random_state=0).fit(X)
    assert model.inertia_ == 0


def test_a_memory_map_is_read_where_it_lies(tmp_path):
    X = with_holes(BLOBS)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model, expected = (KMeans(7, random_state=0).fit(data) for data in (mapped, X))
    assert_array_equal(model.cluster_centers_, expected.cluster_centers_)
    assert_array_equal(model.predict(mapped), expected.labels_)


def test_threads_change_no_bit(n_threads, monkeypatch):
    X = with_holes(np.random.default_rng(0).normal(size=(40_000, 8)))
    model = KMeans(12, random_state=0, max_iter=8).fit(X)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = KMeans(12, random_state=0, max_iter=8).fit(X)
    assert_array_equal(model.labels_, alone.labels_)
    assert_array_equal(model.cluster_centers_, alone.cluster_centers_)
    assert model.inertia_ == alone.inertia_
    assert model.score(X) == alone.score(X)


def test_bounds_skip_no_row_whose_computed_label_changes():
    """Far from the origin, float32 decides between near centres by rounding: so it does here."""
    rng = np.random.default_rng(0)
    far = 3000 * np.sign(rng.normal(size=(4000, 4)))
    X = with_holes((far + rng.normal(size=(4000, 4))).astype(np.float32))
    rows = MissingRows(X)
    mean, variance = rows.moments()
    origin = rows.origin_at(mean)
    seeds = rows.take(np.arange(40)) - mean
    run = LloydVariant(rows, origin, rows.squares(origin, mean, variance), seeds)
    for _ in range(12):
        run.assign()
        fresh = unknown(len(X), 0, rows.dtype)
        rows.assign(run.centers, run.motion, fresh)
        assert_array_equal(run.state.labels, fresh.labels)
        run.update()


@pytest.mark.parametrize(
    ("dtype", "units"),
    [(np.float64, [1e-100, 1e-8, 1e78, 1e140]), (np.float32, [1e-12, 1e-5, 1e10, 1e15])],
)
def test_the_unit_does_not_matter(dtype, units):
    X = np.random.default_rng(0).normal(size=(60, 4)) + 6 * np.repeat(np.eye(3, 4), 20, axis=0)
    X[np.random.default_rng(1).random(X.shape) < 0.2] = np.nan
    X[np.isnan(X).all(axis=1)] = 0
    model = KMeans(3, n_init=3, random_state=0).fit(X.astype(dtype))
    for unit in units:
        scaled = (X * unit).astype(dtype)
        other = KMeans(3, n_init=3, random_state=0).fit(scaled)
        assert_array_equal(other.labels_, model.labels_)
        assert_array_equal(other.predict(scaled), model.labels_)
        assert_allclose(other.inertia_ / unit / unit, model.inertia_, rtol=1e-5)
