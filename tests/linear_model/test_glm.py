"""Poisson, gamma and Tweedie regression: the gradient is 0, scikit-learn and statsmodels agree."""

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.linear_model
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import d2_tweedie_score

from skcourse import linear_model
from skcourse.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from skcourse.linear_model.glm import half_deviance

MODELS = [
    (PoissonRegressor(), 1),
    (GammaRegressor(), 2),
    (TweedieRegressor(power=1.5), 1.5),
    (TweedieRegressor(power=3), 3),
    (TweedieRegressor(power=0, link="log"), 0),
    (TweedieRegressor(power=0), 0),
    (TweedieRegressor(power=1, link="identity"), 1),
]
IDS = [f"{type(model).__name__}-{power}-{i}" for i, (model, power) in enumerate(MODELS)]
each_model = pytest.mark.parametrize(("model", "power"), MODELS, ids=IDS)


STATSMODELS = [
    [0.667569213239, -0.392638801486, -0.019723316244],
    [1.090310780144, -0.259950071431, -0.016149723191],
]


def sample(n=80, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    mean = np.exp(0.3 * X[:, 0] - 0.2 * X[:, 1] + 1)
    return X, mean * rng.gamma(5, 0.2, size=n), rng.integers(0, 4, size=n) + 0.5


def slope(model, power, X, y, weights):
    """Return the gradient of the mean half deviance and the penalty, from its formula."""
    mean = model.predict(X)
    moves = mean if getattr(model, "link", "log") != "identity" and power else np.ones(len(y))
    if getattr(model, "link", "") == "log":
        moves = mean
    pull = weights * (mean - y) * mean ** (-float(power)) * moves / weights.sum()
    return np.append(pull @ X + model.alpha * model.coef_, pull.sum())


@each_model
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_gradient_vanishes(model, power, solver):
    X, y, weights = sample()
    model = model.set_params(solver=solver, tol=1e-9, alpha=0.1, max_iter=1000)
    model.fit(X, y, weights)
    assert np.abs(slope(model, power, X, y, weights)).max() <= 1.001e-9
    sparse = model.fit(sp.csc_array(X), y, weights)
    assert np.abs(slope(sparse, power, X, y, weights)).max() <= 1.001e-9


@each_model
def test_agrees_with_theirs(model, power):
    X, y, weights = sample()
    model = model.set_params(solver="newton-cholesky", tol=1e-12, alpha=0.1)
    theirs = getattr(sklearn.linear_model, type(model).__name__)(**model.get_params())
    model.fit(X, y, weights), theirs.fit(X, y, weights)
    # With a curvature of at least alpha, a gradient of 1e-12 is within 1e-11 of the minimum.
    np.testing.assert_allclose(model.coef_, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(model.intercept_, theirs.intercept_, atol=1e-10)
    assert model.score(X, y, weights) == pytest.approx(theirs.score(X, y, weights), abs=1e-9)


@pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3])
def test_score_is_the_share_of_the_deviance(power):
    X, y, weights = sample()
    model = TweedieRegressor(power=power, link="log").fit(X, y)
    expected = d2_tweedie_score(y, model.predict(X), power=power, sample_weight=weights)
    assert model.score(X, y, weights) == pytest.approx(expected, rel=1e-12)


def test_statsmodels_agrees():
    # i = np.arange(12); X = np.column_stack([np.sin(i), np.cos(2 * i)])
    # sm.GLM(y, sm.add_constant(X), family=sm.families.Poisson()).fit(tol=1e-14).params
    # sm.GLM(y + 1, ..., family=sm.families.Gamma(sm.families.links.Log()))
    i = np.arange(12)
    X = np.column_stack([np.sin(i), np.cos(2 * i)])
    y = np.array([1, 3, 0, 2, 2, 1, 4, 3, 1, 0, 2, 5.0])
    options = {"alpha": 0, "tol": 1e-11, "solver": "newton-cholesky"}
    poisson = PoissonRegressor(**options).fit(X, y)
    gamma = GammaRegressor(**options).fit(X, y + 1)
    found = [np.append(model.intercept_, model.coef_) for model in (poisson, gamma)]
    np.testing.assert_allclose(found, STATSMODELS, rtol=1e-8)


def test_without_penalty_the_means_agree():
    """With the logarithm as Poisson's link, the predictions add up to y, also along each column."""
    X, y, weights = sample()
    model = PoissonRegressor(alpha=0, tol=1e-10).fit(X, y, weights)
    surplus = weights * (model.predict(X) - y)
    assert abs(surplus.sum()) <= 1e-9 * weights.sum()
    assert np.abs(surplus @ X).max() <= 1e-9 * weights.sum()


