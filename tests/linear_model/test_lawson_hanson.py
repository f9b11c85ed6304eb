import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import nnls

from skcourse.linear_model.lawson_hanson import lawson_hanson, nonnegative_least_squares

EPS = np.finfo(np.float64).eps


def violation(A, c, b):
    """Return by how much (2) fails, in units of the rounding of <a_j, r>."""
    slopes = A.T @ (c - A @ b)
    size = np.linalg.norm(A, axis=0) * (
        np.linalg.norm(c) + np.linalg.norm(A, 2) * np.linalg.norm(b)
    )
    wrong = np.where(b > 0, np.abs(slopes), np.maximum(slopes, 0))
    return np.max(wrong / np.where(size > 0, size, 1), initial=0) / EPS


def problem(kind, k, p, rng):
    A = rng.normal(size=(k, p))
    if kind == "positive":
        A = np.abs(A)
    if kind == "stretched":
        A *= np.geomspace(1, 1e8, p)
    if kind == "twins":
        A[:, -1] = A[:, 0]
    if kind == "deficient":
        A = A[:, :1] @ np.ones((1, p)) + A[:, -1:] @ np.arange(p)[np.newaxis]
    if kind == "zero column":
        A[:, p // 2] = 0
    return A, rng.normal(size=k)


@pytest.mark.parametrize(
    "kind", ["plain", "positive", "stretched", "twins", "deficient", "zero column"]
)
@given(k=st.integers(1, 25), p=st.integers(1, 25), seed=st.integers(0, 1000))
def test_the_conditions_hold_and_scipy_does_no_better(kind, k, p, seed):
    A, c = problem(kind, k, p, np.random.default_rng(seed))
    b = nonnegative_least_squares(A, c[:, np.newaxis])[:, 0]
    assert (b >= 0).all()
    # at most 3 p reflections and rotations, each with an error of c u of the size of a column
    assert violation(A, c, b) <= 3 * p * (k + p)
    theirs, residual = nnls(A, c, maxiter=100 * p)
    size = np.linalg.norm(c) + np.linalg.norm(A, 2) * np.linalg.norm(b)
    assert np.linalg.norm(A @ b - c) <= residual + 3 * p * (k + p) * EPS * size
    condition = np.linalg.cond(A[:, (b > 0) | (theirs > 0)]) if b.any() or theirs.any() else 1.0
    if condition < 1e6 and kind not in ("twins", "deficient"):  # else several are best
        bound = 3 * p * (k + p) * EPS * condition**2 * (np.max(b, initial=0) + np.linalg.norm(c))
        np.testing.assert_allclose(b, theirs, rtol=0, atol=bound)


def test_a_solution_that_is_positive_anyway_is_the_free_one():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(50, 6))
    B = np.arange(1.0, 13.0).reshape(6, 2)
    # exact data: the error is c k u |b|
    bound = 56 * EPS * np.linalg.cond(A) * 12
    np.testing.assert_allclose(nonnegative_least_squares(A, A @ B), B, rtol=0, atol=bound)


def test_all_coefficients_may_be_zero():
    assert not nonnegative_least_squares(np.eye(3), -np.ones((3, 2))).any()
    assert not nonnegative_least_squares(np.zeros((3, 4)), np.ones((3, 1))).any()


def test_too_few_rounds_are_told():
    A = np.asfortranarray(np.eye(3))
    assert not lawson_hanson(A, np.ones(3), np.zeros(3), np.ones(3), 2)


def test_the_problem_is_left_as_it_was():
    A, C = np.eye(3), np.arange(6.0).reshape(3, 2)
    before = A.copy(), C.copy()
    nonnegative_least_squares(A, C)
    np.testing.assert_array_equal(A, before[0])
    np.testing.assert_array_equal(C, before[1])


def test_columns_leave_the_passive_set():
    rng = np.random.default_rng(0)
    A = np.abs(rng.normal(size=(40, 20))) + 3  # nearly parallel: what comes first must leave again
    c = A[:, :3] @ np.ones(3) + rng.normal(size=40)
    b = nonnegative_least_squares(A, c[:, np.newaxis])[:, 0]
    np.testing.assert_allclose(b, nnls(A, c)[0], rtol=0, atol=60 * EPS * np.linalg.cond(A) ** 2)


@pytest.mark.parametrize("exponent", [-1000, -600, -530, 530, 600, 1015])
def test_no_unit_changes_a_digit(exponent):
    A, C = problem("positive", 12, 6, np.random.default_rng(0))[0], np.ones((12, 1))
    b = nonnegative_least_squares(A, C)
    assert b.any()
    np.testing.assert_array_equal(
        nonnegative_least_squares(np.ldexp(A, exponent), C), np.ldexp(b, -exponent)
    )
    np.testing.assert_array_equal(
        nonnegative_least_squares(A, np.ldexp(C, exponent)), np.ldexp(b, exponent)
    )
    units = np.arange(6) % 2 * exponent  # columns of either size side by side
    found = np.ldexp(nonnegative_least_squares(np.ldexp(A, units), C), units[:, np.newaxis])
    # the columns come in another order: the error is c k u |b|
    bound = 18 * EPS * np.linalg.cond(A) * np.linalg.norm(b)
    np.testing.assert_allclose(found, b, rtol=0, atol=bound)
