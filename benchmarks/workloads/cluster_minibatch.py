"""The relatives of k-means, with the same seeds for all: the same draws, so the same work."""

from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.contenders import PACKAGES, classes, estimators
from benchmarks.data import clustered
from benchmarks.harness import Workload
from benchmarks.workloads.cluster import SAME_START, inertia


class Seeds(NamedTuple):
    """First centres, under the name by which `inertia` asks for them."""

    cluster_centers_: np.ndarray  # (k, p)


def seeding(n_clusters):
    """Return {contender: fit} of k-means++ from one random state."""

    def choose(function, data):
        return Seeds(function(data.X, n_clusters, random_state=0)[0])

    functions = classes("cluster", "kmeans_plusplus")
    return {name: partial(choose, functions[name]) for name in PACKAGES if name in functions}


def clustered_doubles(n, p, k, shrink=1):
    """Make what `clustered` makes, in float64."""
    data = clustered(n, p, k, shrink)
    return data._replace(X=data.X.astype(np.float64))


def shapeless(n, p, shrink=1, *, dtype=np.float64):
    """Make a standard normal cloud, in which no distance rules another out."""
    n = max(n // shrink, 1000)
    return clustered(2, p, 1)._replace(
        X=np.random.default_rng(0).standard_normal((n, p)).astype(dtype), start=None
    )


SAME_SEED = 0.05  # where float32 moves one draw, others follow

SETTINGS = {
    "BisectingKMeans": {"max_iter": 10, "tol": 0, "random_state": 0},  # the same work for all
    "MiniBatchKMeans": {"max_iter": 5, "max_no_improvement": None, "random_state": 0},
}

WORKLOADS = [
    Workload(
        "k-means++ 500,000 x 32, k=200, clustered",
        data=partial(clustered_doubles, 500_000, 32, 200),
        contenders=partial(seeding, 200),
        loss=inertia,
        floor=2.0,
        slack=SAME_SEED,
    ),
    Workload(
        "k-means++ 500,000 x 32, k=200, clustered, float32",
        data=partial(clustered, 500_000, 32, 200),
        contenders=partial(seeding, 200),
        loss=inertia,
        floor=2.0,
        slack=SAME_SEED,
    ),
    Workload(
        "k-means++ 500,000 x 32, k=200, one cloud",
        data=partial(shapeless, 500_000, 32),
        contenders=partial(seeding, 200),
        loss=inertia,
        floor=2.0,
        slack=SAME_SEED,
    ),
    Workload(
        "MiniBatchKMeans 500,000 x 32, k=100",
        data=partial(clustered_doubles, 500_000, 32, 100),
        contenders=partial(
            estimators,
            "cluster",
            "MiniBatchKMeans",
            n_clusters=100,
            max_iter=1,
            max_no_improvement=None,
            random_state=0,
        ),
        loss=inertia,
        floor=1.5,
        slack=SAME_START,
    ),
    Workload(
        "BisectingKMeans 100,000 x 32, k=32",
        data=partial(clustered_doubles, 100_000, 32, 32),
        contenders=partial(estimators, "cluster", "BisectingKMeans", n_clusters=32, random_state=0),
        loss=inertia,
        floor=1.2,
        slack=SAME_START,
    ),
]
