"""FactorAnalysis: scikit-learn's iterates, by every route; rotations; what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn import datasets
from sklearn import decomposition as theirs
from sklearn.exceptions import ConvergenceWarning

from skcourse.decomposition import FactorAnalysis, factor_analysis_whitened
from skcourse.decomposition.factor_analysis_whitened import FewRows, Scatter, Subspace
from skcourse.decomposition.rotation import rotated

EPS = np.finfo(float).eps


def rows(n=200, p=6, k=2, *, seed=0):
    """Return rows of k factors, with a noise for each feature."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, k)) @ (2 * rng.standard_normal((k, p)))
    return X + rng.uniform(0.3, 2, p) * rng.standard_normal((n, p)) + np.arange(p)


def assert_same_fit(ours, reference, *, rtol=1e-9, signs=True):
    assert ours.n_iter_ == reference.n_iter_
    assert_allclose(ours.loglike_, reference.loglike_, rtol=rtol)
    assert_allclose(ours.noise_variance_, reference.noise_variance_, rtol=rtol, atol=1e-12)
    size = np.abs(reference.components_).max(initial=0.0)
    parts = (ours.components_, reference.components_)
    parts = parts if signs else map(np.abs, parts)
    assert_allclose(*parts, atol=rtol * size)


# --- the iterates of scikit-learn ----------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
@pytest.mark.parametrize("k", [0, 1, 3])
def test_real_data(name, k):
    X = getattr(datasets, f"load_{name}")().data[:600]
    reference = theirs.FactorAnalysis(k, svd_method="lapack").fit(X)
    ours = FactorAnalysis(k, svd_method="lapack").fit(X)
    # breast cancer has variances from 1e-5 to 1e5, and psi = var - W'W keeps 1e-8 of some
    assert_same_fit(ours, reference, rtol=1e-7, signs=False)
    assert_allclose(ours.get_covariance(), reference.get_covariance(), rtol=1e-9, atol=1e-9)
    assert_allclose(np.abs(ours.transform(X)), np.abs(reference.transform(X)), atol=1e-7)
    assert_allclose(ours.score_samples(X), reference.score_samples(X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(200, 6), (9, 20), (12, 12)])
@pytest.mark.parametrize("k", [0, 2, 5, None])
def test_shapes_and_signs(shape, k):
    X = rows(*shape)
    k = 5 if k is None and shape != (200, 6) else k  # as many as rows: they take log 0
    reference = theirs.FactorAnalysis(k).fit(X)  # at most 10 more dimensions: theirs is exact
    ours = FactorAnalysis(k).fit(X)
    assert_same_fit(ours, reference, rtol=1e-6)  # psi = var - W'W for five factors of nine rows
    assert_allclose(ours.transform(X), reference.transform(X), atol=1e-5)


@pytest.mark.parametrize("rotation", ["varimax", "quartimax"])
def test_rotation(rotation):
    X = datasets.load_wine().data
    reference = theirs.FactorAnalysis(3, rotation=rotation).fit(X)
    ours, plain = FactorAnalysis(3, rotation=rotation).fit(X), FactorAnalysis(3).fit(X)
    assert_same_fit(ours, reference, rtol=1e-7)
    assert_allclose(ours.get_covariance(), plain.get_covariance())
    assert not np.allclose(ours.components_, plain.components_)


def test_rotation_finds_what_was_turned_away():
    simple = np.kron(np.eye(2), np.linspace(1, 2, 4)[:, np.newaxis])  # each row has one factor
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    for method in ("varimax", "quartimax"):
        # the criterion is flat at the top: a rise of 1e-6 of it is an angle of some 1e-3
        found = np.abs(rotated(simple @ turn, method))
        assert_allclose(np.sort(found, axis=1), np.sort(simple, axis=1), atol=1e-2)
    assert rotated(np.empty((4, 0)), "varimax").shape == (4, 0)


