"""Deflation: the axes of `full`, one after the other, to a tolerance that it keeps."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skcourse.decomposition import PCA, deflation, solvers

EPS = np.finfo(float).eps


def rows(n=120, p=8, *, ratio=1.5, offset=1.0, seed=0):
    """Return rows of which each singular value is `ratio` times the next, from 10 down."""
    rng = np.random.default_rng(seed)
    q = min(n - 1, p)
    ones = np.ones((n, 1)) / np.sqrt(n)
    U = np.linalg.qr(np.hstack([ones, rng.standard_normal((n, q))]))[0][:, 1 : q + 1]
    V = np.linalg.qr(rng.standard_normal((p, q)))[0]
    return offset + 10 * (U / ratio ** np.arange(q)) @ V.T


def pca(X, k=3, **options):
    return PCA(k, svd_solver="deflation", random_state=0, **options).fit(X)


@pytest.mark.parametrize("square", [1000, 0])  # on the scatter matrix, or on the rows
@pytest.mark.parametrize("shape", [(120, 8), (30, 40)])
@pytest.mark.parametrize("weighted", [False, True])
def test_axes_of_full(shape, weighted, square, monkeypatch):
    monkeypatch.setattr(solvers, "SQUARE", square)
    X = rows(*shape)
    weights = np.random.default_rng(1).integers(0, 4, len(X)) if weighted else None
    ours = PCA(4, svd_solver="deflation", random_state=0).fit(X, sample_weight=weights)
    full = PCA(4, svd_solver="full").fit(X, sample_weight=weights)
    # |S v - l v| ends at rounding of l_1 < 30 l_4, the gaps are at least half of l_j
    slack = 100 * max(shape) * EPS
    assert_allclose(ours.components_, full.components_, atol=slack)
    names = ("explained_variance_", "explained_variance_ratio_", "noise_variance_", "mean_")
    for name in names:
        assert_allclose(getattr(ours, name), getattr(full, name), rtol=1e-10, err_msg=name)
    assert ours.n_iter_.shape == (4,)
    assert ours.n_iter_.min() > 0
    assert not hasattr(ours.set_params(svd_solver="full").fit(X), "n_iter_")


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-8])
def test_tol_bounds_the_residual_and_so_the_error(tol):
    X = rows(ratio=1.2)
    ours, full = pca(X, tol=tol), PCA(3, svd_solver="full").fit(X)
    S = np.cov(X.T)
    for v, exact, j in zip(ours.components_, full.components_, range(3), strict=True):
        l_j = v @ S @ v
        # what the axes before are off leaks into S v, where l_1 < 2.1 l_3
        assert np.linalg.norm(S @ v - l_j * v) <= 6 * tol * l_j
        # by Davis and Kahan: residual over gap; neighbours are 1 - 1.2^-2 = 0.3 l_j away
        assert np.linalg.norm(v - exact) <= 6 * tol / 0.3 * np.sqrt(2), j
    assert_allclose(ours.explained_variance_, full.explained_variance_, rtol=100 * tol**2 + 1e-12)


def test_steps_follow_tol_and_the_ratio_of_eigenvalues():
    slow, fast = pca(rows(ratio=1.1), 1).n_iter_[0], pca(rows(ratio=2.0), 1).n_iter_[0]
    rough = pca(rows(ratio=1.1), 1, tol=1e-3).n_iter_[0]
    assert rough < slow / 2
    # log(1 / EPS) / log(ratio^2), give or take what a start costs
    assert_allclose(slow / fast, np.log(2.0) / np.log(1.1), rtol=0.3)


def test_close_eigenvalues_warn_and_say_what_to_do():
    X = rows(ratio=1.0001)
    with pytest.warns(
        ConvergenceWarning, match=r"for 2 of 2 components, the first .* 0.*too close"
    ):
        ours = pca(X, 2, iterated_power=20)
    assert_array_equal(ours.n_iter_, [20, 20])
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(2), atol=1e-14)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pca(X, 2, iterated_power=20, tol=0.1)
    with pytest.warns(ConvergenceWarning, match="Increase iterated_power or tol") as told:
        PCA(2, svd_solver="deflation", iterated_power=3).partial_fit(rows(ratio=1.01))
    assert told[0].filename == __file__


def test_no_step_leaves_the_start():
    with pytest.warns(ConvergenceWarning):
        ours = pca(rows(), 2, iterated_power=0)
    assert_array_equal(ours.n_iter_, [0, 0])


def test_axes_stay_orthonormal_and_in_order():
    X = load_digits().data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        ours = pca(X, None)
        rough = pca(X, None, tol=0.1, iterated_power=3)
    full = PCA(svd_solver="full").fit(X)
    for fit in (ours, rough):
        assert_allclose(fit.components_ @ fit.components_.T, np.eye(64), atol=1e-12)
        assert np.all(np.diff(fit.explained_variance_) <= 0)
    assert_allclose(ours.explained_variance_, full.explained_variance_, rtol=1e-9, atol=1e-9)
    # though single axes are wrong, together they explain all
    assert_allclose(rough.explained_variance_.sum(), full.explained_variance_.sum(), rtol=1e-12)


@pytest.mark.parametrize("n_components", [0.9, "mle", 0])
def test_rules_for_the_number_of_components(n_components):
    X = rows()
    ours, full = pca(X, n_components), PCA(n_components, svd_solver="full").fit(X)
    assert ours.n_components_ == full.n_components_
    assert_allclose(ours.components_, full.components_, atol=1e-10)
    assert ours.n_iter_.shape == (full.n_components_,)


@pytest.mark.parametrize("square", [1000, 0])
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array])
def test_sparse_rows(container, square, monkeypatch):
    monkeypatch.setattr(solvers, "SQUARE", square)
    X = rows() * (np.random.default_rng(0).random((120, 8)) < 0.5)
    assert_allclose(pca(container(X)).components_, pca(X).components_, atol=1e-9)


def test_pieces_are_the_whole():
    X = rows()
    whole, grown = pca(X), PCA(3, svd_solver="deflation", random_state=0)
    for piece in np.array_split(X, 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            grown.partial_fit(piece)
    assert_allclose(grown.components_, whole.components_, atol=1e-12)
    assert grown.n_iter_.shape == (3,)


def test_random_state_draws_the_start():
    X = rows()
    fits = [
        PCA(2, svd_solver="deflation", tol=1e-2, random_state=seed).fit(X) for seed in (0, 0, 1)
    ]
    one, same, other = (fit.components_ for fit in fits)
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_float32_ends_at_its_own_precision():
    X = rows()
    narrow, wide = pca(X.astype(np.float32)), pca(X)
    assert narrow.components_.dtype == np.float32
    assert np.all(narrow.n_iter_ < wide.n_iter_)
    assert_allclose(narrow.components_, wide.components_, atol=1e-5)


@pytest.mark.parametrize("square", [1000, 0])
def test_no_variance_and_squares_that_vanish(square, monkeypatch):
    monkeypatch.setattr(solvers, "SQUARE", square)
    none = pca(np.ones((20, 4)), 2)
    assert_allclose(none.components_ @ none.components_.T, np.eye(2), atol=1e-12)
    assert_array_equal(none.n_iter_, [0, 0])
    tiny = pca(rows() * 1e-200)  # `full` answers
    assert_allclose(tiny.components_, PCA(3, svd_solver="full").fit(rows()).components_, atol=1e-8)
    flat = rows()
    flat[:, 3:] = flat[:, :1]  # three columns' worth of variance, two axes more are asked for
    ours = pca(flat, 5)
    assert_allclose(ours.explained_variance_[3:], 0, atol=1e-12)
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(5), atol=1e-12)


@pytest.mark.parametrize("square", [1000, 0])
@pytest.mark.parametrize("unit", [1e-120, 1e120])  # whose fourth powers leave the range
def test_any_unit(unit, square, monkeypatch):
    monkeypatch.setattr(solvers, "SQUARE", square)
    ours, same = pca(rows() * unit), pca(rows())
    assert_allclose(ours.components_, same.components_, atol=1e-8)
    assert_allclose(ours.singular_values_, same.singular_values_ * unit, rtol=1e-9)
    assert_array_equal(ours.n_iter_ > 0, same.n_iter_ > 0)


def test_a_step_by_hand():
    S = np.diag([4.0, 1.0])
    v, eigenvalue, rest, n_iter, converged = deflation.power_iteration(
        S.dot, np.array([0.6, 0.8]), np.empty((0, 2)), 0.0, 0.0, 1
    )
    once = np.array([2.4, 0.8]) / np.sqrt(6.4)  # S v / |S v|, which is (3, 1) / sqrt(10)
    assert_allclose(v, once, rtol=1e-15)
    assert_allclose(eigenvalue, 3.7)
    assert_allclose(rest, np.hypot(0.3 * 3, 2.7) / np.sqrt(10))
    assert (n_iter, converged) == (1, False)
