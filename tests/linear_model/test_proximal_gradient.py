"""Accelerated proximal gradient descent: optimality by its conditions, proximal Newton agrees."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

from skcourse.core.losses import HUBER, LOGISTIC, POISSON, SQUARED, Loss
from skcourse.core.penalties import (
    ELASTIC_NET,
    GROUP,
    L0,
    L1,
    MCP,
    NO_PENALTY,
    SCAD,
    Penalty,
    penalty_value,
)
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.proximal_gradient import proximal_gradient
from skcourse.linear_model.proximal_newton import proximal_newton
from skcourse.linear_model.risk import Risk

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 6)) * np.geomspace(1, 30, 6) + 5
Z = (X - 5) @ (np.array([1, -1, 0.5, 0, 0, 0]) / np.geomspace(1, 30, 6))
TARGETS = {
    SQUARED: Z + RNG.normal(size=80),
    HUBER: Z + RNG.standard_t(2, size=80),
    LOGISTIC: np.where(Z + RNG.logistic(size=80) > 0, 1.0, -1.0),
    POISSON: RNG.poisson(np.exp(Z / 2)).astype(float),
}
NONE = np.empty(0)
EDGES = np.array([0, 2, 3, 6])


def risk_for(code, rows=X):
    return Risk(rows, TARGETS[code], Loss(code, 0.7))


@pytest.mark.parametrize("code", [SQUARED, HUBER, LOGISTIC, POISSON])
@pytest.mark.parametrize("penalty", [Penalty(L1, 0.05), Penalty(ELASTIC_NET, 0.1, 0.4)])
def test_proximal_newton_agrees(code, penalty):
    weights = np.array([1.0, 2.0, 0.0, 1.0, 1.0, 3.0])
    first = proximal_gradient(risk_for(code), penalty, weights, np.zeros(7), tol=1e-10)
    second = proximal_newton(
        risk_for(code), penalty, weights, np.zeros(7), tol=1e-10, max_iter=1000
    )
    assert first.converged
    assert first.history["loss"][-1] == pytest.approx(second.history["loss"][-1], rel=1e-12)
    np.testing.assert_allclose(first.theta, second.theta, atol=1e-6)


@pytest.mark.parametrize("code", [SQUARED, LOGISTIC, POISSON])
def test_groups_are_optimal(code):
    """Where |w_G| > 0 the gradient is -a c_G w_G / |w_G|, elsewhere no longer than a c_G."""
    a, c = 0.15, np.array([1.0, 1.0, 2.0, 0.5, 0.5, 0.5])
    found = proximal_gradient(
        risk_for(code), Penalty(GROUP, a), c, np.zeros(7), groups=EDGES, tol=1e-10, max_iter=5000
    )
    gradient = risk_for(code).value_and_gradient(found.theta)[1]
    assert abs(gradient[-1]) <= 1e-9
    for first, end in itertools.pairwise(EDGES):
        w, g = found.theta[first:end], gradient[first:end]
        strength = a * c[first] * np.sqrt(end - first)
        if w.any():
            np.testing.assert_allclose(g, -strength * w / np.linalg.norm(w), atol=1e-8)
        else:
            assert np.linalg.norm(g) <= strength


@pytest.mark.parametrize("penalty", [Penalty(MCP, 0.2, 3.0), Penalty(SCAD, 0.2, 3.7)])
def test_no_coordinate_leads_down(penalty):
    """A stationary point of a penalty that is not convex: small moves do not lower F."""
    risk = risk_for(SQUARED)
    found = proximal_gradient(risk, penalty, 1.0, np.zeros(7), tol=1e-10, max_iter=5000)

    def total(theta):
        return risk.value(theta) + penalty_value(penalty, theta[:-1], NONE, NONE.astype(np.int64))

    assert found.history["loss"][-1] == pytest.approx(total(found.theta), rel=1e-12)
    for j in range(7):
        for step in (1e-4, -1e-4):
            moved = found.theta.copy()
            moved[j] += step
            assert total(moved) >= total(found.theta) - 1e-12


def test_l0_keeps_or_drops():
    """Of l0, kept coefficients are unpenalised: least squares on the support."""
    found = proximal_gradient(
        risk_for(SQUARED), Penalty(L0, 0.05), 1.0, np.zeros(7), tol=1e-11, max_iter=5000
    )
    support = np.flatnonzero(found.theta[:-1])
    assert 0 < len(support) < 6
    A = np.column_stack([X[:, support], np.ones(80)])
    expected = np.linalg.lstsq(A, TARGETS[SQUARED])[0]
    np.testing.assert_allclose(found.theta[[*support, 6]], expected, atol=1e-7)


@pytest.mark.parametrize("code", [SQUARED, POISSON])
def test_loss_never_rises_and_a_shift_is_nothing(code):
    penalty = Penalty(L1, 0.02)
    found = proximal_gradient(risk_for(code), penalty, 1.0, np.zeros(7), tol=1e-9)
    losses = found.history["loss"]
    assert np.all(np.diff(losses) <= 1e-12 * np.abs(losses[:-1]))
    shifted = proximal_gradient(risk_for(code, X + 1000), penalty, 1.0, np.zeros(7), tol=1e-9)
    np.testing.assert_allclose(shifted.theta[:-1], found.theta[:-1], atol=1e-6)


def test_several_classes():
    codes = np.digitize(Z, [-1, 1])
    found = proximal_gradient(
        MultinomialRisk(X, codes, 3), Penalty(L1, 0.03), 1.0, np.zeros(21), tol=1e-9, max_iter=5000
    )
    gradient = MultinomialRisk(X, codes, 3).value_and_gradient(found.theta)[1]
    w, g = found.theta[:-3], gradient[:-3]
    np.testing.assert_allclose(g[w != 0], -0.03 * np.sign(w[w != 0]), atol=1e-8)
    assert np.abs(g).max() <= 0.03 + 1e-8
    assert np.abs(gradient[-3:]).max() <= 1e-8


def test_sparse_rows_stop_and_limit():
    dense = proximal_gradient(risk_for(SQUARED), Penalty(NO_PENALTY, 0), 1.0, np.zeros(7), tol=1e-9)
    rows = sp.csr_array(X)
    sparse = proximal_gradient(
        risk_for(SQUARED, rows), Penalty(NO_PENALTY, 0), 1.0, np.zeros(7), tol=1e-9
    )
    np.testing.assert_allclose(sparse.theta, dense.theta, atol=1e-8)
    cut = proximal_gradient(
        risk_for(SQUARED), Penalty(L1, 0.1), 1.0, np.zeros(7), tol=1e-12, max_iter=3
    )
    assert (cut.n_iter, cut.converged, cut.reason) == (3, False, "max_iter")
    again = proximal_gradient(risk_for(SQUARED), Penalty(NO_PENALTY, 0), 1.0, dense.theta, tol=1e-8)
    assert again.n_iter == 0
