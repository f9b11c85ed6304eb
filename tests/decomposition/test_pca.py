"""PCA: scikit-learn's answers, from every solver; weights, pieces, threads, and what is refused."""

import itertools
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import datasets
from sklearn import decomposition as theirs
from sklearn.base import clone

from skcourse.core import chunks
from skcourse.decomposition import PCA, solvers

SOLVERS = ("auto", "full", "covariance_eigh", "arpack", "randomized")
EPS = np.finfo(float).eps
ATTRIBUTES = (
    "components_",
    "explained_variance_",
    "explained_variance_ratio_",
    "singular_values_",
    "mean_",
    "noise_variance_",
)


def rows(n=120, p=8, *, condition=10.0, offset=0.0, seed=0):
    """Return rows about `offset` with singular values from 10 down to 10 / condition."""
    rng = np.random.default_rng(seed)
    q = min(n - 1, p)
    ones = np.ones((n, 1)) / np.sqrt(n)
    U = np.linalg.qr(np.hstack([ones, rng.standard_normal((n, q))]))[0][:, 1 : q + 1]
    V = np.linalg.qr(rng.standard_normal((p, q)))[0]
    return offset + 10 * (U * np.geomspace(1, 1 / condition, q)) @ V.T


def assert_same_fit(one, other, *, rtol=1e-9, atol=1e-9, names=ATTRIBUTES):
    for name in names:
        assert_allclose(
            getattr(one, name), getattr(other, name), rtol=rtol, atol=atol, err_msg=name
        )
    assert one.n_components_ == other.n_components_
    assert one.n_samples_ == other.n_samples_


def exact(X):
    """Return the singular values and axes of the centred rows by numpy."""
    s, Vt = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)[1:]
    return s, Vt


# --- the answers of scikit-learn, and of numpy ---------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(120, 8), (20, 18), (18, 20), (9, 60)])
@pytest.mark.parametrize("whiten", [False, True])
def test_scikit_learn(solver, shape, whiten):
    X = rows(*shape)
    options = {"n_components": 3, "svd_solver": solver, "whiten": whiten, "random_state": 0}
    if solver == "randomized":
        options["iterated_power"] = 30
    reference, pca = theirs.PCA(**options).fit(X), PCA(**options).fit(X)
    assert_same_fit(pca, reference)
    assert_allclose(pca.transform(X), reference.transform(X), atol=1e-9)
    assert_allclose(pca.fit_transform(X), reference.fit_transform(X), atol=1e-9)
    scores = pca.transform(X)
    assert_allclose(pca.inverse_transform(scores), reference.inverse_transform(scores), atol=1e-9)
    assert_allclose(pca.get_covariance(), reference.get_covariance(), atol=1e-9)
    assert_allclose(pca.get_precision(), reference.get_precision(), rtol=1e-6, atol=1e-6)
    assert_allclose(pca.score_samples(X), reference.score_samples(X), rtol=1e-7)
    assert_allclose(pca.score(X), reference.score(X), rtol=1e-8)


@pytest.mark.parametrize("n_components", [None, 0, 1, 3, 4, 0.5, 0.999, "mle"])
@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_numbers_of_components(n_components, solver):
    X = datasets.load_iris().data
    options = {"n_components": n_components, "svd_solver": solver}
    reference, pca = theirs.PCA(**options).fit(X), PCA(**options).fit(X)
    assert type(pca.n_components_) is int
    assert_same_fit(pca, reference)
    assert pca.transform(X).shape == (150, reference.n_components_)
    assert_allclose(pca.score(X), reference.score(X))


