"""Ridge regression with coefficients that are not negative.

Problem     Minimise |v - A b|^2 + alpha |b|^2 over b >= 0: as a quadratic in b,
                H = A'A + alpha I,   q = A'v.                                                 (1)
Routes      "lbfgs", if asked for by name: L-BFGS-B, until f falls by less than `tol`. "auto":
            coordinate descent on (1), ended by an exact solution; where H would be larger than
            A, and not small, it is L-BFGS-B with products of A.
Cost        n p^2 products for H, once; then p^2 per iteration.
Reference   See `nonnegative`.
"""

import numpy as np

from skcourse.core.history import warn_not_converged
from skcourse.core.moments import moments
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model.nonnegative import bounded_lbfgs, coordinate_descent
from skcourse.linear_model.ridge_direct import sparse_scatter
from skcourse.linear_model.ridge_problem import Solution, centred

MAX_ITER = 15_000  # by default
SMALL = 200  # features: H takes 320 KB


def solve_bounded(problem, settings):
    """Solve with b >= 0; an iteration is a sweep of all coordinates, or a step of L-BFGS-B."""
    n, p = problem.X.shape
    size = n * p if problem.dense else problem.X.nnz
    stored = settings.solver == "auto" and (p * p <= size or p <= SMALL)
    return by_scatter(problem, settings) if stored else by_products(problem, settings)


def by_scatter(problem, settings):
    """Solve by coordinate descent on (1)."""
    if problem.dense:
        p = problem.X.shape[1]
        sums = moments(problem.X, problem.Y, problem.weights, centre=problem.centre)
        check_finite_sums(sums.scatter, problem.X, estimator=problem.estimator)
        x_mean, y_mean = sums.mean[:p], sums.mean[p:]
        scatter, products, kept = sums.scatter[:p, :p], sums.scatter[:p, p:], sums
    else:
        about = centred(problem)
        x_mean, y_mean = about.rows.mean, about.y_mean
        scatter, products = sparse_scatter(about.rows), about.rows.rmatmat(about.targets)
        kept = None
    coef = np.empty(products.shape)
    n_iter = np.empty(len(problem.alphas), np.int32)
    for t, alpha in enumerate(problem.alphas):
        H = scatter.copy()
        H[np.diag_indices_from(H)] += alpha
        q = np.ascontiguousarray(products[:, t])
        found = coordinate_descent(H, q, **limits(settings))
        coef[:, t], n_iter[t] = checked(found, settings)
    return Solution(coef, x_mean, y_mean, "lbfgs", n_iter, kept)


def by_products(problem, settings):
    """Solve by L-BFGS-B, two products with A at a time."""
    about = centred(problem, quick=True)
    rows = about.rows
    coef = np.empty((rows.shape[1], len(problem.alphas)))
    n_iter = np.empty(len(problem.alphas), np.int32)
    for t, (alpha, v) in enumerate(zip(problem.alphas, about.targets.T, strict=True)):

        def value_and_gradient(b, alpha=alpha, v=v):
            r = rows.matvec(b) - v
            return 0.5 * (r @ r + alpha * (b @ b)), rows.rmatvec(r) + alpha * b

        found = bounded_lbfgs(value_and_gradient, rows.shape[1], **limits(settings))
        coef[:, t], n_iter[t] = checked(found, settings)
    return Solution(coef, rows.mean, about.y_mean, "lbfgs", n_iter)


def limits(settings):
    """Return when to stop."""
    max_iter = MAX_ITER if settings.max_iter is None else settings.max_iter
    return {"max_iter": max_iter, "tol": settings.tol}


def checked(found, settings):
    """Return the coefficients and the iterations; warn if they have not converged."""
    b, n_iter, converged = found
    if not converged:
        warn_not_converged(
            "The lbfgs solver did not converge. Try increasing max_iter or tol. "
            f"Currently: max_iter={settings.max_iter} and tol={settings.tol}",
            6,
        )
    return b, n_iter
