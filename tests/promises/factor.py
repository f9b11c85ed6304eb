"""What probabilistic PCA and factor analysis promise."""

import numpy as np

from skcourse.testing import Case, scale, shift

UNIT = 3.0


def in_other_units(s, X):
    """Return the log-densities of rows whose unit became `UNIT` times smaller."""
    return s - X.shape[1] * np.log(UNIT)


def probabilistic_pca(cls):
    """A density of rows that lie anywhere; hidden coordinates have no unit. EM climbs."""
    unit = scale(UNIT, score_samples=in_other_units)
    full_rank = {"columns": (4, 6), "flaws": ("none",), "conditions": (10.0, 1e2)}
    moves = {"draws": False, "symmetries": (shift(), unit), "problems": full_rank}
    yield Case(cls(), **moves)
    yield Case(cls(n_components=2), **moves)
    yield Case(cls(n_components=2, solver="em", tol=1e-4), problems=full_rank)


PROMISES = {
    "ProbabilisticPCA": probabilistic_pca,
}

# Their callbacks and iterations are those of EM; and exact eigenvectors, those of any solver.
SHARP = {
    "ProbabilisticPCA": {"solver": "em", "n_components": 2},
}
