"""Huber's regression: a convex problem has one optimum, which these tests know when they see it."""

import numpy as np
import pytest
import sklearn.linear_model as reference
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import brentq, check_grad, linprog
from sklearn.exceptions import ConvergenceWarning

from skcourse.linear_model import HuberRegressor, LinearRegression, huber_stages
from skcourse.linear_model.huber import why_not
from skcourse.linear_model.huber_risk import FLOOR, HuberProblem, HuberRisk, best_scale
from skcourse.linear_model.penalised_risk import STUCK, Minimum


def draw(n=300, p=4, seed=0, outliers=0.1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X @ rng.normal(size=p) + rng.normal(size=n) + 2
    y[rng.random(n) < outliers] += 30
    return X, y, rng.uniform(0.2, 2, n)


def objective(model, X, y, weights=None):
    """The sum that is minimised, as its definition has it."""
    w = np.ones(len(y)) if weights is None else weights
    c, e = model.scale_, model.epsilon
    u = np.abs(y - X @ model.coef_ - model.intercept_) / c
    losses = c + c * np.where(u <= e, u**2, 2 * e * u - e**2)
    return w @ losses + model.alpha * model.coef_ @ model.coef_


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 10.0])
@pytest.mark.parametrize("epsilon", [1.1, 1.35, 3.0])
def test_no_step_in_any_direction_is_lower(epsilon, alpha, fit_intercept):
    X, y, w = draw()
    parameters = {"epsilon": epsilon, "alpha": alpha, "fit_intercept": fit_intercept}
    model = HuberRegressor(tol=0.0, **parameters).fit(X, y, w)
    theirs = reference.HuberRegressor(**parameters, max_iter=1000).fit(X, y, w)
    best = objective(model, X, y, w)
    assert best <= objective(theirs, X, y, w)
    assert_allclose(model.coef_, theirs.coef_, rtol=1e-3, atol=1e-4)  # theirs stops at 2e-9 of F
    assert_allclose(model.scale_, theirs.scale_, rtol=1e-3)
    for name in ("coef_", "intercept_", "scale_")[: 3 if fit_intercept else 1]:
        value = getattr(model, name)
        for step in (1e-4, -1e-4):
            moved = HuberRegressor(**parameters)
            vars(moved).update(vars(model))
            for j in range(np.size(value)):
                change = np.zeros(np.size(value))
                change[j] = step
                setattr(moved, name, value + change.reshape(np.shape(value)))
                assert objective(moved, X, y, w) > best


@pytest.mark.parametrize("epsilon", [1.0, 1.35, 5.0])
def test_the_scale_balances(epsilon):
    _, y, w = draw()
    scale = best_scale(y, w, epsilon, w.sum())

    def excess(c):
        return w @ np.minimum((y / c) ** 2, epsilon**2) - w.sum()

    if epsilon == 1:  # then any scale below the least residual will do
        assert excess(scale) == pytest.approx(0, abs=1e-9 * w.sum())
    else:
        expected = brentq(excess, 1e-3, 1e3, xtol=1e-14, rtol=1e-14)
        assert_allclose(scale, expected, rtol=1e-12)
    none = np.empty(0)
    assert_allclose(best_scale(1e200 * y, w, 5.0, w.sum()), 1e200 * best_scale(y, w, 5.0, w.sum()))
    assert best_scale(np.zeros(9), none, 1.35, 9.0) == FLOOR
    assert best_scale(np.eye(9)[0], none, 1.35, 9.0) == FLOOR


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_gradient_and_hessian_are_those_of_the_value(fit_intercept):
    X, y, w = draw(n=60)
    problem = HuberProblem(HuberRisk(X, y, 1.35, w, fit_intercept=fit_intercept), 0.7)
    theta = np.array([0.5, -0.3, 0.2, 1.0, 2.0 if fit_intercept else 0.0])
    free = 5 if fit_intercept else 4

    def at(part):
        return np.append(part, theta[free:])

    error = check_grad(
        lambda part: problem.value_and_gradient(at(part))[0],
        lambda part: problem.value_and_gradient(at(part))[1][:free],
        theta[:free],
    )
    assert error < 1e-5  # differences of step 1.5e-8
    for moved in (theta, theta + 0.3 * (np.arange(5) < free)):  # the second from the first
        step, columns = 1e-6, []
        for j in range(free):
            ends = [problem.value_and_gradient(moved + h * np.eye(5)[j])[1] for h in (step, -step)]
            columns.append((ends[0] - ends[1]) / (2 * step))
        problem.value_and_gradient(moved)
        assert_allclose(problem.hessian()[:free, :free], np.array(columns)[:, :free], atol=1e-6)


