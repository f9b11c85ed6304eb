"""Means and scatters: the definition, any chunks, any threads, any offset."""

import functools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skcourse.core import chunks
from skcourse.core.moments import merge, moments

EPS = np.finfo(np.float64).eps


def by_definition(X, Y=None, weights=None):
    """Return W, m and S in extended precision."""
    Z = np.asarray(X if Y is None else np.hstack([X, Y]), dtype=np.longdouble)
    w = np.ones(len(Z), np.longdouble) if weights is None else weights.astype(np.longdouble)
    mean = w @ Z / w.sum()
    return w.sum(), mean, (Z - mean).T @ (w[:, None] * (Z - mean))


def assert_close(found, expected, n):
    """Compare within the rounding of n additions of terms of one sign: n eps of their sum."""
    weight, mean, scatter = expected
    spread = np.sqrt(np.diag(scatter).astype(float))
    p = len(found.scatter)
    bound = np.outer(spread[:p], spread) * 4 * n * EPS
    assert found.weight == pytest.approx(float(weight), rel=n * EPS)
    assert np.all(abs(found.mean - mean) <= 2 * EPS * abs(mean) + n * EPS * spread)
    assert np.all(abs(found.scatter - scatter[:p]) <= bound + np.finfo(float).tiny)


@given(
    n=st.integers(1, 400),
    p=st.integers(1, 6),
    t=st.sampled_from([0, 1, 2, 20]),
    offset=st.sampled_from([0.0, 1.0, -1e4, 1e8]),
    weighted=st.booleans(),
    single=st.booleans(),
    seed=st.integers(0, 99),
)
@example(n=43, p=1, t=0, offset=1e8, weighted=False, single=True, seed=0)  # a lone float32 column
def test_definition(n, p, t, offset, weighted, single, seed):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, p)) + offset).astype(np.float32 if single else np.float64)
    Y = rng.normal(size=(n, t)) if t else None
    weights = rng.integers(0, 3, n).astype(float) if weighted else None
    if weighted:
        weights[0] = 1.0
    assert_close(moments(X, Y, weights), by_definition(X, Y, weights), n)


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_many_chunks_and_threads_to_the_bit(monkeypatch, offset):
    monkeypatch.setattr(chunks, "available_cores", functools.cache(lambda: 8))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(60_000, 20)) + offset, rng.random(60_000)
    found = [moments(X, None, weights, n_jobs=n) for n in (1, 2, 3, 8)]
    assert len(chunks.chunk_slices(len(X), 160, min_rows=80)) > 4
    assert_close(found[0], by_definition(X, None, weights), len(X))
    for other in found[1:]:
        assert other.scatter.tobytes() == found[0].scatter.tobytes()
        assert other.mean.tobytes() == found[0].mean.tobytes()


def test_about_the_origin():
    X = np.random.default_rng(0).normal(size=(500, 4)) + 3
    found = moments(X, centre=False)
    np.testing.assert_array_equal(found.mean, 0)
    np.testing.assert_allclose(found.scatter, X.T @ X, rtol=500 * EPS)


def test_pieces_merge_to_the_whole():
    X = np.random.default_rng(0).normal(size=(1000, 5)) + 1e6
    a, b = moments(X[:300]), moments(X[300:])
    whole = merge(a, b)
    assert_close(whole, by_definition(X), 1000)
    assert whole.n_rows == 1000


def test_rows_of_weight_zero_are_absent():
    X = np.random.default_rng(0).normal(size=(40, 3))
    weights = np.r_[np.ones(30), np.zeros(10)]
    X[30:] = 1e6
    assert_close(moments(X, None, weights), by_definition(X[:30]), 40)
    nothing = moments(X, None, np.zeros(40))
    assert nothing.weight == 0
    assert_close(merge(nothing, moments(X[:30])), by_definition(X[:30]), 40)
    assert_close(merge(moments(X[:30]), moments(X, None, np.zeros(40))), by_definition(X[:30]), 40)


def test_nan_reaches_the_sums():
    X = np.zeros((100, 3))
    X[50, 1] = np.nan
    found = moments(X)
    assert np.isnan(found.mean[1])
    assert np.isfinite(found.mean[[0, 2]]).all()


def test_a_constant_column_has_no_scatter():
    rng = np.random.default_rng(0)
    X, weights = np.full((60_000, 1), 0.1), rng.uniform(size=60_000)
    # a mean is a sum of thousands, and off by more than its last digit; the scatter is not
    assert moments(X, None, weights).scatter[0, 0] <= weights.sum() * np.square(1e-16 * 0.1)


def test_many_targets_take_no_square_of_their_number():
    rng = np.random.default_rng(0)
    found = moments(rng.normal(size=(50, 3)), rng.normal(size=(50, 400)))
    assert found.scatter.shape == (3, 403)


@pytest.mark.parametrize("offset", [0.0, 1e8])
def test_diagonal_is_that_of_the_scatter(offset):
    rng = np.random.default_rng(0)
    X, weights = rng.normal(size=(9000, 7)) + offset, rng.integers(0, 3, 9000)
    whole, squares = moments(X, weights=weights), moments(X, weights=weights, diagonal=True)
    # each within n eps of the sum of its squares
    np.testing.assert_allclose(squares.scatter, np.diag(whole.scatter), rtol=9000 * EPS)
    np.testing.assert_allclose(squares.mean, whole.mean, rtol=4 * EPS, atol=9000 * EPS)
