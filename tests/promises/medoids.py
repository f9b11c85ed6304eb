"""What k-medoids promises."""

import itertools

import numpy as np
from sklearn.metrics import pairwise_distances

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0


def inertia(fit, problem):
    """Return the sum of the distances to the nearest medoid, in float64."""
    X = problem.X.astype(float)
    return pairwise_distances(X, X[fit.medoid_indices_]).min(axis=1).sum()


def least_inertia(problem, k=2):
    """Return the least sum for two medoids, by trying all pairs."""
    D = pairwise_distances(problem.X.astype(float))
    pairs = itertools.combinations(range(len(D)), k)
    return min(np.minimum(D[i], D[j]).sum() for i, j in pairs)


def k_medoids(cls):
    """Neither where the origin is, nor how the axes are turned, nor the unit, is anything."""
    moves = (shift(), rotation(), scale(UNIT, transform=lambda D, X: UNIT * D))
    # Where distances tie, rounding, or the order of rows, decides which medoid is the better one.
    generic = {"flaws": ("none",), "columns": (3, 5)}
    yield Case(cls(n_clusters=3, init="k-medoids++"), falls=("inertia",), problems=generic)
    yield Case(
        cls(n_clusters=2),
        draws=False,
        symmetries=moves,
        falls=("inertia",),
        objective=inertia,
        optimum=least_inertia,
        problems=generic,
    )
    yield Case(cls(n_clusters=2, metric="manhattan"), draws=False, problems=generic)


LONG = {"KMedoids": 3_000}  # all pairs of them are looked at
PROMISES = {"KMedoids": k_medoids}