def test_least_squares_where_nothing_is_an_outlier():
    X, y, w = draw(outliers=0.0)
    model = HuberRegressor(epsilon=100.0, alpha=0.0, tol=0.0).fit(X, y, w)
    expected = LinearRegression().fit(X, y, w)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-9)
    squares = np.average((y - expected.predict(X)) ** 2, weights=w)
    assert_allclose(model.scale_, np.sqrt(squares), rtol=1e-9)
    assert not model.outliers_.any()


def test_outliers_are_found():
    X, y, _ = draw()
    model = HuberRegressor().fit(X, y)
    r = np.abs(y - model.predict(X))
    assert model.outliers_.dtype == bool
    assert_array_equal(model.outliers_, r > 1.35 * model.scale_)
    assert model.outliers_[r > 20].all()
    wide = HuberRegressor(epsilon=3.0).fit(X, y)
    assert wide.outliers_.sum() < model.outliers_.sum()


def test_history_falls_and_ends_where_the_fit_is():
    X, y, _ = draw()
    model = HuberRegressor().fit(X, y)
    assert set(model.history_) == {"loss", "gradient"}
    assert len(model.history_["loss"]) == model.n_iter_ > 0
    assert (np.diff(model.history_["loss"]) <= 1e-12).all()
    assert_allclose(model.history_["loss"][-1] * len(y), objective(model, X, y), rtol=1e-12)


def test_max_iter_warns_and_tol_stops_early():
    X, y, _ = draw()
    with pytest.warns(ConvergenceWarning, match="Increase max_iter") as caught:
        model = HuberRegressor(max_iter=1).fit(X, y)
    assert caught[0].filename == __file__
    assert model.n_iter_ == 1
    with pytest.warns(ConvergenceWarning):
        start = HuberRegressor(max_iter=0).fit(X, y)
    assert start.n_iter_ == 0
    assert_allclose(start.coef_, LinearRegression().fit(X, y).coef_, atol=1e-4)
    loose, tight = (HuberRegressor(tol=tol).fit(X, y) for tol in (10.0, 1e-8))
    assert loose.n_iter_ < tight.n_iter_


def test_warm_start():
    X, y, _ = draw()
    model = HuberRegressor(warm_start=True).fit(X, y)
    first = model.coef_
    assert model.fit(X, y).n_iter_ == 0
    assert_array_equal(model.coef_, first)
    assert HuberRegressor().fit(X, y).n_iter_ > 0
    shifted = HuberRegressor(warm_start=True).fit(X + 1e6, y)  # about another origin
    assert shifted.fit(X + 1e6, y).n_iter_ <= 1
    model.coef_ = np.full(4, np.nan)
    with pytest.raises(ValueError, match="warm_start=False"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="warm_start=False"):
        HuberRegressor(warm_start=True).fit(X, y).fit(X[:, :2], y)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_rows(container, monkeypatch):
    X, y, w = draw(p=6)
    X[X < 0.5] = 0
    rows = container(X)
    rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    dense = HuberRegressor(tol=0.0).fit(X, y, w)
    newton = HuberRegressor(tol=0.0).fit(rows, y, w)
    assert_allclose(newton.coef_, dense.coef_, rtol=1e-9)
    assert_array_equal(newton.outliers_, dense.outliers_)
    monkeypatch.setattr(huber_stages, "SPARSE_WORK", 0)
    lbfgs = HuberRegressor(tol=1e-7).fit(rows, y, w)
    assert_allclose(lbfgs.coef_, dense.coef_, atol=1e-6)
    assert lbfgs.n_iter_ > newton.n_iter_