@pytest.mark.parametrize("load", ["load_digits", "load_wine", "load_breast_cancer"])
@pytest.mark.parametrize("solver", ["full", "arpack", "randomized"])
def test_real_data(load, solver):
    X = getattr(datasets, load)().data
    options = {"n_components": 5, "svd_solver": solver, "iterated_power": 20, "random_state": 0}
    s, Vt = exact(X)
    pca = PCA(**options).fit(X)
    assert_allclose(pca.singular_values_, s[:5], rtol=1e-10)
    assert_allclose(np.abs(np.sum(pca.components_ * Vt[:5], axis=1)), 1.0, rtol=1e-10)
    assert_allclose(pca.explained_variance_ratio_, s[:5] ** 2 / np.sum(s**2), rtol=1e-10)
    reference = theirs.PCA(5, svd_solver="full").fit(X)
    assert_array_equal(np.sign(pca.components_.sum(axis=1)), np.sign(reference.components_.sum(1)))


@pytest.mark.parametrize(
    ("shape", "n_components", "solver"),
    [
        ((10, 50), 5, "full"),
        ((1000, 50), 50, "covariance_eigh"),
        ((1000, 500), 400, "full"),
        ((1000, 500), 10, "randomized"),
        ((1000, 500), 0.5, "full"),
        ((600, 300), "mle", "full"),
    ],
)
def test_auto_is_the_solver_that_scikit_learn_takes(shape, n_components, solver):
    X = np.random.default_rng(0).uniform(size=shape)
    auto = PCA(n_components, random_state=0).fit(X)
    named = PCA(n_components, svd_solver=solver, random_state=0).fit(X)
    assert_array_equal(auto.components_, named.components_)


# --- difficult rows ------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(200, 12), (12, 40), (5000, 30)])
def test_full_keeps_small_singular_values(shape):
    X = rows(*shape, condition=1e12)
    s, _ = exact(X)
    pca = PCA(svd_solver="full").fit(X)
    # backward stable: each s_i to a few n eps s_1, where squares would lose all below 1e-8
    assert_allclose(pca.singular_values_, s[: len(pca.singular_values_)], atol=10 * shape[0] * EPS)
    assert s[min(shape) - 2] < 1e-9


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(300, 12), (12, 300)])
def test_far_from_the_origin(solver, shape):
    near = np.round(rows(*shape) * 2**20) / 2**20  # still exact with the offset
    options = {"n_components": 3, "svd_solver": solver, "random_state": 0}
    far, home = PCA(**options).fit(near + 2.0**27), PCA(**options).fit(near)
    # the means are stored to 2^27 eps = 3e-8, all else must not notice
    assert_same_fit(far, home, atol=1e-7, rtol=1e-10, names=set(ATTRIBUTES) - {"mean_"})
    assert_allclose(far.mean_ - 2.0**27, home.mean_, atol=1e-7)
    assert_allclose(far.transform(near + 2.0**27), home.transform(near), atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(60, 20), (20, 60), (20, 20)])
def test_rank_deficient(solver, shape):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((shape[0], 4)) @ rng.standard_normal((4, shape[1]))
    k = 9
    pca = PCA(k, svd_solver=solver, random_state=0).fit(X)
    s, _ = exact(X)
    # squares lose what is below 1e-8 s_1
    assert_allclose(pca.singular_values_, s[:k], rtol=1e-10, atol=1e-6)
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(k), atol=1e-12)
    assert_allclose(pca.inverse_transform(pca.transform(X)), X, atol=1e-10)
    assert np.all(np.isfinite(pca.score_samples(X)))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("value", [0.0, 0.1, 1e8])
def test_constant_rows(solver, value):
    X = np.full((30, 5), value)
    pca = PCA(2, svd_solver=solver, random_state=0).fit(X)
    assert_allclose(pca.explained_variance_, 0, atol=(EPS * value) ** 2 * 30)
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(2), atol=1e-14)
    assert_allclose(pca.transform(X), 0, atol=10 * EPS * value)


@pytest.mark.parametrize("unit", [1e-300, 1e-170, 1e-30, 1e30, 1e170])
@pytest.mark.parametrize("solver", SOLVERS)
def test_huge_and_tiny_numbers(unit, solver):
    X = rows()
    options = {"n_components": 2, "svd_solver": solver, "random_state": 0}
    home, away = PCA(**options).fit(X), PCA(**options).fit(unit * X)
    assert_allclose(away.components_, home.components_, atol=1e-10)
    assert_allclose(away.singular_values_ / unit, home.singular_values_, rtol=1e-10)
    assert_allclose(away.explained_variance_ratio_, home.explained_variance_ratio_, rtol=1e-10)