def test_half_deviance_is_least_at_the_mean():
    y, mu = np.array([0.5, 2.0]), np.array([0.7, 1.5])
    for power in (-1, 0, 0.5, 1, 1.5, 2, 3):
        assert np.all(half_deviance(y, mu, power) > 0)
        np.testing.assert_allclose(half_deviance(y, y, power), 0, atol=1e-14)
    assert half_deviance(np.zeros(1), np.ones(1), 1) == 1
    assert half_deviance(np.ones(1), -np.ones(1), 2) == np.inf


@pytest.mark.parametrize(
    ("model", "y"),
    [(PoissonRegressor(), -1), (GammaRegressor(), 0), (TweedieRegressor(power=2.5), 0)],
)
def test_y_outside_the_domain(model, y):
    X, values, _ = sample()
    values[3] = y
    match = "Some value\\(s\\) of y are out of the valid range of the loss 'Half"
    with pytest.raises(ValueError, match=match):
        model.fit(X, values)
    assert not hasattr(model, "coef_")
    model.fit(X, np.abs(values) + 1)
    with pytest.raises(ValueError, match=match):
        model.score(X, values)


def test_no_counts_at_all():
    X, y, _ = sample()
    with pytest.warns(ConvergenceWarning, match="the likelihood has no maximum"):
        model = PoissonRegressor().fit(X, 0 * y)
    assert np.all(model.predict(X) <= 1e-300)


def test_identity_link_needs_a_positive_start():
    X, y, _ = sample()
    with pytest.raises(ValueError, match="no value for predictions of 0"):
        TweedieRegressor(power=1, link="identity", fit_intercept=False).fit(X, y)


def test_max_iter_tol_and_verbose(capsys):
    X, y, _ = sample()
    with pytest.warns(ConvergenceWarning, match=r"max_iter=1\b.*Increase max_iter"):
        PoissonRegressor(max_iter=1, tol=1e-12).fit(X, y)
    rough, fine = (PoissonRegressor(tol=tol, verbose=1).fit(X, y) for tol in (1e-1, 1e-10))
    assert rough.n_iter_ < fine.n_iter_ == len(fine.history_["loss"])
    assert capsys.readouterr().out.count("loss") == rough.n_iter_ + fine.n_iter_
    assert fine.history_["gradient"][-1] <= 1e-10


def test_warm_start():
    X, y, _ = sample()
    model = PoissonRegressor(warm_start=True, tol=1e-8).fit(X, y)
    first = model.n_iter_
    assert model.fit(X, y).n_iter_ < first
    with pytest.raises(ValueError, match="set warm_start=False"):
        model.fit(X[:, :2], y)
    model.fit(X, y).coef_[1] = np.nan
    with pytest.raises(ValueError, match="which are not finite"):
        model.fit(X, y)


def test_fit_intercept_and_alpha():
    X, y, _ = sample()
    assert PoissonRegressor(fit_intercept=False).fit(X, y).intercept_ == 0.0
    strong, weak = (PoissonRegressor(alpha=a).fit(X, y).coef_ for a in (10.0, 0.1))
    assert np.linalg.norm(strong) < 0.5 * np.linalg.norm(weak)


@pytest.mark.parametrize("model", [PoissonRegressor(), GammaRegressor()])
def test_float32(model):
    X, y, _ = sample()
    wide = model.fit(X, y).predict(X)
    narrow = model.fit(X.astype(np.float32), y.astype(np.float32))
    assert narrow.coef_.dtype == narrow.predict(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(narrow.predict(X), wide, rtol=1e-3)  # tol is 1e-4


def test_threads_change_no_bit(n_threads, monkeypatch):
    X, y, _ = sample(30_000, 10)
    found = PoissonRegressor().fit(X, y)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = PoissonRegressor().fit(X, y)
    np.testing.assert_array_equal(found.coef_, alone.coef_)
    assert found.n_iter_ == alone.n_iter_


def test_all_are_public():
    assert {"GammaRegressor", "PoissonRegressor", "TweedieRegressor"} <= set(linear_model.__all__)


def test_an_exponential_is_fitted_to_targets_of_a_negative_mean():
    X, _, _ = sample()
    y = np.exp(2 * X[:, 0]) - 10
    assert y.mean() < 0
    model = TweedieRegressor(power=0, link="log", alpha=0.01).fit(X, y)
    assert np.mean((y - model.predict(X)) ** 2) < np.mean(y**2)  # better than 0, the best constant


def test_a_fit_that_is_in_its_own_way_says_so():
    rng = np.random.default_rng(0)
    X = 1e6 + rng.normal(size=(12, 3))  # planes through such rows leave what the loss allows
    y = rng.standard_t(1, size=12)  # of a negative mean
    with pytest.warns(ConvergenceWarning, match=r"no lower point.*Scale the columns"):
        TweedieRegressor(power=-1, alpha=0).fit(X, y)
