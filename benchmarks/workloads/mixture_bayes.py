"""Mixtures with priors, and mixtures of rows that lack values."""

from functools import partial

import numpy as np

from benchmarks.contenders import estimators
from benchmarks.data import clustered
from benchmarks.harness import Workload

# Beginning with the same rows, for as many iterations: the work is the same.
SAME = {"init_params": "random_from_data", "reg_covar": 1e-2, "tol": 0.0, "random_state": 0}
GAPS = 0.1  # share of values that are missing


def overlapping(n, p, k, shrink=1):
    """Return rows of clusters that overlap, in float64."""
    data = clustered(n, p, k, shrink)
    noise = 3 * np.random.default_rng(2).standard_normal(data.X.shape)
    return data._replace(X=data.X + noise)


def with_gaps(n, p, k, shrink=1):
    """Return the same rows, less some of their values."""
    data = overlapping(n, p, k, shrink)
    gaps = np.random.default_rng(3).random(data.X.shape) < GAPS
    return data._replace(X=np.where(gaps, np.nan, data.X), start=data.X)


def surprise(data, fitted):
    """Return minus the mean log-density of rows without gaps."""
    rows = data.X if np.isfinite(data.X[:10_000]).all() else data.start
    return -float(np.mean(fitted.score_samples(rows[:10_000])))


def gaps_or_none(**params):
    """Return our mixture of the rows as they are, and of the same rows without gaps."""
    ours = estimators("mixture", "GaussianMixture", **params)["skcourse"]
    return {"skcourse": ours, "without gaps": lambda data: ours(data._replace(X=data.start))}


SETTINGS = {"Gaussian": {"reg_covar": 1e-6}, "BayesianGaussianMixture": {"n_components": 3}}

WORKLOADS = [
    Workload(
        f"BayesianGaussianMixture {kind}, 100,000 x 16, k = 10, 20 iterations",
        data=partial(overlapping, 100_000, 16, 10),
        contenders=partial(
            estimators,
            "mixture",
            "BayesianGaussianMixture",
            n_components=10,
            covariance_type=kind,
            max_iter=20,
            **SAME,
        ),
        loss=surprise,
        floor=1,
        slack=1e-4,  # sums differ by rounding, and rows between components follow
    )
    for kind in ("full", "diag")
] + [
    Workload(
        "GaussianMixture, a value in ten missing, 100,000 x 16, k = 10, 20 iterations",
        data=partial(with_gaps, 100_000, 16, 10),
        contenders=partial(gaps_or_none, n_components=10, max_iter=20, **SAME),
        loss=surprise,
        slack=1e-2,  # what is missing is not known
        namesake=False,
    )
]
