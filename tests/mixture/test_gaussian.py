"""Gaussian: closed forms, missing values, conditional distributions, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import multivariate_normal
from sklearn.covariance import EmpiricalCovariance
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skcourse.mixture import Gaussian, GaussianMixture

KINDS = ("full", "diag", "spherical")


def rows(n=200, d=4, *, offset=0.0, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + offset


def with_gaps(X, share=0.3, seed=0):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def exact(kind="full", **options):
    """Return what is fitted by maximum likelihood as it is, unless `options` say otherwise."""
    return Gaussian(kind, **{"reg_covar": 0.0} | options)


def as_matrix(value, d):
    value = np.asarray(value)
    return value if value.ndim == 2 else np.diag(value * np.ones(d))


# --- the fit -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_closed_form(kind, offset):
    X = rows(offset=offset)
    w = np.random.default_rng(1).random(200)
    S = np.cov(X.T, aweights=w, ddof=0)
    expected = {"full": S, "diag": np.diag(S), "spherical": np.mean(np.diag(S))}[kind]
    fit = exact(kind).fit(X, sample_weight=w)
    assert_allclose(fit.mean_, np.average(X, axis=0, weights=w), rtol=1e-13)
    # numpy centres at a mean known to 1e6 eps: its scatter is off by some 1e-10 of its size
    assert_allclose(fit.covariance_, expected, rtol=1e-9, atol=1e-9)
    C, U = as_matrix(fit.covariance_, 4), as_matrix(fit.precision_cholesky_, 4)
    assert_allclose(as_matrix(fit.precision_, 4) @ C, np.eye(4), atol=1e-10)
    assert_allclose(U @ U.T, as_matrix(fit.precision_, 4), rtol=1e-10, atol=1e-12)
    assert_array_equal(np.tril(U, -1), 0)
    unweighted = exact(kind).fit(X)
    assert unweighted.history_["log_likelihood"][0] == pytest.approx(unweighted.score(X), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_reg_covar_is_added(kind):
    X = rows()
    plain, more = exact(kind).fit(X), exact(kind, reg_covar=0.5).fit(X)
    added = as_matrix(more.covariance_, 4) - as_matrix(plain.covariance_, 4)
    assert_allclose(added, 0.5 * np.eye(4), atol=1e-12)
    trace = np.trace(as_matrix(more.precision_, 4))
    assert more.history_["loss"][0] == pytest.approx(0.25 * trace - more.score(X), rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reg_covar", [0.0, 0.3])
def test_missing_values_reach_a_maximum(kind, reg_covar):
    """The gradient of what EM climbs vanishes at the fit, by differences along any direction."""
    X = with_gaps(rows(120, 3))
    fit = exact(kind, reg_covar=reg_covar, tol=1e-15, max_iter=5000).fit(X)
    assert np.all(np.diff(fit.history_["loss"]) <= 1e-12)
    assert fit.history_["log_likelihood"][-1] == pytest.approx(fit.score(X), rel=1e-12)
    assert len(fit.history_["loss"]) == fit.n_iter_ > 1
    rng, step = np.random.default_rng(0), 1e-4

    def loss(mean, covariance):
        full = as_matrix(covariance, 3)
        total = 0.0
        for x in X:
            s = ~np.isnan(x)
            if s.any():
                total += multivariate_normal(mean[s], full[np.ix_(s, s)]).logpdf(x[s])
        counted = np.sum(~np.isnan(X).all(axis=1))
        return 0.5 * reg_covar * np.trace(np.linalg.inv(full)) - total / counted

    for _ in range(3):
        L = np.linalg.cholesky(as_matrix(fit.covariance_, 3))  # steps in standard deviations
        move = step * L @ rng.standard_normal(3)
        turn = step * rng.standard_normal(np.shape(fit.covariance_))
        turn = L @ (turn + turn.T) @ L.T if kind == "full" else turn * fit.covariance_
        up = loss(fit.mean_ + move, fit.covariance_ + turn)
        down = loss(fit.mean_ - move, fit.covariance_ - turn)
        # EM stops where an iteration gains 1e-15: the slope is then about its square root
        assert abs(up - down) / (2 * step) < 1e-6


def test_available_cases_without_correlations():
    """Column by column, what is seen is all there is: EM says so at once."""
    X = with_gaps(rows())
    fit = exact("diag").fit(X)
    assert fit.n_iter_ == 2
    assert_allclose(fit.mean_, np.nanmean(X, axis=0), rtol=1e-12)
    assert_allclose(fit.covariance_, np.nanvar(X, axis=0), rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_repeat_rows_with_gaps(kind):
    X = with_gaps(rows(60, 3))
    w = np.random.default_rng(0).integers(0, 4, 60)
    options = {"tol": 0.0, "max_iter": 300}
    weighted = exact(kind, **options)
    repeated = exact(kind, **options)
    weighted.fit(X, sample_weight=w)
    repeated.fit(np.repeat(X, w, axis=0))
    assert_allclose(weighted.mean_, repeated.mean_, rtol=1e-6, atol=1e-6)
    assert_allclose(weighted.covariance_, repeated.covariance_, rtol=1e-6, atol=1e-6)


def test_rows_without_any_value_say_nothing():
    X = with_gaps(rows(60, 3), 0.2)
    empty = np.vstack([X, np.full((50, 3), np.nan)])
    one, other = exact(reg_covar=0.1).fit(X), exact(reg_covar=0.1).fit(empty)
    assert_allclose(one.covariance_, other.covariance_, rtol=1e-10)
    assert_array_equal(other.score_samples(empty)[-50:], 0.0)


def test_tol_and_max_iter():
    X = with_gaps(rows(), 0.5)
    with pytest.warns(ConvergenceWarning, match="Increase max_iter"):
        short = exact(tol=0.0, max_iter=3).fit(X)
    assert short.n_iter_ == 3
    assert exact(tol=1e-2).fit(X).n_iter_ < exact(tol=1e-8).fit(X).n_iter_


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit(kind):
    X, w = rows(300, 3, offset=10.0), np.random.default_rng(0).random(300)
    whole = exact(kind).fit(X, sample_weight=w)
    pieces = exact(kind).fit(X[:100], sample_weight=w[:100])
    for part in (slice(100, 101), slice(101, 300)):
        pieces.partial_fit(X[part], sample_weight=w[part])
    assert_allclose(pieces.mean_, whole.mean_, rtol=1e-12)
    assert_allclose(pieces.covariance_, whole.covariance_, rtol=1e-10)
    assert pieces.n_iter_ == 1
    with pytest.raises(ValueError, match="without missing values"):
        pieces.partial_fit(with_gaps(X))


@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_after_gaps(kind):
    """The rows with gaps are as many rows of that mean and covariance."""
    X, w = with_gaps(rows(100, 3)), np.full(100, 2.0)
    fit = exact(kind, reg_covar=0.1).fit(X, sample_weight=w)
    mean, before = fit.mean_, as_matrix(fit.covariance_, 3) - 0.1 * np.eye(3)
    more = rows(50, 3, seed=5)
    fit.partial_fit(more)
    assert_allclose(fit.mean_, (200 * mean + 50 * more.mean(axis=0)) / 250, rtol=1e-10)
    between = np.outer(mean - more.mean(axis=0), mean - more.mean(axis=0))
    expected = 0.8 * before + 0.2 * np.cov(more.T, ddof=0) + 0.16 * between
    expected = {"full": expected, "diag": np.diag(expected)}.get(kind, np.trace(expected) / 3)
    found = as_matrix(fit.covariance_, 3) - 0.1 * np.eye(3)
    assert_allclose(found, as_matrix(expected, 3), rtol=1e-10, atol=1e-12)


# --- what a fit answers --------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_densities_and_distances(kind):
    X = rows()
    fit = exact(kind).fit(X)
    reference = multivariate_normal(fit.mean_, as_matrix(fit.covariance_, 4))
    assert_allclose(fit.score_samples(X), reference.logpdf(X), rtol=1e-10)
    theirs = EmpiricalCovariance().fit(X)
    if kind == "full":
        assert_allclose(fit.mahalanobis(X), theirs.mahalanobis(X), rtol=1e-10)
    gaps = with_gaps(X)
    for x, log_density, distance in zip(
        gaps, fit.score_samples(gaps), fit.mahalanobis(gaps), strict=True
    ):
        s = ~np.isnan(x)
        if not s.any():
            assert log_density == distance == 0
            continue
        C = as_matrix(fit.covariance_, 4)[np.ix_(s, s)]
        z = x[s] - fit.mean_[s]
        assert distance == pytest.approx(z @ np.linalg.solve(C, z), rel=1e-9, abs=1e-12)
        marginal = multivariate_normal(fit.mean_[s], C)
        assert log_density == pytest.approx(marginal.logpdf(x[s]), rel=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_samples(kind):
    fit = exact(kind).fit(rows(offset=3.0))
    drawn = fit.sample(200_000, random_state=0)
    assert_array_equal(drawn[:3], fit.sample(200_000, random_state=0)[:3])
    C = as_matrix(fit.covariance_, 4)
    scale = np.sqrt(np.diag(C))
    # five standard errors of means and of products of 200,000 draws
    assert np.all(abs(drawn.mean(axis=0) - fit.mean_) < 5 * scale / np.sqrt(200_000))
    assert np.all(abs(np.cov(drawn.T) - C) < 5 * np.outer(scale, scale) * np.sqrt(2 / 200_000))
    assert fit.sample().shape == (1, 4)
    with pytest.raises(ValueError, match="at least one"):
        fit.sample(0)


@pytest.mark.parametrize("kind", KINDS)
def test_conditional(kind):
    fit = exact(kind).fit(rows())
    C, wanted, given = as_matrix(fit.covariance_, 4), [0, 2], [1, 3]
    gain = C[np.ix_(wanted, given)] @ np.linalg.inv(C[np.ix_(given, given)])
    rest = fit.conditional({3: -1.0, 1: 2.0})
    expected = fit.mean_[wanted] + gain @ ([2.0, -1.0] - fit.mean_[given])
    assert_allclose(rest.mean_, expected, rtol=1e-10)
    left = C[np.ix_(wanted, wanted)] - gain @ C[np.ix_(given, wanted)]
    assert_allclose(as_matrix(rest.covariance_, 2), left, rtol=1e-9, atol=1e-12)
    # p(x) = p(x_g) p(x_u | x_g)
    x = np.array([[0.5, 2.0, 0.3, -1.0]])
    seen = np.array([[np.nan, 2.0, np.nan, -1.0]])
    both = fit.score_samples(seen) + rest.score_samples(x[:, wanted])
    assert_allclose(both, fit.score_samples(x), rtol=1e-10)
    assert_allclose(fit.conditional({}).covariance_, fit.covariance_, rtol=1e-10, atol=1e-12)
    assert rest.sample(2, random_state=0).shape == (2, 2)
    with pytest.raises(ValueError, match="stands for no rows"):
        rest.partial_fit(x[:, wanted])


def test_conditional_by_name():
    table = pd.DataFrame(rows(), columns=["a", "b", "c", "d"])
    fit = exact().fit(table)
    rest = fit.conditional({"b": 1.0, "d": 2.0})
    assert list(rest.feature_names_in_) == ["a", "c"]
    assert_array_equal(rest.mean_, fit.conditional({1: 1.0, 3: 2.0}).mean_)
    assert rest.n_features_in_ == 2


@pytest.mark.parametrize("given", [{"z": 1.0}, {4: 1.0}, {-1: 1.0}, {0.5: 1.0}])
def test_unknown_features(given):
    with pytest.raises(ValueError, match="There is no feature"):
        exact().fit(rows()).conditional(given)


def test_conditional_refuses():
    fit = exact().fit(rows())
    with pytest.raises(ValueError, match="All features are given"):
        fit.conditional(dict.fromkeys(range(4), 0.0))
    with pytest.raises(ValueError, match="must be finite"):
        fit.conditional({0: np.nan})
    with pytest.raises(NotFittedError):
        exact().conditional({0: 1.0})


@pytest.mark.parametrize("kind", KINDS)
def test_impute(kind):
    X = with_gaps(rows())
    fit = exact(kind).fit(rows())
    filled, std = fit.impute(X, return_std=True)
    assert_array_equal(filled, fit.impute(X))
    seen = ~np.isnan(X)
    assert_array_equal(filled[seen], X[seen])
    assert_array_equal(std[seen], 0.0)
    for i in range(20):
        given = {f: X[i, f] for f in np.flatnonzero(seen[i])}
        if len(given) < 4:
            rest = fit.conditional(given)
            assert_allclose(filled[i, ~seen[i]], rest.mean_, rtol=1e-10)
            variances = np.diag(as_matrix(rest.covariance_, 4 - len(given)))
            assert_allclose(std[i, ~seen[i]] ** 2, variances, rtol=1e-9)


def test_float32():
    X = rows().astype(np.float32)
    fit = exact().fit(X)
    for name in ("mean_", "covariance_", "precision_", "precision_cholesky_"):
        assert getattr(fit, name).dtype == np.float32
    for answer in (fit.score_samples(X), fit.mahalanobis(X), fit.impute(X), fit.sample()):
        assert answer.dtype == np.float32
    wide = exact().fit(X.astype(float))
    assert_allclose(fit.covariance_, wide.covariance_, rtol=1e-6)


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "cause"),
    [
        (np.column_stack([rows(), np.full(200, 0.1)]), r"column\(s\) 4 are constant"),
        (np.column_stack([rows(), rows() @ [1, 2, 0, 1]]), "column 4 is a linear combination"),
        (rows(4), "4 rows do not tell the covariance of 4 features"),
        (1e200 * rows(), "too large to be squared"),
    ],
)
def test_singular(X, cause):
    with pytest.raises(ValueError, match=cause):
        exact().fit(X)
    if "large" not in cause:
        exact(reg_covar=1e-3).fit(X)


def test_singular_without_correlations():
    X = np.column_stack([rows(), np.full(200, 0.1)])
    with pytest.raises(ValueError, match=r"column\(s\) 4 are constant"):
        exact("diag").fit(X)
    exact("spherical").fit(X)
    with pytest.raises(ValueError, match="all rows are equal"):
        exact("spherical").fit(np.full((5, 2), 0.1))


def test_columns_without_values():
    X = with_gaps(rows())
    X[:, 2] = np.nan
    with pytest.raises(ValueError, match=r"only NaN in column\(s\) 2"):
        exact().fit(X)
    X[0, 2] = 1.0
    with pytest.raises(ValueError, match=r"only NaN in column\(s\) 2"):
        exact().fit(X, sample_weight=np.arange(200))


@pytest.mark.parametrize("weights", [np.zeros(200), -np.ones(200)])
def test_weights_refused(weights):
    with pytest.raises(ValueError, match=r"sample_weight|Sample weights"):
        exact().fit(rows(), sample_weight=weights)


def test_infinity_refused():
    X = rows()
    X[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        exact().fit(X)


def test_by_default_the_variance_is_a_little_larger_as_that_of_a_mixture():
    X = rows()
    added = Gaussian().fit(X).covariance_ - exact().fit(X).covariance_
    assert_allclose(added, 1e-6 * np.eye(4), atol=1e-14)  # a few roundings of numbers of order 1
    assert_allclose(Gaussian().fit(X).covariance_, GaussianMixture().fit(X).covariances_[0])


@pytest.mark.parametrize("kind", ["full", "diag", "spherical"])
def test_numbers_that_float32_does_not_hold(kind):
    X = (np.random.default_rng(0).standard_normal((20, 3)) * 1e25).astype(np.float32)
    model = Gaussian(kind)
    with pytest.raises(ValueError, match="covariance_ has numbers that float32 does not hold"):
        model.fit(X)
    assert not hasattr(model, "mean_")
