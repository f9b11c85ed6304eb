"""What densities of one kind promise."""

import numpy as np

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0


def gaussian(cls):
    """A normal density: the unit of X changes it by a constant, and nothing else does."""
    # the first third of the rows, of which `partial_fit` learns first, must tell the covariance
    solid = {"rows": (15, 40), "columns": (1, 3), "flaws": ("none",), "conditions": (1.0, 1e2)}
    unit = scale(UNIT, score_samples=lambda s, X: s - X.shape[1] * np.log(UNIT))
    moves = (shift(), unit)
    some = {"problems": solid, "falls": ("loss",)}
    yield Case(cls(reg_covar=0.0), symmetries=(*moves, rotation()), **some)
    yield Case(cls("diag", reg_covar=0.0), symmetries=moves, **some)
    yield Case(cls("spherical", reg_covar=0.0), symmetries=(*moves, rotation()), **some)
    yield Case(cls(reg_covar=0.1), symmetries=(shift(), rotation()), falls=("loss",))


def bayesian_mixture(cls):
    """Mixtures with priors: they move with the rows, and their bound never falls."""
    few = {"n_components": 2, "reg_covar": 0.0, "tol": 1e-3}
    solid = {"rows": (20, 40), "columns": (1, 3), "flaws": ("none",), "conditions": (1.0, 1e2)}
    yield Case(cls(), draws=False, problems=solid)
    yield Case(cls(**few), problems=solid)
    for kind in ("tied", "diag", "spherical"):
        yield Case(cls(covariance_type=kind, n_components=2), problems=solid)


PROMISES = {"BayesianGaussianMixture": bayesian_mixture, "Gaussian": gaussian}
SHARP = {"Gaussian": {"reg_covar": 0.1}}  # columns of real data are constant or the same
