"""Robust linear models: quantiles and Huber's loss, in noise of heavy tails."""

import importlib.util
import warnings
from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import Data
from benchmarks.harness import Workload


def heavy_tails(n, p, shrink=1):
    """Make y = X w + noise of Student's t with 3 degrees of freedom, w of about unit length."""
    rng, n = np.random.default_rng(0), max(n // shrink, 2 * p)
    X = rng.standard_normal((n, p))
    return Data(X, X @ (rng.standard_normal(p) / np.sqrt(p)) + rng.standard_t(3, size=n))


def quantile_objective(data, fitted):
    """Return the mean pinball loss plus alpha |b|_1."""
    r, q = data.y - fitted.predict(data.X), fitted.quantile
    return np.mean(np.maximum(q * r, (q - 1) * r)) + fitted.alpha * np.abs(fitted.coef_).sum()


def quantile_by_statsmodels(quantile, data):
    """Fit by statsmodels: weighted least squares, again and again."""
    from statsmodels.regression.quantile_regression import QuantReg

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it often ends at its limit of iterations
        fitted = QuantReg(data.y, np.column_stack([np.ones(len(data.y)), data.X])).fit(quantile)
    return Linear(fitted.params, quantile)


class Linear:
    """A fit of another package, with what the objective asks for."""

    alpha = 0.0

    def __init__(self, params, quantile):
        self.intercept_, self.coef_, self.quantile = params[0], params[1:], quantile

    def predict(self, X):
        """Return the raw prediction."""
        return X @ self.coef_ + self.intercept_


def quantile_contenders(**parameters):
    """Return {contender: fit}; statsmodels knows no penalty."""
    found = estimators("linear_model", "QuantileRegressor", **parameters)
    if parameters.get("alpha") == 0 and importlib.util.find_spec("statsmodels"):
        found["statsmodels"] = partial(quantile_by_statsmodels, parameters["quantile"])
    return found


def huber_objective(data, fitted):
    """Return the mean of what HuberRegressor minimises, for the scale that was found."""
    c, e = fitted.scale_, fitted.epsilon
    u = np.abs(data.y - fitted.predict(data.X)) / c
    losses = c + c * np.where(u <= e, u * u, 2 * e * u - e * e)
    return np.mean(losses) + fitted.alpha * np.sum(fitted.coef_**2) / len(data.y)


SETTINGS = {}

WORKLOADS = [
    Workload(
        "QuantileRegressor 10,000 x 20, q = 0.7, alpha = 0.001",
        data=partial(heavy_tails, 10_000, 20),
        contenders=partial(quantile_contenders, quantile=0.7, alpha=0.001),
        loss=quantile_objective,
        floor=3,
    ),
    Workload(
        "QuantileRegressor 5,000 x 10, q = 0.9, no penalty",
        data=partial(heavy_tails, 5_000, 10),
        contenders=partial(quantile_contenders, quantile=0.9, alpha=0.0),
        loss=quantile_objective,
        floor=3,
    ),
    Workload(
        "QuantileRegressor 100 x 5, 100 fits",
        data=partial(heavy_tails, 100, 5),
        contenders=partial(quantile_contenders, quantile=0.7, alpha=0.001, repeat=100),
        loss=quantile_objective,
        floor=1,
    ),
    Workload(
        "HuberRegressor 200,000 x 50",
        data=partial(heavy_tails, 200_000, 50),
        contenders=partial(estimators, "linear_model", "HuberRegressor"),
        loss=huber_objective,
        floor=2,
    ),
    Workload(
        "HuberRegressor 500 x 10, 50 fits",
        data=partial(heavy_tails, 500, 10),
        contenders=partial(estimators, "linear_model", "HuberRegressor", repeat=50),
        loss=huber_objective,
        floor=1,
    ),
]
