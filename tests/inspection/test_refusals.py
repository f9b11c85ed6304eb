"""Where theory knows no standard errors, the reason is given instead."""

import warnings

import numpy as np
import pytest
import sklearn.linear_model as theirs
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_selection import SelectFromModel, SelectKBest, VarianceThreshold
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler, TargetEncoder

import skcourse.linear_model as ours
from skcourse.inspection import coefficient_table
from skcourse.linear_model import LinearRegression

EXACT = {"solver": "newton-cholesky", "tol": 1e-10}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    return X, X @ [1.0, 2.0, 3.0] + 4 + rng.normal(size=60)


def quietly(estimator, X, y):
    """Fit, whatever it has to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return estimator.fit(X, y)


def two_classes(y):
    """Make classes of numbers, with some rows on the wrong side."""
    return (y > 4) ^ (np.arange(len(y)) % 7 == 0)


def refused(estimator, X, y, reason, **options):
    with pytest.raises(ValueError, match=reason):
        coefficient_table(estimator, X, y, **options)


PENALISED = {
    "Ridge": {},
    "Lasso": {},
    "ElasticNet": {},
    "MultiTaskLasso": {},
    "PoissonRegressor": {},
    "GammaRegressor": {},
    "TweedieRegressor": {"power": 1.5},
    "LogisticRegression": {},
    "RidgeClassifier": {},
}


@pytest.mark.parametrize("library", [ours, theirs], ids=["ours", "theirs"])
@pytest.mark.parametrize("name", PENALISED)
def test_penalised(name, library, data):
    if not hasattr(library, name):
        return
    X, y = data
    y = np.exp(y / 10) if name.startswith(("P", "G", "T")) else y
    y = y > 4 if name.startswith(("L", "RidgeC")) and name != "Lasso" else y
    y = np.column_stack([y, y]) if name.startswith("Multi") else y
    estimator = getattr(library, name)(**PENALISED[name])
    refused(quietly(estimator, X, y), X, y, f"no standard errors here for {name}: its penalty")


CHOSEN = {
    "LassoCV": {"cv": 3, "alphas": 5},
    "ElasticNetCV": {"cv": 3, "alphas": 5},
    "RidgeCV": {},
    "RidgeClassifierCV": {},
    "LogisticRegressionCV": {"cv": 3, "use_legacy_attributes": False},
    "OrthogonalMatchingPursuit": {"n_nonzero_coefs": 2},
    "Lars": {},
    "LassoLarsIC": {},
    "RANSACRegressor": {},
}


@pytest.mark.parametrize("library", [ours, theirs], ids=["ours", "theirs"])
@pytest.mark.parametrize("name", CHOSEN)
def test_after_a_choice(name, library, data):
    if not hasattr(library, name):
        return
    X, y = data
    y = y > 4 if name in ("LogisticRegressionCV", "RidgeClassifierCV") else y
    estimator = quietly(getattr(library, name)(**CHOSEN[name]), X, y)
    refused(estimator, X, y, "chosen by looking at the same y")


def test_after_a_search(data):
    X, y = data
    search = GridSearchCV(LinearRegression(), {"fit_intercept": [True, False]}).fit(X, y)
    refused(search, X, y, "chosen by looking at the same y")


@pytest.mark.parametrize(
    "step", [SelectKBest(k=2), SelectFromModel(theirs.Lasso(0.1)), TargetEncoder()]
)
def test_after_a_step_that_looks_at_y(step, data):
    X, y = data
    X = np.rint(X)
    model = make_pipeline(StandardScaler(), make_pipeline(step, PCA()), LinearRegression())
    refused(quietly(model, X, y), X, y, f"step {type(step).__name__} has looked at y")


@pytest.mark.parametrize(
    "step", [StandardScaler(), PolynomialFeatures(2, include_bias=False), PCA(2), "passthrough"]
)
def test_a_step_that_looks_at_x_alone_is_welcome(step, data):
    X, y = data
    model = make_pipeline(VarianceThreshold(), step, LinearRegression()).fit(X, y)
    assert np.isfinite(coefficient_table(model, X, y).p_value).all()
    assert coefficient_table(make_pipeline(LinearRegression()).fit(X, y), X, y).df == 56


def test_other_losses_priors_and_what_is_no_linear_model(data):
    X, y = data
    for estimator, reason in (
        (theirs.HuberRegressor(), "its loss is not"),
        (theirs.QuantileRegressor(), "its loss is not"),
        (theirs.BayesianRidge(), "its prior"),
        (theirs.SGDRegressor(), "stops before the maximum"),
        (TransformedTargetRegressor(LinearRegression()), "for another y"),
        (ours.GradientDescentRegressor("huber"), "its loss is not"),
        (ours.GradientDescentRegressor(penalty="l2", batch_size=60), "its penalty"),
        (ours.GradientDescentRegressor(max_iter=1), "stopped too early"),
        (PCA(), "this is known for ElasticNet, .*LinearRegression"),
    ):
        refused(quietly(estimator, X, y), X, y, reason)


def test_constraints_and_reweighting(data):
    X, y = data
    refused(LinearRegression(positive=True).fit(X, y), X, y, "positive=True")
    y = two_classes(y)
    model = ours.LogisticRegression(C=np.inf, class_weight="balanced").fit(X, y)
    refused(model, X, y, "class_weight")


def test_an_estimator_that_is_not_fitted(data):
    with pytest.raises(NotFittedError):
        coefficient_table(LinearRegression(), *data)


@pytest.mark.parametrize("fit", ["LinearRegression", "PoissonRegressor", "LogisticRegression"])
def test_columns_that_depend_on_each_other(fit, data):
    X, y = data
    X = np.column_stack([X, X[:, 0] - 2 * X[:, 1]])
    if fit == "LinearRegression":
        model = LinearRegression()
    elif fit == "PoissonRegressor":
        y, model = np.rint(np.abs(y)), ours.PoissonRegressor(alpha=0, tol=1e-8, max_iter=200)
    else:
        y, model = np.digitize(y, [2, 5]), ours.LogisticRegression(C=np.inf, tol=1e-8)
        y = np.where(np.arange(60) % 5 == 0, 1, y)
    refused(quietly(model, X, y), X, y, "X lacks rank: x0, x1, x3 depend on each other")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_beside_an_intercept(dtype, data):
    X, y = data
    X = np.column_stack([X, np.full(60, 0.1)]).astype(dtype)
    refused(LinearRegression().fit(X, y), X, y, "X lacks rank: x3 is constant")
    model = LinearRegression(fit_intercept=False).fit(X, y)
    if dtype == np.float64:  # without one it is an intercept itself
        assert coefficient_table(model, X, y).df == 56


def test_a_rank_that_the_fit_took_to_be_lower(data):
    X, y = data
    X = X * [1e-9, 1.0, 1e9]
    refused(LinearRegression().fit(X, y), X, y, "took X to have rank 1")


def test_no_degrees_of_freedom(data):
    X, y = data
    refused(LinearRegression().fit(X[:4], y[:4]), X[:4], y[:4], "4 rows leave no degree of freedom")
    w = np.repeat([1, 0], [4, 56])
    refused(LinearRegression().fit(X, y, sample_weight=w), X, y, "4 rows leave", sample_weight=w)


def test_weights_that_are_no_counts(data):
    X, y = data
    w = np.linspace(0.5, 2, 60)
    model = LinearRegression().fit(X, y, sample_weight=w)
    refused(model, X, y, "whole numbers", sample_weight=w)
    refused(model, X, y, "sample_weight", sample_weight=-np.ones(60))


def test_other_rows_than_those_of_the_fit(data):
    X, y = data
    model = LinearRegression().fit(X[:45], y[:45])
    refused(model, X, y, "fitted on other X, y or sample_weight")
    refused(LinearRegression().fit(X, y), X, y[::-1], "fitted on other")
    w = np.arange(60) % 3
    refused(LinearRegression().fit(X, y, sample_weight=w), X, y, "fitted on other")
    coefficient_table(LinearRegression().fit(X, y, sample_weight=w), X, y, sample_weight=w)
    y = two_classes(y)
    model = ours.LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    refused(model, X, np.roll(y, 1), "other X, y")


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
def test_a_fit_that_stopped_early(data):
    X, y = data
    y = np.rint(np.abs(y))
    early = ours.PoissonRegressor(alpha=0, max_iter=2).fit(X, y)
    refused(early, X, y, "stopped too early")
    c = np.random.default_rng(0).integers(0, 3, 60)
    early = ours.LogisticRegression(C=np.inf, max_iter=1).fit(X, c)
    refused(early, X, c, "stopped too early")


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
def test_a_fit_that_stopped_early_where_one_row_alone_makes_a_maximum():
    X = np.linspace(-3, 3, 60)[:, np.newaxis]
    y = (X[:, 0] > 0) & (np.arange(60) != 35)
    early = ours.LogisticRegression(C=np.inf, max_iter=1, solver="newton-cholesky").fit(X, y)
    refused(early, X, y, "stopped too early.* the likelihood has no maximum")  # as may be


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_separated_classes(n_classes, solver, data):
    X = data[0]
    y = np.digitize(X[:, 0] + X[:, 1], [0.0, 1.0][: n_classes - 1])
    model = quietly(ours.LogisticRegression(C=np.inf, solver=solver, max_iter=30), X, y)
    refused(model, X, y, "has no maximum on these rows: a plane separates the classes")


def test_rows_of_weight_0_do_not_stand_between_the_classes(data):
    X = data[0]
    y = X[:, 0] > 0
    w = np.repeat([1, 0], [58, 2])
    y[58:] = ~y[58:]
    model = quietly(ours.LogisticRegression(C=np.inf), X[:58], y[:58])
    refused(model, X, y, "a plane separates", sample_weight=w)


@pytest.mark.parametrize("tol", [1e-6, 1e-12])
@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_classes_that_are_separated_but_for_rows_on_the_plane(n_classes, solver, tol):
    """All rows with the dummy are of one class; the others are mixed."""
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(60) < 20, rng.normal(size=60)]).astype(float)
    y = np.where(X[:, 0] == 1, n_classes - 1, rng.integers(0, n_classes, 60))
    model = ours.LogisticRegression(C=np.inf, solver=solver, tol=tol, max_iter=1000)
    refused(quietly(model, X, y), X, y, "can grow along some direction")


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
def test_counts_that_are_0_wherever_a_dummy_is_1(solver):
    rng = np.random.default_rng(0)
    X = np.column_stack([np.arange(60) < 20, rng.normal(size=60)]).astype(float)
    y = rng.poisson(2, 60) * (X[:, 0] == 0)
    for model in (
        ours.PoissonRegressor(alpha=0, solver=solver, tol=1e-8, max_iter=200),
        ours.TweedieRegressor(power=1.5, alpha=0, solver=solver, tol=1e-8, max_iter=200),
    ):
        refused(quietly(model, X, y), X, y, "can grow along some direction")


def test_classes_that_are_hard_to_tell_apart_but_not_separated(data):
    """One row on the wrong side is enough for a maximum, far out as it may be."""
    X, y = data[0][:, :1], data[0][:, 0] > 0
    y[np.argmax(np.where(y, -np.inf, X[:, 0]))] = True  # nearest to the boundary
    y[np.argmin(np.where(y, X[:, 0], np.inf))] = False
    y[np.argsort(X[:, 0])[29:32]] = [True, False, True]
    model = quietly(ours.LogisticRegression(C=np.inf, max_iter=1000, **EXACT), X, y)
    assert (model.predict(X) != y).any()
    assert coefficient_table(model, X, y).standard_error[1] > 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("library", [ours, theirs], ids=["ours", "theirs"])
def test_residuals_of_0(dtype, library, data):
    X = data[0].astype(dtype)
    for y in (X @ np.array([1, 2, 3], dtype) + 4, np.zeros(60, dtype), np.full(60, 5, dtype)):
        refused(library.LinearRegression().fit(X, y), X, y, "fits y exactly")


@pytest.mark.parametrize("level", [1.0, 1e-3, 1e3])
def test_ratios_that_are_1(level, data):
    """Of gamma y, residuals are relative to the mean."""
    y = np.full(60, level)
    model = ours.GammaRegressor(alpha=0, solver="newton-cholesky").fit(data[0], y)
    refused(model, data[0], y, "fits y exactly")
    y = level * np.exp(data[0] @ [0.1, 0.2, 0.3])
    model = ours.GammaRegressor(alpha=0, solver="newton-cholesky", tol=1e-15)
    refused(quietly(model, data[0], y), data[0], y, "fits y exactly")


def test_residuals_that_are_small_but_not_0(data):
    X = data[0]
    y = X @ [1.0, 2.0, 3.0] + 1e-9 * data[1]
    assert coefficient_table(LinearRegression().fit(X, y), X, y).dispersion < 1e-16


def test_rows_that_are_fitted_whatever_they_are(data):
    """A dummy for one row: its residual is 0, which says nothing of its error."""
    X, y = data
    X = np.column_stack([X, np.arange(60) == 7]).astype(float)
    model = LinearRegression().fit(X, y)
    for kind in ("HC2", "HC3"):
        refused(model, X, y, "which is 0 in 1 rows", covariance=kind)
    assert np.isfinite(coefficient_table(model, X, y, covariance="HC1").standard_error).all()


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
def test_rows_that_agree_to_the_last_bit(kind, data):
    """Without an intercept the mean of a group is its own, and so is what robust errors go by."""
    groups = np.repeat(np.eye(3), 20, axis=0)
    y = np.where(groups[:, 0] == 1, 0.1, data[1])
    model = LinearRegression(fit_intercept=False).fit(groups, y)
    refused(model, groups, y, "for one of them these are 0", covariance=kind)
    assert np.isfinite(coefficient_table(model, groups, y).statistic).all()
    counts = np.repeat([3, 5, 7], 20)
    model = ours.PoissonRegressor(alpha=0, fit_intercept=False, **EXACT).fit(groups, counts)
    refused(model, groups, counts, "for one of them these are 0", covariance=kind)
    expected = np.sqrt(1 / np.array([60, 100, 140]))  # known without residuals
    errors = coefficient_table(model, groups, counts).standard_error
    np.testing.assert_allclose(errors, expected, rtol=1e-8)


def test_hat_values_of_several_classes(data):
    X = data[0]
    y = np.random.default_rng(0).integers(0, 3, 60)
    model = ours.LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    refused(model, X, y, "take HC0 or HC1", covariance="HC3")


def test_targets_of_another_kind(data):
    X, y = data
    counts = np.rint(np.abs(y))
    model = ours.PoissonRegressor(alpha=0, **EXACT).fit(X, counts)
    refused(model, X, -counts - 1, "out of the valid range")
    refused(model, X, np.column_stack([counts, counts]), "y has 2 targets")
    y = two_classes(y)
    model = ours.LogisticRegression(C=np.inf, **EXACT).fit(X, y)
    refused(model, X, np.where(y, "yes", "no"), "is no class of LogisticRegression")


def test_means_that_y_cannot_have(data):
    X = np.abs(data[0])
    y = 1 + X @ [1.0, 2.0, 3.0] + np.abs(data[1])
    model = ours.TweedieRegressor(power=2, link="identity", alpha=0, max_iter=1000, **EXACT)
    model.fit(X, y)
    assert coefficient_table(model, X, y).df == 56
    refused(model, -10 * X, y, "not the rows of the fit")


def test_numbers_too_large_to_be_squared(data):
    X, y = data
    model = LinearRegression(tol=0).fit(X, y)
    refused(model, X * 1e200, y, "too large")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (lambda X, y: (np.where(X > 2, np.nan, X), y), "Input X contains NaN"),
        (lambda X, y: (X[:, :2], y), "X has 2 features"),
        (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
        (lambda X, y: (X, np.where(y > 5, np.inf, y)), "Input y contains infinity"),
    ],
)
def test_input_that_no_fit_takes(bad, reason, data):
    refused(LinearRegression().fit(*data), *bad(*data), reason)


@pytest.mark.parametrize(
    "options", [{"covariance": "HC4"}, {"level": 0}, {"level": 1}, {"level": 95}]
)
def test_options_that_there_are_not(options, data):
    (name,) = options
    refused(LinearRegression().fit(*data), *data, f"The '{name}' parameter", **options)
