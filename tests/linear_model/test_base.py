import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skcourse.linear_model import LinearRegression
from skcourse.linear_model.base import AT_ONCE, as_columns

EPS = np.finfo(np.float64).eps


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(AT_ONCE // 4 + 100, 5))  # more than is done at once
    return X, X @ rng.normal(size=(5, 2)) + [1.0, -2.0]


@pytest.mark.parametrize("flat", [True, False])
@pytest.mark.parametrize("form", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array])
def test_many_rows_and_one_by_one(flat, form, data):
    X, Y = data
    model = LinearRegression().fit(X, Y[:, 0] if flat else Y)
    values = model.predict(form(X))
    expected = X @ model.coef_.T + model.intercept_
    # sums of 6 terms, in another order
    bound = 6 * EPS * np.abs(X).max() * np.abs(model.coef_).sum()
    np.testing.assert_allclose(values, expected, rtol=0, atol=bound)
    assert values.shape == (Y[:, 0] if flat else Y).shape
    for i in (0, 77, len(X) - 1):
        np.testing.assert_allclose(model.predict(form(X[i : i + 1]))[0], values[i], atol=bound)


def test_predictions_go_through_the_means_in_float32():
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(1000, 3)) + 300).astype(np.float32)
    y = (X @ [1.0, 2.0, 3.0]).astype(np.float32)
    model = LinearRegression().fit(X, y)
    at_means = model.coef_ @ X.mean(axis=0, dtype=float) + model.intercept_
    # the intercept, some 1e3, is rounded once more
    assert at_means == pytest.approx(y.mean(dtype=float), rel=2 * float(np.finfo(np.float32).eps))


@pytest.mark.parametrize("n", [1, AT_ONCE])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("form", [np.ascontiguousarray, sparse.csr_array])
def test_nan_and_infinity_are_refused(n, bad, form, data):
    model = LinearRegression().fit(*data)
    model.coef_ = np.zeros_like(model.coef_)  # even where they would be multiplied away
    X = np.ones((n, 5))
    X[n // 2, 3] = bad
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        model.predict(form(X))


def test_numbers_whose_sum_overflows_are_predicted(data):
    model = LinearRegression().fit(*data)
    model.coef_ = np.full_like(model.coef_, 0.1)
    np.testing.assert_allclose(model.predict(np.full((1, 5), 1e308)), 0.5e308, rtol=6 * EPS)


def test_what_is_refused(data):
    X, Y = data
    with pytest.raises(NotFittedError):
        LinearRegression().predict(X)
    model = LinearRegression().fit(X, Y)
    with pytest.raises(ValueError, match="expecting 5 features"):
        model.predict(X[:, :4])
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.predict(X[0])
    with pytest.raises(ValueError, match="minimum of 1 is required"):
        model.predict(X[:0])


def test_as_columns():
    y = np.arange(3.0)
    assert as_columns(y).shape == (3, 1)
    assert np.shares_memory(as_columns(y), y)
    assert as_columns([1, 2]).dtype == np.float64
    assert as_columns(np.ones((3, 2), order="F")).flags.c_contiguous
