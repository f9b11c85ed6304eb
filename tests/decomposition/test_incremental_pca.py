"""IncrementalPCA: scikit-learn's axes for the same batches, by every route; weights; refusals."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import decomposition as theirs
from threadpoolctl import threadpool_limits

from skcourse.decomposition import PCA, IncrementalPCA, incremental_pca, spectrum

EPS = np.finfo(float).eps
ATTRIBUTES = (
    "components_",
    "singular_values_",
    "explained_variance_",
    "explained_variance_ratio_",
    "mean_",
    "var_",
    "noise_variance_",
)


def rows(n=200, p=12, *, condition=10.0, offset=1.0, seed=0):
    """Return rows about `offset` with singular values from 10 down to 10 / condition."""
    rng = np.random.default_rng(seed)
    U, _, V = np.linalg.svd(rng.standard_normal((n, p)), full_matrices=False)
    return offset + 10 * (U * np.geomspace(1, 1 / condition, min(n, p))) @ V


def assert_same_fit(ours, reference, *, condition=10.0):
    """Squares know s_k to eps (s_1 / s_k)^2, each of some ten batches adds its own."""
    slack = 1e4 * EPS * min(condition, 1 / spectrum.SHORT) ** 2
    for name in ATTRIBUTES:
        a, b = getattr(ours, name), getattr(reference, name)
        assert_allclose(a, b, rtol=slack, atol=slack, err_msg=name)
    assert ours.n_components_ == reference.n_components_
    assert ours.n_samples_seen_ == reference.n_samples_seen_
    assert type(ours.n_samples_seen_) is int


@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("n_components", [None, 1, 3, 12])
@pytest.mark.parametrize("batch_size", [None, 15, 37])
def test_scikit_learn(n_components, batch_size, whiten):
    X = rows()
    options = {"n_components": n_components, "batch_size": batch_size, "whiten": whiten}
    reference, ours = theirs.IncrementalPCA(**options).fit(X), IncrementalPCA(**options).fit(X)
    assert_same_fit(ours, reference)
    assert ours.batch_size_ == reference.batch_size_
    assert_allclose(ours.transform(X), reference.transform(X), atol=1e-9)
    assert_allclose(ours.fit_transform(X), reference.fit_transform(X), atol=1e-9)
    scores = ours.transform(X)
    assert_allclose(ours.inverse_transform(scores), reference.inverse_transform(scores), atol=1e-9)
    assert_allclose(ours.get_covariance(), reference.get_covariance(), atol=1e-9)
    assert_allclose(ours.get_precision(), reference.get_precision(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("shape", "batch_size", "short"), [((300, 140), 80, False), ((90, 80), 9, True)]
)
def test_wide_rows_and_short_batches(shape, batch_size, short):
    X, k = rows(*shape), 5
    assert incremental_pca.is_short(batch_size, shape[1], k) == short
    options = {"n_components": k, "batch_size": batch_size}
    ours = IncrementalPCA(**options).fit(X)
    assert_same_fit(ours, theirs.IncrementalPCA(**options).fit(X))


@pytest.mark.parametrize("p", [6, 40])
def test_squares_are_left_where_they_would_lose_digits(p):
    X = rows(200, p, condition=1e10, offset=0.0)
    ours = IncrementalPCA(n_components=5, batch_size=50).fit(X)
    reference = theirs.IncrementalPCA(n_components=5, batch_size=50).fit(X)
    # orthogonal transformations keep s_i to a few eps s_1, with squares it would be 1e-8 s_1
    s_1 = reference.singular_values_[0]
    assert_allclose(ours.singular_values_, reference.singular_values_, rtol=0, atol=1e3 * EPS * s_1)
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(5), atol=1e-12)


def test_partial_fit_is_fit_of_the_same_batches():
    X = rows()
    ours, reference = IncrementalPCA(n_components=3), theirs.IncrementalPCA(n_components=3)
    for start in (0, 50, 100, 150):
        ours.partial_fit(X[start : start + 50])
        reference.partial_fit(X[start : start + 50])
    assert_same_fit(ours, reference)
    whole = IncrementalPCA(n_components=3, batch_size=50).fit(X)
    assert_array_equal(whole.components_, ours.components_)
    whole.partial_fit(X[:7])
    assert_same_fit(whole, reference.partial_fit(X[:7]))


def test_all_components_are_those_of_pca():
    X = rows(400, 6)
    ours, whole = IncrementalPCA(batch_size=30).fit(X), PCA(svd_solver="full").fit(X)
    for name in ("components_", "explained_variance_", "mean_"):
        assert_allclose(getattr(ours, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
    assert_allclose(ours.var_, X.var(axis=0), rtol=1e-12)


def test_far_from_the_origin():
    near = np.round(rows() * 2**20) / 2**20  # still exact with the offset
    options = {"n_components": 3, "batch_size": 40}
    here, there = (IncrementalPCA(**options).fit(X) for X in (near, near + 2**30))
    assert_allclose(there.components_, here.components_, atol=1e-8)
    assert_allclose(there.var_, here.var_, rtol=1e-8)


def test_a_remainder_joins_the_batch_before():
    X = rows(43, 5)
    ours = IncrementalPCA(n_components=4, batch_size=20).fit(X)
    pieces = IncrementalPCA(n_components=4).partial_fit(X[:20]).partial_fit(X[20:])
    assert_array_equal(ours.components_, pieces.components_)


def test_noise_is_what_the_last_batch_left_out():
    X = rows(60, 8)
    ours = IncrementalPCA(n_components=4, batch_size=4).fit(X)
    assert theirs.IncrementalPCA(n_components=4, batch_size=4).fit(X).noise_variance_ == 0
    before = IncrementalPCA(n_components=4, batch_size=4).fit(X[:-4])
    kept = before.singular_values_[:, np.newaxis] * before.components_
    last = X[-4:] - X[-4:].mean(axis=0)
    shift = np.sqrt(56 * 4 / 60) * (before.mean_ - X[-4:].mean(axis=0))
    s = np.linalg.svd(np.vstack([kept, last, shift]), compute_uv=False)
    assert_allclose(ours.noise_variance_, np.mean(s[4:] ** 2) / 59, rtol=1e-9)


@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.lil_array])
def test_sparse_rows(container):
    X = rows() * (np.random.default_rng(1).random((200, 12)) < 0.3)
    options = {"n_components": 3, "batch_size": 40}
    dense, ours = IncrementalPCA(**options).fit(X), IncrementalPCA(**options).fit(container(X))
    assert_array_equal(ours.components_, dense.components_)
    assert_allclose(ours.transform(container(X)), dense.transform(X), atol=1e-12)


@pytest.mark.parametrize("p", [5, 70])
def test_weights_repeat_rows_of_a_batch(p):
    X = rows(20, p)
    weights = np.arange(20) % 3
    ours = IncrementalPCA(n_components=3).partial_fit(X, sample_weight=weights)
    repeated = IncrementalPCA(n_components=3).partial_fit(np.repeat(X, weights, axis=0))
    for other in (X[:6], X[6:9]):
        weights = np.arange(1, len(other) + 1)
        ours.partial_fit(other, sample_weight=weights)
        repeated.partial_fit(np.repeat(other, weights, axis=0))
    for name in ATTRIBUTES:
        assert_allclose(getattr(ours, name), getattr(repeated, name), rtol=1e-9, atol=1e-9)
    assert ours.n_samples_seen_ == repeated.n_samples_seen_
    assert isinstance(ours.n_samples_seen_, float)


def test_rows_without_weight_are_absent():
    X, weights = rows(60, 5), np.tile([1.0, 0.0], 30)
    options = {"n_components": 2, "batch_size": 10}
    ours = IncrementalPCA(**options).fit(X, sample_weight=weights)
    assert_array_equal(ours.components_, IncrementalPCA(**options).fit(X[::2]).components_)
    before = ours.components_
    ours.partial_fit(X, sample_weight=np.zeros(60))
    assert_array_equal(ours.components_, before)
    assert ours.n_samples_seen_ == 30


def test_heavy_rows_are_many():
    X = rows(3, 5)
    ours = IncrementalPCA(n_components=4).fit(X, sample_weight=[2, 2, 2])
    reference = theirs.IncrementalPCA(n_components=4).fit(np.repeat(X, 2, axis=0))
    assert_allclose(ours.singular_values_, reference.singular_values_, atol=1e-12)
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(4), atol=1e-12)


def test_float32_is_kept():
    X = rows()
    wide = IncrementalPCA(n_components=3, batch_size=20).fit(X)
    ours = IncrementalPCA(n_components=3, batch_size=20).fit(X.astype(np.float32))
    for name in ATTRIBUTES:
        assert getattr(ours, name).dtype == np.float32, name
        assert_allclose(getattr(ours, name), getattr(wide, name), rtol=1e-4, atol=1e-5)
    assert ours.transform(X.astype(np.float32)).dtype == np.float32
    assert ours.partial_fit(X).components_.dtype == np.float64


@pytest.mark.parametrize("batch_size", [None, 20])
def test_threads_change_nothing(batch_size):
    X = rows(3000, 40)
    fits = []
    for n_threads in (1, 4):
        with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
            patch.setenv("OMP_NUM_THREADS", str(n_threads))
            fits.append(IncrementalPCA(n_components=4, batch_size=batch_size).fit(X))
    assert_array_equal(fits[0].components_, fits[1].components_)


def test_input_is_checked_unless_it_is_known():
    X = rows(30, 4)
    ours = IncrementalPCA(n_components=2).partial_fit(X, check_input=False)
    assert_array_equal(ours.components_, IncrementalPCA(n_components=2).partial_fit(X).components_)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input X contains NaN"):
        IncrementalPCA(n_components=2).partial_fit(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        IncrementalPCA(n_components=2, batch_size=10).fit(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        IncrementalPCA(n_components=2).fit(sparse.csr_array(X))


@pytest.mark.parametrize("copy", [True, False])
def test_rows_are_not_overwritten(copy):
    X = rows(12, 40)
    before = X.copy()
    IncrementalPCA(n_components=2, batch_size=6, copy=copy).fit(X)
    assert_array_equal(X, before)


def test_constant_rows():
    ours = IncrementalPCA(n_components=2, batch_size=5).fit(np.ones((20, 3)))
    assert_allclose(ours.components_ @ ours.components_.T, np.eye(2), atol=1e-12)
    assert_array_equal(ours.explained_variance_, [0, 0])


def test_refusals():
    X = rows(30, 4)
    with pytest.raises(ValueError, match="n_components=5 invalid for n_features=4"):
        IncrementalPCA(n_components=5).fit(X)
    with pytest.raises(ValueError, match="less or equal to the batch number of samples 2"):
        IncrementalPCA(n_components=3).partial_fit(X[:2])
    grown = IncrementalPCA(n_components=3).partial_fit(X)
    with pytest.raises(ValueError, match="has changed from 3 to 2 between calls"):
        grown.set_params(n_components=2).partial_fit(X)
    with pytest.raises(TypeError, match="does not support sparse input"):
        grown.partial_fit(sparse.csr_array(X))
    with pytest.raises(ValueError, match="at least one non-zero"):
        IncrementalPCA().fit(X, sample_weight=np.zeros(30))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        IncrementalPCA().fit(X, sample_weight=-np.ones(30))
