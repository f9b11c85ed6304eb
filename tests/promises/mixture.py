"""What mixtures by maximum likelihood promise."""

import numpy as np

from skcourse.testing import Case, rotation, scale, shift

UNIT = 3.0
PIECES = {"check_partial_fit_in_pieces": "a step of EM per batch is not EM over all of them"}
# rows enough that no component of two collapses
SOLID = {"rows": (20, 40), "columns": (1, 3), "flaws": ("none",), "conditions": (1.0, 1e2)}


def gaussian_mixture(cls):
    """Mixtures move with the rows, and a unit of X changes the density by a constant."""
    unit = scale(UNIT, score_samples=lambda s, X: s - X.shape[1] * np.log(UNIT))
    moves = {"problems": SOLID, "excused": PIECES}
    exact = {"reg_covar": 0.0, "random_state": 0}
    yield Case(cls(), draws=False, excused=PIECES)
    yield Case(cls(**exact), draws=False, symmetries=(shift(), unit, rotation()), **moves)
    for kind in ("tied", "diag", "spherical"):
        turns = () if kind == "diag" else (rotation(),)
        model = cls(covariance_type=kind, **exact)
        yield Case(model, draws=False, symmetries=(shift(), unit, *turns), **moves)
    for kind in ("full", "tied", "diag", "spherical"):
        yield Case(cls(n_components=2, covariance_type=kind, random_state=0), **moves)


PROMISES = {"GaussianMixture": gaussian_mixture}
