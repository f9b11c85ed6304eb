"""Ridge regression from products with X alone: conjugate gradients, LSQR, average gradients.

Problem     For rows A about their mean and targets v, minimise |v - A b|^2 + alpha |b|^2.
Solvers     "sparse_cg": conjugate gradients on (A'A + alpha I) b = A'v, or where A is wide on
            (A A' + alpha I) c = v, b = A'c, until the residual is below `tol` times the right
            side. Where A is tall and stored, A'A is formed once, in one pass: the same iterates.
            "lsqr": Golub and Kahan's bidiagonalisation of [A; alpha^(1/2) I], whose error grows
            with the condition number, not with its square.
            "sag", "saga": see `sag`.
Cost        2 to 4 n p products per iteration.
Reference   M. Hestenes, E. Stiefel, Methods of conjugate gradients for solving linear systems,
            J. Research of the NBS, 1952. C. Paige, M. Saunders, LSQR, ACM Trans. Mathematical
            Software, 1982.
"""

import numpy as np
from scipy.sparse import linalg

from skcourse.core.history import warn_not_converged
from skcourse.core.moments import moments
from skcourse.core.random import seeds
from skcourse.core.validation import check_finite_sums
from skcourse.linear_model import sag
from skcourse.linear_model.ridge_problem import Solution, centred

SAG_EPOCHS = 1000  # by default


def conjugate_gradients(problem, settings):
    """Solve by "sparse_cg"; `tol` bounds the residual relative to the right side."""
    p = problem.X.shape[1]
    if problem.dense and not problem.wide:
        sums = moments(problem.X, problem.Y, problem.weights, centre=problem.centre)
        check_finite_sums(sums.scatter, problem.X, estimator=problem.estimator)
        x_mean, y_mean = sums.mean[:p], sums.mean[p:]
        scatter, right = sums.scatter[:p, :p], sums.scatter[:p, p:]
        product = scatter.__matmul__
    else:
        about = centred(problem, quick=True)
        rows, x_mean, y_mean = about.rows, about.rows.mean, about.y_mean
        if problem.wide:
            right = about.targets

            def product(c):
                return rows.matvec(rows.rmatvec(c))

        else:
            right = rows.rmatmat(about.targets)

            def product(b):
                return rows.rmatvec(rows.matvec(b))

    found = np.zeros(right.shape)
    n_iter = np.zeros(len(problem.alphas), np.int32)
    for t, alpha in enumerate(problem.alphas):
        system = linalg.LinearOperator(
            (len(right),) * 2, lambda b, alpha=alpha: product(b) + alpha * b, dtype=np.float64
        )

        def keep(x, t=t):
            n_iter[t] += 1
            if np.isfinite(x).all():  # beyond the exact solution, which `tol` of 0 ignores, is 0/0
                found[:, t] = x

        if alpha > 0 or (system @ right[:, t]).any():  # else X is 0, and so is the solution
            info = linalg.cg(
                system, right[:, t], rtol=settings.tol, maxiter=settings.max_iter, callback=keep
            )[1]
            if info > 0:
                warn_not_converged(f"sparse_cg did not converge after {info} iterations.")
    coef = rows.rmatmat(found) if problem.wide else found
    return Solution(coef, x_mean, y_mean, "sparse_cg", n_iter)


def lsqr(problem, settings):
    """Solve by "lsqr"; `tol` bounds the residual and its projection, relative to A and b."""
    about = centred(problem, quick=True)
    coef = np.empty((problem.X.shape[1], len(problem.alphas)))
    n_iter = np.empty(len(problem.alphas), np.int32)
    for t, alpha in enumerate(problem.alphas):
        coef[:, t], why, n_iter[t] = linalg.lsqr(
            about.rows,
            about.targets[:, t],
            damp=np.sqrt(alpha),
            atol=settings.tol,
            btol=settings.tol,
            iter_lim=settings.max_iter,
        )[:3]
        if why == 7:
            warn_not_converged(f"lsqr did not converge after {n_iter[t]} iterations.")
    return Solution(coef, about.rows.mean, about.y_mean, "lsqr", n_iter)


def average_gradients(problem, settings):
    """Solve by "sag" or "saga"; `random_state` draws the samples, an iteration is an epoch."""
    about = centred(problem)
    n, p = problem.X.shape
    weights = np.ones(n) if problem.weights is None else problem.weights
    if problem.dense:
        rows = np.asarray(problem.X)
    else:
        rows = sag.Rows(problem.X.data, problem.X.indices, problem.X.indptr.astype(np.int64))
    curvature = about.rows.squared_norms().max()
    seed = seeds(settings.random_state, 1)[0]
    max_iter = SAG_EPOCHS if settings.max_iter is None else settings.max_iter
    coef = np.empty((p, len(problem.alphas)))
    n_iter = np.empty(len(problem.alphas), np.int32)
    for t, alpha in enumerate(problem.alphas):
        residuals = np.ascontiguousarray(about.residuals[:, t])
        coef[:, t], n_iter[t], converged = sag.average_gradients(
            rows,
            sag.Targets(about.rows.mean, residuals, weights),
            alpha,
            curvature,
            saga=settings.solver == "saga",
            max_iter=max_iter,
            tol=settings.tol,
            seed=seed,
        )
        if not converged:
            warn_not_converged("The max_iter was reached which means the coef_ did not converge")
    return Solution(coef, about.rows.mean, about.y_mean, settings.solver, n_iter)