def test_rows_that_lie_on_the_plane():
    X, _, _ = draw(n=60)
    plane = X @ [1.0, 2.0, 3.0, 4.0] + 5
    y = plane + np.where(np.arange(60) % 5 == 0, 10.0, 0.0)  # a fifth does not
    model = HuberRegressor(alpha=0.0).fit(X, y)
    assert_allclose(model.predict(X), plane, atol=1e-7)
    assert model.scale_ < 1e-8
    theirs = reference.HuberRegressor(alpha=0.0, max_iter=1000).fit(X, y)
    assert objective(model, X, y) <= objective(theirs, X, y)


def test_one_row_that_counts():
    X, y, _ = draw(n=30)
    model = HuberRegressor().fit(X, y, sample_weight=np.eye(30)[0])  # others lie far off
    assert_allclose(model.predict(X[:1]), y[:1], rtol=1e-6)
    assert model.scale_ < 1e-8


def test_absolute_deviations_where_half_the_rows_can_be_met():
    for seed in range(5):
        X, y, _ = draw(n=12, p=6, seed=seed)
        model = HuberRegressor(alpha=0.0).fit(X, y)
        A = np.column_stack([np.ones(12), X])
        price = np.concatenate([np.zeros(14), np.ones(24)])
        A = np.column_stack([A, -A, np.eye(12), -np.eye(12)])
        at_no_scale = 2 * 1.35 * linprog(price, A_eq=A, b_eq=y).fun
        assert objective(model, X, y) <= at_no_scale * (1 + 1e-6)


@pytest.mark.filterwarnings("ignore:HuberRegressor failed to converge")
def test_few_rows_and_a_small_epsilon():
    for seed in range(6, 12):  # kinks everywhere: only from scale to scale does one get down
        X, y, _ = draw(n=14, p=6, seed=seed, outliers=0.0)
        model = HuberRegressor(epsilon=1.1).fit(X, y)
        theirs = reference.HuberRegressor(epsilon=1.1, max_iter=1000).fit(X, y)
        assert objective(model, X, y) <= objective(theirs, X, y) * (1 + 1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1e-4, 0.01])
def test_more_columns_than_rows(alpha):
    X, y, _ = draw(n=6, p=20)
    model = HuberRegressor(alpha=alpha).fit(X, y)
    assert_allclose(model.predict(X), y, atol=1e-9)
    expected = LinearRegression().fit(X, y)  # of least norm
    assert_allclose(model.coef_, expected.coef_, atol=1e-9)
    theirs = reference.HuberRegressor(alpha=alpha, max_iter=1000).fit(X, y)
    assert objective(model, X, y) <= objective(theirs, X, y)
    strong = HuberRegressor(alpha=1e3).fit(X, y)  # now the rows cannot hold it
    theirs = reference.HuberRegressor(alpha=1e3, max_iter=1000).fit(X, y)
    assert np.abs(strong.predict(X) - y).max() > 0.1
    assert objective(strong, X, y) <= objective(theirs, X, y) * (1 + 1e-8)


def test_columns_far_from_zero():
    X, y, _ = draw()
    near = HuberRegressor(alpha=0.0, tol=0.0).fit(X, y)
    far = HuberRegressor(alpha=0.0, tol=0.0).fit(X + 1e7, y)
    assert_allclose(far.predict(X + 1e7), near.predict(X), atol=1e-6)  # 1e7 leaves 9 digits of X
    assert_allclose(far.scale_, near.scale_, rtol=1e-7)