def test_first_noise_tol_and_max_iter():
    X, psi = rows(), np.linspace(0.5, 2, 6)
    for options in ({"noise_variance_init": psi}, {"tol": 1e-4}, {"max_iter": 3}):
        reference = theirs.FactorAnalysis(2, svd_method="lapack", **options)
        ours = FactorAnalysis(2, svd_method="lapack", **options)
        if "max_iter" in options:
            with pytest.warns(ConvergenceWarning, match="did not converge"):
                reference.fit(X)
            with pytest.warns(ConvergenceWarning, match="did not converge") as found:
                ours.fit(X)
            assert found[0].filename == __file__
        assert_same_fit(ours.fit(X) if ours.max_iter > 3 else ours, reference.fit(X), signs=False)
    assert psi[0] == 0.5


# --- the likelihood ------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, 1, 3, 6])
def test_likelihood_is_scipys(k):
    X = rows()
    model = FactorAnalysis(k).fit(X)
    expected = multivariate_normal(X.mean(axis=0), model.get_covariance()).logpdf(X)
    assert_allclose(model.score_samples(X), expected, rtol=1e-9)
    assert model.score(X) == pytest.approx(expected.mean())
    assert model.history_["log_likelihood"][-1] == pytest.approx(expected.sum())
    assert_allclose(model.get_covariance() @ model.get_precision(), np.eye(6), atol=1e-9)
    W = model.components_
    gain = np.linalg.solve(model.get_covariance(), W.T)
    assert_allclose(model.transform(X), (X - X.mean(axis=0)) @ gain, atol=1e-9)


@given(st.integers(0, 1000), st.integers(0, 6), st.booleans())
def test_likelihood_never_falls(seed, k, wide):
    X = rows(*((5, 8) if wide else (40, 6)), seed=seed) * np.geomspace(0.1, 10, 8 if wide else 6)
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(ConvergenceWarning)
        model = FactorAnalysis(k, tol=1e-6, max_iter=100).fit(X)
    values = model.history_["log_likelihood"]
    # psi = var - W'W is right to eps var, and log psi to eps var / psi
    slack = 1e-6 + 100 * X.size * EPS * np.max(X.var(axis=0) / model.noise_variance_)
    assert np.diff(values).min(initial=0) >= -slack
    assert len(values) == model.n_iter_ == len(model.loglike_)


def test_more_factors_than_dimensions():
    X = np.hstack([rows(), np.full((200, 1), 7.0), np.zeros((200, 1))])
    model = FactorAnalysis(tol=1e-4).fit(X)
    assert_allclose(model.noise_variance_[6:], 1e-12)
    assert np.isfinite(model.loglike_).all()
    assert_allclose(model.loglike_, model.history_["log_likelihood"])
    assert model.loglike_[-1] == pytest.approx(model.score_samples(X).sum())
    assert FactorAnalysis(50).fit(rows(9, 20)).components_.shape == (9, 20)


# --- routes --------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 1e9])
def test_all_routes_find_the_same_axes(scale, monkeypatch):
    X = rows(120, 40, 3)
    X[:, 0] *= scale  # beside which the scatter matrix cannot see a noise of 1
    A = (X - X.mean(axis=0)) / np.sqrt(120)
    d = 1 / np.linspace(0.5, 2, 40)
    s, Vt = np.linalg.svd(A * d)[1:]
    many, few = Scatter(A.T @ A, X, None, 120.0), FewRows(np.linalg.qr(A)[1])
    for rows_of in (many, few):
        found, V, rest = Subspace(rows_of, 3).leading(d)
        # squares, where they are taken, are wrong by p eps s_1 < 1e-9; or by (eps s_1^1/2) s^1/2
        assert_allclose(found, s[:3] ** 2, rtol=1e-8)
        assert_allclose(np.abs(np.sum(V * Vt[:3], axis=1)), 1, rtol=1e-8)
        assert_allclose(rest, np.sum(s[3:] ** 2), rtol=1e-8)
    assert (many._R is None) == (scale == 1)
    if scale == 1:
        monkeypatch.setattr(factor_analysis_whitened, "WORTH", 0.1)
        for rows_of in (many, few):
            subspace = Subspace(rows_of, 3, 2, np.random.default_rng(0))
            for _ in range(20):
                found, V, rest = subspace.leading(d)
            assert subspace.Q is not None
            assert_allclose(found, s[:3] ** 2, rtol=1e-9)
            assert_allclose(rest, np.sum(s[3:] ** 2), rtol=1e-9)


