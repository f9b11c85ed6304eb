"""What probabilistic PCA and factor analysis promise."""

import numpy as np

from skcourse.decomposition import FactorAnalysis
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
    yield Case(cls(rotation="quartimax", n_components=2, iterated_power=0), **moves)


PROMISES = {
    "FactorAnalysis": factor_analysis,
    "ProbabilisticPCA": probabilistic_pca,
}

# Callbacks hear of EM only. scikit-learn's random subspace is not exact, and has no likelihood for
# more factors than rows have dimensions.
SHARP = {
    "FactorAnalysis": {"svd_method": "lapack", "n_components": 2},
    "ProbabilisticPCA": {"solver": "em", "n_components": 2},
}


def unlikelihood(fit, problem):
    """Return what falls as rows become likelier, and does not know the signs of factors.

    By our density: where noise vanishes, theirs has lost its digits in the precision matrix.
    """
    ours = FactorAnalysis()
    for name in ("components_", "noise_variance_", "mean_", "n_features_in_"):
        setattr(ours, name, getattr(fit, name))
    with np.errstate(over="ignore"):
        return np.exp(-ours.score(problem.X))


JUDGES = {"FactorAnalysis": unlikelihood}  # "lapack" leaves the signs to LAPACK
