"""Ridge regression with coefficients that are not negative.

Problem     Minimise |v - A b|^2 + alpha |b|^2 over b >= 0: as a quadratic in b,
                H = A'A + alpha I,   q = A'v.                                                 (1)
Routes      "lbfgs", if asked for by name: L-BFGS-B, until f falls by less than `tol`. "auto":
            coordinate descent on (1), ended by an exact solution; if that is ill-conditioned,
            Lawson and Hanson's active set on [R; alpha^(1/2) I], A = Q R, which squares nothing.
            Where H would be larger than A, and not small, "auto" is L-BFGS-B with products of A.
Cost        n p^2 products for H, once; then p^2 per sweep, or 8 p^2 per change of the active set.
Reference   See `nonnegative` and `lawson_hanson`.
"""

import functools

import numpy as np

from skcourse.core.dense_chunks import DenseChunks
from skcourse.core.factors import factor
from skcourse.core.history import warn_not_converged
from skcourse.core.moments import moments
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model.lawson_hanson import nonnegative_least_squares
from skcourse.linear_model.nonnegative import bounded_lbfgs, coordinate_descent
from skcourse.linear_model.ridge_direct import sparse_scatter
from skcourse.linear_model.ridge_problem import Solution, centred

SMALL = 200  # features: H takes 320 KB


def solve_bounded(problem, settings):
    """Solve with b >= 0; an iteration is a sweep of all coordinates, or a step of L-BFGS-B."""
    n, p = problem.X.shape
    size = n * p if problem.dense else problem.X.nnz
    stored = settings.solver == "auto" and (p * p <= size or p <= SMALL)
    return by_scatter(problem) if stored else by_products(problem, settings)


def by_scatter(problem):
    """Solve by (1), exactly; an iteration is a sweep of all coordinates."""
    if problem.dense:
        p = problem.X.shape[1]
        sums = moments(problem.X, problem.Y, problem.weights, centre=problem.centre)
        check_finite_sums(sums.scatter, problem.X, estimator=problem.estimator)
        x_mean, y_mean = sums.mean[:p], sums.mean[p:]
        S, B, kept = sums.scatter[:p, :p], sums.scatter[:p, p:], sums
    else:
        about = centred(problem)
        x_mean, y_mean = about.rows.mean, about.y_mean
        S, B, kept = sparse_scatter(about.rows), about.rows.rmatmat(about.targets), None
    coef, n_iter = solve_quadratics(S, B, problem.alphas, functools.partial(sides, problem))
    return Solution(coef, x_mean, y_mean, "lbfgs", n_iter, kept)


def solve_quadratics(S, B, alphas, root):
    """Minimise <b, (S + alpha_t I) b> / 2 - <B_t, b> over b >= 0 for each column t.

    Parameters
    ----------
    S : array of shape (p, p)
    B : array of shape (p, t)
    alphas : array of shape (t,)
    root : callable, returns R and C with S = R'R and B = R'C, if S itself does not do

    Returns
    -------
    coef : array of shape (p, t)
    n_iter : array of shape (t,), int32
    """
    p = len(S)
    coef, n_iter = np.empty(B.shape), np.empty(len(alphas), np.int32)
    root = functools.cache(root)
    for t, alpha in enumerate(alphas):
        H = S.copy()
        H.flat[:: p + 1] += alpha
        b, n_iter[t] = coordinate_descent(H, np.ascontiguousarray(B[:, t]), 200 + 4 * p)
        if b is None:
            R, C = root()
            A = np.vstack([R, np.sqrt(alpha) * np.eye(p)])
            c = np.concatenate([C[:, t], np.zeros(p)])
            b = nonnegative_least_squares(A, c[:, np.newaxis])[:, 0]
        coef[:, t] = b
    return coef, n_iter


def sides(problem):
    """Return R and C with A'A = R'R and A'v = R'C: a triangle, or A and v if they are wide."""
    if problem.wide:
        about = centred(problem)
        return about.rows.matmat(np.eye(problem.X.shape[1])), about.targets
    X = problem.X if problem.dense else DenseChunks(problem.X)
    return factor(X, problem.Y, problem.weights, centre=problem.centre).sides


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

        coef[:, t], n_iter[t], converged = bounded_lbfgs(
            value_and_gradient,
            rows.shape[1],
            max_iter=settings.max_iter or 15_000,
            tol=settings.tol,
        )
        if not converged:
            warn_not_converged(
                "The lbfgs solver did not converge. Try increasing max_iter or tol. "
                f"Currently: max_iter={settings.max_iter} and tol={settings.tol}",
            )
    return Solution(coef, rows.mean, about.y_mean, "lbfgs", n_iter)
