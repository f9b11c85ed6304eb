"""The path of the lasso, and least angle regression, on products."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import lars_path_gram

from skcourse.core.gram_lars import Route, follow, follow_each, remove, room_for, settle

EPS = np.finfo(float).eps


def atoms_and_target(p, k, seed=0):
    """Return k atoms of length 1, (k, p), and a target."""
    rng = np.random.default_rng(seed)
    D = rng.standard_normal((k, p))
    return D / np.linalg.norm(D, axis=1, keepdims=True), rng.standard_normal(p)


def path_end(D, x, route):
    """Return the coefficients at the end of the route, and whether they are a minimum."""
    room = room_for(len(D), len(D))
    good = follow(D @ D.T, D @ x, route, room)
    return room.w.copy(), good


def assert_minimum(D, x, w, penalty, positive=False):
    """The conditions of a minimum of (1): slopes are the penalty where w is not 0, or below."""
    slopes = D @ (x - w @ D)
    # a solve with at most p atoms of a Gram matrix whose condition is below 1e6 here
    slack = 1e6 * len(D) * EPS * np.abs(D @ x).max(initial=0.0)
    assert (slopes if positive else np.abs(slopes)).max(initial=0.0) <= penalty + slack
    np.testing.assert_allclose(
        slopes[w != 0], penalty * np.sign(w[w != 0]), rtol=0, atol=slack + 1e-300
    )
    assert not positive or (w >= 0).all()


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("share", [0.9, 0.3, 0.01])
@pytest.mark.parametrize("shape", [(8, 3), (8, 8), (8, 30)])
@pytest.mark.parametrize("seed", range(4))
def test_the_end_is_the_minimum(shape, share, positive, seed):
    D, x = atoms_and_target(*shape, seed)
    penalty = share * np.abs(D @ x).max()
    w, good = path_end(D, x, Route(penalty, 1000, True, positive))
    assert good
    assert_minimum(D, x, w, penalty, positive)


def test_scikit_learn_knows_the_same_path():
    D, x = atoms_and_target(10, 15)
    products, gram = D @ x, D @ D.T
    alphas, _, coefs = lars_path_gram(
        products.copy(), gram.copy(), n_samples=1, method="lasso", max_iter=8
    )
    for lines in range(9):
        w, good = path_end(D, x, Route(0.0, lines, True, False))
        assert good
        np.testing.assert_allclose(w, coefs[:, lines], atol=1e4 * EPS)
    between = (alphas[3] + alphas[4]) / 2
    w, _ = path_end(D, x, Route(between, 1000, True, False))
    np.testing.assert_allclose(w, (coefs[:, 3] + coefs[:, 4]) / 2, atol=1e4 * EPS)


def least_angles(D, x, n_lines):
    """Follow least angle regression as the reference has it, by the residual and lstsq."""
    w, members = np.zeros(len(D)), []
    for _ in range(n_lines):
        c = D @ (x - w @ D)
        level = np.abs(c).max()
        members = np.flatnonzero(np.abs(c) > level * (1 - 1e-9))
        signs = np.sign(c[members])
        step = np.zeros(len(D))
        step[members] = np.linalg.lstsq(D[members] @ D[members].T, signs)[0]
        a = D @ (step @ D)
        others = np.setdiff1d(np.arange(len(D)), members)
        lengths = np.r_[
            (level - c[others]) / (1 - a[others]), (level + c[others]) / (1 + a[others]), level
        ]
        w += lengths[lengths > 1e-12].min() * step
    return w


@pytest.mark.parametrize("seed", range(5))
def test_least_angles_are_those_of_the_reference(seed):
    D, x = atoms_and_target(12, 20, seed)
    for lines in (1, 2, 5, 8):
        w, _ = path_end(D, x, Route(0.0, lines, False, False))
        np.testing.assert_allclose(w, least_angles(D, x, lines), atol=1e-9)
        assert np.count_nonzero(w) == lines


def test_all_lines_lead_to_least_squares():
    D, x = atoms_and_target(12, 5)
    for lasso in (False, True):
        w, _ = path_end(D, x, Route(0.0, 1000, lasso, False))
        np.testing.assert_allclose(w, np.linalg.lstsq(D.T, x)[0], atol=1e4 * EPS)


@given(st.integers(0, 200), st.sampled_from([0.5, 0.05, 1e-4]), st.booleans())
def test_equal_opposite_and_empty_atoms_do_no_harm(seed, share, positive):
    D, x = atoms_and_target(6, 9, seed)
    D[1], D[3], D[5] = D[0], -D[2], 0.0
    D[6], D[8] = (D[0] + D[2]) / 2, (D[0] - D[4] - D[2]) / 2
    penalty = share * np.abs(D @ x).max()
    w, good = path_end(D, x, Route(penalty, 1000, True, positive))
    assert good
    assert_minimum(D, x, w, penalty, positive)
    w, _ = path_end(D, x, Route(0.0, 4, False, False))
    assert np.isfinite(w).all()


def test_more_than_is_there_and_nothing():
    D, x = atoms_and_target(6, 4)
    largest = np.abs(D @ x).max()
    for route in (Route(2 * largest, 9, True, False), Route(0.0, 0, True, False)):
        w, good = path_end(D, x, route)
        assert good
        np.testing.assert_array_equal(w, 0.0)
    w, good = path_end(D, np.zeros(6), Route(0.1, 9, True, False))
    assert good
    np.testing.assert_array_equal(w, 0.0)
    w, good = path_end(D, -D.sum(axis=0), Route(0.1, 9, True, True))
    assert_minimum(D, -D.sum(axis=0), w, 0.1, positive=True)


def test_what_is_no_minimum_is_told():
    D, x = atoms_and_target(6, 4)
    room = room_for(4, 4)
    assert not settle(D @ D.T, D @ x, Route(1e-3, 9, True, False), room, 0, 1e-3)


@pytest.mark.parametrize("old", range(5))
def test_a_triangle_loses_a_row(old):
    D, _ = atoms_and_target(9, 5)
    gram = D @ D.T
    L = np.linalg.cholesky(gram)
    remove(L, old, 5)
    rest = np.delete(np.arange(5), old)
    found = np.tril(L[:4, :4])
    np.testing.assert_allclose(found @ found.T, gram[np.ix_(rest, rest)], atol=100 * EPS)


def test_rows_are_followed_one_by_one():
    D, _ = atoms_and_target(10, 15)
    X = np.random.default_rng(1).standard_normal((7, 10))
    route, codes, good = Route(0.2, 1000, True, False), np.empty((7, 15)), np.empty(7, np.bool_)
    follow_each(D @ D.T, X @ D.T, route, room_for(15, 15), codes, good)
    assert good.all()
    for x, code in zip(X, codes, strict=True):
        assert_minimum(D, x, code, 0.2)
