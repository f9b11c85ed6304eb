"""The E-step over missing values: the definition by scipy, likelihood that rises, threads."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal

from skcourse.core import chunks
from skcourse.core.gaussians import TYPES, triangles
from skcourse.core.missing import groups
from skcourse.mixture.covariances import estimate
from skcourse.mixture.expectation import Gaussians, expectation
from skcourse.mixture.missing import expectation_missing, impute, log_densities_missing


def mixture(kind, k=3, d=5, *, seed=0, condition=10.0, spread=1.0):
    """Return a mixture, and its covariances as full ones, (k, d, d)."""
    rng = np.random.default_rng(seed)
    V = np.linalg.qr(rng.standard_normal((k, d, d)))[0]
    full = (V * np.geomspace(1, 1 / condition, d)) @ V.transpose(0, 2, 1)
    full = (full + full.transpose(0, 2, 1)) / 2
    if kind == "tied":
        full = np.repeat(full[:1], k, axis=0)
    elif kind in ("diag", "spherical"):
        values = np.diagonal(full, axis1=1, axis2=2) if kind == "diag" else full[:, :1, 0]
        full = np.array([np.diag(v * np.ones(d)) for v in values])
    shape = {
        "full": full,
        "tied": full[0],
        "diag": np.diagonal(full, axis1=1, axis2=2),
        "spherical": full[:, 0, 0],
    }[kind]
    weights = np.log(rng.dirichlet(np.ones(k)))
    means = spread * rng.standard_normal((k, d))
    return Gaussians(weights, means, triangles(shape, kind), kind), full


def gappy(n=80, d=5, share=0.4, seed=0, dtype=np.float64):
    """Return rows with gaps; the first has none, the second has nothing else."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, d)).astype(dtype)
    X[rng.random(X.shape) < share] = np.nan
    X[0], X[1] = 1.0, np.nan
    return X


def by_definition(X, weights, model, full):
    """Return log pi_k p_k, the filled rows and the sums, from (1) to (4) taken literally."""
    (n, d), k = X.shape, len(full)
    joint, means, seconds = np.empty((n, k)), np.empty((n, k, d)), np.empty((n, k, d, d))
    for i, x in enumerate(X):
        s, m = ~np.isnan(x), np.isnan(x)
        for j in range(k):
            C, z = full[j], x - model.means[j]
            density = 0.0
            if s.any():
                density = multivariate_normal(model.means[j][s], C[np.ix_(s, s)]).logpdf(x[s])
            gain = C[np.ix_(m, s)] @ np.linalg.inv(C[np.ix_(s, s)])
            z[m] = gain @ z[s]
            joint[i, j], means[i, j], seconds[i, j] = model.log_weights[j] + density, z, 0.0
            seconds[i, j][np.ix_(m, m)] = C[np.ix_(m, m)] - gain @ C[np.ix_(s, m)]
    seconds += means[..., np.newaxis] * means[:, :, np.newaxis]
    logs = np.logaddexp.reduce(joint, axis=1)
    r = np.exp(joint - logs[:, np.newaxis])
    filled = np.where(np.isnan(X), np.einsum("nk,nkd->nd", r, means + model.means), X)
    w = np.where(np.isnan(X).all(axis=1), 0.0, weights)
    wr = w[:, np.newaxis] * r
    second = np.einsum("nk,nkde->kde", wr, seconds)
    second = {
        "full": second,
        "tied": second.sum(axis=0),
        "diag": np.diagonal(second, axis1=1, axis2=2),
        "spherical": np.trace(second, axis1=1, axis2=2),
    }[model.covariance_type]
    first = np.einsum("nk,nkd->kd", wr, means)
    entropy = -np.sum(wr * np.log(r))
    return joint, filled, (w @ logs, wr.sum(axis=0), first, second, entropy, w.sum())


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_definition(kind, share):
    model, full = mixture(kind)
    X, weights = gappy(share=share), np.random.default_rng(1).integers(0, 3, 80).astype(float)
    joint, filled, sums = by_definition(X, weights, model, full)
    # a condition of 10: everything is known to some n d eps of its size
    assert_allclose(log_densities_missing(X, model), joint, rtol=1e-11)
    assert_allclose(impute(X, model), filled, rtol=1e-11, atol=1e-12)
    for found, expected in zip(expectation_missing(X, weights, model), sums, strict=True):
        assert_allclose(found, expected, rtol=1e-10, atol=1e-10)
    known = groups(X)
    for found, again in zip(
        expectation_missing(X, weights, model, groups=known),
        expectation_missing(X, weights, model),
        strict=True,
    ):
        assert_array_equal(found, again)


