"""What the decompositions beside PCA promise."""

import numpy as np

from skcourse.testing import Case, scale, shift

UNIT = 3.0
FORGETS = {"check_partial_fit_in_pieces": "what a batch leaves out is lost to the later ones"}
# The first batch, of a third of the rows, decides how many axes there are.
SLENDER = {"rows": (20, 40), "columns": (1, 6)}


def incremental_pca(cls):
    """Components in batches: all of them, which are those of all rows at once, or a few."""
    unit = scale(UNIT, transform=lambda Z, X: UNIT * Z)
    # The last axis is known to a small angle only if the rows vary along it.
    regular = {"flaws": ("none",), "conditions": (10.0, 1e2)}
    yield Case(cls(), symmetries=(shift(), unit), problems=SLENDER | regular)
    few = {"n_components": 2, "batch_size": 15}
    forgets = {
        "check_row_order": "other rows make other batches",
        "check_weights_repeat_rows": "rows that are repeated make other batches",
        **FORGETS,
    }
    wide = {"rows": (20, 40), "columns": (4, 6), **regular}
    yield Case(cls(**few), symmetries=(shift(), unit), problems=wide, excused=forgets)
    white = cls(n_components=2, whiten=True, batch_size=10_000)
    yield Case(white, symmetries=(shift(),), problems=wide, excused=FORGETS)


def truncated_svd(cls):
    """Singular vectors about 0: turned and scaled with the rows, and not shifted."""
    unit = scale(UNIT, transform=lambda Z, X: UNIT * Z)
    regular = {"columns": (4, 6), "flaws": ("none",), "conditions": (10.0, 1e2)}
    moves = {"draws": False, "symmetries": (unit,), "problems": regular}
    best = {"objective": left_over, "optimum": least_left_over, "reached": True}
    yield Case(cls(), **moves, **best)
    yield Case(cls(n_components=3, algorithm="arpack"), **moves)


def left_over(svd, problem):
    """Return the squared distance of the rows from the plane through 0."""
    return np.sum((problem.X - svd.inverse_transform(svd.transform(problem.X))) ** 2)


def least_left_over(problem, k=2):
    """Return the sum of the smaller squared singular values (Eckart, Young 1936)."""
    return np.sum(np.linalg.svd(problem.X.astype(float), compute_uv=False)[k:] ** 2)


PROMISES = {"IncrementalPCA": incremental_pca, "TruncatedSVD": truncated_svd}
SHARP = {"TruncatedSVD": {"n_iter": 30}}
