"""The interior point method: linear programming and support vectors agree, the gap is true."""

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog
from sklearn.svm import SVC

from skcourse.linear_model.interior_point import Kinks, interior_point

RNG = np.random.default_rng(0)
N, P = 60, 3
X = RNG.normal(size=(N, P)) * [1, 10, 0.1] + [0, 100, 3]
Y = X @ [1.0, 0.1, 0.0] + RNG.normal(size=N)
SIGNS = np.where(X[:, 0] + RNG.normal(size=N) > 0, 1.0, -1.0)


def pinball(q):
    return Kinks(Y[np.newaxis], np.full((1, N), -q / N), np.full((1, N), (1 - q) / N))


def hinge():
    low, high = np.where(SIGNS > 0, -1 / N, 0.0), np.where(SIGNS > 0, 0.0, 1 / N)
    return Kinks(SIGNS[np.newaxis], low[np.newaxis], high[np.newaxis])


def insensitive(epsilon):
    ends = np.stack([Y - epsilon, Y + epsilon])
    side, flat = np.full(N, 1 / N), np.zeros(N)
    return Kinks(ends, np.stack([-side, flat]), np.stack([flat, side]))


def objective(kinks, theta, bends, squares):
    u = X @ theta[:-1] + theta[-1] - kinks.at
    loss = np.maximum(kinks.high * u, kinks.low * u).sum()
    return loss + bends * np.abs(theta[:-1]).sum() + squares * (theta[:-1] ** 2).sum() / 2


def by_linear_programming(kinks, bend):
    """Return the least objective: u = p - m for each term, w = w+ - w-."""
    terms = kinks.at.size
    A = np.tile(np.column_stack([X, -X, np.ones(N), -np.ones(N)]), (len(kinks.at), 1))
    A = np.hstack([A, -np.eye(terms), np.eye(terms)])
    cost = np.concatenate([np.full(2 * P, bend), [0, 0], kinks.high.ravel(), -kinks.low.ravel()])
    return linprog(cost, A_eq=A, b_eq=kinks.at.ravel()).fun


@pytest.mark.parametrize("kinks", [pinball(0.3), hinge(), insensitive(0.5)])
@pytest.mark.parametrize("bend", [0.0, 0.05])
def test_linear_programming_agrees(kinks, bend):
    found = interior_point(X, kinks, np.zeros(P + 1), bends=np.full(P, bend), squares=np.zeros(P))
    assert found.converged
    best = by_linear_programming(kinks, bend)
    value = objective(kinks, found.theta, bend, 0.0)
    assert best - 1e-12 <= value <= best + 1e-8  # the tolerance of the gap


def test_support_vectors_agree():
    C, rows = 2.0, (X - X.mean(axis=0)) / X.std(axis=0)
    found = interior_point(
        rows,
        hinge(),
        np.zeros(P + 1),
        bends=np.zeros(P),
        squares=np.full(P, 1 / (C * N)),
        tol=1e-12,
    )
    machine = SVC(kernel="linear", C=C, tol=1e-10).fit(rows, SIGNS)
    np.testing.assert_allclose(found.theta[:-1], machine.coef_[0], atol=1e-5)
    np.testing.assert_allclose(found.theta[-1:], machine.intercept_, atol=1e-4)


@pytest.mark.parametrize("squares", [0.0, 0.01])
def test_gap_bounds_what_is_missing(squares):
    """At every iteration, no theta is better by more than the gap."""
    kinks, options = pinball(0.7), {"bends": np.full(P, 0.01), "squares": np.full(P, squares)}
    best = interior_point(X, kinks, np.zeros(P + 1), tol=1e-13, **options).history["loss"][-1]
    history = interior_point(X, kinks, np.zeros(P + 1), **options).history
    assert np.all(history["loss"] - best <= history["gap"] * (1 + 1e-6) + 1e-13)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
@pytest.mark.parametrize("kinks", [pinball(0.3), hinge(), insensitive(0.5)])
@pytest.mark.parametrize("squares", [0.0, 0.02])
def test_gap_is_true_on_any_scale_of_a_column(squares, kinks, make):
    """An unpenalised column times 1e-8 is worth what it was, and the gap must say so."""
    rows, free, rest = X - X.mean(axis=0), np.array([0.0, 1, 1]), np.array([0.0, squares, squares])
    best = None
    for unit in (1.0, 1e-4, 1e-8, 1e8):
        scaled = make(rows * [unit, 1, 1])
        options = {"bends": 0.01 * free, "squares": rest}
        found = interior_point(scaled, kinks, np.zeros(P + 1), tol=1e-7, **options)
        best = found.history["loss"][-1] if best is None else best
        assert found.converged
        assert np.all(found.history["loss"] - best >= -1e-6)
        assert np.all(found.history["loss"] - best <= found.history["gap"] * (1 + 1e-6) + 1e-7)
        w, b = found.theta[:-1], found.theta[-1]
        u = scaled @ w + b - kinks.at
        value = np.maximum(kinks.high * u, kinks.low * u).sum() + 0.01 * free @ np.abs(w)
        np.testing.assert_allclose(value + rest @ w**2 / 2, best, atol=1e-6)


def test_penalties_keep_the_units_of_their_columns():
    """Columns c times as large, with bends by c and squares by c^2, have coefficients over c."""
    bends, squares, c = np.full(P, 0.02), np.full(P, 0.01), np.array([1e-3, 1.0, 1e3])
    one, other = (
        interior_point(
            X * u, pinball(0.5), np.zeros(P + 1), bends=bends * u, squares=squares * u**2, tol=1e-11
        )
        for u in (np.ones(P), c)
    )
    np.testing.assert_allclose(other.theta[:-1] * c, one.theta[:-1], atol=1e-5)


def test_constant_column_is_left_alone():
    rows = np.column_stack([X, np.full(N, 0.1)])
    options = {"bends": np.zeros(P + 1), "squares": np.zeros(P + 1)}
    found = interior_point(rows, pinball(0.5), np.zeros(P + 2), **options)
    assert found.converged
    assert found.theta[P] == 0.0


def test_coefficients_on_their_kink_are_zero():
    options = {"bends": np.array([0.05, 0.05, 0.05]), "squares": np.zeros(P)}
    found = interior_point(X, pinball(0.5), np.zeros(P + 1), **options)
    assert found.theta[2] == 0.0 != found.theta[0]


def test_sparse_rows_and_no_intercept():
    options = {"bends": np.zeros(P), "squares": np.full(P, 0.1), "tol": 1e-11}
    dense = interior_point(X, hinge(), np.zeros(P + 1), **options)
    sparse = interior_point(sp.csr_array(X), hinge(), np.zeros(P + 1), **options)
    np.testing.assert_allclose(dense.theta, sparse.theta, atol=1e-5)
    through = interior_point(X, hinge(), np.zeros(P + 1), fit_intercept=False, **options)
    assert through.theta[-1] == 0.0
    assert through.history["loss"][-1] > dense.history["loss"][-1]