@pytest.mark.parametrize("shape", [(400, 150), (150, 400)])
def test_randomized(shape):
    X = rows(*shape, 2)
    exact = FactorAnalysis(2, svd_method="lapack").fit(X)
    near = FactorAnalysis(2).fit(X)
    # each iteration improves the subspace of the one before
    assert_allclose(near.get_covariance(), exact.get_covariance(), atol=1e-2)
    assert near.score(X) >= theirs.FactorAnalysis(2).fit(X).score(X) - 0.01 / shape[0]
    rough = [FactorAnalysis(2, iterated_power=0, random_state=seed).fit(X) for seed in (0, 0, 1)]
    assert rough[0].loglike_ == rough[1].loglike_
    assert rough[0].loglike_[0] != rough[2].loglike_[0]
    assert rough[0].loglike_[0] < near.loglike_[0] <= exact.loglike_[0] * (1 - 1e-12)


@pytest.mark.parametrize("shape", [(200, 6), (9, 20)])
def test_weights_repeat_rows(shape):
    X = rows(*shape)
    counts = np.arange(len(X)) % 3
    weighted = FactorAnalysis(2, rotation="varimax").fit(X, sample_weight=counts)
    repeated = FactorAnalysis(2, rotation="varimax").fit(np.repeat(X, counts, axis=0))
    assert_same_fit(weighted, repeated, rtol=1e-7)
    assert FactorAnalysis().fit(X, sample_weight=np.full(len(X), 2)).components_.shape == (
        min(2 * len(X), shape[1]),
        shape[1],
    )


# --- difficult rows, and what is refused ---------------------------------------------------


@pytest.mark.parametrize("shape", [(200, 6), (9, 20)])
def test_far_from_the_origin(shape):
    near = np.round(rows(*shape) * 2**20) / 2**20  # still exact with the offset
    home, away = FactorAnalysis(2).fit(near), FactorAnalysis(2).fit(near + 2.0**27)
    assert_same_fit(away, home, rtol=1e-6)
    assert_allclose(away.transform(near + 2.0**27), home.transform(near), atol=1e-6)


def test_scales():
    units = np.geomspace(1e-3, 1e6, 6)
    X = rows()
    psi = np.ones(6)
    home = FactorAnalysis(2, noise_variance_init=psi).fit(X)
    away = FactorAnalysis(2, noise_variance_init=psi * units**2).fit(X * units)
    assert_allclose(away.noise_variance_, home.noise_variance_ * units**2, rtol=1e-7)
    assert_allclose(away.transform(X * units), home.transform(X), atol=1e-6)


def test_float32():
    X = rows().astype(np.float32)
    single, double = FactorAnalysis(2).fit(X), FactorAnalysis(2).fit(X.astype(float))
    assert single.components_.dtype == single.noise_variance_.dtype == np.float32
    assert single.transform(X).dtype == np.float32
    assert_allclose(single.components_, double.components_, rtol=1e-5, atol=1e-6)
    assert_allclose(single.transform(X), double.transform(X), atol=1e-4)


def test_x_is_not_changed():
    X = rows(9, 20)
    before = X.copy()
    FactorAnalysis(2, copy=False).fit(X)
    assert_array_equal(X, before)


def test_refused():
    X = rows()
    for psi, message in (
        (np.ones(5), "5 != 6"),
        (-np.ones(6), "Negative values"),
        (np.full(6, np.nan), "NaN"),
        (np.ones((6, 2)), "noise_variance_init"),
    ):
        with pytest.raises(ValueError, match=message):
            FactorAnalysis(2, noise_variance_init=psi).fit(X)
    for value in (np.nan, np.inf):
        for shape in ((200, 6), (9, 20)):
            broken = rows(*shape)
            broken[3, 2] = value
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                FactorAnalysis(2).fit(broken)
    for shape in ((200, 6), (9, 20)):
        with pytest.raises(ValueError, match="another unit"):
            FactorAnalysis(2).fit(rows(*shape) * 1e200)
    with pytest.raises(ValueError, match="non-zero"):
        FactorAnalysis(2).fit(X, sample_weight=np.zeros(200))
