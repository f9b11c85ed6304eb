"""Proximal Newton: subgradients at the minimum, closed forms, working sets."""

import numpy as np
import pytest
import scipy.sparse as sp

from skcourse.core.losses import LOGISTIC, POISSON, SQUARED, Loss
from skcourse.core.penalties import ELASTIC_NET, L0, L1, MCP, NO_PENALTY, SCAD, Penalty
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.proximal_newton import proximal_newton
from skcourse.linear_model.risk import Risk


def rows(n=200, p=30, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.6)
    z = X[:, :4] @ [2.0, -1.5, 1.0, 0.5]
    return X, z, rng


def risk_for(loss, kind):
    X, z, rng = rows()
    stored = {"dense": X, "float32": X.astype(np.float32), "sparse": sp.csr_array(X)}[kind]
    if loss == "multinomial":
        scores = z[:, np.newaxis] * [1.0, 0.0, -1.0] + rng.gumbel(size=(len(z), 3))
        return MultinomialRisk(stored, scores.argmax(axis=1), 3)
    if loss == LOGISTIC:
        return Risk(stored, np.where(z > rng.logistic(size=len(z)), 1.0, -1.0), Loss(loss))
    y = rng.poisson(np.exp(0.5 * z)) if loss == POISSON else z + rng.normal(size=len(z))
    return Risk(stored, y, Loss(loss))


@pytest.mark.parametrize("loss", [SQUARED, LOGISTIC, POISSON, "multinomial"])
@pytest.mark.parametrize("kind", ["dense", "float32", "sparse"])
@pytest.mark.parametrize("share", [1.0, 0.6])
def test_slopes_at_the_minimum(loss, kind, share):
    risk = risk_for(loss, kind)
    weights = np.linspace(0.5, 1.5, risk.p)
    found = proximal_newton(
        risk,
        Penalty(ELASTIC_NET, 0.03, share),
        weights,
        np.zeros((risk.p + 1) * risk.outputs),
        tol=1e-9,
    )
    assert found.converged and found.n_iter < 30
    theta = found.theta.reshape(-1, risk.outputs)
    gradient = risk.value_and_gradient(found.theta)[1].reshape(theta.shape)
    W, slopes = theta[:-1], gradient[:-1]
    strength = 0.03 * weights[:, np.newaxis]
    slopes = slopes + strength * (1 - share) * W
    on = W != 0
    limit = np.broadcast_to(strength * share, W.shape)
    # -slope is a subgradient of the penalty, to the tolerance; float32 rows are exact in float64.
    assert 0 < on.sum() < on.size
    np.testing.assert_allclose(slopes[on], -(np.sign(W) * limit)[on], atol=2e-9)
    assert np.all(np.abs(slopes[~on]) <= limit[~on] + 2e-9)
    assert np.abs(gradient[-1]).max() <= 2e-9


def test_orthogonal_columns_have_closed_forms():
    # With X'X / n = I and squared error, each coefficient is a proximal step of its own.
    n, p = 64, 6
    X = np.sqrt(n) * np.linalg.qr(np.random.default_rng(0).normal(size=(n, p)))[0]
    best = np.array([3.0, -2.0, 1.2, 0.9, -0.4, 0.1])
    risk = Risk(X, X @ best, Loss(SQUARED), fit_intercept=False)

    def fit(code, shape=0.0):
        return proximal_newton(risk, Penalty(code, 1.0, shape), 1.0, np.zeros(p + 1)).theta[:p]

    np.testing.assert_allclose(fit(L1), [2.0, -1.0, 0.2, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(fit(MCP, 2.5), [3.0, -1.0 / 0.6, 0.2 / 0.6, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(fit(SCAD, 3.7), [4.4 / 1.7, -1.0, 0.2, 0, 0, 0], atol=1e-12)
    np.testing.assert_allclose(fit(L0), [3.0, -2.0, 0, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("loss", [LOGISTIC, "multinomial"])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_the_two_models_agree(monkeypatch, loss, kind):
    risk = risk_for(loss, kind)
    args = Penalty(L1, 1.0), 0.02, np.zeros((risk.p + 1) * risk.outputs)
    written = proximal_newton(risk, *args, tol=1e-10)
    monkeypatch.setattr("skcourse.linear_model.quadratic_model.WRITTEN_OUT", 0)
    monkeypatch.setattr("skcourse.linear_model.quadratic_model.SEVERAL", 0)
    by_columns = proximal_newton(risk, *args, tol=1e-10)
    np.testing.assert_allclose(written.theta, by_columns.theta, atol=1e-8)


@pytest.mark.parametrize(("code", "share"), [(L1, 0.0), (ELASTIC_NET, 0.5), (NO_PENALTY, 0.0)])
def test_the_support_moves_at_once_where_columns_are_nearly_the_same(monkeypatch, code, share):
    X, z, rng = rows()
    X = np.hstack([X[:, :10], X[:, :10] + 1e-4 * rng.normal(size=(len(z), 10))])
    risk = Risk(X, np.where(z > rng.logistic(size=len(z)), 1.0, -1.0), Loss(LOGISTIC))
    args = Penalty(code, 1e-6, share), 1.0, np.zeros(risk.p + 1)
    assert proximal_newton(risk, *args, tol=1e-9, max_iter=30).converged
    monkeypatch.setattr("skcourse.linear_model.quadratic_model.move_support", lambda *_: None)
    assert not proximal_newton(risk, *args, tol=1e-9, max_iter=30).converged


def test_working_sets_grow_and_history_tells():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 1500))
    y = np.where(X[:, :20].sum(axis=1) > rng.logistic(size=100), 1.0, -1.0)
    found = proximal_newton(
        Risk(X, y, Loss(LOGISTIC)), Penalty(L1, 1.0), 0.02, np.zeros(1501), tol=1e-8
    )
    assert found.converged
    assert np.all(np.diff(found.history["loss"]) <= 1e-13)
    assert found.history["n_active"][-1] == np.count_nonzero(found.theta[:-1]) < 100
    assert found.history["violation"][-1] <= 1e-8


def test_max_iter_and_start():
    risk = risk_for(LOGISTIC, "dense")
    args = Penalty(L1, 1.0), 0.02
    short = proximal_newton(risk, *args, np.zeros(risk.p + 1), tol=1e-12, max_iter=1)
    assert short.n_iter == 1 and not short.converged
    end = proximal_newton(risk, *args, np.zeros(risk.p + 1), tol=1e-10)
    again = proximal_newton(risk, *args, end.theta, tol=1e-8)
    assert again.n_iter <= 1


@pytest.mark.parametrize("code", [L1, MCP, SCAD])
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_a_penalty_that_no_coefficient_is_worth_leaves_nothing_to_move(kind, code):
    X, z, _ = rows()
    X = sp.csr_array(X) if kind == "sparse" else X
    risk = Risk(X, np.where(z > 0, 1.0, -1.0), Loss(LOGISTIC), fit_intercept=False)
    found = proximal_newton(risk, Penalty(code, 0.5, 3.0), 100.0, np.zeros(risk.p + 1))
    assert found.converged
    np.testing.assert_array_equal(found.theta, 0.0)
