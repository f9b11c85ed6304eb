"""Bayesian regressions and matching pursuit: large, wide, and small again and again."""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import Data, regression
from benchmarks.harness import Workload


def squared_error(data, fitted):
    """Return the mean squared residual."""
    return np.mean((data.y - fitted.predict(data.X)) ** 2)


def sparse_truth(n, p, k, shrink=1, *, targets=None, noise=1.0):
    """Make targets of k of the columns, all standard normal, and noise."""
    rng, n = np.random.default_rng(0), max(n // shrink, 4 * k)
    X = rng.standard_normal((n, p))
    shape = () if targets is None else (targets,)
    B = np.zeros((p, *shape))
    B[rng.choice(p, k, replace=False)] = 3 * rng.standard_normal((k, *shape))
    return Data(X, X @ B + noise * rng.standard_normal((n, *shape)))


def diabetes(shrink=1):
    """Return the 442 rows of ten columns that come with scikit-learn."""
    from sklearn.datasets import load_diabetes

    return Data(*load_diabetes(return_X_y=True))


SETTINGS = {}
PURSUIT = partial(estimators, "linear_model", "OrthogonalMatchingPursuit")

WORKLOADS = [
    Workload(
        "BayesianRidge 100,000 x 100",
        data=partial(regression, 100_000, 100),
        contenders=partial(estimators, "linear_model", "BayesianRidge"),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "BayesianRidge on diabetes, 100 fits",
        data=diabetes,
        contenders=partial(estimators, "linear_model", "BayesianRidge", repeat=100),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "ARDRegression 2,000 x 200",
        data=partial(sparse_truth, 2_000, 200, 20),
        contenders=partial(estimators, "linear_model", "ARDRegression"),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "ARDRegression on diabetes, 20 fits",
        data=diabetes,
        contenders=partial(estimators, "linear_model", "ARDRegression", repeat=20),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "OrthogonalMatchingPursuit 1,000 x 2,000, 50 atoms",
        data=partial(sparse_truth, 1_000, 2_000, 50),
        contenders=partial(PURSUIT, n_nonzero_coefs=50),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "OrthogonalMatchingPursuit 1,000 x 2,000, 50 atoms, 20 targets",
        data=partial(sparse_truth, 1_000, 2_000, 50, targets=20),
        contenders=partial(PURSUIT, n_nonzero_coefs=50),
        loss=squared_error,
        floor=1,
    ),
    Workload(
        "OrthogonalMatchingPursuit on diabetes, 100 fits",
        data=diabetes,
        contenders=partial(PURSUIT, repeat=100),
        loss=squared_error,
        floor=1,
    ),
]
