"""One decomposition from a scatter, a triangle, or few rows; and axes where nothing varies."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from skcourse.decomposition import spectrum
from skcourse.decomposition.spectrum import (
    completed,
    of_few_rows,
    of_scatter,
    of_triangle,
)

EPS = np.finfo(float).eps


def rows(n, p, condition=1e3, seed=0):
    """Return U diag(s) V' with s from 1 down to 1 / condition, and s."""
    rng = np.random.default_rng(seed)
    q = min(n, p)
    U = np.linalg.qr(rng.standard_normal((n, q)))[0]
    V = np.linalg.qr(rng.standard_normal((p, q)))[0]
    s = np.geomspace(1, 1 / condition, q)
    return U * s @ V.T, s


def assert_orthonormal(axes):
    assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=100 * axes.shape[1] * EPS)


@pytest.mark.parametrize(("p", "k"), [(6, 6), (6, 2), (150, 3), (150, 30), (150, 31), (150, 0)])
def test_scatter(p, k):
    A, s = rows(300, p)
    found = of_scatter(A.T @ A, k)
    assert len(found.axes) >= k
    # an error of p eps in s^2 is one of p eps / s in s
    assert_allclose(found.values[:k], s[:k], atol=p * EPS * 1e3)
    assert_orthonormal(found.axes)
    assert_allclose(np.linalg.norm(A @ found.axes[:k].T, axis=0), s[:k], rtol=1e-8)
    assert_allclose(found.size, np.linalg.norm(A))


@pytest.mark.parametrize("n", [4, 7, 30])
def test_triangle_keeps_the_small_values(n):
    A, s = rows(n, 7, condition=1e12)
    found = of_triangle(A, min(n, 7))
    assert_allclose(found.values, s, atol=100 * EPS)
    assert_orthonormal(found.axes)


def test_triangle_of_fewer_rows_than_values():
    A, s = rows(3, 7)
    found = of_triangle(A, 5)
    assert_allclose(found.values, [*s, 0, 0], atol=10 * EPS)
    assert_orthonormal(found.axes)
    assert found.axes.shape == (5, 7)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 5), (5, 6), (5, 40)])
@pytest.mark.parametrize("k", [0, 1, 4])
def test_few_rows(shape, k):
    A, s = rows(*shape, condition=1e12)
    k = min(k, len(A))
    found = of_few_rows(A.copy(), k)
    assert_allclose(found.values, s, atol=100 * EPS)
    assert_orthonormal(found.axes)
    assert_allclose(A @ found.axes.T, found.scores, atol=100 * EPS)
    assert_allclose(np.linalg.norm(found.scores, axis=0), s[:k], atol=100 * EPS)


@given(st.integers(1, 8), st.integers(0, 8), st.integers(0, 10_000))
def test_completed_axes_depend_on_the_space_alone(p, r, seed):
    r = min(r, p)
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.standard_normal((p, p)))[0][:r]
    rotated = np.linalg.qr(rng.standard_normal((r, r)))[0] @ axes
    full = completed(axes, p)
    assert_orthonormal(full)
    np.testing.assert_array_equal(full[:r], axes)
    assert_allclose(completed(rotated, p)[r:], full[r:], atol=1e-10)


def test_large_decompositions_may_use_the_threads_of_blas(monkeypatch):
    held = []

    class Held:
        def __enter__(self):
            held.append(True)

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(spectrum, "one_blas_thread", Held)
    of_scatter(np.eye(10), 10)
    assert held == [True]
    of_scatter(np.eye(600), 3)
    assert held == [True]
