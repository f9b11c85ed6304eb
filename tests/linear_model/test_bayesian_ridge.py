"""Bayesian ridge regression: scikit-learn's answers, closed forms, and what must not matter."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.stats import multivariate_normal
from sklearn import linear_model as theirs
from sklearn.datasets import load_diabetes
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import BayesianRidge
from skcourse.linear_model.evidence_axes import axes_of

FLAT = {"alpha_1": 0, "alpha_2": 0, "lambda_1": 0, "lambda_2": 0}
CLOSE = 1e-9  # conditions up to 100: squared, times eps, times tens of iterations, with room


def problem(n, p, *, noise=0.5, seed=0):
    """Make rows about 3 and targets of half of their columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + 3
    b = rng.standard_normal(p) * (np.arange(p) % 2)
    return X, X @ b + noise * rng.standard_normal(n) + 1


def assert_same(ours, reference, rtol=CLOSE):
    """Compare all that a fit sets, but for the last score: theirs takes the coefficients before."""
    assert ours.n_iter_ == reference.n_iter_
    for name in ("coef_", "intercept_", "alpha_", "lambda_", "sigma_", "X_offset_", "X_scale_"):
        found, expected = np.asarray(getattr(ours, name)), np.asarray(getattr(reference, name))
        assert found.shape == expected.shape and found.dtype == expected.dtype, name
        np.testing.assert_allclose(found, expected, rtol, rtol * np.abs(expected).max(initial=0))
    np.testing.assert_allclose(ours.scores_[:-1], reference.scores_[:-1], rtol)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("fit_intercept", [False, True])
@pytest.mark.parametrize("shape", [(60, 5), (40, 40), (20, 50), (3000, 12)])
def test_answers_of_theirs(shape, fit_intercept, weighted):
    X, y = problem(*shape)
    w = np.random.default_rng(1).integers(0, 4, len(y)).astype(float) if weighted else None
    parameters = {"fit_intercept": fit_intercept, "compute_score": True}
    ours = BayesianRidge(**parameters).fit(X, y, w)
    assert_same(ours, theirs.BayesianRidge(**parameters).fit(X, y, w))


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha_1": 3.0},
        {"alpha_2": 30.0},
        {"lambda_1": 2.0},
        {"lambda_2": 5.0},
        {"alpha_init": 1e-3},
        {"lambda_init": 1e3},
        {"tol": 1e-7},
        {"tol": 1.0},
        {"alpha_init": 0.0},
        {"lambda_init": 0.0},
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning:sklearn")
def test_every_parameter_is_theirs_and_matters(parameters):
    X, y = problem(50, 6, noise=5.0)
    plain = BayesianRidge().fit(X, y)
    ours = BayesianRidge(**parameters).fit(X, y)
    reference = theirs.BayesianRidge(**parameters).fit(X, y)
    assert ours.n_iter_ == reference.n_iter_
    np.testing.assert_allclose(ours.coef_, reference.coef_, CLOSE)
    assert ours.n_iter_ != plain.n_iter_ or not np.allclose(ours.coef_, plain.coef_, rtol=1e-6)


def test_score_is_the_likelihood_of_the_targets():
    X, y = problem(40, 3)
    model = BayesianRidge(fit_intercept=False, compute_score=True, **FLAT).fit(X, y)
    cov = np.eye(40) / model.alpha_ + X @ X.T / model.lambda_
    expected = multivariate_normal(cov=cov).logpdf(y)
    assert model.scores_[-1] == pytest.approx(expected, rel=1e-10)  # condition of cov: some 1e4
    assert model.scores_.shape == (model.n_iter_ + 1,)
    np.testing.assert_array_equal(model.scores_[:-1], model.history_["log_marginal_likelihood"])
    assert BayesianRidge().fit(X, y).scores_ == []


def test_evidence_is_stationary_at_the_end():
    X, y = problem(80, 4)
    model = BayesianRidge(tol=1e-12, compute_score=True, **FLAT).fit(X, y)
    step = 1e-4
    for name in ("alpha_", "lambda_"):
        start = {"alpha_init": model.alpha_, "lambda_init": model.lambda_}
        values = []
        for factor in (1 - step, 1 + step):
            moved = start | {f"{name}init": getattr(model, name) * factor}
            fit = BayesianRidge(max_iter=300, compute_score=True, **moved, **FLAT).fit(X, y)
            values.append(fit.scores_[0])
        # the evidence is quadratic there, with a curvature of about n / 2
        assert abs(values[1] - values[0]) < 80 * step**2
        assert max(values) < model.scores_[-1]


@pytest.mark.parametrize("condition", [1e2, 1e5, 1e9])
def test_digits_of_the_singular_values(condition):
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.standard_normal((n, 8)))[0] for n in (200, 8))
    s = np.geomspace(1, 1 / condition, 8)
    X = (U * s) @ V.T
    y = U @ np.array([1.0, 2, 3, 4, 5, 6, 7, 8]) * 1e-3 + rng.standard_normal(200) * 1e-5
    axes = axes_of(X, y, None, centre=False)
    order = np.argsort(-axes.s)
    # LAPACK's singular values are within eps of the largest; X itself was rounded before
    np.testing.assert_allclose(axes.s[order], s, rtol=0, atol=50 * np.finfo(float).eps)
    z = np.abs(U.T @ y)
    rest = y @ y - z @ z
    # a direction is known to eps times the condition
    known = s > 1e-4 if condition > 1e5 else s > 0
    np.testing.assert_allclose(np.abs(axes.z)[known], z[known], rtol=1e-9)
    assert axes.rest == pytest.approx(rest, rel=1e-6)
    ours = BayesianRidge(fit_intercept=False, tol=1e-6).fit(X, y)
    reference = theirs.BayesianRidge(fit_intercept=False, tol=1e-6).fit(X, y)
    np.testing.assert_allclose(ours.predict(X), reference.predict(X), atol=1e-9 * np.abs(y).max())