@pytest.mark.parametrize("kind", TYPES)
def test_without_gaps_it_is_the_other_expectation(kind):
    model, _ = mixture(kind)
    X = np.random.default_rng(0).standard_normal((300, 5))
    about = model.means + 0.5
    for found, expected in zip(
        expectation_missing(X, None, model, about=about),
        expectation(X, None, model, about=about),
        strict=True,
    ):
        assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", TYPES)
def test_moments_about_other_points(kind):
    model, _ = mixture(kind)
    X, weights = gappy(), np.linspace(0, 1, 80)
    about = model.means + np.random.default_rng(0).standard_normal(model.means.shape)
    moved = estimate(expectation_missing(X, weights, model, about=about), about, kind)
    still = estimate(expectation_missing(X, weights, model), model.means, kind)
    for one, other in zip(moved, still, strict=True):
        assert_allclose(one, other, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("condition", [1e4, 1e8, 1e12])
def test_nothing_squares_the_condition(condition):
    """A row that has one of two features that go together: its density is plain as day."""
    model, full = mixture("full", k=1, d=4, condition=condition)
    X = gappy(40, 4, 0.5)
    joint = log_densities_missing(X, model)[:, 0]
    for x, found in zip(X, joint, strict=True):
        s = ~np.isnan(x)
        if not 0 < s.sum() < 4:
            continue
        block = full[0][np.ix_(s, s)]
        if np.linalg.cond(block) > 1e3:
            continue  # then the blocks themselves are known to less
        expected = multivariate_normal(model.means[0][s], block).logpdf(x[s])
        # U is known to sqrt(condition) eps, and so is what is left of a row
        assert found == pytest.approx(expected, rel=1e3 * np.sqrt(condition) * 2**-52)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(TYPES),
    share=st.sampled_from([0.1, 0.4, 0.8]),
    k=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_the_likelihood_never_falls(kind, share, k, seed):
    X = gappy(60, 3, share, seed)
    model, before = mixture(kind, k, 3, seed=seed)[0], -np.inf
    for _ in range(6):
        sums = expectation_missing(X, None, model)
        assert sums.log_likelihood >= before - 1e-10 * abs(sums.log_likelihood)
        before = sums.log_likelihood
        # a little more of variance would be another likelihood: a collapse ends the climb
        found = estimate(sums, model.means, kind)
        try:
            upper = triangles(found.covariances, kind)
        except ValueError:
            return
        if np.abs(upper).max() > 1e5:
            return
        weights = np.log(found.weights / found.weights.sum())
        model = Gaussians(weights, found.means, upper, kind)


def test_gradient_is_zero_where_em_stays():
    """(3) and (4) in the sums are the gradient of the likelihood: finite differences agree."""
    X = gappy(100, 3, 0.3)
    X[::2] += 4.0  # two clusters: EM gets there quickly
    model, _ = mixture("full", 2, 3)
    model.means[1] += 4.0
    for _ in range(200):
        found = estimate(expectation_missing(X, None, model), model.means, "full")
        weights = np.log(found.weights / found.weights.sum())
        model = Gaussians(weights, found.means, triangles(found.covariances, "full"), "full")

    def value(means, upper):
        moved = model._replace(means=means, precisions_cholesky=upper)
        return expectation_missing(X, None, moved).log_likelihood

    step, rng = 1e-5, np.random.default_rng(0)
    for _ in range(5):
        D = step * rng.standard_normal(model.means.shape)
        V = step * np.triu(rng.standard_normal(model.precisions_cholesky.shape))
        U = model.precisions_cholesky
        slope = (value(model.means + D, U + V) - value(model.means - D, U - V)) / (2 * step)
        # central differences: rounding n eps |L| / step and a third derivative times step^2
        assert abs(slope) < 1e-5


@pytest.mark.parametrize("kind", ["full", "diag"])
def test_threads_change_no_bit(monkeypatch, kind):
    monkeypatch.setattr(chunks, "available_cores", functools.cache(lambda: 8))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    model, _ = mixture(kind)
    X = gappy(20_000)
    one, many = (expectation_missing(X, None, model, n_jobs=n) for n in (1, 8))
    for a, b in zip(one, many, strict=True):
        assert_array_equal(a, b)
    assert_array_equal(impute(X, model, n_jobs=1), impute(X, model, n_jobs=8))


@pytest.mark.parametrize("kind", TYPES)
def test_order_of_rows_and_float32(kind):
    model, _ = mixture(kind)
    X = gappy(dtype=np.float32)
    order = np.random.default_rng(0).permutation(len(X))
    assert impute(X, model).dtype == np.float32
    assert_allclose(impute(X[order], model), impute(X, model)[order], rtol=1e-6)
    wide = log_densities_missing(X.astype(float), model)
    assert_array_equal(log_densities_missing(X, model), wide)
    seen = ~np.isnan(X)
    assert_array_equal(impute(X, model)[seen], X[seen])
