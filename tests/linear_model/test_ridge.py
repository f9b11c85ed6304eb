"""Ridge regression in closed form: what it is, what must not matter, and what is refused."""

import itertools
import tracemalloc

import numpy as np
import pytest
import sklearn.linear_model as reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from skcourse.core import chunks
from skcourse.linear_model import LinearRegression, Ridge, ridge_regression

EPS = np.finfo(float).eps


def draw(n=60, p=7, t=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + rng.normal(size=p)
    return X, X @ rng.normal(size=(p, t)) + rng.normal(size=(n, t)) + 3.0, rng.uniform(0.1, 3, n)


def closed_form(X, Y, alphas, weights=None, centre=True):
    """Solve with an unpenalised column of ones, each target by itself."""
    n, p = X.shape
    w = np.ones(n) if weights is None else weights
    A = np.column_stack([X, np.ones(n)]) if centre else X
    penalty = np.array([1.0] * p + [0.0] * centre)
    solutions = [
        np.linalg.solve(A.T @ (A * w[:, None]) + alpha * np.diag(penalty), A.T @ (w * y))
        for alpha, y in zip(np.broadcast_to(alphas, Y.shape[1]), Y.T, strict=True)
    ]
    B = np.array(solutions)
    return B[:, :p], B[:, p] if centre else 0.0


@pytest.mark.parametrize("shape", [(60, 7), (7, 7), (8, 30)])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("centre", [True, False])
@pytest.mark.parametrize("alphas", [0.7, [0.3, 5.0]])
@pytest.mark.parametrize("weighted", [True, False])
def test_closed_form(shape, container, centre, alphas, weighted):
    X, Y, w = draw(*shape)
    weights = w if weighted else None
    solver = "cholesky" if container is np.asarray or not centre else "sparse_cg"
    model = Ridge(alphas, fit_intercept=centre, solver=solver, tol=1e-14)
    model.fit(container(X), Y, weights)
    coef, intercept = closed_form(X, Y, alphas, weights, centre)
    # the condition number of the reference is below 1e4; conjugate gradients stop at 1e-14
    assert_allclose(model.coef_, coef, rtol=0, atol=1e4 * 1e-14 * np.abs(coef).max())
    assert_allclose(model.intercept_, intercept, rtol=0, atol=1e4 * 1e-14 * 10)


def test_penalty_is_rows_of_a_scaled_identity():
    X, Y, _ = draw()
    alpha = 2.5
    ridge = Ridge(alpha, fit_intercept=False).fit(X, Y)
    A = np.vstack([X, np.sqrt(alpha) * np.eye(7)])
    ols = LinearRegression(fit_intercept=False).fit(A, np.vstack([Y, np.zeros((7, 2))]))
    assert_allclose(ridge.coef_, ols.coef_, rtol=1e-12)


@given(st.integers(1, 30), st.integers(1, 12), st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_rows_twice_are_the_penalty_twice(n, p, alpha, seed):
    X, Y, _ = draw(n, p, seed=seed)
    once = Ridge(alpha).fit(X, Y)
    twice = Ridge(2 * alpha).fit(np.vstack([X, X]), np.vstack([Y, Y]))
    condition = np.linalg.norm(X, 2) ** 2 / alpha + 1  # the error of a solution from rounding
    atol = 100 * EPS * condition * np.abs(once.coef_).max() + 100 * EPS * np.abs(Y).max() / alpha
    assert_allclose(twice.coef_, once.coef_, rtol=0, atol=atol)


@pytest.mark.parametrize("shape", [(60, 7), (8, 30)])
def test_limits_of_alpha(shape):
    X, Y, _ = draw(*shape)
    small, large = Ridge(1e-14).fit(X, Y), Ridge(1e14).fit(X, Y)
    centred = X - X.mean(axis=0)
    expected = np.linalg.lstsq(centred, Y - Y.mean(axis=0))[0].T  # of least norm
    # the error of the reference, and of what a penalty of 1e-14 adds, over a spread of values < 1e3
    assert_allclose(small.coef_, expected, rtol=0, atol=1e-10)
    assert_allclose(Ridge(0).fit(X, Y).coef_, expected, rtol=0, atol=1e-10)
    assert np.abs(large.coef_).max() < 1e-10
    assert_allclose(large.intercept_, Y.mean(axis=0), rtol=1e-10)


def test_weights_are_repetitions_and_zero_is_absence():
    X, Y, _ = draw()
    counts = np.arange(60) % 4
    weighted = Ridge().fit(X, Y, counts)
    repeated = Ridge().fit(np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0))
    absent = Ridge().fit(X[counts > 0], Y[counts > 0], counts[counts > 0])
    for other in (repeated, absent):
        assert_allclose(weighted.coef_, other.coef_, rtol=1e-12)
        assert_allclose(weighted.intercept_, other.intercept_, rtol=1e-12)


@pytest.mark.parametrize("n", [9, 100, 5000])
@pytest.mark.parametrize("solver", ["auto", "svd"])
def test_pieces_are_one_go(n, solver):
    X, Y, w = draw(n, 5)
    edges = [0, 3, n // 2, n]
    model = Ridge([0.1, 2.0], solver=solver)
    for a, b in itertools.pairwise(edges):
        model.partial_fit(X[a:b], Y[a:b], w[a:b])
    whole = Ridge([0.1, 2.0], solver=solver).fit(X, Y, w)
    assert_allclose(model.coef_, whole.coef_, rtol=1e-11)
    assert_allclose(model.intercept_, whole.intercept_, rtol=1e-11)
    first = Ridge([0.1, 2.0], solver=solver).fit(X[: n // 2], Y[: n // 2], w[: n // 2])
    if n // 2 >= 5:
        first.partial_fit(sparse.csr_array(X[n // 2 :]), Y[n // 2 :], w[n // 2 :])
        assert_allclose(first.coef_, whole.coef_, rtol=1e-11)


@pytest.mark.parametrize("alpha", [1e-4, 3e-8])
def test_pieces_keep_what_is_small_next_to_the_rows_but_not_to_the_penalty(alpha):
    rng = np.random.default_rng(0)
    U, V = np.linalg.qr(rng.normal(size=(50, 3)))[0], np.linalg.qr(rng.normal(size=(3, 3)))[0]
    s = np.array([1, 1e-3, 1e-8])
    X, y = (U * s) @ V.T, U.sum(axis=1)
    model = Ridge(alpha, fit_intercept=False).fit(X[:30], y[:30]).partial_fit(X[30:], y[30:])
    expected = V @ (s / (s**2 + alpha))
    # the moments of the first rows know S to c u, the solution to c u / alpha
    bound = 10 * EPS / alpha * np.abs(expected).max()
    assert_allclose(model.coef_, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("shape", [(50, 3), (3, 50)])
def test_sparse_rows_without_a_certificate(shape):
    rng = np.random.default_rng(0)
    U = np.linalg.qr(rng.normal(size=(shape[0], 3)))[0]
    V = np.linalg.qr(rng.normal(size=(shape[1], 3)))[0]
    s, alpha = np.array([1, 1e-3, 1e-6]), 1e-10  # 1e-12 may be 0 next to 1, but for the penalty
    X, y = sparse.csr_array((U * s) @ V.T), U.sum(axis=1)
    model = Ridge(alpha, fit_intercept=False, solver="cholesky").fit(X, y)
    expected = V @ (s / (s**2 + alpha))
    # refined: what is left is the rounding of the entries of X, u |A| |v| / alpha
    bound = 10 * EPS / alpha * np.sqrt(3)
    assert model.solver_ == "svd"
    assert_allclose(model.coef_, expected, rtol=0, atol=bound)


def test_pieces_of_positive_ridge():
    X, Y, _ = draw()
    model = Ridge(positive=True).partial_fit(X[:20], Y[:20]).partial_fit(X[20:], Y[20:])
    assert_allclose(model.coef_, Ridge(positive=True).fit(X, Y).coef_, atol=1e-12)


@pytest.mark.parametrize("n", [3, 200, 40_000])
@pytest.mark.parametrize("parameters", [{}, {"solver": "svd"}, {"positive": True}])
def test_same_bits_on_any_threads(n, parameters, monkeypatch):
    X, Y, w = draw(n, 20)
    bits = []
    for n_threads in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n_threads: n)
        model = Ridge(**parameters).fit(X, Y, w)
        bits.append((model.coef_.tobytes(), model.intercept_.tobytes()))
    assert len(set(bits)) == 1


def hard(n, p, condition, seed=0):
    """Return U, s, V of a centred X, with singular values s from 1 to 1 / condition."""
    rng = np.random.default_rng(seed)
    r = min(n - 1, p)
    U = np.linalg.qr(np.column_stack([np.ones(n), rng.normal(size=(n, r))]))[0][:, 1:]
    V = np.linalg.qr(rng.normal(size=(p, U.shape[1])))[0]
    s = np.logspace(0, -np.log10(condition), U.shape[1])
    return U, s, V


@pytest.mark.parametrize("shape", [(200, 10), (10, 200)])
@pytest.mark.parametrize("condition", [1e2, 1e5, 1e8, 1e12])
@pytest.mark.parametrize("alpha", [0.0, 1e-20, 1e-10, 1e-2])
def test_ill_conditioned(shape, condition, alpha):
    U, s, V = hard(*shape, condition)
    rng = np.random.default_rng(1)
    c = rng.normal(size=len(s)) * s  # so that b is of the size of 1
    X, y = (U * s) @ V.T, U @ c
    expected = V @ (s / (s**2 + alpha) * c)
    model = Ridge(alpha).fit(X, y)
    # What the rounding of X itself does to b, were all else exact: the condition of [X; root alpha]
    effective = np.sqrt((1 + alpha) / (s[-1] ** 2 + alpha))
    atol = 200 * np.sqrt(shape[0] + shape[1]) * EPS * effective * np.linalg.norm(expected)
    assert_allclose(model.coef_, expected, rtol=0, atol=atol)


@pytest.mark.parametrize("shape", [(200, 10), (10, 200)])
def test_refinement_undoes_the_squaring(shape):
    U, s, V = hard(*shape, 2e3)
    c = np.random.default_rng(1).normal(size=len(s)) * s
    model = Ridge(0).fit((U * s) @ V.T, U @ c)
    assert model.solver_ == "cholesky"
    expected = V @ (c / s)
    # eps times the condition, where the normal equations alone leave eps times its square, 1e-9
    atol = 10 * EPS * 2e3 * np.abs(expected).max()
    assert_allclose(model.coef_, expected, rtol=0, atol=atol)


def test_unscaled_columns_need_no_fallback():
    X, Y, _ = draw()
    scale = np.logspace(-6, 6, 7)
    model = Ridge(1e-15).fit(X * scale, Y)
    assert model.solver_ == "cholesky"
    assert_allclose(model.coef_ * scale, Ridge(1e-15).fit(X, Y).coef_, rtol=1e-3)


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
def test_rank_deficient_is_of_least_norm(shape):
    X, Y, _ = draw(*shape)
    X[:, 3] = X[:, 1] + X[:, 2]
    X[:, 4] = 5.0
    model = Ridge(0).fit(X, Y)
    expected = np.linalg.lstsq(X - X.mean(axis=0), Y - Y.mean(axis=0), rcond=1e-10)[0].T
    assert_allclose(model.coef_, expected, atol=1e-9)
    assert_allclose(model.coef_[:, 4], 0, atol=1e-12)


@pytest.mark.parametrize("shape", [(40, 6), (6, 40)])
@pytest.mark.parametrize("seed", range(5))
def test_rank_deficient_sparse(shape, seed):
    X, Y, _ = draw(*shape, seed=seed)
    X[:, 3], X[5] = X[:, 1] + X[:, 2], X[4]
    model = Ridge(0, fit_intercept=False, solver="cholesky").fit(sparse.csr_array(X), Y)
    assert model.solver_ == "svd"
    # by the eigenvalues of X'X or X X', whose error is the square of the condition number, 1e3
    expected = np.linalg.lstsq(X, Y, rcond=1e-10)[0].T
    assert_allclose(model.coef_, expected, atol=1e-9)


def test_huge_offset():
    X, Y, _ = draw(500, 5)
    X = np.round(X * 2**20) / 2**20  # exact still with 2^27 added
    plain = Ridge().fit(X, Y)
    moved = Ridge().fit(X + 2.0**27, Y - 2.0**27)
    # what is stored is exact, but for the mean of Y, which is rounded to 2^27 eps
    assert_allclose(moved.coef_, plain.coef_, atol=1e-7)


@pytest.mark.parametrize("solver", ["auto", "svd", "lsqr", "sparse_cg", "sag", "saga"])
@pytest.mark.parametrize("shape", [(60, 7), (8, 30)])
def test_float32_is_kept_and_as_good(solver, shape):
    X, Y, w = draw(*shape)
    X, Y = X.astype(np.float32), Y.astype(np.float32)
    parameters = {"solver": solver, "tol": 1e-12, "max_iter": 20_000, "random_state": 0}
    model = Ridge(**parameters).fit(X, Y, w)
    double = Ridge(**parameters).fit(X.astype(float), Y.astype(float), w)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    assert model.predict(X).dtype == np.float32
    rounding = 4 * np.finfo(np.float32).eps  # inside, all is float64
    assert_allclose(model.coef_, double.coef_, rtol=rounding, atol=rounding)


def test_shapes():
    X, Y, _ = draw()
    vector, column, matrix = (Ridge().fit(X, y) for y in (Y[:, 0], Y[:, :1], Y))
    assert vector.coef_.shape == (7,) and np.shape(vector.intercept_) == ()
    assert column.coef_.shape == (7,) and column.intercept_.shape == (1,)
    assert matrix.coef_.shape == (2, 7) and matrix.intercept_.shape == (2,)
    assert Ridge(fit_intercept=False).fit(X, Y).intercept_ == 0.0


def test_a_large_matrix_is_not_copied(tmp_path):
    X = np.memmap(tmp_path / "X", np.float64, "w+", shape=(200_000, 20))
    X[:] = np.random.default_rng(0).normal(size=X.shape)
    y = np.asarray(X[:, 0])
    Ridge().fit(X[:1000], y[:1000])
    tracemalloc.start()
    Ridge().fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 2  # chunks, and y in float64


def test_an_overflowing_gram_matrix_takes_the_other_route():
    X, Y, _ = draw()
    model = Ridge(0).fit(X * 1e200, Y)
    assert model.solver_ == "svd"
    assert_allclose(model.coef_ * 1e200, Ridge(0).fit(X, Y).coef_, rtol=1e-11)


def test_sums_that_overflow_are_an_error():
    X, Y, _ = draw()
    model = Ridge()
    with pytest.raises(ValueError, match="too large to be added up"):
        model.fit(X * 1e307, Y * 1e307)
    assert not hasattr(model, "coef_")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"alpha": -1.0}, "alpha"),
        ({"alpha": [1.0, 2.0, 3.0]}, "do not correspond: 3 != 2"),
        ({"alpha": [1.0, -2.0]}, "alpha must be in the range"),
        ({"solver": "lbfgs"}, "only when positive=True"),
        ({"solver": "svd", "positive": True}, "does not support positive fitting"),
        ({"solver": "qr"}, "solver"),
        ({"tol": -1.0}, "tol"),
        ({"max_iter": 0}, "max_iter"),
    ],
)
def test_bad_parameters(parameters, message):
    X, Y, _ = draw()
    model = Ridge().fit(X, Y)
    before = dict(vars(model))
    model.set_params(**parameters)
    with pytest.raises(ValueError, match=message):
        model.fit(X[:, :3], Y)
    after = {k: v for k, v in vars(model).items() if k not in parameters}
    assert {k: v for k, v in before.items() if k not in parameters} == after


@pytest.mark.parametrize("solver", ["auto", "svd", "lsqr", "sparse_cg", "sag"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("centre", [True, False])
def test_not_finite(solver, value, centre):
    X, Y, _ = draw()
    X[3, 2] = value
    model = Ridge(solver=solver, fit_intercept=centre)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.fit(X, Y)
    with pytest.raises(ValueError, match=r"NaN|infinity"):
        model.partial_fit(X, Y)
    assert not hasattr(model, "coef_")


def test_sparse_and_solvers_that_do_not_take_it():
    X, Y, _ = draw()
    for solver in ("svd", "cholesky", "saga"):
        with pytest.raises(ValueError, match="does not support fitting the intercept on sparse"):
            Ridge(solver=solver).fit(sparse.csr_array(X), Y)
    with pytest.raises(TypeError, match="sparse"):
        Ridge(solver="svd", fit_intercept=False).fit(sparse.csr_array(X), Y)


def test_pieces_that_cannot_be_joined():
    X, Y, _ = draw()
    with pytest.raises(ValueError, match="kept no statistics"):
        Ridge(solver="lsqr").fit(X, Y).partial_fit(X, Y)
    with pytest.raises(ValueError, match="y has 1 targets, but 2 were expected"):
        Ridge().partial_fit(X, Y).partial_fit(X, Y[:, :1])
    with pytest.raises(ValueError, match="features"):
        Ridge().partial_fit(X, Y).partial_fit(X[:, :3], Y)


def test_the_function_gives_what_the_class_finds():
    X, Y, w = draw()
    model = Ridge([0.5, 2.0], fit_intercept=False, solver="lsqr", tol=1e-10).fit(X, Y, w)
    coef, n_iter = ridge_regression(
        X, Y, [0.5, 2.0], sample_weight=w, solver="lsqr", tol=1e-10, return_n_iter=True
    )
    assert_array_equal(coef, model.coef_)
    assert_array_equal(n_iter, model.n_iter_)
    coef, intercept = ridge_regression(X, Y[:, 0], 1.0, return_intercept=True, tol=1e-12)
    exact = reference.Ridge().fit(X, Y[:, 0])
    assert_allclose(coef, exact.coef_, rtol=1e-8)
    assert_allclose(intercept, exact.intercept_, rtol=1e-8)
    operator = sparse.linalg.aslinearoperator(X)
    found = ridge_regression(operator, Y, 1.0, solver="lsqr", tol=1e-12, check_input=False)
    assert_allclose(found, ridge_regression(X, Y, 1.0), rtol=1e-8)
