"""Coordinate descent on products, Newton's method on the support, and extrapolation."""

import numpy as np
import pytest

from skcourse.core.coordinate_step import Rules
from skcourse.core.duality_gap import Net
from skcourse.core.extrapolation import WINDOW, extrapolate, in_one_piece, mixture
from skcourse.core.gram_descent import descend_each, descend_gram
from skcourse.core.support_newton import newton_steps, solve
from skcourse.linear_model.coordinate_descent import Features, descend_rows


def correlated(n_targets=1, n=60, k=12):
    """Return features, (k, n), that share a direction, and targets."""
    rng = np.random.default_rng(0)
    Z = rng.standard_normal((k, n)) + 3 * rng.standard_normal(n)
    return Z, rng.standard_normal((n_targets, k)) @ Z + rng.standard_normal((n_targets, n))


def rules(max_sweeps=10_000):
    return Rules(1e-10, 1e-10, -1.0, max_sweeps, False, np.uint64(0))


def by_rows(Z, Y, net, how):
    none, no = np.empty(0), np.empty(0, np.int64)
    features = Features(False, (Z**2).sum(axis=1), Z, none, no, no, none, none, 0.0)
    return descend_rows(features, net, how, np.zeros((len(Y), len(Z))), Y, np.zeros((len(Y), 2)))


def by_products(Z, Y, net, how):
    gram, w = Z @ Z.T, np.zeros((len(Y), len(Z)))
    return descend_gram(gram, np.diag(gram).copy(), net, how, w, Y @ Z.T, np.vdot(Y, Y))


@pytest.mark.parametrize("n_targets", [1, 3])
@pytest.mark.parametrize("net", [Net(30.0, 0.0, False), Net(10.0, 5.0, False)], ids=["l1", "both"])
def test_rows_and_products_lead_to_the_same_place(n_targets, net):
    Z, Y = correlated(n_targets)
    a, b = by_rows(Z, Y, net, rules()), by_products(Z, Y, net, rules())
    assert a.ended and b.ended
    # the gap, 1e-10, bounds the objective: coefficients are as near as its root, times curvature
    np.testing.assert_allclose(a.w, b.w, atol=1e-5)
    for found in (a, b):
        residual = Y - found.w @ Z
        np.testing.assert_allclose(found.slopes, residual @ Z.T, atol=1e-6)
        np.testing.assert_allclose(found.squares, np.vdot(residual, residual), rtol=1e-8)


@pytest.mark.parametrize("positive", [False, True])
def test_each_target_by_itself_from_anywhere(positive):
    Z, Y = correlated(5)
    Z[3] = 0.0
    net, how = Net(10.0, 0.0, positive), rules()._replace(gap=1e-12)
    gram, products, squares = Z @ Z.T, Y @ Z.T, (Y**2).sum(axis=1)
    start = np.random.default_rng(2).standard_normal(products.shape)
    for codes in (np.zeros_like(start), start):
        good = np.zeros(5, np.bool_)
        descend_each(gram, net, how, products, squares, codes, good)
        assert good.all()
        np.testing.assert_array_equal(codes[:, 3], 0.0)
        slopes = products - codes @ gram
        # the gap, 1e-12 |y|^2, bounds the slopes by its root times the largest |z_j|
        slack = np.sqrt(1e-12 * squares.max() * gram.diagonal().max())
        assert (slopes if positive else np.abs(slopes)).max() <= 10 + slack
        np.testing.assert_allclose(
            slopes[codes != 0], 10 * np.sign(codes[codes != 0]), rtol=0, atol=slack
        )
        assert not positive or (codes >= 0).all()
    few = how._replace(max_sweeps=1)
    descend_each(gram, net, few, products, squares, np.zeros_like(start), good)
    assert not good.all()


def test_newton_saves_sweeps():
    Z, Y = correlated()
    net = Net(1.0, 0.0, False)
    with np.errstate(over="ignore"):  # 64 bits wrap around: numpy says so, compiled code does not
        plain = by_rows(Z, Y, net, rules()._replace(random=True))  # no extrapolation either
    assert by_products(Z, Y, net, rules()).n_sweeps < plain.n_sweeps / 4


def test_newton_ends_where_the_slopes_are_the_penalty():
    Z, Y = correlated()
    gram, net = Z @ Z.T, Net(1.0, 2.0, False)
    w = np.linalg.solve(gram, Z @ Y[0])  # no coefficient is 0
    slopes = Z @ Y[0] - gram @ w
    assert newton_steps(gram, net, w, slopes, 10**6) == 0
    np.testing.assert_allclose(slopes, Z @ Y[0] - gram @ w, atol=1e-9 * np.abs(gram).max())
    active = w != 0
    np.testing.assert_allclose((slopes - 2.0 * w)[active], np.sign(w[active]), atol=1e-9 * 1e4)


def test_newton_costs_no_more_than_its_credit():
    Z, Y = correlated()
    w, slopes = np.ones(len(Z)), Z @ Y[0]
    assert newton_steps(Z @ Z.T, Net(1.0, 0.0, False), w, slopes, 10) == 10
    assert (w == 1).all()


def test_cholesky_solves_and_refuses():
    Z, _ = correlated()
    gram, d = Z @ Z.T, np.arange(12.0)
    expected = np.linalg.solve(gram, d)
    assert solve(gram.copy(), d)
    np.testing.assert_allclose(d, expected, rtol=1e-10)
    assert not solve(np.ones((2, 2)), np.ones(2))


def test_a_geometric_series_is_followed_to_its_limit():
    limit = np.random.default_rng(1).standard_normal(5)
    past = limit * (1 - 0.9 ** np.arange(WINDOW + 1.0)[:, np.newaxis])
    c = mixture(past)
    assert c.sum() == pytest.approx(1)
    np.testing.assert_allclose(c @ past[1:], limit, rtol=0.05)  # RIDGE keeps it from being exact
    assert np.abs(past[-1] / limit - 1).min() > 0.5
    assert mixture(np.ones((WINDOW + 1, 5))) is None  # nothing moves


def test_extrapolation_that_does_not_help_is_not_taken():
    flat, w = in_one_piece(np.array([[1.0, 2.0]]))
    past = np.vstack([np.random.default_rng(0).standard_normal((WINDOW, 2)), flat])
    extrapolate(flat, w, past, Net(1.0, 0.0, False), lambda: np.inf)
    np.testing.assert_array_equal(flat, [1.0, 2.0])
