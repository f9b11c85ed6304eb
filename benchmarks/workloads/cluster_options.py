"""k-means with what scikit-learn's lacks: k-means||, bounds on sizes, missing values."""

from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.contenders import classes
from benchmarks.data import clustered
from benchmarks.harness import Workload
from benchmarks.workloads.cluster import inertia
from benchmarks.workloads.cluster_minibatch import Seeds, seeding

SPREAD = 0.05  # of what seeds cost, from draw to draw
UNEVEN = 0.1  # the share of a size by which clusters may differ from the mean


def scalable_seeding(n_clusters):
    """Return {contender: fit}: k-means|| beside k-means++."""
    from sklearn.utils import check_random_state

    from skcourse.cluster.dense import DenseRows
    from skcourse.cluster.scalable_seeding import parallel

    def fit(data):
        indices = parallel(DenseRows(data.X), n_clusters, check_random_state(0))
        return Seeds(data.X[indices])

    plus_plus = seeding(n_clusters)
    own = {"skcourse k-means++": plus_plus["skcourse"], "skcourse": fit}
    return {"scikit-learn": plus_plus["scikit-learn"]} | own


def bounded(max_iter):
    """Return {contender: fit} from the start in the data, sizes within `UNEVEN` of the mean."""

    def fit(cls, data, **params):
        n, k = len(data.X), len(data.start)
        low, high = int((1 - UNEVEN) * n / k), int((1 + UNEVEN) * n / k) + 1
        sizes = {"size_min": low, "size_max": high}
        start = {"init": data.start, "n_init": 1, "max_iter": max_iter, "tol": 0}
        return cls(k, **sizes, **start, **params).fit(data.X)

    found = {"skcourse": partial(fit, classes("cluster", "KMeans")["skcourse"])}
    if find_spec("k_means_constrained"):
        from k_means_constrained import KMeansConstrained

        found["k-means-constrained"] = partial(fit, KMeansConstrained, n_jobs=1)  # its quickest
    return found


def labelled_inertia(data, fitted):
    """Return the inertia of the labels, over what is not missing, each cluster about its means."""
    total = 0.0
    for label in np.unique(fitted.labels_):
        X = data.X[fitted.labels_ == label].astype(np.float64)
        seen = ~np.isnan(X)
        means = np.nansum(X, axis=0) / np.maximum(seen.sum(axis=0), 1)
        total += np.nansum((X - means) ** 2)
    return total


def with_holes(n, p, k, shrink=1, *, share=0.1):
    """Make what `clustered` makes, and lose values at random."""
    data = clustered(n, p, k, shrink)
    X = data.X.copy()
    X[np.random.default_rng(2).random(X.shape) < share] = np.nan
    return data._replace(X=X)


def missing(max_iter):
    """Return {contender: fit}: missing values as such, or replaced by the means of the columns."""
    from sklearn.impute import SimpleImputer

    def fit(cls, data):
        start = {"init": data.start, "n_init": 1, "max_iter": max_iter, "tol": 0}
        return cls(len(data.start), **start).fit(data.X)

    def fit_imputed(cls, data):
        return fit(cls, data._replace(X=SimpleImputer().fit_transform(data.X)))

    found = classes("cluster", "KMeans")
    return {
        "scikit-learn, means imputed": partial(fit_imputed, found["scikit-learn"]),
        "skcourse": partial(fit, found["skcourse"]),
    }


SETTINGS = {}

WORKLOADS = [
    Workload(
        "Scalable k-means++ 500,000 x 32, k=200, clustered",
        data=partial(clustered, 500_000, 32, 200),
        contenders=partial(scalable_seeding, 200),
        loss=inertia,
        slack=SPREAD,
    ),
    Workload(
        "KMeans 10,000 x 16, k=20, sizes within 10%, 20 iterations",
        data=partial(clustered, 10_000, 16, 20),
        contenders=partial(bounded, 20),
        loss=labelled_inertia,
        rivals=("k-means-constrained",),
        slack=0.02,  # local minima: what the two call a tie differs
        namesake=False,
    ),
    Workload(
        "KMeans 100,000 x 32, k=64, a tenth missing, 30 iterations",
        data=partial(with_holes, 100_000, 32, 64),
        contenders=partial(missing, 30),
        loss=labelled_inertia,
        namesake=False,
    ),
]
