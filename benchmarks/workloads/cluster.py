"""k-means: from one start for all, so that the work is the same; small data as they come."""

from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np

from benchmarks.contenders import classes, fit_class
from benchmarks.data import bundled, clustered, images, uniform
from benchmarks.harness import Workload

SAME_START = 1e-3  # float32 sends a sample on a border either way, and the runs part a little


class Centres(NamedTuple):
    """What faiss finds, under scikit-learn's name."""

    cluster_centers_: np.ndarray  # (k, p)


def inertia(data, fitted):
    """Return the (weighted) sum of squared distances to the nearest centre, in float64."""
    centres = np.asarray(fitted.cluster_centers_, dtype=np.float64)
    weights = np.ones(len(data.X)) if data.sample_weight is None else data.sample_weight
    total = 0.0
    for first in range(0, len(data.X), 8192):
        x = data.X[first : first + 8192].astype(np.float64)
        squares = np.sum(x**2, axis=1, keepdims=True) - 2 * x @ centres.T
        nearest = np.min(squares + np.sum(centres**2, axis=1), axis=1)
        total += nearest @ weights[first : first + 8192]
    return total


def from_one_start(max_iter):
    """Return {contender: fit} of `max_iter` iterations at most from the start in the data.

    faiss does not stop when nothing moves: it gets the iterations that scikit-learn took.
    """
    n_iter = {}  # by the number of rows

    def fit_namesake(cls, algorithm, data):
        params = {"n_clusters": len(data.start), "init": data.start, "n_init": 1}
        params |= {"max_iter": max_iter, "algorithm": algorithm}
        fitted = fit_class(cls, params, 1, data)
        n_iter.setdefault(len(data.X), fitted.n_iter_)
        return fitted

    found = {}
    for name, cls in classes("cluster", "KMeans").items():
        algorithms = ("lloyd", "elkan") if name == "scikit-learn" else ("lloyd",)
        for algorithm in algorithms:
            label = f"{name} {algorithm}" if len(algorithms) > 1 else name
            found[label] = partial(fit_namesake, cls, algorithm)
    if find_spec("faiss"):
        found["faiss"] = lambda data: fit_faiss(data, n_iter[len(data.X)])
    return found


def fit_faiss(data, n_iter):
    """Run faiss on all the points, and ask for their labels, which every other fit returns."""
    import faiss

    n, k = len(data.X), len(data.start)
    kmeans = faiss.Kmeans(
        data.X.shape[1], k, niter=n_iter, min_points_per_centroid=1, max_points_per_centroid=n
    )
    kmeans.train(data.X, data.sample_weight, init_centroids=data.start)
    kmeans.index.search(data.X, 1)
    return Centres(kmeans.centroids)


def from_many_seeds(n_seeds, **params):
    """Return {contender: fits}: default settings but `params`, once per seed."""

    def fit(cls, data):
        return [fit_class(cls, params | {"random_state": seed}, 1, data) for seed in range(n_seeds)]

    return {name: partial(fit, cls) for name, cls in classes("cluster", "KMeans").items()}


def mean_inertia(data, fits):
    """Return the mean of `inertia` over fits from different seeds."""
    return np.mean([inertia(data, fitted) for fitted in fits])


SETTINGS = {
    "KMeans": {"max_iter": 10, "tol": 0, "n_init": 1, "init": "random"}  # the same work for all
}

WORKLOADS = [
    Workload(
        "KMeans 200,000 x 32, k=64, clustered, 50 iterations",
        data=partial(clustered, 200_000, 32, 64),
        contenders=partial(from_one_start, 50),
        loss=inertia,
        floor=2.5,
        slack=SAME_START,
    ),
    Workload(
        "KMeans 100,000 x 32, k=100, uniform, 50 iterations",
        data=partial(uniform, 100_000, 32, 100),
        contenders=partial(from_one_start, 50),
        loss=inertia,
        floor=1.2,
        rivals=("faiss",),
        slack=SAME_START,
    ),
    Workload(
        "KMeans 60,000 x 784, k=100, images, 20 iterations",
        data=partial(images, 100),
        contenders=partial(from_one_start, 20),
        loss=inertia,
        floor=1.2,
        rivals=("faiss",),
        slack=SAME_START,
    ),
    Workload(
        "KMeans 100,000 x 32, k=20, sample_weight",
        data=partial(clustered, 100_000, 32, 20, weighted=True),
        contenders=partial(from_one_start, 50),
        loss=inertia,
        slack=SAME_START,
    ),
    Workload(
        "KMeans digits, k=10, 20 seeds",
        data=lambda shrink: bundled("digits"),
        contenders=partial(from_many_seeds, 20, n_clusters=10),
        loss=mean_inertia,
        slack=0.02,  # the mean of 20 local minima, different ones for each contender
    ),
    Workload(
        "KMeans iris, k=3, 20 seeds",
        data=lambda shrink: bundled("iris"),
        contenders=partial(from_many_seeds, 20, n_clusters=3),
        loss=mean_inertia,
        slack=0.2,  # one seed in a poor minimum is a tenth of the mean
    ),
]
