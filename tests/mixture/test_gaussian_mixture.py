"""EM beside scikit-learn's, on its own terms, and where the input is bad."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Reference

from skcourse.core.gaussians import TYPES
from skcourse.mixture import GaussianMixture
from skcourse.mixture.stepwise import blend

ILL = "ill-defined empirical covariance"
STARTS = ("kmeans", "k-means++", "random", "random_from_data")
FITTED = ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_")


def clusters(seed=0, dtype=np.float64, d=3):
    """Return rows of three clusters that overlap a little."""
    rng = np.random.default_rng(seed)
    sizes, spreads, places = (60, 90, 50), (1.0, 2.0, 0.5), (0.0, 4.0, -3.0)
    parts = [
        rng.standard_normal((n, d)) * s + p for n, s, p in zip(sizes, spreads, places, strict=True)
    ]
    return np.vstack(parts).astype(dtype)


def quiet_fit(model, X, **params):
    """Fit without a word of convergence."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, **params)


def fit(X, *, cls=GaussianMixture, **params):
    """Fit three components from seed 0, unless told otherwise."""
    return quiet_fit(cls(**({"n_components": 3, "random_state": 0} | params)), X)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("init", STARTS)
def test_the_same_seed_gives_the_same_fit_as_scikit_learn(kind, init):
    if kind == "tied" and init in ("k-means++", "random_from_data"):
        init = "kmeans"  # theirs takes the covariance of a start from all rows, about 0
    X = clusters()
    ours, theirs = (
        fit(X, cls=cls, covariance_type=kind, init_params=init)
        for cls in (GaussianMixture, Reference)
    )
    assert ours.n_iter_ == theirs.n_iter_
    for name in FITTED:
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-7, atol=1e-9)
    assert_allclose(ours.lower_bounds_[1:], theirs.lower_bounds_[1:], rtol=1e-9)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-7)
    assert_allclose(ours.bic(X), theirs.bic(X), rtol=1e-9)
    assert_allclose(ours.aic(X), theirs.aic(X), rtol=1e-9)
    for a, b in zip(ours.sample(20), theirs.sample(20), strict=True):
        assert_allclose(a, b, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", TYPES)
def test_given_starts_are_those_of_scikit_learn(kind):
    X = clusters()
    precisions = {"full": [np.eye(3)] * 3, "tied": np.eye(3), "diag": np.ones((3, 3))}
    start = {
        "weights_init": [0.2, 0.3, 0.5],
        "means_init": X[[0, 70, 170]],
        "precisions_init": precisions.get(kind, np.ones(3)),
    }
    for given_ in (
        start,
        {"means_init": start["means_init"]},
        {"precisions_init": precisions.get(kind, np.ones(3))},
        {"weights_init": [0.2, 0.3, 0.5]},
    ):
        ours, theirs = (
            fit(X, cls=cls, covariance_type=kind, max_iter=3, tol=0, **given_)
            for cls in (GaussianMixture, Reference)
        )
        assert_allclose(ours.means_, theirs.means_, rtol=1e-8)
        assert_allclose(ours.covariances_, theirs.covariances_, rtol=1e-7, atol=1e-9)
    still = fit(X, covariance_type=kind, max_iter=0, **start)
    assert_allclose(still.means_, start["means_init"])
    assert_allclose(still.precisions_, start["precisions_init"])
    assert (still.n_iter_, still.converged_) == (0, False)


@given(
    st.sampled_from(TYPES),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2**16),
    st.sampled_from([0.0, 1e6]),
    st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_the_log_likelihood_never_falls(kind, k, d, seed, far, holes):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((120, d)) * rng.uniform(0.5, 2, d)
    X[:60] += rng.standard_normal(d) * 3
    if holes:
        X[rng.random(X.shape) < 0.15] = np.nan
    model = GaussianMixture(k, covariance_type=kind, reg_covar=0.0, tol=0.0, max_iter=40)
    model.set_params(init_params="random", random_state=seed)
    try:
        history = quiet_fit(model, X + far).history_["log_likelihood"]
    except ValueError as error:  # a component that closes in on a point: likely without bound
        assert ILL in str(error)
        return
    # rows at 1e6 are known to 1e-10; a sum of 120 terms of size 10 d is, to 1e-15 of it
    slack = 1e-12 * d + (1e-9 * d if far else 0.0)
    assert len(history) == model.n_iter_
    assert np.all(np.diff(history) >= -slack)


def test_reg_covar_can_only_cost_what_it_adds():
    """An M-step that adds r to variances s loses at most (r / s)^2 / 4 each of the best one."""
    X, r = clusters(), 0.05
    model = fit(X, reg_covar=r, tol=0, max_iter=60, init_params="random", record="path")
    path = model.history_["covariances"][1:]
    least = np.linalg.eigvalsh(path) - r
    cost = np.sum((r / least) ** 2 / 4, axis=2).max(axis=1)
    assert np.all(np.diff(model.history_["log_likelihood"]) >= -cost - 1e-12)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("init", ["kmeans", "random"])
def test_whole_weights_are_repetitions(kind, init):
    X = clusters()
    w = np.random.default_rng(0).integers(0, 4, len(X))
    start = {
        "means_init": X[[0, 70, 170]],
        "weights_init": [0.3, 0.3, 0.4],
        "tol": 0,
        "max_iter": 5,
    }
    shape = {"full": [np.eye(3)] * 3, "tied": np.eye(3), "diag": np.ones((3, 3))}
    start |= {"precisions_init": shape.get(kind, np.ones(3))}
    one, two = (GaussianMixture(3, covariance_type=kind, **start) for _ in range(2))
    quiet_fit(one, X, sample_weight=w)
    quiet_fit(two, np.repeat(X, w, axis=0))
    for name in FITTED:
        assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-9, atol=1e-11)
    many = np.repeat(X, w, axis=0)
    assert_allclose(one.bic(X, sample_weight=w), one.bic(many), rtol=1e-12)
    assert_allclose(one.aic(X, sample_weight=w), one.aic(many), rtol=1e-12)
    assert_allclose(one.score(X, sample_weight=w), one.score(many), rtol=1e-12)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("scale", [2.0**-900, 2.0**-60, 2.0**60])
