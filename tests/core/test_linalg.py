import numpy as np
import pytest
from scipy.special import logsumexp

from skcourse.core import linalg

EPS = np.finfo(np.float64).eps


def matrix_of(singular, n, rng, lengths=1.0):
    """Return a matrix of n rows with these singular values, before its columns are stretched."""
    p = len(singular)
    U = np.linalg.qr(rng.normal(size=(n, p)))[0]
    V = np.linalg.qr(rng.normal(size=(p, p)))[0]
    return (U * singular) @ V * lengths


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("condition", [1.0, 1e2, 1e5])
def test_the_certificate_is_the_condition_of_the_scaled_scatter(condition, rng):
    X = matrix_of(np.geomspace(1, 1 / condition, 7), 50, rng, lengths=10.0 ** np.arange(-3, 4))
    scaled = X / np.linalg.norm(X, axis=0)
    exact = np.linalg.cond(scaled.T @ scaled, 1)
    found = linalg.cholesky(X.T @ X).condition
    # LAPACK's estimate is a lower bound, in practice within 3; S itself is known to 50 u
    assert exact / 3 < found * (1 + 50 * EPS * exact)
    assert found < exact * (1 + 50 * EPS * exact)


def test_a_stretch_of_columns_does_not_mind_the_certificate(rng):
    X = rng.normal(size=(50, 5))
    plain = linalg.cholesky(X.T @ X).condition
    X *= 2.0 ** np.array([0, 40, -40, 100, -100])
    # the stretch is exact, so only the estimate's rounding differs
    assert linalg.cholesky(X.T @ X).condition == pytest.approx(plain, rel=100 * EPS)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda X: np.c_[X, X[:, :1]],
        lambda X: np.c_[X, np.zeros(len(X))],
        lambda X: X * 1e-170,  # squares below the normal numbers
        lambda X: X * 1e170,
        lambda X: np.where(np.arange(5) == 3, np.nan, X),
    ],
)
def test_no_certificate_for_what_the_scatter_cannot_tell(spoil, rng):
    X = spoil(rng.normal(size=(50, 5)))
    with np.errstate(over="ignore", invalid="ignore"):
        factor = linalg.cholesky(X.T @ X)
    assert factor is None or factor.condition > 1e14


def test_solutions_and_singular_values_from_a_scatter_matrix(rng):
    X, Y = matrix_of(np.geomspace(1, 1e-2, 6), 40, rng), rng.normal(size=(40, 3))
    factor = linalg.cholesky(X.T @ X)
    k = np.linalg.cond(X) ** 2
    B = np.linalg.lstsq(X, Y)[0]
    assert np.abs(factor.solve(X.T @ Y) - B).max() <= 40 * EPS * k * np.abs(B).max()
    s = np.linalg.svd(X, compute_uv=False)
    np.testing.assert_allclose(factor.singular_values(), s, rtol=40 * EPS * k)
    projected = factor.project(X.T @ Y)
    np.testing.assert_allclose(factor.R.T @ projected, X.T @ Y, atol=40 * EPS * 40)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (7, 7), (30, 5), (5, 30)])
def test_triangle(shape, rng):
    A = rng.normal(size=shape)
    R = linalg.triangle(A.copy())
    assert R.shape == (min(shape), shape[1])
    assert not np.tril(R, -1).any()
    np.testing.assert_allclose(R.T @ R, A.T @ A, atol=sum(shape) * EPS * np.sum(A**2))


@pytest.mark.parametrize("n, p, rank", [(30, 6, 6), (30, 6, 4), (6, 30, 6), (6, 30, 3), (5, 5, 0)])
def test_minimum_norm(n, p, rank, rng):
    A = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, p))
    B = rng.normal(size=(n, 2))
    expected = np.linalg.pinv(A, rcond=1e-10) @ B
    primal = linalg.minimum_norm(A, B, 1e-10)
    dual = linalg.dual(linalg.triangle(A.T.copy()), 1e-10)
    dual_coef = (A / dual.unit).T @ dual.solve(B) / dual.unit
    s = np.linalg.svd(A, compute_uv=False)
    k = s[0] / s[rank - 1] if rank else 1.0
    # two backward stable solutions of a problem with a residual: Golub and Van Loan, (5.3.8)
    allowed = 10 * (n + p) * EPS * k**2 * (np.abs(expected).max() + 1)
    for solution, coef in [(primal, primal.coef), (dual, dual_coef)]:
        assert solution.rank == rank
        np.testing.assert_allclose(solution.singular, s, atol=(n + p) * EPS * s[0])
        np.testing.assert_allclose(coef, expected, atol=allowed)


def test_the_cut_is_at_tol_times_the_largest(rng):
    A, B = matrix_of([1.0, 1e-3, 1e-6], 20, rng), rng.normal(size=(20, 1))
    for tol, rank in [(1e-7, 3), (1e-5, 2), (1e-2, 1), (-1.0, 3)]:
        assert linalg.minimum_norm(A, B, tol).rank == rank


@pytest.mark.parametrize(
    "z",
    [
        [0.0],
        [1.0, 2.0, 3.0],
        [1e4, 1e4],
        [-1e4, -2e4],
        [-np.inf, 0.0],
        [-np.inf, -np.inf],
        [np.inf, 1.0],
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_sum_exp(z, dtype):
    z = np.array(z, dtype)
    expected = logsumexp(z.astype(np.float64))
    assert linalg.log_sum_exp(z) == pytest.approx(expected, rel=4 * EPS, abs=4 * EPS)


@pytest.mark.parametrize("z", [[np.nan, 1.0], [1.0, np.nan], [np.inf, np.nan], [np.nan, np.inf]])
def test_log_sum_exp_keeps_nan(z):
    assert np.isnan(linalg.log_sum_exp(np.array(z)))
