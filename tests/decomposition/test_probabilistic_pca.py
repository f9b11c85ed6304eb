"""ProbabilisticPCA: the closed form, EM, missing values; each against scipy and brute force."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.datasets import load_digits, load_wine
from sklearn.exceptions import ConvergenceWarning

from skcourse.core import chunks
from skcourse.decomposition import PCA, ProbabilisticPCA
from skcourse.decomposition.probabilistic_pca_em import Covariance, FewRows, Plane, start
from skcourse.decomposition.probabilistic_pca_em import step_of_complete as complete_step
from skcourse.decomposition.probabilistic_pca_missing import step_of_missing

EPS = np.finfo(float).eps
SHARP = {"solver": "em", "tol": 1e-12, "max_iter": 20_000, "random_state": 0}


def rows(n=300, p=7, k=2, *, noise=0.5, seed=0):
    """Return rows about a plane."""
    rng = np.random.default_rng(seed)
    X = 2 * rng.standard_normal((n, k)) @ rng.standard_normal((k, p))
    return X + noise * rng.standard_normal((n, p)) + np.arange(p)


def holes(X, share=0.2, seed=1):
    """Return X with a share of its values missing; the first row has none, the second no other."""
    missing = np.random.default_rng(seed).random(X.shape) < share
    missing[0], missing[1] = False, True
    return np.where(missing, np.nan, X)


def log_densities(model, X):
    """Return the log-density of what is seen of each row, by scipy."""
    mean, covariance = model.mean_, model.get_covariance()
    found = np.zeros(len(X))
    for i, x in enumerate(X):
        s = ~np.isnan(x)
        if s.any():
            found[i] = multivariate_normal(mean[s], covariance[np.ix_(s, s)]).logpdf(x[s])
    return found


def loadings(model):
    """Return W."""
    return model.components_.T * np.sqrt(model.explained_variance_ - model.noise_variance_)


# --- the closed form -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(300, 7), (40, 12), (12, 40), (520, 100)])
def test_maximum_likelihood(shape):
    X = rows(*shape)
    model = ProbabilisticPCA(2, random_state=0).fit(X)
    variances, V = np.linalg.eigh(np.cov(X.T, bias=True))
    variances, V, p = variances[::-1], V[:, ::-1], shape[1]
    noise = variances[2:].sum() / (p - 2)
    assert_allclose(model.explained_variance_, variances[:2], rtol=1e-9)
    assert_allclose(model.noise_variance_, noise, rtol=1e-9)
    assert_allclose(np.abs(np.sum(model.components_.T * V[:, :2], axis=0)), 1, rtol=1e-9)
    assert_allclose(model.mean_, X.mean(axis=0), rtol=1e-12)
    shares = variances[:2] / variances.sum()
    assert_allclose(model.explained_variance_ratio_, shares, rtol=1e-9)
    W = loadings(model)
    assert_allclose(model.get_covariance(), W @ W.T + noise * np.eye(p), atol=1e-9)


def test_axes_are_those_of_pca():
    X = rows()
    model, pca = ProbabilisticPCA(3).fit(X), PCA(3).fit(X)
    assert_array_equal(model.components_, pca.components_)
    n = len(X)
    assert_allclose(model.explained_variance_, pca.explained_variance_ * (n - 1) / n)
    assert_allclose(model.noise_variance_, pca.noise_variance_ * (n - 1) / n)
    assert_allclose(model.explained_variance_ratio_, pca.explained_variance_ratio_)


@pytest.mark.parametrize("k", [0, 1, 3, 6, 7, None])
@pytest.mark.parametrize("solver", ["closed_form", "em"])
def test_likelihood_is_scipys(k, solver):
    X = rows()
    model = ProbabilisticPCA(k, **SHARP | {"solver": solver, "tol": 1e-9}).fit(X)
    expected = multivariate_normal(X.mean(axis=0), model.get_covariance()).logpdf(X)
    assert_allclose(model.score_samples(X), expected, rtol=1e-9)
    assert model.score(X) == pytest.approx(expected.mean())
    assert model.log_likelihood_ == pytest.approx(expected.sum())
    assert_allclose(model.get_precision() @ model.get_covariance(), np.eye(7), atol=1e-9)
    assert model.n_components_ == (7 if k is None else k)


def test_small_noise_beside_large_variance():
    rng = np.random.default_rng(0)
    scales = np.array([1e6, 1e3, 1e-3, 1e-3])
    X = rng.standard_normal((500, 4)) * scales  # squares know variances to 1e12 eps = 2e-4 only
    model = ProbabilisticPCA(2).fit(X)
    s = np.linalg.svd(X - X.mean(axis=0), compute_uv=False)
    assert_allclose(model.noise_variance_, np.sum(s[2:] ** 2) / 500 / 2, rtol=1e-5)


def test_bic_finds_the_dimension():
    X = rows(400, 8, 3)
    models = [ProbabilisticPCA(k).fit(X) for k in range(1, 8)]
    assert np.argmin([model.bic(X) for model in models]) + 1 == 3
    # p k - k (k - 1) / 2 + p + 1 numbers for k = 3, p = 8
    difference = models[2].bic(X) - models[2].aic(X)
    assert difference == pytest.approx((24 - 3 + 8 + 1) * (np.log(400) - 2))
    full = ProbabilisticPCA().fit(X)  # a covariance and a mean
    assert full.bic(X) - full.aic(X) == pytest.approx((36 + 8) * (np.log(400) - 2))


# --- EM on complete rows -------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(300, 7), (12, 40)])
def test_em_finds_the_closed_form(shape):
    X = rows(*shape)
    closed, em = ProbabilisticPCA(2).fit(X), ProbabilisticPCA(2, **SHARP).fit(X)
    assert_allclose(em.log_likelihood_, closed.log_likelihood_, rtol=1e-10)
    # the likelihood is flat at the top: an error of 1e-12 there is one of 1e-6 in the model
    assert_allclose(em.get_covariance(), closed.get_covariance(), atol=1e-4)
    assert_allclose(em.transform(X), closed.transform(X), atol=1e-4)


@given(st.integers(0, 1000), st.integers(1, 4), st.booleans(), st.booleans())
def test_likelihood_never_falls(seed, k, wide, missing):
    X = rows(*((10, 14) if wide else (60, 6)), seed=seed)
    if missing:
        X = holes(X, seed=seed)
    model = ProbabilisticPCA(k, solver="em", tol=1e-8, max_iter=100, random_state=seed)
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(ConvergenceWarning)
        values = model.fit(X).history_["log_likelihood"]
    # (1) of `probabilistic_pca_em` divides what is rounded in tr C by v
    slack = 100 * X.size * EPS * (np.abs(values).max() + np.nanvar(X) / model.noise_variance_)
    assert np.diff(values).min(initial=0) >= -slack
    assert len(values) == model.n_iter_ == len(model.history_["noise_variance"])
    assert values[-1] == model.log_likelihood_


@pytest.mark.parametrize("missing", [False, True])
def test_em_finds_directions_beside_far_larger_ones(missing):
    X = rows() * np.geomspace(1e-1, 1e3, 7)
    X = holes(X, 0.02) if missing else X
    em = ProbabilisticPCA(4, solver="em", random_state=0).fit(X)
    known = X[~np.isnan(X).any(axis=1)]
    # without most rows of `holes`, the best plane of the others is hardly better
    assert em.score(known) >= ProbabilisticPCA(4).fit(known).score(known) - 0.1


def test_few_rows_take_the_same_steps():
    X = rows(9, 12)
    A = (X - X.mean(axis=0)) / 3
    plane = start(FewRows(A), X.mean(axis=0), 2, np.random.default_rng(0))
    value, better = complete_step(Covariance(A.T @ A), 9)(plane)
    same_value, same = complete_step(FewRows(A), 9)(plane)
    assert_allclose(value, same_value)
    assert_allclose(better.loadings, same.loadings)
    assert_allclose(better.noise, same.noise)


def test_random_state_tol_and_max_iter():
    X = rows()
    first, same, other = (
        ProbabilisticPCA(2, solver="em", random_state=seed).fit(X) for seed in (0, 0, 1)
    )
    assert_array_equal(first.history_["log_likelihood"], same.history_["log_likelihood"])
    assert first.history_["log_likelihood"][0] != other.history_["log_likelihood"][0]
    rough = ProbabilisticPCA(2, solver="em", random_state=0, tol=1e-2).fit(X)
    assert rough.n_iter_ < first.n_iter_
    with pytest.warns(ConvergenceWarning, match="max_iter=3"):
        assert ProbabilisticPCA(2, solver="em", max_iter=3).fit(X).n_iter_ == 3


# --- missing values ------------------------------------------------------------------------


# Patterns that lack little, and much; with that, a full covariance is too near to singular.
@pytest.mark.parametrize(
    ("k", "share"), [(0, 0.1), (1, 0.1), (3, 0.1), (7, 0.1), (0, 0.6), (1, 0.6), (3, 0.6)]
)
def test_posteriors_are_conditionals_of_a_normal(k, share):
    X = holes(rows(80), share)
    model = ProbabilisticPCA(k, tol=1e-4, max_iter=5000).fit(X)
    W, C, m = loadings(model), model.get_covariance(), model.mean_
    means, covariances = model.transform(X, return_cov=True)
    filled = model.impute(X)
    for i, x in enumerate(X):
        s = ~np.isnan(x)
        gain = np.linalg.solve(C[np.ix_(s, s)], W[s]).T  # (k, |s|)
        assert_allclose(means[i], gain @ (x[s] - m[s]), atol=1e-8)
        assert_allclose(covariances[i], np.eye(k) - gain @ W[s], atol=1e-8)
        guess = m + C[:, s] @ np.linalg.solve(C[np.ix_(s, s)], x[s] - m[s])
        assert_allclose(filled[i, ~s], guess[~s], atol=1e-8)
        assert_array_equal(filled[i, s], x[s])
    assert_allclose(model.score_samples(X), log_densities(model, X), atol=1e-8)
    assert_allclose(model.log_likelihood_, log_densities(model, X).sum(), rtol=1e-9)
    assert_array_equal(means, model.transform(X))


def test_complete_rows_among_others_are_answered_alike():
    X = rows()
    model = ProbabilisticPCA(2).fit(X)
    some = X.copy()
    some[0, 0] = np.nan
    means, covariances = model.transform(X, return_cov=True)
    among, known = model.transform(some, return_cov=True)
    assert_allclose(among[1:], means[1:], atol=1e-12)
    assert_allclose(known[1:], covariances[1:], atol=1e-12)
    assert_allclose(model.score_samples(some)[1:], model.score_samples(X)[1:])
    assert_array_equal(model.impute(X), X)


def test_one_step_by_brute_force():
    X, rng = holes(rows(50, 5)), np.random.default_rng(0)
    weights = rng.uniform(0.5, 2, 50)
    W, m, v = rng.standard_normal((5, 2)), rng.standard_normal(5), 0.7
    value, better = step_of_missing(X, weights)(Plane(W, m, v))
    seconds, products, squares, density = np.zeros((5, 3, 3)), np.zeros((5, 3)), 0.0, 0.0
    prior = np.zeros((3, 3))  # of u = (z, 1), over the rows that have a value
    for x, w in zip(X, weights, strict=True):
        s = ~np.isnan(x)
        if not s.any():
            continue
        C = W[s] @ W[s].T + v * np.eye(s.sum())
        y, known = W[s].T @ np.linalg.solve(C, x[s] - m[s]), W[s].T @ np.linalg.solve(C, W[s])
        u = np.append(y, 1.0)
        second = w * (np.outer(u, u) + np.pad(np.eye(2) - known, (0, 1)))
        prior += second
        seconds[s] += second
        products[s] += w * np.outer(x[s] - m[s], u)
        squares += w * np.sum((x[s] - m[s]) ** 2)
        density += w * multivariate_normal(m[s], C).logpdf(x[s])
    found = np.stack([np.linalg.solve(A, c) for A, c in zip(seconds, products, strict=True)])
    mean_z = prior[2, :2] / prior[2, 2]
    covariance = prior[:2, :2] / prior[2, 2] - np.outer(mean_z, mean_z)
    assert_allclose(value, density)
    assert_allclose(better.mean, m + found[:, 2] + found[:, :2] @ mean_z)
    explained = found[:, :2] @ covariance @ found[:, :2].T
    assert_allclose(better.loadings @ better.loadings.T, explained)
    n_values = np.sum(weights @ ~np.isnan(X))
    assert_allclose(better.noise, (squares - np.sum(found * products)) / n_values)


def test_em_climbs_to_a_stationary_point_of_what_is_seen():
    X = holes(rows(120, 5))
    model = ProbabilisticPCA(2, tol=1e-13, max_iter=20_000).fit(X)
    best = log_densities(model, X).sum()
    rng = np.random.default_rng(0)
    for name in ("mean_", "explained_variance_", "noise_variance_"):
        value = getattr(model, name)
        for _ in range(4):
            step = 1e-3 * rng.standard_normal(np.shape(value))
            changes = []
            for sign in (-1, 1):
                setattr(model, name, value + sign * step)
                changes.append(log_densities(model, X).sum() - best)
            assert max(changes) < 1e-7, name  # up to a rest of the slope, both ways are down
        setattr(model, name, value)


def test_without_missing_values_both_iterations_agree():
    X = rows()
    almost = np.vstack([X, np.full((1, 7), np.nan)])  # a row that says nothing
    by_rows = ProbabilisticPCA(2, tol=1e-12).fit(almost)
    closed = ProbabilisticPCA(2).fit(X)
    assert by_rows.n_iter_ > 1
    assert by_rows.n_samples_ == 300
    assert_allclose(by_rows.log_likelihood_, closed.log_likelihood_, rtol=1e-10)
    assert_allclose(by_rows.get_covariance(), closed.get_covariance(), atol=1e-4)
    assert by_rows.score_samples(almost)[-1] == 0
    assert_array_equal(by_rows.impute(almost)[-1], by_rows.mean_)


def test_what_is_missing_is_guessed_better_than_by_means():
    X = rows(500, 10, 2, noise=0.1)
    Y = holes(X, 0.3)
    gone = np.isnan(Y) & ~np.isnan(Y).all(axis=1, keepdims=True)
    guess = ProbabilisticPCA(2).fit(Y).impute(Y)
    means = np.broadcast_to(np.nanmean(Y, axis=0), X.shape)
    assert np.std((guess - X)[gone]) < 0.1 * np.std((means - X)[gone])


def test_weights_repeat_rows_that_lack_values():
    X = holes(rows(60))
    counts = np.arange(60) % 3
    weighted = ProbabilisticPCA(2, tol=1e-10).fit(X, sample_weight=counts)
    repeated = ProbabilisticPCA(2, tol=1e-10).fit(np.repeat(X, counts, axis=0))
    assert_allclose(weighted.log_likelihood_, repeated.log_likelihood_)
    assert_allclose(weighted.get_covariance(), repeated.get_covariance(), rtol=1e-6)


def test_float32_with_missing_values():
    X = holes(rows())
    single = ProbabilisticPCA(2).fit(X.astype(np.float32))
    double = ProbabilisticPCA(2).fit(X)
    assert single.components_.dtype == single.transform(X.astype(np.float32)).dtype == np.float32
    assert single.impute(X.astype(np.float32)).dtype == np.float32
    # EM ends where a row gains 1e-6; float32 rows move the likelihood by 1e-7
    assert_allclose(single.get_covariance(), double.get_covariance(), rtol=1e-3, atol=1e-3)


def test_a_fit_with_missing_values_copies_the_rows_once():
    X = holes(rows(20_000, 20))
    X[1] = 0.0  # not a row without any value
    model = ProbabilisticPCA(2, tol=1e9)
    model.fit(X[:100])
    tracemalloc.start()
    model.fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.9 * X.nbytes  # one copy, and indices of the fifth that is missing


def test_threads_change_no_bit(monkeypatch):
    X = holes(rows(4000, 12), 0.1)
    fits = []
    for n in (1, 2, 3):
        monkeypatch.setattr(chunks, "count_threads", lambda n_jobs=-1, n=n: n)
        model = ProbabilisticPCA(2, tol=1e-3).fit(X)
        fits.append((model.components_.tobytes(), model.impute(X).tobytes()))
    assert fits[0] == fits[1] == fits[2]


# --- sampling, and back --------------------------------------------------------------------


def test_sample():
    model = ProbabilisticPCA(2).fit(rows())
    drawn = model.sample(200_000, random_state=0)
    assert_array_equal(drawn, model.sample(200_000, random_state=0))
    # means and covariances of n draws are off by sd n^-1/2, about 10 / 450
    assert_allclose(drawn.mean(axis=0), model.mean_, atol=0.05)
    assert_allclose(np.cov(drawn.T), model.get_covariance(), atol=0.5)
    assert model.sample().shape == (1, 7)


def test_inverse_transform():
    X = rows()
    model = ProbabilisticPCA(2).fit(X)
    Z = model.transform(X)
    assert_allclose(model.inverse_transform(Z), Z @ loadings(model).T + model.mean_)
    whole = ProbabilisticPCA().fit(X)
    assert_allclose(whole.inverse_transform(whole.transform(X)), X)


# --- what is degenerate, and what is refused -----------------------------------------------


def test_rows_in_a_plane():
    X = rows(noise=0.0)
    model = ProbabilisticPCA(3).fit(X)
    assert model.noise_variance_ == 0
    assert_allclose(model.inverse_transform(model.transform(X))[:5], X[:5])
    assert np.isfinite(model.score_samples(X)).all()
    gone = X.copy()
    gone[::3, 0] = np.nan
    assert_allclose(model.impute(gone), X, atol=1e-6)  # what is missing is known
    with pytest.warns(ConvergenceWarning, match="noise vanished") as found:
        ProbabilisticPCA(3, solver="em", random_state=0, max_iter=5000).fit(X)
    assert found[0].filename == __file__


@pytest.mark.parametrize("missing", [False, True])
def test_all_components_of_rows_in_a_plane(missing):
    X = rows(noise=0.0)
    X[5, 3] = np.nan if missing else X[5, 3]
    with pytest.warns(ConvergenceWarning, match="noise vanished"):
        model = ProbabilisticPCA(solver="em", random_state=0).fit(X)
    assert np.all(np.diff(model.history_["log_likelihood"]) >= 0)
    assert len(model.history_["log_likelihood"]) == model.n_iter_
    assert model.log_likelihood_ == model.history_["log_likelihood"][-1]
    assert model.score(X) * len(X) == pytest.approx(model.log_likelihood_, rel=1e-4)


def test_rounding_lowers_no_likelihood():
    X = load_digits().data[:200]  # some columns are constant
    X[np.random.default_rng(0).random(X.shape) < 0.15] = np.nan
    with pytest.warns(ConvergenceWarning, match="noise vanished"):
        model = ProbabilisticPCA(max_iter=100).fit(X)
    assert model.n_iter_ < 100
    assert np.all(np.diff(model.history_["log_likelihood"]) >= 0)


@pytest.mark.parametrize("solver", ["closed_form", "em"])
def test_likelihood_of_float32_is_that_of_the_rows(solver):
    X = load_wine().data.astype(np.float32)  # whose least deviation is 1e-3 of the largest
    model = ProbabilisticPCA(solver=solver, random_state=0).fit(X)
    assert model.log_likelihood_ == pytest.approx(model.score(X) * len(X), rel=1e-5)
    X = X.astype(float)
    expected = multivariate_normal(X.mean(axis=0), np.cov(X.T, bias=True)).logpdf(X)
    assert model.log_likelihood_ == pytest.approx(expected.sum(), rel=1e-5)


@pytest.mark.parametrize("shift", [0.0, 1e6])
@pytest.mark.parametrize("missing", [False, True])
def test_far_from_the_origin_and_in_any_unit(shift, missing):
    X = rows()
    X = holes(X) if missing else X
    near, far = ProbabilisticPCA(2).fit(X), ProbabilisticPCA(2).fit((X + shift) * 1e3)
    # 1e6 + x keeps x to 1e-10
    assert_allclose(far.get_covariance(), 1e6 * near.get_covariance(), rtol=1e-6)
    moved = far.transform((X + shift) * 1e3)
    assert_allclose(moved, near.transform(X), atol=1e-6)


@pytest.mark.parametrize("missing", [False, True])
def test_constant_columns(missing):
    X = rows()
    X[:, 2], X[:, 4] = 7.0, 0.0
    X = holes(X) if missing else X
    model = ProbabilisticPCA(2).fit(X)
    assert_allclose(model.mean_[[2, 4]], [7, 0], atol=1e-8)
    assert_allclose(model.impute(X)[:, 2], 7, atol=1e-6)
    constant = np.full((5, 3), 2.5)
    constant[0, 0] = np.nan if missing else 2.5
    flat = ProbabilisticPCA(1).fit(constant)
    assert flat.noise_variance_ == 0
    assert_allclose(flat.transform(constant), 0)
    assert_allclose(flat.impute(constant), 2.5)


def test_refused():
    X = holes(rows(20))
    with pytest.raises(ValueError, match="no closed form"):
        ProbabilisticPCA(2, solver="closed_form").fit(X)
    empty = X.copy()
    empty[:, 3] = np.nan
    with pytest.raises(ValueError, match=r"only NaN in column\(s\) 3"):
        ProbabilisticPCA(2).fit(empty)
    for solver in ("auto", "em"):
        for X_bad in (X, rows(20)):
            infinite = X_bad.copy()
            infinite[0, 0] = np.inf
            with pytest.raises(ValueError, match="infinity"):
                ProbabilisticPCA(2, solver=solver).fit(infinite)
        with pytest.raises(ValueError, match=r"n_components=8 must be .*\)=7\."):
            ProbabilisticPCA(8, solver=solver).fit(X)
        with pytest.raises(ValueError, match="another unit"):
            ProbabilisticPCA(2, solver=solver).fit(rows() * 1e170)
    with pytest.raises(ValueError, match="another unit"):
        ProbabilisticPCA(2, solver="em").fit(rows() * 1e120)  # whose third powers EM needs
    with pytest.raises(ValueError, match="infinity"):
        ProbabilisticPCA(2).fit(X).transform(np.full((1, 7), np.inf))
    with pytest.raises(ValueError, match="at least one sample"):
        ProbabilisticPCA(2).fit(X).sample(-1)
    with pytest.raises(ValueError, match="Negative values"):
        ProbabilisticPCA(2).fit(X, sample_weight=-np.ones(20))
    with pytest.raises(ValueError, match="non-zero"):
        ProbabilisticPCA(2).fit(X, sample_weight=np.zeros(20))