def test_single_row_and_single_column():
    one = PCA().fit([[1.0, 2.0, 3.0]])
    assert one.components_.shape == (1, 3)
    assert_array_equal(one.mean_, [1, 2, 3])
    assert np.all(np.isnan(one.explained_variance_))
    column = PCA().fit([[1.0], [2.0], [4.0]])
    assert_array_equal(column.components_, [[1.0]])
    assert_allclose(column.explained_variance_, np.var([1, 2, 4], ddof=1))


# --- dtypes, layouts, sparse ---------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(300, 8), (20, 60)])
def test_float32(solver, shape):
    X = rows(*shape, offset=3.0)
    options = {"n_components": 3, "svd_solver": solver, "random_state": 0}
    single, double = PCA(**options).fit(X.astype(np.float32)), PCA(**options).fit(X)
    for name in ATTRIBUTES:
        assert getattr(single, name).dtype == np.float32
        assert getattr(double, name).dtype == np.float64
    small = X.astype(np.float32)
    for values in (
        single.transform(small),
        single.fit_transform(small),
        single.score_samples(small),
    ):
        assert values.dtype == np.float32
    assert single.get_covariance().dtype == single.get_precision().dtype == np.float32
    # data at 3 to 10 rounded to 2^-24 of themselves
    assert_same_fit(single, double, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("p", "k"), [(6, None), (200, 20)])
def test_float32_is_summed_in_float64(p, k):
    X = rows(2000, p, condition=1e3 if k is None else 1e12).astype(np.float32)
    options = {"n_components": k, "svd_solver": "covariance_eigh"}
    double = PCA(**options).fit(X.astype(float))
    single = PCA(**options).fit(X)
    assert_allclose(single.singular_values_, double.singular_values_, rtol=1e-7)


def test_float32_products_serve_where_they_cannot_be_seen(monkeypatch):
    kinds = []

    def spy(*args, dtype=np.float64, **kwargs):
        kinds.append(np.dtype(dtype).name)
        return found(*args, dtype=dtype, **kwargs)

    found = solvers.moments.moments
    monkeypatch.setattr(solvers.moments, "moments", spy)
    X = rows(3000, 200, offset=3.0).astype(np.float32)
    options = {"n_components": 20, "svd_solver": "covariance_eigh"}
    double, single = PCA(**options).fit(X.astype(float)), PCA(**options).fit(X)
    assert kinds == ["float64", "float32"]
    # an entry of the scatter is a sum of 3000 products, each wrong by 2^-24, that grows in float32
    assert_allclose(single.singular_values_, double.singular_values_, rtol=3000 * 2.0**-24)
    PCA(**options).fit(X * np.geomspace(1, 1e-16, 200, dtype=np.float32))
    assert kinds[2:] == ["float32", "float64"]  # the twentieth axis is too short


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_array])
@pytest.mark.parametrize("solver", ["auto", "arpack", "covariance_eigh"])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse(form, solver, weighted):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((90, 30)) * (rng.random((90, 30)) < 0.2) * np.linspace(1, 3, 30)
    w = rng.integers(0, 4, 90).astype(float) if weighted else None
    options = {"n_components": 4, "svd_solver": solver, "random_state": 0}
    found, dense = (PCA(**options).fit(rows, sample_weight=w) for rows in (form(X), X))
    assert_same_fit(found, dense, rtol=1e-10, atol=1e-10)
    assert_allclose(found.transform(form(X)), dense.transform(X), atol=1e-10)
    assert_allclose(found.fit_transform(form(X), sample_weight=w), dense.transform(X), atol=1e-10)


