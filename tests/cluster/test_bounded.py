"""Bounds on the sizes of clusters: the cheapest assignment, proved by prices, and k-means so."""

import re

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linear_sum_assignment
from sklearn.datasets import load_digits, make_blobs

from skcourse.cluster import KMeans, k_means
from skcourse.cluster.bounded_assignment import FEW, bounded_assignment

BLOBS, _ = make_blobs([300, 200, 60, 40], 5, cluster_std=3.0, random_state=0)


def assert_optimal(costs, lower, upper, labels, prices):
    """Check the two conditions by which prices prove that no assignment is cheaper."""
    n, k = costs.shape
    sizes = np.bincount(labels, minlength=k)
    assert lower <= sizes.min()
    assert sizes.max() <= upper
    priced = costs + prices
    # prices add up changes of costs, once per chain: n of them at most
    rounding = n * np.finfo(float).eps * np.abs(costs).max()
    assert_allclose(priced[np.arange(n), labels], priced.min(axis=1), rtol=0, atol=rounding)
    assert np.all((sizes == upper) | (prices <= rounding))
    assert np.all((sizes == lower) | (prices >= -rounding))


def least_cost(costs, lower, upper):
    """Solve the same with a column for each place in a cluster, of which `lower` must be taken."""
    n, k = costs.shape
    clusters = np.repeat(np.arange(k), upper)
    taken = np.tile(np.arange(upper) < lower, k)
    nobody = np.where(taken, 1e6, 0.0)  # more than all rows together cost
    square = np.vstack([costs[:, clusters], np.tile(nobody, (k * upper - n, 1))])
    chosen = linear_sum_assignment(square)
    return square[chosen].sum()


