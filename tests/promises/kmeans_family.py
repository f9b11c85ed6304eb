"""What is promised of the relatives of k-means: by batches, and by splits."""

import numpy as np

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0
FEW = {"n_clusters": 3}
MOVES = (shift(), rotation())
# On a grid distances tie, and rounding decides which of two seeds is the better one.
NO_GRID = {"flaws": ("none", "duplicate rows", "constant column", "equal columns")}
BATCHES = {"check_partial_fit_in_pieces": "a piece is one batch, a fit draws many"}


def first_and_last(X, n_clusters, random_state):
    """Return rows of X at equal steps in lexical order, however often each occurs."""
    distinct = np.unique(X, axis=0)
    return distinct[np.linspace(0, len(distinct) - 1, n_clusters).astype(int)]


def inertia(model, problem):
    """Sum the squared distances to the own centre."""
    return model.inertia_


def inertia_bound(problem):
    """Bound the inertia of 3 clusters: |X|^2 less the two largest eigenvalues (Ding, He 2004)."""
    X = problem.X.astype(float)
    return np.sum(np.linalg.svd(X - X.mean(axis=0), compute_uv=False)[2:] ** 2)


def distances(D, X):
    """Return what becomes of distances in a smaller unit."""
    return UNIT * D


def mini_batch(cls):
    """Batches are drawn: only what chance does not touch."""
    best = {"objective": inertia, "optimum": inertia_bound}
    unit = scale(UNIT, transform=distances)
    plain = cls(max_iter=5, **FEW)
    yield Case(plain, symmetries=(*MOVES, unit), problems=NO_GRID, excused=BATCHES, **best)
    small = cls(batch_size=16, init="random", max_iter=5, reassignment_ratio=0.1, **FEW)
    yield Case(small, problems=NO_GRID, excused=BATCHES, same_bits=True, **best)


def bisecting(cls):
    """Each split lowers the inertia."""
    best = {"falls": ("inertia",), "objective": inertia, "optimum": inertia_bound}
    unit = scale(UNIT, parameters=lambda model: {"tol": model.tol * UNIT**2}, transform=distances)
    yield Case(cls(**FEW), symmetries=(*MOVES, unit), problems=NO_GRID, same_bits=True, **best)
    again = cls(init="k-means++", n_init=2, bisecting_strategy="largest_cluster", **FEW)
    yield Case(again, problems=NO_GRID, **best)
    seen = {"check_zero_weight_is_absence": "the start sees the rows of weight 0 too"}
    fixed = cls(init=first_and_last, **FEW)
    yield Case(fixed, draws=False, excused=seen, problems=NO_GRID, **best)


PROMISES = {"BisectingKMeans": bisecting, "MiniBatchKMeans": mini_batch}
