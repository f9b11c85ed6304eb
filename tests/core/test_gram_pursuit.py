"""Orthogonal matching pursuit on products, row by row; `tests/linear_model` compares its routes."""

import numpy as np

from skcourse.core.gram_pursuit import pursue_each, pursue_gram, room_for

EPS = float(np.finfo(float).eps)


def greedy(D, x, n_atoms):
    """Pursue by the residual and least squares, as the definition has it."""
    members, code = [], np.zeros(len(D))
    for _ in range(n_atoms):
        members.append(np.argmax(np.abs(D @ (x - code @ D))))
        code[members] = np.linalg.lstsq(D[members].T, x)[0]
    return code


def atoms_and_rows():
    rng = np.random.default_rng(0)
    D = rng.standard_normal((20, 12))
    return D / np.linalg.norm(D, axis=1, keepdims=True), rng.standard_normal((9, 12))


def test_rows_are_pursued_as_the_definition_has_it():
    D, X = atoms_and_rows()
    codes, good = np.full((9, 20), np.nan), np.zeros(9, np.bool_)
    pursue_each(D @ D.T, X @ D.T, EPS, room_for(4), codes, good)
    assert good.all()
    expected = [greedy(D, x, 4) for x in X]
    np.testing.assert_allclose(codes, expected, atol=1e4 * EPS)
    found = pursue_gram(D @ D.T, D @ X.T, np.sum(X**2, axis=1), 4, None)
    for code, one in zip(codes, found, strict=True):
        np.testing.assert_allclose(code[one.order], one.coefs[-1], atol=100 * EPS)


def test_rows_without_enough_atoms_are_told():
    D, X = atoms_and_rows()
    X[2], X[5] = 0.0, 3 * D[7]
    codes, good = np.full((9, 20), np.nan), np.zeros(9, np.bool_)
    pursue_each(D @ D.T, X @ D.T, EPS, room_for(4), codes, good)
    np.testing.assert_array_equal(np.flatnonzero(~good), [2, 5])
    np.testing.assert_array_equal(codes[2], 0.0)
    np.testing.assert_allclose(codes[5], 3.0 * (np.arange(20) == 7), atol=100 * EPS)
