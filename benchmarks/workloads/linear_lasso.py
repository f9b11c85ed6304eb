"""The lasso: sparse truths, wide and long rows, paths, cross-validation, text-like rows."""

from functools import partial
from importlib import import_module, util

import numpy as np

from benchmarks.contenders import PACKAGES, estimators
from benchmarks.data import Data
from benchmarks.harness import Workload

TOL = 1e-4  # of all contenders, on the duality gap


def sparse_truth(n, p, n_true, shrink=1, *, n_test=0):
    """Make y = X w + noise with `n_true` of w not 0; `start`: the least alpha without any."""
    rng, n = np.random.default_rng(0), max(n // shrink, 50)
    X = rng.standard_normal((n + n_test, p))
    w = np.zeros(p)
    w[rng.choice(p, min(n_true, p), replace=False)] = rng.standard_normal(min(n_true, p))
    y = X @ w
    y += 0.1 * np.std(y) * rng.standard_normal(len(y))
    top = np.abs((X[:n] - X[:n].mean(axis=0)).T @ (y[:n] - y[:n].mean())).max() / n
    return Data(X[:n], y[:n], start=np.array([top]), X_test=X[n:], y_test=y[n:])


def fit_lasso(cls, share, data):
    """Fit at a share of the alpha that leaves no coefficient."""
    return cls(alpha=share * data.start[0], tol=TOL).fit(data.X, data.y)


def lassos(share):
    """Return {contender: fit} of all packages with a Lasso."""
    found = {}
    for contender, package in {**PACKAGES, "skglm": "skglm", "celer": "celer"}.items():
        path = f"{package}.linear_model" if contender in PACKAGES else package
        if util.find_spec(package) and contender != "scikit-learn-intelex":
            found[contender] = partial(fit_lasso, import_module(path).Lasso, share)
    return found


def lasso_objective(share, data, fitted):
    """Return the lasso's objective."""
    residuals = data.y - fitted.predict(data.X)
    penalty = share * data.start[0] * np.abs(fitted.coef_).sum()
    return np.mean(residuals**2) / 2 + penalty


def run_path(path, data):
    """Compute 100 alphas down to a hundredth of the largest."""
    alphas = np.geomspace(data.start[0], data.start[0] / 100, 100)
    return alphas, path(data.X, data.y, alphas)


def by_lasso_path(function, X, y, alphas):
    """Call scikit-learn's `lasso_path`, or ours."""
    return function(X, y, alphas=alphas, tol=TOL)[1]


def by_celer_path(function, X, y, alphas):
    """Call celer's."""
    return function(np.asfortranarray(X), y, pb="lasso", alphas=alphas, tol=TOL)[1]


def paths():
    """Return {contender: path}."""
    found = {}
    for contender in ("scikit-learn", "skcourse"):
        function = import_module(f"{PACKAGES[contender]}.linear_model").lasso_path
        found[contender] = partial(run_path, partial(by_lasso_path, function))
    if util.find_spec("celer"):
        function = import_module("celer").celer_path
        found["celer"] = partial(run_path, partial(by_celer_path, function))
    return found


def path_objective(data, fitted):
    """Return the sum of the objectives along the path."""
    alphas, coefs = fitted
    residuals = data.y[:, np.newaxis] - data.X @ coefs
    return np.sum(np.mean(residuals**2, axis=0) / 2 + alphas * np.abs(coefs).sum(axis=0))


def error_on_fresh_rows(data, fitted):
    """Return the mean squared error on rows kept back."""
    return np.mean((fitted.predict(data.X_test) - data.y_test) ** 2)


SETTINGS = {}

WORKLOADS = [
    *(
        Workload(
            f"Lasso 2,000 x 5,000, {share} alpha_max",
            data=partial(sparse_truth, 2_000, 5_000, 100),
            contenders=partial(lassos, share),
            loss=partial(lasso_objective, share),
            floor=2,
            rivals=("skglm", "celer"),
            slack=1e-3,  # what the tolerance leaves to each
        )
        for share in (0.1, 0.02)
    ),
    Workload(
        "lasso_path 2,000 x 5,000, 100 alphas",
        data=partial(sparse_truth, 2_000, 5_000, 100),
        contenders=paths,
        loss=path_objective,
        floor=3,
        rivals=("celer",),
        slack=1e-3,
    ),
    Workload(
        "LassoCV 5,000 x 500, 5 folds, 100 alphas",
        data=partial(sparse_truth, 5_000, 500, 50, n_test=2_000),
        contenders=partial(estimators, "linear_model", "LassoCV", cv=5),
        loss=error_on_fresh_rows,
        floor=2,
        slack=1e-3,
    ),
    Workload(
        "ElasticNet 1,000 x 20, 100 fits",
        data=partial(sparse_truth, 1_000, 20, 5),
        contenders=partial(estimators, "linear_model", "ElasticNet", repeat=100, alpha=0.01),
        loss=lambda data, fitted: np.mean((fitted.predict(data.X) - data.y) ** 2),
        slack=1e-3,
    ),
]