@pytest.mark.parametrize("solver", ["auto", "covariance_eigh", "arpack"])
def test_sparse_stays_sparse(monkeypatch, solver):
    X = sparse.random_array((400, 50), density=0.05, rng=np.random.default_rng(0)).tocsr()
    monkeypatch.setattr(type(X), "toarray", lambda self, *a, **k: pytest.fail("densified"))
    if solver != "covariance_eigh":
        monkeypatch.setattr(type(X), "todense", lambda self, *a, **k: pytest.fail("densified"))
    PCA(3, svd_solver=solver).fit(X).transform(X)


def test_sparse_rows_of_zeros_and_of_many_components():
    zeros = PCA(2).fit(sparse.csr_array((20, 5)))
    assert_array_equal(zeros.explained_variance_, 0)
    X = rows(6, 20)
    w = [2, 3, 1, 1, 2, 3]
    weighted = PCA().fit(sparse.csr_array(X), sample_weight=w)
    repeated = PCA().fit(np.repeat(X, w, axis=0))
    assert_allclose(weighted.singular_values_, repeated.singular_values_[:11], atol=1e-12)


def test_memmap_and_layouts(tmp_path):
    X = rows(3000, 40, offset=5.0)
    file = np.memmap(tmp_path / "X", X.dtype, "w+", shape=X.shape)
    file[:] = X
    frozen = X.copy()
    frozen.setflags(write=False)
    for solver in SOLVERS:
        pca = PCA(4, svd_solver=solver, random_state=0).fit(X)
        for same in (file, np.asfortranarray(X), np.hstack([X, X])[:, :40], frozen, X.tolist()):
            other = clone(pca).fit(same)
            for name in ATTRIBUTES:
                assert_array_equal(getattr(pca, name), getattr(other, name))
            assert_allclose(other.transform(same), pca.transform(X), atol=1e-12)


@pytest.mark.parametrize(
    ("solver", "shape"),
    [("covariance_eigh", (20_000, 100)), ("full", (20_000, 100)), ("randomized", (2000, 1500))],
)
def test_no_copy_of_the_rows(solver, shape):
    X = np.random.default_rng(0).standard_normal(shape)
    pca = PCA(5, svd_solver=solver, random_state=0)
    pca.fit(X)  # compiled
    tracemalloc.start()
    pca.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes


def test_copy_false_works_in_the_memory_of_few_rows():
    X = rows(20, 60)
    kept, used = X.copy(), X.copy()
    expected = PCA(3, svd_solver="full").fit_transform(kept)
    scores = PCA(3, svd_solver="full", copy=False).fit_transform(used)
    assert_array_equal(kept, X)
    assert not np.allclose(used, X)
    assert_allclose(scores, expected, atol=1e-12)


# --- weights -------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(100, 6), (30, 20), (15, 40)])
def test_a_weight_counts_rows(solver, shape):
    X = rows(*shape)
    counts = np.random.default_rng(0).integers(0, 4, shape[0])
    options = {"n_components": 3, "svd_solver": solver, "random_state": 0, "iterated_power": 20}
    weighted = PCA(**options).fit(X, sample_weight=counts)
    repeated = PCA(**options).fit(np.repeat(X, counts, axis=0))
    assert_same_fit(weighted, repeated)
    assert isinstance(repeated.n_samples_, int)
    assert_allclose(
        PCA(**options).fit_transform(X, sample_weight=counts), weighted.transform(X), atol=1e-12
    )


@pytest.mark.parametrize("rule", [None, 0.7, "mle"])
def test_weights_and_rules(rule):
    X = rows(40, 5, condition=100)
    counts = np.arange(40) % 3
    weighted = PCA(rule, svd_solver="full").fit(X, sample_weight=counts)
    assert_same_fit(weighted, PCA(rule, svd_solver="full").fit(np.repeat(X, counts, axis=0)))


def test_all_components_of_weighted_few_rows():
    X, counts = rows(6, 20), [2, 3, 0, 1, 2, 3]
    weighted = PCA().fit(X, sample_weight=counts)
    repeated = PCA().fit(np.repeat(X, counts, axis=0))
    assert weighted.components_.shape == (11, 20)
    assert_same_fit(weighted, repeated)


