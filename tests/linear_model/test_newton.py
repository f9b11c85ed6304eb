"""Newton's method and L-BFGS: the minimum that scipy finds, and what happens on the way."""

import warnings

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.linalg import LinAlgWarning
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer

from skcourse.core.losses import LOGISTIC, POISSON, SQUARED, Loss
from skcourse.linear_model.lbfgs import lbfgs
from skcourse.linear_model.line_search import Point, search
from skcourse.linear_model.metric import Diagonal, Identity, Kronecker, metric_at
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.newton import newton_cholesky
from skcourse.linear_model.newton_cg import newton_cg
from skcourse.linear_model.penalised_risk import MAX_ITER, PenalisedRisk
from skcourse.linear_model.risk import Risk

SOLVERS = [lbfgs, newton_cholesky, newton_cg]


def problem(loss, n=300, p=5, seed=0, sparse=False):
    """Return a risk of rows whose columns have very different scales."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * np.logspace(-1, 1.5, p)
    z = X @ (1 / np.logspace(-1, 1.5, p)) / np.sqrt(p)
    X = sp.csr_array(X) if sparse else X
    if loss == "multinomial":
        return MultinomialRisk(X, (z + rng.gumbel(size=(3, n)) * 0.5).argmax(axis=0), 3)
    y = rng.poisson(np.exp(z)) if loss == POISSON else np.where(z > rng.logistic(size=n), 1.0, -1.0)
    return Risk(X, y, Loss(loss))


def scipy_minimum(risk, l2):
    """Return the least value of (1) by scipy."""
    function = PenalisedRisk(risk, l2).value_and_gradient
    start = np.zeros((risk.p + 1) * risk.outputs)
    options = {"maxiter": 20_000, "maxfun": 40_000, "gtol": 1e-12, "ftol": 1e-16}
    return minimize(function, start, jac=True, method="L-BFGS-B", options=options).fun


@pytest.mark.parametrize("loss", [SQUARED, LOGISTIC, POISSON, "multinomial"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("sparse", [False, True])
def test_the_minimum_is_that_of_scipy(solver, loss, sparse):
    risk = problem(loss, sparse=sparse)
    l2 = np.linspace(1e-3, 1e-2, risk.p)
    start = np.zeros((risk.p + 1) * risk.outputs)
    found = solver(risk, start, l2, tol=1e-10, max_iter=200)
    assert found.converged
    value, gradient = PenalisedRisk(risk, l2).value_and_gradient(found.theta)
    assert np.abs(gradient).max() <= 1e-10
    # Convex: no lower value exists; scipy's stops within its own rounding of it.
    assert value <= scipy_minimum(risk, l2) + 1e-14
    assert len(found.history["loss"]) == found.n_iter < 60
    assert np.all(np.diff(found.history["loss"]) <= 1e-13)


@pytest.mark.parametrize("solver", SOLVERS)
def test_iterations_are_counted_and_bounded(solver):
    risk = problem(LOGISTIC)
    found = solver(risk, np.zeros(6), 1e-3, tol=1e-12, max_iter=2)
    assert (found.n_iter, found.converged, found.reason) == (2, False, MAX_ITER)
    nothing = solver(risk, np.ones(6), 1e-3, max_iter=0)
    assert nothing.n_iter == 0 and np.array_equal(nothing.theta, np.ones(6))


@pytest.mark.parametrize("solver", SOLVERS)
def test_without_an_intercept_it_stays(solver):
    risk = problem(LOGISTIC)
    risk = Risk(risk.X, risk.targets.values, risk.loss, fit_intercept=False)
    start = np.array([0.0, 0, 0, 0, 0, 0.7])
    assert solver(risk, start, 1e-2, tol=1e-8).theta[-1] == 0.7


def test_a_singular_hessian_is_left_to_lbfgs():
    X = np.random.default_rng(0).normal(size=(50, 3))
    risk = Risk(np.hstack([X, X]), np.sign(X[:, 0] + 0.5 * X[:, 1] ** 2 - 0.4), Loss(LOGISTIC))
    with pytest.warns(LinAlgWarning, match="ill-conditioned"):
        found = newton_cholesky(risk, np.zeros(7), 0.0, tol=1e-8)
    assert found.converged and found.solver == "lbfgs"
    assert len(found.history["loss"]) == found.n_iter
    # The least norm, to eps over the floor that the metric has where it is flat, 1e-10.
    np.testing.assert_allclose(found.theta[:3], found.theta[3:6], rtol=2e-5)


def test_the_metric_is_the_hessian_at_zero_and_saves_passes():
    for loss in (LOGISTIC, "multinomial"):
        risk = problem(loss)
        whole = PenalisedRisk(risk, 1e-2)
        theta = np.zeros((risk.p + 1) * risk.outputs)
        _, gradient = whole.value_and_gradient(theta)
        metric = metric_at(whole, gradient)
        assert isinstance(metric, Kronecker)
        solution = metric.solve(gradient)
        back = whole.hessian_product(solution)
        np.testing.assert_allclose(back, gradient, rtol=1e-6, atol=1e-9 * np.abs(gradient).max())


def test_which_metric():
    rng = np.random.default_rng(0)
    wide = Risk(rng.normal(size=(20, 1000)), rng.choice([-1.0, 1.0], 20), Loss(LOGISTIC))
    _, gradient = wide.value_and_gradient(np.zeros(1001))
    assert isinstance(metric_at(PenalisedRisk(wide, 0.0), gradient), Identity)
    diagonal = metric_at(PenalisedRisk(wide, 0.1), gradient)
    assert isinstance(diagonal, Diagonal)
    np.testing.assert_allclose(
        diagonal.entries[:-1], np.square(wide.X).mean(axis=0) / 4 + 0.1, rtol=1e-12
    )


def test_a_rare_column_that_the_sample_misses_does_not_look_flat():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, 5))
    X[:, 4] = 0.0
    X[1::1000, 4] = 30.0  # never in a row that is a multiple of the sampling step
    y = np.where(X[:, 0] > rng.logistic(size=len(X)), 1.0, -1.0)
    found = lbfgs(Risk(X, y, Loss(LOGISTIC)), np.zeros(6), 1e-6, tol=1e-8)
    assert found.converged and found.n_iter < 25


class Parabola:
    """t -> (t - 3)^2 k: far from where a step of 1 leads."""

    def __init__(self, k):
        self.k = k

    def value_and_gradient(self, theta):
        return self.k * (theta[0] - 3) ** 2, np.array([2 * self.k * (theta[0] - 3)])


@pytest.mark.parametrize("k", [1e-3, 1.0, 1e3])
def test_line_searches_satisfy_their_conditions(k):
    function = Parabola(k)
    start = Point(np.zeros(1), *function.value_and_gradient(np.zeros(1)))
    for direction in (np.array([1e-2]), np.array([1.0]), np.array([1e3])):
        found = search(function, start, direction)
        slope = start.gradient @ direction
        t = found.theta[0] / direction[0]
        assert found.value <= start.value + 1e-4 * t * slope
        assert found.gradient @ direction >= 0.9 * slope
    assert search(function, start, np.array([-1.0])) is None


def test_history_and_lbfgs_print_what_they_do(capsys):
    lbfgs(problem(LOGISTIC), np.zeros(6), 1e-3, verbose=True)
    assert "Iteration 1, loss" in capsys.readouterr().out


def test_rounding_in_what_classes_share_does_not_grow():
    risk = problem("multinomial", n=150)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lbfgs(risk, np.zeros(18), 1e-5, tol=1e-9, max_iter=500)
    assert np.abs(found.theta.reshape(-1, 3).sum(axis=1)).max() < 1e-12


def test_a_new_metric_where_classes_can_nearly_be_told_apart(monkeypatch):
    X, y = load_breast_cancer(return_X_y=True)
    risk = Risk(X, 2.0 * y - 1.0, Loss(LOGISTIC))
    args = np.zeros(31), 1 / len(y)
    found = lbfgs(risk, *args, tol=1e-7, max_iter=1000)
    monkeypatch.setattr("skcourse.linear_model.lbfgs.RENEWAL", np.inf)
    slow = lbfgs(risk, *args, tol=1e-7, max_iter=1000)
    assert found.converged and found.n_iter < slow.n_iter / 2
    np.testing.assert_allclose(found.history["loss"][-1], slow.history["loss"][-1], rtol=1e-7)
