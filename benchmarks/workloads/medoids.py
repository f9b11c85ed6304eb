"""k-medoids: beside the FasterPAM of `kmedoids`, from medoids drawn at random."""

from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from benchmarks.contenders import classes, fit_class
from benchmarks.data import clustered
from benchmarks.harness import Workload

SEEDS = range(3)


class Found(NamedTuple):
    """What kmedoids finds, under our name."""

    cluster_centers_: np.ndarray  # (k, p)


def mean_deviation(data, fits):
    """Return the mean sum of distances to the nearest medoid, over fits from different seeds."""
    X = data.X.astype(np.float64)
    totals = []
    for fitted in fits:
        M = np.asarray(fitted.cluster_centers_, dtype=np.float64)
        squares = np.sum(X**2, axis=1)[:, np.newaxis] - 2 * X @ M.T + np.sum(M**2, axis=1)
        totals.append(np.sqrt(np.maximum(squares.min(axis=1), 0)).sum())
    return np.mean(totals)


def contenders(n_clusters):
    """Return {contender: fits}, one for each seed."""

    def fit(cls, data):
        params = {"n_clusters": n_clusters, "init": "random"}
        return [fit_class(cls, params | {"random_state": seed}, 1, data) for seed in SEEDS]

    def fit_peer(data):
        import kmedoids
        from sklearn.metrics import pairwise_distances

        fits = []
        for seed in SEEDS:
            D = pairwise_distances(data.X)
            found = kmedoids.fasterpam(D, n_clusters, random_state=seed, n_cpu=-1)
            fits.append(Found(data.X[found.medoids]))
        return fits

    found = {name: partial(fit, cls) for name, cls in classes("cluster", "KMedoids").items()}
    if find_spec("kmedoids"):
        found["kmedoids"] = fit_peer
    return found


SETTINGS = {}

WORKLOADS = [
    Workload(
        "KMedoids 5,000 x 16, k=50, 3 seeds, with the distances",
        data=partial(clustered, 5_000, 16, 30),
        contenders=partial(contenders, 50),
        loss=mean_deviation,
        rivals=("kmedoids",),
        namesake=False,
        slack=0.02,  # the mean of 3 local minima, different ones for each contender
    ),
]
