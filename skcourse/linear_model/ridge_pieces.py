"""Ridge regression of rows that come in pieces, from the triangular factor of all so far.

Problem     Of rows A about their mean, seen before, R is left, A = Q R, and Q'v, v the targets.
Solution    As for A itself, see `ridge_direct`, with R in its place: A'A = R'R, A'v = R'Q'v.
Cost        2 n p^2 products for n rows more, see `core.factors`, and 2 p^3 to solve.
Reference   G. Golub, C. Van Loan, Matrix Computations, 4th ed., section 6.5.
"""

import numpy as np

from skcourse.core.factors import Factor
from skcourse.linear_model import spectrum
from skcourse.linear_model.ridge_bounded import solve_quadratics
from skcourse.linear_model.ridge_direct import EPS, solve_penalised
from skcourse.linear_model.ridge_problem import Solution


def solve_factor(total, alphas, *, positive, orthogonal):
    """Return the Solution for the rows of a `Factor`."""
    p = total.p
    R, C = total.sides
    x_mean, y_mean = total.mean[:p], total.mean[p:]
    n_iter = np.ones(len(alphas), np.int32)
    S, B = R.T @ R, R.T @ C
    if positive:
        coef, n_iter = solve_quadratics(S, B, alphas, lambda: (R, C))
        return Solution(coef, x_mean, y_mean, "lbfgs", n_iter, total)
    if not orthogonal and np.isfinite(S).all():

        def gradient(b, targets):
            return R.T @ (C[:, targets] - R @ b)

        coef = solve_penalised(S, B, alphas, gradient, "float64")
        if coef is not None:
            return Solution(coef, x_mean, y_mean, "cholesky", n_iter, total)
    found = spectrum.of_rows(R, C, max(total.n_rows, p) * EPS)
    coef = spectrum.coefficients(found, alphas)
    return Solution(coef, x_mean, y_mean, "svd", n_iter, total)


def statistics_of(kept, n_targets, alphas):
    """Return the `Factor` of the rows of an earlier fit, from what it has kept.

    Of moments, directions that are noise are left out, unless all penalties are larger.

    Raises
    ------
    ValueError
        If it has kept nothing, or had other targets.
    """
    if kept is None:
        raise ValueError("This fit kept no statistics of its rows; begin with partial_fit.")
    p = kept.p if isinstance(kept, Factor) else len(kept.mean) - n_targets
    before = len(kept.mean) - p
    if before != n_targets:
        raise ValueError(f"y has {n_targets} targets, but {before} were expected.")
    if isinstance(kept, Factor):
        return kept
    found = spectrum.of_scatter(kept.scatter[:p, :p], kept.scatter[:p, p:], p * EPS)
    R = np.hstack([found.values[:, np.newaxis] * found.vectors.T, found.projected])
    R = R[spectrum.known(found, alphas).all(axis=1)]
    return Factor(
        kept.weight, kept.mean, np.broadcast_to(kept.rest, p + n_targets), R, kept.n_rows, p
    )