def test_the_scale_of_weights_does_not_matter(kind, scale):
    """Also where a component has less weight than what is added lest it be 0."""
    X, w = clusters(), np.random.default_rng(0).uniform(size=200)
    one, two = (
        quiet_fit(GaussianMixture(3, covariance_type=kind, random_state=0), X, sample_weight=a * w)
        for a in (1.0, scale)
    )
    for name in FITTED:
        assert_allclose(getattr(two, name), getattr(one, name), rtol=1e-9, atol=1e-11)


def test_a_mean_that_jumps_far_leaves_an_exact_covariance():
    """From means 1e7 deviations away, S / n - d d' would keep two digits of the spread."""
    X = clusters()[:, :1]
    start = {"means_init": [[1e7]], "weights_init": [1.0], "precisions_init": [[[1.0]]]}
    model = quiet_fit(GaussianMixture(max_iter=1, reg_covar=0.0, **start), X)
    assert_allclose(model.covariances_[0, 0, 0], np.var(X), rtol=1e-12)


def test_warm_start_goes_on_where_it_stopped():
    X = clusters()
    whole = fit(X, max_iter=6, tol=0, init_params="random")
    model = GaussianMixture(3, max_iter=2, tol=0, init_params="random", random_state=0)
    model.set_params(warm_start=True)
    for _ in range(3):
        quiet_fit(model, X)
    assert_allclose(model.means_, whole.means_, rtol=1e-12)
    cold = quiet_fit(model.set_params(warm_start=False), X)
    assert abs(cold.means_ - whole.means_).max() > 1e-6


def test_the_best_of_several_starts_is_kept():
    X = clusters(d=1)
    one = [
        fit(X, init_params="random", random_state=rng).lower_bound_
        for rng in [np.random.RandomState(3)] * 4
    ]
    best = fit(X, init_params="random", random_state=np.random.RandomState(3), n_init=4)
    assert best.lower_bound_ == max(one)
    assert best.lower_bounds_[-1] == best.lower_bound_


def test_the_path_is_recorded_if_asked_for():
    X = clusters()
    model = fit(X, record="path", tol=0, max_iter=4)
    assert model.history_["means"].shape == (4, 3, 3)
    assert model.history_["covariances"].shape == (4, 3, 3, 3)
    for i in (1, 3):  # the parameters of an entry are those that its log-likelihood is of
        before = fit(X, tol=0, max_iter=i)
        assert_allclose(model.history_["means"][i], before.means_, rtol=1e-12)
        assert_allclose(before.score(X), model.history_["log_likelihood"][i], rtol=1e-12)
    assert set(fit(X).history_) == {"log_likelihood"}


@pytest.mark.parametrize("kind", TYPES)
def test_batches_find_what_all_rows_tell(kind):
    """Stepwise EM over many batches ends near EM over all: within some standard errors."""
    rng = np.random.default_rng(0)
    X = np.vstack([clusters(seed) for seed in range(40)])
    X = X[rng.permutation(len(X))]
    whole = fit(X, covariance_type=kind, tol=1e-6)
    model = GaussianMixture(3, covariance_type=kind, random_state=0)
    for batch in np.array_split(X, 80):
        model.partial_fit(batch)
    assert model.n_batch_iter_ == 80
    assert model.history_["log_likelihood"].shape == (80,)
    assert model.score(X) > whole.score(X) - 0.01


