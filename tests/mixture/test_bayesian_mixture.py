"""BayesianGaussianMixture: scikit-learn's answers, a bound that rises, weights, missing values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import wishart
from sklearn import mixture as theirs
from sklearn.exceptions import ConvergenceWarning

from skcourse.core.gaussians import TYPES
from skcourse.mixture import BayesianGaussianMixture
from skcourse.mixture.bayesian_posterior import entropy_of_completion
from skcourse.mixture.expectation import expectation
from skcourse.mixture.missing import expectation_missing

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
PROCESSES = ("dirichlet_process", "dirichlet_distribution")
ATTRIBUTES = (
    "weights_",
    "means_",
    "covariances_",
    "precisions_",
    "precisions_cholesky_",
    "weight_concentration_prior_",
    "weight_concentration_",
    "mean_precision_prior_",
    "mean_precision_",
    "mean_prior_",
    "degrees_of_freedom_prior_",
    "degrees_of_freedom_",
    "covariance_prior_",
)


def clusters(n=60, d=3, k=3, *, apart=4.0, seed=0):
    rng = np.random.default_rng(seed)
    means = apart * rng.standard_normal((k, d))
    return np.vstack([m + rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) for m in means])


def with_gaps(X, share=0.2, seed=0):
    return np.where(np.random.default_rng(seed).random(X.shape) < share, np.nan, X)


def assert_same_fit(one, other, *, rtol=1e-8, atol=1e-8):
    for name in ATTRIBUTES:
        mine, reference = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
        assert mine.shape == reference.shape, name
        assert_allclose(mine, reference, rtol=rtol, atol=atol, err_msg=name)
    assert_allclose(one.lower_bound_, np.ravel(other.lower_bound_)[0], rtol=rtol)


# --- scikit-learn's answers ----------------------------------------------------------------


STARTS = [(kind, init) for kind in TYPES for init in ("kmeans", "random")]
# From single rows, their tied covariance starts from all rows about the origin, wherever they lie.
STARTS += [(k, init) for k in TYPES if k != "tied" for init in ("k-means++", "random_from_data")]


@pytest.mark.parametrize(("kind", "init"), STARTS)
@pytest.mark.parametrize("process", PROCESSES)
def test_scikit_learn(kind, process, init):
    options = {
        "n_components": 4,
        "covariance_type": kind,
        "weight_concentration_prior_type": process,
        "init_params": init,
        "max_iter": 25,
        "random_state": 0,
    }
    X = clusters()
    mine = BayesianGaussianMixture(**options).fit(X)
    reference = theirs.BayesianGaussianMixture(**options).fit(X)
    # 25 iterations, each with sums to n eps, of components that rows still move between
    assert_same_fit(mine, reference, rtol=1e-6, atol=1e-7)
    assert (mine.n_iter_, mine.converged_) == (reference.n_iter_, reference.converged_)
    assert_allclose(mine.lower_bounds_, np.ravel(reference.lower_bounds_), rtol=1e-8)
    assert_allclose(mine.predict_proba(X), reference.predict_proba(X), atol=1e-6)
    assert_allclose(mine.score_samples(X), reference.score_samples(X), rtol=1e-6)
    assert_array_equal(mine.predict(X), reference.predict(X))
    for found, expected in zip(mine.sample(20), reference.sample(20), strict=True):
        assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(
    "prior",
    [
        {"weight_concentration_prior": 10.0},
        {"mean_precision_prior": 30.0},
        {"mean_prior": [3.0, -1.0, 0.0]},
        {"degrees_of_freedom_prior": 20.5},
        {"covariance_prior": 5.0},
        {"reg_covar": 0.5},
    ],
    ids=lambda prior: next(iter(prior)),
)
def test_every_prior(kind, prior):
    if "covariance_prior" in prior:
        shape = {"full": np.eye(3), "tied": np.eye(3), "diag": np.ones(3), "spherical": 1.0}
        prior = {"covariance_prior": 5.0 * shape[kind]}
    options = {"n_components": 2, "covariance_type": kind, "random_state": 0, "max_iter": 20}
    X = clusters(k=2)
    mine = BayesianGaussianMixture(**options, **prior).fit(X)
    reference = theirs.BayesianGaussianMixture(**options, **prior).fit(X)
    assert_same_fit(mine, reference, rtol=1e-6, atol=1e-7)
    plain = BayesianGaussianMixture(**options).fit(X)
    assert not np.allclose(mine.predict_proba(X) @ [1, 2], plain.predict_proba(X) @ [1, 2], atol=0)


def test_starts_and_warm_starts():
    X = clusters()
    options = {"n_components": 3, "init_params": "random", "random_state": 3, "max_iter": 8}
    for more in ({"n_init": 3}, {"warm_start": True}, {"max_iter": 0}):
        mine = BayesianGaussianMixture(**options | more)
        reference = theirs.BayesianGaussianMixture(**options | more)
        for _ in range(2):
            mine.fit(X)
            reference.fit(X)
        assert_allclose(mine.means_, reference.means_, rtol=1e-6, atol=1e-6)
        assert mine.n_iter_ == reference.n_iter_
    assert_array_equal(mine.fit_predict(X), mine.predict(X))


def test_components_that_nobody_needs():
    rng = np.random.default_rng(0)
    X = np.vstack([rng.standard_normal((200, 2)), rng.standard_normal((200, 2)) + 10.0])
    options = {"n_components": 6, "max_iter": 2000, "tol": 1e-6, "random_state": 0}
    fit = BayesianGaussianMixture(weight_concentration_prior=1e-3, **options).fit(X)
    assert np.sum(fit.weights_ > 0.01) == 2
    assert fit.weights_.sum() == pytest.approx(1)


def test_tol_and_max_iter():
    X = clusters(apart=1.0)
    options = {"n_components": 3, "random_state": 0}
    loose = BayesianGaussianMixture(tol=1.0, **options).fit(X)
    tight = BayesianGaussianMixture(tol=1e-6, max_iter=2000, **options).fit(X)
    assert loose.n_iter_ < tight.n_iter_
    assert tight.converged_
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        BayesianGaussianMixture(tol=0.0, max_iter=2, **options).fit(X)


# --- the bound -----------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(
    process=st.sampled_from(PROCESSES),
    share=st.sampled_from([0.0, 0.2, 0.5]),
    k=st.integers(1, 4),
    weighted=st.booleans(),
    seed=st.integers(0, 99),
)
def test_the_bound_never_falls(process, share, k, weighted, seed):
    X = with_gaps(clusters(30, seed=seed), share, seed)
    weights = np.random.default_rng(seed).integers(0, 4, len(X)) if weighted else None
    fit = BayesianGaussianMixture(
        n_components=k,
        weight_concentration_prior_type=process,
        init_params="random",
        reg_covar=0.0,
        tol=0.0,
        max_iter=25,
        random_state=seed,
        covariance_prior=np.eye(3),
    ).fit(X, sample_weight=weights)
    bounds = fit.history_["lower_bound"]
    # a sum of n d terms, and of gammas, each to eps of its size
    assert np.all(np.diff(bounds) >= -1e-11 * np.abs(bounds).max())


def test_the_bound_of_one_component_is_the_evidence():
    """With one component nothing is approximated: bounds differ as log p(X) does, by Wishart."""
    X = clusters(20, d=2, k=1)
    options = {"mean_prior": np.zeros(2), "covariance_prior": np.eye(2), "reg_covar": 0.0}
    options["weight_concentration_prior_type"] = "dirichlet_distribution"  # no stick to break
    fits = [BayesianGaussianMixture(**options).fit(part) for part in (X, X[:-1])]
    last = fits[1]
    mean, b, f = last.means_[0], last.mean_precision_[0], last.degrees_of_freedom_[0]
    # log p(x_n | x_1 .. x_{n-1}) is Student's; by simulation of the posterior it is an average
    L = wishart(f, np.linalg.inv(f * last.covariances_[0])).rvs(200_000, random_state=0)
    z = X[-1] - mean
    shrunk = b / (b + 1)  # the mean is integrated out: covariance (1 + 1 / b) L^-1
    squares = np.einsum("i,nij,j->n", z, L, z) * shrunk
    densities = np.sqrt(np.linalg.det(L)) * shrunk * np.exp(-squares / 2) / (2 * np.pi)
    # d / 2 log 2 pi of each row is left out of the bound, as is a constant
    expected = np.log(densities.mean()) + np.log(2 * np.pi)
    found = fits[0].lower_bound_ - fits[1].lower_bound_
    error = densities.std() / densities.mean() / np.sqrt(200_000)
    assert found == pytest.approx(expected, abs=5 * error)


@pytest.mark.parametrize("kind", TYPES)
def test_entropy_from_the_sums(kind):
    X = clusters()
    fit = BayesianGaussianMixture(n_components=3, covariance_type=kind, random_state=0).fit(X)
    model = fit._gaussians(fit._parameters())
    sums = expectation(X, None, model)
    assert entropy_of_completion(sums, model) == pytest.approx(sums.entropy, abs=1e-9)
    gaps = expectation_missing(with_gaps(X), None, model)
    assert np.isfinite(entropy_of_completion(gaps, model))


# --- weights, missing values, history ------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("share", [0.0, 0.2])
def test_weights_repeat_rows(kind, share):
    X = with_gaps(clusters(40, k=2, apart=6.0), share)
    w = np.random.default_rng(0).integers(0, 4, len(X))
    options = {"n_components": 2, "covariance_type": kind, "tol": 1e-9, "max_iter": 1000}
    weighted = BayesianGaussianMixture(random_state=0, **options).fit(X, sample_weight=w)
    repeated = BayesianGaussianMixture(random_state=0, **options).fit(np.repeat(X, w, axis=0))
    a, b = np.argsort(weighted.means_[:, 0]), np.argsort(repeated.means_[:, 0])
    # the order of the sticks may differ by the dice of k-means: means and rows must not
    assert_allclose(weighted.means_[a], repeated.means_[b], rtol=1e-3, atol=1e-3)
    assert_allclose(weighted.covariance_prior_, repeated.covariance_prior_, rtol=1e-6, atol=1e-6)
    assert_allclose(weighted.mean_prior_, repeated.mean_prior_, rtol=1e-6)
    one = {"covariance_type": kind, "tol": 1e-12, "max_iter": 500}
    weighted = BayesianGaussianMixture(**one).fit(X, sample_weight=w)
    repeated = BayesianGaussianMixture(**one).fit(np.repeat(X, w, axis=0))
    assert_same_fit(weighted, repeated, rtol=1e-6, atol=1e-6)


def test_missing_values():
    X = clusters(200, k=2, apart=6.0)
    gaps = with_gaps(X, 0.15)
    whole = BayesianGaussianMixture(n_components=2, random_state=0).fit(X)
    fit = BayesianGaussianMixture(n_components=2, random_state=0).fit(gaps)
    a, b = np.argsort(whole.means_[:, 0]), np.argsort(fit.means_[:, 0])
    spread = np.sqrt(np.diagonal(whole.covariances_, axis1=1, axis2=2))[a]
    # a value in seven is missing: means of 200 are off by a fraction of a standard error
    assert np.all(abs(fit.means_[b] - whole.means_[a]) < 0.2 * spread)
    labels = np.argsort(b)[fit.predict(gaps)] == np.argsort(a)[whole.predict(X)]
    assert labels.mean() > 0.95
    assert np.isfinite(fit.score_samples(gaps)).all()


@pytest.mark.parametrize("kind", TYPES)
def test_history_and_path(kind):
    X = clusters()
    options = {"n_components": 3, "covariance_type": kind, "random_state": 0}
    plain = BayesianGaussianMixture(**options).fit(X)
    assert set(plain.history_) == {"lower_bound"}
    assert_array_equal(plain.history_["lower_bound"], plain.lower_bounds_)
    fit = BayesianGaussianMixture(record="path", **options).fit(X)
    assert_array_equal(fit.means_, plain.means_)
    assert set(fit.history_) == {"lower_bound", "weights", "means", "covariances"}
    assert fit.history_["means"].shape == (fit.n_iter_, 3, 3)
    assert fit.history_["covariances"].shape == (fit.n_iter_, *fit.covariances_.shape)
    again = BayesianGaussianMixture(max_iter=1, **options).fit(X)
    assert_allclose(fit.history_["means"][1], again.means_, rtol=1e-12)
    assert_allclose(fit.history_["weights"].sum(axis=1), 1.0, rtol=1e-12)


def test_float32():
    X = clusters().astype(np.float32)
    fit = BayesianGaussianMixture(n_components=3, random_state=0).fit(X)
    for name in ("weights_", "means_", "covariances_", "precisions_", "mean_prior_"):
        assert getattr(fit, name).dtype == np.float32
    wide = BayesianGaussianMixture(n_components=3, random_state=0).fit(X.astype(float))
    assert_allclose(fit.means_, wide.means_, rtol=1e-5, atol=1e-5)


# --- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean_prior": [1.0]}, "'means' should have the shape of"),
        ({"degrees_of_freedom_prior": 1.5}, "should be greater than 2, but got 1.500"),
        ({"covariance_prior": np.eye(2)}, "'full covariance_prior' should have the shape"),
        ({"covariance_prior": -np.eye(3)}, "'full precision' should be symmetric, positive"),
        ({"covariance_prior": [1.0], "covariance_type": "diag"}, "'diag covariance_prior' should"),
        ({"covariance_prior": [1.0, -1, 1], "covariance_type": "diag"}, "should be positive"),
        ({"covariance_prior": [1.0], "covariance_type": "spherical"}, "one number"),
        ({"mean_precision_prior": 0.0}, "mean_precision_prior"),
        ({"weight_concentration_prior": -1.0}, "weight_concentration_prior"),
        ({"weight_concentration_prior_type": "dirichlet"}, "weight_concentration_prior_type"),
        ({"record": "everything"}, "record"),
        ({"n_components": 500}, "n_samples >= n_components"),
    ],
)
def test_bad_options(options, message):
    fit = BayesianGaussianMixture(**options)
    with pytest.raises(ValueError, match=message):
        fit.fit(clusters())
    assert not hasattr(fit, "means_")


@pytest.mark.parametrize("weight", [0.0, -1.0, 1e-4])
def test_bad_weights(weight):
    with pytest.raises(ValueError, match=r"sample_weight|Sample weights"):
        BayesianGaussianMixture().fit(clusters(), sample_weight=np.full(180, weight))
