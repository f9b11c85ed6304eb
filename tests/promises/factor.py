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


def factor_analysis(cls):
    """The iteration may end one step sooner or later only if rounding decides that."""
    full_rank = {"columns": (4, 6), "flaws": ("none",), "conditions": (10.0, 1e2)}
    moves = {"draws": False, "symmetries": (shift(),), "problems": full_rank}
    yield Case(cls(n_components=2, svd_method="lapack"), **moves)
    yield Case(cls(n_components=1, rotation="varimax"), **moves)
    yield Case(cls(max_iter=3, tol=0.0, n_components=2), **moves)


PROMISES = {
    "FactorAnalysis": factor_analysis,
    "ProbabilisticPCA": probabilistic_pca,
}

# Their callbacks and iterations are those of EM; and exact eigenvectors, those of any solver.
SHARP = {
    "FactorAnalysis": {"svd_method": "lapack"},
    "ProbabilisticPCA": {"solver": "em", "n_components": 2},
}