def test_targets_far_more_exact_than_their_squares():
    X, _ = problem(300, 4)
    b = np.array([1.0, -2, 3, 0.5])
    y = X @ b + 1e-9 * np.random.default_rng(3).standard_normal(300)
    model = BayesianRidge(**FLAT).fit(X, y)  # |y|^2 is 1e18 times the squared error
    assert 1 / np.sqrt(model.alpha_) == pytest.approx(1e-9, rel=0.1)


def test_float32_is_read_as_it_is():
    X, y = problem(500, 6)
    X, y = X.astype(np.float32), y.astype(np.float32)
    single, double = BayesianRidge().fit(X, y), BayesianRidge().fit(X.astype(float), y)
    assert single.n_iter_ == double.n_iter_
    for name in ("coef_", "intercept_", "alpha_", "lambda_", "sigma_"):
        found, expected = getattr(single, name), getattr(double, name)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_predict_tells_the_deviation():
    X, y = load_diabetes(return_X_y=True)
    model = BayesianRidge().fit(X, y)
    means, deviations = model.predict(X, return_std=True)
    centred = X - X.mean(axis=0)
    expected = np.sqrt(1 / model.alpha_ + np.sum(centred @ model.sigma_ * centred, axis=1))
    np.testing.assert_allclose(deviations, expected, rtol=1e-12)
    np.testing.assert_array_equal(means, model.predict(X))
    alone = [model.predict(row[np.newaxis], return_std=True)[1][0] for row in X[:5]]
    np.testing.assert_allclose(alone, deviations[:5], rtol=1e-12)
    sparse = model.predict(sp.csr_array(X), return_std=True)
    np.testing.assert_allclose(sparse, (means, deviations), rtol=1e-12)


def test_stops_too_early_with_a_warning():
    X, y = problem(50, 6, noise=5.0)
    with pytest.warns(ConvergenceWarning, match="max_iter=2.*Raise max_iter"):
        model = BayesianRidge(max_iter=2, tol=1e-12).fit(X, y)
    assert model.n_iter_ == 2
    assert {len(values) for values in model.history_.values()} == {2}


def test_says_when_it_has_converged(capsys):
    model = BayesianRidge(verbose=True).fit(*problem(30, 3))
    assert capsys.readouterr().out == f"Convergence after  {model.n_iter_ - 1}  iterations\n"


def test_nothing_that_is_not_finite():
    X, _ = problem(20, 3)
    with pytest.warns(ConvergenceWarning, match="alpha_2 and lambda_2|above 0"):
        model = BayesianRidge(**FLAT).fit(X, np.full(20, 4.0))
    assert np.isfinite(model.coef_).all() and np.isfinite(model.sigma_).all()
    np.testing.assert_allclose(model.predict(X), 4.0)
    with pytest.warns(ConvergenceWarning, match="larger weights"):
        model = BayesianRidge(alpha_1=0).fit(*problem(20, 3, noise=0.01), np.full(20, 0.01))
    assert model.alpha_ > 0 and np.isfinite(model.coef_).all()


@pytest.mark.parametrize("shape", [(20, 3), (4, 9)])
def test_constant_targets_and_columns(shape):
    X, y = problem(*shape)
    X[:, 1] = 1e6 / 3
    model = BayesianRidge().fit(X, y)
    assert abs(model.coef_[1]) < 1e-9
    still = BayesianRidge().fit(X, np.full(len(y), 2.5))
    np.testing.assert_allclose(still.predict(X), 2.5)


def test_bad_input():
    X, y = problem(20, 3)
    with pytest.raises(ValueError, match="must not both be 0"):
        BayesianRidge(alpha_init=0, lambda_init=0).fit(X, y)
    for bad in (np.nan, np.inf):
        wrong = X.copy()
        wrong[3, 1] = bad
        for rows in (slice(None), slice(2, 5)):  # tall and square
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                BayesianRidge().fit(wrong[rows], y[rows])
    with pytest.raises(ValueError, match="too large to be added up"):
        BayesianRidge().fit(X, y * 1e200)
    with pytest.raises(TypeError, match="not strings"):
        BayesianRidge().fit(X, np.array(["a", "b"] * 10))
    with pytest.raises(ValueError, match="y should be a 1d array"):
        BayesianRidge().fit(X, np.column_stack([y, y]))


def test_one_row():
    model = BayesianRidge().fit([[1.0, 2.0]], [3.0])
    np.testing.assert_array_equal(model.predict([[7.0, 8.0]]), [3.0])


def test_large_numbers_are_not_squared_in_vain():
    X, y = problem(50, 3)
    ours = BayesianRidge(lambda_init=1e-300).fit(X * 1e160, y)
    assert np.isfinite(ours.coef_).all()


def test_memory_is_left_alone(tmp_path):
    X, y = problem(200, 4)
    expected = BayesianRidge().fit(X, y)
    mapped = np.memmap(tmp_path / "X", np.float64, "w+", shape=X.shape)
    mapped[:] = X
    mapped.flush()
    read = np.memmap(tmp_path / "X", np.float64, "r", shape=X.shape)
    np.testing.assert_array_equal(BayesianRidge().fit(read, y).coef_, expected.coef_)
    before = X.copy()
    BayesianRidge(copy_X=False).fit(X, y)
    np.testing.assert_array_equal(X, before)
