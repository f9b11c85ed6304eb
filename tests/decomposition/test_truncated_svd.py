"""TruncatedSVD: scikit-learn's answers, dense and sparse, by every route; weights; refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import decomposition as theirs
from threadpoolctl import threadpool_limits

from skcourse.core.centred_rows import CentredRows
from skcourse.decomposition import TruncatedSVD, sparse_rows, truncated_svd
from skcourse.decomposition.sparse_rows import SparseRows

EPS = np.finfo(float).eps
ALGORITHMS = ("randomized", "arpack")
ATTRIBUTES = (
    "components_",
    "singular_values_",
    "explained_variance_",
    "explained_variance_ratio_",
)


def rows(n=120, p=8, *, condition=10.0, offset=0.5, seed=0):
    """Return rows about `offset` with singular values from 10 down to 10 / condition."""
    rng = np.random.default_rng(seed)
    U, _, V = np.linalg.svd(rng.standard_normal((n, p)), full_matrices=False)
    return offset + 10 * (U * np.geomspace(1, 1 / condition, min(n, p))) @ V


def sparse_matrix(n=120, p=60, *, seed=0):
    """Return a sparse matrix with singular values that fall."""
    X = sparse.random_array((n, p), density=0.2, rng=np.random.default_rng(seed), format="csr")
    X.data = np.exp(X.data)
    return sparse.csr_array(X * np.geomspace(10, 0.1, p))


def assert_same_fit(ours, reference, *, tol=1e-9):
    for name in ATTRIBUTES:
        a, b = getattr(ours, name), getattr(reference, name)
        assert_allclose(a, b, rtol=tol, atol=tol, err_msg=name)


def exact(X, k):
    """Return a reference that has converged."""
    return theirs.TruncatedSVD(k, algorithm="arpack", random_state=0).fit(X)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("shape", [(120, 8), (20, 18), (18, 20), (9, 60), (300, 200), (200, 300)])
def test_scikit_learn(algorithm, shape):
    X = rows(*shape)
    # the spectrum falls by 10 over all axes: 40 steps bring the third to rounding
    options = {"n_components": 3, "algorithm": algorithm, "random_state": 0, "n_iter": 60}
    ours, reference = TruncatedSVD(**options).fit(X), exact(X, 3)
    assert_same_fit(ours, reference)
    scores = ours.transform(X)
    assert_allclose(scores, reference.transform(X), atol=1e-9)
    assert_allclose(ours.fit_transform(X), scores, atol=1e-12)
    assert_allclose(ours.inverse_transform(scores), reference.inverse_transform(scores), atol=1e-9)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array])
@pytest.mark.parametrize("shape", [(120, 60), (60, 120), (400, 90)])
def test_sparse_rows(algorithm, container, shape, monkeypatch):
    monkeypatch.setattr(truncated_svd, "SMALL", 0)  # never written out
    X = sparse_matrix(*shape)
    options = {"n_components": 4, "algorithm": algorithm, "random_state": 0, "n_iter": 40}
    ours = TruncatedSVD(**options).fit(container(X))
    assert_same_fit(ours, exact(X.toarray(), 4))
    assert_allclose(ours.transform(container(X)), ours.transform(X.toarray()), atol=1e-12)
    assert_allclose(ours.fit_transform(container(X)), ours.transform(X), atol=1e-12)


@pytest.mark.parametrize("k", [1, 8])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_tall_rows_are_decomposed_exactly(k, offset):
    X = rows(400, 8, offset=offset)
    s, V = np.linalg.svd(X, full_matrices=False)[1:]
    ours = TruncatedSVD(k, n_iter=0).fit(X)
    assert_allclose(ours.singular_values_, s[:k], rtol=1e-9)
    assert_allclose(np.abs(np.sum(ours.components_ * V[:k], axis=1)), 1, rtol=1e-9)
    assert_allclose(ours.explained_variance_, np.var(X @ V[:k].T, axis=0), rtol=1e-6)
    assert_allclose(
        ours.explained_variance_ratio_, ours.explained_variance_ / X.var(axis=0).sum(), rtol=1e-9
    )


@pytest.mark.parametrize("shape", [(200, 12), (12, 40)])
def test_small_singular_values_are_kept(shape):
    X = rows(*shape, condition=1e12, offset=0.0)
    s = np.linalg.svd(X, compute_uv=False)
    ours = TruncatedSVD(12).fit(X)
    # backward stable: each s_i to a few n eps s_1, where squares would lose all below 1e-8
    assert_allclose(ours.singular_values_, s, rtol=0, atol=10 * max(shape) * EPS * s[0])


def test_variances_do_not_cancel_far_from_the_origin():
    X = np.round(rows(400, 8) * 2**20) / 2**20 + 2**20
    ours = TruncatedSVD(1).fit(X)
    # v is known to eps, and X v, some 2^21 large, to as much of itself
    assert_allclose(ours.explained_variance_, np.var(X @ ours.components_[0]), rtol=1e-6)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_n_iter_and_oversamples_and_normalizer(kind):
    X = sparse_matrix(400, 300)
    X = X if kind == "sparse" else X.toarray()
    s = np.linalg.svd(sparse_matrix(400, 300).toarray(), compute_uv=False)[:5]

    def error(**options):
        return np.abs(TruncatedSVD(5, random_state=0, **options).fit(X).singular_values_ - s).max()

    assert error(n_iter=4) < error(n_iter=1) < error(n_iter=0)
    assert error(n_iter=1, n_oversamples=40) < error(n_iter=1, n_oversamples=1)
    for normalizer in ("auto", "QR", "LU", "none"):
        assert error(n_iter=8, power_iteration_normalizer=normalizer) < 1e-6
    # without a normalizer all columns become alike, and overflow in the end
    assert error(n_iter=20, power_iteration_normalizer="QR") < 1e-9
    with np.errstate(all="ignore"):
        fits = [
            TruncatedSVD(5, random_state=0, n_iter=20, power_iteration_normalizer=name).fit(X)
            for name in ("QR", "LU", "none")
        ]
    last = [fit.components_[-1] for fit in fits]
    assert not np.array_equal(last[0], last[1]) and not np.array_equal(last[1], last[2])


def test_tol_and_random_state():
    X = sparse_matrix(400, 300)
    s = np.linalg.svd(X.toarray(), compute_uv=False)[:5]
    rough, fine = (
        TruncatedSVD(5, algorithm="arpack", tol=tol, random_state=0).fit(X) for tol in (0.3, 0.0)
    )
    assert_allclose(fine.singular_values_, s, rtol=1e-12)
    assert np.abs(rough.singular_values_ - s).max() > 1e-10
    for options in ({"n_iter": 0}, {"algorithm": "arpack", "tol": 0.3}):
        one, same, other = (
            TruncatedSVD(5, random_state=seed, **options).fit(X).components_ for seed in (0, 0, 1)
        )
        assert_array_equal(one, same)
        assert not np.array_equal(one, other)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["tall", "wide", "sparse"])
def test_weights_repeat_rows(algorithm, kind):
    X = {"tall": rows(), "wide": rows(20, 30), "sparse": sparse_matrix()}[kind]
    weights = np.random.default_rng(1).integers(0, 4, X.shape[0])
    repeated = X[np.repeat(np.arange(X.shape[0]), weights)]
    options = {"n_components": 3, "algorithm": algorithm, "n_iter": 40, "random_state": 0}
    ours = TruncatedSVD(**options).fit(X, sample_weight=weights)
    assert_same_fit(ours, TruncatedSVD(**options).fit(repeated), tol=1e-8)
    scores = TruncatedSVD(**options).fit_transform(X, sample_weight=weights)
    assert_allclose(scores, ours.transform(X), atol=1e-12)


def test_heavy_rows_are_many():
    X = rows(3, 5)
    ours = TruncatedSVD(4).fit(X, sample_weight=[2, 2, 2])
    reference = theirs.TruncatedSVD(4).fit(np.repeat(X, 2, axis=0))
    assert_allclose(ours.singular_values_, reference.singular_values_, atol=1e-12)
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(4), atol=1e-12)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("make", [lambda: rows(2000, 150), lambda: rows(20, 30), sparse_matrix])
def test_float32_is_kept(algorithm, make):
    X = make()
    options = {"n_components": 3, "algorithm": algorithm, "random_state": 0, "n_iter": 40}
    wide, ours = TruncatedSVD(**options).fit(X), TruncatedSVD(**options).fit(X.astype(np.float32))
    for name in ATTRIBUTES:
        assert getattr(ours, name).dtype == np.float32, name
        assert_allclose(getattr(ours, name), getattr(wide, name), rtol=1e-4, atol=1e-4)
    assert ours.transform(X.astype(np.float32)).dtype == np.float32


def test_float32_products_only_where_they_cannot_be_seen():
    X = rows(4000, 150, condition=1e18, offset=0.0).astype(np.float32)
    s = np.linalg.svd(X.astype(float), compute_uv=False)[:20]
    # s_20 is 200 times less than s_1: float32 products would tell it to 1e-5 only
    assert_allclose(TruncatedSVD(20).fit(X).singular_values_, s, rtol=1e-6)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_zeros_and_numbers_whose_squares_vanish_or_overflow(algorithm, kind):
    as_kind = sparse.csr_array if kind == "sparse" else np.asarray
    X = sparse_matrix(40, 30).toarray()
    options = {"n_components": 3, "algorithm": algorithm, "random_state": 0, "n_iter": 30}
    plain = TruncatedSVD(**options).fit(as_kind(X))
    for unit in (1e-200, 1e200):
        ours = TruncatedSVD(**options).fit(as_kind(X * unit))
        assert_allclose(ours.components_, plain.components_, atol=1e-8)
        assert_allclose(ours.singular_values_ / unit, plain.singular_values_, rtol=1e-10)
    none = TruncatedSVD(**options).fit(as_kind(np.zeros((40, 30))))
    assert_allclose(none.components_ @ none.components_.T, np.eye(3), atol=1e-12)
    assert_array_equal(none.singular_values_, np.zeros(3))


def test_products_of_sparse_rows(monkeypatch):
    monkeypatch.setattr(sparse_rows, "CHUNK", 50)
    X, rng = sparse_matrix(), np.random.default_rng(0)
    weights = rng.random(120)
    for w in (None, weights):
        A, B = SparseRows(X, w), CentredRows(X.toarray(), None, w)
        for width in (1, 7):
            Q, Y = rng.standard_normal((60, width)), rng.standard_normal((120, width))
            assert_allclose(A @ Q, B @ Q, rtol=1e-12, atol=1e-12)
            assert_allclose(A.T @ Y, B.T @ Y, rtol=1e-12, atol=1e-12)
            one, other = np.empty((2, 120, width))
            assert_allclose(A.round_trip(Q, one), B.round_trip(Q, other), rtol=1e-11, atol=1e-11)
            assert_allclose(one, other, atol=1e-12)
        assert_allclose(A @ Q[:, 0], B @ Q[:, 0], rtol=1e-12)
        assert_allclose(A.T @ Y[:, 0], B.T @ Y[:, 0], rtol=1e-12)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_threads_change_nothing(kind, monkeypatch):
    monkeypatch.setattr(sparse_rows, "CHUNK", 1000)
    X = sparse_matrix(3000, 40)
    X = X if kind == "sparse" else X.toarray()
    fits = []
    for n_threads in (1, 4):
        with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
            patch.setenv("OMP_NUM_THREADS", str(n_threads))
            fits.append(TruncatedSVD(4, random_state=0).fit(X))
    assert_array_equal(fits[0].components_, fits[1].components_)


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_refusals(kind):
    as_kind = sparse.csr_array if kind == "sparse" else np.asarray
    X = sparse_matrix(40, 30).toarray()
    with pytest.raises(ValueError, match=r"n_components\(31\) must be <= n_features\(30\)"):
        TruncatedSVD(31).fit(as_kind(X))
    with pytest.raises(ValueError, match=r"n_components\(30\) must be < min"):
        TruncatedSVD(30, algorithm="arpack").fit(as_kind(X))
    with pytest.raises(ValueError, match="a minimum of 2 is required"):
        TruncatedSVD(1).fit(as_kind(X[:, :1]))
    with pytest.raises(ValueError, match="at least one non-zero"):
        TruncatedSVD().fit(as_kind(X), sample_weight=np.zeros(40))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        TruncatedSVD().fit(as_kind(X), sample_weight=-np.ones(40))
    X[3, 4] = np.nan
    for algorithm in ALGORITHMS:
        with pytest.raises(ValueError, match="Input X contains NaN"):
            TruncatedSVD(algorithm=algorithm).fit(as_kind(X))
    X[3, 4] = np.inf
    with pytest.raises(ValueError, match="Input X contains infinity"):
        TruncatedSVD().fit(as_kind(X))


def test_fewer_rows_than_components():
    X = rows(5, 9)
    ours, reference = TruncatedSVD(7).fit(X), theirs.TruncatedSVD(7).fit(X)
    assert ours.components_.shape == reference.components_.shape == (5, 9)
    assert_allclose(ours.singular_values_, reference.singular_values_, rtol=1e-9)
