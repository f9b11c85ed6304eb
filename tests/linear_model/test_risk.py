"""Risks: gradients and Hessians against finite differences, for any rows, weights and loss."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from skcourse.core.losses import GAMMA, HUBER, LOGISTIC, POISSON, SQUARED, Loss
from skcourse.linear_model.multinomial_risk import MultinomialRisk
from skcourse.linear_model.risk import Risk

LOSSES = [Loss(SQUARED), Loss(LOGISTIC), Loss(POISSON), Loss(GAMMA), Loss(HUBER, 1.35)]
KINDS = {
    "dense": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "sparse": sp.csr_array,
}
STEP = 1e-5  # central differences are off by about STEP^2 and eps / STEP, both below 1e-9


def rows(seed, n=40, p=3):
    """Return X, float32 numbers, some 0; labels -1 or 1; classes; and weights, some 0."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(n, p)) * (rng.random((n, p)) < 0.7)).astype(np.float32)
    weights = rng.integers(0, 4, n).astype(float)
    return X.astype(float), rng.choice([-1.0, 1.0], n), rng.integers(0, 3, n), weights


def risks(seed, kind, fit_intercept, weighted):
    """Yield risks of every kind."""
    X, signs, codes, weights = rows(seed)
    weights = weights if weighted else None
    X = KINDS[kind](X)
    for loss in LOSSES:
        y = signs if loss.code == LOGISTIC else signs + 2.0
        yield Risk(X, y, loss, weights, fit_intercept=fit_intercept)
    yield MultinomialRisk(X, codes, 3, weights, fit_intercept=fit_intercept)


def direction(rng, risk):
    """Return a direction in which a risk may be asked to go."""
    v = rng.normal(size=(risk.p + 1, risk.outputs))
    if risk.outputs > 1:
        v -= v.mean(axis=1, keepdims=True)
    if not risk.fit_intercept:
        v[-1] = 0.0
    return v.ravel()


@given(st.integers(0, 10_000), st.sampled_from(sorted(KINDS)), st.booleans(), st.booleans())
def test_gradients_and_hessians_are_derivatives(seed, kind, fit_intercept, weighted):
    rng = np.random.default_rng(seed)
    for risk in risks(seed, kind, fit_intercept, weighted):
        theta, v = 0.3 * direction(rng, risk), direction(rng, risk)
        (above, up), (below, down) = (
            risk.value_and_gradient(theta + sign * STEP * v) for sign in (1, -1)
        )
        gradient = risk.value_and_gradient(theta)[1]
        assert gradient @ v == pytest.approx((above - below) / (2 * STEP), rel=1e-6, abs=1e-8)
        product = risk.hessian_product(v)
        np.testing.assert_allclose(risk.hessian() @ v, product, rtol=1e-9, atol=1e-12)
        if risk.outputs > 1 or risk.loss.code != HUBER:  # whose slope has kinks
            np.testing.assert_allclose(product, (up - down) / (2 * STEP), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_risk_is_the_weighted_mean_of_the_losses(kind):
    X, signs, codes, weights = rows(0)
    theta = np.array([0.5, -1.0, 0.3, 0.2])
    expected = np.average(np.logaddexp(0, -signs * (X @ theta[:3] + 0.2)), weights=weights)
    risk = Risk(KINDS[kind](X), signs, Loss(LOGISTIC), weights)
    assert risk.value(theta) == pytest.approx(expected, rel=1e-14)
    assert np.allclose(risk.raw(theta), X @ theta[:3] + 0.2, rtol=1e-14)
    W = np.random.default_rng(1).normal(size=(4, 3))
    z = X @ W[:3] + W[3]
    losses = np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), codes]
    risk = MultinomialRisk(KINDS[kind](X), codes, 3, weights)
    assert risk.value(W.ravel()) == pytest.approx(np.average(losses, weights=weights), rel=1e-13)


def test_the_diagonal_and_the_curvature_of_classes():
    for risk in risks(3, "sparse", True, True):
        theta = np.zeros((risk.p + 1) * risk.outputs)
        risk.value_and_gradient(theta)
        A, S = risk.curvature()
        _, squares = risk.curvature_diagonal()
        np.testing.assert_allclose(squares, np.diagonal(S), rtol=1e-12)
        v = direction(np.random.default_rng(0), risk)
        exact = np.kron(S, A) @ v  # at 0, where all rows have the same probabilities
        np.testing.assert_allclose(exact, risk.hessian_product(v), rtol=1e-10, atol=1e-14)


def test_a_step_samples_rows():
    X, signs, _, _ = rows(5, n=400)
    risk = Risk(np.repeat(X, 3, axis=0), np.repeat(signs, 3), Loss(LOGISTIC))
    risk.value_and_gradient(np.ones(4))
    np.testing.assert_allclose(risk.hessian(step=3), risk.hessian(), rtol=1e-12)


def test_a_risk_remembers_one_theta_and_its_loss():
    X, signs, _, _ = rows(0)
    risk = Risk(X, signs, Loss(HUBER, 1.0))
    theta = np.ones(4)
    first = risk.value(theta)
    assert risk.value(theta) == first
    risk.loss = Loss(HUBER, 0.1)
    assert risk.value(theta) != first
    theta[0] = 2.0
    assert risk.value(theta) == Risk(X, signs, risk.loss).value(theta)


def test_threads_change_no_bit():
    rng = np.random.default_rng(0)
    X, y, codes = rng.normal(size=(30_000, 20)), rng.choice([-1.0, 1.0], 30_000), None
    codes = rng.integers(0, 4, len(y))
    for make in (
        lambda n_jobs: Risk(X, y, Loss(LOGISTIC), n_jobs=n_jobs),
        lambda n_jobs: MultinomialRisk(X, codes, 4, n_jobs=n_jobs),
    ):
        one, four = make(1), make(4)
        theta = rng.normal(size=21 * one.outputs)
        for a, b in zip(one.value_and_gradient(theta), four.value_and_gradient(theta), strict=True):
            assert np.array_equal(a, b)
        assert np.array_equal(one.hessian_product(theta), four.hessian_product(theta))