@pytest.mark.parametrize("kind", TYPES)
def test_the_path_of_batches(kind):
    batches = np.array_split(clusters(), 5)
    model = GaussianMixture(3, covariance_type=kind, record="path", random_state=0)
    places = [model.partial_fit(batch).means_ for batch in batches]
    assert model.history_["means"].shape == (5, *model.means_.shape)
    assert model.history_["covariances"].shape == (5, *model.covariances_.shape)
    assert_allclose(model.history_["means"][1:], places[:-1], rtol=1e-12)


def test_parameters_of_batches_do_something():
    X = clusters()

    def means(**params):
        model = GaussianMixture(3, random_state=0, **params)
        for batch in (X[::3], X[1::3], X[2::3]):
            model.partial_fit(batch)
        return model.means_

    assert abs(means() - means(learning_decay=1.0)).max() > 1e-6
    assert abs(means() - means(learning_offset=50.0)).max() > 1e-6


def test_batches_go_on_from_a_fit_and_a_fit_forgets_them():
    X = clusters()
    model = fit(X, tol=1e-10, max_iter=500)
    before = model.means_.copy()
    model.partial_fit(X)
    assert_allclose(model.means_, before, atol=1e-4)  # at rest already
    assert model.n_batch_iter_ == 1
    model.fit(X)
    assert not hasattr(model, "n_batch_iter_")


@pytest.mark.parametrize("kind", TYPES)
def test_blending_is_the_moments_of_all_rows(kind):
    """Of two halves under the same responsibilities, at rate 1/2: those of the whole."""
    from skcourse.mixture.covariances import estimate
    from skcourse.mixture.expectation import expectation

    X = clusters()
    model = fit(X, covariance_type=kind, max_iter=2)
    mixture = model._gaussians(model._parameters())

    def estimates(rows):
        return estimate(expectation(rows, None, mixture), mixture.means, kind).shares()

    found = blend(estimates(X[::2]), estimates(X[1::2]), 0.5, kind)
    for a, b in zip(found, estimates(X), strict=True):
        assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", TYPES)
def test_missing_values(kind):
    X = clusters()
    holes = np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)
    holes[5] = np.nan
    model = fit(holes, covariance_type=kind)
    whole = fit(X, covariance_type=kind)
    order = np.argsort(model.means_[:, 0]), np.argsort(whole.means_[:, 0])
    assert_allclose(model.means_[order[0]], whole.means_[order[1]], atol=0.5)
    filled = model.impute(holes)
    seen = ~np.isnan(holes)
    assert_array_equal(filled[seen], holes[seen])
    assert_allclose(filled[5], model.weights_ @ model.means_, rtol=1e-12)
    assert_allclose(model.score_samples(holes)[5], 0.0, atol=1e-12)
    assert_allclose(model.predict_proba(holes)[5], model.weights_, rtol=1e-12)
    complete = seen.all(axis=1)
    assert_allclose(
        model.predict_proba(holes)[complete], model.predict_proba(X[complete]), atol=1e-12
    )
    without = np.delete(holes, 5, axis=0)
    start = {"means_init": model.means_, "weights_init": model.weights_, "max_iter": 3, "tol": 0}
    start["precisions_init"] = model.precisions_
    with_, one_less = (fit(rows, covariance_type=kind, **start) for rows in (holes, without))
    assert_allclose(with_.means_, one_less.means_, rtol=0.05, atol=0.05)


def test_a_batch_without_values_changes_nothing():
    model = GaussianMixture(3, random_state=0).partial_fit(clusters())
    before = model.means_.copy(), model.n_batch_iter_
    model.partial_fit(np.full((2, 3), np.nan))
    assert_array_equal(model.means_, before[0])
    assert model.n_batch_iter_ == before[1]


