"""Mean-and-variance regression: a minimum by scipy, the derivatives, and what must not matter."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import LinearRegression, MeanVarianceRegressor
from skcourse.linear_model.mean_variance_risk import LOWEST, MeanVarianceRisk

RNG = np.random.default_rng(0)
X = RNG.normal(size=(150, 3)) + 1
Y = 10 + X @ [1.0, -2.0, 0.0] + np.exp(0.5 * X[:, 0] - 0.3) * RNG.normal(size=150)
WEIGHTS = RNG.integers(1, 4, size=150).astype(float)


def negative_log_likelihood(model, X, y, weights):
    mean, std = model.predict(X, return_std=True)
    return np.average(np.log(std) + 0.5 * ((y - mean) / std) ** 2, weights=weights)


def test_scipy_agrees():
    model = MeanVarianceRegressor(alpha=0, tol=1e-10).fit(X, Y, WEIGHTS)

    def value(t):
        mean, log_variance = X @ t[:3] + t[3], X @ t[4:7] + t[7]
        return np.average(log_variance + (Y - mean) ** 2 * np.exp(-log_variance), weights=WEIGHTS)

    start = np.array([0, 0, 0, Y.mean(), 0, 0, 0, np.log(Y.var())])
    best = minimize(value, start, method="BFGS", options={"gtol": 1e-8})
    found = np.concatenate([
        model.coef_, [model.intercept_], model.log_variance_coef_, [model.log_variance_intercept_],
    ])  # fmt: skip
    np.testing.assert_allclose(found, best.x, atol=1e-5)  # finite differences in scipy's gradient
    assert model.history_["loss"][-1] == pytest.approx(best.fun / 2, abs=1e-12)
    assert negative_log_likelihood(model, X, Y, WEIGHTS) == pytest.approx(best.fun / 2, abs=1e-12)
    assert np.all(np.diff(model.history_["loss"]) <= 1e-12)


@given(st.integers(0, 2**16), st.booleans())
def test_derivatives_by_finite_differences(seed, fit_intercept):
    rng = np.random.default_rng(seed)
    risk = MeanVarianceRisk(X, Y - 10, WEIGHTS, LOWEST, fit_intercept=fit_intercept)
    theta = 0.3 * rng.normal(size=8)
    value, gradient = risk.value_and_gradient(theta)
    mean, cross, variance = (risk.scatter(h) for h in risk.second)
    hessian, step = risk.assembled(mean, cross, variance), 1e-5
    direction = rng.normal(size=8)
    if not fit_intercept:
        direction[-2] = 0.0
    (up, above), (down, below) = (
        risk.value_and_gradient(theta + t * direction) for t in (step, -step)
    )
    # Differences are off by step^2 and by rounding / step, times what the numbers are.
    size = np.abs(hessian).max() * (direction @ direction)
    assert (up - down) / (2 * step) == pytest.approx(gradient @ direction, abs=1e-6 * size)
    np.testing.assert_allclose((above - below) / (2 * step), hessian @ direction, atol=1e-6 * size)
    assert value > -np.inf


def test_equal_variances_are_least_squares():
    """With v held at 0 by its penalty, only the mean is regressed; but it is penalised as well."""
    y = X @ [1.0, 2.0, 3.0] + 0.1 * RNG.normal(size=150)
    mean, std = MeanVarianceRegressor(alpha=1e-8).fit(X, y).predict(X, return_std=True)
    np.testing.assert_allclose(mean, LinearRegression().fit(X, y).predict(X), atol=0.05)
    assert 0.05 < std.min() <= std.max() < 0.2


def test_rows_that_spread_widely_count_little():
    rng = np.random.default_rng(1)
    A = rng.uniform(size=(300, 1))
    errors = [np.empty(0), np.empty(0)]
    for _ in range(20):
        y = 2 * A[:, 0] + np.exp(4 * A[:, 0] - 2) * rng.normal(size=300)
        for k, model in enumerate((MeanVarianceRegressor(), LinearRegression())):
            errors[k] = np.append(errors[k], model.fit(A, y).intercept_)
    assert np.std(errors[0]) < 0.6 * np.std(errors[1])


def test_unit_and_origin_of_y_are_nothing():
    one = MeanVarianceRegressor(alpha=0.1, tol=1e-10).fit(X, Y, WEIGHTS)
    other = MeanVarianceRegressor(alpha=0.1, tol=1e-10).fit(X, 1e3 * Y + 7e5, WEIGHTS)
    (mean, std), (moved, wide) = (m.predict(X, return_std=True) for m in (one, other))
    np.testing.assert_allclose(moved, 1e3 * mean + 7e5, rtol=1e-9)
    np.testing.assert_allclose(wide, 1e3 * std, rtol=1e-7)
    np.testing.assert_array_equal(one.predict(X), mean)


def test_weights_sparse_float32():
    plain = MeanVarianceRegressor(tol=1e-10)
    weighted = plain.fit(X, Y, WEIGHTS).predict(X, return_std=True)
    repeats = WEIGHTS.astype(int)
    repeated = plain.fit(np.repeat(X, repeats, axis=0), np.repeat(Y, repeats))
    np.testing.assert_allclose(repeated.predict(X, return_std=True), weighted, rtol=1e-7)
    sparse = plain.fit(sp.csc_array(X), Y, WEIGHTS)
    np.testing.assert_allclose(
        sparse.predict(sp.csr_array(X), return_std=True), weighted, rtol=1e-7
    )
    narrow = MeanVarianceRegressor().fit(X.astype(np.float32), Y.astype(np.float32), WEIGHTS)
    assert narrow.coef_.dtype == narrow.log_variance_coef_.dtype == np.float32
    np.testing.assert_allclose(narrow.predict(X, return_std=True), weighted, rtol=1e-3)


def test_parameters():
    assert MeanVarianceRegressor(fit_intercept=False).fit(X, Y).intercept_ == 0.0
    strong = MeanVarianceRegressor(alpha=100.0).fit(X, Y)
    assert np.abs(np.append(strong.coef_, strong.log_variance_coef_)).max() < 0.1
    with pytest.warns(ConvergenceWarning, match="max_iter=1 iterations.*Increase max_iter"):
        MeanVarianceRegressor(max_iter=1).fit(X, Y)
    rough, fine = (MeanVarianceRegressor(tol=tol).fit(X, Y).n_iter_ for tol in (1e-1, 1e-10))
    assert rough < fine


@pytest.mark.parametrize("y", [Y[:3], np.full(3, 5.0), np.zeros(3)])
def test_no_maximum(y):
    with pytest.warns(ConvergenceWarning, match="The likelihood has no maximum.*Raise alpha"):
        model = MeanVarianceRegressor().fit(X[:3], y)
    mean, std = model.predict(X[:3], return_std=True)
    assert np.isfinite(mean).all()
    assert np.isfinite(std).all()


@pytest.mark.parametrize("unit", [1e-200, 1e300])
def test_squares_of_y_may_leave_the_range_of_numbers(unit):
    model, large = MeanVarianceRegressor().fit(X, Y), MeanVarianceRegressor().fit(X, unit * Y)
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(large.predict(X, return_std=True), [unit * mean, unit * std], 1e-6)


def test_numbers_that_are_too_large_are_refused():
    with pytest.raises(ValueError, match=r"beyond the range of numbers.*Scale them"):
        MeanVarianceRegressor(alpha=0.0).fit(
            (1e-3 * X).astype(np.float32), 1e38 * Y / np.abs(Y).max()
        )
    with pytest.raises(ValueError, match="could not convert string to float"):
        MeanVarianceRegressor().fit(X, np.where(Y > 0, "a", "b"))
