"""Probabilistic PCA beside PCA, which finds the same axes; factor analysis."""

from functools import partial

from benchmarks.contenders import estimators
from benchmarks.data import bundled, low_rank
from benchmarks.harness import Workload
from benchmarks.workloads.decomposition import lost_variance


def beside_pca(**params):
    """Return probabilistic PCA of this house, and the PCA of all packages."""
    pca = estimators("decomposition", "PCA", **params)
    return estimators("decomposition", "ProbabilisticPCA", **params) | {
        f"{name} PCA": fit for name, fit in pca.items()
    }


def unlikelihood(data, fitted):
    """Return minus the mean log-density of the rows."""
    return -fitted.score(data.X)


SETTINGS = {"FactorAnalysis": {"n_components": 10}, "ProbabilisticPCA": {"n_components": 10}}

WORKLOADS = [
    Workload(
        "ProbabilisticPCA 100,000 x 300 to 20",
        data=partial(low_rank, 100_000, 300, 40),
        contenders=partial(beside_pca, n_components=20, random_state=0),
        loss=lost_variance,
        floor=1,
    ),
    Workload(
        "FactorAnalysis 100,000 x 100 to 10",
        data=partial(low_rank, 100_000, 100, 40),
        contenders=partial(estimators, "decomposition", "FactorAnalysis", n_components=10),
        loss=unlikelihood,
        floor=3,
    ),
    Workload(
        "FactorAnalysis digits to 10",
        data=lambda shrink: bundled("digits"),
        contenders=partial(estimators, "decomposition", "FactorAnalysis", n_components=10),
        loss=unlikelihood,
        floor=3,
    ),
]