def test_fractional_weights():
    X = rows(30, 40)
    w = np.random.default_rng(0).uniform(0.05, 0.1, 30)
    pca = PCA().fit(X, sample_weight=w)
    assert pca.n_components_ == 30  # the rows are not fewer for that
    mean = np.average(X, axis=0, weights=w)
    assert_allclose(pca.mean_, mean)
    covariance = (X - mean).T * w @ (X - mean) / (w.sum() - 1)
    assert_allclose(pca.get_covariance(), covariance, atol=1e-12)
    assert pca.n_samples_ == pytest.approx(w.sum())


# --- pieces --------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("edges", [(0, 90), (0, 1, 2, 90), (0, 80, 90), (0, 7, 30, 30, 90)])
def test_pieces_are_the_whole(solver, weighted, edges):
    X = rows(90, 6)
    w = np.random.default_rng(0).integers(1, 4, 90).astype(float) if weighted else None
    options = {"n_components": 3, "svd_solver": solver, "random_state": 0}
    whole = PCA(**options).fit(X, sample_weight=w)
    pieces = PCA(**options)
    for start, stop in itertools.pairwise(edges):
        if stop > start:
            pieces.partial_fit(X[start:stop], sample_weight=None if w is None else w[start:stop])
            pieces = pickle.loads(pickle.dumps(pieces))
    assert_same_fit(pieces, whole)


@pytest.mark.parametrize("solver", ["auto", "full", "covariance_eigh"])
def test_pieces_after_a_fit(solver):
    X = rows(90, 6)
    pieces = PCA(3, svd_solver=solver).fit(X[:70]).partial_fit(X[70:])
    assert_same_fit(pieces, PCA(3, svd_solver=solver).fit(X))
    assert_same_fit(pieces.fit(X[:70]), PCA(3, svd_solver=solver).fit(X[:70]))


def test_pieces_after_a_fit_that_kept_its_components_only():
    X = rows(12, 40)
    pieces = PCA(svd_solver="full").fit(X[:7]).partial_fit(X[7:])
    assert_allclose(pieces.singular_values_, PCA().fit(X).singular_values_, atol=1e-12)
    lossy = PCA(2, svd_solver="arpack", random_state=0).fit(X[:7]).partial_fit(X[7:])
    assert np.all(lossy.singular_values_ <= pieces.singular_values_[:2] + 1e-12)


@pytest.mark.parametrize("n_components", [None, 0.9, "mle"])
def test_pieces_and_rules(n_components):
    X = rows(90, 6, condition=100)
    pieces = PCA(n_components)
    for i in range(0, 90, 3):
        pieces.partial_fit(X[i : i + 3])
    assert_same_fit(pieces, PCA(n_components, svd_solver="full").fit(X))


def test_pieces_keep_the_small_singular_values():
    X = rows(200, 6, condition=1e12)
    pieces = PCA(svd_solver="full")
    for i in range(0, 200, 50):
        pieces.partial_fit(X[i : i + 50])
    assert_allclose(pieces.singular_values_, exact(X)[0], atol=2000 * EPS)


def test_sparse_pieces():
    X = rows(90, 6) * (np.random.default_rng(0).random((90, 6)) < 0.5)
    whole = PCA(2).fit(X)
    for first in (sparse.csr_array(X[:40]), X[:40]):
        pieces = PCA(2).partial_fit(first).partial_fit(sparse.csr_array(X[40:]))
        assert_same_fit(pieces, whole)


def test_a_piece_of_no_weight_changes_nothing():
    X = rows(40, 5)
    pca = PCA(2).partial_fit(X)
    before = pickle.loads(pickle.dumps(pca))
    pca.partial_fit(X[:3] + 100, sample_weight=np.zeros(3))
    assert_same_fit(pca, before)


# --- threads, parameters -------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("shape", [(9000, 40), (700, 600)])
def test_same_bits_on_any_number_of_threads(solver, shape, monkeypatch):
    X = np.random.default_rng(0).standard_normal(shape)
    fits = []
    for n in (1, 2, 3, 8):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n: n)
        pca = PCA(5, svd_solver=solver, random_state=0)
        fits.append([pca.fit_transform(X), pca.transform(X), pca.score_samples(X), pca.components_])
    for other in fits[1:]:
        for a, b in zip(fits[0], other, strict=True):
            assert_array_equal(a, b)


