"""Products with centred rows, and the mean and spread of rows, against plain numpy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from skcourse.core import centred_rows
from skcourse.core.centred_rows import CentredRows
from skcourse.decomposition.dispersion import dispersion, merge


@pytest.fixture(params=[None, "weights"])
def weights(request):
    return None if request.param is None else np.random.default_rng(1).uniform(0, 2, 700)


def data(offset=0.0):
    rng = np.random.default_rng(0)
    return (offset + rng.standard_normal((700, 9))) * (rng.random((700, 9)) < 0.5)


def plain(X, weights):
    w = np.ones(len(X)) if weights is None else weights
    mean = np.average(X, axis=0, weights=w)
    return mean, np.sqrt(w)[:, np.newaxis] * (X - mean)


@pytest.mark.parametrize("form", [np.asarray, np.float32, sparse.csr_array, sparse.csc_matrix])
def test_products(form, weights, n_threads):
    X = form(data())
    mean, A = plain(X.toarray() if sparse.issparse(X) else X.astype(float), weights)
    operator = CentredRows(X, mean, weights)
    rng = np.random.default_rng(2)
    Q, Y = rng.standard_normal((9, 3)), rng.standard_normal((700, 3))
    assert_allclose(operator @ Q, A @ Q, atol=1e-12)
    assert_allclose(operator @ Q[:, 0], A @ Q[:, 0], atol=1e-12)
    assert_allclose(operator.T @ Y, A.T @ Y, atol=1e-12)
    assert_allclose(operator.T @ Y[:, 0], A.T @ Y[:, 0], atol=1e-12)
    if not sparse.issparse(X):
        out = np.empty((700, 3))
        assert_allclose(operator.round_trip(Q, out), A.T @ (A @ Q), atol=1e-11)
        assert_allclose(out, A @ Q, atol=1e-12)


def test_dispersion(weights):
    mean, A = plain(data(), weights)
    for X in (data(), sparse.csr_array(data())):
        found = dispersion(X, weights)
        assert_allclose(found.mean, mean, atol=1e-14)
        assert_allclose(found.total, np.sum(A**2))
        assert_allclose(found.weight, 700 if weights is None else weights.sum())


def test_far_from_the_origin():
    # 1e8 is stored to 1e-8: that much, and no more, may be lost
    rng = np.random.default_rng(0)
    X = 1e8 + rng.standard_normal((40_000, 8))
    near = X - 1e8
    found = dispersion(X)
    assert_allclose(found.total, np.sum((near - near.mean(axis=0)) ** 2), rtol=1e-7)
    Q = np.eye(8)[:, :2]
    A = near - near.mean(axis=0)
    assert_allclose(CentredRows(X, found.mean) @ Q, A @ Q, atol=1e-6)


def test_weights_of_zero_make_no_dispersion():
    X, none = data()[:4], np.zeros(4)
    found = merge(dispersion(X, none), dispersion(X))
    assert_allclose(found.mean, X.mean(axis=0))
    assert dispersion(X, none).total == 0
    assert merge(dispersion(X, none), dispersion(X, none)).weight == 0


def test_the_size_of_a_tile_changes_rounding_only(monkeypatch):
    X = data()
    mean, A = plain(X, None)
    for tile in (1, 63, 10_000):
        monkeypatch.setattr(centred_rows, "TILE", tile)
        assert_allclose(CentredRows(X, mean).T @ A, A.T @ A, atol=1e-11)
