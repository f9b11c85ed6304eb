"""The tile kernels against the formulas that they compute."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skcourse.core.distances import inertia, nearest, pad, squared_distances

NONE = np.empty(0)


def problem(n, k, d, dtype, seed, offset=0.0):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, d)) + offset).astype(dtype)
    centers = X[rng.choice(n, k, replace=n < k)] + 0.1 * rng.normal(size=(k, d))
    return X, centers.astype(dtype)


def prepared(centers, origin):
    return pad(centers - origin.astype(np.float64), origin)


def brute_force(X, centers):
    return ((X[:, None].astype(float) - centers[None].astype(float)) ** 2).sum(axis=2)


def rounding(X, centers, origin):
    """How far a computed score can be from the true one: d products of |x| |c|."""
    size = np.abs(X - origin).max() + np.abs(centers - origin).max()
    return 4 * (X.shape[1] + 8) ** 2 * size**2 * np.finfo(X.dtype).eps


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=40, deadline=None)
@given(
    n=st.sampled_from([1, 2, 17, 127, 128, 129, 300]),
    k=st.integers(1, 12),
    d=st.integers(1, 21),
    seed=st.integers(0, 10**6),
)
def test_nearest_is_the_argmin(dtype, n, k, d, seed):
    X, centers = problem(n, k, d, dtype, seed)
    origin = X.mean(axis=0)
    labels = np.full(n, -1, np.int32)
    nearest(X, prepared(centers, origin), labels)
    squares = brute_force(X, centers)
    excess = squares[np.arange(n), labels] - squares.min(axis=1)
    assert np.all(excess <= rounding(X, centers, origin))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_equals_the_lowest_index_wins(dtype):
    X, centers = problem(200, 5, 3, dtype, 0)
    twice = np.vstack([centers, centers])
    origin = X.mean(axis=0)
    once_labels, labels = np.empty(200, np.int32), np.empty(200, np.int32)
    nearest(X, prepared(centers, origin), once_labels)
    nearest(X, prepared(twice, origin), labels)
    np.testing.assert_array_equal(labels, once_labels)


@pytest.mark.parametrize("d", [3, 32, 130])
def test_a_row_gets_its_label_wherever_it_stands(d):
    X, centers = problem(700, 20, d, np.float32, 1)
    origin = X.mean(axis=0)
    ready = prepared(centers, origin)
    labels = np.empty(700, np.int32)
    nearest(X, ready, labels)
    for start, stop in [(0, 1), (5, 6), (3, 200), (699, 700), (100, 229)]:
        some = np.empty(stop - start, np.int32)
        nearest(X[start:stop], ready, some)
        np.testing.assert_array_equal(some, labels[start:stop])


def test_an_offset_that_dwarfs_the_distances_does_not_cancel():
    X, centers = problem(500, 8, 4, np.float64, 2, offset=1e8)
    labels = np.empty(500, np.int32)
    nearest(X, prepared(centers, X.mean(axis=0)), labels)
    np.testing.assert_array_equal(labels, brute_force(X, centers).argmin(axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k", "d"), [(1, 1, 1), (130, 6, 5), (300, 9, 33)])
def test_squared_distances(dtype, n, k, d):
    X, centers = problem(n, k, d, dtype, 3)
    out = np.empty((n, k), dtype)
    squared_distances(X, prepared(centers, np.zeros(d, dtype)), k, out)
    # each of d terms, and their sum, is rounded d times at most
    np.testing.assert_allclose(out, brute_force(X, centers), rtol=4 * d * np.finfo(dtype).eps)


def test_the_distance_of_a_centre_to_itself_is_zero():
    X, _ = problem(40, 1, 7, np.float32, 4, offset=1e3)
    out = np.empty((40, 40), np.float32)
    squared_distances(X, prepared(X, X.mean(axis=0)), 40, out)
    np.testing.assert_array_equal(np.diag(out), 0)


@pytest.mark.parametrize("weighted", [False, True])
def test_inertia(weighted):
    X, centers = problem(300, 6, 5, np.float32, 5)
    weights = np.random.default_rng(0).random(300).astype(np.float32) if weighted else NONE
    labels = np.arange(300, dtype=np.int32) % 6
    squares = brute_force(X, centers)[np.arange(300), labels]
    expected = squares @ weights if weighted else squares.sum()
    assert inertia(X, centers, labels, weights) == pytest.approx(expected, rel=1e-13)