HARD = np.random.default_rng(0).standard_normal((300, 250))  # a spectrum without a gap


@pytest.mark.parametrize(
    ("solver", "one", "other"),
    [
        ("arpack", {"tol": 0.0}, {"tol": 0.5}),
        ("arpack", {"random_state": 0}, {"random_state": 1}),
        ("randomized", {"iterated_power": 0}, {"iterated_power": 1}),
        ("randomized", {"iterated_power": "auto"}, {"iterated_power": 7}),
        ("randomized", {"n_oversamples": 1}, {"n_oversamples": 20}),
        ("randomized", {"random_state": 0}, {"random_state": 1}),
        (
            "randomized",
            {"iterated_power": 10, "power_iteration_normalizer": "LU"},
            {"iterated_power": 10, "power_iteration_normalizer": "none"},
        ),
        (
            "randomized",
            {"iterated_power": 10, "power_iteration_normalizer": "auto"},
            {"iterated_power": 10, "power_iteration_normalizer": "QR"},
        ),
        ("full", {"whiten": False}, {"whiten": True}),
        ("full", {"n_components": 3}, {"n_components": 0.3}),
    ],
)
def test_every_parameter_has_an_effect(solver, one, other):
    base = {"n_components": 3, "svd_solver": solver, "random_state": 0}
    first, again, second = (
        PCA(**(base | options)).fit_transform(HARD) for options in (one, one, other)
    )
    assert_array_equal(first, again)
    assert first.shape != second.shape or not np.array_equal(first, second)


def test_more_steps_and_wider_blocks_capture_more():
    def captured(**options):
        pca = PCA(3, svd_solver="randomized", random_state=0, **options).fit(HARD)
        return pca.explained_variance_.sum()

    steps = [captured(iterated_power=q) for q in (0, 1, 2, 4, 12)]
    assert np.all(np.diff(steps) > 0)
    assert captured(iterated_power=1, n_oversamples=40) > steps[1]
    reference = theirs.PCA(3, svd_solver="randomized", random_state=0).fit(HARD)
    assert captured() > reference.explained_variance_.sum()


def test_tolerance_of_arpack_is_the_accuracy():
    s, _ = exact(HARD)
    errors = [
        np.abs(
            PCA(3, svd_solver="arpack", tol=t, random_state=0).fit(HARD).singular_values_ - s[:3]
        )
        for t in (0.0, 0.5)
    ]
    assert errors[0].max() < 1e-10 < errors[1].max()


# --- what the mathematics says -------------------------------------------------------------


@st.composite
def problems(draw):
    n, p = draw(st.integers(2, 30)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    X = rng.standard_normal((n, p)) * 10.0 ** rng.integers(-2, 2, p)
    if draw(st.booleans()):
        X[:, 0] = X[:, -1]
    return X + rng.uniform(-5, 5, p), draw(st.integers(1, min(n, p)))


@given(problems(), st.sampled_from(["auto", "full", "covariance_eigh", "randomized"]))
def test_reconstruction_leaves_the_rest_of_the_spectrum(problem, solver):
    X, k = problem
    pca = PCA(k, svd_solver=solver, random_state=0).fit(X)
    s, _ = exact(X)
    scale = np.sum(s**2)
    assert_allclose(pca.components_ @ pca.components_.T, np.eye(k), atol=1e-12)
    rest = np.sum((X - pca.inverse_transform(pca.transform(X))) ** 2)
    assert_allclose(rest, np.sum(s[k:] ** 2), atol=1e-12 * scale)
    q = min(X.shape)
    assert_allclose(
        pca.noise_variance_ * max(q - k, 1) * (len(X) - 1), np.sum(s[k:] ** 2), atol=1e-11 * scale
    )
    assert_allclose(pca.fit_transform(X), pca.transform(X), atol=1e-10 * (1 + np.abs(X).max()))


@given(problems())
def test_rotated_rows_have_the_same_variances(problem):
    X, k = problem
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((X.shape[1],) * 2))[0]
    one, other = PCA(k, svd_solver="full").fit(X), PCA(k, svd_solver="full").fit(X @ rotation)
    scale = one.explained_variance_.sum() + np.square(X).max() * EPS
    assert_allclose(one.explained_variance_, other.explained_variance_, atol=1e-12 * scale)