@pytest.mark.parametrize("kind", TYPES)
def test_float32_stays_float32(kind):
    X = clusters(dtype=np.float32)
    model, theirs = (fit(X, cls=cls, covariance_type=kind) for cls in (GaussianMixture, Reference))
    for name in FITTED:
        assert getattr(model, name).dtype == getattr(theirs, name).dtype == np.float32
    assert model.predict_proba(X).dtype == model.score_samples(X).dtype == np.float32
    holes = X.copy()
    holes[3, 1] = np.nan
    assert model.predict_proba(holes).dtype == model.score_samples(holes).dtype == np.float32
    double = fit(X.astype(np.float64), covariance_type=kind)
    assert_allclose(model.means_, double.means_, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", TYPES)
def test_fit_predict_is_predict(kind):
    X = clusters()
    model = GaussianMixture(3, covariance_type=kind, random_state=0)
    assert_array_equal(model.fit_predict(X), model.predict(X))


def test_verbose_tells(capsys):
    fit(clusters(), verbose=1, verbose_interval=1, max_iter=2, tol=0)
    told = capsys.readouterr().out
    assert "Initialization 0" in told
    assert told.count("Iteration") == 2
    assert "did not converge" in told
    fit(clusters(), verbose=2, verbose_interval=2, max_iter=2, tol=0)
    told = capsys.readouterr().out
    assert told.count("Iteration") == 1
    assert "ll change" in told


@pytest.mark.parametrize("kind", TYPES)
def test_covariances_that_are_none_are_refused(kind):
    model = GaussianMixture(2, covariance_type=kind, reg_covar=0.0, random_state=0)
    with pytest.raises(ValueError, match=ILL):
        model.fit(np.repeat([[0.0, 1.0], [5.0, 2.0]], 10, axis=0))
    assert not hasattr(model, "means_")
    with pytest.raises(ValueError, match="float64"):
        model.fit(np.repeat(np.float32([[0.0, 1.0], [5.0, 2.0]]), 10, axis=0))


def test_components_that_collapse_are_told_of():
    X = np.vstack([clusters(), [[40.0, 40.0, 40.0]] * 3])
    start = {"means_init": X[[0, 70, 170, 201]], "precisions_init": [np.eye(3)] * 4}
    with pytest.warns(ConvergenceWarning, match=r"Component\(s\) 3 collapsed to a point") as told:
        GaussianMixture(4, random_state=0, **start).fit(X)
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        GaussianMixture(3, random_state=0).fit(clusters())
        GaussianMixture(1).fit(np.ones((10, 2)))  # all there is is a point


def test_no_convergence_is_told_of():
    with pytest.warns(ConvergenceWarning, match="did not converge") as told:
        GaussianMixture(3, random_state=0, max_iter=1).fit(clusters())
    assert told[0].filename == __file__


@pytest.mark.parametrize(
    ("X", "params", "weights", "message"),
    [
        (clusters()[:2], {}, None, "Expected n_samples >= n_components"),
        (clusters(), {}, np.zeros(200), "at least one non-zero"),
        (clusters(), {}, -np.ones(200), "Negative values"),
        (clusters(), {}, np.r_[1.0, 1.0, np.zeros(198)], "n_samples = 2"),
        (clusters() * [1, np.nan, 1], {}, None, "only NaN"),
        (
            np.r_[np.full((2, 3), 5.0), clusters() * [1, np.nan, 1]],
            {},
            np.r_[0.0, 0.0, np.ones(200)],
            "only NaN",
        ),
        (np.full((5, 2), np.inf), {}, None, "infinity"),
        (clusters(), {"weights_init": [0.5, 0.6, 0.1]}, None, "should be normalized"),
        (clusters(), {"weights_init": [1.5, -0.5, 0.0]}, None, r"in the range \[0, 1\]"),
        (clusters(), {"means_init": [[0.0, 0.0]]}, None, "'means' should have the shape"),
        (clusters(), {"precisions_init": -np.stack([np.eye(3)] * 3)}, None, "positive-definite"),
    ],
)
def test_bad_input(X, params, weights, message):
    model = GaussianMixture(3, random_state=0, **params)
    with pytest.raises(ValueError, match=message):
        model.fit(X, sample_weight=weights)
    assert not hasattr(model, "means_")


def test_more_components_than_distinct_rows():
    X = np.repeat([[0.0, 0.0], [1.0, 1.0]], 10, axis=0)
    model = fit(X, n_components=3)
    assert np.isfinite(model.means_).all()
    assert_allclose(model.weights_.sum(), 1.0)


def test_rows_too_far_for_numbers():
    X = clusters()
    X[0] = 1e200
    with pytest.raises(ValueError, match=r"ill-defined|too large"), np.errstate(all="ignore"):
        fit(X)


@pytest.mark.parametrize("kind", TYPES)
def test_numbers_that_float32_does_not_hold(kind):
    """Products are float64, but a covariance of 1e50 would be inf in the end."""
    X = clusters() * 1e25
    start = {"means_init": X[[0, 70, 170]], "init_params": "random"}
    with pytest.raises(ValueError, match="covariances_ has numbers that float32 does not hold"):
        fit(X.astype(np.float32), covariance_type=kind, **start)
    fit(X, covariance_type=kind, **start)


def test_samples_are_asked_for():
    with pytest.raises(ValueError, match="at least one"):
        fit(clusters()).sample(0)
