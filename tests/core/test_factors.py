import numpy as np
import pytest

from skcourse.core import chunks, factors
from skcourse.core.moments import moments

EPS = np.finfo(np.float64).eps


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def singular(A):
    return np.linalg.svd(A, compute_uv=False)


@pytest.mark.parametrize("n", [1, 3, 4, 5, 50, 40_000])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("centre", [False, True])
def test_the_factor_is_that_of_the_scatter(n, weighted, centre, rng):
    X, Y = rng.normal(size=(n, 4)) + 5, rng.normal(size=(n, 2))
    weights = rng.integers(0, 3, n).astype(float) if weighted else None
    found = factors.factor(X, Y, weights, centre=centre)
    m = moments(X, Y, weights, centre=centre)
    assert found.R.shape == (min(n, 4), 6)
    assert not np.tril(found.R, -1).any()
    assert (found.weight, found.n_rows) == (m.weight, n)
    size = np.abs(m.scatter).max() + EPS
    # both sum n products, each known to u
    np.testing.assert_allclose((found.R.T @ found.R)[:4], m.scatter[:4], atol=n * EPS * size)
    np.testing.assert_allclose(found.mean, m.mean, rtol=n * EPS, atol=n * EPS)


def test_the_condition_is_not_squared(rng):
    n, s = 60_000, np.geomspace(1, 1e-12, 6)
    X = np.linalg.qr(rng.normal(size=(n, 6)))[0] * s @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    found = factors.factor(X, X[:, :1], centre=False)
    # backward stable: an error of at most (a polynomial of p) u s_1, Weyl; u 1e12 from a scatter
    np.testing.assert_allclose(singular(found.R[:, :6]), singular(X), atol=36 * EPS)


def test_far_from_the_origin_nothing_cancels(rng):
    n = 60_000
    X = rng.integers(-100, 100, size=(n, 3)) / 64  # still exact after the shift
    near = factors.factor(X, X[:, :1])
    far = factors.factor(X + 1e9, X[:, :1])
    s = singular(near.R[:, :3])
    # sums of n numbers, none of which is rounded to the last digit of 1e9
    np.testing.assert_allclose(singular(far.R[:, :3]), s, atol=n * EPS * s[0])


def test_constant_columns_leave_no_noise(rng):
    X = rng.normal(size=(60_000, 3))
    X[:, 1] = 0.1
    X[:, 2] = 1e9
    weights = rng.uniform(size=60_000)  # so that each chunk rounds its mean in its own way
    sides, _ = factors.factor(X, X[:, :1], weights).sides
    assert not sides[:, 1:].any()
    assert sides[:, 0].any()


@pytest.mark.parametrize("cuts", [[], [1], [2, 3], [10, 11, 30]])
def test_pieces_merge_to_the_whole(cuts, rng):
    X, Y = rng.normal(size=(40, 5)), rng.normal(size=(40, 1))
    weights = rng.uniform(0, 2, 40)
    weights[10] = 0
    whole = factors.factor(X, Y, weights)
    total = None
    for rows in np.split(np.arange(40), cuts):
        piece = factors.factor(X[rows], Y[rows], weights[rows])
        total = piece if total is None else factors.merge(total, piece)
    assert total.n_rows == 40
    assert total.weight == pytest.approx(whole.weight, rel=40 * EPS)
    size = np.sum(whole.R**2)
    np.testing.assert_allclose(total.R.T @ total.R, whole.R.T @ whole.R, atol=40 * EPS * size)


def test_same_bits_on_any_number_of_threads(rng, monkeypatch):
    X, Y = rng.normal(size=(100_000, 6)), rng.normal(size=(100_000, 1))
    found = []
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs, n=n_threads: n)
        found.append(factors.factor(X, Y).R.tobytes())
    assert len(set(found)) == 1