@given(problems(), st.floats(-100, 100), st.floats(0.01, 100))
def test_shift_and_scale(problem, shift, scale):
    X, k = problem
    one, other = PCA(k, svd_solver="full").fit(X), PCA(k, svd_solver="full").fit(scale * X + shift)
    # what the shift rounds away, against the largest singular value
    atol = 1e-12 * (1 + (np.abs(X).max() + abs(shift) / scale) / one.singular_values_[0])
    ratio = other.singular_values_ / (scale * one.singular_values_[0])
    assert_allclose(ratio, one.singular_values_ / one.singular_values_[0], atol=100 * atol)
    assert_allclose(other.mean_, scale * one.mean_ + shift, atol=1e-11 * (1 + scale * 1e3))


def test_whitened_scores_have_no_unit():
    X = rows(200, 8)
    scores = PCA(4, whiten=True).fit_transform(X)
    assert_allclose(PCA(4, whiten=True).fit_transform(3 * X), scores, atol=1e-12)


def test_whitened_scores_have_unit_variance():
    X = rows(200, 8)
    for solver in SOLVERS:
        pca = PCA(4, whiten=True, svd_solver=solver, random_state=0)
        scores = pca.fit_transform(X)
        assert_allclose(np.cov(scores.T), np.eye(4), atol=1e-10)
        assert_allclose(pca.transform(X), scores, atol=1e-10)


@pytest.mark.parametrize(
    ("solver", "n_directions"),
    [("full", 20), ("arpack", 20), ("randomized", 20), ("covariance_eigh", 60)],
)
def test_over_how_many_directions_the_noise_is_averaged(solver, n_directions):
    X = rows(20, 60)
    rest = np.sum(exact(X)[0][4:] ** 2) / 19
    pca = PCA(4, svd_solver=solver, random_state=0).fit(X)
    assert_allclose(pca.noise_variance_, rest / (n_directions - 4))


def test_of_equal_entries_in_the_dtype_of_X_the_first_is_positive():
    for seed in range(30):
        X = np.random.default_rng(seed).standard_normal((40, 2))
        X = X @ [[2.0, 1.0], [0.0, 1.0]]
        X = (X - X.mean(axis=0)) / X.std(axis=0)  # axes (1, 1) and (1, -1) / sqrt 2
        single = PCA().fit(X.astype(np.float32))
        size = np.abs(single.components_)
        first = size[:, 0] >= size[:, 1]
        assert np.all(np.where(first, *single.components_.T) > 0)
        scores = single.fit_transform(X.astype(np.float32))
        assert_allclose(scores, X @ single.components_.T, atol=1e-5)


def test_density_is_that_of_the_model():
    from scipy.stats import multivariate_normal

    X = rows(300, 6) + 1.0
    for k in (0, 2, 6):
        pca = PCA(k).fit(X)
        expected = multivariate_normal(pca.mean_, pca.get_covariance()).logpdf(X)
        assert_allclose(pca.score_samples(X), expected, rtol=1e-9)
        assert_allclose(pca.get_precision() @ pca.get_covariance(), np.eye(6), atol=1e-10)


def test_density_within_the_plane_where_nothing_leaves_it():
    X = rows(5, 9)
    pca = PCA().fit(X)  # 5 components, of which 4 vary
    scores = pca.transform(X)[:, :4]
    expected = -0.5 * np.sum(scores**2 / pca.explained_variance_[:4], axis=1)
    expected -= 0.5 * (4 * np.log(2 * np.pi) + np.sum(np.log(pca.explained_variance_[:4])))
    assert_allclose(pca.score_samples(X), expected, rtol=1e-9)
    assert_allclose(pca.get_precision(), np.linalg.pinv(np.cov(X.T), rcond=1e-10), atol=1e-9)


