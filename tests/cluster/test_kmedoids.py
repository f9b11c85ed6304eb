"""k-medoids: no exchange of a medoid lowers the inertia, whatever the dissimilarity."""

import itertools

import numba
import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances

from skcourse.cluster import KMedoids, dissimilarity
from skcourse.cluster.dissimilarity import Stored
from skcourse.cluster.fasterpam import (
    Near,
    build,
    gain,
    look_at_all,
    swap,
    total_dissimilarities,
)


def points(n=60, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def total(D, medoids, weights=None):
    """Return J of the medoids by its definition, D[o, j]."""
    return np.average(D[:, medoids].min(axis=1), weights=weights) * (
        len(D) if weights is None else np.sum(weights)
    )


def exchanges(D, medoids, weights=None):
    """Yield J of every set that differs from `medoids` in one."""
    for i, j in itertools.product(range(len(medoids)), range(len(D))):
        if j not in medoids and (weights is None or weights[j] > 0):
            other = medoids.copy()
            other[i] = j
            yield total(D, other, weights)


def near_of(D, medoids, weights):
    n, k = len(D), len(medoids)
    ints, numbers = np.zeros((2, n), np.int32), np.zeros((2, n))
    to_medoids = np.array(D.T[medoids])
    near = Near(medoids.copy(), to_medoids, *ints, *numbers, np.zeros(k), np.zeros(k))
    look_at_all(weights, near)
    return near


@pytest.mark.parametrize("k", [1, 2, 5])
def test_the_gain_of_a_swap_is_the_difference_of_two_inertias(k):
    rng = np.random.default_rng(1)
    D, weights = pairwise_distances(points()), rng.random(60)
    medoids = rng.choice(60, k, replace=False)
    near = near_of(D, medoids, weights)
    for j in np.setdiff1d(range(60), medoids)[:20]:
        changes = []
        for i in range(k):
            other = medoids.copy()
            other[i] = j
            changes.append(total(D, other, weights) - total(D, medoids, weights))
        change, best = gain(D[j], weights, near)
        assert_allclose(change, min(changes), rtol=1e-10)  # sums of 60 terms of about 1
        assert best == np.argmin(changes)


def test_a_swap_leaves_what_a_fresh_look_finds():
    rng = np.random.default_rng(2)
    D, weights = pairwise_distances(points()), np.ones(60)
    D = np.maximum(D, D.T)  # to the bit
    near = near_of(D, rng.choice(60, 4, replace=False), weights)
    for j in np.setdiff1d(rng.permutation(60), near.medoids)[:25]:
        if j in near.medoids:
            continue
        swap(D[j], near, rng.integers(4), j)
        fresh = near_of(D, near.medoids, weights)
        assert_array_equal(near.d1, fresh.d1)
        assert_array_equal(near.d2, fresh.d2)


@pytest.mark.parametrize("init", ["k-medoids++", "build", "random"])
@pytest.mark.parametrize("metric", ["euclidean", "l2", "sqeuclidean", "manhattan", "cosine"])
def test_no_exchange_lowers_the_inertia(init, metric):
    X = points()
    model = KMedoids(4, init=init, metric=metric, random_state=0).fit(X)
    D = pairwise_distances(X, metric=metric)
    assert_allclose(model.inertia_, total(D, model.medoid_indices_), rtol=1e-7)  # expanded squares
    least = min(exchanges(D, model.medoid_indices_))
    assert least >= model.inertia_ * (1 - 1e-7)
    assert_array_equal(model.labels_, np.argmin(D[:, model.medoid_indices_], axis=1))
    assert_array_equal(model.cluster_centers_, X[model.medoid_indices_])


def test_build_lowers_the_inertia_most_at_each_step():
    D, weights = pairwise_distances(points(40)), np.random.default_rng(0).random(40)
    stored = Stored(D)
    chosen = build(stored, weights, total_dissimilarities(stored, weights), 5)
    for i in range(1, 6):
        trials = [
            total(D, [*chosen[: i - 1], j], weights) for j in range(40) if j not in chosen[: i - 1]
        ]
        assert_allclose(total(D, chosen[:i], weights), min(trials), rtol=1e-12)


def test_an_asymmetric_matrix_is_read_from_sample_to_medoid():
    D = np.random.default_rng(0).random((40, 40))
    np.fill_diagonal(D, 0)
    model = KMedoids(3, metric="precomputed", init="build").fit(D)
    assert_allclose(model.inertia_, total(D, model.medoid_indices_))
    assert min(exchanges(D, model.medoid_indices_)) >= model.inertia_
    assert model.cluster_centers_ is None
    assert_array_equal(model.predict(D), model.labels_)
    assert_allclose(model.transform(D[:5]), D[:5][:, model.medoid_indices_])
    assert_allclose(model.score(D), -model.inertia_)


@numba.njit
def weighted_cityblock(a, b, unit):
    s = 0.0
    for f in range(len(a)):
        s += abs(a[f] - b[f]) / unit
    return s


def test_a_compiled_metric_a_python_function_and_a_name_are_one():
    X = points()
    byname = KMedoids(3, metric="manhattan", init="build").fit(X)
    for metric, params in (
        (weighted_cityblock, {"unit": 2.0}),
        (lambda a, b, unit: np.abs(a - b).sum() / unit, {"unit": 2.0}),
    ):
        model = KMedoids(3, metric=metric, metric_params=params, init="build").fit(X)
        assert_array_equal(model.medoid_indices_, byname.medoid_indices_)
        assert_allclose(model.inertia_, byname.inertia_ / 2, rtol=1e-12)
        assert_allclose(model.transform(X[:4]), byname.transform(X[:4]) / 2, rtol=1e-12)


def lopsided(a, b):
    return 3 * max(a[0] - b[0], 0.0) + max(b[0] - a[0], 0.0)


def test_a_python_function_need_not_be_symmetric():
    X = points()
    D = np.array([[lopsided(a, b) for b in X] for a in X])
    matrix = KMedoids(3, metric="precomputed").fit(D)
    for metric in (lopsided, numba.njit(lopsided)):
        model = KMedoids(3, metric=metric).fit(X)
        assert_array_equal(model.medoid_indices_, matrix.medoid_indices_)
        assert_allclose(model.inertia_, -model.score(X), rtol=1e-12)


@numba.njit
def power(a, b, scale, p=2.0):
    s = 0.0
    for f in range(len(a)):
        s += abs(scale * (a[f] - b[f])) ** p
    return s ** (1 / p)


def test_arguments_of_a_compiled_metric_go_by_their_names():
    X = points()
    reference = KMedoids(3, metric="manhattan").fit(X).inertia_
    model = KMedoids(3, metric=power, metric_params={"p": 1.0, "scale": 2.0}).fit(X)
    assert_allclose(model.inertia_, 2 * reference, rtol=1e-12)
    with pytest.raises(TypeError, match="'q'"):
        KMedoids(3, metric=power, metric_params={"q": 1.0, "scale": 2.0}).fit(X)
    with pytest.raises(TypeError, match="'scale'"):
        KMedoids(3, metric=power).fit(X)


def test_functions_that_are_no_dissimilarity():
    X = points()

    def alone(a):
        return a[0]

    def difference(a, b):
        return a - b

    for function, message in (
        (alone, "metric=alone .* two rows"),
        (difference, "returns a number"),
    ):
        with pytest.raises(TypeError, match=message):
            KMedoids(2, metric=numba.njit(function)).fit(X)


@numba.njit("float64(float64[::1], float64[::1])")
def of_one_signature(a, b):
    a[0] -= b[0]
    return abs(a[0])


def test_a_compiled_metric_gets_rows_of_its_own():
    X = points()
    X.flags.writeable = False
    before = X.copy()
    for rows in (X, np.asfortranarray(X)):
        model = KMedoids(1, metric=of_one_signature).fit(rows)
        assert_array_equal(model.predict(rows), model.labels_)
    assert_array_equal(X, before)


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_the_scale_of_the_fit_is_that_of_new_samples(metric):
    X = points() * [1.0, 10.0, 100.0]
    model = KMedoids(3, metric=metric).fit(X)
    assert_allclose(
        model.inertia_,
        total(pairwise_distances(X, metric=metric), model.medoid_indices_),
        rtol=1e-10,
    )
    assert_array_equal(model.predict(X), model.labels_)
    assert_allclose(model.transform(X)[:1], model.transform(X[:1]), rtol=1e-12)


@pytest.mark.parametrize("metric", ["seuclidean", "mahalanobis"])
def test_columns_without_variance_are_named(metric):
    X = np.insert(points(), 2, 7.0, axis=1)
    for rows in (X, np.ones((1, 3))):
        with pytest.raises(ValueError, match=r"only one value in column\(s\) (2|0, 1, 2)\."):
            KMedoids(1, metric=metric).fit(rows)
    scale = {"seuclidean": {"V": np.ones(4)}, "mahalanobis": {"VI": np.eye(4)}}[metric]
    given = KMedoids(3, metric=metric, metric_params=scale).fit(X)
    assert_allclose(given.inertia_, KMedoids(3).fit(X).inertia_, rtol=1e-10)


def test_missing_values_are_taken_where_the_metric_knows_them():
    X = points()
    X[::7, 1] = np.nan
    model = KMedoids(3, metric="nan_euclidean").fit(X)
    D = pairwise_distances(X, metric="nan_euclidean")
    assert_allclose(model.inertia_, total(D, model.medoid_indices_), rtol=1e-7)
    assert_array_equal(model.predict(X), model.labels_)
    X[0] = np.nan
    with pytest.raises(ValueError, match="contain NaN"):
        KMedoids(3, metric="nan_euclidean").fit(X)


def test_rounding_is_no_gain():
    rows = np.random.default_rng(0).normal(size=(20, 3))
    X = np.repeat(rows, 5, axis=0)
    model = KMedoids(20).fit(X)  # a ConvergenceWarning would be an error
    assert model.inertia_ == 0.0
    assert model.n_iter_ <= 2


def test_a_sum_that_overflows_is_refused():
    D = pairwise_distances(points())
    with pytest.raises(ValueError, match="overflow"):
        KMedoids(3, metric="precomputed").fit(D * (1e308 / D.max()))
    with pytest.raises(ValueError, match="overflow"):
        KMedoids(3).fit(points(), sample_weight=np.full(60, 1e308))


def test_sparse_rows_give_what_dense_ones_do():
    X = points() * (np.random.default_rng(0).random((60, 3)) < 0.6)
    dense = KMedoids(3, init="build", metric="manhattan").fit(X)
    sparse = KMedoids(3, init="build", metric="manhattan").fit(sp.csr_array(X))
    assert_array_equal(dense.medoid_indices_, sparse.medoid_indices_)
    assert_array_equal(sparse.predict(sp.csr_array(X)), dense.labels_)
    assert_array_equal(sparse.predict(X), dense.labels_)
    assert_array_equal(sparse.cluster_centers_, dense.cluster_centers_)
    with pytest.raises(TypeError, match=r"[Ss]parse data was passed"):
        KMedoids(3, metric=weighted_cityblock).fit(sp.csr_array(X))


def test_weights_repeat_rows_and_zero_is_never_a_medoid():
    X = points(30)
    counts = np.random.default_rng(0).integers(0, 3, 30)
    weighted = KMedoids(3, init="build").fit(X, sample_weight=counts)
    repeated = KMedoids(3, init="build").fit(np.repeat(X, counts, axis=0))
    assert_allclose(weighted.inertia_, repeated.inertia_, rtol=1e-12)
    assert_array_equal(weighted.cluster_centers_, repeated.cluster_centers_)
    assert (counts[weighted.medoid_indices_] > 0).all()
    for init in ("random", "k-medoids++"):
        start = KMedoids(3, init=init, random_state=1)
        found = start.fit(X, sample_weight=np.r_[np.ones(4), np.zeros(26)])
        assert set(found.medoid_indices_) <= set(range(4))


def test_the_first_medoids_given_by_index_are_kept_where_they_are_best():
    X = points()
    best = KMedoids(4, init="build").fit(X)
    again = KMedoids(4, init=best.medoid_indices_).fit(X)
    assert_array_equal(again.medoid_indices_, best.medoid_indices_)
    assert again.n_iter_ == 1


def test_more_runs_are_no_worse_and_another_seed_is_another_start():
    X, _ = make_blobs(200, 2, centers=12, random_state=3)
    one = [KMedoids(12, init="random", random_state=seed).fit(X).inertia_ for seed in range(8)]
    assert len(set(one)) > 1
    rng = np.random.RandomState(0)
    several = KMedoids(12, init="random", n_init=5, random_state=0).fit(X).inertia_
    singles = [KMedoids(12, init="random", random_state=rng).fit(X).inertia_ for _ in range(5)]
    assert several == min(singles)


def test_too_few_passes_warn():
    X = points(300, 2)
    with pytest.warns(ConvergenceWarning, match="did not converge in max_iter=1"):
        model = KMedoids(20, init="random", random_state=0, max_iter=1).fit(X)
    assert model.n_iter_ == 1


def test_fewer_distinct_rows_than_clusters_warn():
    with pytest.warns(ConvergenceWarning, match="distinct clusters \\(2\\)"):
        model = KMedoids(3).fit([[0.0], [0.0], [1.0], [1.0]])
    assert model.inertia_ == 0.0


def test_inertia_falls_from_pass_to_pass():
    history = KMedoids(10, init="random", random_state=0).fit(points(200)).history_["inertia"]
    assert (np.diff(history) <= 0).all()
    assert len(history) > 1


@pytest.mark.parametrize(
    ("params", "X", "message"),
    [
        ({"n_clusters": 5}, np.ones((3, 2)), "n_samples=3 should be >= n_clusters=5"),
        ({"metric": "precomputed", "n_clusters": 2}, np.ones((3, 2)), "requires a square matrix"),
        ({"metric": "precomputed"}, -np.ones((9, 9)), "[Nn]egative values"),
        ({"init": [0.0, 1.0], "n_clusters": 2}, np.ones((3, 2)), "2 indices of samples"),
        ({"init": [0, 0], "n_clusters": 2}, np.ones((3, 2)), "different indices"),
        ({"init": [0, 3], "n_clusters": 2}, np.ones((3, 2)), "different indices"),
        ({"n_clusters": 2}, [[0.0], [np.nan]], "NaN"),
        ({"n_clusters": 1, "metric": lambda a, b: -1.0}, np.ones((2, 1)), "negative"),
        ({"n_clusters": 1, "metric": "no such"}, np.ones((2, 1)), "no such"),
    ],
)
def test_bad_input_is_refused(params, X, message):
    with pytest.raises(ValueError, match=message):
        KMedoids(**params).fit(X)


def test_weights_are_checked():
    for weights, message in (
        ([1.0, -1.0, 1.0], "[Nn]egative"),
        ([0.0, 0.0, 0.0], "at least one non-zero"),
        ([1.0, 0.0, 0.0], "n_samples=1 should be >= n_clusters=2"),
    ):
        with pytest.raises(ValueError, match=message):
            KMedoids(2).fit([[0.0], [1.0], [2.0]], sample_weight=weights)


@pytest.mark.parametrize("metric", ["euclidean", weighted_cityblock, "cosine"])
def test_without_room_for_all_pairs_the_medoids_are_the_same(metric, monkeypatch):
    X = points(700, 4)
    params = {"unit": 1.0} if callable(metric) else None
    for init in ("build", "random", "k-medoids++"):
        model = KMedoids(9, metric=metric, metric_params=params, init=init, random_state=0)
        kept = model.fit(X).medoid_indices_
        with monkeypatch.context() as small:
            small.setattr(dissimilarity, "ROOM", 0)
            assert_array_equal(model.fit(X).medoid_indices_, kept)
