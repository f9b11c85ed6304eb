from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression as Reference

from skcourse.core.dense_chunks import DenseChunks
from skcourse.linear_model import LinearRegression, ols
from skcourse.linear_model.sparse_rows import worth_densifying

EPS = np.finfo(np.float64).eps
FORMATS = [sparse.csr_array, sparse.csc_array, sparse.coo_array, sparse.csr_matrix]


@pytest.fixture(params=["densified", "LSQR"])
def route(request, monkeypatch):
    monkeypatch.setattr(ols, "worth_densifying", lambda X: request.param == "densified")
    return request.param


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = np.where(rng.uniform(size=(400, 12)) < 0.3, rng.normal(size=(400, 12)) + 2, 0)
    Y = X @ rng.normal(size=(12, 2)) + rng.normal(size=(400, 2)) + 5
    return X, Y, rng.integers(0, 3, 400).astype(float)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("flat", [False, True])
def test_sparse_is_dense(route, form, weighted, fit_intercept, flat, data):
    X, Y, weights = data
    Y, weights = Y[:, 0] if flat else Y, weights if weighted else None
    expected = LinearRegression(fit_intercept=fit_intercept).fit(X, Y, weights)
    tol = 1e-13  # of LSQR: relative to |X| and |y|, so times the condition for the coefficients
    model = LinearRegression(fit_intercept=fit_intercept, tol=tol).fit(form(X), Y, weights)
    bound = 412 * tol * (1 + np.abs(expected.coef_).max()) * np.linalg.cond(X - X.mean(axis=0)) ** 2
    if route == "densified":
        bound *= EPS / tol
    np.testing.assert_allclose(model.coef_, expected.coef_, rtol=0, atol=bound)
    np.testing.assert_allclose(model.intercept_, expected.intercept_, rtol=0, atol=12 * bound)
    assert model.coef_.shape == expected.coef_.shape
    assert not hasattr(model, "rank_")
    assert not hasattr(model, "singular_")


def test_lsqr_is_scikit_learns(monkeypatch, data):
    X, Y, weights = data
    monkeypatch.setattr(ols, "worth_densifying", lambda X: False)
    model = LinearRegression(tol=1e-3).fit(sparse.csr_array(X), Y, weights)
    theirs = Reference(tol=1e-3).fit(sparse.csr_array(X), Y, weights)
    # some ten iterations of the same method; far less than its tolerance apart
    np.testing.assert_allclose(model.coef_, theirs.coef_, rtol=1e-9)


def test_the_least_norm_where_columns_repeat(route, data):
    X, Y, _ = data
    twice = sparse.csr_array(np.hstack([X, X]))
    model = LinearRegression(tol=1e-10).fit(twice, Y)
    # LSQR: the tolerance times the condition, squared for the residual, some hundreds
    np.testing.assert_allclose(model.coef_[:, :12], model.coef_[:, 12:], atol=1e-7)
    np.testing.assert_allclose(
        2 * model.coef_[:, :12], LinearRegression().fit(X, Y).coef_, atol=1e-7
    )


def test_wide(data):
    X, Y, _ = data
    expected = LinearRegression().fit(X[:9], Y[:9])
    model = LinearRegression().fit(sparse.csr_array(X[:9]), Y[:9])
    np.testing.assert_allclose(model.coef_, expected.coef_, atol=1000 * EPS)


def test_float32_stays(route, data):
    X, Y, _ = data
    model = LinearRegression().fit(sparse.csr_array(X.astype(np.float32)), Y)
    assert model.coef_.dtype == np.float32


def test_the_shorter_route_is_taken():
    def worth(n, p, density):
        return worth_densifying(SimpleNamespace(shape=(n, p), nnz=n * p * density))

    assert worth(1000, 50, 0.01)
    assert worth(100_000, 500, 0.05)
    assert worth(50, 100_000, 0.001)
    assert not worth(20_000, 2000, 1e-4)
    assert not worth(3000, 3000, 0.1)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_infinity_are_refused(route, bad, data):
    X, Y, _ = data
    X = X.copy()
    X[3, 3] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        LinearRegression().fit(sparse.csr_array(X), Y)


def test_chunks_are_dense(data):
    X = data[0]
    chunks = DenseChunks(sparse.csr_array(X))
    np.testing.assert_array_equal(chunks[3:7], X[3:7])
    np.testing.assert_array_equal(chunks[:, 2:5], X[:, 2:5])
    assert len(chunks) == len(X)
