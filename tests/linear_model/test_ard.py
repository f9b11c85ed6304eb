"""Automatic relevance determination: scikit-learn's answers, and each route to the posterior."""

import numpy as np
import pytest
from sklearn import linear_model as theirs
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import ARDRegression
from skcourse.linear_model.ard_posterior import Kept
from skcourse.linear_model.evidence import few_rows

CLOSE = 1e-7  # theirs inverts X'X, of a condition of some 1e4, in each of tens of iterations


def problem(n, p, *, noise=0.5, seed=0):
    """Make rows about 3, and targets of the first three columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3
    b = np.zeros(p)
    b[:3] = 2.0, -1.0, 0.5
    return X, X @ b + noise * rng.standard_normal(n) + 1


def assert_same(ours, reference, rtol=CLOSE):
    """Compare all that a fit sets; precisions of what is left out are large, and less exact."""
    assert ours.n_iter_ == reference.n_iter_
    names = ("coef_", "intercept_", "alpha_", "sigma_", "X_offset_", "X_scale_", "scores_")
    for name in names:
        found, expected = np.asarray(getattr(ours, name)), np.asarray(getattr(reference, name))
        assert found.shape == expected.shape and found.dtype == expected.dtype, name
        np.testing.assert_allclose(found, expected, rtol, rtol * np.abs(expected).max(initial=0))
    kept = reference.lambda_ < reference.threshold_lambda
    np.testing.assert_array_equal(ours.lambda_ < ours.threshold_lambda, kept)
    np.testing.assert_allclose(ours.lambda_[kept], reference.lambda_[kept], 100 * rtol)


@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("shape", [(60, 5), (40, 40), (2000, 12)])
def test_answers_of_theirs(shape, fit_intercept):
    X, y = problem(*shape)
    parameters = {"fit_intercept": fit_intercept, "compute_score": True}
    assert_same(ARDRegression(**parameters).fit(X, y), theirs.ARDRegression(**parameters).fit(X, y))


@pytest.mark.parametrize("fit_intercept", [False, True])
def test_answers_of_theirs_on_few_rows(fit_intercept):
    X, y = problem(25, 60, noise=1.0)
    parameters = {"fit_intercept": fit_intercept, "max_iter": 5}
    with pytest.warns(ConvergenceWarning):
        ours = ARDRegression(**parameters).fit(X, y)
    reference = theirs.ARDRegression(**parameters).fit(X, y)
    assert ours.sigma_.shape == reference.sigma_.shape
    # gamma of useless columns is a difference of nearly equal numbers in theirs
    np.testing.assert_allclose(ours.coef_, reference.coef_, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ours.alpha_, reference.alpha_, rtol=1e-4)


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha_1": 3.0},
        {"alpha_2": 30.0},
        {"lambda_1": 2.0},
        {"lambda_2": 5.0},
        {"threshold_lambda": 30.0},
        {"tol": 1e-9},
        {"tol": 1.0},
    ],
)
def test_every_parameter_is_theirs_and_matters(parameters):
    X, y = problem(50, 6, noise=2.0)
    plain = ARDRegression().fit(X, y)
    ours = ARDRegression(**parameters).fit(X, y)
    reference = theirs.ARDRegression(**parameters).fit(X, y)
    assert ours.n_iter_ == reference.n_iter_
    np.testing.assert_allclose(ours.coef_, reference.coef_, CLOSE, CLOSE)
    assert ours.n_iter_ != plain.n_iter_ or not np.allclose(ours.coef_, plain.coef_, rtol=1e-6)


def exact(A, t, alpha, lambda_):
    """Return the mean, gamma, log |P| and the covariance as (1) and (2) have them."""
    P = np.diag(lambda_) + alpha * A.T @ A
    sigma = np.linalg.inv(P)
    gamma = 1 - lambda_ * np.diag(sigma)
    return alpha * sigma @ A.T @ t, gamma, np.linalg.slogdet(P)[1], sigma


@pytest.mark.parametrize("route", ["cholesky", "orthogonal", "rows", "eigenvalues"])
def test_routes_to_the_posterior(route, monkeypatch):
    rng = np.random.default_rng(0)
    m, k = (12, 8) if route in ("cholesky", "orthogonal") else (8, 12)
    A, t, lambda_ = rng.standard_normal((m, k)), rng.standard_normal(m), rng.uniform(0.5, 2, k)
    if route == "orthogonal":
        monkeypatch.setattr("skcourse.linear_model.ard_posterior.LIMIT", 0.0)
    if route == "eigenvalues":
        monkeypatch.setattr("skcourse.linear_model.ard_posterior.APART", 0.0)
    kept = Kept(A, t)
    posterior = kept.posterior(3.0, lambda_)
    mean, gamma, log_precision, sigma = exact(A, t, 3.0, lambda_)
    rtol = 1e-11  # the condition of P is below 1e3
    np.testing.assert_allclose(posterior.mean, mean, rtol, rtol)
    np.testing.assert_allclose(posterior.gamma, gamma, rtol, rtol)
    np.testing.assert_allclose(posterior.log_precision, log_precision, rtol)
    np.testing.assert_allclose(kept.covariance(posterior, lambda_), sigma, rtol, rtol)


def test_columns_that_are_nearly_equal():
    rng = np.random.default_rng(0)
    A = np.linalg.qr(rng.standard_normal((30, 6)))[0]
    A[:, 5] = A[:, 0] + 1e-7 * A[:, 5]  # a condition of 1e14 when squared
    b = np.array([1.0, 2, 3, 4, 5, 0])
    t = A @ b
    posterior = Kept(A, t).posterior(1e12, np.full(6, 1e-6))
    # the least squares on [alpha^(1/2) A; lambda^(1/2)], whose condition is not squared
    rows = np.vstack([1e6 * A, 1e-3 * np.eye(6)])
    expected = np.linalg.lstsq(rows, np.append(1e6 * t, np.zeros(6)), rcond=None)[0]
    np.testing.assert_allclose(posterior.mean, expected, rtol=0, atol=5e-8)  # eps 1e7 |b|, and room


def test_finds_what_is_relevant_and_leaves_out_the_rest():
    X, y = problem(300, 40, noise=0.1)
    model = ARDRegression().fit(X, y)
    assert set(np.flatnonzero(model.coef_)) >= {0, 1, 2}
    assert np.count_nonzero(model.coef_) < 25
    assert len(model.sigma_) == np.count_nonzero(model.coef_) == model.history_["n_kept"][-1]
    assert (np.diff(model.history_["n_kept"]) <= 0).all()
    np.testing.assert_allclose(model.coef_[:3], [2, -1, 0.5], atol=0.05)


def test_deviation_is_that_of_what_was_kept():
    X, y = problem(100, 20)
    ours, reference = ARDRegression().fit(X, y), theirs.ARDRegression().fit(X, y)
    found, expected = (fit.predict(X, return_std=True) for fit in (ours, reference))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_weights_are_repetitions():
    X, y = problem(60, 5)
    w = np.random.default_rng(1).integers(0, 4, 60)
    weighted = ARDRegression().fit(X, y, sample_weight=w)
    repeated = ARDRegression().fit(np.repeat(X, w, axis=0), np.repeat(y, w))
    assert weighted.n_iter_ == repeated.n_iter_
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-9)
    np.testing.assert_allclose(weighted.alpha_, repeated.alpha_, rtol=1e-9)


def test_float32_is_read_as_it_is():
    X, y = load_diabetes(return_X_y=True)
    X, y = X.astype(np.float32), y.astype(np.float32)
    single, double = ARDRegression().fit(X, y), ARDRegression().fit(X.astype(float), y)
    assert single.n_iter_ == double.n_iter_
    for name in ("coef_", "alpha_", "lambda_", "sigma_"):
        assert getattr(single, name).dtype == np.float32
        np.testing.assert_allclose(getattr(single, name), getattr(double, name), rtol=1e-5)


def test_stops_too_early_with_a_warning():
    with pytest.warns(ConvergenceWarning, match="max_iter=1.*found once"):
        model = ARDRegression(max_iter=1).fit(*problem(50, 6))
    assert model.n_iter_ == 1


def test_says_when_it_has_converged(capsys):
    model = ARDRegression(verbose=True, compute_score=True).fit(*problem(30, 3))
    assert capsys.readouterr().out == f"Converged after {model.n_iter_ - 1} iterations\n"
    assert isinstance(model.scores_, list) and len(model.scores_) == model.n_iter_
    assert ARDRegression().fit(*problem(30, 3)).scores_ == []


@pytest.mark.parametrize("shape", [(20, 3), (4, 9)])
@pytest.mark.parametrize("priors", [{}, {"alpha_2": 0, "lambda_1": 0, "lambda_2": 0}])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_constant_targets_and_columns(shape, priors):
    X, y = problem(*shape)
    X[:, 1] = 1e6 / 3
    model = ARDRegression(**priors).fit(X, y)
    assert abs(model.coef_[1]) < 1e-9
    still = ARDRegression(**priors).fit(X, np.full(len(y), 2.5))
    np.testing.assert_allclose(still.predict(X), 2.5)
    for fit in (model, still):
        assert np.isfinite(fit.coef_).all() and np.isfinite(fit.predict(X, return_std=True)).all()


def test_no_noise_at_all():
    X, _ = problem(30, 4)
    model = ARDRegression().fit(X, X[:, 1])
    shrinkage = model.lambda_[1] / (model.alpha_ * np.sum((X[:, 1] - X[:, 1].mean()) ** 2))
    assert abs(model.coef_[1] - (1 - shrinkage)) < 1e-12
    with pytest.warns(ConvergenceWarning, match="alpha_1, alpha_2"):
        model = ARDRegression(alpha_2=0, tol=0).fit(np.eye(3)[:, :1], np.zeros(3))
    assert np.isfinite(model.alpha_)


def test_bad_input():
    X, y = problem(20, 3)
    for bad in (np.nan, np.inf):
        wrong = X.copy()
        wrong[3, 1] = bad
        for rows in (slice(None), slice(2, 5)):  # tall and square
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                ARDRegression().fit(wrong[rows], y[rows])
    with pytest.raises(ValueError, match="too large to be added up"):
        ARDRegression().fit(X, y * 1e200)
    with pytest.raises(ValueError, match="minimum of 2"):
        ARDRegression().fit(X[:1], y[:1])
    with pytest.raises(ValueError, match="Negative values"):
        ARDRegression().fit(X, y, sample_weight=-np.ones(20))


def test_memory_is_left_alone(tmp_path):
    X, y = problem(200, 4)
    before = X.copy()
    expected = ARDRegression(copy_X=False).fit(X, y)
    np.testing.assert_array_equal(X, before)
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    read = np.memmap(tmp_path / "X", np.float64, "r", shape=X.shape)
    np.testing.assert_array_equal(ARDRegression().fit(read, y).coef_, expected.coef_)


@pytest.mark.parametrize("weights", [None, np.array([1.0, 2.0, 0.0, 3.0])])
def test_rows_about_their_mean_are_one_fewer(weights):
    X, y = problem(4, 7)
    few = few_rows(X, y, weights, centre=True)
    w = np.ones(4) if weights is None else weights
    A = np.sqrt(w)[:, np.newaxis] * (X - np.average(X, axis=0, weights=w))
    v = np.sqrt(w) * (y - np.average(y, weights=w))
    assert few.A.shape == (3, 7)
    np.testing.assert_allclose(few.A.T @ few.A, A.T @ A, atol=1e-13)
    np.testing.assert_allclose(few.A.T @ few.t, A.T @ v, atol=1e-13)
    np.testing.assert_allclose(few.t @ few.t + few.rest, v @ v, rtol=1e-13)


def test_constant_targets_leave_nothing():
    model = ARDRegression().fit([[1.0, 0.0], [0.0, 0.0], [0.5, 0.0]], [7.0, 7.0, 7.0])
    assert model.sigma_.shape == (0, 0)
    np.testing.assert_array_equal(model.predict([[3.0, 4.0]]), 7.0)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_squares_out_of_range(unit):
    X, y = problem(50, 3)
    model = ARDRegression().fit(X * unit, y)  # coefficients out of reach, or below the threshold
    np.testing.assert_allclose(model.predict(X * unit), y.mean())
    assert np.isfinite(model.lambda_).all()
