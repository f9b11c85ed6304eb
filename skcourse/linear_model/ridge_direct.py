"""Ridge regression in closed form, by the cheapest route that is accurate.

Problem     For rows A about their mean, (n, p), and targets v, minimise |v - A b|^2 + alpha |b|^2.
Routes      Tall: the normal equations,   (A'A + alpha I) b = A'v,                            (1)
            wide: their dual,             b = A'c,   (A A' + alpha I) c = v,                  (2)
            by Cholesky, if the condition number of the matrix, its diagonal scaled to 1, allows
            it, and if it is not small with a step of refinement from the rows themselves,
                b += (A'A + alpha I)^-1 (A'(v - A b) - alpha b),   and likewise c.            (3)
            Else by the singular values of A, from a triangle: A = Q R of tall A, A' = Q R of wide
            A. No route needs more than a chunk of A at a time.
Cost        n p^2 products for (1), read once, chunk by chunk; n^2 p for (2). Four times as many
            for the triangles.
Reference   A. Björck, Numerical Methods for Least Squares Problems, 1996, sections 2.2, 2.7, 2.9.
"""

import numpy as np
from scipy import sparse

from skcourse.core.factors import factor
from skcourse.core.linalg import cholesky
from skcourse.core.moments import moments
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model import dual, spectrum
from skcourse.linear_model.centred_rows import CentredRows
from skcourse.linear_model.ridge_problem import Solution, centred, once

LIMIT = 1e8  # condition number up to which (1) and (2) are solved by Cholesky
DIRECT = {"float64": 1e4, "float32": 1e8}  # and up to which (3) would gain nothing worth a pass
EPS = np.finfo(np.float64).eps


def solve_cholesky(problem, settings=None):
    """Solve by (1) or (2), or by "svd" where they are not well conditioned."""
    if problem.wide:
        return solve_wide(problem)
    if not problem.dense:
        return solve_sparse(problem)
    p = problem.X.shape[1]
    sums = moments(problem.X, problem.Y, problem.weights, centre=problem.centre)
    if check_finite_sums(sums.scatter, problem.X, estimator=problem.estimator):
        x_mean, y_mean = sums.mean[:p], sums.mean[p:]

        def gradient(b, targets):
            rows = CentredRows(problem.X, x_mean, problem.weights)
            return rows.normal_residual(problem.Y[:, targets] - y_mean[targets], b)

        S, B = sums.scatter[:p, :p], sums.scatter[:p, p:]
        noise = sums.weight * np.square(EPS * x_mean).max()  # the square of a constant column
        coef = None
        if (S.diagonal() + problem.alphas.min()).min() > noise:
            coef = solve_penalised(S, B, problem.alphas, gradient, problem.precision)
        if coef is not None:
            return Solution(coef, x_mean, y_mean, "cholesky", once(problem), sums)
    return solve_svd(problem)


def solve_svd(problem, settings=None):
    """Solve by the singular values of A."""
    n, p = problem.X.shape
    if problem.wide:
        about = centred(problem)
        found = dual.spectrum_of(about.rows, about.targets)
        coef = dual.coefficients(about.rows, found, problem.alphas)
        return Solution(coef, about.rows.mean, about.y_mean, "svd", once(problem))
    sums = factor(problem.X, problem.Y, problem.weights, centre=problem.centre)
    check_finite_sums(sums.R, problem.X, estimator=problem.estimator)
    found = spectrum.of_rows(*sums.sides, max(n, p) * EPS)
    coef = spectrum.coefficients(found, problem.alphas)
    return Solution(coef, sums.mean[:p], sums.mean[p:], "svd", once(problem), sums)


def solve_wide(problem):
    """Solve by (2)."""
    about = centred(problem)
    rows, v = about.rows, about.targets
    K = dual.gram(rows)
    if problem.centre:  # K q = 0 and <q, v> = 0: what K makes of q is free, let it be harmless
        q = dual.null_vector(rows)
        K += np.outer(q * (np.trace(K) / len(K)), q)

    def residual(c, targets):
        return v[:, targets] - rows.matmat(rows.rmatmat(c))

    c = solve_penalised(K, v, problem.alphas, residual, problem.precision)
    if c is not None:
        return Solution(rows.rmatmat(c), rows.mean, about.y_mean, "cholesky", once(problem))
    if problem.dense:
        return solve_svd(problem)
    found = spectrum.of_gram(K, v, len(K) * EPS)
    coef = dual.coefficients(rows, found, problem.alphas, v)
    return Solution(coef, rows.mean, about.y_mean, "svd", once(problem))


def solve_sparse(problem):
    """Solve (1) for tall sparse X; without (1), by the eigenvalues of A'A."""
    about = centred(problem)
    rows, v = about.rows, about.targets
    S, B = sparse_scatter(rows), rows.rmatmat(v)

    def gradient(b, targets):
        return rows.rmatmat(v[:, targets] - rows.matmat(b))

    coef, solver = solve_penalised(S, B, problem.alphas, gradient, problem.precision), "cholesky"
    if coef is None:
        found = spectrum.of_scatter(S, B, len(S) * EPS)
        coef, solver = spectrum.coefficients(found, problem.alphas), "svd"
        coef = spectrum.refined(found, coef, problem.alphas, gradient(coef, slice(None)))
    return Solution(coef, rows.mean, about.y_mean, solver, once(problem))


def sparse_scatter(rows):
    """Return A'A, (p, p), of `CentredRows` of a sparse matrix."""
    X = rows.X if rows.roots is None else sparse.csr_matrix(rows.X.multiply(rows.roots))
    total = rows.shape[0] if rows.roots is None else float(np.sum(rows.roots**2))
    return (X.T @ X).toarray() - total * np.outer(rows.mean, rows.mean)


def solve_penalised(S, B, alphas, residual, precision):
    """Solve (S + alpha_t I) b_t = B_t for each column t of B, if that is well conditioned.

    Parameters
    ----------
    S : array of shape (p, p), positive semidefinite
    B : array of shape (p, t)
    alphas : array of shape (t,)
    residual : callable, from b, (p, k), and its targets, k of t, to B_t - S b, from the rows
    precision : str, dtype that is asked for

    Returns
    -------
    b : array of shape (p, t), or None
    """
    b = np.empty_like(B)
    groups = [slice(None)] if (alphas == alphas[0]).all() else [[t] for t in range(len(alphas))]
    for targets in groups:
        alpha = alphas[targets][0]
        H = S.copy()
        H.flat[:: len(H) + 1] += alpha
        certified = cholesky(H)
        if certified is None or certified.condition > LIMIT:
            return None
        x = certified.solve(B[:, targets])
        if certified.condition > DIRECT[precision]:
            x += certified.solve(residual(x, targets) - alpha * x)  # (3)
        b[:, targets] = x
    return b
