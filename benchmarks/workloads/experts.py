"""Mixtures of experts: nobody else has them, so only how long they take is told."""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import Data
from benchmarks.harness import Workload


def halves(n, d, shrink=1):
    """Return a plane on either side of x_0 = 0, with noise."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n // shrink, d))
    slopes = rng.normal(size=(2, d))
    y = np.where(X[:, 0] < 0, X @ slopes[0], X @ slopes[1]) + 0.1 * rng.normal(size=len(X))
    return Data(X, y)


def squared_error(data, fitted):
    """Return the mean squared error."""
    return np.mean((data.y - fitted.predict(data.X)) ** 2)


SETTINGS = {}

WORKLOADS = [
    Workload(
        "MixtureOfExpertsRegressor 50,000 x 20, 4 experts",
        data=partial(halves, 50_000, 20),
        contenders=partial(
            estimators, "ensemble", "MixtureOfExpertsRegressor", n_experts=4, random_state=0
        ),
        loss=squared_error,
        namesake=False,
    ),
]