def test_rows_taken_off_lose_no_digits():
    X, y, _ = draw(n=200)
    problem = HuberProblem(HuberRisk(X, y, 1.35), 0.0)
    problem.value_and_gradient(np.zeros(5))
    expected = problem.hessian()
    X[0] *= 1e9
    problem = HuberProblem(HuberRisk(X, y, 1.35), 0.0)
    at_first = np.zeros(5)
    at_first[0] = y[0] / X[0, 0]  # where this row of great leverage counts
    problem.value_and_gradient(at_first)
    assert np.trace(problem.hessian()) > 1e10
    problem.risk.targets.values[0] = 1e3  # and off it goes
    problem.value_and_gradient(np.zeros(5))
    assert_allclose(problem.hessian(), expected, rtol=0.1, atol=0.1)


def test_threads_and_float32(n_threads):
    X, y, w = (a.astype(np.float32) for a in draw(n=40_000, p=3))
    model = HuberRegressor().fit(X, y, w)
    assert model.coef_.dtype == model.intercept_.dtype == np.float32
    wide = HuberRegressor().fit(X.astype(float), y.astype(float), w.astype(float))
    assert_allclose(model.coef_, wide.coef_, rtol=1e-6)
    test_threads_and_float32.bits = getattr(test_threads_and_float32, "bits", model.coef_)
    assert_array_equal(model.coef_, test_threads_and_float32.bits)


def test_bad_input():
    X, y, _ = draw()
    with pytest.raises(ValueError, match="Negative values"):
        HuberRegressor().fit(X, y, -np.ones(len(y)))
    with pytest.raises(ValueError, match="NaN"):
        HuberRegressor().fit(X, np.where(np.arange(len(y)) == 2, np.nan, y))
    with pytest.raises(ValueError, match=r"too large|infinity"):
        HuberRegressor().fit(X, y * 1e307)


def test_a_fit_that_is_in_its_own_way_says_so():
    found = Minimum(np.zeros(2), 3, False, {"gradient": [0.5]}, STUCK, "newton")
    assert "no lower point after 3 iterations, and yet the gradient is 5." in why_not(
        found, 100, 10
    )


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_epsilon_of_one_is_least_absolute_deviations(container, scale):
    for seed in range(4):
        X, y, w = draw(n=80, p=5, seed=seed)
        X[:, 4], y = X[:, 0], scale * y  # collinear
        w[:9] = 0.0
        model = HuberRegressor(epsilon=1.0, alpha=0.0).fit(container(X), y, w)
        A = np.column_stack([np.ones(80), X])
        A = np.column_stack([A, -A, np.eye(80), -np.eye(80)])
        best = linprog(np.concatenate([np.zeros(12), 2 * w, 2 * w]), A_eq=A, b_eq=y / scale).fun
        assert_allclose(objective(model, X, y, w) / scale, best, rtol=1e-6)
        assert model.n_iter_ < 25
        assert (np.diff(model.history_["gap"]) < 1e-6 * scale).all()


def test_epsilon_of_one_keeps_the_other_parameters():
    X, y, w = draw()
    for alpha in (0.1, 100.0):
        model = HuberRegressor(epsilon=1.0, alpha=alpha, tol=0.0).fit(X, y, w)
        theirs = reference.HuberRegressor(epsilon=1.0, alpha=alpha, max_iter=1000).fit(X, y, w)
        best = objective(model, X, y, w)
        assert best <= objective(theirs, X, y, w)
        assert_allclose(model.history_["loss"][-1] * w.sum(), best, rtol=1e-8)
        for step in np.vstack([np.eye(4), -np.eye(4)]) * 1e-3:
            moved = HuberRegressor(epsilon=1.0, alpha=alpha)
            vars(moved).update(vars(model), coef_=model.coef_ + step)
            residuals = np.abs(y - X @ moved.coef_ - model.intercept_)
            assert best <= 2 * w @ residuals + alpha * moved.coef_ @ moved.coef_ + 1e-9
    with pytest.warns(ConvergenceWarning, match="max_iter=2 iterations: the gap"):
        assert HuberRegressor(epsilon=1.0, max_iter=2).fit(X, y).n_iter_ == 2
    loose, tight = (HuberRegressor(epsilon=1.0, tol=tol).fit(X, y) for tol in (10.0, 1e-8))
    assert loose.n_iter_ < tight.n_iter_