@pytest.mark.parametrize("load", [datasets.load_wine, datasets.load_breast_cancer])
def test_density_of_float32_along_all_axes(load):
    # the least deviation is 1e-3 and 1e-6 of the largest: float32 axes see more than eps of it
    X = load().data
    single, double = PCA().fit(X.astype(np.float32)), PCA().fit(X)
    assert len(single._model()[0]) == X.shape[1]
    assert single.score(X.astype(np.float32)) == pytest.approx(double.score(X), rel=1e-4)


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 5), (5, 8)])
@pytest.mark.parametrize("n_components", [-1, 0, 5, 6, 0.5, 1.0, "mle", "all", 2.5])
@pytest.mark.parametrize("solver", SOLVERS)
def test_numbers_of_components_that_scikit_learn_refuses(shape, n_components, solver):
    X = np.random.default_rng(0).standard_normal(shape)
    options = {"n_components": n_components, "svd_solver": solver}
    try:
        theirs.PCA(**options).fit(X)
    except ValueError as error:
        with pytest.raises(type(error)) as ours:
            PCA(**options).fit(X)
        assert str(ours.value) == str(error)
    else:
        PCA(**options).fit(X)


@pytest.mark.parametrize("solver", ["full", "randomized"])
def test_sparse_rows_that_a_solver_does_not_take(solver):
    X = sparse.csr_array(np.eye(4))
    for learn in (PCA(svd_solver=solver).fit, PCA(svd_solver=solver).partial_fit):
        with pytest.raises(TypeError, match=f'while "{solver}" was passed'):
            learn(X)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("shape", [(50, 6), (6, 50)])
def test_nan_and_infinity(solver, bad, shape):
    X = rows(*shape)
    pca = PCA(2, svd_solver=solver, random_state=0).fit(X)
    before = dict(vars(pca))
    broken = X.copy()
    broken[3, 2] = bad
    for ask in (pca.fit, pca.partial_fit, pca.fit_transform, pca.transform, pca.score_samples):
        with pytest.raises(ValueError, match="Input X contains"):
            ask(broken)
    assert vars(pca).keys() == before.keys()
    assert all(vars(pca)[name] is before[name] for name in before)
    if solver in ("auto", "arpack", "covariance_eigh"):
        for ask in (pca.fit, pca.transform):
            with pytest.raises(ValueError, match="Input X contains"):
                ask(sparse.csr_array(broken))


def test_weights_that_are_refused():
    X = rows(10, 3)
    for weights, message in (
        (np.full(10, 0.05), "adds up to 0.5"),
        (np.zeros(10), "at least one non-zero"),
        (-np.ones(10), "Negative values"),
        (np.ones(9), "sample_weight.shape"),
        (np.full(10, np.nan), "contains NaN"),
    ):
        pca = PCA()
        with pytest.raises(ValueError, match=message):
            pca.fit(X, sample_weight=weights)
        assert not hasattr(pca, "components_")


def test_other_columns_than_in_fit():
    pca = PCA(2).fit(rows(20, 4))
    for ask in (pca.transform, pca.partial_fit, pca.score_samples):
        with pytest.raises(ValueError, match="3 features"):
            ask(rows(20, 3))


def test_not_fitted():
    from sklearn.exceptions import NotFittedError

    for name in ("transform", "inverse_transform", "score_samples", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(PCA(), name)(*([] if name == "get_feature_names_out" else [rows()]))


def test_names_and_frames():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(rows(20, 3), columns=list("abc"))
    pca = PCA(2).set_output(transform="pandas")
    assert list(pca.fit_transform(X).columns) == ["pca0", "pca1"]
    assert list(pca.get_feature_names_out()) == ["pca0", "pca1"]
    assert list(pca.feature_names_in_) == ["a", "b", "c"]