@st.composite
def assignments(draw):
    n, k = draw(st.integers(1, 30)), draw(st.integers(1, 7))
    lower, upper = draw(st.integers(0, n // k)), draw(st.integers(-(-n // k), n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    costs = rng.integers(0, 5, (n, k)).astype(float) if draw(st.booleans()) else rng.random((n, k))
    costs[:, 0] *= draw(st.sampled_from([0.1, 1.0, 5.0]))
    prices = rng.normal(size=k) if draw(st.booleans()) else None
    return costs, lower, upper, prices


@given(assignments())
def test_no_assignment_is_cheaper(problem):
    costs, lower, upper, prices = problem
    labels, prices = bounded_assignment(costs, lower, upper, prices)
    assert_optimal(costs, lower, upper, labels, prices)
    assert costs[np.arange(len(costs)), labels].sum() == pytest.approx(
        least_cost(costs, lower, upper), rel=1e-12
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_rows_begin_with_the_prices_of_a_part(dtype):
    rng = np.random.default_rng(0)
    costs = (rng.random((5 * FEW, 12)) * np.arange(1, 13)).astype(dtype)
    n = len(costs)
    labels, prices = bounded_assignment(costs, n // 15, n // 10)
    assert_optimal(costs.astype(float), n // 15, n // 10, labels, prices)
    again, same = bounded_assignment(costs, n // 15, n // 10, prices)
    assert_array_equal(again, labels)
    assert_allclose(same, prices, atol=n * np.finfo(float).eps)


def test_costs_beyond_the_range_of_numbers_are_refused():
    costs = np.ones((4, 2))
    costs[:, 1] = np.inf
    with pytest.raises(ValueError, match="overflow"):
        bounded_assignment(costs, 2, 2)


SIZES = [{"size_min": 120}, {"size_max": 170}, {"size_min": 150, "size_max": 150}]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_matrix, np.float32, "missing"])
def test_sizes_are_within_the_bounds_and_the_inertia_falls(sizes, kind):
    X = with_holes(BLOBS) if kind == "missing" else kind(BLOBS)
    model = KMeans(4, random_state=0, **sizes).fit(X)
    counts = np.bincount(model.labels_, minlength=4)
    assert counts.min() >= sizes.get("size_min", 0)
    assert counts.max() <= sizes.get("size_max", 600)
    inertia = np.append(model.history_["inertia"], model.inertia_)
    assert len(inertia) > 3
    rounding = 30 * np.finfo(X.dtype).eps  # of a distance, a sum of five squares
    assert np.all(np.diff(inertia) <= rounding * inertia[0])
    free = KMeans(4, random_state=0).fit(X)
    assert model.inertia_ > free.inertia_ * 1.01
    assert -model.score(X) < model.inertia_ * 0.999  # predict does not know of the bounds


def with_holes(X, share=0.2):
    """Return a copy of X that lacks values, but a column."""
    missing = np.random.default_rng(1).random(X.shape) < share
    missing[:, 0] = False
    return np.where(missing, np.nan, X)


@pytest.mark.parametrize("sizes", SIZES)
def test_labels_are_the_best_ones_for_the_centres(sizes):
    model = KMeans(4, random_state=1, **sizes).fit(BLOBS)
    costs = ((BLOBS[:, np.newaxis] - model.cluster_centers_) ** 2).sum(axis=2)
    low, high = sizes.get("size_min", 0), sizes.get("size_max", 600)
    assert model.inertia_ == pytest.approx(least_cost(costs, low, high), rel=1e-12)
    for j, center in enumerate(model.cluster_centers_):
        assert_allclose(center, BLOBS[model.labels_ == j].mean(axis=0), atol=1e-12)


def test_bounds_that_do_not_bind_change_nothing():
    X = load_digits().data
    model = KMeans(10, size_min=1, size_max=1000, random_state=0, tol=0).fit(X)
    free = KMeans(10, random_state=0, tol=0).fit(X)
    assert_array_equal(model.labels_, free.labels_)
    assert_allclose(model.cluster_centers_, free.cluster_centers_, atol=1e-12)
    assert_allclose(model.history_["inertia"], free.history_["inertia"], rtol=1e-12)


def test_sizes_count_rows_weights_count_in_the_inertia_and_a_weight_of_0_is_an_absence():
    weights = np.random.default_rng(0).integers(0, 4, 600)
    present = weights > 0
    init = BLOBS[present][[0, 200, 300, 400]]
    options = {"init": init, "size_max": 130, "tol": 0}
    model = KMeans(4, **options).fit(BLOBS, sample_weight=weights)
    assert np.bincount(model.labels_[present]).max() == 130
    without = KMeans(4, **options).fit(BLOBS[present], sample_weight=weights[present])
    assert_array_equal(model.labels_[present], without.labels_)
    assert model.inertia_ == pytest.approx(without.inertia_, rel=1e-12)
    absent = ~present
    assert_array_equal(model.labels_[absent], model.predict(BLOBS[absent]))
    costs = ((BLOBS[:, np.newaxis] - model.cluster_centers_) ** 2).sum(axis=2)
    costs = (costs * weights[:, np.newaxis])[present]
    assert model.inertia_ == pytest.approx(least_cost(costs, 0, 130), rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"size_min": 151}, "at least size_min=151 samples take 604 samples, but n_samples=600"),
        ({"size_max": 149}, "at most size_max=149 samples hold 596 samples, but n_samples=600"),
        ({"size_min": 100, "size_max": 99}, "size_min=100 should be <= size_max=99"),
        ({"size_max": 0}, "The 'size_max' parameter of KMeans"),
        ({"size_min": -1}, "The 'size_min' parameter of KMeans"),
        ({"size_min": 0.5}, "The 'size_min' parameter of KMeans"),
    ],
)
def test_bounds_that_cannot_be_kept(sizes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        KMeans(4, **sizes).fit(BLOBS)


def test_only_rows_of_weight_are_counted_where_bounds_cannot_be_kept():
    weights = np.arange(600) % 2
    with pytest.raises(ValueError, match="but n_samples=300 of positive weight"):
        KMeans(4, size_min=76).fit(BLOBS, sample_weight=weights)


def test_emptied_clusters_take_rows_from_afar_within_the_bounds():
    model = KMeans(4, init=np.zeros((4, 5)), size_max=200).fit(BLOBS)
    assert np.bincount(model.labels_).max() <= 200
    assert len(np.unique(model.labels_)) == 4


def test_threads_change_no_bit(n_threads, monkeypatch):
    X = np.random.default_rng(0).normal(size=(30_000, 6))
    options = {"size_min": 3500, "size_max": 4000, "random_state": 0, "max_iter": 5}
    model = KMeans(8, **options).fit(X)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = KMeans(8, **options).fit(X)
    assert_array_equal(model.labels_, alone.labels_)
    assert_array_equal(model.cluster_centers_, alone.cluster_centers_)
    assert model.inertia_ == alone.inertia_


def test_k_means_takes_bounds():
    _, labels, _ = k_means(BLOBS, 4, size_min=150, size_max=150, random_state=0)
    assert_array_equal(np.bincount(labels), 150)
